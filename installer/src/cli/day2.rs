//! `status`, `logs`, `start`, `stop`, `restart`: the day after. They work without the bundle, from what the installation
//! left in the project directory.

use std::path::PathBuf;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use clap::ArgMatches;

use super::Session;
use crate::answers::{Origin, Sources, resolve};
use crate::detached::Hello;
use crate::detached::attach;
use crate::engine::Engine;
use crate::event::Event;
use crate::health::{self, Kind, ServiceHealth, Verdict, Wanted};
use crate::host::{file, lock, process};
use crate::install::{Options, Target};
use crate::layout::{EngineHome, Layout};
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::EnginePlan;
use crate::project::compose::Compose;
use crate::receipt::{Extent, Receipt, Removal};
use crate::report::{relay_errors, relay_output};
use crate::step::start_engine;
use crate::text::{Message, command, detached as detached_text, finding, problem, summary as text};

/// An installation as it was left.
pub(super) struct Installed {
    pub(super) layout: Layout,
    pub(super) receipt: Receipt,
    pub(super) content: Content,
    pub(super) answers: Answers,
}

pub(super) fn run(
    session: &Session<'_>,
    verb: &str,
    matches: &ArgMatches,
    installed: Option<PathBuf>,
) -> Outcome<()> {
    let installed = find(session, installed)?;
    let project = &installed.content.project.name;
    if let Some(live) = (verb == "status").then(|| attach::find(&installed.layout)).flatten() {
        return Err(at_work(&live.hello));
    }
    if verb != "stop" || matches!(installed.receipt.extent(), Extent::Uninstalled | Extent::HalfRemoved) {
        installed.refuse_if_gone(session)?;
    }
    match verb {
        "logs" | "status" => session.reporter.watching(),
        _ => session.reporter.working(),
    }
    match verb {
        "status" => status(session, &installed),
        "logs" => logs(matches, &installed),
        "start" => {
            start(session, &installed)?;
            session.say(&text::started(project));
            Ok(())
        }
        "stop" => {
            stop(&installed)?;
            session.say(&text::stopped(project));
            Ok(())
        }
        _ => {
            stop(&installed)?;
            start(session, &installed)?;
            session.say(&text::started(project));
            Ok(())
        }
    }
}

/// The installation that is meant: `--dir`, else where this program lies, else where the bundle's application is installed.
pub(super) fn find(session: &Session<'_>, own: Option<PathBuf>) -> Outcome<Installed> {
    // The receipt is for root's eyes; without them it looks as if nothing were installed.
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(Code::Preflight, finding::not_root()).todo(finding::use_sudo()));
    }
    let layout = place(session, own);
    let absent = || is_absent(session, &layout);
    let receipt =
        Receipt::read(&layout.receipt()).map_err(|error| absent().because(&error))?.ok_or_else(absent)?;
    if let Some(lang) = session.unsettled_lang(&receipt) {
        session.reporter.speak(lang);
    }
    let content = content_of(&layout, &receipt, session)?;
    let earlier = file::read_text(&layout.answers()).ok().flatten().unwrap_or_default();
    let mut sources = Sources::default();
    let values: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&earlier).unwrap_or_default();
    sources.add(Origin::Earlier, values);
    let (resolved, _) = resolve(&content.questions, &content.values, &sources, &mut |_| String::new());
    session.reporter.hide(sources.secrets(&content.questions));
    session.reporter.hide_answers(&resolved.answers);
    Ok(Installed { layout, receipt, content, answers: resolved.answers })
}

/// Where the installation that is meant would be.
pub(super) fn place(session: &Session<'_>, own: Option<PathBuf>) -> Layout {
    let by_bundle = || {
        let content = &session.bundle.as_ref()?.bundle.index.content;
        Some(Target::of(content, &Options::default()).layout.dir)
    };
    let dir = session.dir().or(own).or_else(by_bundle).unwrap_or_else(|| PathBuf::from("."));
    Layout { dir: std::path::absolute(&dir).unwrap_or(dir) }
}

/// Where there should be an installation, there is none.
fn is_absent(session: &Session<'_>, layout: &Layout) -> Box<Failure> {
    let todo = match session.dir() {
        Some(_) => problem::name_another_installation(),
        None => problem::name_installation(),
    };
    Failure::new(Code::Usage, problem::no_installation(&layout.dir.display())).todo(todo)
}

/// What was installed. A run that died before it wrote the project left no index; the bundle itself says the same.
fn content_of(layout: &Layout, receipt: &Receipt, session: &Session<'_>) -> Outcome<Content> {
    let absent = || is_absent(session, layout);
    let from_bundle = session.bundle.as_ref().map(|bundle| &bundle.bundle.index.content);
    match file::read_text(&layout.index()).map_err(|error| absent().because(&error))? {
        Some(text) => serde_json::from_str(&text).map_err(|error| absent().because(&error)),
        None => from_bundle.filter(|content| content.app.name == receipt.app).cloned().ok_or_else(absent),
    }
}

impl Installed {
    /// What should be running.
    fn wanted(&self) -> Wanted<'_> {
        Wanted { content: &self.content, answers: &self.answers, resting: &self.receipt.resting }
    }

    /// The engine, if it answers.
    pub(super) fn engine(&self) -> Outcome<Engine> {
        let socket = &self.receipt.socket;
        let control = self.control();
        let silent = || {
            let todo = if self.receipt.engine.is_some() {
                text::start_it(&control)
            } else {
                finding::start_engine()
            };
            Failure::new(Code::Unhealthy, problem::engine_not_running()).todo(todo)
        };
        let engine = Engine::connect(socket).map_err(|error| silent().because(&error))?;
        if engine.is_answering() { Ok(engine) } else { Err(silent()) }
    }

    /// The engine; one of ours is started first.
    pub(super) fn started_engine(&self) -> Outcome<Engine> {
        let is_whole = |home: &&EngineHome| home.bin().join("dockerd").exists() && !self.is_half(home);
        if let Some(home) = self.receipt.engine.as_ref().filter(is_whole) {
            start_engine::start(&EnginePlan {
                socket: self.receipt.socket.clone(),
                compose: self.receipt.compose.clone(),
                by_systemd: is_by_systemd(home),
                home: Some(home.clone()),
                containerd_store: true,
                packet_filter: true,
            })?;
        }
        self.engine()
    }

    /// Whether only a part of the engine is there: a run broke off while it placed it, or a purge while it removed it. The mark is
    /// written last and goes first. Where another engine's program or process is on the host, what lies there may be its.
    pub(super) fn is_half(&self, home: &EngineHome) -> bool {
        let is_for_us = match home {
            EngineHome::Private(_) => true,
            EngineHome::System => self.receipt.made.contains(&home.bin()) && has_no_engine(),
        };
        is_for_us && !home.mark().exists()
    }

    /// How to call `<app>ctl` of this installation.
    pub(super) fn control(&self) -> String {
        self.layout.control_command(&self.content.app.name)
    }

    /// How to call the bundle again; by now the stick may be elsewhere.
    pub(super) fn bundle_command(&self, session: &Session<'_>) -> String {
        let app = &self.content.app;
        let file = match &session.bundle {
            Some(bundle) => bundle.path.display().to_string(),
            None => format!("./{}-{}.run", app.name, app.version),
        };
        self.layout.bundle_command(&app.name, &file)
    }

    /// Ends the run when there is no application to work with.
    fn refuse_if_gone(&self, session: &Session<'_>) -> Outcome<()> {
        let run = self.bundle_command(session);
        match self.receipt.extent() {
            Extent::Uninstalled => {
                let gone = text::is_uninstalled(&self.layout.dir.display().to_string());
                Err(Failure::new(Code::Usage, gone).todo(text::install_or_purge(&run)))
            }
            Extent::HalfRemoved => Err(self.half_removed(session)),
            // An upgrade that was broken off has left the version before, which can be used.
            Extent::Interrupted if self.compose().is_present() => {
                session.say(&text::is_interrupted());
                session.say(&text::finish_installation(&run));
                Ok(())
            }
            Extent::Interrupted => {
                Err(Failure::midway(text::is_interrupted()).todo(text::finish_installation(&run)))
            }
            Extent::Installed => Ok(()),
        }
    }

    /// What is said where an uninstallation was broken off.
    pub(super) fn half_removed(&self, session: &Session<'_>) -> Box<Failure> {
        let run = self.bundle_command(session);
        // The program in the project directory may be gone, too.
        let is_there = self.layout.control(&self.content.app.name).exists();
        let command = if is_there { self.control() } else { run.clone() };
        let option = if self.receipt.removal == Some(Removal::Purge) { " --purge" } else { "" };
        Failure::midway(text::is_half_removed(&self.content.app.name))
            .todo(text::finish_removal(&format!("{command} uninstall{option}"), &run))
    }

    /// A private engine runs for this application alone: where it does not, the application was stopped, or the machine
    /// started anew.
    fn is_private_engine_off(&self) -> bool {
        matches!(&self.receipt.engine, Some(home @ EngineHome::Private(_))
            if process::find_running(&home.bin().join("dockerd")).is_none())
    }

    /// Compose for this project.
    pub(super) fn compose(&self) -> Compose {
        Compose::new(&self.receipt.compose, &self.layout, &self.receipt.socket, &self.content)
    }
}

/// What `status` says while an installation is at work: neither well nor unwell.
fn at_work(hello: &Hello) -> Box<Failure> {
    let duration = hello.duration();
    let what = match &hello.step {
        Some(step) => {
            let (number, count) = (step.number, step.count);
            detached_text::running_step(hello.pid, &duration, number, count, &step.title)
        }
        None => detached_text::running(hello.pid, &duration),
    };
    Failure::calm(Code::Locked, what)
}

fn status(session: &Session<'_>, installed: &Installed) -> Outcome<()> {
    let stopped = || Failure::calm(Code::Unhealthy, text::is_stopped(&installed.control()));
    let engine = match installed.engine() {
        Err(_) if installed.is_private_engine_off() => return Err(stopped()),
        engine => engine?,
    };
    let unknown = |error| Failure::new(Code::Unhealthy, text::health_unknown()).because(&error);
    let services = health::observe_at_rest(installed.wanted(), &engine).map_err(unknown)?;
    let containers = engine.containers(&installed.content.project.name).map_err(unknown)?;
    let is_stopped = health::is_stopped(&containers);
    let is_well = services.iter().all(|service| service.verdict == Verdict::Well);
    if session.json {
        session.reporter.emit(&Event::Health { services });
    } else {
        session.reporter.show_result();
        let lines = status_lines(&installed.content, &services, is_stopped);
        lines.iter().for_each(|line| session.say(line));
    }
    if is_stopped {
        Err(stopped())
    } else if is_well {
        Ok(())
    } else {
        let todo = text::look_and_restart(&installed.control());
        Err(Failure::new(Code::Unhealthy, text::not_well_now()).todo(todo))
    }
}

/// The verdict, then services and checks apart. Of a stopped application there is nothing to check.
fn status_lines(content: &Content, observed: &[ServiceHealth], is_stopped: bool) -> Vec<Message> {
    let title = Message::from(&content.app.title);
    let of = |kind| observed.iter().filter(move |health| health.kind == kind);
    if is_stopped {
        return vec![text::verdict_stopped(&title, &content.app.version)];
    }
    let faults = observed.iter().filter(|health| health.verdict != Verdict::Well).count();
    let mut lines = vec![text::verdict(&title, &content.app.version, of(Kind::Service).count(), faults)];
    let sections = [(Kind::Service, text::heading_services()), (Kind::Check, text::heading_checks())];
    for (kind, heading) in sections {
        if of(kind).next().is_some() {
            lines.push(heading);
            lines.extend(of(kind).map(|health| text::marked_line(&health.mark(), &health.line())));
        }
    }
    lines
}

fn logs(matches: &ArgMatches, installed: &Installed) -> Outcome<()> {
    let services: Vec<&str> =
        matches.get_many::<String>("services").unwrap_or_default().map(String::as_str).collect();
    refuse_unknown_services(&installed.content.project.services, &services)?;
    installed.engine()?;
    let mut arguments = vec!["logs", "--no-color"];
    if matches.get_flag("follow") {
        arguments.push("--follow");
    }
    let tail = matches.get_one::<String>("tail").map_or("200", String::as_str);
    arguments.extend(["--tail", tail]);
    arguments.extend(services);
    let failed = || Failure::midway(problem::compose_failed("logs"));
    let mut compose = installed.compose().command(&arguments);
    let status = process::run_attached(&mut compose, relay_output, relay_errors)
        .map_err(|error| failed().because(&error))?;
    // An interrupted `--follow` is how it ends.
    if status.success() || status.code().is_none() || status.code() == Some(130) {
        Ok(())
    } else {
        Err(failed())
    }
}

/// Compose itself shows nothing for a service that is not there, and calls that a success.
fn refuse_unknown_services(known: &[String], wanted: &[&str]) -> Outcome<()> {
    let unknown = wanted.iter().find(|name| !known.iter().any(|known| known == *name));
    match unknown.filter(|_| !known.is_empty()) {
        Some(name) => {
            let (what, names) =
                (text::no_such_service(&bundle_spec::text::tame(name)), command::alternatives(known));
            let todo = Message { en: text::services_are(&names.en).en, zh: text::services_are(&names.zh).zh };
            Err(Failure::new(Code::Usage, what).todo(todo))
        }
        None => Ok(()),
    }
}

fn start(session: &Session<'_>, installed: &Installed) -> Outcome<()> {
    let _lock = lock::take(&installed.layout.lock())?;
    let engine = installed.started_engine()?;
    let reporter = session.reporter;
    let up = || installed.compose().run(&["up", "--detach", "--no-build", "--pull", "never"]);
    reporter.while_waiting(None, up)?;
    let seen = |services: &[health::ServiceHealth]| {
        reporter.emit(&Event::Health { services: services.to_vec() });
    };
    let wait = || health::wait_until_well(installed.wanted(), &engine, &installed.layout, seen);
    reporter.while_waiting(Some(health::longest_wait(&installed.content)), wait).map(drop)
}

/// Whether no engine runs on this host, and none is installed where commands are.
pub(super) fn has_no_engine() -> bool {
    !process::is_any_named("dockerd") && process::find("dockerd").is_none()
}

pub(super) fn is_by_systemd(home: &EngineHome) -> bool {
    *home == EngineHome::System && std::path::Path::new("/run/systemd/system").is_dir()
}

fn stop(installed: &Installed) -> Outcome<()> {
    let _lock = lock::take(&installed.layout.lock())?;
    let compose = installed.compose();
    if installed.engine().is_ok() && compose.is_present() {
        compose.run(&["stop"])?;
    }
    match &installed.receipt.engine {
        // A private engine is there for this application alone.
        Some(home @ EngineHome::Private(_)) => start_engine::stop_detached(home),
        _ => Ok(()),
    }
}
