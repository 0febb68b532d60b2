//! Random access by path to what an image archive holds, be it a tar or a directory.
//! What the paths mean is not known here.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::image::compression;
use crate::outcome::{Explain, Failure, Outcome};
use crate::range::Range;

/// Symbolic links followed before giving up; the engine's archives have one at most.
const LINKS_MAX: usize = 8;

/// A tar or a directory.
#[derive(Debug)]
pub enum Tree {
    /// An unpacked layout.
    Directory(PathBuf),
    /// A tar and where its entries are.
    Tar {
        /// The tar itself, uncompressed.
        file: File,
        /// Its entries by path.
        entries: HashMap<String, Entry>,
        /// What to call it.
        name: String,
    },
}

/// Where an entry of a tar is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// Somewhere else in the tar.
    Link(String),
    /// At these bytes.
    Range {
        /// First byte.
        offset: u64,
        /// Length in bytes.
        len: u64,
    },
}

impl Tree {
    /// Opens a directory, or a tar that may be compressed; then a nameless copy of it is made in `spool`.
    pub fn open(path: &Path, spool: &Path) -> Outcome<Self> {
        let failed = || format!("cannot read the image archive {}", path.display());
        let metadata = fs::metadata(path).map_err(|error| match error.kind() {
            // Whoever named it is mistaken; everything else may be another time.
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Failure::usage(failed()).because(error),
            _ => Failure::new(failed()).because(error),
        })?;
        if metadata.is_dir() {
            return Ok(Self::Directory(path.to_owned()));
        }
        let file = compression::seekable(File::open(path).explain(failed)?, spool).explain(failed)?;
        Self::of_tar(file, path.display().to_string())
    }

    /// Indexes an uncompressed tar.
    pub fn of_tar(file: File, name: String) -> Outcome<Self> {
        let entries = index(&file).map_err(|error| {
            Failure::new(format!("{name} is no image archive"))
                .because(error)
                .hint("give a tar made by `docker save`, an OCI archive, or an OCI layout directory")
        })?;
        Ok(Self::Tar { file, entries, name })
    }

    /// What to call it.
    pub fn name(&self) -> String {
        match self {
            Self::Directory(path) => path.display().to_string(),
            Self::Tar { name, .. } => name.clone(),
        }
    }

    /// Whether there is a file at `path`.
    pub fn has(&self, path: &str) -> bool {
        match self {
            Self::Directory(root) => root.join(path).is_file(),
            Self::Tar { entries, .. } => find(entries, path).is_some(),
        }
    }

    /// A reader of the file at `path`, and its length.
    pub fn reader(&self, path: &str) -> Outcome<(Box<dyn Read + '_>, u64)> {
        let failed = || format!("cannot read {path} in {}", self.name());
        match self {
            Self::Directory(root) => {
                let file = File::open(root.join(path)).explain(failed)?;
                let len = file.metadata().explain(failed)?.len();
                Ok((Box::new(file), len))
            }
            Self::Tar { file, entries, .. } => {
                let (offset, len) =
                    find(entries, path).ok_or_else(|| Failure::new(failed()).because("it is not there"))?;
                Ok((Box::new(Range::new(file, offset, len)), len))
            }
        }
    }

    /// The whole file at `path`, if it has at most `limit` bytes.
    pub fn read(&self, path: &str, limit: u64) -> Outcome<Vec<u8>> {
        let (reader, len) = self.reader(path)?;
        let failed = || format!("cannot read {path} in {}", self.name());
        if len > limit {
            return Err(
                Failure::new(failed()).because(format!("it has {len} bytes, more than such a file can have"))
            );
        }
        let mut bytes = Vec::new();
        reader.take(limit).read_to_end(&mut bytes).explain(failed)?;
        Ok(bytes)
    }
}

fn index(file: &File) -> io::Result<HashMap<String, Entry>> {
    let mut archive = tar::Archive::new(file);
    let mut entries = HashMap::new();
    for entry in archive.entries_with_seek()? {
        let entry = entry?;
        let path = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let target = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        let kind = entry.header().entry_type();
        let place = match target {
            // Targets of symbolic links are relative to the link, those of hard links to the archive.
            Some(target) if kind.is_symlink() => match path.rsplit_once('/') {
                Some((parent, _)) => Entry::Link(normal(&format!("{parent}/{target}"))),
                None => Entry::Link(normal(&target)),
            },
            Some(target) if kind.is_hard_link() => Entry::Link(normal(&target)),
            _ if kind.is_file() => Entry::Range { offset: entry.raw_file_position(), len: entry.size() },
            _ => continue,
        };
        entries.insert(path, place);
    }
    if entries.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is not a tar, or an empty one"));
    }
    Ok(entries)
}

/// Resolves `.` and `..` by text alone.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn find(entries: &HashMap<String, Entry>, path: &str) -> Option<(u64, u64)> {
    let mut path = normal(path);
    for _ in 0..LINKS_MAX {
        match entries.get(&path)? {
            Entry::Link(target) => path.clone_from(target),
            Entry::Range { offset, len } => return Some((*offset, *len)),
        }
    }
    None
}

#[cfg(test)]
mod tests;
