//! Starts an engine of ours, by systemd where that runs, else detached with a pid file and a log; waits until it answers.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Context, configure_engine};
use crate::engine::Engine;
use crate::host::file::{self, Access};
use crate::host::process;
use crate::layout::{EngineHome, SYSTEM_TRACES};
use crate::outcome::{Failure, Outcome};
use crate::plan::EnginePlan;
use crate::project::compose::last_lines;
use crate::text::problem as text;

/// How long an engine may take from its start to its first answer; a slow disk with many containers needs a while.
const START_LIMIT: Duration = Duration::from_secs(120);
/// How long an engine may take to end.
const STOP_LIMIT: Duration = Duration::from_secs(60);
/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(100);

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let engine = &context.plan.engine;
    engine.home.is_none() || is_answering(&engine.socket)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    if context.plan.engine.home == Some(EngineHome::System) {
        for trace in SYSTEM_TRACES.into_iter().map(Path::new).filter(|trace| !trace.exists()) {
            context.receipt.record_made(trace.to_owned());
        }
    }
    start(&context.plan.engine)
}

/// Starts the engine of a plan, if it is ours.
///
/// # Errors
/// When it does not answer in time, with the end of its log.
pub fn start(engine: &EnginePlan) -> Outcome<()> {
    let Some(home) = &engine.home else { return Ok(()) };
    if engine.by_systemd {
        // A start limit reached by earlier attempts would refuse this one.
        let _ = configure_engine::systemctl(&["reset-failed", "docker.service"]);
        configure_engine::systemctl(&["start", "docker.service"])
            .map_err(|failure| failure.quoting(journal()))?;
    } else {
        start_detached(home)?;
    }
    let answered = await_until(START_LIMIT, || is_answering(&engine.socket));
    if answered {
        return Ok(());
    }
    let log = if engine.by_systemd { journal() } else { log_tail(&home.log()) };
    Err(Failure::midway(text::engine_did_not_start(&home.log().display())).quoting(log))
}

fn start_detached(home: &EngineHome) -> Outcome<()> {
    let log = home.log();
    let bin = home.bin();
    let failed =
        |error: &std::io::Error| Failure::midway(text::engine_did_not_start(&log.display())).because(error);
    let search_path = format!("{}:{}", bin.display(), process::SYSTEM_PATH);
    let environment = [("PATH", OsStr::new(&search_path))];
    if let EngineHome::Private(_) = home {
        let socket = configure_engine::containerd_socket(home);
        if let Some(parent) = socket.parent() {
            file::make_dir(parent, Access { mode: 0o711, owner: None })?;
        }
        if !is_connectable(&socket) {
            let containerd = bin.join("containerd");
            let config = configure_engine::containerd_config(home);
            let command = [containerd.as_os_str(), OsStr::new("--config"), config.as_os_str()];
            let pid =
                process::spawn_detached(&command, &environment, &log).map_err(|error| failed(&error))?;
            file::write(&containerd_pid_file(home), Access::READABLE, pid.to_string().as_bytes())?;
            if !await_until(START_LIMIT, || is_connectable(&socket)) {
                return Err(
                    Failure::midway(text::engine_did_not_start(&log.display())).quoting(log_tail(&log))
                );
            }
        }
    }
    if running_pid(&home.pid_file(), &bin.join("dockerd")).is_none() {
        // dockerd refuses to start over a pid file whose number now belongs to any other process.
        file::remove(&home.pid_file())?;
        let dockerd = bin.join("dockerd");
        let config = home.config();
        let command = [dockerd.as_os_str(), OsStr::new("--config-file"), config.as_os_str()];
        process::spawn_detached(&command, &environment, &log).map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Stops an engine of ours that no service manager runs, its containerd last.
///
/// # Errors
/// When it does not end in time.
pub fn stop_detached(home: &EngineHome) -> Outcome<()> {
    let bin = home.bin();
    let daemons =
        [(home.pid_file(), bin.join("dockerd")), (containerd_pid_file(home), bin.join("containerd"))];
    for (pid_file, program) in daemons {
        let Some(pid) = running_pid(&pid_file, &program) else { continue };
        let failed = || Failure::midway(text::engine_did_not_stop(pid));
        process::terminate(pid).map_err(|error| failed().because(&error))?;
        if !await_until(STOP_LIMIT, || !process::is_running(pid, &program)) {
            return Err(failed());
        }
        file::remove(&pid_file)?;
    }
    Ok(())
}

fn containerd_pid_file(home: &EngineHome) -> std::path::PathBuf {
    home.pid_file().with_file_name("containerd.pid")
}

fn running_pid(pid_file: &Path, program: &Path) -> Option<i32> {
    let pid = file::read_text(pid_file).ok().flatten()?.trim().parse().ok()?;
    process::is_running(pid, program).then_some(pid)
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
    last_lines(&file::read_text(log).ok().flatten().unwrap_or_default(), 12)
}
