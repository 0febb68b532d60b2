//! A part of a file as a reader of its own.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Reads some bytes of a file without moving the file's cursor, so that several readers can share it.
#[derive(Debug)]
pub struct Range<'a> {
    file: &'a File,
    position: u64,
    end: u64,
}

impl<'a> Range<'a> {
    /// The `len` bytes from `offset`.
    pub fn new(file: &'a File, offset: u64, len: u64) -> Self {
        Self { file, position: offset, end: offset.saturating_add(len) }
    }
}

impl Read for Range<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
        let want = left.min(buffer.len());
        if want == 0 {
            return Ok(0);
        }
        match self.file.read_at(&mut buffer[..want], self.position)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => {
                self.position += count as u64;
                Ok(count)
            }
        }
    }
}
