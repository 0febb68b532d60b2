//! What is mounted on this host: below a directory, and whose kind it is. Nothing is mounted or unmounted here.

use std::path::{Path, PathBuf};

/// Lists the mounts below `path`, deepest first. What is mounted on `path` itself is the host's own disk, not ours.
pub fn below(path: &Path) -> Vec<Mounted> {
    // The kernel names mounts by their real path: `/var/run` is `/run`.
    let Ok(path) = path.canonicalize() else { return Vec::new() };
    let Ok(mounts) = procfs::process::Process::myself().and_then(|process| process.mountinfo()) else {
        return Vec::new();
    };
    let all = mounts.0.into_iter().map(|mount| Mounted {
        point: mount.mount_point,
        kind: mount.fs_type,
        is_whole: mount.root == "/",
    });
    let mut below: Vec<_> =
        all.filter(|mount| mount.point.starts_with(&path) && mount.point != path).collect();
    below.sort_by_key(|mount| std::cmp::Reverse(mount.point.as_os_str().len()));
    below
}

/// A file system that is mounted somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub point: PathBuf,
    /// What it is, as the kernel calls it: `ext4`, `overlay`, …
    pub kind: String,
    /// All of that file system is there; else it is a directory of it that is to be seen at a second place.
    pub is_whole: bool,
}

impl Mounted {
    /// Whether it is of the kinds that an engine mounts and may leave: containers' files, their shared memory, and name spaces. All
    /// others hold somebody's data.
    pub fn is_of_an_engine(&self) -> bool {
        let kinds = ["overlay", "fuse.fuse-overlayfs", "tmpfs", "mqueue", "proc"];
        self.kind == "nsfs" || (self.is_whole && kinds.contains(&self.kind.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_on_the_directory_itself_is_not_below_it() {
        let has = |dir: &str, point: &str| {
            below(Path::new(dir))
                .iter()
                .any(|mount| mount.point == Path::new(point) && mount.is_of_an_engine())
        };
        assert!(!has("/proc", "/proc") && has("/", "/proc"));
    }
}
