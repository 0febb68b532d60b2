//! Findings about a project: everything at once, each with an id, what is wrong and what to do. Pure, but for looking
//! whether the sources of bind mounts are files or folders.

mod mount;

use std::collections::BTreeSet;

use bundle_spec::question::Presence;
use bundle_spec::reference::{ImageReference, InvalidReference};
use bundle_spec::suggest::nearest;

use crate::compose::model::{Model, Service};
use crate::engine_parts::Plugin;
use crate::finding::Finding;
use crate::project::{Asked, Project};

/// Everything found, errors first. `sources` is what was wrong where images, engine and installer come from.
pub fn findings(project: &Project, asked: &Asked, sources: Vec<Finding>) -> Vec<Finding> {
    let mut found = sources;
    for problem in &project.picked.problems {
        found.push(Finding::error("file", problem.clone(), "correct the section [[file]]"));
    }
    found.extend(project.templates.iter().cloned());
    paths(project, &mut found);
    variables(project, &mut found);
    patterns(project, &mut found);
    requirements(project, &mut found);
    match asked {
        Asked::Answer(model) => {
            services(project, model, &mut found);
            actions(project, model, &mut found);
            certificate(project, model, &mut found);
            unused_images(project, &asked.images(), &mut found);
        }
        Asked::NotAtHand(plugin) => no_compose(project, plugin, &mut found),
        Asked::Refused(failure) => found.push(Finding::of_failure("compose", failure)),
    }
    found.sort();
    found.dedup();
    found
}

fn services(project: &Project, model: &Model, found: &mut Vec<Finding>) {
    for (name, service) in &model.services {
        image(name, service, found);
        habits(name, service, found);
        mount::check(project, name, service, found);
    }
    if project.definition.images.is_empty() && model.services.is_empty() {
        found.push(no_image("list the images as [[image]], or switch profiles on: [compose] profiles"));
    }
}

fn actions(project: &Project, model: &Model, found: &mut Vec<Finding>) {
    for action in &project.definition.actions {
        if !model.services.contains_key(&action.service) {
            let message = format!(
                "the action `{}` runs in the service `{}`, which is not there",
                action.name, action.service
            );
            let names = model.services.keys().map(String::as_str);
            let hint = match nearest(&action.service, names) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "name a service of the Compose file, or switch its profile on".to_owned(),
            };
            found.push(Finding::error("action-service", message, hint));
        }
    }
}

/// Somebody must see the certificate; and since there is none without HTTPS, it is the folder that must be mounted.
fn certificate(project: &Project, model: &Model, found: &mut Vec<Finding>) {
    for path in project.definition.tls.iter().flat_map(|tls| [tls.certificate.as_str(), tls.key.as_str()]) {
        let mounts = model.services.iter().flat_map(|(name, service)| {
            let binds = service.volumes.iter().filter(|mount| mount.kind == "bind");
            binds.map(move |mount| (name, mount.source.as_str()))
        });
        let mut is_seen = false;
        for (name, source) in mounts {
            is_seen |=
                path.strip_prefix(source).is_some_and(|rest| source.is_empty() || rest.starts_with('/'));
            if source == path {
                is_seen = true;
                let message = format!("service {name} mounts the file ./{path}, which [tls] writes");
                let hint = "mount its folder: without HTTPS the engine would make an empty folder of the file's name";
                found.push(Finding::error("tls-mount", message, hint));
            }
        }
        if !is_seen {
            let message = format!("no service mounts the folder of ./{path}, which [tls] writes");
            found.push(Finding::warning(
                "tls-unmounted",
                message,
                "mount it, read-only, in the service that serves HTTPS",
            ));
        }
    }
}

/// Compose could not be asked. What it would say is known to `pack` only where that has another one.
fn no_compose(project: &Project, plugin: &Plugin, found: &mut Vec<Finding>) {
    let file = &project.compose_file;
    let (message, hint) = match plugin {
        Plugin::AtHand(path) => (
            format!("{} does not run here, and no other Docker Compose is at hand: {UNASKED}", path.display()),
            "give a Compose plugin for this machine, or install Docker's".to_owned(),
        ),
        Plugin::NotNamed => (
            format!("Docker Compose is not at hand: {UNASKED}"),
            "install Docker's Compose plugin, or name it in the section [engine]".to_owned(),
        ),
        Plugin::ToFetch(url) => (
            format!("the services and images of {file} are not checked yet: {url} of the section [engine] is not downloaded, and no other Docker Compose is at hand"),
            "run `airlift pack`, which downloads it, keeps it, and refuses what lint could not see; or name one that is here: `airlift lint --engine-compose FILE`".to_owned(),
        ),
        Plugin::Unusable => (
            format!("the services and images of {file} are not checked: the Compose plugin of the section [engine] cannot be used"),
            "correct the section [engine] first".to_owned(),
        ),
    };
    found.push(Finding::warning(NO_COMPOSE, message, hint));
    let is_final = matches!(plugin, Plugin::AtHand(_) | Plugin::NotNamed);
    if is_final && project.definition.images.is_empty() {
        found.push(no_image(
            "list the images as [[image]]; or let Docker Compose say which ones there are: install its plugin",
        ));
    }
}

/// What follows for a bundle that is made without Compose.
const UNASKED: &str = "only the images listed as [[image]] are packed, and services are not checked";

/// A bundle that carries no engine, where nobody said that this is meant. Who makes it knows where the engine would come from.
pub fn no_engine() -> Finding {
    let message =
        "the bundle carries no engine: it can be installed only where Docker and Docker Compose are already";
    let hint = "add the section [engine], see docs/definition.md; or, if that is meant, lint and pack with --no-engine";
    Finding::warning("engine-none", message.to_owned(), hint)
}

fn no_image(hint: &str) -> Finding {
    Finding::error("image-none", "there is no image to pack".to_owned(), hint)
}

/// The rule that says that Compose could not be asked.
pub const NO_COMPOSE: &str = "compose-missing";

fn paths(project: &Project, found: &mut Vec<Finding>) {
    for directory in &project.definition.directories {
        if project.picked.files.iter().any(|file| file.path == directory.path) {
            let message = format!("{} is both a [[directory]] and a packed file", directory.path);
            found.push(Finding::error("path-twice", message, "remove one of them"));
        }
    }
    if let Some(tls) = &project.definition.tls {
        let paths = [("certificate", &tls.certificate), ("key", &tls.key)];
        for (what, path) in paths {
            if project.picked.files.iter().any(|file| file.path == *path) {
                let message = format!("{path} is packed, and [tls] writes its {what} there");
                found.push(Finding::error(
                    "path-twice",
                    message,
                    "leave it out with `exclude`, or name another path",
                ));
            }
        }
    }
    let mut images = BTreeSet::new();
    for image in &project.definition.images {
        if !images.insert(image.reference.as_str()) {
            let message = format!("the image {} is listed twice", image.reference);
            found.push(Finding::error("image-twice", message, "remove one [[image]]"));
        }
    }
}

fn variables(project: &Project, found: &mut Vec<Finding>) {
    for (name, variable) in project.variables.iter().filter(|(name, _)| !project.answers(name)) {
        let message = format!("{} uses the variable {name}, which no question sets", project.compose_file);
        let hint = format!("add a [[question]] with env = \"{name}\", or a default: ${{{name}:-value}}");
        if variable.required {
            found.push(Finding::error("variable-unset", message, hint));
        } else if variable.default.is_none() {
            found.push(Finding::warning("variable-unset", message, hint));
        }
    }
    // With env_file every variable of .env may be used by a container, unseen.
    if project.compose_text.contains("env_file") {
        return;
    }
    let unused: BTreeSet<_> =
        project.definition.variables().filter(|env| !project.variables.contains_key(*env)).collect();
    for env in unused {
        let message = format!(
            "a question or value sets the variable {env}, which {} does not use",
            project.compose_file
        );
        let hint = format!("write ${{{env}}} where it belongs, or remove `env`");
        found.push(Finding::warning("variable-unused", message, hint));
    }
}

/// An operator cannot read regular expressions.
fn patterns(project: &Project, found: &mut Vec<Finding>) {
    for question in &project.definition.questions {
        let has_rule = question.pattern.is_some()
            || question.port != Presence::Allow
            || question.path != Presence::Allow;
        let id = &question.id;
        if question.pattern.is_some() && question.pattern_hint.is_none() {
            let message = format!(
                "question {id} has a pattern and no pattern_hint: the operator would read the pattern"
            );
            let hint = "say what is wanted: pattern_hint = { zh = \"...\", en = \"...\" }";
            found.push(Finding::warning("pattern-hint", message, hint));
        } else if !has_rule && question.pattern_hint.is_some() {
            let message = format!("question {id} has a pattern_hint, and nothing that it would be shown for");
            found.push(Finding::warning(
                "pattern-hint",
                message,
                "write it as `help`, which is always shown",
            ));
        }
    }
}

fn requirements(project: &Project, found: &mut Vec<Finding>) {
    let definition = &project.definition;
    // A check asks whatever was answered, and cannot at a port that is there under conditions alone: that of HTTPS, for instance.
    let is_conditional = |port: &&String| {
        let mut questions = definition.questions.iter().filter(|question| !question.when.is_empty());
        questions.any(|question| format!("{{{}}}", question.id) == **port)
    };
    for port in definition.requirements.ports.iter().filter(|port| !is_conditional(port)) {
        let in_url = |check: &bundle_spec::project::Check| {
            check.url.contains(&format!(":{port}")) || (port == "80" && !check.url[7..].contains(':'))
        };
        if !definition.checks.iter().any(in_url) {
            let message = format!("no [[check]] asks at port {port}");
            found.push(Finding::warning(
                "port-unchecked",
                message,
                "add a [[check]], so that a start without success is noticed",
            ));
        }
    }
}

fn image(name: &str, service: &Service, found: &mut Vec<Finding>) {
    match ImageReference::parse(&service.image) {
        Err(InvalidReference::Pinned(image)) => {
            let message = format!("service {name} pins its image by digest: {image}");
            let hint = "give it a tag alone: engines cannot find loaded images by a registry's digest";
            found.push(Finding::error("image-pinned", message, hint));
        }
        Err(problem) => {
            found.push(Finding::error("image-name", format!("service {name}: {problem}"), "correct `image`"))
        }
        Ok(image) if image.tag() == "latest" => {
            let message = format!("service {name} uses {image}");
            found.push(Finding::warning(
                "image-latest",
                message,
                "give the image a version as its tag, so that two bundles can be told apart",
            ));
        }
        Ok(_) => {}
    }
    if service.build.is_some() {
        let message = format!("service {name} has `build`, which is not done on the customer's machine");
        found.push(Finding::warning(
            "image-build",
            message,
            format!("build {} before packing, and give it an `image` name", service.image),
        ));
    }
    if let Some(policy) = service
        .pull_policy
        .as_deref()
        .filter(|policy| !matches!(*policy, "missing" | "never" | "if_not_present"))
    {
        let message =
            format!("service {name} has pull_policy {policy}, and there is no registry to pull from");
        found.push(Finding::error("pull-policy", message, "remove `pull_policy`, or set it to never"));
    }
}

fn habits(name: &str, service: &Service, found: &mut Vec<Finding>) {
    if service.privileged {
        let message = format!("service {name} is privileged: it may do everything on the customer's machine");
        found.push(Finding::warning(
            "privileged",
            message,
            "name the capabilities and devices that it needs instead",
        ));
    }
    if service.healthcheck.is_none() {
        let message = format!("service {name} has no health check");
        found.push(Finding::warning(
            "no-healthcheck",
            message,
            "add `healthcheck`: without it, started counts as healthy",
        ));
    }
    let deploy_restart = service.deploy.as_ref().is_some_and(|deploy| deploy.get("restart_policy").is_some());
    if service.restart.as_deref().is_none_or(|restart| restart == "no") && !deploy_restart {
        let message = format!("service {name} has no restart policy: it does not come back after a reboot");
        found.push(Finding::warning("no-restart", message, "add `restart: unless-stopped`"));
    }
    let rotates = service.logging.as_ref().is_some_and(|logging| {
        logging.pointer("/options/max-size").is_some()
            || logging.get("driver").is_some_and(|driver| driver != "json-file")
    });
    if !rotates {
        let message = format!(
            "service {name} does not rotate its log: on an engine that is not ours it can fill the disk"
        );
        found.push(Finding::warning(
            "no-log-rotation",
            message,
            "add `logging: {driver: json-file, options: {max-size: 10m, max-file: \"3\"}}`",
        ));
    }
}

fn unused_images(project: &Project, used: &[ImageReference], found: &mut Vec<Finding>) {
    for image in project.definition.images.iter().filter(|image| !used.contains(&image.reference)) {
        let message = format!("the image {} is packed, and no service uses it", image.reference);
        let listed =
            |used: &ImageReference| project.definition.images.iter().any(|image| image.reference == *used);
        let unlisted = used.iter().filter(|used| !listed(used)).map(ImageReference::as_str);
        let hint = match nearest(image.reference.as_str(), unlisted) {
            Some(near) => format!("did you mean `{near}`, which a service uses?"),
            None => "remove its [[image]], or correct the reference".to_owned(),
        };
        found.push(Finding::warning("image-unused", message, hint));
    }
}
