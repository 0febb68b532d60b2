//! The watch over secrets can see one: in a command line, an environment, a container, on a terminal, and when it is known only later.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::bundle::PASSWORD;
use tests::engine::{Engine, Store};
use tests::images;
use tests::parts::{self, Suite};
use tests::run::Run;
use tests::secrets::{self, Kind, Watch};
use tests::terminal::Terminal;
use tests::wait;

/// A process that lives until the value is dropped, with a secret where others can see it.
struct Leak(Child);

impl Leak {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::piped()).spawn().unwrap())
    }
}

impl Drop for Leak {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Ends a watch, which ends the test if it has seen something; so this is what it must have seen.
#[track_caller]
fn must_have_seen(watch: Watch, part: &str) {
    let seen = || watch.found();
    let found = wait::until("the watch to see it", Duration::from_secs(20), seen, String::new);
    assert!(found.contains(part), "{found}");
    let ended = catch_unwind(AssertUnwindSafe(move || drop(watch)));
    assert!(ended.is_err(), "a watch that has seen a secret must end the test");
}

#[test]
fn a_secret_that_processes_show_is_seen() {
    let watch = Watch::start();
    let leak = Leak::start(Command::new("sh").args(["-c", "read line", PASSWORD]));
    must_have_seen(watch, "cmdline");
    drop(leak);
    // Also by the child of a child that has lost its parent in the meantime.
    let watch = Watch::start();
    let script = "exec 3<&0; PASS=s3cret' $(id)' sh -c 'read line' <&3 & read line";
    let mut leak = Leak::start(Command::new("sh").args(["-c", script]).env_clear());
    must_have_seen(watch, "environ");
    let _ = leak.0.kill();
    drop(leak);
    drop(Watch::start());
}

#[test]
fn a_watch_sees_into_containers_and_knows_what_is_theirs() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let images = images::set(1000);
    let archive = engine.data().with_file_name("images.tar");
    images::save(&images, &archive);
    let _ = engine.docker(["load".as_ref(), "--input".as_ref(), archive.as_os_str()]).done();
    // The program that starts them has it in a file.
    let file = engine.data().with_file_name("variables");
    fs::write(&file, format!("PASS={PASSWORD}\n")).unwrap();
    let variables = format!("--env-file={}", file.display());
    let run = |name: &str, script: &str| {
        let options = ["run", "--detach", "--network=none", &variables, "--name", name, "hello/web:1.0"];
        let _ = engine.docker([&options[..], &["sh", "-c", script]].concat()).done();
    };
    // Containers are given their secrets by the environment; what counts is that it is not on a command line.
    run("given", "sleep 1000");
    let watch = Watch::start();
    let looks = secrets::looks();
    let looked = || (secrets::looks() > looks + 2).then_some(());
    wait::until("three looks", Duration::from_secs(20), looked, String::new);
    assert_eq!(watch.found(), None);
    run("shown", "exec sh -c 'sleep 1000; :' \"$PASS\"");
    must_have_seen(watch, "cmdline");
    let _ = engine.docker(["rm", "--force", "given", "shown"]).done();
}

#[test]
fn whatever_runs_a_bundle_is_watched_and_heard() {
    let folder = parts::scratch();
    let bundle = folder.path().join("leaky.run");
    let leaky = |script: &str| {
        fs::write(&bundle, format!("#!/bin/sh\nread -r secret\n{script}\n:\n")).unwrap();
        fs::set_permissions(&bundle, fs::Permissions::from_mode(0o755)).unwrap();
        Command::new(&bundle)
    };
    let is_caught = |run: &mut dyn FnMut()| catch_unwind(AssertUnwindSafe(run)).is_err();
    let typed = format!("{PASSWORD}\n");
    let mut says = leaky("echo \"$secret\" >&2");
    assert!(is_caught(&mut || drop(Run::of_typing(&mut says, &typed))));
    let mut terminal = Some(Terminal::start(leaky("echo \"$secret\"")));
    terminal.as_ref().unwrap().send(&typed);
    assert_eq!(terminal.as_mut().unwrap().end(), 0);
    assert!(is_caught(&mut || drop(terminal.take())));
    // It goes on until the watch has looked a few times.
    let before = secrets::looks();
    let mark = folder.path().join("mark");
    let mut shows =
        leaky(&format!("exec sh -c 'until [ -e {} ]; do sleep 0.01; done' \"$secret\"", mark.display()));
    let is_seen = std::thread::scope(|scope| {
        let _ = scope.spawn(|| {
            let looked = || (secrets::looks() > before + 3).then_some(());
            wait::until("some looks", Duration::from_secs(20), looked, String::new);
            fs::write(&mark, "").unwrap();
        });
        is_caught(&mut || drop(Run::of_typing(&mut shows, &typed)))
    });
    assert!(is_seen);
    // What a command itself tells is told on purpose.
    let mut told = leaky("sleep 0.1");
    let told = told.args(["--set", &format!("admin_password={PASSWORD}")]);
    assert_eq!(Kind::of(told), Kind::Told);
    assert_eq!(Kind::of(&leaky("")), Kind::Watched);
    assert_eq!(Kind::of(Command::new("docker").arg("ps")), Kind::Beside);
    let _ = Run::of(told).done();
}

#[test]
fn a_generated_key_is_searched_for_in_all_that_was_seen_and_heard() {
    let state = parts::scratch();
    let key = "5e55107e".repeat(8);
    fs::write(state.path().join("answers.json"), format!("{{\"session_key\": \"{key}\"}}")).unwrap();
    let states = [state.path().to_owned()];
    assert_eq!(secrets::told(&states, BTreeSet::new()), None);
    fs::write(state.path().join("install.log"), format!("a key: {key}\n")).unwrap();
    assert!(secrets::told(&states, BTreeSet::new()).unwrap().contains("install.log"));
    fs::remove_file(state.path().join("install.log")).unwrap();
    secrets::hear("stdout", &format!("a key: {key}"));
    assert!(secrets::told(&states, BTreeSet::new()).unwrap().contains("stdout"));
}
