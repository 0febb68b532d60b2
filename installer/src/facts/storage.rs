//! Collects which file systems lie behind the paths that matter, and what is free on each.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// File systems, and which path lies on which.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    systems: Vec<FileSystem>,
    by_path: BTreeMap<PathBuf, usize>,
}

/// One file system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSystem {
    /// Where it is mounted.
    pub mount_point: PathBuf,
    /// Device number.
    pub device: u64,
    /// Bytes that root may still write.
    pub free: u64,
    /// Inodes that are still free; `None` where the file system makes them as needed.
    pub free_inodes: Option<u64>,
    /// Mounted read-only.
    pub read_only: bool,
}

impl Storage {
    /// Describes file systems by hand, for tests of decisions.
    pub fn describe(entries: impl IntoIterator<Item = (PathBuf, FileSystem)>) -> Self {
        let mut storage = Self::default();
        for (path, system) in entries {
            storage.add(path, system);
        }
        storage
    }

    /// The file system that `path` lies on, or will lie on.
    pub fn of(&self, path: &Path) -> Option<&FileSystem> {
        path.ancestors()
            .find_map(|ancestor| self.by_path.get(ancestor))
            .and_then(|number| self.systems.get(*number))
    }

    fn add(&mut self, path: PathBuf, system: FileSystem) {
        let known = self.systems.iter().position(|known| known.device == system.device);
        let number = known.unwrap_or(self.systems.len());
        if known.is_none() {
            self.systems.push(system);
        }
        self.by_path.insert(path, number);
    }
}

/// Looks at the file systems behind `paths`; a path that does not exist yet counts as its nearest existing ancestor.
pub fn collect(paths: &[PathBuf]) -> Storage {
    Storage::describe(paths.iter().filter_map(|path| Some((path.clone(), look_at(path)?))))
}

fn look_at(path: &Path) -> Option<FileSystem> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let existing = existing.canonicalize().ok()?;
    let device = existing.metadata().ok()?.dev();
    let stat = rustix::fs::statvfs(&existing).ok()?;
    // The mount point is where the device changes on the way up.
    let same_device = |ancestor: &&Path| ancestor.metadata().is_ok_and(|metadata| metadata.dev() == device);
    let mount_point = existing.ancestors().take_while(same_device).last().unwrap_or(&existing).to_owned();
    Some(FileSystem {
        mount_point,
        device,
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        free_inodes: (stat.f_files > 0).then_some(stat.f_favail),
        read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
    })
}
