//! How this process came to be: from which bundle, and which copy of the stub to clean away.

use std::path::Path;

use crate::bundle::BundleFile;
use crate::host::{file, leftover, process};
use crate::outcome::Outcome;

/// The launcher's word on where the bundle lies.
const BUNDLE: &str = "AIRLIFT_BUNDLE";
/// The launcher's word on the directory that it made for the copy of this program.
const STUB_DIR: &str = "AIRLIFT_STUB_DIR";

/// Where the launcher makes that directory on any machine: the first of them that has room and may be executed in.
const PLACES: [&str; 4] = ["/run", "/dev/shm", "/tmp", "/var/tmp"];

/// Removes the launcher's copy of this program: it runs on without its file. Only a file that really is this program,
/// and only an empty directory, are removed, whatever the variable says.
pub(super) fn clean_up() {
    let (Some(dir), Ok(own)) = (std::env::var_os(STUB_DIR), std::env::current_exe()) else { return };
    if own.parent() == Some(Path::new(&dir)) && file::remove(&own).is_ok() {
        file::remove_dir_if_empty(Path::new(&dir));
        let own_place =
            Path::new(&dir).parent().filter(|place| PLACES.iter().all(|other| *place != Path::new(other)));
        // One that was killed may have been about to find out that the first place is not for programs.
        PLACES.map(Path::new).into_iter().chain(own_place).for_each(sweep);
    }
}

/// Removes the copies of launchers that were killed before the program cleared its copy away: `airlift.<process>.<random>` of a
/// process that is no more.
fn sweep(place: &Path) {
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(launcher_of);
        if pid.is_some_and(|pid| !process::is_alive(pid)) {
            // What cannot be removed is as it was.
            drop(leftover::remove(&entry.path()));
        }
    }
}

/// The process that made a directory of this name, if a launcher did.
fn launcher_of(name: &str) -> Option<i32> {
    let (pid, random) = name.strip_prefix("airlift.")?.split_once('.')?;
    let is_random = !random.is_empty() && random.bytes().all(|byte| byte.is_ascii_alphanumeric());
    pid.parse().ok().filter(|_| is_random)
}

/// The bundle, if this process was started from one.
///
/// # Errors
/// When it was, and the file is not usable.
pub(super) fn bundle() -> Outcome<Option<BundleFile>> {
    std::env::var_os(BUNDLE).map(|path| BundleFile::open(Path::new(&path))).transpose()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// One that was killed in the first place, which is not for programs, left its copy there: only where a run had started was looked.
    #[test]
    fn places_are_those_of_the_launcher() {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packer/src/launcher.sh");
        let script = std::fs::read_to_string(script).unwrap();
        let list = script.split("for place in ").nth(1).unwrap().split("; do").next().unwrap();
        let fixed: Vec<_> = list.split(' ').filter(|place| place.starts_with('/')).collect();
        assert_eq!(fixed, PLACES);
    }

    /// A launcher that was killed left its copy of the program for ever.
    #[test]
    fn copies_of_dead_launchers_go_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let (dead, own) = (child.id(), std::process::id());
        // It has ended, and its parent has not looked yet.
        let id = rustix::process::WaitId::Pid(rustix::process::Pid::from_child(&child));
        let options = rustix::process::WaitIdOptions::EXITED | rustix::process::WaitIdOptions::NOWAIT;
        rustix::process::waitid(id, options).unwrap();
        let dead_copy = format!("airlift.{dead}.x9Qz01");
        let more = format!("airlift.{dead}.x9Qz02");
        let others =
            [format!("airlift.{own}.x9Qz01"), format!("airlift.{dead}"), "airlift.x9Qz01".to_owned(), more];
        for name in others.iter().chain([&dead_copy]) {
            std::fs::create_dir(folder.path().join(name)).unwrap();
            let only_us = std::fs::Permissions::from_mode(0o700);
            std::fs::set_permissions(folder.path().join(name), only_us).unwrap();
            std::fs::write(folder.path().join(name).join("hello"), "").unwrap();
        }
        // No launcher makes it like this: with two files, open to others, by way of a link.
        std::fs::write(folder.path().join(&others[3]).join("other"), "").unwrap();
        let open = folder.path().join(format!("airlift.{dead}.x9Qz03"));
        std::fs::create_dir(&open).unwrap();
        std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join(format!("airlift.{dead}.x9Qz04"));
        std::os::unix::fs::symlink(folder.path().join(&others[2]), &link).unwrap();
        sweep(folder.path());
        child.wait().unwrap();
        assert!(!folder.path().join(dead_copy).exists());
        assert!(others.iter().all(|name| folder.path().join(name).join("hello").exists()));
        assert!(open.exists() && link.exists());
    }
}
