//! How a run of the packer ends: exit codes, and the one error type, which says what failed and what to do now.
//! Printing is not done here.

use std::error::Error;
use std::path::Path;
use std::{fmt, io};

use bundle_spec::error::ReadError;

use crate::plan::folder_of;

/// Exit codes of `airlift`; scripts depend on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// The bundle or a part of it is damaged, or a digest differs from the one that was asked for.
    Damaged = 5,
    /// Something failed midway.
    Failed = 1,
    /// The command line or the definition is wrong.
    Usage = 2,
}

/// Why a run ended early. `Display` says what failed; the reason is the source, the way out is the hint.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Failure {
    what: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
    /// What to do now.
    pub hint: Option<String>,
    /// With which code to end.
    pub exit: Exit,
}

/// What most functions of the packer return.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure with exit code 1; `what` names the thing and the path that it is about.
    pub fn new(what: impl fmt::Display) -> Self {
        Self { what: what.to_string(), source: None, hint: None, exit: Exit::Failed }
    }

    /// A mistake in the command line or the definition.
    pub fn usage(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, ..Self::new(what) }
    }

    /// Something is damaged or not what its digest says.
    pub fn damaged(what: impl fmt::Display) -> Self {
        Self { exit: Exit::Damaged, ..Self::new(what) }
    }

    /// Ends with another code.
    #[must_use]
    pub fn ending(self, exit: Exit) -> Self {
        Self { exit, ..self }
    }

    /// Adds the reason.
    #[must_use]
    pub fn because(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..self }
    }

    /// Adds what to do now.
    #[must_use]
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }

    /// Says where there is no room, if that is why it failed: whatever was being done, it was written to `path`.
    #[must_use]
    pub fn writing_to(self, path: &Path) -> Self {
        if !self.is_for_room() {
            return self;
        }
        let hint = format!(
            "free some room in {}, or write to another disk; then run the same command again",
            folder_of(path).display()
        );
        Self { what: format!("cannot write {}", path.display()), ..self }.hint(hint)
    }

    /// Whether a disk was full, or a quota used up.
    fn is_for_room(&self) -> bool {
        let mut cause = self.source();
        while let Some(error) = cause {
            let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
            if matches!(kind, Some(io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)) {
                return true;
            }
            cause = error.source();
        }
        false
    }

    /// What a file that should be a bundle lacks.
    pub fn unreadable_bundle(path: &std::path::Path, error: ReadError) -> Self {
        let what = format!("{} cannot be used", path.display());
        let hint = match &error {
            ReadError::Io(_) => return Self::new(format!("cannot read {}", path.display())).because(error),
            ReadError::NotABundle => "give a .run file that `airlift pack` wrote",
            ReadError::Version { .. } => "use the airlift that wrote it, or a newer one",
            ReadError::Signature(_) => "do not use it; ask the vendor for the file and its key",
            ReadError::Unacceptable(_) => "pack it again",
            _ => "copy the file again",
        };
        Self::damaged(what).because(error).hint(hint)
    }
}

/// Turns any error into a [`Failure`] that says what was being done.
pub trait Explain<T> {
    /// `what` says what failed, on which path.
    fn explain<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Outcome<T>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Explain<T> for Result<T, E> {
    fn explain<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Outcome<T> {
        self.map_err(|error| Failure::new(what()).because(error))
    }
}
