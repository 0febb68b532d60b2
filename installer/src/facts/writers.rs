//! Who but root can change what lies in the project directory, or put another one in its place.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// A directory on the way to the project that others can write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Writable {
    /// The directory.
    pub path: PathBuf,
    /// It is the project directory itself.
    pub is_project: bool,
    /// Who can.
    pub by: Writer,
}

/// Who can write a directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Writer {
    /// Every user.
    Everybody,
    /// The members of a group.
    Group(String),
    /// The user that it belongs to.
    Owner(String),
}

/// What decides about one directory.
#[derive(Clone, Copy, Debug)]
struct Access {
    mode: u32,
    owner: u32,
    group: u32,
    is_project: bool,
}

/// Looks at a project directory, which need not exist yet, and at all above it.
pub fn collect(dir: &Path) -> Vec<Writable> {
    let Some(real) = dir.ancestors().find_map(|existing| existing.canonicalize().ok()) else {
        return Vec::new();
    };
    let is_there = dir.is_dir();
    let look = |path: &Path| {
        let metadata = path.metadata().ok()?;
        let is_project = is_there && path == real;
        let (mode, owner, group) = (metadata.mode(), metadata.uid(), metadata.gid());
        let by = writer(Access { mode, owner, group, is_project })?;
        Some(Writable { path: path.to_owned(), is_project, by })
    };
    real.ancestors().filter_map(look).collect()
}

/// Who but root can write a directory, if anybody; the most dangerous first. Where only the owner of a thing can rename it
/// (the sticky bit, as in `/tmp`), a project directory of root's is safe from its neighbours; its own content is not.
fn writer(access: Access) -> Option<Writer> {
    const STICKY: u32 = 0o1000;
    let is_open = access.is_project || access.mode & STICKY == 0;
    if is_open && access.mode & 0o002 != 0 {
        Some(Writer::Everybody)
    } else if is_open && access.mode & 0o020 != 0 && access.group != 0 {
        Some(Writer::Group(name("/etc/group", access.group)))
    } else {
        (access.owner != 0).then(|| Writer::Owner(name("/etc/passwd", access.owner)))
    }
}

/// The name of a number, where the host's own file knows one.
fn name(file: &str, number: u32) -> String {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let number = number.to_string();
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let line = lines.find(|fields| fields.get(2).is_some_and(|field| *field == number));
    line.map_or(number.clone(), |fields| fields[0].to_owned())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn who_can_write_follows_from_mode_owner_and_sticky_bit() {
        let nobody = || Writer::Owner("nobody".into());
        let table = [
            ((0o755, 0, 0, true), None),
            ((0o775, 0, 0, true), None),
            ((0o775, 0, 4_000_000, true), Some(Writer::Group("4000000".into()))),
            ((0o757, 0, 0, true), Some(Writer::Everybody)),
            ((0o1777, 0, 0, true), Some(Writer::Everybody)),
            ((0o1777, 0, 0, false), None),
            ((0o1770, 0, 4_000_000, false), None),
            ((0o777, 0, 0, false), Some(Writer::Everybody)),
            ((0o2775, 0, 4_000_000, false), Some(Writer::Group("4000000".into()))),
            ((0o755, 65534, 0, false), Some(nobody())),
            ((0o1755, 65534, 0, true), Some(nobody())),
        ];
        for ((mode, owner, group, is_project), expected) in table {
            assert_eq!(
                writer(Access { mode, owner, group, is_project }),
                expected,
                "{mode:o} {owner} {group}"
            );
        }
    }

    #[test]
    fn the_way_to_a_directory_that_is_not_there_yet_counts() {
        let folder = tempfile::tempdir().unwrap();
        let open = folder.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, Permissions::from_mode(0o777)).unwrap();
        let of = |dir: &Path| collect(dir).into_iter().filter(|found| found.path.ends_with("open")).collect();
        let found: Vec<Writable> = of(&open.join("a/b"));
        assert!(
            matches!(&found[..], [Writable { is_project: false, by: Writer::Everybody, .. }]),
            "{found:?}"
        );
        let found: Vec<Writable> = of(&open);
        assert!(matches!(&found[..], [Writable { is_project: true, .. }]), "{found:?}");
        fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        let found: Vec<Writable> = of(&open.join("a"));
        assert!(!found.iter().any(|found| found.by == Writer::Everybody), "{found:?}");
    }
}
