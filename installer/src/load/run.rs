//! Carries out a load plan and proves it: every image is read back from the engine before it counts as loaded.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use bundle_spec::index::Content;
use bytes::Bytes;

use super::plan::{is_same, without_omissions};
use super::{ImageLoad, LoadPlan, stream};
use crate::bundle::BundleFile;
use crate::engine::{Engine, EngineError};
use crate::outcome::{Failure, Outcome};
use crate::text::{Message, problem as text};

/// Pieces of [`stream`] that may wait for the engine, for each request.
const QUEUE: usize = 4;

/// Loads what the plan says. `progress` is told the bytes sent so far, from several threads.
///
/// # Errors
/// The first image that could not be loaded or is not there afterwards.
pub fn run(
    plan: &LoadPlan,
    content: &Content,
    bundle: &BundleFile,
    engine: &Engine,
    progress: &(dyn Fn(u64) + Sync),
) -> Outcome<()> {
    let sent = AtomicU64::new(0);
    let count = |bytes| progress(sent.fetch_add(bytes, Ordering::Relaxed) + bytes);
    for wave in &plan.waves {
        std::thread::scope(|scope| {
            let loads = wave.iter().map(|number| &plan.loads[*number]);
            let threads: Vec<_> = loads
                .map(|load| scope.spawn(|| load_and_prove(plan, load, content, bundle, engine, &count)))
                .collect();
            // Every thread is waited for: none may go on behind a reported failure.
            let results: Vec<_> = threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
            results.into_iter().try_for_each(|result| {
                result
                    .unwrap_or_else(|_| Err(Failure::midway(text::internal("a loading thread ended early"))))
            })
        })?;
    }
    Ok(())
}

fn load_and_prove(
    plan: &LoadPlan,
    load: &ImageLoad,
    content: &Content,
    bundle: &BundleFile,
    engine: &Engine,
    count: &(dyn Fn(u64) + Sync),
) -> Outcome<()> {
    let image = &content.images[load.image];
    let attempt = |load: &ImageLoad| -> Outcome<()> {
        let (body, pieces) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(QUEUE);
        let (written, replied) = std::thread::scope(|scope| {
            let failed = body.clone();
            let writer = scope.spawn(move || {
                let written =
                    stream::write(&bundle.bundle, || bundle.handle(), image, load, plan.form, body, count);
                if let Err(error) = &written {
                    // Breaks the request off, so that the engine does not take half a tar for a whole one.
                    let _ = failed.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
                }
                written
            });
            let replied = engine.load(pieces);
            (writer.join().unwrap_or_else(|_| Err(io::Error::other("the reader ended early"))), replied)
        });
        judge(load, written, replied)?;
        prove(load, content, engine)
    };
    match attempt(load) {
        // What seemed to be there may have been pruned, or belong to another namespace of containerd.
        Err(_) if load.send.contains(&false) => attempt(&without_omissions(load)),
        outcome => outcome,
    }
}

/// Whose fault it was: a damaged bundle shows on our side, anything else on the engine's.
fn judge(load: &ImageLoad, written: io::Result<()>, replied: Result<(), EngineError>) -> Outcome<()> {
    let reference = load.reference.as_str();
    match (written, replied) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::midway(text::image_not_read(reference)).because(&error).todo(text::check_medium()))
        }
        (_, Err(error)) => {
            Err(Failure::midway(text::image_refused(reference)).because(&error).todo(full_or_again(&error)))
        }
        (Err(error), Ok(())) => Err(Failure::midway(text::image_refused(reference)).because(&error)),
    }
}

fn full_or_again(error: &EngineError) -> Message {
    let mut text = String::new();
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(error) = source {
        text.push_str(&error.to_string());
        source = error.source();
    }
    if text.contains("no space left") { text::disk_is_full() } else { text::run_again() }
}

/// Reads an image back: layers, config and name as in the bundle, and a container can be made of it.
fn prove(load: &ImageLoad, content: &Content, engine: &Engine) -> Outcome<()> {
    let image = &content.images[load.image];
    let reference = load.reference.as_str();
    let not_there = || Failure::midway(text::image_not_there(reference));
    let present = engine.image(reference).map_err(|error| not_there().because(&error))?;
    if !present.is_some_and(|present| is_same(image, &present)) {
        return Err(not_there().todo(text::run_again()));
    }
    engine.prove_image(&load.reference).map_err(|error| not_there().because(&error).todo(text::run_again()))
}
