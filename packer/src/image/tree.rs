//! Random access by path to what an image archive holds, be it a tar or a directory.
//! What the paths mean is not known here.

use std::error::Error;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::image::compression;
use crate::image::tar_index::{self, Index, Unreadable};
use crate::outcome::{Explain, Failure, Outcome};
use crate::range::Range;

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
        index: Index,
        /// What to call it.
        name: String,
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
        let name = path.display().to_string();
        if metadata.len() == 0 {
            return Err(cut_off(&name, "it is empty"));
        }
        let file = compression::seekable(File::open(path).explain(failed)?, spool).map_err(|error| {
            match error.kind() {
                io::ErrorKind::UnexpectedEof => cut_off(&name, error),
                _ => Failure::new(failed()).because(error),
            }
        })?;
        Self::of_tar(file, name)
    }

    /// Indexes an uncompressed tar.
    pub fn of_tar(file: File, name: String) -> Outcome<Self> {
        let index = tar_index::of(&file).map_err(|error| match error {
            Unreadable::CutOff(reason) => cut_off(&name, reason),
            Unreadable::NoTar(error) => Failure::new(format!("{name} is no image archive"))
                .because(error)
                .hint("give a tar made by `docker save`, an OCI archive, or an OCI layout directory"),
        })?;
        Ok(Self::Tar { file, index, name })
    }

    /// What is wrong if something is looked for in vain that every image archive has: one without an end was cut off, exactly
    /// between two of its entries.
    pub fn lacking(&self, otherwise: Failure) -> Failure {
        match self {
            Self::Tar { index, name, .. } if !index.has_end => {
                cut_off(name, format!("{otherwise}, and the mark at its end is missing"))
            }
            _ => otherwise,
        }
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
            Self::Tar { index, .. } => index.find(path).is_some(),
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
            Self::Tar { file, index, .. } => {
                let missing = || self.lacking(Failure::new(failed()).because("it is not there"));
                let (offset, len) = index.find(path).ok_or_else(missing)?;
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

/// An archive that has a beginning and no end.
fn cut_off(name: &str, reason: impl Into<Box<dyn Error + Send + Sync>>) -> Failure {
    Failure::damaged(format!("the image archive {name} ends too early"))
        .because(reason)
        .hint("it was cut off while it was saved or copied: copy it again, or save the image again")
}

#[cfg(test)]
mod tests;
