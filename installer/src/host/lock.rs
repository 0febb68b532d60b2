//! One run at a time: an advisory lock on a file, which dies with the process and so is never stale.

use std::fs::{File, Permissions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

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
    let mut file = open(path)?;
    match file.try_lock() {
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

/// Takes the lock at `path` when nobody else holds it any more: for what takes others a few seconds. `tell` is called if somebody
/// holds it now.
///
/// # Errors
/// When there can be no such file.
pub fn wait(path: &Path, tell: impl FnOnce()) -> Outcome<Lock> {
    let file = open(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => tell(),
        Err(TryLockError::Error(error)) => return Err(cannot(path, &error)),
    }
    file.lock().map_err(|error| cannot(path, &error))?;
    Ok(Lock { _file: file })
}

fn open(path: &Path) -> Outcome<File> {
    // Whoever may open it may hold it, and so let every installation wait.
    let open = || {
        let file =
            File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(path)?;
        // One that was there may have been made otherwise.
        file.set_permissions(Permissions::from_mode(0o600))?;
        Ok(file)
    };
    open().map_err(|error| cannot(path, &error))
}

fn cannot(path: &Path, error: &std::io::Error) -> Box<Failure> {
    Failure::midway(problem::cannot_write(&path.display())).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

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
        drop(wait(&path, || panic!("nobody holds it")).unwrap());
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
