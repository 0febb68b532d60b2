//! A layer as zstd frames one after the other, none longer than the window: whoever decompresses such a frame never has to move
//! its window on. What one frame looks like is `Effort`'s matter.

use std::io::{self, Write};

use super::Effort;

/// Writes `len` bytes as frames of at most 2^`frame_log` bytes each.
///
/// Engines decompress with a library that keeps the window and a mebibyte more in memory, and moves the whole window down each time
/// that mebibyte is full (klauspost/compress `zstd/history.go`, `append`). With a window of 128 MiB over a layer of 900 MB that is
/// a hundred gigabytes moved. A frame that fits into its own window is never moved, and costs half a per cent of size.
pub struct Frames<'a, W: Write> {
    effort: Effort,
    frame_log: u32,
    encoder: Option<zstd::Encoder<'a, W>>,
    /// Bytes that the frame under way still takes.
    room: u64,
    /// Bytes that come in frames after it.
    rest: u64,
}

impl<W: Write> Frames<'_, W> {
    pub fn new(effort: Effort, sink: W, len: u64, frame_log: u32) -> io::Result<Self> {
        let mut frames = Self { effort, frame_log, encoder: None, room: 0, rest: len };
        frames.begin(sink)?;
        Ok(frames)
    }

    fn begin(&mut self, sink: W) -> io::Result<()> {
        self.room = self.rest.min(1 << self.frame_log);
        self.rest -= self.room;
        self.encoder = Some(self.effort.encoder(sink, self.room, self.frame_log)?);
        Ok(())
    }

    /// Ends the last frame; an error when fewer bytes came than were announced.
    pub fn finish(mut self) -> io::Result<W> {
        if self.rest > 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "less came than was announced"));
        }
        self.encoder.take().ok_or_else(broken)?.finish()
    }
}

impl<W: Write> Write for Frames<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.room == 0 && self.rest > 0 {
            let sink = self.encoder.take().ok_or_else(broken)?.finish()?;
            self.begin(sink)?;
        }
        // What comes beyond the announced end is for the encoder to refuse.
        let len = if self.room == 0 { buffer.len() } else { buffer.len().min(cut(self.room)) };
        let len = self.encoder.as_mut().ok_or_else(broken)?.write(&buffer[..len])?;
        self.room = self.room.saturating_sub(len as u64);
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.as_mut().ok_or_else(broken)?.flush()
    }
}

fn cut(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// An earlier error has taken the sink away.
fn broken() -> io::Error {
    io::Error::other("writing failed before")
}
