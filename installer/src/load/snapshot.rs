//! Brings layers straight into containerd's store: each stored blob is read once, sent as it is into the content store and
//! unpacked at the same time into a snapshot, by as many threads as there are processors. The engine then only gets manifest
//! and name, and finds everything else in place.
//!
//! Nothing counts before it is whole: a blob is committed under its digest by containerd, a snapshot under its chain ID when
//! the digest of all that was unpacked is the layer's diff ID. A lease keeps both from the garbage collection meanwhile.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Content;
use bundle_spec::project::{Image, Layer};
use bytes::Bytes;

use super::board::Turn;
use super::run::Loader;
use super::{Request, docker, leases};
use crate::containerd::{Containerd, ContainerdError, Prepared, Writer};
use crate::engine::description::ContainerdAccess;
use crate::outcome::{Failure, Outcome};
use crate::text::problem as text;
use crate::unpack::UnpackError;

mod passage;

use passage::{read_blob, unpack_layer};

/// Pieces that may wait for the decoder.
const QUEUE: usize = 8;
/// How long containerd keeps what a killed run has brought. The same command finishes the job within that time without
/// sending it again; later it is rubbish.
const LEASE: Duration = Duration::from_secs(7 * 24 * 3600);
/// Tells containerd that a config keeps a snapshot alive.
const KEEPS_SNAPSHOT: &str = "containerd.io/gc.ref.snapshot.";
/// Tells containerd what a compressed layer is when unpacked.
const UNCOMPRESSED: &str = "containerd.io/uncompressed";

/// containerd's store, open for one run.
#[derive(Debug)]
pub struct Snapshots {
    containerd: Containerd,
    snapshotter: String,
    app: String,
    lease: String,
    opened: SystemTime,
    threads: usize,
    /// Where containerd keeps what is being written, if it tells.
    ingests: Option<PathBuf>,
    is_tested: AtomicBool,
    /// Blobs that are sent and not committed yet: containerd syncs each to the disk, and the next layer need not wait for that.
    /// The writer is taken out while it is waited for; the blob stays here until it is there.
    committing: Mutex<Vec<(Digest, Option<Writer>)>>,
    /// Held by the one request that waits for them.
    settling: Mutex<()>,
}

/// Why a layer did not get in.
#[derive(Debug, thiserror::Error)]
pub(super) enum BringError {
    #[error(transparent)]
    Containerd(#[from] ContainerdError),
    #[error(transparent)]
    Unpack(#[from] UnpackError),
    #[error("something else has failed meanwhile")]
    Elsewhere,
    #[error("the bundle cannot be read")]
    Read(#[source] io::Error),
    #[error("the unpacked layer has another digest than {0}")]
    WrongDiffId(Digest),
    #[error("containerd keeps its snapshots where this process cannot see them")]
    OutOfSight,
}

impl Snapshots {
    /// Opens the store under a lease of its own, and takes over what earlier runs of this application left.
    ///
    /// # Errors
    /// When containerd does not answer or refuses.
    pub fn open(access: &ContainerdAccess, app: &str) -> Result<Self, ContainerdError> {
        let containerd = Containerd::connect(&access.socket, &access.namespace)?;
        let lease = format!("airlift-{app}-{}", uuid());
        let opened = SystemTime::now();
        let expires = humantime::format_rfc3339_seconds(opened + LEASE).to_string();
        containerd.create_lease(&lease, app, &expires)?;
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get).min(4);
        Ok(Self {
            containerd: containerd.under_lease(&lease, app),
            snapshotter: access.snapshotter.clone(),
            app: app.to_owned(),
            lease,
            opened,
            threads,
            ingests: containerd.ingests()?,
            is_tested: AtomicBool::new(false),
            committing: Mutex::new(Vec::new()),
            settling: Mutex::new(()),
        })
    }

    /// Ends the leases of this run and of earlier ones: what the images do not keep by now goes.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn close(&self, content: &Content) -> Result<(), ContainerdError> {
        leases::end(&self.containerd, content, self.opened)
    }

    /// Brings one layer, or, when all are there, manifest, config and name of an image.
    ///
    /// # Errors
    /// When the bundle is damaged, the disk full, or containerd does not take it.
    pub fn bring(&self, loader: &Loader<'_>, request: &Request, turn: &Turn<'_>) -> Outcome<()> {
        let image = &loader.content.images[request.image];
        for layer in &request.layers {
            self.bring_layer(loader, image, *layer, turn)
                .map_err(|error| explain(loader, request, &error))?;
        }
        if !request.names {
            return Ok(());
        }
        self.wait_for_blobs().map_err(|error| explain(loader, request, &error))?;
        self.bring_config(loader, image).map_err(|error| explain(loader, request, &error))?;
        docker::bring(loader, request, turn)
    }

    fn bring_layer(
        &self,
        loader: &Loader<'_>,
        image: &Image,
        number: usize,
        turn: &Turn<'_>,
    ) -> Result<(), BringError> {
        let layer = &image.layers[number];
        let chains = chain_ids(&image.diff_ids());
        let chain = &chains[number];
        let has_blob = self.is_committing(&layer.blob) || self.containerd.has_blob(&layer.blob)?;
        let has_snapshot = self.containerd.has_snapshot(&self.snapshotter, chain)?;
        if has_blob && !self.is_committing(&layer.blob) {
            self.containerd.add_to_lease(&self.lease, "content", &layer.blob.to_string())?;
        }
        if has_snapshot {
            let kind = format!("snapshots/{}", self.snapshotter);
            self.containerd.add_to_lease(&self.lease, &kind, &chain.to_string())?;
        }
        let writer = if has_blob {
            None
        } else {
            let label = (UNCOMPRESSED, layer.diff_id.to_string());
            let ingests = self.ingests.as_deref();
            self.containerd.write_blob(&layer.blob, layer.stored_len, Some(label), ingests)?
        };
        let has_blob = writer.is_none();
        if has_blob && has_snapshot {
            // Somebody else has brought both meanwhile.
            (turn.count)(layer.stored_len);
            return Ok(());
        }
        let parent = number.checked_sub(1).map(|below| &chains[below]);
        let key = format!("airlift-{}-{}", self.app, chain.hex());
        let place = if has_snapshot { None } else { Some(self.prepare(&key, parent)?) };
        // containerd answers late while it counts the files of another layer; all of this has been asked by then.
        let outcome = match turn.wait_for_window() {
            Ok(()) => self.pass(loader, layer, writer, place.as_ref(), turn.count),
            Err(_) => Err(BringError::Elsewhere),
        };
        // What comes is containerd's: it counts the files of the layer, which takes a while.
        turn.set_unpacked();
        if let Err(error) = outcome {
            // Half a layer is of no use to anybody and may be what fills the disk.
            if place.is_some() {
                let _ = self.containerd.remove_snapshot(&self.snapshotter, &key);
            }
            if !has_blob {
                let _ = self.containerd.forget_blob(&layer.blob);
            }
            return Err(error);
        }
        match place {
            Some(_) => Ok(self.containerd.commit_snapshot(&self.snapshotter, &key, chain)?),
            None => Ok(()),
        }
    }

    /// Makes the snapshot that a layer is unpacked into.
    fn prepare(&self, key: &str, parent: Option<&Digest>) -> Result<Prepared, BringError> {
        let mounts = self.containerd.prepare_snapshot(&self.snapshotter, key, parent)?;
        let place = match mounts.as_slice() {
            [mount] => mount.directories(),
            _ => None,
        };
        let place = place.ok_or(BringError::OutOfSight)?;
        if !self.is_tested.load(Ordering::Relaxed) && !self.is_in_sight(key, &place) {
            let _ = self.containerd.remove_snapshot(&self.snapshotter, key);
            return Err(BringError::OutOfSight);
        }
        self.is_tested.store(true, Ordering::Relaxed);
        Ok(place)
    }

    /// Whether what we make in a snapshot's directory is what containerd finds there: it may live in another mount namespace.
    fn is_in_sight(&self, key: &str, place: &Prepared) -> bool {
        let probe = place.dir.join(".airlift-probe");
        let inodes = || self.containerd.snapshot_inodes(&self.snapshotter, key).ok();
        let before = inodes();
        let is_made = std::fs::create_dir(&probe).is_ok();
        let after = inodes();
        is_made
            && std::fs::remove_dir(&probe).is_ok()
            && before.zip(after).is_some_and(|(before, after)| after == before + 1)
    }

    /// Reads a blob once, for the content store and for the snapshot.
    fn pass(
        &self,
        loader: &Loader<'_>,
        layer: &Layer,
        mut writer: Option<Writer>,
        place: Option<&Prepared>,
        count: &(dyn Fn(u64) + Sync),
    ) -> Result<(), BringError> {
        std::thread::scope(|scope| {
            let (pieces, queue) = sync_channel(QUEUE);
            let unpacking =
                place.map(|place| scope.spawn(|| unpack_layer(queue, layer, place, self.threads)));
            let pieces = unpacking.is_some().then_some(pieces);
            let read = read_blob(loader, layer, writer.as_mut(), pieces, count);
            let ended_early = || Err(BringError::Read(io::Error::other("a thread ended early")));
            let unpacked = unpacking.map_or(Ok(()), |thread| thread.join().unwrap_or_else(|_| ended_early()));
            // What could not be read explains everything else.
            let is_whole = read?;
            unpacked?;
            match writer {
                // Only the end of the blob tells whether its digest is right.
                Some(writer) if !is_whole => {
                    writer.finish()?;
                    if place.is_none() {
                        // containerd wanted no more: somebody else has brought it meanwhile.
                        return Ok(());
                    }
                }
                Some(mut writer) => {
                    writer.close();
                    self.committing().push((layer.blob, Some(writer)));
                }
                None => {}
            }
            if is_whole { Ok(()) } else { Err(BringError::WrongDiffId(layer.diff_id)) }
        })
    }

    fn committing(&self) -> std::sync::MutexGuard<'_, Vec<(Digest, Option<Writer>)>> {
        self.committing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_committing(&self, blob: &Digest) -> bool {
        self.committing().iter().any(|(digest, _)| digest == blob)
    }

    /// Waits until containerd has everything that was sent to it, also after a failure: what is whole is there for the next
    /// run, and what is not leaves nothing.
    pub fn settle(&self) {
        // Whoever waits for an image has been told.
        drop(self.wait_for_blobs());
    }

    fn wait_for_blobs(&self) -> Result<(), BringError> {
        // Another image may wait for the same blob: it goes on when this one is through.
        let _turn = self.settling.lock().unwrap_or_else(PoisonError::into_inner);
        let mut outcome = Ok(());
        while let Some((blob, writer)) = self.next_to_settle() {
            let written = writer.finish();
            if written.is_err() {
                let _ = self.containerd.forget_blob(&blob);
            }
            self.committing().retain(|(digest, _)| *digest != blob);
            outcome = outcome.and(written);
        }
        Ok(outcome?)
    }

    fn next_to_settle(&self) -> Option<(Digest, Writer)> {
        self.committing().iter_mut().find_map(|(digest, writer)| Some((*digest, writer.take()?)))
    }

    /// The config goes in before the engine hears of the image: it is what keeps the snapshot.
    fn bring_config(&self, loader: &Loader<'_>, image: &Image) -> Result<(), BringError> {
        let chains = chain_ids(&image.diff_ids());
        let Some(top) = chains.last() else { return Ok(()) };
        if self.containerd.has_blob(&image.config)? {
            self.containerd.add_to_lease(&self.lease, "content", &image.config.to_string())?;
        } else {
            let handle = loader.bundle.handle().map_err(BringError::Read)?;
            let bytes = loader.bundle.bundle.blob_bytes(handle, &image.config, super::stream::DOCUMENT_MAX);
            let bytes = Bytes::from(bytes.map_err(|error| BringError::Read(io::Error::other(error)))?);
            if let Some(mut writer) =
                self.containerd.write_blob(&image.config, bytes.len() as u64, None, None)?
            {
                writer.send(&bytes);
                writer.finish()?;
            }
        }
        let label = format!("{KEEPS_SNAPSHOT}{}", self.snapshotter);
        Ok(self.containerd.label_blob(&image.config, &label, &top.to_string())?)
    }
}

fn explain(loader: &Loader<'_>, request: &Request, error: &BringError) -> Box<Failure> {
    let reference = loader.content.images[request.image].reference.as_str();
    match error {
        BringError::Unpack(unpack) if unpack.is_disk_full() => disk_is_full(reference, error),
        BringError::Containerd(refusal) if refusal.is_disk_full() => disk_is_full(reference, error),
        BringError::Read(_) | BringError::WrongDiffId(_) | BringError::Unpack(UnpackError::Tar(_)) => {
            docker::not_read(loader.bundle, request, loader, error)
        }
        BringError::Containerd(ContainerdError::Silent { .. }) => {
            Failure::midway(text::image_refused(reference))
                .because(error)
                .todo(text::restart_containerd())
                // The engine itself would ask the same containerd.
                .for_good()
        }
        _ => docker::refused(reference, error),
    }
}

fn disk_is_full(reference: &str, error: &BringError) -> Box<Failure> {
    Failure::midway(text::image_refused(reference)).because(error).todo(text::disk_is_full()).for_good()
}

/// Why something that concerns no image in particular was not done.
pub fn containerd_failed(error: &ContainerdError) -> Box<Failure> {
    let todo = match error {
        ContainerdError::Silent { .. } => text::restart_containerd(),
        _ => text::run_again(),
    };
    Failure::midway(text::containerd_refused()).because(error).todo(todo)
}

fn uuid() -> String {
    let mut bytes = [0; 8];
    // Without random numbers the process id tells runs apart well enough: this is a name, not a secret.
    if getrandom::fill(&mut bytes).is_err() {
        bytes = u64::from(std::process::id()).to_be_bytes();
    }
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
