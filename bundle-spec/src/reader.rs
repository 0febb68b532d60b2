//! Reads a bundle: trailer, index, blobs. Verification lives inside: no unverified byte has an exit.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

use crate::census;
use crate::codec;
use crate::digest::{Digest, Hasher};
use crate::error::{Damage, ReadError};
use crate::index::Index;
use crate::layout::{
    LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY, LAUNCHER_MAX_LEN, STRETCH_LEN,
    TRAILER_LEN,
};
use crate::limits::{INDEX_RAW_MAX, INDEX_STORED_MAX, INDEX_VALUES_MAX};
use crate::signature::{self, Signer};
use crate::text::tame;
use crate::trailer::{Trailer, TrailerError};
use crate::validate;

/// A bundle whose trailer and index hold. Cheap to clone: several threads may read blobs through handles of their own.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The trailer.
    pub trailer: Trailer,
    /// The index.
    pub index: Arc<Index>,
    /// Who signed it, if somebody did; the signature holds.
    pub signer: Option<Signer>,
    /// Digest of the index' JSON document, by which a signature names it.
    document: Digest,
}

impl Bundle {
    /// Reads and checks trailer and index: a few seeks, bounded memory, milliseconds whatever the size.
    ///
    /// # Errors
    /// Every way in which the file is no usable bundle; see [`ReadError`].
    pub fn open<R: Read + Seek>(source: &mut R) -> Result<Self, ReadError> {
        let actual = source.seek(SeekFrom::End(0)).map_err(ReadError::Io)?;
        let trailer = read_trailer(source, actual)?;
        if !trailer.version.is_readable() {
            return Err(ReadError::Version { found: trailer.version });
        }
        if trailer.total_len != actual {
            return Err(ReadError::WrongLength { actual, expected: trailer.total_len });
        }
        let (start, end) = (trailer.index_offset, actual - TRAILER_LEN as u64);
        let damaged = || ReadError::IndexDamaged { start, end };
        let room = end.checked_sub(start).filter(|room| *room <= INDEX_STORED_MAX);
        let lengths_ok =
            trailer.index_stored_len <= room.unwrap_or(0) && trailer.index_raw_len <= INDEX_RAW_MAX;
        let (Some(room), true) = (room, lengths_ok) else {
            return Err(ReadError::Unacceptable("the index' place or size".to_owned()));
        };
        let mut stored = read_range(source, start, room).map_err(ReadError::Io)?;
        let padding = stored.split_off(usize::try_from(trailer.index_stored_len).map_err(|_| damaged())?);
        if padding.iter().any(|byte| *byte != 0) {
            return Err(damaged());
        }
        if Digest::of(&stored) != trailer.index_digest {
            return Err(damaged());
        }
        let raw_len = usize::try_from(trailer.index_raw_len).map_err(|_| damaged())?;
        let (frame, block) = signature::take_apart(&stored).map_err(|_| damaged())?;
        let raw = codec::decompress_document(frame, raw_len).map_err(|_| damaged())?;
        let document = Digest::of(&raw);
        let statement = signature::statement(trailer.version.major, &document, start);
        let signer = block.map(|block| signature::check(block, &statement)).transpose();
        let signer = signer.map_err(ReadError::Signature)?;
        // What is made of it takes its place in memory.
        drop(stored);
        let index = parse_index(&raw).map_err(ReadError::Unacceptable)?;
        validate::index(&index, start).map_err(|why| ReadError::Unacceptable(tame(&why)))?;
        Ok(Self { trailer, index: Arc::new(index), signer, document })
    }

    /// What a signature of this bundle signs.
    #[must_use]
    pub fn statement(&self) -> String {
        signature::statement(self.trailer.version.major, &self.document, self.trailer.index_offset)
    }

    /// A reader of one blob's stored bytes from `source`, which must be a handle on the same file. The digest is checked
    /// at the end: the last `read` fails with [`io::ErrorKind::InvalidData`] when it does not hold.
    ///
    /// # Errors
    /// When there is no such blob, or `source` cannot seek to it.
    pub fn blob<R: Read + Seek>(&self, mut source: R, digest: &Digest) -> Result<BlobReader<R>, ReadError> {
        let blob = self.index.blob(digest).ok_or(ReadError::NoBlob(*digest))?;
        source.seek(SeekFrom::Start(blob.offset)).map_err(ReadError::Io)?;
        Ok(BlobReader { source, left: blob.len, expected: *digest, hasher: Some(Hasher::default()) })
    }

    /// Reads a whole blob into memory; for manifests and configs.
    ///
    /// # Errors
    /// When it is not there, longer than `limit` bytes, or damaged.
    pub fn blob_bytes<R: Read + Seek>(
        &self,
        source: R,
        digest: &Digest,
        limit: u64,
    ) -> Result<Vec<u8>, ReadError> {
        let mut reader = self.blob(source, digest)?;
        if reader.left > limit {
            return Err(ReadError::Unacceptable(format!("blob {digest} has {} bytes", reader.left)));
        }
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).map_err(|error| blob_error(*digest, error))?;
        Ok(bytes)
    }

    /// The numbers of the stretches that a range of the file lies in.
    #[must_use]
    pub fn stretches_of(&self, offset: u64, len: u64) -> std::ops::Range<usize> {
        let number = |position: u64| usize::try_from(position / STRETCH_LEN).unwrap_or(usize::MAX);
        let end = number(offset.saturating_add(len).saturating_add(STRETCH_LEN - 1));
        number(offset)..end.min(self.stretch_count())
    }

    /// Number of stretches: the units of [`Bundle::check_stretches`].
    #[must_use]
    pub fn stretch_count(&self) -> usize {
        self.index.place.stretches.len()
    }

    /// Length of the last stretch in bytes.
    #[must_use]
    pub fn last_stretch_len(&self) -> u64 {
        self.trailer.index_offset - self.stretch_count().saturating_sub(1) as u64 * STRETCH_LEN
    }

    /// Checks some stretches, calling `progress` with the bytes of each one read. Give each thread its own handle and
    /// its own share of `stretches`.
    ///
    /// # Errors
    /// When `source` cannot be read. Damage is no error: it is the result, as numbers of stretches.
    pub fn check_stretches<R: Read + Seek>(
        &self,
        source: &mut R,
        stretches: impl Iterator<Item = usize>,
        mut progress: impl FnMut(u64),
    ) -> io::Result<Vec<usize>> {
        let mut damaged = Vec::new();
        let mut buffer = vec![0; 256 << 10];
        let mut position = None;
        for number in stretches {
            let Some(expected) = self.index.place.stretches.get(number) else { continue };
            let start = number as u64 * STRETCH_LEN;
            let len = STRETCH_LEN.min(self.trailer.index_offset - start);
            if position != Some(start) {
                source.seek(SeekFrom::Start(start))?;
            }
            let mut hasher = Hasher::default();
            while hasher.count() < len {
                let want =
                    usize::try_from((len - hasher.count()).min(buffer.len() as u64)).unwrap_or(buffer.len());
                source.read_exact(&mut buffer[..want])?;
                hasher.update(&buffer[..want]);
            }
            position = Some(start + len);
            progress(len);
            if hasher.finish() != expected.0 {
                damaged.push(number);
            }
        }
        Ok(damaged)
    }

    /// Joins damaged stretches into runs and names what lies there.
    #[must_use]
    pub fn describe_damage(&self, mut damaged: Vec<usize>) -> Vec<Damage> {
        damaged.sort_unstable();
        let mut runs: Vec<(u64, u64)> = Vec::new();
        for number in damaged {
            let start = number as u64 * STRETCH_LEN;
            let end = (start + STRETCH_LEN).min(self.trailer.index_offset);
            match runs.last_mut() {
                Some(run) if run.1 == start => run.1 = end,
                _ => runs.push((start, end)),
            }
        }
        let describe = |(start, end)| Damage { start, end, parts: self.index.parts_in(start, end) };
        runs.into_iter().map(describe).collect()
    }
}

fn read_trailer<R: Read + Seek>(source: &mut R, actual: u64) -> Result<Trailer, ReadError> {
    let declared = declared_length(source).map_err(ReadError::Io)?;
    let wrong_length = |expected| ReadError::WrongLength { actual, expected };
    let Some(start) = actual.checked_sub(TRAILER_LEN as u64) else {
        return Err(declared.map_or(ReadError::NotABundle, wrong_length));
    };
    let mut bytes = [0; TRAILER_LEN];
    source.seek(SeekFrom::Start(start)).map_err(ReadError::Io)?;
    source.read_exact(&mut bytes).map_err(ReadError::Io)?;
    match (Trailer::decode(&bytes), declared) {
        // A bundle cut off behind another one that it carries ends in that one's trailer.
        (Ok(trailer), Some(expected))
            if trailer.version.is_readable() && trailer.total_len != actual && expected != actual =>
        {
            Err(wrong_length(expected))
        }
        (Ok(trailer), _) => Ok(trailer),
        (Err(_), Some(expected)) if expected != actual => Err(wrong_length(expected)),
        (Err(TrailerError::NoMagic), None) => Err(ReadError::NotABundle),
        (Err(_), _) => Err(ReadError::TrailerDamaged),
    }
}

/// Features come first: a file may use one just because it changes what a known field looks like.
fn parse_index(raw: &[u8]) -> Result<Index, String> {
    #[derive(serde::Deserialize)]
    struct OnlyFeatures {
        content: Features,
    }
    #[derive(serde::Deserialize)]
    struct Features {
        #[serde(default)]
        features: Vec<String>,
    }
    let refused = |error: serde_json::Error| tame(&error.to_string());
    census::check(raw, INDEX_VALUES_MAX).map_err(refused)?;
    let only: OnlyFeatures = serde_json::from_slice(raw).map_err(refused)?;
    validate::features(&only.content.features).map_err(|why| tame(&why))?;
    serde_json::from_slice(raw).map_err(refused)
}

/// The length that the launcher declares, if the file begins with a launcher. Only good for messages: it is not signed by anything.
fn declared_length<R: Read + Seek>(source: &mut R) -> io::Result<Option<u64>> {
    source.seek(SeekFrom::Start(0))?;
    let mut head = Vec::new();
    source.by_ref().take(LAUNCHER_MAX_LEN as u64).read_to_end(&mut head)?;
    if !head.starts_with(LAUNCHER_FIRST_LINE.as_bytes()) {
        return Ok(None);
    }
    let key = format!("\n{LAUNCHER_LENGTH_KEY}");
    let digits = head
        .windows(key.len())
        .position(|window| window == key.as_bytes())
        .and_then(|at| head.get(at + key.len()..at + key.len() + LAUNCHER_LENGTH_DIGITS));
    Ok(digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok()))
}

fn read_range<R: Read + Seek>(source: &mut R, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    source.take(len).read_to_end(&mut bytes)?;
    if bytes.len() as u64 == len { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

/// Turns an error of [`BlobReader`] into what it means.
#[must_use]
pub fn blob_error(digest: Digest, error: io::Error) -> ReadError {
    match error.kind() {
        io::ErrorKind::InvalidData => ReadError::BlobDamaged(digest),
        _ => ReadError::Io(error),
    }
}

/// Reads one blob and checks its digest at the end.
#[derive(Debug)]
pub struct BlobReader<R> {
    source: R,
    left: u64,
    expected: Digest,
    hasher: Option<Hasher>,
}

impl<R> BlobReader<R> {
    /// Bytes not yet read.
    #[must_use]
    pub fn remaining(&self) -> u64 {
        self.left
    }
}

impl<R: Read> Read for BlobReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let want = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        if want == 0 && self.left > 0 {
            return Ok(0);
        }
        let count = if self.left == 0 { 0 } else { self.source.read(&mut buffer[..want])? };
        if count == 0 && self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        self.left -= count as u64;
        if self.left == 0
            && let Some(hasher) = self.hasher.take()
            && hasher.finish() != self.expected
        {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("blob {} is damaged", self.expected),
            ));
        }
        Ok(count)
    }
}
