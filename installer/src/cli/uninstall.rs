//! `uninstall`: takes back what the receipt says was done. Data stays unless the application's name is typed in full. Not here:
//! what becomes of an engine that was brought (`engine`).

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use clap::ArgMatches;

use super::Session;
use super::installed::{self, Installed};
use crate::detached::attach;
use crate::engine::{Description, Engine};
use crate::facts::EngineChoice;
use crate::host::below::Folder;
use crate::host::signal::Reaction;
use crate::host::{file, lock, mount};
use crate::layout::{EngineHome, Layout};
use crate::load::{forgotten, leases, names, replaced};
use crate::outcome::{Code, Failure, Outcome, WayBack};
use crate::plan::Step;
use crate::receipt::{Extent, Receipt, Removal, StepState};
use crate::step::{join_group, open_firewall};
use crate::text::{problem, summary as text};
use crate::wizard;

mod engine;

pub(super) fn run(session: &Session<'_>, matches: &ArgMatches, own: Option<PathBuf>) -> Outcome<()> {
    let purge = matches.get_flag("purge");
    let layout = installed::place(session, own.clone());
    if rustix::process::geteuid().is_root() && remove_mere_beginning(&layout)? {
        session.say(&text::beginning_removed(&layout.dir.display()));
        return Ok(());
    }
    let installed = match installed::find(session, own) {
        Err(failure) if purge && !layout.receipt().exists() => {
            let was_last_act = remove_emptied(session, &layout)?;
            return match remove_left(session, failure) {
                Err(failure) if failure.code == Code::Usage && was_last_act => Ok(()),
                removed => removed,
            };
        }
        found => found?,
    };
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
        refuse_mounts(&installed)?;
        if engine::goes_too(&installed.receipt) {
            session.say(&text::engine_goes_too());
        }
        confirm_purge(app, || session.say(&text::type_name(app, &dir)))?;
    } else if !matches.get_flag("yes") {
        wizard::confirm_removal(app, session.reporter)?;
    }
    take_back(session, installed, purge)
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
    let installed = installed::find(session, Some(layout.dir.clone()))?;
    take_back(session, installed, way_back.purge)
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

fn take_back(session: &Session<'_>, mut installed: Installed, purge: bool) -> Outcome<()> {
    session.reporter.working();
    // A worker that was killed leaves its socket.
    attach::clear(&installed.layout);
    // To the very end: who comes before would have its files taken away.
    let _lock = lock::take(&installed.layout.lock())?;
    // The record was read before the question was answered.
    if Receipt::read(&installed.layout.receipt()).ok().flatten().as_ref() != Some(&installed.receipt) {
        return Err(Failure::new(Code::Locked, problem::another_run_meanwhile()).todo(problem::run_again()));
    }
    if purge {
        refuse_mounts(&installed)?;
        // Before anything goes: a purge that is killed later is run again with all that it has to know.
        if engine::take_over(&mut installed.receipt)? {
            installed.receipt.write(&installed.layout.receipt())?;
            file::remove(&EngineHome::System.estate())?;
        }
    }
    let installed = &installed;
    let app = &installed.content.app.name;
    let engine = match installed.started_engine() {
        Ok(engine) => Some(engine),
        // One that does not answer, and may still have our containers, is not passed over: its record would be gone.
        Err(failure) if engine::may_hold_something(&installed.receipt) => {
            return Err(engine::mend_it(&installed.receipt, failure));
        }
        Err(_) => None,
    };
    if let Some(engine) = &engine {
        refuse_foreign(installed, engine)?;
    }
    let removal = Some(if purge { Removal::Purge } else { Removal::KeepData });
    // On a full disk, too, an application can be removed: if this cannot be written, a run that breaks off has less to say.
    let _ = Receipt { removal, ..installed.receipt.clone() }.write(&installed.layout.receipt());
    if let Some(engine) = engine {
        remove_from_engine(session, installed, &engine, purge)?;
    }
    open_firewall::take_back(&installed.receipt)?;
    join_group::take_back(&installed.receipt)?;
    let run = installed.bundle_command(session);
    engine::remove(session, &engine::Owner { receipt: &installed.receipt, run }, purge)?;
    remove_project(installed, purge)?;
    if purge {
        session.say(&text::purged(app));
    } else {
        session.say(&text::uninstalled_with_data(&installed.layout.dir.display().to_string()));
        session.say(&text::to_purge(&installed.bundle_command(session)));
    }
    Ok(())
}

/// What somebody has mounted below the project directory lies elsewhere, and is not ours: a purge would empty it. Mounts of a private
/// engine are its own: what lies behind them is not deleted.
fn refuse_mounts(installed: &Installed) -> Outcome<()> {
    let below = mount::below(&installed.layout.dir);
    let mut mounts: Vec<PathBuf> = below.into_iter().map(|mount| mount.point).collect();
    if let Some(EngineHome::Private(home)) = &installed.receipt.engine {
        let home = home.canonicalize().unwrap_or_else(|_| home.clone());
        mounts.retain(|point| !point.starts_with(&home));
    }
    if mounts.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = mounts.iter().map(|point| point.display().to_string()).collect();
    Err(Failure::new(Code::Usage, problem::mounted_in_project(&names.join(", ")))
        .todo(problem::unmount_first(&names.join(" "))))
}

/// The last that a purge removes is the empty directory: one that was killed right before has left it. Returns whether that was so.
fn remove_emptied(session: &Session<'_>, layout: &Layout) -> Outcome<bool> {
    let entries = |dir: &Path| std::fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>());
    let is_empty = |dir: &Path| entries(dir).is_ok_and(|entries| entries.is_empty());
    let is_own = |dir: &Path| dir == layout.state() && is_empty(dir);
    let is_emptied = entries(&layout.dir).is_ok_and(|entries| entries.iter().all(|it| is_own(&it.path())));
    // Without a bundle it could be any directory in which somebody is.
    if session.bundle.is_none() || !is_emptied {
        return Ok(false);
    }
    file::remove_tree(&layout.dir)?;
    let is_gone = layout.dir.symlink_metadata().is_err();
    if is_gone {
        session.say(&text::empty_removed(&layout.dir.display()));
    }
    Ok(is_gone)
}

/// Where no application is left, but an engine that one has left behind: it goes as well, if it is empty by now.
fn remove_left(session: &Session<'_>, failure: Box<Failure>) -> Outcome<()> {
    let Some(bundle) = &session.bundle else { return Err(failure) };
    let content = &bundle.bundle.index.content;
    let app = &content.app.name;
    let mut receipt = Receipt::new(app, &content.app.version, &content.project.name, EngineChoice::System);
    receipt.socket = EngineHome::System.socket();
    if !rustix::process::geteuid().is_root() || !engine::take_over(&mut receipt)? {
        return Err(failure);
    }
    session.say(&text::engine_is_left(app));
    confirm_purge(app, || session.say(&text::type_name_for_engine(app)))?;
    session.reporter.working();
    let run = format!("sudo {}", bundle.path.display());
    engine::remove(session, &engine::Owner { receipt: &receipt, run }, true)?;
    if !EngineHome::System.bin().exists() {
        session.say(&text::engine_is_removed());
    }
    Ok(())
}

/// The name must be typed in full; `--yes` does not replace it.
fn confirm_purge(app: &str, ask: impl FnOnce()) -> Outcome<()> {
    ask();
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

/// Compose knows a project by its name alone: containers that somebody has made since under the same one, from another directory,
/// would go with ours. A directory that is gone was ours before it was moved.
fn refuse_foreign(installed: &Installed, engine: &Engine) -> Outcome<()> {
    let name = &installed.content.project.name;
    let gone = |error| Failure::midway(problem::engine_not_there(&engine.socket().display())).because(&error);
    let own = installed.layout.dir.canonicalize().ok();
    let is_foreign = |dir: &str| {
        let real = Path::new(dir).canonicalize().ok();
        Path::new(dir) != installed.layout.dir && real.is_some() && real != own
    };
    let containers = engine.containers(name).map_err(gone)?;
    match containers.iter().find(|container| is_foreign(&container.working_dir)) {
        Some(container) => Err(Failure::midway(problem::namesake_runs(name, &container.working_dir))
            .todo(problem::remove_namesake(&container.working_dir, name))),
        None => Ok(()),
    }
}

/// A request whose client was killed goes on in the engine, and would bring its image after it was looked for.
const A_WHILE: Duration = Duration::from_secs(2);

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
        let down = compose.run(&arguments);
        // Broken off before, it may miss files by now that it reads; what it would remove is removed below as well.
        if installed.receipt.removal.is_none() {
            down?;
        }
    }
    let gone = |error| Failure::midway(problem::engine_not_there(&engine.socket().display())).because(&error);
    engine.remove_project(&installed.content.project.name, purge).map_err(gone)?;
    session.say(&text::removing_images());
    let loading = installed.receipt.steps.iter().find(|step| step.id == Step::LoadImages.id());
    if loading.is_some_and(|step| step.state != StepState::Done) {
        std::thread::sleep(A_WHILE);
    }
    engine.release_images(&installed.content.app.name, |_| true).map_err(gone)?;
    // A run that was killed while it loaded holds what it brought, until its lease expires if that cannot be ended now.
    if let Ok(Description { containerd: Some(access), .. }) = engine.describe() {
        drop(leases::release(&access, &installed.content, SystemTime::now()));
        drop(forgotten::let_go(&access, engine, &installed.content));
    }
    let receipt = &installed.receipt;
    names::give_back(engine, receipt).map_err(gone)?;
    // What an upgrade that was broken off has left. What something else uses stays recorded, for an installation to come.
    drop(replaced::remove(engine, &receipt.replaced, || {}));
    Ok(())
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
    // Whatever else is there belongs to the application.
    file::remove(&layout.control(app))?;
    file::remove(&layout.compose())?;
    file::remove_dir_if_empty(&layout.bin());
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
