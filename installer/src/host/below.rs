//! Files below the project directory. What lies in its directories may be a container's, whose user can put a link where a
//! folder was, at any moment. So the way there is opened folder by folder, no link is followed, and whatever is done is done
//! in the folder that is open: between the look and the change there is no second way to the same place.
//!
//! `openat2` would do the same in one call from Linux 5.6 on; this does it everywhere.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, renameat, statat, unlinkat};

use super::fault::{self, Act};
use super::file::{self, Access, ignore_missing};
use crate::outcome::{Failure, Outcome};
use crate::text::problem;

/// A folder is opened as such or not at all.
const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// The project directory, or one below it, held open.
#[derive(Debug)]
pub struct Folder {
    file: File,
    /// What people know it by.
    path: PathBuf,
    /// It is the project directory itself: only the operator puts links there, to a larger disk, say, and they are followed.
    is_project: bool,
}

impl Folder {
    /// Opens a project directory.
    ///
    /// # Errors
    /// As the system says.
    pub fn open(project: &Path) -> io::Result<Self> {
        let file = File::from(rustix::fs::open(project, FOLDER, Mode::empty())?);
        Ok(Self { file, path: project.to_owned(), is_project: true })
    }

    /// The folder at `below`; those that are missing on the way are made for all to read, the last one with `access`. What was
    /// there stays as it is.
    ///
    /// # Errors
    /// Names what is in the way.
    pub fn make(&self, below: &Path, access: Access) -> Outcome<Self> {
        let mut folder = self.again().map_err(|error| cannot_make(&self.path, &error))?;
        let mut names = plain_names(below).peekable();
        while let Some(name) = names.next() {
            let access = if names.peek().is_none() { access } else { Access::EXECUTABLE };
            let next = folder.make_one(name, access);
            folder = next.map_err(|error| folder.refused(name, &error))?;
        }
        Ok(folder)
    }

    fn make_one(&self, name: &OsStr, access: Access) -> io::Result<Self> {
        // With its mode from the first moment: a kill before it is applied must not leave it open for ever.
        match self.make_folder(name, access) {
            Ok(()) => {
                let made = self.enter(name)?;
                made.apply(access)?;
                Ok(made)
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.enter(name),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self, name: &OsStr, access: Access) -> io::Result<()> {
        // One that is there is the usual case, and no act.
        if statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW).is_err() {
            fault::pass(Act::Mkdir, &self.path.join(name))?;
        }
        Ok(mkdirat(&self.file, name, Mode::from_raw_mode(access.mode))?)
    }

    /// Sets its mode and owner.
    ///
    /// # Errors
    /// As the system says.
    pub fn apply(&self, access: Access) -> io::Result<()> {
        fault::pass(Act::Own, &self.path)?;
        file::apply_to(&self.file, access)
    }

    /// Writes a file in it, as [`file::write`] does.
    ///
    /// # Errors
    /// As [`file::write`].
    pub fn write(&self, name: &OsStr, access: Access, content: &[u8]) -> Outcome<()> {
        file::prepare_at(&self.place(name), &self.path.join(name), access, &mut &*content)?.put()
    }

    /// Whether the file at `below` is a file, and holds just this. A longer one is not read to its end.
    pub fn holds(&self, below: &Path, wanted: &[u8]) -> bool {
        self.read(below, wanted.len() as u64).is_ok_and(|found| found == wanted)
    }

    /// What the file at `below` holds, up to one byte more than `limit`.
    ///
    /// # Errors
    /// When there is none, or something else, or a link in the way.
    pub fn read(&self, below: &Path, limit: u64) -> io::Result<Vec<u8>> {
        let (parent, name) = self.parent(below)?;
        let links = if parent.is_project { OFlags::empty() } else { OFlags::NOFOLLOW };
        // Whoever put a pipe there would let us wait for ever.
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | links;
        let file = File::from(openat(&parent.file, name, flags, Mode::empty())?);
        if !file.metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let mut bytes = Vec::new();
        file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether there is a folder at `below`.
    pub fn has(&self, below: &Path) -> bool {
        self.find(below).is_ok()
    }

    /// Removes the file at `below`, as [`file::remove`] does. Behind a link nothing is ours.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn remove(&self, below: &Path) -> Outcome<()> {
        let Ok((parent, name)) = self.parent(below) else { return Ok(()) };
        file::sweep(&parent.place(name));
        let path = self.path.join(below);
        fault::pass(Act::Remove, &path)
            .and_then(|()| Ok(unlinkat(&parent.file, name, AtFlags::empty())?))
            .or_else(ignore_missing)
            .map_err(|error| Failure::midway(problem::cannot_remove(&path.display())).refused(&error, &path))
    }

    /// Removes the folder at `below` if it is empty.
    pub fn remove_if_empty(&self, below: &Path) {
        if let Ok((parent, name)) = self.parent(below) {
            // Not empty, not there, not ours to remove: all fine.
            let _ = unlinkat(&parent.file, name, AtFlags::REMOVEDIR);
        }
    }

    /// Moves what somebody else has put here under that name aside, to the same name with `.before-airlift` behind it; nothing
    /// there is fine.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn set_aside(&self, name: &OsStr) -> Outcome<()> {
        let mut aside = name.to_owned();
        aside.push(".before-airlift");
        let path = self.path.join(&aside);
        fault::pass(Act::Rename, &path)
            .and_then(|()| Ok(renameat(&self.file, name, &self.file, &aside)?))
            .or_else(ignore_missing)
            .map_err(|error| Failure::midway(problem::cannot_write(&path.display())).refused(&error, &path))
    }

    fn again(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, path: self.path.clone(), is_project: self.is_project })
    }

    fn enter(&self, name: &OsStr) -> io::Result<Self> {
        let links = if self.is_project { OFlags::empty() } else { OFlags::NOFOLLOW };
        let file = File::from(openat(&self.file, name, FOLDER | links, Mode::empty())?);
        Ok(Self { file, path: self.path.join(name), is_project: false })
    }

    fn find(&self, below: &Path) -> io::Result<Self> {
        plain_names(below).try_fold(self.again()?, |folder, name| folder.enter(name))
    }

    fn parent<'p>(&self, below: &'p Path) -> io::Result<(Self, &'p OsStr)> {
        let name = below.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok((self.find(below.parent().unwrap_or(Path::new("")))?, name))
    }

    /// A path that leads to `name` in this very folder, whatever bears the folder's name by now.
    fn place(&self, name: &OsStr) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd())).join(name)
    }

    /// Why a folder could not be entered or made: a link that is in the way is named as such.
    fn refused(&self, name: &OsStr, error: &io::Error) -> Box<Failure> {
        let path = self.path.join(name);
        let found = statat(&self.file, name, AtFlags::SYMLINK_NOFOLLOW);
        let is_link = found.is_ok_and(|found| FileType::from_raw_mode(found.st_mode) == FileType::Symlink);
        if is_link && !self.is_project {
            return Failure::midway(problem::link_in_the_way(&path.display()))
                .todo(problem::remove_link_in_the_way());
        }
        cannot_make(&path, error)
    }
}

fn cannot_make(path: &Path, error: &io::Error) -> Box<Failure> {
    Failure::midway(problem::cannot_make_directory(&path.display())).refused(error, path)
}

/// The names on the way; a path that leads upwards has none, and no bundle has one.
fn plain_names(below: &Path) -> impl Iterator<Item = &OsStr> {
    below.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
