//! One thing that is wrong with a project, whoever found it: what `lint` lists, and what `pack` stops at.

use std::error::Error as _;

use serde::Serialize;

use crate::outcome::{Exit, Failure};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The bundle would not work, so none is made.
    Error,
    /// It works, but probably not as wished.
    Warning,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub level: Level,
    /// Name of the rule, for scripts.
    pub id: &'static str,
    /// What is wrong, with whom.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// With which code a run ends that stops at it.
    #[serde(skip)]
    pub exit: Exit,
}

impl Finding {
    /// A mistake in the project.
    pub fn error(id: &'static str, message: String, hint: impl Into<String>) -> Self {
        Self { level: Level::Error, id, message, hint: hint.into(), exit: Exit::Usage }
    }

    /// Something that packing does not stop at.
    pub fn warning(id: &'static str, message: String, hint: impl Into<String>) -> Self {
        Self { level: Level::Warning, ..Self::error(id, message, hint) }
    }

    /// What ended an attempt, as one finding among others.
    pub fn of_failure(id: &'static str, failure: &Failure) -> Self {
        let mut message = failure.to_string();
        let mut source = failure.source();
        while let Some(reason) = source {
            message.push_str(&format!(": {reason}"));
            source = reason.source();
        }
        let hint = failure.hint.clone().unwrap_or_default();
        Self { exit: failure.exit, ..Self::error(id, message, hint) }
    }

    /// The finding in a list: what is wrong, and what to do.
    pub fn shown(&self) -> String {
        let mut text = format!("{}: {}", self.id, self.message);
        if !self.hint.is_empty() {
            text.push_str(&format!("\n    what to do: {}", self.hint));
        }
        text
    }
}

/// With which code a run ends that stops at these: a mistake of the vendor's goes before what may be another time.
pub fn exit(errors: &[Finding]) -> Exit {
    let mut codes = errors.iter().filter(|finding| finding.level == Level::Error).map(|finding| finding.exit);
    let first = codes.next().unwrap_or(Exit::Usage);
    if codes.any(|code| code == Exit::Usage) { Exit::Usage } else { first }
}
