//! Facts and demands → findings: everything that can be known to be wrong before anything is changed. Pure.

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use serde::Serialize;

use crate::facts::{EngineChoice, Facts};
use crate::layout::Layout;
use crate::plan::DiskNeed;
use crate::text::Message;

mod check;
mod disk;
mod engine;
mod image;
mod machine;
mod port;
mod project;

/// One result of preflight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Stable name, for scripts.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What was found, and what is needed.
    pub text: Message,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub todo: Option<Message>,
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
    fn pass(id: &'static str, text: Message) -> Self {
        Self { id, severity: Severity::Pass, text, todo: None }
    }

    fn warn(id: &'static str, text: Message, todo: Message) -> Self {
        Self { id, severity: Severity::Warn, text, todo: Some(todo) }
    }

    fn fail(id: &'static str, text: Message, todo: Message) -> Self {
        Self { id, severity: Severity::Fail, text, todo: Some(todo) }
    }
}

/// Checks everything; the worst findings come last, where they are seen.
pub fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let mut findings = machine::check(facts, demand);
    findings.extend(engine::check(facts, demand));
    findings.extend(disk::check(facts, demand));
    findings.extend(port::check(facts, demand));
    findings.extend(project::check(facts, demand));
    findings.extend(check::check(demand));
    findings.extend(image::check(facts, demand));
    findings.sort_by_key(|finding| finding.severity);
    findings
}

#[cfg(test)]
mod tests;
