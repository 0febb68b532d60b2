//! Loads the images that are not complete, reads each back, and syncs the engine's disk before it counts as done.

use std::time::SystemTime;

use bundle_spec::index::Content;
use bundle_spec::project::Image;

use super::Context;
use crate::engine::{Description, Engine, PresentImage, Store};
use crate::event::Event;
use crate::facts::{EngineFacts, inventory};
use crate::host::file;
use crate::load::plan::{is_same, plan};
use crate::load::run::Loader;
use crate::load::snapshot::{self, Snapshots};
use crate::load::{Form, Trust, docker, leases, names, prefix, replaced};
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::Step;
use crate::receipt::Receipt;
use crate::text::cause::explained;
use crate::text::{problem as text, progress};

/// How often what somebody removes beside us is brought again.
const ROUNDS: usize = 5;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    // Only what was synced counts: an image that is merely there may be so in name only after a power cut.
    let Ok(engine) = context.engine() else { return false };
    let is_there = |image: &Image| {
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
    if is_doubtful(context) {
        forget(context, &engine, &description)?;
    }
    let mut rounds = 1;
    while let Err(failure) = bring(context, &engine, &description, rounds == ROUNDS) {
        if !failure.is_removal || rounds == ROUNDS {
            return Err(failure);
        }
        rounds += 1;
    }
    context.receipt.was_synced = true;
    Ok(())
}

/// Brings what is missing, in the best way and, if that fails, in the plainest; nothing is left of the way itself, and
/// everything is on the disk and proven.
fn bring(
    context: &mut Context<'_>,
    engine: &Engine,
    description: &Description,
    is_last_round: bool,
) -> Outcome<()> {
    if let Err(failure) = attempt(context, engine, description, Trust::Usual) {
        // The engine may be unlike others of its kind. A damaged file and a full disk stay what they are, and what was
        // removed is brought again in the same way first.
        let stays =
            failure.code != Code::Failed || failure.is_final || (failure.is_removal && !is_last_round);
        if stays {
            return Err(failure);
        }
        if !engine.is_answering() {
            return Err(failure.todo(text::start_engine_again()));
        }
        context.reporter.emit(&Event::Note { text: progress::plain_way(&failure.what) });
        for cause in &failure.causes {
            context.reporter.emit(&Event::Note { text: explained(cause) });
        }
        attempt(context, engine, description, Trust::Nothing)?;
    }
    remove_prefixes(context, engine)?;
    context.reporter.emit(&Event::Phase { title: progress::syncing() });
    // Neither store makes image files durable by itself.
    sync(description)?;
    context.reporter.emit(&Event::Phase { title: progress::checking_images() });
    // Last of all: a prune that began before an image was held may have taken it until now, and so may the garbage
    // collection at the end of our leases.
    let app = &context.content.app.name;
    context.content.images.iter().try_for_each(|image| docker::prove(engine, image, app))
}

/// Plans with what the engine has now, and carries the plan out.
fn attempt(
    context: &mut Context<'_>,
    engine: &Engine,
    description: &Description,
    trust: Trust,
) -> Outcome<()> {
    let facts =
        EngineFacts::Running { socket: context.plan.engine.socket.clone(), description: description.clone() };
    let found = inventory::collect(&facts, &context.content.project.name, &context.bundle.bundle.index);
    if let Some(why) = &found.images_error {
        // What is there already would be taken for ours.
        let socket = context.plan.engine.socket.display().to_string();
        return Err(Failure::midway(text::engine_not_there(&socket)).quoting(why).todo(text::run_again()));
    }
    let plan = plan(context.content, &found, description, trust);
    // What an earlier boot sent has been removed by now; an attempt before this one has sent more than is left for this one.
    if context.receipt.load_begun_in != context.facts.machine.boot_id {
        context.receipt.sent.clear();
    }
    context.receipt.load_begun_in.clone_from(&context.facts.machine.boot_id);
    context.receipt.was_synced = false;
    record_names(context, &plan.images, &found.images);
    for image in &plan.images {
        // What was there under this name before us is not ours to remove.
        let reference = &context.content.images[*image].reference;
        let was_there = found.images.iter().any(|image| image.tags.contains(reference));
        if !was_there && !context.receipt.loaded.contains(&reference.to_string()) {
            context.receipt.loaded.push(reference.to_string());
        }
        if !context.receipt.sent.contains(&reference.to_string()) {
            context.receipt.sent.push(reference.to_string());
        }
    }
    context.save()?;
    if description.drops_replaced_images() {
        let silent =
            |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
        names::keep(engine, &context.receipt.priors).map_err(silent)?;
    }
    let refused = |error| snapshot::containerd_failed(&error);
    let access = description.containerd.as_ref().filter(|_| plan.form == Form::Snapshots);
    let open = |access| Snapshots::open(access, &context.content.app.name).map_err(refused);
    let snapshots = access.map(open).transpose()?;
    let title = context.plan.describe_step(Step::LoadImages, context.content);
    context.progress(&title, 0, plan.read_bytes);
    let progress = |done: u64| context.progress(&title, done, plan.read_bytes);
    let loader = Loader {
        plan: &plan,
        content: context.content,
        bundle: context.bundle,
        engine,
        snapshots: snapshots.as_ref(),
        progress: &progress,
        phase: &|title| context.reporter.emit(&Event::Phase { title }),
    };
    let outcome = loader.run();
    if let Some(snapshots) = &snapshots {
        snapshots.settle();
    }
    outcome?;
    match (&snapshots, &description.containerd) {
        (Some(snapshots), _) => snapshots.close(context.content).map_err(refused),
        // What an attempt before this one brought would fill the disk until its lease expires. No more than that: the images
        // are there, and a containerd that cannot be reached may be why they came this way.
        (None, Some(access)) => {
            drop(leases::release(access, context.content, SystemTime::now()));
            Ok(())
        }
        (None, None) => Ok(()),
    }
}

/// Before anything is sent, and before what is to be sent counts as ours: who is killed after that must still know what to remove.
/// What is sent now is noted as well: should this installation break off and another version follow, that one takes the names.
fn record_names(context: &mut Context<'_>, sent: &[usize], found: &[PresentImage]) {
    let index = file::read_text(&context.plan.layout.index()).ok().flatten();
    let before = index.and_then(|text| serde_json::from_str(&text).ok());
    let is_ours = |reference: &str| context.receipt.has_brought(reference);
    let content = context.content;
    let lost =
        before.map(|before: Content| replaced::candidates(&before, content, is_ours)).unwrap_or_default();
    let new = sent.iter().flat_map(|image| replaced::ids(&content.images[*image]));
    let receipt = &mut *context.receipt;
    // What had a name before us is never ours, even if a version of ours is the same image.
    let is_theirs = |id: &String| receipt.priors.values().any(|prior| prior == id);
    let known = &receipt.replaced;
    let ids = lost.into_iter().chain(new).filter(|id| !known.contains(id) && !is_theirs(id));
    let new: Vec<String> = ids.collect();
    receipt.replaced.extend(new);
    let taken = || sent.iter().map(|image| &content.images[*image]);
    let brought = receipt.brought.clone();
    let is_ours = |name: &str, id: &str| brought.get(name).is_some_and(|ids| ids.contains(id));
    names::record(&mut receipt.priors, taken().map(|image| &image.reference), found, is_ours);
    for image in taken() {
        receipt.brought.entry(image.reference.to_string()).or_default().extend(replaced::ids(image));
    }
}

/// Removes everything that was brought in a boot that ended before it was on the disk.
fn forget(context: &Context<'_>, engine: &Engine, description: &Description) -> Outcome<()> {
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let app = &context.content.app.name;
    engine.release_images(app, |_| true).map_err(silent)?;
    for image in &context.content.images {
        let present = engine.image(image.reference.as_str()).ok().flatten();
        if is_sent(context.receipt, image, present.as_ref()) {
            engine.remove_image(image.reference.as_str()).map_err(silent)?;
        }
    }
    remove_prefixes(context, engine)?;
    if let Some(access) = &description.containerd {
        let refused = |error| snapshot::containerd_failed(&error);
        Snapshots::open(access, app)
            .and_then(|snapshots| snapshots.close(context.content))
            .map_err(refused)?;
    }
    Ok(())
}

/// Whether an image has come from us. One that was there under this name before us may have been replaced by ours, or not yet.
fn is_sent(receipt: &Receipt, image: &Image, present: Option<&PresentImage>) -> bool {
    let has = |references: &[String]| references.iter().any(|known| known == image.reference.as_str());
    has(&receipt.loaded) || (has(&receipt.sent) && present.is_some_and(|present| is_same(image, present)))
}

/// Removes the images that stood for the lower layers of others, those of killed runs included.
fn remove_prefixes(context: &Context<'_>, engine: &Engine) -> Outcome<()> {
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let present = engine.image_ids(prefix::LABEL).map_err(silent)?;
    let ids = context.content.images.iter().flat_map(prefix::ids).map(|id| id.to_string());
    let ours: Vec<String> = ids.filter(|id| present.contains(id)).collect();
    engine
        .release_images(&context.content.app.name, |image| ours.iter().any(|id| id == image))
        .map_err(silent)?;
    for id in ours {
        engine.remove_image(&id).map_err(silent)?;
    }
    Ok(())
}

/// Makes what the engine has written durable.
fn sync(description: &Description) -> Outcome<()> {
    let containerd = (description.store == Store::Containerd).then_some(&description.containerd_root);
    for root in [Some(&description.root), containerd].into_iter().flatten() {
        let failed = |error| Failure::midway(text::cannot_sync(&root.display())).refused(&error, root);
        file::sync_file_system(root).map_err(failed)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bundle_spec::digest::Digest;

    use super::*;
    use crate::facts::EngineChoice;

    /// After a power cut during a load, images that had been there before the installation were removed with ours.
    #[test]
    fn only_what_came_from_us_is_forgotten() {
        let digest = Digest::of(b"");
        let reference = bundle_spec::reference::ImageReference::parse("shop:1").unwrap();
        let image = Image {
            reference: reference.clone(),
            platform: "linux/amd64".into(),
            manifest: digest,
            manifest_len: 0,
            config: digest,
            layers: vec![],
        };
        let present =
            |id: Digest| PresentImage { id: id.to_string(), diff_ids: vec![], tags: vec![reference.clone()] };
        let (same, older) = (present(digest), present(Digest::of(b"older")));
        let mut receipt = Receipt::new("shop", "1", "shop", EngineChoice::Auto);
        assert!(!is_sent(&receipt, &image, Some(&same)));
        receipt.sent = vec!["shop:1".into()];
        assert!(is_sent(&receipt, &image, Some(&same)));
        assert!(!is_sent(&receipt, &image, Some(&older)));
        receipt.loaded = vec!["shop:1".into()];
        assert!(is_sent(&receipt, &image, Some(&older)));
    }
}
