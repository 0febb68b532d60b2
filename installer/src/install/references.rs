//! Follows references of an answers file: to the environment and to files. What they mean is in `answers::reference`.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use crate::answers::reference::{LEN_MAX, Reference, ReferenceProblem};
use crate::facts::exposure::{self, Exposure};

/// What a reference leads to.
#[derive(Debug)]
pub struct Followed {
    /// The raw answer.
    pub text: String,
    /// How the file that it came from is kept from other users of the machine, if they can read it.
    pub exposure: Option<Exposure>,
}

/// Reads what a reference names; relative paths count from `base`.
///
/// # Errors
/// Why nothing came of it.
pub fn follow(reference: &Reference, base: &Path) -> Result<Followed, ReferenceProblem> {
    match reference {
        Reference::Environment(name) => match std::env::var(name) {
            Ok(text) if text.is_empty() => Err(ReferenceProblem::SetEmpty(name.clone())),
            Ok(text) => Ok(Followed { text, exposure: None }),
            Err(std::env::VarError::NotPresent) => Err(ReferenceProblem::NotSet(name.clone())),
            Err(std::env::VarError::NotUnicode(_)) => Err(ReferenceProblem::VariableNotUtf8(name.clone())),
        },
        Reference::File(path) => read(&base.join(path)),
    }
}

fn read(path: &Path) -> Result<Followed, ReferenceProblem> {
    let shown = || path.to_owned();
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => ReferenceProblem::NotFound(shown()),
        _ => ReferenceProblem::Unreadable(shown(), error.to_string()),
    };
    // Opening a pipe would wait for somebody to write into it.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        return Err(ReferenceProblem::NotAFile(shown()));
    }
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(LEN_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(ReferenceProblem::TooLarge(shown()));
    }
    let text = String::from_utf8(bytes).map_err(|_| ReferenceProblem::NotUtf8(shown()))?;
    // Notepad writes a byte order mark, and every editor a line end.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end_matches(['\r', '\n']).to_owned();
    if text.is_empty() {
        return Err(ReferenceProblem::Empty(shown()));
    }
    Ok(Followed { text, exposure: exposure::of(path, &metadata) })
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn files_are_read_and_what_is_wrong_with_one_is_named() {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        let look = |name: &str| follow(&Reference::File(PathBuf::from(name)), scratch.path());
        write(at("key"), "\u{feff}s3cret \r\n").unwrap();
        set_permissions(at("key"), Permissions::from_mode(0o600)).unwrap();
        let key = look("key").unwrap();
        assert_eq!((key.text.as_str(), key.exposure), ("s3cret ", None));
        set_permissions(at("key"), Permissions::from_mode(0o644)).unwrap();
        assert!(look("key").unwrap().exposure.is_some());
        assert!(look(&at("key").display().to_string()).is_ok(), "absolute paths are taken as they are");
        for (name, content) in [("empty", Vec::new()), ("blank", b"\n".to_vec())] {
            write(at(name), content).unwrap();
            assert_eq!(look(name).unwrap_err(), ReferenceProblem::Empty(at(name)));
        }
        write(at("binary"), [0xff, 0xfe]).unwrap();
        assert_eq!(look("binary").unwrap_err(), ReferenceProblem::NotUtf8(at("binary")));
        let largest = usize::try_from(LEN_MAX).unwrap();
        write(at("large"), vec![b'x'; largest + 1]).unwrap();
        assert_eq!(look("large").unwrap_err(), ReferenceProblem::TooLarge(at("large")));
        write(at("large"), vec![b'x'; largest]).unwrap();
        assert!(look("large").is_ok());
        assert_eq!(look("gone").unwrap_err(), ReferenceProblem::NotFound(at("gone")));
        assert_eq!(look(".").unwrap_err(), ReferenceProblem::NotAFile(at(".")));
        rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe"), rustix::fs::Mode::RUSR).unwrap();
        assert_eq!(look("pipe").unwrap_err(), ReferenceProblem::NotAFile(at("pipe")));
        assert!(matches!(look("key/x"), Err(ReferenceProblem::Unreadable(..))));
    }

    #[test]
    fn a_variable_that_is_not_set_is_named() {
        let name = "AIRLIFT_TEST_THAT_NOBODY_SETS".to_owned();
        let why = follow(&Reference::Environment(name.clone()), Path::new("/")).unwrap_err();
        assert_eq!(why, ReferenceProblem::NotSet(name));
        assert!(why.message("key").en.contains("--preserve-env=AIRLIFT_TEST_THAT_NOBODY_SETS"));
        assert!(follow(&Reference::Environment("PATH".to_owned()), Path::new("/")).is_ok());
    }
}
