//! Collects which file systems lie behind the paths that matter, and what is free on each.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use procfs::process::{MountInfo, Process};

use super::bounded::{self, PATIENCE};

/// File systems, and which path lies on which.
#[derive(Clone, Debug, Default)]
pub struct Storage {
    systems: Vec<FileSystem>,
    by_path: BTreeMap<PathBuf, usize>,
    silent: BTreeSet<PathBuf>,
}

/// One file system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
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
    /// Mounted so that no program on it can be executed.
    pub no_exec: bool,
    /// Its type, as the kernel calls it: `ext4`, `nfs4`.
    pub kind: String,
    /// Its directories do not say of what kind their entries are (`d_type`), without which overlay does not work.
    pub lacks_d_type: bool,
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

    /// Paths whose file systems did not answer in time.
    pub fn silent(&self) -> impl Iterator<Item = &Path> {
        self.silent.iter().map(PathBuf::as_path)
    }

    /// Takes a path whose file system does not answer.
    pub fn add_silent(&mut self, path: PathBuf) {
        self.silent.insert(path);
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

/// Looks at the file systems behind `paths`; a path that does not exist yet counts as its nearest existing ancestor. A file
/// system whose server is away is given up after [`PATIENCE`].
pub fn collect(paths: &[PathBuf]) -> Storage {
    let mounts = Process::myself().and_then(|process| process.mountinfo()).map(|mounts| mounts.0);
    let mounts = std::sync::Arc::new(mounts.unwrap_or_default());
    let look = |path: &PathBuf| -> Box<dyn FnOnce() -> Option<FileSystem> + Send> {
        let (path, mounts) = (path.clone(), mounts.clone());
        Box::new(move || look_at(&path, &mounts))
    };
    let found = bounded::all(PATIENCE, paths.iter().map(look).collect());
    let mut storage = Storage::default();
    for (path, found) in paths.iter().zip(found) {
        match found {
            Some(Some(system)) => storage.add(path.clone(), system),
            Some(None) => {}
            None => storage.add_silent(path.clone()),
        }
    }
    storage
}

fn look_at(path: &Path, mounts: &[MountInfo]) -> Option<FileSystem> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists())?;
    let existing = existing.canonicalize().ok()?;
    let device = existing.metadata().ok()?.dev();
    let stat = rustix::fs::statvfs(&existing).ok()?;
    // The mount point is where the device changes on the way up.
    let same_device = |ancestor: &&Path| ancestor.metadata().is_ok_and(|metadata| metadata.dev() == device);
    let mount_point = existing.ancestors().take_while(same_device).last().unwrap_or(&existing).to_owned();
    // Of several mounts on one point the last one covers the others.
    let mounted = mounts.iter().rfind(|mount| mount.mount_point == mount_point);
    Some(FileSystem {
        lacks_d_type: existing.ancestors().take_while(same_device).find_map(lacks_d_type).unwrap_or(false),
        mount_point,
        device,
        free: stat.f_bavail.saturating_mul(stat.f_frsize),
        free_inodes: (stat.f_files > 0).then_some(stat.f_favail),
        read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
        no_exec: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC),
        kind: mounted.map(|mount| mount.fs_type.clone()).unwrap_or_default(),
    })
}

/// Whether the entries of a directory are of a kind that it does not say; nothing where it has no entries.
fn lacks_d_type(directory: &Path) -> Option<bool> {
    use rustix::fs::{Dir, FileType, Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let opened = rustix::fs::open(directory, flags, Mode::empty()).ok()?;
    let mut entries = Dir::read_from(opened).ok()?.filter_map(Result::ok);
    let is_real = |name: &std::ffi::CStr| name != c"." && name != c"..";
    entries.find(|entry| is_real(entry.file_name())).map(|entry| entry.file_type() == FileType::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_system_below_us_is_described() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let missing = folder.path().join("not/there");
        let storage = collect(&[missing.clone(), "/proc/sys".into()]);
        let system = storage.of(&missing).unwrap();
        assert!(!system.kind.is_empty() && !system.lacks_d_type && !system.no_exec, "{system:?}");
        assert_eq!(storage.of(Path::new("/proc/sys")).unwrap().kind, "proc");
        assert_eq!(storage.silent().count(), 0);
    }
}
