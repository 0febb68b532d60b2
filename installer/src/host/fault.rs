//! Faults on purpose, for tests: a plan that is given as data lets chosen acts on files and processes fail, and a trace says which
//! acts there are. All of it needs the feature `faults` (or a unit test), which no stub is built with; without it, [`pass`] is nothing and
//! [`writer`] gives back what it gets.
//!
//! Not here: what becomes of a fault. Whoever acts sees an error like any other.

#[cfg(not(any(test, feature = "faults")))]
pub use self::nothing::{pass, writer};
#[cfg(any(test, feature = "faults"))]
pub use self::planned::{Fault, Plan, pass, with, writer};
use std::fmt;

#[cfg(any(test, feature = "faults"))]
mod planned;

/// What can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// Listen at a socket.
    Bind,
    /// Make a file.
    Create,
    /// Make a link.
    Link,
    /// Open a file that is locked.
    Lock,
    /// Make a directory.
    Mkdir,
    /// Open a file to be appended to.
    Open,
    /// Set mode and owner.
    Own,
    /// Remove something.
    Remove,
    /// Give a file its name.
    Rename,
    /// Start a process.
    Spawn,
    /// Make the content of a file durable.
    Sync,
    /// Make the entries of a directory durable.
    SyncDir,
    /// Make a whole file system durable.
    SyncFs,
    /// Write a piece of a file.
    Write,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format!("{self:?}").to_ascii_lowercase())
    }
}

#[cfg(not(any(test, feature = "faults")))]
mod nothing {
    //! What is left of it in a program for customers.

    use std::io::{self, Write};
    use std::path::Path;

    use super::Act;

    /// Called before each act.
    ///
    /// # Errors
    /// Never.
    #[inline]
    pub fn pass(_: Act, _: &Path) -> io::Result<()> {
        Ok(())
    }

    /// What the content of a file is written with.
    #[inline]
    pub fn writer<W: Write>(_: &Path, inner: W) -> W {
        inner
    }
}

#[cfg(test)]
mod tests;
