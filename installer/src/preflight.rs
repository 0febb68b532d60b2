//! Facts and demands → findings: everything that can be known to be wrong before anything is changed. Pure.

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use serde::Serialize;

use crate::facts::{EngineChoice, Facts};
use crate::layout::Layout;
use crate::plan::DiskNeed;
use crate::text::Message;

pub mod accept;
pub mod certificate;
mod check;
mod disk;
mod engine;
mod id;
mod image;
mod kernel;
mod machine;
pub mod network;
mod port;
mod project;
mod storage;
pub mod volume;

pub use id::IDS;

/// One result of preflight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name, for scripts.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and what is needed, in a sentence.
    pub text: Message,
    /// What was found, as a bare value: a number of bytes, a version, a name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// What is needed, in the same form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needed: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<Message>,
    /// A warning that the operator has accepted.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// Refuses the run: a failure, or a warning that was not accepted where warnings are taken strictly.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub refuses: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// As it should be.
    Pass,
    /// Works, with a drawback.
    Warn,
    /// Cannot work.
    Fail,
}

/// What is asked of the host.
#[derive(Clone, Copy, Debug)]
pub struct Demand<'a> {
    /// The bundle's content.
    pub content: &'a Content,
    /// Where the project goes.
    pub layout: &'a Layout,
    /// `--engine`.
    pub choice: EngineChoice,
    /// The answers, as far as they are known: ports depend on them.
    pub answers: &'a Answers,
    /// Disk that the plan needs.
    pub disk: &'a [DiskNeed],
}

impl Finding {
    /// As it should be.
    pub fn pass(id: &'static str, text: Message) -> Self {
        Self::new(id, Severity::Pass, text, None)
    }

    /// Works, with a drawback.
    pub fn warn(id: &'static str, text: Message, todo: Message) -> Self {
        Self::new(id, Severity::Warn, text, Some(todo))
    }

    /// Cannot work.
    pub fn fail(id: &'static str, text: Message, todo: Message) -> Self {
        Self::new(id, Severity::Fail, text, Some(todo))
    }

    fn new(id: &'static str, severity: Severity, text: Message, todo: Option<Message>) -> Self {
        Self {
            id,
            severity,
            text,
            found: None,
            needed: None,
            todo,
            accepted: false,
            refuses: severity == Severity::Fail,
        }
    }

    /// Gives every text to `change`.
    pub(crate) fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        let Self { id: _, severity: _, text, found, needed, todo, accepted: _, refuses: _ } = self;
        text.each_text(change);
        todo.iter_mut().for_each(|todo| todo.each_text(change));
        found.iter_mut().chain(needed).for_each(change);
    }

    /// The same with bare values for programs.
    fn with(mut self, found: impl Value, needed: impl Value) -> Self {
        (self.found, self.needed) = (found.value(), needed.value());
        self
    }
}

/// What a program may want to read without a sentence around it.
trait Value {
    fn value(self) -> Option<String>;
}

impl Value for Option<()> {
    fn value(self) -> Option<String> {
        None
    }
}

impl Value for &str {
    fn value(self) -> Option<String> {
        Some(self.to_owned())
    }
}

impl Value for String {
    fn value(self) -> Option<String> {
        Some(self)
    }
}

impl Value for u64 {
    fn value(self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Checks everything; what stands in the way comes first.
pub fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let mut findings = machine::check(facts, demand);
    // Of an installation that only root may see everything looks as if it were broken, missing, or somebody else's.
    if !facts.machine.is_root && facts.project.receipt_error.is_some() {
        order(&mut findings);
        return findings;
    }
    findings.extend(engine::check(facts, demand));
    findings.extend(storage::check(facts, demand));
    findings.extend(disk::check(facts, demand));
    findings.extend(port::check(facts, demand));
    findings.extend(network::check(facts, demand));
    findings.extend(network::subnets(facts, demand));
    findings.extend(project::check(facts, demand));
    findings.extend(check::check(demand));
    findings.extend(image::check(facts, demand));
    if !facts.machine.is_root && engine::is_closed_to_us(facts) {
        findings.retain(|finding| finding.id != "engine" || finding.severity == Severity::Pass);
    }
    order(&mut findings);
    findings
}

/// What stands in the way comes first.
pub fn order(findings: &mut [Finding]) {
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
}

/// Major and minor number of a version such as `5.10.0-30-amd64`.
fn release(version: &str) -> (u32, u32) {
    crate::engine::description::release(version)
}

/// What speaks against the answer to the question `id` at once, when the answers that are settled are known: a port that
/// is in use, or twice.
pub fn against_port(
    facts: &Facts,
    content: &Content,
    answers: &Answers,
    id: &str,
    is_settled: impl Fn(&str) -> bool,
) -> Option<Message> {
    port::against(facts, content, answers, id, is_settled)
}

#[cfg(test)]
pub(crate) mod tests;
