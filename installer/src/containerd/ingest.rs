//! A blob in the file that containerd has made for it. containerd takes a blob message by message, which costs it as much again as
//! all else that it has to do; what already lies in the file of a write that is taken up again, it reads and hashes there
//! (`content.Writer`: a reference that is written already is resumed). So it makes the file, we fill it, and it takes the write up
//! again to end it under its digest, which it compares as ever.
//!
//! Where such files lie has been the same since containerd 1.0, but nobody has promised it. One that is not where it should be is
//! not looked for any longer: the blob is sent in messages then (`content`).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

/// Longest name of a write that is read.
const NAME_MAX: u64 = 4096;

/// The file of a blob that is being written.
#[derive(Debug)]
pub(super) struct IngestFile {
    file: File,
    path: PathBuf,
    len: u64,
    failed: Option<io::Error>,
}

impl IngestFile {
    /// The file that containerd has made for a write, if it is empty and where it is expected.
    pub(super) fn find(ingests: &Path, reference: &str) -> Option<Self> {
        let folders = fs::read_dir(ingests).ok()?;
        let folder = folders.flatten().find(|folder| is_for(&folder.path(), reference))?;
        let path = folder.path().join("data");
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = OpenOptions::new().write(true).custom_flags(flags).open(&path).ok()?;
        let is_empty = file.metadata().is_ok_and(|data| data.is_file() && data.len() == 0);
        is_empty.then_some(Self { file, path, len: 0, failed: None })
    }

    /// Adds a piece. `false` when that failed, now or before.
    pub(super) fn add(&mut self, piece: &[u8]) -> bool {
        if self.failed.is_none() {
            self.failed = self.file.write_all(piece).err();
            self.len += piece.len() as u64;
        }
        self.failed.is_none()
    }

    /// Bytes that are in it.
    ///
    /// # Errors
    /// The first one there was, with the file's path.
    pub(super) fn finish(self) -> Result<u64, (PathBuf, io::Error)> {
        match self.failed {
            Some(error) => Err((self.path, error)),
            None => Ok(self.len),
        }
    }
}

/// Whether a write has this name. containerd puts the namespace and a number before it.
fn is_for(folder: &Path, reference: &str) -> bool {
    let mut name = String::new();
    let read = File::open(folder.join("ref")).and_then(|file| file.take(NAME_MAX).read_to_string(&mut name));
    read.is_ok() && name.trim_end().rsplit('/').next() == Some(reference)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ingest(root: &Path, folder: &str, name: &str, data: &[u8]) {
        let folder = root.join(folder);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("ref"), name).unwrap();
        fs::write(folder.join("data"), data).unwrap();
    }

    #[test]
    fn only_an_empty_file_of_that_write_is_filled() {
        let root = tempfile::tempdir().unwrap();
        ingest(root.path(), "a", "moby/7/airlift-shop-0011", b"");
        ingest(root.path(), "b", "moby/8/airlift-shop-00112", b"");
        ingest(root.path(), "c", "moby/9/airlift-shop-22", b"theirs");
        fs::create_dir(root.path().join("d")).unwrap();
        let mut file = IngestFile::find(root.path(), "airlift-shop-0011").unwrap();
        assert!(file.add(b"some ") && file.add(b"bytes"));
        assert_eq!(file.finish().unwrap(), 10);
        assert_eq!(fs::read(root.path().join("a/data")).unwrap(), b"some bytes");
        assert!(IngestFile::find(root.path(), "airlift-shop-22").is_none(), "not empty");
        assert!(IngestFile::find(root.path(), "shop-0011").is_none());
        assert!(IngestFile::find(&root.path().join("none"), "airlift-shop-0011").is_none());
    }

    #[test]
    fn nothing_is_written_through_a_link_or_into_what_is_no_file() {
        let root = tempfile::tempdir().unwrap();
        for (folder, name) in [("a", "moby/1/one"), ("b", "moby/2/two")] {
            fs::create_dir(root.path().join(folder)).unwrap();
            fs::write(root.path().join(folder).join("ref"), name).unwrap();
        }
        let other = root.path().join("other");
        fs::write(&other, b"").unwrap();
        std::os::unix::fs::symlink(&other, root.path().join("a/data")).unwrap();
        fs::create_dir(root.path().join("b/data")).unwrap();
        assert!(IngestFile::find(root.path(), "one").is_none());
        assert!(IngestFile::find(root.path(), "two").is_none());
    }

    /// A disk that gets full was to be told as that, whoever writes.
    #[test]
    fn the_first_error_is_kept() {
        let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut file = IngestFile { file, path: "/dev/full".into(), len: 0, failed: None };
        assert!(!file.add(b"x") && !file.add(b"y"));
        let (path, error) = file.finish().unwrap_err();
        assert_eq!((path.to_str().unwrap(), error.kind()), ("/dev/full", io::ErrorKind::StorageFull));
    }
}
