//! Writes a bundle from front to back: launcher, stubs, blobs, then index and trailer. Without the trailer it is no bundle.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::codec;
use crate::digest::{Digest, Hasher};
use crate::error::{AttachError, ReadError, WriteError};
use crate::index::{Blob, Content, Index, Place, StretchDigest, Stub};
use crate::layout::{
    LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY, LAUNCHER_MAX_LEN, STRETCH_LEN,
    TRAILER_LEN, padding,
};
use crate::limits::{INDEX_RAW_MAX, INDEX_STORED_MAX, SIGNATURE_MAX};
use crate::reader::Bundle;
use crate::signature::{self, FRAME_HEAD_LEN};
use crate::trailer::Trailer;
use crate::validate;
use crate::version::{CURRENT, FormatVersion};

/// Writes one bundle. The output must be empty and readable: the first stretch is read back once the length is known.
#[derive(Debug)]
pub struct BundleWriter<W> {
    output: W,
    position: u64,
    stretch: Hasher,
    length_at: u64,
    place: Place,
    known: HashMap<Digest, usize>,
}

impl<W: Read + Write + Seek> BundleWriter<W> {
    /// Starts a bundle with its launcher.
    ///
    /// # Errors
    /// When the launcher lacks its first line or its length line, or the output cannot be written.
    pub fn new(output: W, launcher: &[u8]) -> Result<Self, WriteError> {
        if !launcher.starts_with(LAUNCHER_FIRST_LINE.as_bytes()) || launcher.len() > LAUNCHER_MAX_LEN {
            return Err(WriteError::Launcher("first line or size"));
        }
        let key = format!("\n{LAUNCHER_LENGTH_KEY}{}\n", "0".repeat(LAUNCHER_LENGTH_DIGITS));
        let key_at = launcher
            .windows(key.len())
            .position(|window| window == key.as_bytes())
            .ok_or(WriteError::Launcher("no length line"))?;
        let mut writer = Self {
            output,
            position: 0,
            stretch: Hasher::default(),
            length_at: key_at as u64 + 1 + LAUNCHER_LENGTH_KEY.len() as u64,
            place: Place { launcher_len: launcher.len() as u64, ..Place::default() },
            known: HashMap::new(),
        };
        writer.put(launcher).map_err(WriteError::Io)?;
        Ok(writer)
    }

    /// Adds an installer stub. Returns its offset in bytes, which the launcher must name.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn stub(&mut self, arch: &str, bytes: &[u8]) -> Result<u64, WriteError> {
        self.align()?;
        let (offset, len) = (self.position, bytes.len() as u64);
        self.put(bytes).map_err(WriteError::Io)?;
        self.place.stubs.push(Stub { arch: arch.to_owned(), offset, len, digest: Digest::of(bytes) });
        Ok(offset)
    }

    /// Whether a blob with this digest is stored already.
    #[must_use]
    pub fn has(&self, digest: &Digest) -> bool {
        self.known.contains_key(digest)
    }

    /// Adds a blob that is in memory; one that is there already is left out.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn blob(&mut self, bytes: &[u8]) -> Result<Digest, WriteError> {
        let digest = Digest::of(bytes);
        if self.has(&digest) {
            return Ok(digest);
        }
        let mut sink = self.begin_blob()?;
        sink.write_all(bytes).map_err(WriteError::Io)?;
        sink.finish()
    }

    /// Begins a blob that is written piece by piece.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn begin_blob(&mut self) -> Result<BlobSink<'_, W>, WriteError> {
        self.align()?;
        let offset = self.position;
        Ok(BlobSink { writer: self, offset, hasher: Hasher::default() })
    }

    /// Writes index and trailer and hands the output back. The caller makes it durable.
    ///
    /// # Errors
    /// When a reader would refuse the index, or the output cannot be written.
    pub fn finish(mut self, content: Content) -> Result<(W, Index), WriteError> {
        self.align()?;
        let index_offset = self.position;
        self.close_stretch();
        let mut index = Index { content, place: std::mem::take(&mut self.place) };
        // The launcher's length line lies in the first stretch, whose digest lies in the index, whose compressed length
        // decides the file's length. Zeros after the index cut that circle: room for any digest is left beforehand.
        // Room for a signature is left whether there will be one or not: signing changes nothing else, not even a length.
        let room = (encode(&index)?.1.len() + 512 + FRAME_HEAD_LEN + SIGNATURE_MAX).next_multiple_of(512);
        let total_len = index_offset + room as u64 + TRAILER_LEN as u64;
        self.patch_length(total_len, &mut index, index_offset).map_err(WriteError::Io)?;
        validate::index(&index, index_offset).map_err(WriteError::Unacceptable)?;
        let (raw_len, stored) = encode(&index)?;
        if room as u64 > INDEX_STORED_MAX {
            return Err(too_long(room));
        }
        let trailer = Trailer {
            version: CURRENT,
            index_offset,
            index_stored_len: stored.len() as u64,
            index_raw_len: raw_len,
            total_len,
            index_digest: Digest::of(&stored),
        };
        self.output.seek(SeekFrom::Start(index_offset)).map_err(WriteError::Io)?;
        let padding =
            room.checked_sub(stored.len()).ok_or(WriteError::Unacceptable("the index grew".to_owned()))?;
        self.output.write_all(&stored).map_err(WriteError::Io)?;
        self.output.write_all(&vec![0; padding]).map_err(WriteError::Io)?;
        self.output.write_all(&trailer.encode()).map_err(WriteError::Io)?;
        self.output.flush().map_err(WriteError::Io)?;
        Ok((self.output, index))
    }

    fn patch_length(&mut self, total_len: u64, index: &mut Index, index_offset: u64) -> io::Result<()> {
        let digits = format!("{total_len:0width$}", width = LAUNCHER_LENGTH_DIGITS);
        self.output.seek(SeekFrom::Start(self.length_at))?;
        self.output.write_all(digits.as_bytes())?;
        self.output.flush()?;
        self.output.seek(SeekFrom::Start(0))?;
        let mut first = vec![0; usize::try_from(STRETCH_LEN.min(index_offset)).unwrap_or(0)];
        self.output.read_exact(&mut first)?;
        if let Some(stretch) = index.place.stretches.first_mut() {
            *stretch = StretchDigest(Digest::of(&first));
        }
        Ok(())
    }

    fn align(&mut self) -> Result<(), WriteError> {
        let zeros = vec![0; usize::try_from(padding(self.position)).unwrap_or(0)];
        self.put(&zeros).map_err(WriteError::Io)
    }

    fn put(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        while !bytes.is_empty() {
            let room = usize::try_from(STRETCH_LEN - self.stretch.count()).unwrap_or(usize::MAX);
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.stretch.update(now);
            self.position += now.len() as u64;
            if self.stretch.count() == STRETCH_LEN {
                self.close_stretch();
            }
            bytes = later;
        }
        Ok(())
    }

    fn close_stretch(&mut self) {
        if self.stretch.count() > 0 {
            let digest = std::mem::take(&mut self.stretch).finish();
            self.place.stretches.push(StretchDigest(digest));
        }
    }
}

/// Puts a signature block into a finished bundle, in place of one that is there: a public key and a signature of
/// [`Bundle::statement`], as [`signature::check`] takes them. Only the room behind the index and the trailer change.
///
/// # Errors
/// When the file is no bundle that holds, the block does not hold, the bundle left no room, or the file cannot be written.
pub fn attach_signature<F: Read + Write + Seek>(file: &mut F, block: &str) -> Result<Bundle, AttachError> {
    let bundle = Bundle::open(file).map_err(AttachError::Bundle)?;
    let refused = |error| AttachError::Bundle(ReadError::Signature(error));
    signature::check(block.as_bytes(), &bundle.statement()).map_err(refused)?;
    let Trailer { index_offset, index_stored_len, total_len, .. } = bundle.trailer;
    let mut stored = Vec::new();
    file.seek(SeekFrom::Start(index_offset)).map_err(AttachError::Io)?;
    Read::by_ref(file).take(index_stored_len).read_to_end(&mut stored).map_err(AttachError::Io)?;
    let index_len = signature::take_apart(&stored).map_err(refused)?.0.len();
    stored.truncate(index_len);
    stored.extend_from_slice(&signature::frame(block.as_bytes()));
    let room = total_len - TRAILER_LEN as u64 - index_offset;
    let padding = room.checked_sub(stored.len() as u64).ok_or(AttachError::NoRoom)?;
    let trailer = Trailer {
        version: FormatVersion {
            minor: bundle.trailer.version.minor.max(CURRENT.minor),
            ..bundle.trailer.version
        },
        index_stored_len: stored.len() as u64,
        index_digest: Digest::of(&stored),
        ..bundle.trailer
    };
    stored.resize(stored.len() + usize::try_from(padding).unwrap_or(0), 0);
    stored.extend_from_slice(&trailer.encode());
    file.seek(SeekFrom::Start(index_offset)).map_err(AttachError::Io)?;
    file.write_all(&stored).and_then(|()| file.flush()).map_err(AttachError::Io)?;
    Bundle::open(file).map_err(AttachError::Bundle)
}

fn encode(index: &Index) -> Result<(u64, Vec<u8>), WriteError> {
    let raw = serde_json::to_vec(index).map_err(|error| WriteError::Io(error.into()))?;
    if raw.len() as u64 > INDEX_RAW_MAX {
        return Err(too_long(raw.len()));
    }
    let stored = codec::compress_document(&raw).map_err(WriteError::Io)?;
    Ok((raw.len() as u64, stored))
}

fn too_long(len: usize) -> WriteError {
    WriteError::Unacceptable(format!("it has {len} bytes"))
}

/// One blob being written. Dropping it without [`BlobSink::finish`] leaves bytes that nothing refers to.
#[derive(Debug)]
pub struct BlobSink<'a, W> {
    writer: &'a mut BundleWriter<W>,
    offset: u64,
    hasher: Hasher,
}

impl<W: Read + Write + Seek> BlobSink<'_, W> {
    /// Ends the blob and records it.
    ///
    /// # Errors
    /// Never at present; a blob that was stored before under the same digest is kept once in the index.
    pub fn finish(self) -> Result<Digest, WriteError> {
        let len = self.hasher.count();
        let digest = self.hasher.finish();
        if !self.writer.has(&digest) {
            self.writer.known.insert(digest, self.writer.place.blobs.len());
            self.writer.place.blobs.push(Blob { digest, offset: self.offset, len });
        }
        Ok(digest)
    }
}

impl<W: Read + Write + Seek> Write for BlobSink<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.writer.put(buffer)?;
        self.hasher.update(buffer);
        Ok(buffer.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.output.flush()
    }
}
