//! One layer on its way into a bundle: decompressed, hashed, counted and compressed again in one pass and bounded memory.

use std::io::{self, Read, Write};

use bundle_spec::digest::{Digest, Hasher};
use bundle_spec::limits::WINDOW_LOG_MAX;

use crate::event::{Emit, Event};
use crate::image::compression::{Compression, decompressed};

use frames::Frames;

/// How layers are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// zstd level.
    pub level: i32,
    /// Worker threads, at least 1. Their number does not change the result, only whether there are any does.
    pub threads: u32,
}

impl Effort {
    /// As many threads as `wanted`, but no more than fit into 1 GB at that level: each keeps tables and a job of its own.
    #[must_use]
    pub fn new(level: i32, wanted: u32) -> Self {
        let most = match level {
            ..=9 => 12,
            10..=12 => 6,
            13..=15 => 4,
            16..=19 => 3,
            _ => 1,
        };
        Self { level, threads: wanted.clamp(1, most) }
    }

    /// An encoder for `len` bytes with a window of at most 2^`window_log_max`.
    pub fn encoder<'a, W: Write>(
        self,
        sink: W,
        len: u64,
        window_log_max: u32,
    ) -> io::Result<zstd::Encoder<'a, W>> {
        let mut encoder = zstd::Encoder::new(sink, self.level)?;
        // A window larger than the content would make readers reserve memory for nothing.
        let content_log = 64 - len.saturating_sub(1).leading_zeros();
        encoder.window_log(content_log.clamp(10, window_log_max))?;
        encoder.long_distance_matching(true)?;
        encoder.include_checksum(true)?;
        encoder.set_pledged_src_size(Some(len))?;
        encoder.multithread(self.threads)?;
        Ok(encoder)
    }
}

/// What was learnt about a layer while it passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Its length in bytes.
    pub tar_len: u64,
    /// Bytes of file content.
    pub unpacked_len: u64,
    /// Files, directories and links.
    pub entries: u64,
}

/// The length of a layer's uncompressed tar: zstd frames that say it decompress with less memory, and in advance it is
/// known only for layers that are stored plain.
pub fn tar_len(stored: impl Read, stored_len: u64) -> io::Result<u64> {
    match decompressed(stored)? {
        (Compression::Plain, _) => Ok(stored_len),
        (_, mut plain) => io::copy(&mut plain, &mut io::sink()),
    }
}

/// Copies one layer from `stored` to `sink`. `len` is its uncompressed length.
pub fn copy(
    stored: impl Read,
    len: u64,
    sink: impl Write,
    effort: Effort,
    emit: Emit<'_>,
) -> Result<Passed, CopyError> {
    let (_, plain) = decompressed(Counted { inner: stored, emit }).map_err(CopyError::Source)?;
    let frames = Frames::new(effort, sink, len, WINDOW_LOG_MAX).map_err(CopyError::Sink)?;
    let mut pump = Pump { source: plain, hasher: Hasher::default(), sink: frames, sink_error: None };
    let walked = walk(&mut pump).and_then(|counts| {
        io::copy(&mut pump, &mut io::sink())?;
        Ok(counts)
    });
    let Pump { hasher, sink, sink_error, .. } = pump;
    if let Some(error) = sink_error {
        return Err(CopyError::Sink(error));
    }
    let (unpacked_len, entries) = walked.map_err(CopyError::Source)?;
    sink.finish().map_err(CopyError::Sink)?;
    let tar_len = hasher.count();
    Ok(Passed { diff_id: hasher.finish(), tar_len, unpacked_len, entries })
}

/// Which side of a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The bundle cannot be written.
    #[error("cannot write the bundle")]
    Sink(#[source] io::Error),
    /// The layer cannot be read, or is no tar.
    #[error("the layer is damaged, or is not a tar")]
    Source(#[source] io::Error),
}

fn walk(tar: impl Read) -> io::Result<(u64, u64)> {
    let (mut unpacked_len, mut entries) = (0, 0);
    for entry in tar::Archive::new(tar).entries()? {
        let entry = entry?;
        entries += 1;
        if matches!(
            entry.header().entry_type(),
            tar::EntryType::Regular | tar::EntryType::Continuous | tar::EntryType::GNUSparse
        ) {
            unpacked_len += entry.size();
        }
    }
    Ok((unpacked_len, entries))
}

/// Whoever reads from it pumps the bytes through hasher and encoder: walking the tar drives the whole copy.
struct Pump<R, W> {
    source: R,
    hasher: Hasher,
    sink: W,
    sink_error: Option<io::Error>,
}

impl<R: Read, W: Write> Read for Pump<R, W> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        if let Err(error) = self.sink.write_all(&buffer[..count]) {
            self.sink_error = Some(error);
            return Err(io::Error::other("the other side failed"));
        }
        Ok(count)
    }
}

/// Reports what is read from the source.
struct Counted<'a, R> {
    inner: R,
    emit: Emit<'a>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        (self.emit)(Event::Advanced(count as u64));
        Ok(count)
    }
}

mod frames;
#[cfg(test)]
mod tests;
