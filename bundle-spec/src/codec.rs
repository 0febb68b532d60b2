//! zstd on the way out of a bundle: decoders with a bounded window, and bounded decompression of documents.

use std::io::{self, BufRead, BufReader, Read};

use crate::limits::{PROJECT_FILE_MAX, WINDOW_LOG_MAX};

/// A streaming zstd decoder that refuses frames needing more than 2^[`WINDOW_LOG_MAX`] bytes of window.
///
/// # Errors
/// When the decoder cannot be set up.
pub fn decoder<'a, R: Read>(inner: R) -> io::Result<zstd::Decoder<'a, BufReader<R>>> {
    bounded(zstd::Decoder::new(inner)?)
}

fn bounded<'a, R: BufRead>(mut decoder: zstd::Decoder<'a, R>) -> io::Result<zstd::Decoder<'a, R>> {
    decoder.window_log_max(WINDOW_LOG_MAX)?;
    Ok(decoder)
}

/// Compresses a document (index, project file) in one piece.
///
/// # Errors
/// When zstd fails, which for memory input means out of memory.
pub fn compress_document(bytes: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(bytes, 19)
}

/// Decompresses a document of exactly `expected` bytes, never holding more than that.
///
/// # Errors
/// When the data is not zstd, or yields more or less than `expected` bytes.
pub fn decompress_document(stored: &[u8], expected: usize) -> io::Result<Vec<u8>> {
    // All at once, since growing by doubling takes three times as much; but no more than any document may have.
    let limit = usize::try_from(PROJECT_FILE_MAX).unwrap_or(usize::MAX);
    let mut raw = Vec::with_capacity(expected.min(limit) + 1);
    decoder(stored)?.take(expected as u64 + 1).read_to_end(&mut raw)?;
    if raw.len() != expected {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "decompressed length differs from the declared one",
        ));
    }
    Ok(raw)
}
