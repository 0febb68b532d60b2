//! Unpacks the tar of a layer into a directory, in the form in which an overlay file system takes it as one of its layers:
//! whiteouts become 0/0 character devices, opaque directories an extended attribute.
//!
//! The counterpart of containerd's `archive.Apply` on an `upperdir`, with the files of one layer written by several threads.
//! What no image builder makes (two entries for one path, a path through a symbolic link, sparse files) is refused as
//! [`UnpackError::Unsupported`], and the engine is left to do it. No symbolic link is ever followed, so nothing can be
//! written outside of the directory.
//!
//! Not here: where the directory comes from and what it becomes (`load`), decompression, digests.

use std::io::Read;
use std::path::{Path, PathBuf};

mod entry;
mod tree;
mod writers;

pub use entry::{Item, Kind, Meta, TarPath};

/// Pieces in which the content of files is handed to the threads that write it.
const PIECE: usize = 256 << 10;

/// Why a layer was not unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The system refused.
    #[error("`{path}` in the layer")]
    Io {
        /// Path within the layer, tamed for display.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The tar cannot be read.
    #[error("the layer's tar cannot be read")]
    Tar(#[source] std::io::Error),
    /// Something that is left to the engine.
    #[error("`{path}` in the layer: {what}")]
    Unsupported {
        /// Path within the layer, tamed for display.
        path: String,
        /// What it is.
        what: &'static str,
    },
}

impl UnpackError {
    fn io(path: &[u8], source: impl Into<std::io::Error>) -> Self {
        Self::Io { path: show(path), source: source.into() }
    }

    fn unsupported(path: &[u8], what: &'static str) -> Self {
        Self::Unsupported { path: show(path), what }
    }

    /// Whether the file system is full: the one error that no other way of unpacking mends.
    pub fn is_disk_full(&self) -> bool {
        let full = |error: &std::io::Error| {
            matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
        };
        matches!(self, Self::Io { source, .. } if full(source))
    }
}

fn show(path: &[u8]) -> String {
    bundle_spec::text::tame(&String::from_utf8_lossy(path))
}

/// Where a layer goes.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// An empty directory that exists.
    pub dir: &'a Path,
    /// The directories of the layers below, nearest first: directories that the tar does not mention take after them.
    pub lowers: &'a [PathBuf],
}

/// Unpacks `tar` with `threads` threads writing files beside the one that reads.
///
/// # Errors
/// The first thing that went wrong. What was written by then stays; whoever made the directory removes it.
pub fn layer(tar: impl Read, target: Target<'_>, threads: usize) -> Result<(), UnpackError> {
    std::thread::scope(|scope| {
        let mut writers = writers::Writers::start(scope, threads);
        let mut tree = tree::Tree::open(target)?;
        let mut archive = tar::Archive::new(tar);
        for entry in archive.entries().map_err(UnpackError::Tar)? {
            let mut entry = entry.map_err(UnpackError::Tar)?;
            let Some(item) = entry::read(&mut entry)? else { continue };
            if item.kind == Kind::File {
                let parent = tree.parent(&item.path)?;
                write_file(&mut entry, item, parent, &mut writers)?;
            } else {
                tree.add(item)?;
            }
            if writers.have_failed() {
                break;
            }
        }
        writers.finish()?;
        tree.finish()
    })
}

fn write_file(
    content: &mut impl Read,
    item: Item,
    parent: tree::Parent,
    writers: &mut writers::Writers<'_>,
) -> Result<(), UnpackError> {
    let mut left = item.len;
    let queue = writers.choose(&parent);
    let mut file = Some(writers::NewFile { parent, path: item.path, meta: item.meta });
    loop {
        let len = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
        let mut data = vec![0; len];
        content.read_exact(&mut data).map_err(UnpackError::Tar)?;
        left -= len as u64;
        writers.send(queue, writers::Job { file: file.take(), data, is_last: left == 0 });
        if left == 0 || writers.have_failed() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests;
