//! Files that are written: each gets its name when it is complete and on disk, and leaves nothing behind before that.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, OFlags, linkat};
use tempfile::TempPath;

use crate::outcome::{Explain, Failure, Outcome};
use crate::plan::folder_of;

/// A file being written for a path.
#[derive(Debug)]
pub struct Output {
    target: PathBuf,
    /// The file's name until it is done, on file systems where a file cannot be nameless.
    partial: Option<TempPath>,
    file: File,
}

impl Output {
    /// Begins a file for `target`. It has no name yet, so that even `kill -9` leaves nothing; where the file system cannot
    /// do that, it is called `.<name>.partial-…`.
    pub fn create(target: &Path) -> Outcome<Self> {
        let folder = folder_of(target);
        let failed = || format!("cannot write {}", target.display());
        if target.is_dir() {
            return Err(Failure::usage(failed()).because("it is a folder"));
        }
        let flags = i32::try_from(OFlags::TMPFILE.bits()).unwrap_or(0);
        let nameless =
            OpenOptions::new().read(true).write(true).mode(0o600).custom_flags(flags).open(&folder);
        if let Ok(file) = nameless {
            return Ok(Self { target: target.to_owned(), partial: None, file });
        }
        let (file, partial) = named(target, &folder).explain(failed)?.into_parts();
        Ok(Self { target: target.to_owned(), partial: Some(partial), file })
    }

    /// The file, to be written.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes the file durable. After that, only its name is missing.
    pub fn settle(&self) -> Outcome<()> {
        self.file.sync_all().explain(|| format!("cannot write {}", self.target.display()))
    }

    /// Makes the file durable and executable, and gives it its name; a file of that name is replaced at once.
    pub fn publish(self) -> Outcome<()> {
        self.publish_as(0o755)
    }

    /// As [`Output::publish`], with other permission bits.
    pub fn publish_as(self, mode: u32) -> Outcome<()> {
        let failed = || format!("cannot write {}", self.target.display());
        // vfat has no permission bits, and says so; the file works there all the same.
        let _ = self.file.set_permissions(fs::Permissions::from_mode(mode));
        self.settle()?;
        let folder = folder_of(&self.target);
        let partial = match self.partial {
            Some(partial) => partial,
            None => link(&self.file, &self.target, &folder).explain(failed)?,
        };
        partial.persist(&self.target).explain(failed)?;
        File::open(&folder).and_then(|folder| folder.sync_all()).explain(failed)
    }
}

/// Writes a small file that is not there yet. There is all of it or nothing: half of one would be in the way of the next attempt.
pub fn write_new(path: &Path, mode: u32, content: &[u8]) -> Outcome<()> {
    let write = || -> io::Result<()> {
        let mut file = named(path, &folder_of(path))?;
        file.write_all(content)?;
        // vfat has no permission bits, and says so.
        let _ = file.as_file().set_permissions(fs::Permissions::from_mode(mode));
        file.as_file().sync_all()?;
        file.persist_noclobber(path).map_err(|error| error.error)?;
        Ok(())
    };
    let written = write().explain(|| format!("cannot write {}", path.display()));
    written.map_err(|failure| failure.writing_to(path))
}

fn named(target: &Path, folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new().prefix(&prefix(target)).tempfile_in(folder)
}

fn prefix(target: &Path) -> String {
    format!(".{}.partial-", target.file_name().unwrap_or_default().to_string_lossy())
}

/// Gives a nameless file a temporary name: `linkat` does not replace, only `rename` does.
fn link(file: &File, target: &Path, folder: &Path) -> io::Result<TempPath> {
    let path = format!("/proc/self/fd/{}", file.as_raw_fd());
    let made = tempfile::Builder::new().prefix(&prefix(target)).make_in(folder, |name| {
        linkat(CWD, &path, CWD, name, AtFlags::SYMLINK_FOLLOW).map_err(io::Error::from)
    })?;
    Ok(made.into_temp_path())
}
