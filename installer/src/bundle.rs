//! The file that is being run, as a bundle: opened once, read in place, verified before anything depends on it.

use std::collections::{BTreeSet, HashSet};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bundle_spec::digest::Digest;
use bundle_spec::error::{Damage, ReadError};
use bundle_spec::layout::STRETCH_LEN;
use bundle_spec::reader::Bundle;

use crate::answers::builtin;
use crate::outcome::{Code, Failure, Outcome};
use crate::text::{Message, bytes, problem as text};

/// How much of a bundle is verified at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Every byte.
    Everything,
    /// Everything but the layers of images. Those are by far the most, and are verified while they are loaded, so that a slow
    /// stick is read once: a layer counts only when its digest is right.
    WithoutLayers,
}

/// An open bundle. The path may be replaced behind our back; the file that was verified stays the one that is read.
#[derive(Debug)]
pub struct BundleFile {
    /// Where it was opened, for messages.
    pub path: PathBuf,
    /// Trailer and index.
    pub bundle: Bundle,
    file: File,
}

impl BundleFile {
    /// Opens a bundle: trailer and index hold, the payload has not been looked at.
    ///
    /// # Errors
    /// [`Code::Bundle`] with what is wrong and what to copy again.
    pub fn open(path: &Path) -> Outcome<Self> {
        let unreadable = |error: &io::Error| {
            Failure::new(Code::Bundle, text::bundle_unreadable(&path.display()))
                .because(error)
                .todo(text::check_medium())
        };
        let mut file = File::open(path).map_err(|error| unreadable(&error))?;
        match Bundle::open(&mut file) {
            Ok(mut bundle) => {
                builtin::add(&mut Arc::make_mut(&mut bundle.index).content);
                Ok(Self { path: path.to_owned(), bundle, file })
            }
            Err(error) => Err(explain(path, &error)),
        }
    }

    /// Another handle on the same file, with a position of its own.
    ///
    /// # Errors
    /// When the process may not open more files.
    pub fn handle(&self) -> io::Result<File> {
        File::open(format!("/proc/self/fd/{}", self.file.as_raw_fd()))
    }

    /// Looks where the damage is, after some blobs could not be used: compares the stretches that they lie in.
    ///
    /// # Errors
    /// [`Code::Bundle`] with the damaged places, or when the file cannot be read.
    pub fn check_blobs(&self, blobs: impl IntoIterator<Item = Digest>) -> Outcome<()> {
        let unreadable = |error: &io::Error| {
            Failure::new(Code::Bundle, text::bundle_unreadable(&self.path.display()))
                .because(error)
                .todo(text::check_medium())
        };
        let places = blobs.into_iter().filter_map(|digest| self.bundle.index.blob(&digest));
        let stretches: BTreeSet<usize> =
            places.flat_map(|blob| self.bundle.stretches_of(blob.offset, blob.len)).collect();
        let mut source = self.handle().map_err(|error| unreadable(&error))?;
        let found = self.bundle.check_stretches(&mut source, stretches.into_iter(), |_| {});
        let damaged = found.map_err(|error| unreadable(&error))?;
        if damaged.is_empty() {
            return Ok(());
        }
        let damage = self.bundle.describe_damage(damaged);
        Err(damage_failure(&self.path, &damage, self.bundle.trailer.total_len))
    }

    /// Whether a blob, read once more, is what its digest says.
    pub fn is_right(&self, blob: &Digest) -> bool {
        let read = |file| io::copy(&mut self.bundle.blob(file, blob).ok()?, &mut io::sink()).ok();
        self.handle().ok().and_then(read).is_some()
    }

    /// Bytes that [`BundleFile::verify`] reads for this extent.
    pub fn len_of(&self, extent: Extent) -> u64 {
        let last = self.bundle.stretch_count().saturating_sub(1);
        let len = |number: usize| if number == last { self.bundle.last_stretch_len() } else { STRETCH_LEN };
        self.stretches(extent).into_iter().map(len).sum()
    }

    /// The stretches of an extent, forwards.
    fn stretches(&self, extent: Extent) -> Vec<usize> {
        if extent == Extent::Everything {
            return (0..self.bundle.stretch_count()).collect();
        }
        let index = &self.bundle.index;
        let images = &index.content.images;
        let layers: HashSet<Digest> =
            images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob).collect();
        let blobs = index.place.blobs.iter().filter(|blob| !layers.contains(&blob.digest));
        let parts = blobs.map(|blob| (blob.offset, blob.len));
        let stubs = index.place.stubs.iter().map(|stub| (stub.offset, stub.len));
        let parts = parts.chain(stubs).chain([(0, index.place.launcher_len)]);
        let stretches: BTreeSet<usize> =
            parts.flat_map(|(offset, len)| self.bundle.stretches_of(offset, len)).collect();
        stretches.into_iter().collect()
    }

    /// Reads what `extent` says and compares it with the index, on all processors. `progress` gets the bytes read so far.
    ///
    /// # Errors
    /// [`Code::Bundle`] with the damaged places.
    pub fn verify(&self, extent: Extent, progress: &(dyn Fn(u64) + Sync)) -> Outcome<()> {
        let wanted = self.stretches(extent);
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (next, done) = (AtomicUsize::new(0), AtomicU64::new(0));
        let damaged = Mutex::new(Vec::new());
        let work = || -> io::Result<()> {
            let mut source = self.handle()?;
            // Neighbouring stretches to the same thread: a stick reads forwards.
            let stretches = std::iter::from_fn(|| Some(next.fetch_add(1, Ordering::Relaxed)))
                .map_while(|position| wanted.get(position).copied());
            let found = self.bundle.check_stretches(&mut source, stretches, |len| {
                progress(done.fetch_add(len, Ordering::Relaxed) + len);
            })?;
            if let Ok(mut damaged) = damaged.lock() {
                damaged.extend(found);
            }
            Ok(())
        };
        let results: Vec<io::Result<()>> = std::thread::scope(|scope| {
            let handles: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let join = |handle: std::thread::ScopedJoinHandle<'_, _>| {
                handle.join().unwrap_or_else(|_| Err(io::Error::other("a thread ended early")))
            };
            handles.into_iter().map(join).collect()
        });
        if let Some(error) = results.into_iter().find_map(Result::err) {
            let failure = Failure::new(Code::Bundle, text::bundle_unreadable(&self.path.display()));
            return Err(failure.because(&error).todo(text::check_medium()));
        }
        let damaged = damaged.into_inner().unwrap_or_default();
        if damaged.is_empty() {
            return Ok(());
        }
        let damage = self.bundle.describe_damage(damaged);
        Err(damage_failure(&self.path, &damage, self.bundle.trailer.total_len))
    }
}

fn damage_failure(path: &Path, damage: &[Damage], total: u64) -> Box<Failure> {
    let megabytes = |bytes: u64| (bytes as f64 / 1e6).round();
    let details = damage.iter().map(|damage| {
        let (start, end) = (megabytes(damage.start), megabytes(damage.end));
        text::stretch_damaged(start, end, &bytes(total), &damage.parts.join(", "))
    });
    Failure::new(Code::Bundle, text::bundle_damaged(&path.display()))
        .listing(details.collect())
        .todo(text::copy_again())
}

/// Why a file cannot be used as a bundle, for people.
fn explain(path: &Path, error: &ReadError) -> Box<Failure> {
    let shown = path.display();
    let (what, todo): (Message, Message) = match error {
        ReadError::NotABundle => (text::not_a_bundle(&shown), text::run_the_right_file()),
        ReadError::WrongLength { actual, expected } if actual < expected => (
            text::bundle_truncated(&shown, &bytes(*actual), &bytes(*expected), expected - actual),
            text::copy_again(),
        ),
        ReadError::WrongLength { actual, expected } => {
            (text::bundle_too_long(&shown, actual - expected), text::copy_again())
        }
        ReadError::Version { .. } => (text::bundle_version(&shown), text::ask_vendor()),
        ReadError::Signature(_) => (text::bundle_forged(&shown), crate::text::trust::do_not_install()),
        ReadError::Unacceptable(_) => (text::bundle_unacceptable(&shown), text::ask_vendor()),
        ReadError::Io(_) => (text::bundle_unreadable(&shown), text::check_medium()),
        _ => (text::bundle_damaged(&shown), text::copy_again()),
    };
    Failure::new(Code::Bundle, what).because(error).todo(todo)
}
