//! Tests of writing and removing.

use super::*;
use crate::host::fault::Plan;

#[test]
fn a_written_file_has_its_mode_and_nothing_is_left_beside_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    write(&path, Access::PRIVATE, b"one").unwrap();
    write(&path, Access::PRIVATE, b"two").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_failed_write_names_the_path_and_leaves_the_old_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    write(&path, Access::READABLE, b"old").unwrap();
    let mut broken = io::Read::chain(&b"half"[..], Broken);
    let failure = write_atomic(&path, Access::READABLE, &mut broken).unwrap_err();
    assert!(failure.what.en.contains(&path.display().to_string()));
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

/// A `daemon.json` with a password in it that only root could read was open to everybody after an installation, and a link to a
/// managed copy was a file.
#[test]
fn a_file_of_the_operators_keeps_its_mode_and_a_link_its_target() {
    let dir = tempfile::tempdir().unwrap();
    let (managed, path) = (dir.path().join("managed"), dir.path().join("daemon.json"));
    rewrite(&managed, Access::PRIVATE, b"old").unwrap();
    std::os::unix::fs::symlink("managed", &path).unwrap();
    rewrite(&path, Access::READABLE, b"new").unwrap();
    assert!(path.is_symlink());
    assert_eq!(fs::read(&managed).unwrap(), b"new");
    assert_eq!(managed.metadata().unwrap().mode() & 0o777, 0o600);
    fs::remove_file(&managed).unwrap();
    assert!(rewrite(&path, Access::READABLE, b"new").is_err());
}

/// A stick that was pulled out while the Compose plugin was copied from it looked like a disk of the machine that fails.
#[test]
fn a_source_that_cannot_be_read_is_not_blamed_on_the_disk_that_is_written_to() {
    let dir = tempfile::tempdir().unwrap();
    let failure = write_atomic(&dir.path().join("file"), Access::READABLE, &mut Broken).unwrap_err();
    assert!(failure.what.en.contains("cannot be read"), "{failure:?}");
    assert!(failure.todo.unwrap().en.contains("stick"));
}

/// A pipe in the place of a record kept every verb waiting, a device filled the memory, and a link had a log written into its target.
#[test]
fn only_files_that_end_are_read_and_only_files_are_appended_to() {
    let dir = tempfile::tempdir().unwrap();
    let (pipe, link, target) = (dir.path().join("pipe"), dir.path().join("link"), dir.path().join("target"));
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    fs::write(&target, "theirs").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_eq!(read_text(&pipe).unwrap_err().to_string(), "not a regular file");
    assert_eq!(read_text(Path::new("/dev/zero")).unwrap_err().to_string(), "not a regular file");
    assert!(read_to_end(File::open("/dev/zero").unwrap()).unwrap_err().to_string().starts_with("longer"));
    assert_eq!(read_text(&link).unwrap().as_deref(), Some("theirs"));
    assert!(append_private(&link).is_err() && append_private(&pipe).is_err());
    assert_eq!(fs::read(&target).unwrap(), b"theirs");
    assert_eq!(target.metadata().unwrap().mode() & 0o777, 0o644);
    append_private(&dir.path().join("log")).unwrap().write_all(b"x").unwrap();
}

struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }
}

#[test]
fn only_what_was_missing_is_made_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let deep = dir.path().join("a/b");
    assert_eq!(make_dir(&deep, Access { mode: 0o700, owner: None }).unwrap().len(), 2);
    assert_eq!(deep.metadata().unwrap().mode() & 0o777, 0o700);
    assert_eq!(make_dir(&deep, Access::EXECUTABLE).unwrap(), Vec::<PathBuf>::new());
    assert_eq!(deep.metadata().unwrap().mode() & 0o777, 0o700);
}

/// Once, `uninstall --purge` took the mount of an engine's own disk for one that a dead engine had left, and unmounted it.
/// Two copies of the file that were started in the same second: one ended with "File exists".
#[test]
fn several_at_once_make_one_directory_and_none_of_them_fails() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..50 {
        let deep = home.path().join(format!("{round}/a/b/c"));
        let start = std::sync::Barrier::new(4);
        let make = || {
            start.wait();
            make_dir(&deep, Access::EXECUTABLE).unwrap().len()
        };
        let made: usize = std::thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(make));
            threads.map(|thread| thread.join().unwrap()).iter().sum()
        });
        assert_eq!(made, 4, "each directory is told by the one who made it");
    }
}

#[test]
fn a_file_in_the_way_of_a_directory_is_named() {
    let home = tempfile::tempdir().unwrap();
    let taken = home.path().join("taken");
    fs::write(&taken, "").unwrap();
    let failure = make_dir(&taken.join("below"), Access::EXECUTABLE).unwrap_err();
    assert!(failure.what.en.contains(&taken.display().to_string()), "{failure:?}");
}

/// A run that was killed between making a temporary file and renaming it left that file for ever, in `/etc/systemd/system` as well.
#[test]
fn what_a_killed_run_left_beside_a_file_goes_when_it_is_written_again() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    for name in [".airlift-unit.abc123", ".airlift-unit.held", ".airlift-other.abc123", "unit.airlift-"] {
        fs::write(place(name), "half").unwrap();
    }
    let held = File::open(place(".airlift-unit.held")).unwrap();
    held.lock().unwrap();
    write(&place("unit"), Access::READABLE, b"whole").unwrap();
    let names = || -> Vec<String> {
        let entries = fs::read_dir(dir.path()).unwrap().flatten();
        let mut names: Vec<_> = entries.map(|entry| entry.file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names(), [".airlift-other.abc123", ".airlift-unit.held", "unit", "unit.airlift-"]);
    drop(held);
    remove(&place("unit")).unwrap();
    assert_eq!(names(), [".airlift-other.abc123", "unit.airlift-"]);
}

#[test]
fn links_of_ours_are_renewed_and_files_in_the_way_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("link");
    link(&path, Path::new("/one")).unwrap();
    link(&path, Path::new("/two")).unwrap();
    assert_eq!(fs::read_link(&path).unwrap(), Path::new("/two"));
    let file = dir.path().join("file");
    fs::write(&file, "theirs").unwrap();
    assert!(link(&file, Path::new("/one")).is_err());
    assert_eq!(fs::read(&file).unwrap(), b"theirs");
}

#[test]
fn a_tree_is_removed_and_links_in_it_are_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    let (tree, outside) = (dir.path().join("tree"), dir.path().join("outside"));
    fs::create_dir_all(tree.join("a/b")).unwrap();
    fs::write(&outside, "kept").unwrap();
    std::os::unix::fs::symlink(&outside, tree.join("a/link")).unwrap();
    remove_tree(&tree).unwrap();
    remove_tree(&tree).unwrap();
    assert!(!tree.exists() && outside.exists());
}

/// A purge emptied it, failed at the link itself, and did so on every later run.
#[test]
fn a_directory_that_was_moved_and_left_a_link_goes_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let (moved, link) = (dir.path().join("moved"), dir.path().join("link"));
    fs::create_dir_all(moved.join("a/b")).unwrap();
    std::os::unix::fs::symlink(&moved, &link).unwrap();
    remove_tree(&link).unwrap();
    assert!(!moved.exists() && !link.is_symlink());
}

/// What is at a path and beside it: nothing, or content and mode, without the file's own name.
fn look(path: &Path) -> (Option<(Vec<u8>, u32)>, usize) {
    let content = fs::read(path).ok().map(|content| (content, path.metadata().unwrap().mode() & 0o777));
    (content, fs::read_dir(path.parent().unwrap()).unwrap().count())
}

/// Every act of writing a file fails in every way, with and without a file there before, and by itself and for good.
#[test]
fn whatever_fails_while_a_file_is_written_leaves_the_old_or_the_new_one_whole_and_nothing_beside_it() {
    let content = vec![7; 20_000];
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let write_it = || write_atomic(&path, Access::PRIVATE, &mut &content[..]);
    let (_, acts) = fault::with(Plan::default(), || write_it().unwrap());
    let mut tried = 0;
    for is_new in [true, false] {
        for (position, (act, at)) in acts.iter().enumerate() {
            let number = acts[..=position].iter().filter(|one| *one == &(*act, at.clone())).count();
            for kind in ["ENOSPC", "EIO", "EROFS", "EDQUOT", "EINTR", "SHORT"] {
                for lasts in ["", "+"] {
                    if kind == "EINTR" && (*act != Act::Write || lasts == "+")
                        || kind == "SHORT" && *act != Act::Write
                    {
                        // What is interrupted for ever never ends; and only a write can be short.
                        continue;
                    }
                    let _ = fs::remove_file(&path);
                    if !is_new {
                        write(&path, Access::READABLE, b"old").unwrap();
                    }
                    let before = look(&path);
                    let fault = format!("{act} {number}{lasts} {kind} {}", at.display());
                    let (outcome, _) = fault::with(Plan::parse(&fault).unwrap(), write_it);
                    let after = look(&path);
                    let is_whole = after == (Some((content.clone(), 0o600)), 1);
                    if matches!(kind, "EINTR" | "SHORT") {
                        assert!(outcome.is_ok() && is_whole, "{fault}");
                    } else {
                        let failure = outcome.unwrap_err();
                        // The directory is synced when the file has its name already.
                        assert!(if *act == Act::SyncDir { is_whole } else { after == before }, "{fault}");
                        for text in [&failure.what.en, &failure.what.zh] {
                            assert!(text.contains(&path.display().to_string()), "{fault}: {text}");
                        }
                        assert!(!failure.causes.is_empty() && failure.todo.is_some(), "{fault}: {failure:?}");
                    }
                    write_it().unwrap();
                    assert_eq!(look(&path), (Some((content.clone(), 0o600)), 1), "{fault}");
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 100, "{tried}");
}
