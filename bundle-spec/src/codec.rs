//! zstd on the way out of a bundle: decoders with a bounded window, and bounded decompression of documents.

use std::io::{self, BufRead, BufReader, Read};

use zstd::stream::raw::{self, InBuffer, Operation, OutBuffer};

use crate::limits::{PROJECT_FILE_MAX, WINDOW_LOG_MAX};

/// A streaming zstd decoder that refuses frames needing more than 2^[`WINDOW_LOG_MAX`] bytes of window.
///
/// # Errors
/// When the decoder cannot be set up.
pub fn decoder<'a, R: Read>(inner: R) -> io::Result<zstd::Decoder<'a, BufReader<R>>> {
    bounded(zstd::Decoder::new(inner)?)
}

/// Reads zstd frames one after the other, as [`decoder`] does, and knows whether each of them had a checksum.
pub struct Frames<R> {
    source: R,
    decoder: raw::Decoder<'static>,
    /// The first bytes of the frame under way; none between frames.
    head: Vec<u8>,
    is_within: bool,
    is_checked: bool,
}

/// Bytes of a frame that say whether it has a checksum.
const HEAD: usize = 5;

impl<R: BufRead> Frames<R> {
    /// Frames that need more than 2^[`WINDOW_LOG_MAX`] bytes of window will be refused.
    ///
    /// # Errors
    /// When the decoder cannot be set up.
    pub fn new(source: R) -> io::Result<Self> {
        let mut decoder = raw::Decoder::new()?;
        decoder.set_parameter(zstd::zstd_safe::DParameter::WindowLogMax(WINDOW_LOG_MAX))?;
        Ok(Self { source, decoder, head: Vec::with_capacity(HEAD), is_within: false, is_checked: true })
    }

    /// Whether every frame that was read so far has a checksum. Those of frames that were read to their ends have been compared.
    pub fn is_checked(&self) -> bool {
        self.is_checked
    }

    /// Whether the first frame has a checksum, as far as can be told before anything was read.
    ///
    /// # Errors
    /// When the source cannot be read.
    pub fn begins_checked(&mut self) -> io::Result<bool> {
        Ok(has_checksum(self.source.fill_buf()?))
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.source.fill_buf()?;
            if input.is_empty() && !self.is_within {
                return Ok(0);
            }
            let is_at_end = input.is_empty();
            // A frame's first bytes go in by themselves, so that they can be looked at.
            let missing = HEAD - self.head.len();
            let piece = if missing > 0 { &input[..input.len().min(missing)] } else { input };
            let (mut from, mut to) = (InBuffer::around(piece), OutBuffer::around(&mut *buffer));
            let left = self.decoder.run(&mut from, &mut to)?;
            let (consumed, produced) = (from.pos(), to.pos());
            if missing > 0 {
                self.head.extend_from_slice(&piece[..consumed]);
                self.is_checked &= self.head.len() < HEAD || has_checksum(&self.head);
            }
            self.source.consume(consumed);
            self.is_within = left > 0;
            if left == 0 {
                // Too short for a head: no frame, or one that the decoder has skipped.
                self.is_checked &= self.head.len() == HEAD;
                self.head.clear();
            }
            if produced > 0 {
                return Ok(produced);
            }
            if is_at_end && left > 0 {
                return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "incomplete frame"));
            }
        }
    }
}

impl<R> std::fmt::Debug for Frames<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frames").field("is_checked", &self.is_checked).finish_non_exhaustive()
    }
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

    /// Gives one byte at a time.
    struct Slow<'a>(&'a [u8]);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = buffer.len().min(1);
            self.0.read(&mut buffer[..len])
        }
    }

    fn through(bytes: &[u8]) -> io::Result<(Vec<u8>, bool)> {
        let mut frames = Frames::new(BufReader::with_capacity(3, Slow(bytes))).unwrap();
        let mut plain = Vec::new();
        frames.read_to_end(&mut plain)?;
        let mut quick = Frames::new(bytes).unwrap();
        let mut same = Vec::new();
        quick.read_to_end(&mut same)?;
        assert_eq!((&plain, frames.is_checked()), (&same, quick.is_checked()));
        Ok((plain, frames.is_checked()))
    }

    #[test]
    fn frames_are_read_one_after_the_other_and_each_checksum_counts() {
        let (checked, unchecked) = (frame(true), frame(false));
        let skippable = b"\x50\x2a\x4d\x18\x02\0\0\0ab".to_vec();
        let cases = [
            (vec![&checked], true),
            (vec![&checked, &checked, &checked], true),
            (vec![&checked, &unchecked], false),
            (vec![&unchecked, &checked], false),
            (vec![&checked, &skippable, &checked], false),
        ];
        for (parts, is_checked) in cases {
            let frames = parts.iter().filter(|part| **part != &skippable).count();
            let bytes: Vec<u8> = parts.into_iter().flatten().copied().collect();
            assert_eq!(through(&bytes).unwrap(), (vec![7; 10_000 * frames], is_checked));
        }
        assert_eq!(through(b"").unwrap(), (vec![], true));
    }

    #[test]
    fn frames_that_are_cut_off_or_damaged_are_errors() {
        let two: Vec<u8> = [frame(true), frame(true)].concat();
        let one = frame(true).len();
        for cut in (1..two.len()).filter(|cut| *cut != one) {
            assert!(through(&two[..cut]).is_err(), "{cut} bytes");
        }
        for position in [0, one - 1, one, two.len() - 1] {
            let mut wrong = two.clone();
            wrong[position] ^= 1;
            assert!(through(&wrong).is_err(), "byte {position}");
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
