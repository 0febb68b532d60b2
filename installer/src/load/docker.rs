//! Brings a request through `docker load`, and proves that an image is there.

use std::io;

use bundle_spec::digest::Digest;
use bundle_spec::project::Image;
use bytes::Bytes;

use super::board::Turn;
use super::run::Loader;
use super::snapshot::BringError;
use super::{Form, Request, plan::is_same, prefix, stream};
use crate::bundle::BundleFile;
use crate::engine::{Engine, EngineError};
use crate::outcome::{Code, Failure, Outcome};
use crate::text::{problem as text, progress};

/// Pieces of [`stream`] that may wait for the engine, for each request.
const QUEUE: usize = 4;

/// How often a request is sent when the engine took it and what it brought is gone at once. A prune takes whatever has no
/// container, and a load and the first container of its image are two requests.
const TRIES: usize = 8;

/// Sends one request, and, if it completes an image, reads the image back.
///
/// # Errors
/// When the bundle cannot be read, the engine refuses, or the image is not there afterwards.
pub fn bring(loader: &Loader<'_>, request: &Request, turn: &Turn<'_>) -> Outcome<()> {
    send(loader, request, turn)?;
    let mut outcome = hold(loader, request);
    for _ in 1..TRIES {
        if !outcome.as_ref().is_err_and(|failure| failure.is_removal) {
            break;
        }
        // Its bytes were counted the first time.
        let _alone = turn.again();
        send(loader, request, &Turn { count: &|_| {}, ..*turn })?;
        outcome = hold(loader, request);
    }
    outcome
}

fn send(loader: &Loader<'_>, request: &Request, turn: &Turn<'_>) -> Outcome<()> {
    let image = &loader.content.images[request.image];
    let (body, pieces) = tokio::sync::mpsc::channel::<io::Result<Bytes>>(QUEUE);
    let (written, replied) = std::thread::scope(|scope| {
        let failed = body.clone();
        let writer = scope.spawn(move || {
            let open = || loader.bundle.handle();
            let written =
                stream::write(&loader.bundle.bundle, open, image, request, loader.plan.form, body, turn);
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
        turn.set_answered();
        (writer.join().unwrap_or_else(|_| Err(io::Error::other("the reader ended early"))), replied)
    });
    judge(loader, request, written, replied)
}

/// Keeps what a request brought from somebody's prune; a whole image is proven thereby.
fn hold(loader: &Loader<'_>, request: &Request) -> Outcome<()> {
    let image = &loader.content.images[request.image];
    let app = &loader.content.app.name;
    if request.names {
        return prove(loader.engine, image, app);
    }
    // What stands for lower layers has no name, and is the first thing that would be taken.
    let id = Digest::of(&prefix::config(image, request.depth)).to_string();
    loader.engine.hold_image(&id, app).map_err(|error| refused(image.reference.as_str(), &error))
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
    error: &(dyn std::error::Error + 'static),
) -> Box<Failure> {
    let image = &loader.content.images[request.image];
    let layers = request.layers.iter().map(|layer| image.layers[*layer].blob);
    let blobs: Vec<Digest> = layers.chain([image.manifest, image.config]).collect();
    match bundle.check_blobs(blobs.iter().copied()) {
        Err(damage) => damage,
        // It is as it was written, and one part is not what another one says that it is.
        Ok(()) if is_wrong_layer(error) || !blobs.iter().all(|blob| bundle.is_right(blob)) => {
            Failure::new(Code::Bundle, text::bundle_unacceptable(&bundle.path.display()))
                .because(error)
                .todo(text::ask_vendor())
        }
        Ok(()) => Failure::midway(text::image_not_read(image.reference.as_str()))
            .because(error)
            .todo(text::check_medium()),
    }
}

fn is_wrong_layer(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|error| matches!(error.downcast_ref(), Some(BringError::WrongDiffId(_))))
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
    let gone = |cause: &String| REMOVED.iter().any(|words| cause.contains(words));
    let failure = if failure.causes.iter().any(gone) { failure.removed() } else { failure };
    failure.todo(text::run_again())
}

/// What engine and containerd say of something that was removed behind our back.
const REMOVED: [&str; 3] = ["No such image", "not found", "does not exist"];

/// Reads an image back: layers, config and name as in the bundle, and a container can be made of it, which holds it.
///
/// # Errors
/// When it is not there, or not this one.
pub fn prove(engine: &Engine, image: &Image, app: &str) -> Outcome<()> {
    let reference = image.reference.as_str();
    let not_there = || Failure::midway(text::image_not_there(reference)).todo(text::run_again());
    // First the container: without it, what is read back may be gone in the next moment.
    let held = engine.hold_image(reference, app);
    match engine.image(reference).map_err(|error| not_there().because(&error))? {
        None => return Err(not_there().removed()),
        Some(present) if !is_same(image, &present) => return Err(not_there()),
        Some(_) => {}
    }
    // Gone when the container was to be made, and brought again by somebody since: as good as gone.
    held.map_err(|error| {
        let failure = refused(reference, &error);
        if failure.is_removal { not_there().because(&error).removed() } else { not_there().because(&error) }
    })
}
