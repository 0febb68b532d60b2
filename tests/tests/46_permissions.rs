//! Who may read and write what an installation leaves, whatever the shell was like that started it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tests::bundle;
use tests::engine::Store;
use tests::machine::Machine;
use tests::parts::Suite;
use tests::run::Run;
use tests::site::{INSTALL, Site};

/// Type, mode and owner of everything below a folder.
fn modes(folder: &Path) -> BTreeMap<PathBuf, (u32, u32, u32)> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        let looks = fs::symlink_metadata(&next).unwrap();
        if looks.is_dir() {
            open.extend(fs::read_dir(&next).unwrap().map(|entry| entry.unwrap().path()));
        }
        let path = next.strip_prefix(folder).unwrap().to_owned();
        found.insert(path, (looks.mode(), looks.uid(), looks.gid()));
    }
    found
}

/// A command under a mask, with a line on its standard input.
fn under(mask: &str, command: &Command, typed: &str) -> Run {
    let script = format!("umask {mask}; echo {typed} | \"$0\" \"$@\"");
    let mut masked = Command::new("sh");
    masked.args(["-c", &script]).arg(command.get_program()).args(command.get_args());
    masked.env_clear().envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    masked.current_dir(command.get_current_dir().unwrap());
    Run::of(&mut masked)
}

#[test]
fn modes_are_the_same_under_every_umask_and_nobody_else_can_write() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let bundle = bundle::hello_with_engine();
    let install = |mask: &str| {
        let _ = under(mask, &site.command(&bundle, &INSTALL), "").done();
        let found = modes(&site.dir());
        let _ = under(mask, &site.command(&bundle, &["uninstall", "--purge"]), "hello").done();
        found
    };
    let (strict, open) = (install("077"), install("000"));
    assert_eq!(strict, open);

    let bits = |path: &str| {
        strict.get(Path::new(path)).unwrap_or_else(|| panic!("no {path}: {strict:?}")).0 & 0o7777
    };
    assert_eq!(bits(".airlift"), 0o700);
    assert_eq!(bits(".env"), 0o600);
    for name in ["receipt.json", "answers.json", "salt", "install.log", "last-run.json"] {
        assert_eq!(bits(&format!(".airlift/{name}")), 0o600, "{name}");
    }
    let is_link = |mode: u32| mode & 0o170_000 == 0o120_000;
    for (path, (mode, uid, _)) in strict {
        assert!(is_link(mode) || mode & 0o022 == 0, "others can write {}: {mode:o}", path.display());
        // The vendor gives one directory to the application.
        assert!(uid == 0 || path.starts_with("data"), "{} belongs to {uid}", path.display());
    }
}

#[test]
fn an_engine_that_is_brought_has_the_same_modes_under_every_umask() {
    let machine = Machine::boot();
    let run = machine.plug_in(&bundle::hello_with_engine().path);
    let _ = machine.write("answers.toml", &bundle::answers(18080));
    // Below the engine's data are names that differ each time.
    let places = "/etc/docker /etc/systemd/system /usr/local/libexec /usr/local/bin /opt -maxdepth 2";
    let installed = |mask: &str| {
        let _ =
            machine.sh(&format!("umask {mask}; {run} install --answers /stick/answers.toml --yes")).done();
        let found = machine
            .sh(&format!("(find {places} -printf '%M %u:%g %p\\n'; stat -c '%A %n' /var/lib/docker) | sort"))
            .done()
            .stdout;
        let _ = machine.sh(&format!("umask {mask}; echo hello | {run} uninstall --purge")).done();
        found
    };
    let (strict, open) = (installed("077"), installed("000"));
    assert_eq!(strict, open);
    assert!(strict.contains("/usr/local/libexec/airlift/dockerd"), "{strict}");
    let is_open = |line: &&str| !line.starts_with('l') && line.as_bytes()[8] == b'w';
    assert_eq!(strict.lines().find(is_open), None);
}
