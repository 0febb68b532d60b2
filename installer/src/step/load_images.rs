//! Loads the images that are not complete, reads each back, and syncs the engine's disk before it counts as done.

use super::Context;
use crate::engine::Store;
use crate::facts::{EngineFacts, Inventory, inventory};
use crate::host::file;
use crate::load::{plan::is_same, plan::plan, run};
use crate::outcome::{Failure, Outcome};
use crate::plan::Step;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    // Only what was synced counts: an image that is merely there may be so in name only after a power cut.
    let Ok(engine) = context.engine() else { return false };
    let is_there = |image: &bundle_spec::project::Image| {
        engine.image(image.reference.as_str()).ok().flatten().is_some_and(|present| is_same(image, &present))
    };
    context.receipt.is_done(Step::LoadImages.id()) && context.content.images.iter().all(is_there)
}

/// A load that was begun in an earlier boot and never ended well: its files may be empty though the engine calls the
/// layers complete (containerd#5854).
fn is_doubtful(context: &Context<'_>) -> bool {
    let boot_id = &context.facts.machine.boot_id;
    let loads = &context.receipt.load_begun_in;
    !context.receipt.was_synced && !loads.is_empty() && loads != boot_id
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let engine = context.engine()?;
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let description = engine.describe().map_err(silent)?;
    let is_containerd = description.store == Store::Containerd;
    let facts =
        EngineFacts::Running { socket: context.plan.engine.socket.clone(), description: description.clone() };
    let found = if is_doubtful(context) {
        for image in &context.content.images {
            engine.remove_image(&image.reference).map_err(silent)?;
        }
        Inventory::default()
    } else {
        inventory::collect(&facts, &context.content.project.name, &context.bundle.bundle.index)
    };
    let load = plan(context.content, &found, &description);
    context.receipt.load_begun_in.clone_from(&context.facts.machine.boot_id);
    context.receipt.was_synced = false;
    for load in &load.loads {
        // What was there under this name before us is not ours to remove.
        let reference = load.reference.as_str().to_owned();
        let was_there = found.images.iter().any(|image| image.tags.contains(&load.reference));
        if !was_there && !context.receipt.loaded.contains(&reference) {
            context.receipt.loaded.push(reference);
        }
    }
    context.save()?;
    let title = context.plan.describe_step(Step::LoadImages, context.content);
    context.progress(&title, 0, load.send_bytes);
    let progress = |done: u64| context.progress(&title, done, load.send_bytes);
    run::run(&load, context.content, context.bundle, &engine, &progress)?;
    // Neither store makes image files durable by itself.
    let roots = [Some(description.root.clone()), is_containerd.then(|| description.containerd_root.clone())];
    for root in roots.into_iter().flatten() {
        let failed = |error| Failure::midway(text::cannot_sync(&root.display())).because(&error);
        file::sync_file_system(&root).map_err(failed)?;
    }
    context.receipt.was_synced = true;
    Ok(())
}
