//! Brings a request through `docker load`, and proves that an image is there.

use std::io;

use bundle_spec::digest::Digest;
use bundle_spec::project::Image;
use bytes::Bytes;

use super::run::Loader;
use super::{Form, Request, plan::is_same, prefix, stream};
use crate::bundle::BundleFile;
use crate::engine::{Engine, EngineError};
use crate::outcome::{Failure, Outcome};
use crate::text::{problem as text, progress};

/// Pieces of [`stream`] that may wait for the engine, for each request.
const QUEUE: usize = 4;

/// Sends one request, and, if it completes an image, reads the image back.
///
/// # Errors
/// When the bundle cannot be read, the engine refuses, or the image is not there afterwards.
pub fn bring(loader: &Loader<'_>, request: &Request, count: &(dyn Fn(u64) + Sync)) -> Outcome<()> {
    let image = &loader.content.images[request.image];
    let (body, pieces) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(QUEUE);
    let (written, replied) = std::thread::scope(|scope| {
        let failed = body.clone();
        let writer = scope.spawn(move || {
            let open = || loader.bundle.handle();
            let written =
                stream::write(&loader.bundle.bundle, open, image, request, loader.plan.form, body, count);
            if written.is_ok() && !request.layers.is_empty() && loader.plan.form != Form::Snapshots {
                (loader.phase)(progress::unpacking(image.reference.as_str()));
            }
            if let Err(error) = &written {
                // Breaks the request off, so that the engine does not take half a tar for a whole one.
                let _ = failed.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
            }
            written
        });
        let replied = loader.engine.load(pieces);
        (writer.join().unwrap_or_else(|_| Err(io::Error::other("the reader ended early"))), replied)
    });
    judge(loader, request, written, replied)?;
    let app = &loader.content.app.name;
    if request.names {
        return prove(loader.engine, image, app);
    }
    // What stands for lower layers has no name, and is the first thing that somebody's prune would take.
    let id = Digest::of(&prefix::config(image, request.depth)).to_string();
    let refused = |error| refused(image.reference.as_str(), &error);
    loader.engine.hold_image(&id, app).map_err(refused)
}

/// Whose fault it was: what cannot be read shows on our side, anything else on the engine's.
fn judge(
    loader: &Loader<'_>,
    request: &Request,
    written: io::Result<()>,
    replied: Result<(), EngineError>,
) -> Outcome<()> {
    let reference = loader.content.images[request.image].reference.as_str();
    match (written, replied) {
        (Ok(()), Ok(())) => Ok(()),
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(not_read(loader.bundle, request, loader, &error))
        }
        (_, Err(error @ EngineError::Stalled { .. })) => Err(stalled(reference, &error)),
        (_, Err(error)) => Err(refused(reference, &error)),
        (Err(error), Ok(())) => Err(Failure::midway(text::image_refused(reference)).because(&error)),
    }
}

/// Why a layer could not be read: if it is damaged, says where.
pub fn not_read(
    bundle: &BundleFile,
    request: &Request,
    loader: &Loader<'_>,
    error: &dyn std::error::Error,
) -> Box<Failure> {
    let image = &loader.content.images[request.image];
    let layers = request.layers.iter().map(|layer| image.layers[*layer].blob);
    match bundle.check_blobs(layers.chain([image.manifest, image.config])) {
        Err(damage) => damage,
        Ok(()) => Failure::midway(text::image_not_read(image.reference.as_str()))
            .because(error)
            .todo(text::check_medium()),
    }
}

/// An earlier load that broke off may hold what this one needs, until the engine is started anew (moby#51623). That would
/// stop containers which are not ours, so it is for a person to do.
fn stalled(reference: &str, error: &EngineError) -> Box<Failure> {
    Failure::midway(text::image_refused(reference)).because(error).todo(text::restart_engine()).for_good()
}

/// The engine, or what lies below it, said no.
pub fn refused(reference: &str, error: &dyn std::error::Error) -> Box<Failure> {
    let failure = Failure::midway(text::image_refused(reference)).because(error);
    // The only form in which engines tell: their own text.
    if failure.causes.iter().any(|cause| cause.contains("no space left") || cause.contains("quota exceeded"))
    {
        return failure.todo(text::disk_is_full()).for_good();
    }
    failure.todo(text::run_again())
}

/// Reads an image back: layers, config and name as in the bundle, and a container can be made of it, which holds it.
///
/// # Errors
/// When it is not there, or not this one.
pub fn prove(engine: &Engine, image: &Image, app: &str) -> Outcome<()> {
    let reference = image.reference.as_str();
    let not_there = || Failure::midway(text::image_not_there(reference));
    let present = engine.image(reference).map_err(|error| not_there().because(&error))?;
    if !present.is_some_and(|present| is_same(image, &present)) {
        return Err(not_there().todo(text::run_again()));
    }
    engine.hold_image(reference, app).map_err(|error| not_there().because(&error).todo(text::run_again()))
}
