//! How a run ends: exit codes, and failures that say what failed, why, and what to do now.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::text::{Message, refusal};

/// Exit codes; scripts depend on them (`docs/exit-codes.md`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[repr(u8)]
pub enum Code {
    /// Everything asked for is done.
    Done = 0,
    /// Failed midway; the same command may be run again.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Answers are missing or invalid; the host is untouched.
    Answers = 3,
    /// The host does not fit; it is untouched.
    Preflight = 4,
    /// The bundle is damaged or not trusted; the host is untouched, unless it is a layer that is damaged.
    Bundle = 5,
    /// Installed, but not healthy.
    Unhealthy = 6,
    /// Another run holds the lock.
    Locked = 7,
}

/// Why a run ended early.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Exit code.
    pub code: Code,
    /// A mistake or a fault, and not what somebody wanted: a person who says no is not told of an error.
    pub is_error: bool,
    /// What failed, on what.
    pub what: Message,
    /// Technical causes, outermost first, quoted.
    pub causes: Vec<String>,
    /// What to do now.
    pub todo: Option<Message>,
    /// Several things of the same kind, where a person must fix things.
    pub details: Vec<Message>,
    /// What an installation that failed leaves.
    #[serde(default)]
    pub remains: Remains,
    /// Trying once more in another way is of no use.
    pub is_final: bool,
    /// Something that was there is gone: somebody removes things beside us. Bringing it again helps.
    pub is_removal: bool,
}

/// What an installation that failed leaves, and how that is taken back.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Remains {
    /// What is in place, and what was begun.
    pub in_place: Vec<Message>,
    /// How to take it back; nothing where an installation was there before, which would go as well.
    pub way_back: Option<WayBack>,
}

/// How to take an installation back that failed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WayBack {
    /// Data as well: there was none before.
    pub purge: bool,
    /// The command, whole.
    pub command: String,
}

/// Result of everything that can end a run.
pub type Outcome<T> = Result<T, Box<Failure>>;

impl Failure {
    /// A failure with nothing but its message.
    pub fn new(code: Code, what: Message) -> Box<Self> {
        Box::new(Self {
            code,
            is_error: true,
            what,
            causes: Vec::new(),
            todo: None,
            details: Vec::new(),
            remains: Remains::default(),
            is_final: false,
            is_removal: false,
        })
    }

    /// A failure midway.
    pub fn midway(what: Message) -> Box<Self> {
        Self::new(Code::Failed, what)
    }

    /// The end of a run that is nobody's mistake.
    pub fn calm(code: Code, what: Message) -> Box<Self> {
        let mut failure = Self::new(code, what);
        failure.is_error = false;
        failure
    }

    /// Adds an error and all its sources as causes.
    #[must_use]
    pub fn because(mut self: Box<Self>, error: &dyn std::error::Error) -> Box<Self> {
        let mut source = Some(error);
        while let Some(error) = source {
            let text = error.to_string();
            // Some libraries repeat their source in their own text.
            if !self.causes.iter().any(|known| known.contains(&text)) {
                self.causes.push(text);
            }
            source = error.source();
        }
        self
    }

    /// Adds what the system said when something was to be written at `path`, and what helps against that.
    #[must_use]
    pub fn refused(self: Box<Self>, error: &io::Error, path: &Path) -> Box<Self> {
        let mut failure = self.because(error);
        failure.todo = failure.todo.or_else(|| refusal::help(error, path));
        failure
    }

    /// Adds quoted output as a cause.
    #[must_use]
    pub fn quoting(mut self: Box<Self>, text: impl Into<String>) -> Box<Self> {
        let text = text.into();
        if !text.trim().is_empty() {
            self.causes.push(text.trim_end().to_owned());
        }
        self
    }

    /// Gives every text to `change`; a command that is to be typed stays as it is, and has no answers in it.
    pub(crate) fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        let Self { code: _, is_error: _, what, causes, todo, details, remains, is_final: _, is_removal: _ } =
            self;
        let Remains { in_place, way_back: _ } = remains;
        let messages = [what].into_iter().chain(todo).chain(details).chain(in_place);
        messages.for_each(|message| message.each_text(change));
        causes.iter_mut().for_each(change);
    }

    /// Adds what to do now.
    #[must_use]
    pub fn todo(mut self: Box<Self>, todo: Message) -> Box<Self> {
        self.todo = Some(todo);
        self
    }

    /// Says that another way would fail as well.
    #[must_use]
    pub fn for_good(mut self: Box<Self>) -> Box<Self> {
        self.is_final = true;
        self
    }

    /// Says that something that was there is gone.
    #[must_use]
    pub fn removed(mut self: Box<Self>) -> Box<Self> {
        self.is_removal = true;
        self
    }

    /// Adds what is left.
    #[must_use]
    pub fn leaving(mut self: Box<Self>, remains: Remains) -> Box<Self> {
        self.remains = remains;
        self
    }

    /// Adds several details.
    #[must_use]
    pub fn listing(mut self: Box<Self>, details: Vec<Message>) -> Box<Self> {
        self.details = details;
        self
    }
}
