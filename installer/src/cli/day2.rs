//! `status`, `logs`, `start`, `stop`, `restart`: the day after. They work without the bundle, from what the installation
//! left in the project directory.

use std::path::PathBuf;

use bundle_spec::index::Content;
use clap::ArgMatches;

use super::Session;
use super::installed::{self, Installed};
use crate::detached::Hello;
use crate::detached::{attach, last};
use crate::event::Event;
use crate::health::{self, Kind, ServiceHealth, Verdict};
use crate::host::{lock, process};
use crate::layout::EngineHome;
use crate::outcome::{Code, Failure, Outcome};
use crate::receipt::Extent;
use crate::report::{relay_errors, relay_output};
use crate::step::start_engine;
use crate::text::{Message, command, detached as detached_text, problem, summary as text};

pub(super) fn run(
    session: &Session<'_>,
    verb: &str,
    matches: &ArgMatches,
    installed: Option<PathBuf>,
) -> Outcome<()> {
    let installed = installed::find(session, installed)?;
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
    let count = |kind| (of(kind).filter(|health| health.verdict != Verdict::Well).count(), of(kind).count());
    let mut lines =
        vec![text::verdict(&title, &content.app.version, count(Kind::Service), count(Kind::Check))];
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
    let env = installed.layout.env();
    if !env.exists() {
        return Err(Failure::midway(problem::env_is_missing(&env.display()))
            .todo(problem::write_env_again(&installed.bundle_command(session))));
    }
    let _lock = lock::take(&installed.layout.lock())?;
    let engine = installed.started_engine()?;
    let reporter = session.reporter;
    let up = || installed.compose().run(&["up", "--detach", "--no-build", "--pull", "never"]);
    reporter.while_waiting(None, up)?;
    let seen = |services: &[health::ServiceHealth]| {
        reporter.emit(&Event::Health { services: services.to_vec() });
    };
    let wait = || health::wait_until_well(installed.wanted(), &engine, &installed.layout, seen);
    let well = reporter.while_waiting(Some(health::longest_wait(&installed.content)), wait);
    well.map_err(|failure| failure.todo(text::look_and_restart(&installed.control())))?;
    last::is_well(&installed.layout);
    Ok(())
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
