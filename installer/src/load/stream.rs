//! Composes the tar that one load request carries, piece by piece, straight from the bundle.

use std::collections::HashSet;
use std::io::{self, Read, Seek, Write};

use bundle_spec::codec;
use bundle_spec::digest::Digest;
use bundle_spec::project::{Image, Layer};
use bundle_spec::reader::Bundle;
use bytes::Bytes;
use tokio::sync::mpsc::Sender;

use super::board::Turn;
use super::{Form, Request, prefix};

/// Size of the pieces handed to the engine's connection; 4 KiB pieces took twice as long.
const PIECE: usize = 512 << 10;

/// Manifests and configs are documents; more than this is not one.
pub(super) const DOCUMENT_MAX: u64 = 8 << 20;

/// Writes the tar of one request into `body`, as far as its turn has come. It is told the bytes of layers as they go.
///
/// # Errors
/// When the bundle cannot be read or is damaged; `BrokenPipe` when nobody takes the pieces any more, or another request failed.
pub fn write<R: Read + Seek>(
    bundle: &Bundle,
    mut open: impl FnMut() -> io::Result<R>,
    image: &Image,
    request: &Request,
    form: Form,
    body: Sender<io::Result<Bytes>>,
    turn: &Turn<'_>,
) -> io::Result<()> {
    let mut tar = tar::Builder::new(Pieces { body, turn, pending: Vec::with_capacity(PIECE) });
    let mut document =
        |digest: &Digest| bundle.blob_bytes(open()?, digest, DOCUMENT_MAX).map_err(io::Error::other);
    let config = if request.names { document(&image.config)? } else { prefix::config(image, request.depth) };
    let config_path = blob_path(&if request.names { image.config } else { Digest::of(&config) });
    match form {
        Form::Oci | Form::Snapshots => {
            append(&mut tar, "oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#)?;
            append(&mut tar, "index.json", &index_json(image))?;
            append(&mut tar, &blob_path(&image.manifest), &document(&image.manifest)?)?;
        }
        Form::DockerPlain | Form::DockerZstd => {
            append(&mut tar, "manifest.json", &manifest_json(image, request, &config_path))?;
        }
    }
    append(&mut tar, &config_path, &config)?;
    // Layers that went straight into the store do not travel a second time.
    let layers = if form == Form::Snapshots { &[][..] } else { &request.layers };
    // The same layer may lie in an image twice; one entry serves both.
    let mut sent = HashSet::new();
    for layer in layers.iter().map(|number| &image.layers[*number]).filter(|layer| sent.insert(layer.blob)) {
        let blob = bundle.blob(open()?, &layer.blob).map_err(io::Error::other)?;
        let len = if form == Form::DockerPlain { layer.tar_len } else { blob.remaining() };
        let mut header = header(len);
        let path = blob_path(&layer.blob);
        // What is counted is what is read from the bundle, whatever becomes of it on the way.
        let blob = Counted { source: blob, count: turn.count };
        let source: Box<dyn Read + '_> =
            if form == Form::DockerPlain { Box::new(plain(layer, blob)?) } else { Box::new(blob) };
        tar.append_data(&mut header, path, source)?;
    }
    tar.get_mut().finish()?;
    // Without the two empty blocks at its end, no reader takes the tar for whole.
    turn.wait_for_others()?;
    tar.into_inner()?.finish()
}

/// The layer's plain tar. Its length is checked by the tar entry, its content by the engine against the diff ID.
fn plain<'a, R: Read + 'a>(layer: &Layer, blob: R) -> io::Result<impl Read + use<'a, R>> {
    Ok(codec::decoder(blob)?.take(layer.tar_len))
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

/// The index of the layout that one image is sent in; the engine keeps it as a blob of its own while it loads.
pub(super) fn index_json(image: &Image) -> Vec<u8> {
    serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": image.manifest,
            "size": image.manifest_len,
            "annotations": {
                "io.containerd.image.name": image.reference.full(),
                "org.opencontainers.image.ref.name": image.reference.tag(),
            },
        }],
    })
    .to_string()
    .into_bytes()
}

fn manifest_json(image: &Image, request: &Request, config: &str) -> Vec<u8> {
    let tags = request.names.then_some([&image.reference]);
    let layers = &image.layers[..request.depth];
    serde_json::json!([{
        "Config": config,
        "RepoTags": tags,
        "Layers": layers.iter().map(|layer| blob_path(&layer.blob)).collect::<Vec<_>>(),
    }])
    .to_string()
    .into_bytes()
}

fn header(len: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.set_size(len);
    header.set_mode(0o644);
    header.set_mtime(0);
    header
}

fn append<W: Write>(tar: &mut tar::Builder<W>, path: &str, content: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(content.len() as u64), path, content)
}

/// Counts what is read.
struct Counted<'a, R> {
    source: R,
    count: &'a dyn Fn(u64),
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.source.read(buffer)?;
        (self.count)(len as u64);
        Ok(len)
    }
}

/// Collects writes into pieces and hands them over; waits while the engine is slower than the stick, or has no room.
struct Pieces<'a> {
    body: Sender<io::Result<Bytes>>,
    turn: &'a Turn<'a>,
    pending: Vec<u8>,
}

impl Pieces<'_> {
    fn hand_over(&mut self) -> io::Result<()> {
        let piece = std::mem::replace(&mut self.pending, Vec::with_capacity(PIECE));
        self.turn.wait_for_room(piece.len() as u64)?;
        self.body.blocking_send(Ok(piece.into())).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn finish(&mut self) -> io::Result<()> {
        if self.pending.is_empty() { Ok(()) } else { self.hand_over() }
    }
}

impl Write for Pieces<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let len = buffer.len().min(PIECE - self.pending.len());
        self.pending.extend_from_slice(&buffer[..len]);
        if self.pending.len() == PIECE {
            self.hand_over()?;
        }
        Ok(len)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
