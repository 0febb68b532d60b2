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

/// Whether the frame that begins with `head` ends with a checksum of its content, which decoders compare
/// (RFC 8878, 3.1.1.1.1: the bit `Content_Checksum_flag` of the frame header descriptor).
#[must_use]
pub fn has_checksum(head: &[u8]) -> bool {
    const MAGIC: [u8; 4] = 0xfd2f_b528_u32.to_le_bytes();
    const CONTENT_CHECKSUM: u8 = 1 << 2;
    head.strip_prefix(&MAGIC)
        .and_then(<[u8]>::first)
        .is_some_and(|descriptor| descriptor & CONTENT_CHECKSUM != 0)
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
    // All at once, since growing by doubling takes three times as much, and a window of the file's choosing comes on top when it is
    // done bit by bit; but no more than any document may have.
    let limit = usize::try_from(PROJECT_FILE_MAX).unwrap_or(usize::MAX);
    let raw = zstd::bulk::Decompressor::new()?.decompress(stored, expected.min(limit) + 1)?;
    if raw.len() != expected {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "decompressed length differs from the declared one",
        ));
    }
    Ok(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(has_checksum: bool) -> Vec<u8> {
        let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
        encoder.include_checksum(has_checksum).unwrap();
        io::Write::write_all(&mut encoder, &[7; 10_000]).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn sees_whether_a_frame_has_a_checksum() {
        assert!(has_checksum(&frame(true)));
        assert!(!has_checksum(&frame(false)));
        for cut in 0..5 {
            assert!(!has_checksum(&frame(true)[..cut]), "{cut} bytes of a frame");
        }
    }

    #[test]
    fn a_wrong_checksum_is_an_error_for_whoever_reads_to_the_end() {
        let mut bytes = frame(true);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        let mut reader = decoder(&bytes[..]).unwrap().single_frame().take(10_001);
        assert!(io::copy(&mut reader, &mut io::sink()).is_err());
    }
}
