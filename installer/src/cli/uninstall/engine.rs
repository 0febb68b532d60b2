//! Takes back an engine that was brought: a private one with its application, one for the whole host when nothing is left in it.
//! What others may use by now stays: an engine that somebody else has installed since has the same data root, socket and group.

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use super::Session;
use super::installed::is_by_systemd;
use crate::engine::Engine;
use crate::facts::kernel;
use crate::host::mount::{self, Mounted};
use crate::host::{file, lock, process, traces};
use crate::layout::{ENGINE_LOCK, EngineHome, SYSTEM_LINKS, SYSTEM_UNIT};
use crate::outcome::{Failure, Outcome};
use crate::receipt::{MARK, Receipt};
use crate::step::configure_engine::{self, Former};
use crate::step::start_engine;
use crate::text::{problem, progress, summary as text};

mod tenant;

use tenant::{Tenant, data_root, is_vacant, tenant};

/// `groupdel`: there is no such group; somebody has made it a user's own since, and it is not ours any more (`groupdel(8)`).
const NO_GROUP_OF_OURS: [i32; 2] = [6, 8];
/// What the unit is enabled by.
const WANTED: &str = "/etc/systemd/system/multi-user.target.wants/docker.service";

/// Whether an engine that does not answer may have containers, volumes or images: ours among them, which would come back with it.
pub(super) fn may_hold_something(receipt: &Receipt) -> bool {
    match &receipt.engine {
        // A run that died while it waited for its turn to install one has none.
        None => receipt.has_engine(),
        // It goes as a whole, or is kept as a whole.
        Some(EngineHome::Private(_)) => false,
        Some(home @ EngineHome::System) => {
            let is_there = home.bin().join("dockerd").exists() || process::find("dockerd").is_some();
            is_there && !receipt.is_half(home) && !is_vacant(home)
        }
    }
}

/// What to do about an engine that does not answer, so that it can be asked.
pub(super) fn mend_it(receipt: &Receipt, failure: Box<Failure>) -> Box<Failure> {
    match &receipt.engine {
        Some(home) => match data_root(home) {
            Ok(root) if receipt.made.contains(&root) => {
                failure.todo(problem::mend_engine_first(&root.display()))
            }
            Ok(_) => failure.todo(problem::mend_engine()),
            Err(unreadable) => unreadable,
        },
        None => failure,
    }
}

/// Whether an application has the host's engine, and not one of its own or at another place.
fn uses_the_hosts(receipt: &Receipt) -> bool {
    !matches!(receipt.engine, Some(EngineHome::Private(_))) && receipt.socket == EngineHome::System.socket()
}

/// Whether a purge of this application takes the host's engine with it, if nothing else is in it.
pub(super) fn goes_too(receipt: &Receipt) -> bool {
    receipt.engine == Some(EngineHome::System)
        || (uses_the_hosts(receipt) && EngineHome::System.estate().exists())
}

/// Takes over an engine that an application which is gone has left behind, to take it away with this one, the last. Of one that has
/// an engine of its own it is none of its business.
pub(super) fn take_over(receipt: &mut Receipt) -> Outcome<bool> {
    if !uses_the_hosts(receipt) {
        return Ok(false);
    }
    let path = EngineHome::System.estate();
    let former = Receipt::of_engine_left()
        .map_err(|error| Failure::midway(problem::cannot_read(&path.display())).refused(&error, &path))?;
    let Some(former) = former else { return Ok(false) };
    receipt.inherit(former);
    Ok(true)
}

/// A private engine goes with its application; one for the whole host only when nothing is left in it.
pub(super) fn remove(session: &Session<'_>, owner: &Owner<'_>, purge: bool) -> Outcome<()> {
    let receipt = owner.receipt;
    let Some(home) = &receipt.engine else { return Ok(()) };
    if let EngineHome::Private(dir) = home {
        return remove_private(session, receipt, (home, dir), purge);
    }
    // A run that died before placing it has recorded the intention only.
    if !receipt.has_placed(home) && !home.mark().exists() {
        return Ok(());
    }
    if !purge {
        session.say(&text::engine_kept());
        return Ok(());
    }
    // An application that counts on this engine, or brings one itself, comes before or after.
    let tell = |holder: &lock::Holder| session.say(&progress::waiting_for_engine(&holder.app, &holder.pid));
    let _lock = lock::wait(Path::new(ENGINE_LOCK), &receipt.app, lock::FOR_ENGINE, tell)?;
    let tenant = tenant(home);
    if tenant == Tenant::Another {
        session.say(&text::removing_engine());
        if let Some(original) = configure_engine::keep_original(receipt, home)? {
            session.say(&text::config_was_changed(&home.config().display(), &original.display()));
        }
        remove_own(receipt, home)?;
        let root = data_root(home).unwrap_or_else(|_| home.data_root());
        session.say(&text::shared_with_another(&root.display().to_string()));
        return Ok(());
    }
    if !is_empty(receipt, home, tenant) {
        receipt.leave_engine()?;
        session.say(&text::engine_in_use(&owner.run));
        return Ok(());
    }
    let data = data_root(home)?;
    session.say(&text::removing_engine());
    stop(home)?;
    // Half an engine must not be taken for one, and not be started to see whether it is empty: it was.
    file::remove(&home.mark())?;
    forget_traces(receipt)?;
    // A data root that was there before us has held something; it is empty as far as the engine knows, and stays.
    if receipt.made.contains(&data) {
        remove_tree(&data)?;
    }
    if let Former::Kept(original) = configure_engine::restore_config(receipt, home)? {
        session.say(&text::config_was_changed(&home.config().display(), &original.display()));
    }
    remove_tree(&home.exec_root())?;
    // A link in its place is somebody's who answers for an engine.
    if home.socket().symlink_metadata().is_ok_and(|found| found.file_type().is_socket()) {
        file::remove(&home.socket())?;
    }
    // Somebody has installed another one, which our unit kept from running: its socket wants the group.
    if receipt.made_group && process::find("dockerd").is_none() {
        remove_group()?;
    }
    // One that was there before us stays, but for what a killed run left beside it.
    file::sweep(&home.config());
    remove_made(receipt, home, |_| true)
}

/// Whose engine is taken away.
pub(super) struct Owner<'r> {
    /// What is known of it.
    pub(super) receipt: &'r Receipt,
    /// How to call the bundle.
    pub(super) run: String,
}

fn remove_private(
    session: &Session<'_>,
    receipt: &Receipt,
    (home, dir): (&EngineHome, &Path),
    purge: bool,
) -> Outcome<()> {
    stop(home)?;
    if purge {
        session.say(&text::removing_engine());
        file::remove(&home.mark())?;
        // Somebody may have moved it to a larger disk, and left a link.
        remove_tree(&home.data_root())?;
        remove_tree(dir)?;
        return forget_traces(receipt);
    }
    // Whoever deletes the directory by hand must not fail at a mount that nobody needs any more.
    unmount_below(dir, Mounted::is_of_an_engine)?;
    session.say(&text::private_engine_kept(&dir.display().to_string()));
    Ok(())
}

/// A run that broke off has not placed all programs, or a purge removed some of them; it knew the engine to be empty. One that runs
/// was started by somebody since, and is asked.
fn is_empty(receipt: &Receipt, home: &EngineHome, tenant: Tenant) -> bool {
    (tenant == Tenant::Nobody && (!home.bin().join("dockerd").exists() || receipt.is_half(home)))
        || Engine::connect(&receipt.socket)
            .and_then(|engine| engine.is_empty())
            .unwrap_or_else(|_| is_vacant(home))
}

/// Ends an engine of ours, and whatever of it goes on when its daemon has ended.
fn stop(home: &EngineHome) -> Outcome<()> {
    if is_by_systemd(home) {
        call("systemctl", &["disable", "docker.service"])?;
        if Path::new(WANTED).is_symlink() {
            return Err(Failure::midway(problem::systemctl_failed("disable docker.service"))
                .todo(problem::run_again()));
        }
        call("systemctl", &["stop", "docker.service"])?;
    } else {
        start_engine::stop_detached(home)?;
    }
    // What systemd refuses to stop goes on with its files.
    if let Some(pid) = process::find_running(&home.bin().join("dockerd")) {
        return Err(Failure::midway(problem::engine_did_not_stop(pid)).todo(problem::run_again()));
    }
    end_programs(home)
}

/// A daemon that was killed leaves its containerd, and each container its shim: nobody would end them any more.
fn end_programs(home: &EngineHome) -> Outcome<()> {
    start_engine::end_all_below(&home.bin())
        .map_err(|pid| Failure::midway(problem::engine_did_not_stop(pid)).todo(problem::run_again()))
}

/// Removes what nobody else can have any use of: programs, the links to them, and a unit that starts them.
fn remove_own(receipt: &Receipt, home: &EngineHome) -> Outcome<()> {
    end_programs(home)?;
    file::remove(&home.mark())?;
    let is_ours = |path: &Path| {
        let leads_to_us = || std::fs::read_link(path).is_ok_and(|target| target.starts_with(home.bin()));
        path.starts_with(home.bin())
            || home.bin().starts_with(path)
            || SYSTEM_LINKS.iter().any(|(link, _)| Path::new(link) == path && leads_to_us())
            || path == Path::new(SYSTEM_UNIT)
            // Whose configuration it is now goes on with it.
            || path == home.former_config()
    };
    remove_made(receipt, home, is_ours)
}

/// Removes what was made outside the project directory, the last first.
fn remove_made(receipt: &Receipt, home: &EngineHome, is_meant: impl Fn(&Path) -> bool) -> Outcome<()> {
    let unit = Path::new(SYSTEM_UNIT);
    let is_changed = |path: &Path| path == unit && !is_our_unit();
    let made: Vec<&PathBuf> = receipt.made.iter().rev().filter(|path| is_meant(path)).collect();
    let is_dir = |path: &Path| path.is_dir() && !path.is_symlink();
    for path in made.iter().filter(|path| !is_dir(path) && !is_changed(path)) {
        file::remove(path)?;
    }
    if unit.parent().is_some_and(Path::is_dir) {
        call("systemctl", &["daemon-reload"])?;
    }
    // What is known of an engine that was left behind lies with its programs, and goes last of all.
    for entry in std::fs::read_dir(home.bin()).into_iter().flatten().flatten() {
        if entry.path() != home.estate() {
            file::remove_any(&entry.path())?;
        }
    }
    file::remove_tree(&home.bin())?;
    made.iter().filter(|path| is_dir(path)).for_each(|path| file::remove_dir_if_empty(path));
    Ok(())
}

/// Somebody may have written another unit in place of ours.
fn is_our_unit() -> bool {
    file::read_text(Path::new(SYSTEM_UNIT)).ok().flatten().is_none_or(|text| text.contains(MARK))
}

fn remove_group() -> Outcome<()> {
    match call("groupdel", &["docker"])? {
        Some(finished) => match finished.status.code() {
            Some(0) => Ok(()),
            Some(code) if NO_GROUP_OF_OURS.contains(&code) => Ok(()),
            _ => Err(Failure::midway(problem::group_not_removed())
                .quoting(finished.stderr)
                .todo(problem::run_again())),
        },
        None => Ok(()),
    }
}

/// Calls a program of the system's; nothing comes back where there is none. What does not even start leaves something to be done.
fn call(program: &str, arguments: &[&str]) -> Outcome<Option<process::Finished>> {
    match process::run(process::command(program).args(arguments)) {
        Ok(finished) => Ok(Some(finished)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(not_started(program, &error)),
    }
}

fn not_started(program: &str, error: &std::io::Error) -> Box<Failure> {
    Failure::midway(problem::not_started(&program)).because(error).todo(problem::run_again())
}

fn forget_traces(receipt: &Receipt) -> Outcome<()> {
    let Some(before) = &receipt.network else { return Ok(()) };
    traces::take_back(before, kernel::is_forwarding_configured(Path::new("/")))
}

/// Removes a directory of the engine's. Nothing is deleted through a mount that stays.
fn remove_tree(dir: &Path) -> Outcome<()> {
    unmount_below(dir, |_| true)?;
    file::remove_tree(dir)
}

/// Unmounts what a stopped engine has left mounted in a directory: it always leaves the network of its host.
fn unmount_below(dir: &Path, is_meant: impl Fn(&Mounted) -> bool) -> Outcome<()> {
    let mounts = || mount::below(dir).into_iter().filter(&is_meant);
    for mount in mounts() {
        let _ = process::run(process::command("umount").arg("--lazy").arg(mount.point));
    }
    match mounts().next() {
        Some(mount) => Err(Failure::midway(problem::still_mounted(&mount.point.display()))),
        None => Ok(()),
    }
}
