//! One run at a time: an advisory lock on a file, which dies with the process and so is never stale.

use std::fs::{File, Metadata, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use bundle_spec::text::tame;
use rustix::fs::OFlags;

use super::fault::{self, Act};
use crate::outcome::{Code, Failure, Outcome};
use crate::text::{detached, problem};

/// Holds the lock for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock at `path`; its directory must exist. The file names the process that holds it, for people.
///
/// # Errors
/// [`Code::Locked`] when another run holds it.
pub fn take(path: &Path) -> Outcome<Lock> {
    refuse_link(path)?;
    let mut file = open(path)?;
    match file.try_lock() {
        // Whoever held it has taken the directory away, and the file with it: what is locked now keeps nobody out.
        Ok(()) if !is_at(&file, path) => {
            Err(Failure::new(Code::Locked, problem::another_run_meanwhile()).todo(problem::run_again()))
        }
        Ok(()) => {
            // Who cannot be named is locked out all the same.
            let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.rewind().and_then(|()| file.read_to_string(&mut holder));
            let since = file.metadata().and_then(|metadata| metadata.modified()).ok();
            let held = since.and_then(|since| since.elapsed().ok()).unwrap_or_default();
            let held = detached::duration(held.as_secs());
            Err(Failure::new(Code::Locked, problem::another_run(&path.display(), holder.trim(), &held))
                .todo(problem::wait_for_other_run()))
        }
        Err(TryLockError::Error(error)) => Err(cannot(path, &error)),
    }
}

/// Whoever could put a link in the place of the folder that our files are in would have them written, and deleted, elsewhere.
fn refuse_link(path: &Path) -> Outcome<()> {
    match path.parent().filter(|folder| folder.is_symlink()) {
        Some(folder) => {
            Err(Failure::midway(problem::folder_is_a_link(&folder.display()))
                .todo(problem::remove_that_link()))
        }
        None => Ok(()),
    }
}

/// Who holds a lock that others wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Its process id; a question mark where it has not said.
    pub pid: String,
    /// The application that it installs.
    pub app: String,
}

/// How long somebody is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// While it does nothing at all: neither reads, nor writes, nor computes.
    pub still: Duration,
    /// In all.
    pub longest: Duration,
}

/// How long another installation may take to bring the engine: from a slow stick some minutes, and several may come before us.
pub const FOR_ENGINE: Patience =
    Patience { still: Duration::from_secs(300), longest: Duration::from_secs(1800) };

/// How often a lock is tried that somebody else holds.
const INTERVAL: Duration = Duration::from_millis(200);

/// Takes the lock at `path` for `app` when nobody else holds it any more. `tell` is called with whoever holds it now, and again
/// when that is another one.
///
/// # Errors
/// When there can be no such file; [`Code::Locked`] when the patience is at its end.
pub fn wait(path: &Path, app: &str, patience: Patience, mut tell: impl FnMut(&Holder)) -> Outcome<Lock> {
    let mut file = open(path)?;
    let started = Instant::now();
    let (mut known, mut seen, mut moved) = (None, None, started);
    loop {
        match file.try_lock() {
            Ok(()) => {
                // Who cannot be named is waited for all the same.
                let _ = file.set_len(0).and_then(|()| file.rewind());
                let _ = write!(file, "{} {app}", std::process::id());
                return Ok(Lock { _file: file });
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(cannot(path, &error)),
        }
        let holder = holder(&mut file);
        let doings = super::process::doings(&holder.pid);
        if known.as_ref() != Some(&holder) {
            tell(&holder);
            (known, moved) = (Some(holder.clone()), Instant::now());
        }
        if seen != doings {
            (seen, moved) = (doings, Instant::now());
        }
        if moved.elapsed() >= patience.still || started.elapsed() >= patience.longest {
            let held = detached::duration(started.elapsed().as_secs());
            let what = problem::engine_is_being_installed(&holder.app, &holder.pid, &held, &path.display());
            return Err(Failure::new(Code::Locked, what).todo(problem::look_at_lock_holder(&holder.pid)));
        }
        std::thread::sleep(INTERVAL);
    }
}

/// Who says in the file that it holds it.
fn holder(file: &mut File) -> Holder {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.take(256).read_to_string(&mut text));
    let (pid, app) = text.trim().split_once(' ').unwrap_or(("", ""));
    let or = |text: &str, other: &str| if text.is_empty() { other.to_owned() } else { tame(text) };
    Holder { pid: or(pid, "?"), app: or(app, "?") }
}

fn open(path: &Path) -> Outcome<File> {
    // Whoever may open it may hold it, and so let every installation wait.
    let open = || {
        fault::pass(Act::Lock, path)?;
        // A link would lead to somebody else's file, and a pipe would keep us waiting.
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let mut options = File::options();
        let options = options.create(true).truncate(false).read(true).write(true).mode(0o600);
        let file = options.custom_flags(flags).open(path)?;
        // One that was there may have been made otherwise.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    };
    open().map_err(|error| cannot(path, &error))
}

/// Whether the file is the one at `path`.
fn is_at(file: &File, path: &Path) -> bool {
    let same = |a: &Metadata, b: &Metadata| (a.dev(), a.ino()) == (b.dev(), b.ino());
    let there = std::fs::symlink_metadata(path);
    file.metadata().and_then(|own| Ok(same(&own, &there?))).unwrap_or(false)
}

fn cannot(path: &Path, error: &std::io::Error) -> Box<Failure> {
    Failure::midway(problem::cannot_write(&path.display())).refused(error, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever put a link there had our files written, and a purge delete, behind it.
    #[test]
    fn no_lock_is_taken_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(take(&link.join("lock")).unwrap_err().what.en.contains("symbolic link"));
        std::fs::write(real.join("theirs"), "").unwrap();
        std::os::unix::fs::symlink("theirs", real.join("lock")).unwrap();
        assert!(take(&real.join("lock")).is_err());
    }

    #[test]
    fn who_comes_second_learns_who_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let first = take(&path).unwrap();
        let second = take(&path).unwrap_err();
        assert_eq!(second.code, Code::Locked);
        assert!(second.what.en.contains(&std::process::id().to_string()), "{}", second.what.en);
        drop(first);
        drop(take(&path).unwrap());
    }

    #[test]
    fn a_lock_whose_file_is_gone_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let file = open(&path).unwrap();
        assert!(is_at(&file, &path));
        std::fs::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        let _other = open(&path).unwrap();
        assert!(!is_at(&file, &path));
    }

    const SHORT: Patience =
        Patience { still: Duration::from_millis(600), longest: Duration::from_secs(3600) };

    #[test]
    fn who_waits_learns_for_whom_and_then_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "a much longer text than what comes").unwrap();
        let first = wait(&path, "shop", SHORT, |_| panic!("nobody holds it")).unwrap();
        let own = std::process::id().to_string();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own} shop"));
        let (told, is_told) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            // This process computes while it waits, and so is not still.
            let second =
                scope.spawn(|| wait(&path, "wiki", SHORT, |holder| told.send(holder.clone()).unwrap()));
            let holder = is_told.recv().unwrap();
            assert_eq!(holder, Holder { pid: own.clone(), app: "shop".into() });
            drop(first);
            drop(second.join().unwrap().unwrap());
        });
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{own} wiki"));
        assert!(is_told.try_recv().is_err(), "told once");
    }

    /// One that was stopped, or hung on a dead disk, let every other installation of the machine wait for ever.
    #[test]
    fn who_holds_it_and_does_nothing_is_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let mut sleeper = std::process::Command::new("sleep").arg("1000").spawn().unwrap();
        let _held = wait(&path, "shop", SHORT, |_| ()).unwrap();
        std::fs::write(&path, format!("{} shop\u{1b}", sleeper.id())).unwrap();
        let failure = wait(&path, "wiki", SHORT, |_| ()).unwrap_err();
        sleeper.kill().unwrap();
        sleeper.wait().unwrap();
        assert_eq!(failure.code, Code::Locked);
        assert!(
            failure.what.en.contains(&format!("shop\\u{{1b}} (process {})", sleeper.id())),
            "{failure:?}"
        );
        assert!(failure.todo.unwrap().zh.contains(&format!("kill {}", sleeper.id())));
        // It works, but comes to no end.
        std::fs::write(&path, format!("{} shop", std::process::id())).unwrap();
        let hasty = Patience { longest: Duration::from_millis(500), ..SHORT };
        assert_eq!(wait(&path, "wiki", hasty, |_| ()).unwrap_err().code, Code::Locked);
    }

    #[test]
    fn a_lock_that_everybody_could_hold_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        std::fs::write(&path, "").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let _held = take(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
}
