//! Paths inside a project: always relative, never upwards, never surprising.

use serde::{Deserialize, Serialize};

use crate::limits::PATH_MAX;
use crate::text::{is_disguise, is_hostile};

/// A path relative to the project directory, with `/` between its parts.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProjectPath(String);

/// A text that is not an acceptable project path.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not a relative path inside the project", .0.escape_debug())]
pub struct InvalidPath(String);

impl ProjectPath {
    /// Reads a path: relative, no `.` or `..` parts, no empty parts, nothing that plays with a terminal or
    /// looks like something else, not Airlift's own
    /// folder.
    ///
    /// # Errors
    /// When one of these does not hold.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let bad = |c: char| is_hostile(c) || is_disguise(c);
        let parts_ok = text
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && !part.chars().any(bad));
        let own = text.split('/').next() == Some(STATE_DIR);
        if parts_ok && !own && text.len() <= PATH_MAX && !text.contains('\\') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPath(text.to_owned()))
        }
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The folder inside the project directory that belongs to Airlift itself; no project file may lie there.
pub const STATE_DIR: &str = ".airlift";

/// The folder inside the project directory with the programs that are used on the day after. Project files may lie beside them; it
/// is given to nobody.
pub const PROGRAM_DIR: &str = "bin";

/// The Compose plugin beside an engine that is not ours.
pub const COMPOSE_PATH: &str = "bin/docker-compose";

/// The folder inside the project directory where a private engine lives; no project file may lie there.
pub const ENGINE_DIR: &str = "engine";

impl std::fmt::Display for ProjectPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProjectPath {
    type Error = InvalidPath;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ProjectPath> for String {
    fn from(path: ProjectPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use super::ProjectPath;

    #[test]
    fn only_paths_inside_the_project_pass() {
        for good in ["a", "nginx/default.conf", ".env.example", "a/b-c_d/文件.txt"] {
            assert!(ProjectPath::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/", ".airlift/x", "a\nb", "a\\b", "a\0"]
        {
            assert!(ProjectPath::parse(bad).is_err(), "{bad:?}");
        }
    }
}
