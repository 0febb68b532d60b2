//! Bundles as files: opened, and checked byte for byte by several threads.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::thread;

use bundle_spec::digest::HashingReader;
use bundle_spec::error::{Damage, ReadError};
use bundle_spec::reader::Bundle;

use crate::event::{Emit, Event};
use crate::outcome::{Explain, Failure, Outcome};
use crate::range::Range;

/// More threads than this wait for the disk.
const THREADS_MAX: usize = 4;

/// Opens a bundle: its trailer and index hold.
pub fn open(path: &Path) -> Outcome<(File, Bundle)> {
    let mut file = File::open(path).map_err(|error| {
        let what = format!("cannot read {}", path.display());
        let failure = match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Failure::usage(what),
            _ => Failure::new(what),
        };
        failure.because(error).hint("give the path of a .run file that `airlift pack` wrote")
    })?;
    let bundle = Bundle::open(&mut file).map_err(|error| Failure::unreadable_bundle(path, error))?;
    Ok((file, bundle))
}

/// Reads everything and finds what is damaged.
pub fn check(path: &Path, bundle: &Bundle, emit: Emit<'_>) -> Outcome<Vec<Damage>> {
    let count = bundle.stretch_count();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let share = count.div_ceil(threads).max(1);
    let total = bundle.trailer.index_offset;
    emit(Event::Started { work: "checking".to_owned(), total, of: "of the file" });
    let check_share = |first: usize| {
        let mut file = File::open(path).map_err(ReadError::Io)?;
        let stretches = first..(first + share).min(count);
        bundle.check_stretches(&mut file, stretches, |len| emit(Event::Advanced(len))).map_err(ReadError::Io)
    };
    let results: Vec<_> = thread::scope(|scope| {
        let workers: Vec<_> =
            (0..count).step_by(share).map(|first| scope.spawn(move || check_share(first))).collect();
        workers.into_iter().map(thread::ScopedJoinHandle::join).collect()
    });
    emit(Event::Ended);
    let mut damaged = Vec::new();
    for result in results {
        let result = result.map_err(|_| Failure::new(format!("checking {} ended early", path.display())))?;
        damaged.extend(result.map_err(|error| Failure::unreadable_bundle(path, error))?);
    }
    bundle.describe_damage(damaged).into_iter().map(|damage| narrow(path, bundle, damage)).collect()
}

/// Leaves of the parts that a damaged run touches those that are damaged themselves. Only a damaged file costs this.
fn narrow(path: &Path, bundle: &Bundle, damage: Damage) -> Outcome<Damage> {
    let file = File::open(path).explain(|| format!("cannot read {}", path.display()))?;
    let index = &bundle.index;
    let touched = |offset: u64, len: u64| offset < damage.end && damage.start < offset + len;
    let holds = |offset, len, digest| {
        let mut reader = HashingReader::new(Range::new(&file, offset, len));
        io::copy(&mut reader, &mut io::sink()).is_ok() && reader.finish().0 == digest
    };
    let mut parts = Vec::new();
    for stub in index.place.stubs.iter().filter(|stub| touched(stub.offset, stub.len)) {
        if !holds(stub.offset, stub.len, stub.digest) {
            parts.push(format!("installer for {}", stub.arch));
        }
    }
    for blob in index.place.blobs.iter().filter(|blob| touched(blob.offset, blob.len)) {
        if !holds(blob.offset, blob.len, blob.digest) {
            parts.push(index.content.name_of(&blob.digest));
        }
    }
    // Neither launcher nor padding has a digest of its own.
    if parts.is_empty() {
        parts.push(if damage.start < index.place.launcher_len { "launcher" } else { "padding" }.to_owned());
    }
    parts.dedup();
    Ok(Damage { parts, ..damage })
}
