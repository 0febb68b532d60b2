//! Starts an engine of ours, by systemd where that runs, else detached with a pid file and a log; waits until it answers.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{Context, configure_engine};
use crate::engine::Engine;
use crate::facts::inventory::system_data_root;
use crate::host::file::{self, Access};
use crate::host::{process, traces};
use crate::layout::{EngineHome, FIREWALLD, FIREWALLD_TRACES, SYSTEM_TRACES};
use crate::outcome::{Failure, Outcome};
use crate::plan::EnginePlan;
use crate::project::compose::last_lines;
use crate::text::problem as text;

/// How long an engine may take from its start to its first answer; a slow disk with many containers needs a while.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long an engine may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How long a new process may take to become the daemon.
const SPAWN_LIMIT: Duration = Duration::from_secs(5);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let engine = &context.plan.engine;
    engine.home.is_none() || is_answering(&engine.socket)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    if context.plan.engine.home == Some(EngineHome::System) {
        let home = EngineHome::System;
        // What cannot be understood was refused when it was completed.
        let data = system_data_root().unwrap_or_else(|_| home.data_root());
        data.parent().map_or(Ok(()), |parent| context.claim_dirs(parent))?;
        let traces = SYSTEM_TRACES.into_iter().map(PathBuf::from).chain([data, home.log()]);
        let firewalld = Some(Path::new(FIREWALLD)).filter(|path| path.is_dir());
        let told = firewalld.into_iter().flat_map(|path| FIREWALLD_TRACES.map(|trace| path.join(trace)));
        for trace in traces.chain(told).filter(|trace| !trace.exists()) {
            context.claim(&trace)?;
        }
    }
    // The first time: what an engine of ours has made since is not what was before.
    if context.receipt.network.is_none() && context.plan.engine.packet_filter {
        context.receipt.network = Some(traces::note());
        context.save()?;
    }
    context.reporter.while_waiting(Some(START_LIMIT), || start(&context.plan.engine))
}

/// Starts the engine of a plan, if it is ours.
///
/// # Errors
/// When it does not answer in time, with the end of its log.
pub fn start(engine: &EnginePlan) -> Outcome<()> {
    let Some(home) = &engine.home else { return Ok(()) };
    let is_alive: Box<dyn Fn() -> bool> = if engine.by_systemd {
        // A start limit reached by earlier attempts would refuse this one. Without --no-block a daemon that never
        // reports would hold us for ever.
        let _ = configure_engine::systemctl(&["reset-failed", "docker.service"]);
        configure_engine::systemctl(&["start", "--no-block", "docker.service"])
            .map_err(|failure| failure.quoting(journal()))?;
        Box::new(|| !has_unit_failed())
    } else {
        start_detached(home)?;
        let dockerd = home.bin().join("dockerd");
        Box::new(move || running_pid(&dockerd).is_some())
    };
    let is_decided = await_until(START_LIMIT, || is_answering(&engine.socket) || !is_alive());
    if is_decided && is_answering(&engine.socket) {
        return Ok(());
    }
    let (log, place) = if engine.by_systemd {
        (journal(), "journalctl -u docker".to_owned())
    } else {
        (log_tail(&home.log()), home.log().display().to_string())
    };
    Err(Failure::midway(text::engine_did_not_start(&place)).quoting(log))
}

/// systemd has given up, after as many attempts as the unit allows.
fn has_unit_failed() -> bool {
    let arguments = ["is-failed", "--quiet", "docker.service"];
    process::run(process::command("systemctl").args(arguments))
        .is_ok_and(|finished| finished.status.success())
}

fn start_detached(home: &EngineHome) -> Outcome<()> {
    let log = home.log();
    let bin = home.bin();
    let failed = |error: &std::io::Error| {
        Failure::midway(text::engine_did_not_start(&log.display())).refused(error, &log)
    };
    let search_path = format!("{}:{}", bin.display(), process::SYSTEM_PATH);
    let environment = [("PATH", OsStr::new(&search_path))];
    if let EngineHome::Private(_) = home {
        let socket = home.containerd_socket();
        if let Some(parent) = socket.parent() {
            file::make_dir(parent, Access { mode: 0o711, owner: None })?;
        }
        let containerd = bin.join("containerd");
        if running_pid(&containerd).is_none() {
            let config = configure_engine::containerd_config(home);
            let command = [containerd.as_os_str(), OsStr::new("--config"), config.as_os_str()];
            process::spawn_detached(&command, &environment, &log).map_err(|error| failed(&error))?;
        }
        let is_decided = || is_connectable(&socket) || running_pid(&containerd).is_none();
        // The new process bears another name until it has become the daemon.
        await_until(SPAWN_LIMIT, || running_pid(&containerd).is_some());
        if !await_until(START_LIMIT, is_decided) || !is_connectable(&socket) {
            return Err(Failure::midway(text::engine_did_not_start(&log.display())).quoting(log_tail(&log)));
        }
    }
    let dockerd = bin.join("dockerd");
    if running_pid(&dockerd).is_none() {
        // dockerd refuses to start over a pid file whose number now belongs to any other process.
        file::remove(&home.pid_file())?;
        let config = home.config();
        let command = [dockerd.as_os_str(), OsStr::new("--config-file"), config.as_os_str()];
        process::spawn_detached(&command, &environment, &log).map_err(|error| failed(&error))?;
        await_until(SPAWN_LIMIT, || running_pid(&dockerd).is_some());
    }
    Ok(())
}

/// Stops an engine of ours that no service manager runs, its containerd last.
///
/// # Errors
/// When it does not end in time.
pub fn stop_detached(home: &EngineHome) -> Outcome<()> {
    for name in ["dockerd", "containerd"] {
        let program = home.bin().join(name);
        let Some(pid) = running_pid(&program) else { continue };
        let failed = || Failure::midway(text::engine_did_not_stop(pid));
        process::terminate(pid).map_err(|error| failed().because(&error))?;
        if !await_until(STOP_LIMIT, || !process::is_running(pid, &program)) {
            return Err(failed());
        }
    }
    file::remove(&home.pid_file())
}

/// Ends all that runs from a directory of an engine's, and what descends from it, when its daemon has ended.
///
/// # Errors
/// A process that goes on.
pub fn end_all_below(bin: &Path) -> Result<(), i32> {
    // Shims take no notice of being asked, and one whose daemon is gone would wait for ever.
    await_until(STOP_LIMIT, || {
        let left = process::all_below(bin);
        // Who has ended meanwhile has no need of it; who was made meanwhile is seen the next time.
        left.iter().for_each(|pid| drop(process::kill(*pid)));
        left.is_empty()
    });
    process::all_below(bin).first().map_or(Ok(()), |pid| Err(*pid))
}

/// The daemon that runs this very program, found by what runs and not by a file that a kill may have left out.
fn running_pid(program: &Path) -> Option<i32> {
    process::find_running(program)
}

fn is_answering(socket: &Path) -> bool {
    Engine::connect(socket).is_ok_and(|engine| engine.is_answering())
}

fn is_connectable(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

/// Asks until the answer is yes or the time is up.
pub fn await_until(limit: Duration, mut is_so: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    loop {
        if is_so() {
            return true;
        }
        if Instant::now() >= deadline {
            return false;
        }
        std::thread::sleep(INTERVAL);
    }
}

fn journal() -> String {
    let arguments = ["--unit", "docker.service", "--no-pager", "--lines", "12", "--output", "cat"];
    process::run(process::command("journalctl").args(arguments))
        .map(|finished| finished.stdout)
        .unwrap_or_default()
}

fn log_tail(log: &Path) -> String {
    last_lines(&file::read_tail(log), 12)
}
