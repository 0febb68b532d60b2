//! `docker compose up`: never builds, never pulls, and only with images that the bundle brought.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bundle_spec::digest::Digest;
use bundle_spec::path::ProjectPath;
use bundle_spec::reference::ImageReference;

use serde_json::Value;

use super::Context;
use crate::engine::Container;
use crate::health;
use crate::host::below::Folder;
use crate::host::salt::Salt;
use crate::outcome::{Failure, Outcome};
use crate::plan::Step;
use crate::project::compose::Compose;
use crate::project::env_file;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let Ok(engine) = context.engine() else { return false };
    let Ok(containers) = engine.containers(&context.content.project.name) else { return false };
    let is_up = |service: &String| {
        let mut of = containers.iter().filter(|container| container.service == *service).peekable();
        let is_there = of.peek().is_some() || context.receipt.resting.contains(service);
        is_there && of.all(|container| container.is_well() || container.is_finished())
    };
    context.receipt.started_as == fingerprint(context)
        && Salt::read(&context.plan.layout.salt())
            .is_some_and(|salt| files_now(context, &salt) == context.receipt.started_files)
        && !(containers.is_empty() && context.receipt.resting.is_empty())
        && context.content.project.services.iter().all(is_up)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let plan = context.plan;
    let compose = Compose::new(&plan.engine.compose, &plan.layout, &plan.engine.socket, context.content);
    refuse_foreign_images(&compose, context)?;
    let engine = context.engine()?;
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let project = &context.content.project.name;
    let before = engine.containers(project).map_err(silent)?;
    let files = files_now(context, &Salt::obtain(&plan.layout.salt())?);
    // What is started now has to prove itself anew, also when this run is killed in between.
    context.receipt.forget(Step::ProveHealthy.id());
    context.save()?;
    let up = || compose.run(&["up", "--detach", "--no-build", "--pull", "never", "--remove-orphans"]);
    let up = context.reporter.while_waiting(None, up);
    up.map_err(|failure| explain(context, failure))?;
    let after = engine.containers(project).map_err(silent)?;
    context.receipt.resting = resting(&compose, &context.content.project.services, &after)?;
    let changed = changed_files(&context.receipt.started_files, &files);
    let stale = stale_services(&plan.layout.dir, &changed, &before, &after);
    if !stale.is_empty() {
        let arguments: Vec<&str> = ["restart"].into_iter().chain(stale.iter().map(String::as_str)).collect();
        context
            .reporter
            .while_waiting(None, || compose.run(&arguments))
            .map_err(|failure| explain(context, failure))?;
    }
    // Their own containers hold the images now.
    engine.release_images(&context.content.app.name, |_| true).map_err(silent)?;
    context.receipt.started_as = fingerprint(context);
    context.receipt.started_files = files;
    Ok(())
}

/// Bytes of a file that are looked at; what an application makes of its own files may be large without end.
const LOOK_MAX: u64 = 64 << 20;

/// A digest of every file that services may have mounted, as it is now. A service can put links into folders that it has mounted:
/// none is followed.
fn files_now(context: &Context<'_>, salt: &Salt) -> BTreeMap<String, String> {
    let files = context.content.project.files.iter().map(|file| &file.path);
    let tls = context.content.tls.iter().flat_map(|tls| [&tls.certificate, &tls.key]);
    let project = Folder::open(&context.plan.layout.dir).ok();
    let digest = |path: &ProjectPath| {
        let content = project.as_ref()?.read(Path::new(path.as_str()), LOOK_MAX).ok()?;
        Some((path.as_str().to_owned(), salt.digest([&content[..]])))
    };
    files.chain(tls).filter_map(digest).collect()
}

/// Files that are not as they were. Where nothing is known of before, nothing has changed.
fn changed_files<'f>(
    before: &'f BTreeMap<String, String>,
    now: &'f BTreeMap<String, String>,
) -> Vec<&'f str> {
    if before.is_empty() {
        return Vec::new();
    }
    let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    names.into_iter().filter(|name| before.get(*name) != now.get(*name)).map(String::as_str).collect()
}

/// Services that `up` has left running although a file that they have mounted is another one now: Compose looks at what its
/// own file says, and not into what is mounted.
fn stale_services(dir: &Path, changed: &[&str], before: &[Container], after: &[Container]) -> Vec<String> {
    let mounts = |container: &Container, path: &str| {
        container.binds.iter().any(|bind| dir.join(path).starts_with(bind))
    };
    // One that was made anew, or started anew, has the new files already.
    let is_same = |now: &Container| {
        before
            .iter()
            .any(|was| was.id == now.id && was.started_at == now.started_at && was.state == "running")
    };
    let stale = after.iter().filter(|now| is_same(now) && changed.iter().any(|path| mounts(now, path)));
    let services: BTreeSet<String> = stale.map(|container| container.service.clone()).collect();
    services.into_iter().collect()
}

/// `up` fails when a service that others depend on does not get healthy: then the services' own words say why. Where none has
/// trouble of its own, the application is not to blame: the engine has refused or gone, and Compose has said so.
fn explain(context: &Context<'_>, failure: Box<Failure>) -> Box<Failure> {
    let Ok(engine) = context.engine() else { return failure };
    let containers = engine.containers(&context.content.project.name).unwrap_or_default();
    let observed = health::observe(context.wanted(), &engine);
    match observed {
        Ok(services) if containers.iter().any(Container::is_ill) => {
            let unwell = health::unwell(context.content, &services, &engine, &context.plan.layout);
            failure.causes.into_iter().fold(unwell, Failure::quoting)
        }
        _ => failure,
    }
}

/// The services that should have no container: those that have none because Compose was asked for none. How many it was asked
/// for may depend on an answer, so that only Compose knows.
fn resting(compose: &Compose, services: &[String], containers: &[Container]) -> Outcome<Vec<String>> {
    let has_none = |service: &&String| !containers.iter().any(|container| container.service == **service);
    if !services.iter().any(|service| has_none(&service)) {
        return Ok(Vec::new());
    }
    let model = compose.run(&["config", "--format", "json"])?.stdout;
    let unasked = scaled_to_none(&model);
    Ok(services.iter().filter(has_none).filter(|service| unasked.contains(*service)).cloned().collect())
}

/// The services of which Compose's model, in JSON, wants no container. Pure.
fn scaled_to_none(model: &str) -> BTreeSet<String> {
    let model: Value = serde_json::from_str(model).unwrap_or_default();
    let services = model["services"].as_object();
    let wants_none = |service: &Value| service["scale"] == 0 || service["deploy"]["replicas"] == 0;
    let named = services.into_iter().flatten().filter(|(_, service)| wants_none(service));
    named.map(|(name, _)| name.clone()).collect()
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
pub(super) fn fingerprint(context: &Context<'_>) -> String {
    let env = env_file::render(context.content, context.answers);
    let files: String = context.content.project.files.iter().map(|file| file.blob.to_string()).collect();
    let images: String = context.content.images.iter().map(|image| image.manifest.to_string()).collect();
    Digest::of(format!("{env}{files}{images}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn container(service: &str, id: &str, started_at: &str, binds: &[&str]) -> Container {
        Container {
            id: id.into(),
            name: service.into(),
            service: service.into(),
            state: "running".into(),
            health: None,
            health_output: None,
            exit_code: 0,
            restarts: 0,
            out_of_memory: false,
            pid: 1,
            restarts_by_itself: true,
            stays_up: true,
            started_at: started_at.into(),
            working_dir: String::new(),
            binds: binds.iter().map(Into::into).collect(),
            published: vec![],
        }
    }

    #[test]
    fn what_has_a_changed_file_mounted_and_was_left_alone_is_restarted() {
        let before = [
            container("nginx", "1", "t1", &["/opt/x/nginx"]),
            container("api", "2", "t1", &["/opt/x/db"]),
            container("anew", "3", "t1", &["/opt/x/nginx/default.conf"]),
        ];
        let after = [
            before[0].clone(),
            before[1].clone(),
            container("anew", "4", "t2", &["/opt/x/nginx/default.conf"]),
        ];
        let stale = |changed: &[&str]| stale_services(Path::new("/opt/x"), changed, &before, &after);
        assert_eq!(stale(&["nginx/default.conf"]), ["nginx"]);
        assert_eq!(stale(&["nginx.conf"]), Vec::<String>::new());
        assert_eq!(stale(&[]), Vec::<String>::new());
    }

    #[test]
    fn files_that_came_went_or_changed_are_found() {
        let files = |pairs: &[(&str, &str)]| {
            pairs
                .iter()
                .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
                .collect::<BTreeMap<_, _>>()
        };
        let (before, now) =
            (files(&[("a", "1"), ("b", "1"), ("c", "1")]), files(&[("a", "1"), ("b", "2"), ("d", "1")]));
        assert_eq!(changed_files(&before, &now), ["b", "c", "d"]);
        assert!(changed_files(&files(&[]), &now).is_empty());
    }

    #[test]
    fn compose_tells_which_services_it_runs_none_of() {
        let model = r#"{"services": {"web": {}, "one": {"scale": 1}, "none": {"scale": 0},
            "deployed": {"deploy": {"replicas": 0}}, "two": {"deploy": {"replicas": 2}}}}"#;
        assert_eq!(scaled_to_none(model), BTreeSet::from(["deployed".to_owned(), "none".to_owned()]));
        assert!(scaled_to_none("not JSON").is_empty());
    }
}
