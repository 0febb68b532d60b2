//! Answers that lie elsewhere: `{ env = "NAME" }` and `{ file = "/path" }` in an answers file. What is wrong with one is a
//! problem of its answer. Reads nothing by itself.

use std::path::PathBuf;

use crate::text::{Message, reference as text};

/// Largest file that an answer is read from, in bytes: keys and passwords are far shorter.
pub const LEN_MAX: u64 = 64 << 10;

/// Where an answer lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// In a variable of the environment.
    Environment(String),
    /// In a file; a relative path counts from the answers file.
    File(PathBuf),
}

/// Why nothing came of a reference. The content is never repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceProblem {
    /// The variable is not set.
    NotSet(String),
    /// The variable is set to nothing.
    SetEmpty(String),
    /// The variable's value is not UTF-8.
    VariableNotUtf8(String),
    /// There is no such file.
    NotFound(PathBuf),
    /// It is a directory, a pipe or the like.
    NotAFile(PathBuf),
    /// It cannot be read: why.
    Unreadable(PathBuf, String),
    /// It has no content.
    Empty(PathBuf),
    /// It is longer than [`LEN_MAX`].
    TooLarge(PathBuf),
    /// It is not UTF-8.
    NotUtf8(PathBuf),
}

impl Reference {
    /// Reads `env` or `file` from a table of the answers file.
    pub fn parse(table: &toml::Table) -> Option<Self> {
        let (key, value) = table.iter().next().filter(|_| table.len() == 1)?;
        let value = value.as_str().filter(|value| !value.is_empty())?;
        match key.as_str() {
            "env" if bundle_spec::validate::is_env_name(value) => Some(Self::Environment(value.to_owned())),
            "file" => Some(Self::File(PathBuf::from(value))),
            _ => None,
        }
    }
}

impl ReferenceProblem {
    /// The problem for people.
    pub fn message(&self, id: &str) -> Message {
        match self {
            Self::NotSet(name) => text::not_set(id, name),
            Self::SetEmpty(name) => text::set_empty(id, name),
            Self::VariableNotUtf8(name) => text::variable_not_utf8(id, name),
            Self::NotFound(path) => text::not_found(id, &path.display()),
            Self::NotAFile(path) => text::not_a_file(id, &path.display()),
            Self::Unreadable(path, why) => text::unreadable(id, &path.display(), why),
            Self::Empty(path) => text::empty(id, &path.display()),
            Self::TooLarge(path) => text::too_large(id, &path.display(), LEN_MAX >> 10),
            Self::NotUtf8(path) => text::not_utf8(id, &path.display()),
        }
    }
}
