//! What happens during a run, as data. Producers emit these; only `report` prints.

use serde::{Deserialize, Serialize};

use crate::health::ServiceHealth;
use crate::preflight::{Finding, Severity};
use crate::text::Message;

/// One thing that happened. Serialised as one JSON line each with `--json`; the field `event` names the kind.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case", try_from = "Line")]
pub enum Event {
    /// The run begins.
    Started {
        /// Version of this schema.
        schema: u32,
        /// Application.
        app: String,
        /// Its version.
        version: String,
        /// What is about to happen.
        title: Message,
    },
    /// One finding of preflight. There are none once the work has begun, and so none to be read back.
    Finding(Finding),
    /// Preflight has looked at everything.
    Checked {
        /// Findings that pass.
        passed: usize,
        /// Warnings, accepted ones included.
        warnings: usize,
        /// Failures.
        failures: usize,
    },
    /// The plan, before anything is changed.
    Plan {
        /// One line a step.
        steps: Vec<Message>,
    },
    /// A step begins.
    StepStarted {
        /// Its number from 1.
        number: usize,
        /// Of how many.
        count: usize,
        /// What it does.
        title: Message,
    },
    /// Bytes moved so far in what is running now.
    Progress {
        /// What moves.
        title: Message,
        /// Bytes done.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// What is being done within a step, where bytes do not tell: the engine unpacks, the disk is written to.
    Phase {
        /// What.
        title: Message,
    },
    /// Something takes its time, and nothing can be counted.
    Waiting {
        /// Seconds so far.
        seconds: u64,
        /// Seconds after which it is given up, where that is known.
        #[serde(skip_serializing_if = "Option::is_none")]
        limit: Option<u64>,
    },
    /// A step ended.
    StepFinished {
        /// Its number from 1.
        number: usize,
        /// What came of it.
        outcome: StepOutcome,
        /// How long it took, in milliseconds.
        millis: u64,
        /// What it did.
        title: Message,
    },
    /// Health as it is now.
    Health {
        /// Each service.
        services: Vec<ServiceHealth>,
    },
    /// Something to know.
    Note {
        /// What.
        text: Message,
    },
    /// The run ended.
    Finished {
        /// Exit code.
        code: u8,
        /// Summary or failure.
        text: Message,
    },
}

impl Event {
    /// The findings of a whole preflight, counted.
    pub fn checked(findings: &[Finding]) -> Self {
        let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
        Self::Checked {
            passed: count(Severity::Pass),
            warnings: count(Severity::Warn),
            failures: count(Severity::Fail),
        }
    }

    /// Gives every text that people read to `change`. Names that programs go by are the vendor's, and stay.
    pub(crate) fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        match self {
            Self::Started { schema: _, app: _, version: _, title }
            | Self::StepStarted { number: _, count: _, title }
            | Self::Progress { title, done: _, total: _ }
            | Self::Phase { title }
            | Self::StepFinished { number: _, outcome: _, millis: _, title } => title.each_text(change),
            Self::Note { text } | Self::Finished { code: _, text } => text.each_text(change),
            Self::Finding(finding) => finding.each_text(change),
            Self::Plan { steps } => steps.iter_mut().for_each(|step| step.each_text(change)),
            Self::Health { services } => services.iter_mut().for_each(|service| service.each_text(change)),
            Self::Checked { passed: _, warnings: _, failures: _ }
            | Self::Waiting { seconds: _, limit: _ } => {}
        }
    }
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepOutcome {
    /// Carried out.
    Done,
    /// Failed.
    Failed,
    /// Was in place already.
    Skipped,
}

/// Version of the event schema.
pub const SCHEMA: u32 = 1;

/// An event as it is read: the fields of all kinds. An enum with its kind in a field of its own would be read by code many times
/// as large, and the size of this program counts.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line {
    event: String,
    schema: Option<u32>,
    app: Option<String>,
    version: Option<String>,
    title: Option<Message>,
    text: Option<Message>,
    steps: Option<Vec<Message>>,
    services: Option<Vec<ServiceHealth>>,
    outcome: Option<StepOutcome>,
    number: Option<usize>,
    count: Option<usize>,
    done: Option<u64>,
    total: Option<u64>,
    seconds: Option<u64>,
    limit: Option<u64>,
    millis: Option<u64>,
    code: Option<u8>,
}

impl TryFrom<Line> for Event {
    type Error = &'static str;

    fn try_from(line: Line) -> Result<Self, Self::Error> {
        line.into_event().ok_or("no event that is known")
    }
}

impl Line {
    fn into_event(self) -> Option<Event> {
        Some(match self.event.as_str() {
            "started" => Event::Started {
                schema: self.schema?,
                app: self.app?,
                version: self.version?,
                title: self.title?,
            },
            "plan" => Event::Plan { steps: self.steps? },
            "step-started" => {
                Event::StepStarted { number: self.number?, count: self.count?, title: self.title? }
            }
            "progress" => Event::Progress { title: self.title?, done: self.done?, total: self.total? },
            "phase" => Event::Phase { title: self.title? },
            "waiting" => Event::Waiting { seconds: self.seconds?, limit: self.limit },
            "step-finished" => Event::StepFinished {
                number: self.number?,
                outcome: self.outcome?,
                millis: self.millis?,
                title: self.title?,
            },
            "health" => Event::Health { services: self.services? },
            "note" => Event::Note { text: self.text? },
            "finished" => Event::Finished { code: self.code?, text: self.text? },
            _ => return None,
        })
    }
}
