//! Everything in a layer but the content of files: directories, links, devices, whiteouts. One thread, in the order of the
//! tar; links to files and times of directories come last, when all files are there.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Uid, XattrFlags};
use rustix::io::Errno;

use super::{Item, Kind, Meta, TarPath, Target, UnpackError};

/// An open directory that files are made in.
pub type Parent = Arc<OwnedFd>;

const OPAQUE: &str = "trusted.overlay.opaque";

/// The directory that a layer is unpacked into.
#[derive(Debug)]
pub struct Tree<'a> {
    root: Parent,
    lowers: &'a [PathBuf],
    /// The directories on the way to where the last entry was, outermost first: entries come directory by directory.
    way: Vec<(Vec<u8>, Parent)>,
    links: Vec<(TarPath, TarPath)>,
    times: Vec<(TarPath, Meta)>,
}

impl<'a> Tree<'a> {
    /// Opens the directory.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(target: Target<'a>) -> Result<Self, UnpackError> {
        let root = fs::open(target.dir, DIRECTORY, Mode::empty());
        let root = Arc::new(root.map_err(|error| UnpackError::io(b"/", error))?);
        Ok(Self { root, lowers: target.lowers, way: Vec::new(), links: Vec::new(), times: Vec::new() })
    }

    /// The directory that `path` lies in; it is made if the tar did not bring it.
    ///
    /// # Errors
    /// When it cannot be made, or something on the way is no directory.
    pub fn parent(&mut self, path: &TarPath) -> Result<Parent, UnpackError> {
        match path.split() {
            Some((parents, _)) => self.walk(parents),
            None => Err(UnpackError::unsupported(b"/", "replaces the whole layer")),
        }
    }

    /// Makes one thing that is not a regular file.
    ///
    /// # Errors
    /// When the system refuses, or it is something that is left to the engine.
    pub fn add(&mut self, item: Item) -> Result<(), UnpackError> {
        if item.kind == Kind::Directory {
            return self.add_directory(item);
        }
        if item.kind == Kind::Opaque {
            let dir = self.walk(item.path.names())?;
            if self.lowers.is_empty() {
                return Ok(());
            }
            let set = fs::fsetxattr(&dir, OPAQUE, b"y", XattrFlags::empty());
            return set.map_err(|error| UnpackError::io(&item.path.bytes(), error));
        }
        let parent = self.parent(&item.path)?;
        let path = item.path.bytes();
        let name = name(&item.path)?;
        match item.kind {
            Kind::Symlink(target) => {
                made(&path, fs::symlinkat(&target, &*parent, &name))?;
            }
            Kind::HardLink(target) => {
                self.links.push((target, item.path));
                return Ok(());
            }
            Kind::Node(kind, major, minor) => {
                let device = fs::makedev(major, minor);
                made(&path, fs::mknodat(&*parent, &name, kind, Mode::from_raw_mode(0o600), device))?;
                fs::chmodat(&*parent, &name, Mode::from_raw_mode(item.meta.mode), AtFlags::empty())
                    .map_err(|error| UnpackError::io(&path, error))?;
            }
            Kind::Whiteout => {
                // Nothing lies below the lowest layer.
                if !self.lowers.is_empty() {
                    let kind = FileType::CharacterDevice;
                    made(&path, fs::mknodat(&*parent, &name, kind, Mode::empty(), 0))?;
                }
                return Ok(());
            }
            Kind::Directory | Kind::File | Kind::Opaque => {}
        }
        finish_name(&parent, &name, &item.meta).map_err(|error| UnpackError::io(&path, error))
    }

    /// Makes the links between files, and sets the times of directories, which making files in them has changed.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn finish(mut self) -> Result<(), UnpackError> {
        for (target, path) in std::mem::take(&mut self.links) {
            let from = self.existing(&target)?;
            let to = self.parent(&path)?;
            let linked = fs::linkat(&*from, name(&target)?, &*to, name(&path)?, AtFlags::empty());
            made(&path.bytes(), linked)?;
        }
        for (path, meta) in &self.times {
            let bytes = path.bytes();
            let shown = if bytes.is_empty() { &b"."[..] } else { &bytes };
            fs::utimensat(&*self.root, shown, &meta.times(), AtFlags::SYMLINK_NOFOLLOW)
                .map_err(|error| UnpackError::io(&bytes, error))?;
        }
        Ok(())
    }

    fn add_directory(&mut self, item: Item) -> Result<(), UnpackError> {
        let path = item.path.bytes();
        let failed = |error: Errno| UnpackError::io(&path, error);
        let dir = match item.path.split() {
            None => Arc::clone(&self.root),
            Some((parents, _)) => {
                let parent = self.walk(parents)?;
                let name = name(&item.path)?;
                match fs::mkdirat(&*parent, &name, Mode::from_raw_mode(0o755)) {
                    Ok(()) | Err(Errno::EXIST) => {}
                    Err(error) => return Err(failed(error)),
                }
                let dir = Arc::new(open_in(&parent, &name, &path)?);
                self.way.push((name.into_bytes(), Arc::clone(&dir)));
                dir
            }
        };
        apply(&dir, &item.meta, true).map_err(failed)?;
        self.times.push((item.path, item.meta));
        Ok(())
    }

    /// Opens a directory, name by name; one that is missing is made after its likeness in the layers below.
    fn walk(&mut self, names: &[Vec<u8>]) -> Result<Parent, UnpackError> {
        let common = self.way.iter().zip(names).take_while(|((known, _), name)| known == *name).count();
        self.way.truncate(common);
        for depth in common..names.len() {
            let parent = Arc::clone(self.way.last().map_or(&self.root, |(_, dir)| dir));
            let path = names[..=depth].join(&b'/');
            let name = c_string(&names[depth], &path)?;
            let dir = match open_in(&parent, &name, &path) {
                Err(UnpackError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                    self.make_missing(&parent, &name, &path)?
                }
                opened => opened?,
            };
            self.way.push((name.into_bytes(), Arc::new(dir)));
        }
        Ok(Arc::clone(self.way.last().map_or(&self.root, |(_, dir)| dir)))
    }

    /// A directory that the tar uses and does not bring: in a stacked view it must look as it does in the layers below.
    fn make_missing(&self, parent: &OwnedFd, name: &CString, path: &[u8]) -> Result<OwnedFd, UnpackError> {
        let failed = |error: Errno| UnpackError::io(path, error);
        fs::mkdirat(parent, name, Mode::from_raw_mode(0o755)).map_err(failed)?;
        let dir = open_in(parent, name, path)?;
        for lower in self.lowers {
            let Some(likeness) = open_below(lower, path)? else { continue };
            let stat = fs::fstat(&likeness).map_err(failed)?;
            fs::fchown(&dir, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))
                .map_err(failed)?;
            fs::fchmod(&dir, Mode::from_raw_mode(stat.st_mode & 0o7777)).map_err(failed)?;
            copy_xattrs(&likeness, &dir).map_err(failed)?;
            break;
        }
        Ok(dir)
    }

    /// The directory of something that must be there already.
    fn existing(&self, path: &TarPath) -> Result<Parent, UnpackError> {
        let mut dir = Arc::clone(&self.root);
        let Some((parents, _)) = path.split() else {
            return Err(UnpackError::unsupported(b"/", "a link to the whole layer"));
        };
        for name in parents {
            dir = Arc::new(open_in(&dir, &c_string(name, &path.bytes())?, &path.bytes())?);
        }
        Ok(dir)
    }
}

const DIRECTORY: OFlags =
    OFlags::DIRECTORY.union(OFlags::RDONLY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn open_in(parent: &OwnedFd, name: &CString, path: &[u8]) -> Result<OwnedFd, UnpackError> {
    match fs::openat(parent, name, DIRECTORY, Mode::empty()) {
        Ok(dir) => Ok(dir),
        Err(Errno::NOTDIR | Errno::LOOP) => {
            Err(UnpackError::unsupported(path, "lies behind something that is no directory"))
        }
        Err(error) => Err(UnpackError::io(path, error)),
    }
}

/// The directory of that path in a layer below, if that layer has one.
fn open_below(lower: &std::path::Path, path: &[u8]) -> Result<Option<OwnedFd>, UnpackError> {
    let mut dir = fs::open(lower, DIRECTORY, Mode::empty()).map_err(|error| UnpackError::io(path, error))?;
    for name in path.split(|byte| *byte == b'/') {
        match fs::openat(&dir, c_string(name, path)?, DIRECTORY, Mode::empty()) {
            Ok(next) => dir = next,
            Err(Errno::NOENT) => return Ok(None),
            Err(Errno::NOTDIR | Errno::LOOP) => {
                return Err(UnpackError::unsupported(path, "lies behind something that is no directory"));
            }
            Err(error) => return Err(UnpackError::io(path, error)),
        }
    }
    Ok(Some(dir))
}

fn copy_xattrs(from: &OwnedFd, to: &OwnedFd) -> Result<(), Errno> {
    let mut names = vec![0; 64 << 10];
    let len = match fs::flistxattr(from, &mut names[..]) {
        Err(Errno::NOTSUP) => return Ok(()),
        len => len?,
    };
    for name in names[..len].split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        // What the overlay keeps there concerns that one directory.
        if name.starts_with(b"trusted.overlay.") {
            continue;
        }
        let mut value = vec![0; 64 << 10];
        let len = fs::fgetxattr(from, name, &mut value[..])?;
        fs::fsetxattr(to, name, &value[..len], XattrFlags::empty())?;
    }
    Ok(())
}

fn name(path: &TarPath) -> Result<CString, UnpackError> {
    let bytes = path.bytes();
    match path.split() {
        Some((_, name)) => c_string(name, &bytes),
        None => Err(UnpackError::unsupported(b"/", "replaces the whole layer")),
    }
}

fn c_string(name: &[u8], path: &[u8]) -> Result<CString, UnpackError> {
    CString::new(name).map_err(|error| UnpackError::io(path, error))
}

/// A second entry for a path would have to replace the first: the engine may.
fn made(path: &[u8], result: Result<(), Errno>) -> Result<(), UnpackError> {
    match result {
        Err(Errno::EXIST) => Err(UnpackError::unsupported(path, "occurs twice")),
        result => result.map_err(|error| UnpackError::io(path, error)),
    }
}

/// Owner, mode and attributes of something open; in this order, since a new owner clears set-id bits and capabilities.
///
/// Each of these is a transaction of the file system's journal, so what is as it should be is left: `needs_mode` says
/// whether the mode may differ.
pub(super) fn apply(file: &OwnedFd, meta: &Meta, needs_mode: bool) -> Result<(), Errno> {
    let stat = fs::fstat(file)?;
    if (stat.st_uid, stat.st_gid) != (meta.uid, meta.gid) {
        fs::fchown(file, Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)))?;
    }
    if needs_mode {
        fs::fchmod(file, Mode::from_raw_mode(meta.mode))?;
    }
    for (name, value) in &meta.xattrs {
        match fs::fsetxattr(file, name, value, XattrFlags::empty()) {
            // A file system without such attributes: the engine leaves them out, too.
            Ok(()) | Err(Errno::NOTSUP) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Owner and time of a link or a node, by name.
fn finish_name(parent: &OwnedFd, name: &CString, meta: &Meta) -> Result<(), Errno> {
    let (uid, gid) = (Some(Uid::from_raw(meta.uid)), Some(Gid::from_raw(meta.gid)));
    fs::chownat(parent, name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)?;
    fs::utimensat(parent, name, &meta.times(), AtFlags::SYMLINK_NOFOLLOW)
}
