//! Bundles as files: opened, and checked byte for byte by several threads.

use std::fs::File;
use std::path::Path;
use std::thread;

use bundle_spec::error::{Damage, ReadError};
use bundle_spec::reader::Bundle;

use crate::event::{Emit, Event};
use crate::outcome::{Explain, Failure, Outcome};

/// More threads than this wait for the disk.
const THREADS_MAX: usize = 4;

/// Opens a bundle: its trailer and index hold.
pub fn open(path: &Path) -> Outcome<(File, Bundle)> {
    let mut file = File::open(path).explain(|| format!("cannot read {}", path.display()))?;
    let bundle = Bundle::open(&mut file).map_err(|error| Failure::unreadable_bundle(path, error))?;
    Ok((file, bundle))
}

/// Reads everything and finds what is damaged.
pub fn check(path: &Path, bundle: &Bundle, emit: Emit<'_>) -> Outcome<Vec<Damage>> {
    let count = bundle.stretch_count();
    let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS_MAX);
    let share = count.div_ceil(threads).max(1);
    emit(Event::Started { work: "checking".to_owned(), total: bundle.trailer.index_offset });
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
    Ok(bundle.describe_damage(damaged))
}
