//! The version of the format, and the verdict of a reader on it.

use serde::{Deserialize, Serialize};

/// Version of the bundle format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormatVersion {
    /// Raised when an old reader could misread a new file.
    pub major: u16,
    /// Raised when something is added that an old reader may ignore.
    pub minor: u16,
}

/// What this build writes, and the newest that it reads completely.
pub const CURRENT: FormatVersion = FormatVersion { major: 1, minor: 1 };

impl FormatVersion {
    /// Whether this build can read a file of this version: same major; a newer minor has only things that may be ignored.
    #[must_use]
    pub fn is_readable(self) -> bool {
        self.major == CURRENT.major
    }
}

impl std::fmt::Display for FormatVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
