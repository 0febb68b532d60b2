//! `uninstall`: takes back what the receipt says was done. Data stays unless the application's name is typed in full.

use std::io::{BufRead, ErrorKind, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use clap::ArgMatches;

use super::Session;
use super::day2::{self, Installed};
use crate::detached::attach;
use crate::engine::{Description, Engine};
use crate::facts::kernel;
use crate::host::below::Folder;
use crate::host::signal::Reaction;
use crate::host::{file, lock, process, traces};
use crate::layout::{ENGINE_LOCK, EngineHome, Layout, SYSTEM_UNIT};
use crate::load::{leases, names, replaced};
use crate::outcome::{Code, Failure, Outcome, WayBack};
use crate::receipt::{Extent, Receipt, Removal, StepState};
use crate::step::{join_group, open_firewall, start_engine};
use crate::text::{problem, progress, summary as text};
use crate::wizard;

pub(super) fn run(session: &Session<'_>, matches: &ArgMatches, own: Option<PathBuf>) -> Outcome<()> {
    let purge = matches.get_flag("purge");
    let layout = day2::place(session, own.clone());
    if rustix::process::geteuid().is_root() && remove_mere_beginning(&layout)? {
        session.say(&text::beginning_removed(&layout.dir.display()));
        return Ok(());
    }
    let installed = day2::find(session, own)?;
    let app = &installed.content.app.name;
    let dir = installed.layout.dir.display().to_string();
    let run = installed.bundle_command(session);
    if !purge && installed.receipt.extent() == Extent::Uninstalled {
        session.say(&text::is_uninstalled(&dir));
        session.say(&text::install_or_purge(&run));
        return Ok(());
    }
    // It would be untrue that the data is kept.
    if !purge && installed.receipt.removal == Some(Removal::Purge) {
        return Err(installed.half_removed(session));
    }
    if purge {
        confirm_purge(session, app, &dir)?;
    } else if !matches.get_flag("yes") {
        wizard::confirm_removal(app, session.reporter)?;
    }
    take_back(session, &installed, purge)
}

/// Asks after an installation that failed whether it is to be taken back at once. Who only presses Enter keeps what is there.
pub(super) fn offer(session: &Session<'_>, layout: &Layout, way_back: &WayBack) -> Outcome<()> {
    // The work is over: Ctrl-C ends this process.
    session.process.watch.decide(|_| Reaction::End);
    let app = &session.bundle()?.bundle.index.content.app.name;
    session.say(&text::offer_to_take_back(app));
    session.reporter.prompt("> ");
    let mut typed = String::new();
    let _ = std::io::stdin().lock().read_line(&mut typed);
    if typed.trim() != app {
        session.say(&text::kept_as_it_is());
        return Ok(());
    }
    let installed = day2::find(session, Some(layout.dir.clone()))?;
    take_back(session, &installed, way_back.purge)
}

/// A run that died before it wrote down anything has made no more than its own folder. Returns whether that was so.
fn remove_mere_beginning(layout: &Layout) -> Outcome<bool> {
    let state = layout.state();
    if layout.receipt().exists() || !layout.lock().exists() {
        return Ok(false);
    }
    let _lock = lock::take(&layout.lock())?;
    let is_own = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path == layout.lock() || path == layout.log() || name.starts_with(".airlift-")
    };
    let entries = std::fs::read_dir(&state).into_iter().flatten().flatten();
    if layout.receipt().exists() || entries.into_iter().any(|entry| !is_own(&entry.path())) {
        return Ok(false);
    }
    file::remove_tree(&state)?;
    file::remove_dir_if_empty(&layout.dir);
    Ok(true)
}

fn take_back(session: &Session<'_>, installed: &Installed, purge: bool) -> Outcome<()> {
    let app = &installed.content.app.name;
    session.reporter.working();
    // A worker that was killed leaves its socket.
    attach::clear(&installed.layout);
    // To the very end: who comes before would have its files taken away.
    let _lock = lock::take(&installed.layout.lock())?;
    // The record was read before the question was answered.
    if Receipt::read(&installed.layout.receipt()).ok().flatten().as_ref() != Some(&installed.receipt) {
        return Err(Failure::new(Code::Locked, problem::another_run_meanwhile()).todo(problem::run_again()));
    }
    let removal = Some(if purge { Removal::Purge } else { Removal::KeepData });
    // On a full disk, too, an application can be removed: if this cannot be written, a run that breaks off has less to say.
    let _ = Receipt { removal, ..installed.receipt.clone() }.write(&installed.layout.receipt());
    match installed.started_engine() {
        Ok(engine) => remove_from_engine(session, installed, &engine, purge)?,
        // An engine of ours that does not start goes as a whole; one that is not ours still has our containers. A run that died
        // while it waited for its turn to install one has none.
        Err(failure) if installed.receipt.engine.is_none() && installed.receipt.has_engine() => {
            return Err(failure);
        }
        Err(_) => {}
    }
    open_firewall::take_back(&installed.receipt)?;
    join_group::take_back(&installed.receipt)?;
    remove_engine(session, installed, purge)?;
    remove_project(installed, purge)?;
    if purge {
        session.say(&text::purged(app));
    } else {
        session.say(&text::uninstalled_with_data(&installed.layout.dir.display().to_string()));
        session.say(&text::to_purge(&installed.bundle_command(session)));
    }
    Ok(())
}

/// The name must be typed in full; `--yes` does not replace it.
fn confirm_purge(session: &Session<'_>, app: &str, dir: &str) -> Outcome<()> {
    session.say(&text::type_name(app, dir));
    let mut typed = String::new();
    // End of input counts as nothing typed.
    let _ = std::io::stdin().lock().read_line(&mut typed);
    if typed.trim() == app {
        Ok(())
    } else if typed.is_empty() && !std::io::stdin().is_terminal() {
        Err(Failure::new(Code::Usage, text::no_terminal_for_name()).todo(text::pipe_name(app)))
    } else {
        Err(Failure::new(Code::Usage, text::name_mismatch(app)).todo(text::type_it_exactly(app)))
    }
}

fn remove_from_engine(
    session: &Session<'_>,
    installed: &Installed,
    engine: &Engine,
    purge: bool,
) -> Outcome<()> {
    session.say(&text::removing_project());
    let mut arguments = vec!["down", "--remove-orphans"];
    if purge {
        arguments.push("--volumes");
    }
    let compose = installed.compose();
    if compose.is_present() {
        compose.run(&arguments)?;
    }
    let gone = |error| Failure::midway(problem::engine_not_there(&engine.socket().display())).because(&error);
    engine.remove_project(&installed.content.project.name, purge).map_err(gone)?;
    session.say(&text::removing_images());
    engine.release_images(&installed.content.app.name, |_| true).map_err(gone)?;
    // A run that was killed while it loaded holds what it brought, until its lease expires if that cannot be ended now.
    if let Ok(Description { containerd: Some(access), .. }) = engine.describe() {
        drop(leases::release(&access, &installed.content, SystemTime::now()));
    }
    let receipt = &installed.receipt;
    names::give_back(engine, receipt).map_err(gone)?;
    // What an upgrade that was broken off has left. What something else uses stays recorded, for an installation to come.
    drop(replaced::remove(engine, &receipt.replaced, || {}));
    Ok(())
}

/// A private engine is ours whatever state it is in. A system-wide one is ours if we placed it; a purge that was killed
/// after removing its programs is known by the unit and the links that are still recorded.
fn is_ours(installed: &Installed, home: &EngineHome) -> bool {
    let is_placed = installed.receipt.own_engine().is_some();
    // What lies where ours lay may by now be that of an engine that somebody has installed since.
    let is_half_gone = !home.socket().exists() && !home.bin().exists() && day2::has_no_engine();
    matches!(home, EngineHome::Private(_)) || is_placed || is_half_gone || installed.is_half(home)
}

/// A private engine goes with its application; one for the whole host only when nothing is left on it.
fn remove_engine(session: &Session<'_>, installed: &Installed, purge: bool) -> Outcome<()> {
    let Some(home) = installed.receipt.engine.as_ref().filter(|home| is_ours(installed, home)) else {
        return Ok(());
    };
    if let EngineHome::Private(dir) = home {
        start_engine::stop_detached(home)?;
        if purge {
            session.say(&text::removing_engine());
            // Half an engine must not be taken for one.
            file::remove(&home.mark())?;
            remove_engine_tree(dir)?;
            forget_traces(installed)?;
        } else {
            // Whoever deletes the directory by hand must not fail at a mount that nobody needs any more.
            unmount_below(dir)?;
            session.say(&text::private_engine_kept(&dir.display().to_string()));
        }
        return Ok(());
    }
    // An application that counts on this engine, or brings one itself, comes before or after.
    let tell = |holder: &lock::Holder| session.say(&progress::waiting_for_engine(&holder.app, &holder.pid));
    let app = &installed.content.app.name;
    let _lock =
        if purge { Some(lock::wait(Path::new(ENGINE_LOCK), app, lock::FOR_ENGINE, tell)?) } else { None };
    // A run that broke off has not placed all programs, or a purge removed some of them; it knew the engine to be empty.
    let is_gone = !home.bin().join("dockerd").exists() || installed.is_half(home);
    let is_empty = is_gone
        || Engine::connect(&installed.receipt.socket).and_then(|engine| engine.is_empty()).unwrap_or(false);
    if !purge {
        session.say(&text::engine_kept());
        return Ok(());
    }
    if !is_empty {
        session.say(&text::engine_in_use());
        return Ok(());
    }
    session.say(&text::removing_engine());
    if day2::is_by_systemd(home) {
        for arguments in [["disable", "docker.service"], ["stop", "docker.service"]] {
            call("systemctl", &arguments)?;
        }
    } else {
        start_engine::stop_detached(home)?;
    }
    // What systemd refuses to stop goes on with its files.
    if let Some(pid) = process::find_running(&home.bin().join("dockerd")) {
        return Err(Failure::midway(problem::engine_did_not_stop(pid)).todo(problem::run_again()));
    }
    // Half an engine must not be taken for one, and not be started to see whether it is empty: it was.
    file::remove(&home.mark())?;
    forget_traces(installed)?;
    // A data root that was there before us has held something; it is empty as far as the engine knows, and stays.
    if installed.receipt.made.contains(&home.data_root()) {
        remove_engine_tree(&home.data_root())?;
    }
    remove_engine_tree(&home.exec_root())?;
    file::remove(&home.socket())?;
    file::remove(&home.log())?;
    file::remove_tree(&home.bin())?;
    if installed.receipt.made_group {
        call("groupdel", &["docker"])?;
    }
    // One that was there before us stays, but for what a killed run left beside it.
    file::sweep(&home.config());
    for path in installed.receipt.made.iter().rev() {
        remove_made(path)?;
    }
    if Path::new(SYSTEM_UNIT).parent().is_some_and(Path::is_dir) {
        call("systemctl", &["daemon-reload"])?;
    }
    Ok(())
}

/// Calls a program of the system's. If it says no, there may be nothing left to do; if it does not even start, there is.
fn call(program: &str, arguments: &[&str]) -> Outcome<()> {
    match process::run(process::command(program).args(arguments)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(not_started(program, &error)),
        _ => Ok(()),
    }
}

fn not_started(program: &str, error: &std::io::Error) -> Box<Failure> {
    Failure::midway(problem::not_started(&program)).because(error).todo(problem::run_again())
}

fn forget_traces(installed: &Installed) -> Outcome<()> {
    let failed = |(program, error): (&str, std::io::Error)| not_started(program, &error);
    let Some(before) = &installed.receipt.network else { return Ok(()) };
    traces::take_back(before, kernel::is_forwarding_configured(Path::new("/"))).map_err(failed)
}

/// Removes one thing that we made; a directory only when nothing is left in it.
fn remove_made(path: &Path) -> Outcome<()> {
    if path.is_dir() && !path.is_symlink() {
        file::remove_dir_if_empty(path);
        return Ok(());
    }
    file::remove(path)
}

/// Removes a directory of the engine's. Nothing is deleted through a mount that stays.
fn remove_engine_tree(dir: &Path) -> Outcome<()> {
    unmount_below(dir)?;
    file::remove_tree(dir)
}

/// Unmounts what a stopped engine has left mounted in a directory: it always leaves the network of its host.
fn unmount_below(dir: &Path) -> Outcome<()> {
    for point in file::mounts_below(dir) {
        let _ = process::run(process::command("umount").arg("--lazy").arg(point));
    }
    match file::mounts_below(dir).first() {
        Some(point) => Err(Failure::midway(problem::still_mounted(&point.display()))),
        None => Ok(()),
    }
}

fn remove_project(installed: &Installed, purge: bool) -> Outcome<()> {
    let layout = &installed.layout;
    let app = &installed.content.app.name;
    let link = crate::layout::Layout::control_link(app);
    if std::fs::read_link(&link).is_ok_and(|target| target == layout.control(app)) {
        file::remove(&link)?;
    }
    if purge {
        // The record goes last, and the lock after it: a purge that is killed before can be run again.
        let last = [layout.state(), layout.receipt(), layout.lock()];
        for dir in [&layout.dir, &layout.state()] {
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                if !last.contains(&entry.path()) {
                    file::remove_any(&entry.path())?;
                }
            }
        }
        file::remove(&layout.receipt())?;
        return file::remove_tree(&layout.dir);
    }
    let written = installed.receipt.files.iter().chain(&installed.receipt.certificate);
    let project = Folder::open(&layout.dir)
        .map_err(|error| Failure::midway(problem::cannot_remove(&layout.dir.display())).because(&error))?;
    written.clone().try_for_each(|path| project.remove(Path::new(path)))?;
    // Without HTTPS the engine itself has made the folder that certificates would have been in.
    let tls = installed.content.tls.iter().map(|tls| tls.certificate.as_str());
    for path in written.map(String::as_str).chain(tls) {
        for parent in Path::new(path).ancestors().skip(1).filter(|parent| !parent.as_os_str().is_empty()) {
            project.remove_if_empty(parent);
        }
    }
    file::remove_tree(&layout.bin())?;
    let mut receipt = installed.receipt.clone();
    for step in &mut receipt.steps {
        step.state = StepState::Begun;
    }
    receipt.started_as.clear();
    receipt.files.clear();
    receipt.certificate.clear();
    receipt.made_certificate = None;
    receipt.openings.clear();
    receipt.group_members.clear();
    receipt.started_files.clear();
    receipt.resting.clear();
    receipt.loaded.clear();
    receipt.brought.clear();
    receipt.priors.clear();
    receipt.bundle.clear();
    receipt.removal = None;
    receipt.write(&layout.receipt())
}
