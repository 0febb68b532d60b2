//! Compression on the way in: told by the first bytes, since names and media types of archives lie.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// A vendor's own zstd layers may use any window; memory is bounded by what the format itself allows.
const SOURCE_WINDOW_LOG_MAX: u32 = 30;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, one or more members.
    Gzip,
    /// Not compressed.
    Plain,
    /// Zstandard.
    Zstd,
}

impl Compression {
    /// Looks at the first bytes.
    pub fn of(head: &[u8]) -> Self {
        match head {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// Decompresses whatever `source` is. Says also what it was.
pub fn decompressed<'a, R: Read + 'a>(source: R) -> io::Result<(Compression, Box<dyn Read + 'a>)> {
    let mut source = BufReader::with_capacity(256 << 10, source);
    let compression = Compression::of(source.fill_buf()?);
    Ok((
        compression,
        match compression {
            Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
            Compression::Plain => Box::new(source),
            Compression::Zstd => {
                let mut decoder = zstd::Decoder::with_buffer(source)?;
                decoder.window_log_max(SOURCE_WINDOW_LOG_MAX)?;
                Box::new(decoder)
            }
        },
    ))
}

/// A seekable, uncompressed form of a file: itself, or a decompressed copy in a nameless file in `spool`.
pub fn seekable(mut file: File, spool: &Path) -> io::Result<File> {
    let (compression, mut plain) = decompressed(&mut file)?;
    if compression == Compression::Plain {
        drop(plain);
        file.rewind()?;
        return Ok(file);
    }
    let mut copy = tempfile::tempfile_in(spool)?;
    io::copy(&mut plain, &mut copy)?;
    copy.rewind()?;
    Ok(copy)
}
