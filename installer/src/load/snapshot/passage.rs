//! One layer on its way: its bytes come from the bundle once, and go to whoever wants them.
//!
//! Not here: who wants them, and what becomes of a layer that did not arrive (`snapshot`).

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender};

use bundle_spec::codec;
use bundle_spec::digest::HashingReader;
use bundle_spec::project::Layer;
use bytes::Bytes;

use super::super::run::Loader;
use super::BringError;
use crate::containerd::{Prepared, Writer};
use crate::unpack::{self, Target};

/// Bytes read from the bundle at a time.
const PIECE: usize = 512 << 10;

/// Reads a blob and hands each piece to whoever wants it. Ends early when nobody does any more; whether it came to the end,
/// where the digest is compared.
pub(super) fn read_blob(
    loader: &Loader<'_>,
    layer: &Layer,
    mut writer: Option<&mut Writer>,
    pieces: Option<SyncSender<Bytes>>,
    count: &(dyn Fn(u64) + Sync),
) -> Result<bool, BringError> {
    let handle = loader.bundle.handle().map_err(BringError::Read)?;
    let blob = loader.bundle.bundle.blob(handle, &layer.blob);
    let mut blob = blob.map_err(|error| BringError::Read(io::Error::other(error)))?;
    let mut pieces = pieces;
    while blob.remaining() > 0 && (writer.is_some() || pieces.is_some()) {
        let len = usize::try_from(blob.remaining()).unwrap_or(PIECE).min(PIECE);
        let mut piece = vec![0; len];
        blob.read_exact(&mut piece).map_err(BringError::Read)?;
        let piece = Bytes::from(piece);
        if writer.as_mut().is_some_and(|writer| !writer.send(&piece)) {
            writer = None;
        }
        if pieces.as_ref().is_some_and(|pieces| pieces.send(piece).is_err()) {
            pieces = None;
        }
        count(len as u64);
    }
    Ok(blob.remaining() == 0)
}

/// Decompresses and unpacks what comes.
///
/// That it is what the diff ID says follows from the blob's digest, which the reader compares, if decompression made no mistake:
/// the packer hashed the layer and compressed it in one go. The frames' checksums say so, at a tenth of the price of SHA-256.
/// A layer that begins with a frame without one is hashed; where only a later one has none, the layer is left to the engine.
pub(super) fn unpack_layer(
    queue: Receiver<Bytes>,
    layer: &Layer,
    place: &Prepared,
    threads: usize,
) -> Result<(), BringError> {
    let mut frames = codec::Frames::new(Pieces { queue, current: Bytes::new() }).map_err(BringError::Read)?;
    let is_checked = frames.begins_checked().map_err(BringError::Read)?;
    let wrong = || BringError::WrongDiffId(layer.diff_id);
    let unpack = |tar: &mut dyn Read| {
        unpack::layer(&mut *tar, Target { dir: &place.dir, lowers: &place.lowers }, threads)?;
        // Behind the end of the archive there may be padding. Only at the very end of a frame its checksum is compared.
        io::copy(tar, &mut io::sink()).map_err(BringError::Read)
    };
    // One byte more than there should be would be noticed.
    let mut tar = frames.take(layer.tar_len + 1);
    if is_checked {
        unpack(&mut tar)?;
        let is_whole = tar.limit() == 1 && tar.get_ref().is_checked();
        return if is_whole { Ok(()) } else { Err(wrong()) };
    }
    let mut tar = HashingReader::new(tar);
    unpack(&mut tar)?;
    if tar.finish().0 == layer.diff_id { Ok(()) } else { Err(wrong()) }
}

struct Pieces {
    queue: Receiver<Bytes>,
    current: Bytes,
}

impl Pieces {
    /// Waits for the next piece when the current one is used up; there is none at the end.
    fn fill(&mut self) {
        while self.current.is_empty() {
            let Ok(piece) = self.queue.recv() else { return };
            self.current = piece;
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(self.fill_buf()?.len());
        buffer[..len].copy_from_slice(&self.current.split_to(len));
        Ok(len)
    }
}

impl BufRead for Pieces {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.fill();
        Ok(&self.current)
    }

    fn consume(&mut self, len: usize) {
        let _ = self.current.split_to(len);
    }
}
