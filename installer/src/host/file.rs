//! Files: atomic and durable writes with explicit mode and owner, so that umask and power loss make no difference.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, chown, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tempfile::NamedTempFile;

use super::fault::{self, Act};
use crate::outcome::{Failure, Outcome};
use crate::text::problem;

/// Permission bits and owner of what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// Permission bits.
    pub mode: u32,
    /// Numeric user; `None` leaves it to whoever runs.
    pub owner: Option<(u32, u32)>,
}

impl Access {
    /// For secrets: only their owner.
    pub const PRIVATE: Self = Self { mode: 0o600, owner: None };
    /// For ordinary files.
    pub const READABLE: Self = Self { mode: 0o644, owner: None };
    /// For programs.
    pub const EXECUTABLE: Self = Self { mode: 0o755, owner: None };
}

/// Writes a file so that at any moment either the old or the new content is there: temporary file beside it, content,
/// mode, fsync, rename, fsync of the directory.
///
/// # Errors
/// Names the path and the reason; nothing is left behind.
pub fn write_atomic(path: &Path, access: Access, content: &mut dyn Read) -> Outcome<()> {
    prepare(path, access, content)?.put()
}

/// The first half of [`write_atomic`]: everything but the rename. Who drops it has changed nothing.
///
/// # Errors
/// As [`write_atomic`].
pub fn prepare(path: &Path, access: Access, content: &mut dyn Read) -> Outcome<Ready> {
    prepare_at(path, path, access, content)
}

/// [`prepare`] for a file that people know by another path.
pub(super) fn prepare_at(
    path: &Path,
    shown: &Path,
    access: Access,
    content: &mut dyn Read,
) -> Outcome<Ready> {
    let mut source = Source { inner: content, has_failed: false };
    let mut attempt = || -> io::Result<NamedTempFile> {
        let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
        sweep(path);
        fault::pass(Act::Create, shown)?;
        let mut temporary = tempfile::Builder::new().prefix(&temporary_name(path)).tempfile_in(parent)?;
        // For as long as it is locked, it is not left over.
        let _ = temporary.as_file().try_lock();
        io::copy(&mut source, &mut fault::writer(shown, &mut temporary))?;
        temporary.flush()?;
        fault::pass(Act::Own, shown)?;
        apply_to(temporary.as_file(), access)?;
        fault::pass(Act::Sync, shown)?;
        temporary.as_file().sync_all()?;
        Ok(temporary)
    };
    let outcome = attempt();
    match outcome {
        Err(error) if source.has_failed => Err(Failure::midway(problem::content_not_read(&shown.display()))
            .because(&error)
            .todo(problem::check_medium())),
        Ok(temporary) => Ok(Ready { temporary, path: path.to_owned(), shown: shown.to_owned() }),
        Err(error) => Err(Failure::midway(problem::cannot_write(&shown.display())).refused(&error, shown)),
    }
}

/// What is written. Remembers whether it was this that failed: the disk that is written to is not to blame for a stick.
struct Source<'a> {
    inner: &'a mut dyn Read,
    has_failed: bool,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer);
        self.has_failed |= read.as_ref().is_err_and(|error| error.kind() != io::ErrorKind::Interrupted);
        read
    }
}

/// A file that has everything but its name.
#[derive(Debug)]
pub struct Ready {
    temporary: NamedTempFile,
    path: PathBuf,
    shown: PathBuf,
}

impl Ready {
    /// Gives it its name, in place of whatever bears it.
    ///
    /// # Errors
    /// As [`write_atomic`].
    pub fn put(self) -> Outcome<()> {
        let Self { temporary, path, shown } = self;
        let put = || -> io::Result<()> {
            fault::pass(Act::Rename, &shown)?;
            temporary.persist(&path).map_err(|error| error.error)?;
            fault::pass(Act::SyncDir, shown.parent().unwrap_or(&shown))?;
            sync_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)
        };
        put()
            .map_err(|error| Failure::midway(problem::cannot_write(&shown.display())).refused(&error, &shown))
    }
}

/// How the names of the temporary files for `path` begin.
fn temporary_name(path: &Path) -> String {
    // With room for what makes it unique: a name has at most 255 bytes.
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!(".airlift-{}.", name.chars().take(48).collect::<String>())
}

/// Removes what a run that was killed while it wrote `path` has left beside it.
pub fn sweep(path: &Path) {
    let beginning = temporary_name(path);
    let entries = path.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&beginning)) {
        // Only a file can be ours. To open a pipe might take for ever, and a link might lead to one.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let open = || File::options().read(true).custom_flags(flags.bits().cast_signed()).open(entry.path());
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && open().is_ok_and(|file| file.try_lock().is_ok()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// [`write_atomic`] for content in memory.
///
/// # Errors
/// As [`write_atomic`].
pub fn write(path: &Path, access: Access, content: &[u8]) -> Outcome<()> {
    write_atomic(path, access, &mut &*content)
}

/// [`write()`] for a file that somebody else may have put there: its mode and owner are kept, and a link stays one and its target
/// is written. `access` is for a file that is not there yet.
///
/// # Errors
/// As [`write_atomic`]; a link that leads nowhere is one.
pub fn rewrite(path: &Path, access: Access, content: &[u8]) -> Outcome<()> {
    let refused =
        |error: io::Error| Failure::midway(problem::cannot_write(&path.display())).refused(&error, path);
    if path.symlink_metadata().is_err() {
        return write(path, access, content);
    }
    let target = path.canonicalize().map_err(refused)?;
    let metadata = target.metadata().map_err(refused)?;
    let owner = Some((metadata.uid(), metadata.gid()));
    write(&target, Access { mode: metadata.mode() & 0o7777, owner }, content)
}

/// Gives a file the time of change of another one, whose content it has; where that cannot be, it keeps its own.
pub fn copy_time(from: &Path, to: &Path) {
    if let Ok(changed) = from.metadata().and_then(|metadata| metadata.modified()) {
        let _ = File::options().write(true).open(to).and_then(|file| file.set_modified(changed));
    }
}

/// Makes a directory and its parents; only what did not exist gets the mode and owner, and is returned, outermost first.
/// What somebody else makes at the same moment is theirs.
///
/// # Errors
/// Names the path and the reason.
pub fn make_dir(path: &Path, access: Access) -> Outcome<Vec<PathBuf>> {
    let missing: Vec<&Path> = path.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
    let mut made = Vec::new();
    for dir in missing.into_iter().rev() {
        let access = if dir == path { access } else { Access::EXECUTABLE };
        // With its mode from the first moment: a kill before it is applied must not leave the directory open for ever.
        let make = || {
            fault::pass(Act::Mkdir, dir)?;
            DirBuilder::new().mode(access.mode).create(dir)?;
            apply(dir, access)
        };
        match make() {
            Ok(()) => made.push(dir.to_owned()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => {}
            Err(error) => {
                return Err(
                    Failure::midway(problem::cannot_make_directory(&dir.display())).refused(&error, dir)
                );
            }
        }
    }
    Ok(made)
}

/// Sets mode and owner of something that exists.
///
/// # Errors
/// As the system says.
pub fn apply(path: &Path, access: Access) -> io::Result<()> {
    fault::pass(Act::Own, path)?;
    if let Some((uid, gid)) = access.owner {
        chown(path, Some(uid), Some(gid))?;
    }
    fs::set_permissions(path, Permissions::from_mode(access.mode))
}

/// [`apply`] for something that is open: whatever bears its name by now.
///
/// # Errors
/// As the system says.
pub(super) fn apply_to(file: &File, access: Access) -> io::Result<()> {
    if let Some((uid, gid)) = access.owner {
        fchown(file, Some(uid), Some(gid))?;
    }
    file.set_permissions(Permissions::from_mode(access.mode))
}

/// Makes the entries of a directory durable.
///
/// # Errors
/// As the system says.
pub fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Flushes the whole file system that `path` lies on, so that what an engine wrote survives a power cut.
///
/// # Errors
/// As the system says.
pub fn sync_file_system(path: &Path) -> io::Result<()> {
    let existing = path.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    fault::pass(Act::SyncFs, existing)?;
    Ok(rustix::fs::syncfs(File::open(existing)?)?)
}

/// Longest file that is read whole, in bytes; a bundle's index, the longest of ours, has at most 16 MiB.
const LEN_MAX: u64 = 32 << 20;

/// Reads a regular file whole; `None` when it does not exist. A pipe in its place would keep us waiting, and a device never end.
///
/// # Errors
/// As the system says, apart from "not found"; when it is no regular file, or too long.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let options = File::options().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path);
    let file = match options {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    if file.metadata()?.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    read_to_end(file).map(Some)
}

/// Reads what has an end, a pipe included, up to the length that a file may have.
///
/// # Errors
/// As the system says; when it is longer.
fn read_to_end(source: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(LEN_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LEN_MAX {
        return Err(io::Error::other("longer than such a file can be"));
    }
    Ok(bytes)
}

/// The text of what somebody has named on the command line: a file, or a pipe that a shell puts in its place (`<(…)`). `None` when it does
/// not exist.
///
/// # Errors
/// As the system says; when it is longer than a file can be; `InvalidData` when it is not UTF-8.
pub fn read_given(path: &Path) -> io::Result<Option<String>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        source => read_to_end(source?).and_then(text_of).map(Some),
    }
}

/// The end of a text file that may be long, as far as it is text.
pub fn read_tail(path: &Path) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|mut file| {
        let len = file.metadata()?.len();
        file.seek(io::SeekFrom::Start(len.saturating_sub(TAIL_LEN)))?;
        file.take(TAIL_LEN).read_to_end(&mut bytes)
    });
    read.map_or_else(|_| String::new(), |_| String::from_utf8_lossy(&bytes).into_owned())
}

/// As much of a log as has its last lines.
const TAIL_LEN: u64 = 64 << 10;

/// [`read`] for text.
///
/// # Errors
/// As [`read`]; `InvalidData` when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<Option<String>> {
    read(path)?.map(text_of).transpose()
}

/// The text that bytes are.
///
/// # Errors
/// `InvalidData` when they are not UTF-8.
fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let wrong = |_| io::Error::new(io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
    String::from_utf8(bytes).map_err(wrong)
}

/// Removes a file or link, and what a killed run left beside it; one that is not there is fine.
///
/// # Errors
/// Names the path and the reason.
pub fn remove(path: &Path) -> Outcome<()> {
    sweep(path);
    match fault::pass(Act::Remove, path).and_then(|()| fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::midway(problem::cannot_remove(&path.display())).refused(&error, path))
        }
        _ => Ok(()),
    }
}

/// Removes a directory with everything in it; one that is not there is fine. A directory that something is mounted on, a
/// disk of its own for the engine for instance, is emptied and stays. Where somebody has moved it and left a link, both go.
///
/// # Errors
/// Names the path and the reason.
pub fn remove_tree(path: &Path) -> Outcome<()> {
    let refused =
        |error: &io::Error| Failure::midway(problem::cannot_remove(&path.display())).refused(error, path);
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| refused(&error))?,
    };
    for entry in entries {
        remove_any(&entry.map_err(|error| refused(&error))?.path())?;
    }
    let is_link = path.is_symlink();
    let real = if is_link { path.canonicalize().map_err(|error| refused(&error))? } else { path.to_owned() };
    match fault::pass(Act::Remove, path).and_then(|()| fs::remove_dir(real)) {
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {}
        removed => removed.or_else(ignore_missing).map_err(|error| refused(&error))?,
    }
    if is_link { remove(path) } else { Ok(()) }
}

/// Removes whatever is at `path`: a file, a link, or a directory with everything in it.
///
/// # Errors
/// Names the path and the reason.
pub fn remove_any(path: &Path) -> Outcome<()> {
    let is_dir = path.symlink_metadata().is_ok_and(|metadata| metadata.is_dir());
    let remove = || if is_dir { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    let removed = fault::pass(Act::Remove, path).and_then(|()| remove());
    let refused =
        |error: io::Error| Failure::midway(problem::cannot_remove(&path.display())).refused(&error, path);
    removed.or_else(ignore_missing).map_err(refused)
}

pub(super) fn ignore_missing(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

/// Removes a directory if it is empty.
pub fn remove_dir_if_empty(path: &Path) {
    // Not empty, not there, not ours to remove: all fine.
    let _ = fs::remove_dir(path);
}

/// Makes `link` point to `target`, replacing an older link of ours but nothing else.
///
/// # Errors
/// When something that is no link is in the way, or the system refuses.
pub fn link(link: &Path, target: &Path) -> Outcome<()> {
    let refused =
        |error: io::Error| Failure::midway(problem::cannot_write(&link.display())).refused(&error, link);
    match fs::read_link(link) {
        Ok(existing) if existing == target => return Ok(()),
        Ok(_) => remove(link)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refused(error)),
    }
    fault::pass(Act::Link, link).and_then(|()| std::os::unix::fs::symlink(target, link)).map_err(refused)
}

/// Opens a log for appending, mode 0600.
///
/// # Errors
/// As the system says.
pub fn append_private(path: &Path) -> io::Result<File> {
    fault::pass(Act::Open, path)?;
    // Neither through a link to somebody else's file, nor into a pipe that nobody reads.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut options = File::options();
    let file = options.create(true).append(true).mode(Access::PRIVATE.mode).custom_flags(flags).open(path)?;
    // One that was there may have been made otherwise.
    apply(path, Access::PRIVATE)?;
    Ok(file)
}

#[cfg(test)]
mod tests;
