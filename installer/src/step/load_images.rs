//! Loads the images that are not complete, reads each back, and syncs the engine's disk before it counts as done.

use super::Context;
use crate::engine::Store;
use crate::facts::{EngineFacts, inventory};
use crate::host::file;
use crate::load::{plan::is_same, plan::plan, run};
use crate::outcome::{Failure, Outcome};
use crate::plan::Step;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    // What was not synced before the power went may be there in name only (containerd#5854): a load that was begun in
    // an earlier boot and never recorded as done is not believed.
    let boot_id = &context.facts.machine.boot_id;
    let id = Step::LoadImages.id();
    let is_doubtful = context.receipt.steps.iter().any(|step| {
        step.id == id && step.state != crate::receipt::StepState::Done && step.boot_id != *boot_id
    });
    let Ok(engine) = context.engine() else { return false };
    let is_there = |image: &bundle_spec::project::Image| {
        engine.image(image.reference.as_str()).ok().flatten().is_some_and(|present| is_same(image, &present))
    };
    !is_doubtful && context.content.images.iter().all(is_there)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let engine = context.engine()?;
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let description = engine.describe().map_err(silent)?;
    let is_containerd = description.store == Store::Containerd;
    let facts =
        EngineFacts::Running { socket: context.plan.engine.socket.clone(), description: description.clone() };
    let found = inventory::collect(&facts, &context.content.project.name, &context.bundle.bundle.index);
    let load = plan(context.content, &found, &description);
    let title = context.plan.describe_step(Step::LoadImages, context.content);
    context.progress(&title, 0, load.send_bytes);
    let progress = |done: u64| context.progress(&title, done, load.send_bytes);
    run::run(&load, context.content, context.bundle, &engine, &progress)?;
    // Neither store makes image files durable by itself.
    let roots = [Some(description.root.clone()), is_containerd.then(|| description.containerd_root())];
    for root in roots.into_iter().flatten() {
        let failed = |error| Failure::midway(text::cannot_sync(&root.display())).because(&error);
        file::sync_file_system(&root).map_err(failed)?;
    }
    Ok(())
}
