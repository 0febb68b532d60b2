//! Tests of what is done in folders that somebody else may change meanwhile.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

fn name(name: &str) -> &OsStr {
    OsStr::new(name)
}

/// A container that has a directory of the project mounted could have made an upgrade write, or change owners, elsewhere.
#[test]
fn a_link_that_a_container_made_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("data/plain")).unwrap();
    symlink(outside.path(), dir.path().join("data/evil")).unwrap();
    symlink("/nowhere", dir.path().join("data/dangling")).unwrap();
    symlink(outside.path(), dir.path().join("large")).unwrap();
    let project = Folder::open(dir.path()).unwrap();
    for fine in ["", "data", "data/plain", "data/plain/new/deep", "large", "large/new"] {
        project.make(Path::new(fine), Access::EXECUTABLE).unwrap();
    }
    assert!(outside.path().join("new").is_dir());
    for bad in ["data/evil", "data/evil/etc", "data/dangling", "data/dangling/x"] {
        let failure = project.make(Path::new(bad), Access::EXECUTABLE).unwrap_err();
        assert!(failure.what.en.contains("is a symbolic link"), "{}", failure.what.en);
    }
    fs::write(outside.path().join("kept"), "theirs").unwrap();
    fs::create_dir(outside.path().join("empty")).unwrap();
    project.remove(Path::new("data/evil/kept")).unwrap();
    project.remove_if_empty(Path::new("data/evil/empty"));
    assert!(outside.path().join("kept").exists() && outside.path().join("empty").exists());
    assert!(!project.holds(Path::new("data/evil/kept"), b"theirs") && !project.has(Path::new("data/evil")));
    assert!(project.holds(Path::new("large/kept"), b"theirs"));
}

#[test]
fn files_are_written_read_moved_aside_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let project = Folder::open(dir.path()).unwrap();
    let folder = project.make(Path::new("a/b"), Access { mode: 0o700, owner: None }).unwrap();
    folder.write(name("file"), Access::PRIVATE, b"one").unwrap();
    folder.write(name("file"), Access::READABLE, b"two").unwrap();
    let below = Path::new("a/b/file");
    assert!(project.holds(below, b"two") && !project.holds(below, b"tw") && !project.holds(below, b"twoo"));
    let path = dir.path().join(below);
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o644);
    assert_eq!(dir.path().join("a/b").metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(dir.path().join("a").metadata().unwrap().mode() & 0o777, 0o755);
    folder.set_aside(name("file")).unwrap();
    folder.set_aside(name("file")).unwrap();
    project.remove_if_empty(Path::new("a/b"));
    assert_eq!(fs::read(dir.path().join("a/b/file.before-airlift")).unwrap(), b"two");
    project.remove(Path::new("a/b/file.before-airlift")).unwrap();
    project.remove(Path::new("a/b/file.before-airlift")).unwrap();
    project.remove_if_empty(Path::new("a/b"));
    assert!(!dir.path().join("a/b").exists() && dir.path().join("a").exists());
    let failure = folder.write(name("file"), Access::READABLE, b"x").unwrap_err();
    assert!(failure.what.en.contains("/a/b/file"), "{}", failure.what.en);
}

/// A pipe in the place of a file let whoever looked whether the file was right wait for ever.
#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    let dir = tempfile::tempdir().unwrap();
    let pipe = dir.path().join("conf");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    let project = Folder::open(dir.path()).unwrap();
    assert!(!project.holds(Path::new("conf"), b""));
    project.write(name("conf"), Access::READABLE, b"x").unwrap();
    assert!(project.holds(Path::new("conf"), b"x"));
}

/// Between the look at the way and the change, a container could put a link in the place of a folder: owners and modes of
/// files of the host were changed, files there written and removed.
#[test]
fn a_folder_that_is_swapped_for_a_link_at_any_moment_leads_nowhere() {
    let dir = tempfile::tempdir().unwrap();
    let outside = tempfile::tempdir().unwrap();
    let victim = outside.path().join("victim");
    fs::create_dir_all(victim.join("sub")).unwrap();
    fs::write(victim.join("passwd"), "root").unwrap();
    fs::set_permissions(&victim, fs::Permissions::from_mode(0o711)).unwrap();
    let (data, swapped) = (dir.path().join("data"), dir.path().join("data/folder"));
    fs::create_dir_all(swapped.join("sub")).unwrap();
    symlink(&victim, data.join("link")).unwrap();
    let is_over = AtomicBool::new(false);
    let (mut written, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let exchange = |a: &Path, b: &Path| {
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                rustix::fs::renameat_with(rustix::fs::CWD, a, rustix::fs::CWD, b, flags).unwrap();
            };
            while !is_over.load(Ordering::Relaxed) {
                exchange(&data.join("link"), &swapped);
            }
        });
        let project = Folder::open(dir.path()).unwrap();
        for _ in 0..20_000 {
            if written >= 200 && refused >= 200 {
                break;
            }
            let access = Access { mode: 0o750, owner: Some((12345, 12345)) };
            let made = project.make(Path::new("data/folder"), Access::EXECUTABLE).and_then(|folder| {
                folder.apply(access).map_err(|error| cannot_make(&folder.path, &error))?;
                folder.write(name("passwd"), access, b"forged")
            });
            if made.is_ok() {
                written += 1
            } else {
                refused += 1
            }
            let _ = project.remove(Path::new("data/folder/passwd"));
            project.remove_if_empty(Path::new("data/folder/sub"));
            let _ = project.make(Path::new("data/folder/sub"), access);
        }
        is_over.store(true, Ordering::Relaxed);
    });
    assert!(written >= 200 && refused >= 200, "{written} written, {refused} refused");
    assert_eq!(fs::read(victim.join("passwd")).unwrap(), b"root");
    let metadata = victim.metadata().unwrap();
    assert_eq!((metadata.mode() & 0o777, metadata.uid()), (0o711, rustix::process::geteuid().as_raw()));
    assert!(victim.join("sub").is_dir());
    assert_eq!(victim.join("sub").metadata().unwrap().uid(), rustix::process::geteuid().as_raw());
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 2);
}
