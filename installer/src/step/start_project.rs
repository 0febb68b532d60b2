//! `docker compose up`: never builds, never pulls, and only with images that the bundle brought.

use bundle_spec::digest::Digest;
use bundle_spec::reference::ImageReference;

use super::Context;
use crate::health;
use crate::outcome::{Failure, Outcome};
use crate::project::compose::Compose;
use crate::project::env_file;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let Ok(engine) = context.engine() else { return false };
    let Ok(containers) = engine.containers(&context.content.project.name) else { return false };
    let is_up = |service: &String| {
        let mut of = containers.iter().filter(|container| container.service == *service).peekable();
        of.peek().is_some() && of.all(|container| container.is_well() || container.is_finished())
    };
    context.receipt.started_as == fingerprint(context)
        && !containers.is_empty()
        && context.content.project.services.iter().all(is_up)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let plan = context.plan;
    let compose = Compose::new(&plan.engine.compose, &plan.layout, &plan.engine.socket, context.content);
    refuse_foreign_images(&compose, context)?;
    let up = || compose.run(&["up", "--detach", "--no-build", "--pull", "never", "--remove-orphans"]);
    let up = context.reporter.while_waiting(None, up);
    up.map_err(|failure| explain(context, failure))?;
    // Their own containers hold the images now.
    let engine = context.engine()?;
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    engine.release_images(&context.content.app.name, |_| true).map_err(silent)?;
    context.receipt.started_as = fingerprint(context);
    Ok(())
}

/// `up` fails when a service that others depend on does not get healthy: then the services' own words say why.
fn explain(context: &Context<'_>, failure: Box<Failure>) -> Box<Failure> {
    let Ok(engine) = context.engine() else { return failure };
    let has_containers =
        engine.containers(&context.content.project.name).is_ok_and(|containers| !containers.is_empty());
    let observed = health::observe(context.content, context.answers, &engine);
    match observed {
        Ok(services) if has_containers => {
            let unwell = health::unwell(context.content, &services, &engine, &context.plan.layout);
            failure.causes.into_iter().fold(unwell, Failure::quoting)
        }
        _ => failure,
    }
}

/// An image name may depend on an answer; one that the bundle lacks would send the engine to a registry.
fn refuse_foreign_images(compose: &Compose, context: &Context<'_>) -> Outcome<()> {
    let needed = compose.run(&["config", "--images"])?.stdout;
    let is_carried = |name: &str| {
        ImageReference::parse(name)
            .is_ok_and(|reference| context.content.images.iter().any(|image| image.reference == reference))
    };
    let foreign: Vec<_> =
        needed.lines().map(str::trim).filter(|name| !name.is_empty() && !is_carried(name)).collect();
    if foreign.is_empty() {
        return Ok(());
    }
    Err(Failure::midway(text::images_not_carried(&foreign.join(", "))).todo(text::ask_vendor()))
}

/// What the containers depend on; when it changes, `up` must run again.
fn fingerprint(context: &Context<'_>) -> String {
    let env = env_file::render(context.content, context.answers);
    let files: String = context.content.project.files.iter().map(|file| file.blob.to_string()).collect();
    let images: String = context.content.images.iter().map(|image| image.manifest.to_string()).collect();
    Digest::of(format!("{env}{files}{images}").as_bytes()).to_string()
}
