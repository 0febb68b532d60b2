//! One run at a time: an advisory lock on a file, which dies with the process and so is never stale.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::outcome::{Code, Failure, Outcome};
use crate::text::problem;

/// Holds the lock for as long as it lives.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Takes the lock at `path`; its directory must exist.
///
/// # Errors
/// [`Code::Locked`] when another run holds it.
pub fn take(path: &Path) -> Outcome<Lock> {
    let cannot =
        |error: &std::io::Error| Failure::midway(problem::cannot_write(&path.display())).because(error);
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|error| cannot(&error))?;
    match file.try_lock() {
        Ok(()) => Ok(Lock { _file: file }),
        Err(TryLockError::WouldBlock) => {
            Err(Failure::new(Code::Locked, problem::another_run(&path.display()))
                .todo(problem::wait_for_other_run()))
        }
        Err(TryLockError::Error(error)) => Err(cannot(&error)),
    }
}
