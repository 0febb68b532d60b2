//! A dropped line does not stop an installation: it goes on by itself, and running the file again comes back to it. One at a
//! time: a second run looks on or is refused.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tests::bundle::{self, Bundle, PASSWORD, Vendor};
use tests::engine::Store;
use tests::line::Line;
use tests::machine::Machine;
use tests::parts::Suite;
use tests::run::Run;
use tests::running::{Running, worker_of};
use tests::site::{INSTALL, Site};
use tests::wait;

/// An engine, and an application that takes some seconds to load.
fn site() -> (Site, Bundle) {
    (Site::new(Suite::Forky, Store::Containerd), bundle::tall_with_engine())
}

/// An installation that somebody watches on a terminal, held still while it loads.
fn watched(site: &Site, bundle: &Bundle) -> (Line, Pid) {
    let line = Line::start(&site.command(bundle, &INSTALL));
    line.wait_for("] Load ");
    let worker = worker_of(line.pid());
    kill_process(worker, Signal::STOP).unwrap();
    (line, worker)
}

fn is_there(pid: Pid) -> bool {
    test_kill_process(pid).is_ok()
}

fn wait_until_gone(pid: Pid) {
    wait::until("the worker's end", Duration::from_secs(120), || (!is_there(pid)).then_some(()), String::new);
}

fn last_run(site: &Site) -> Value {
    serde_json::from_str(&fs::read_to_string(site.dir().join(".airlift/last-run.json")).unwrap()).unwrap()
}

/// Starts the same command beside a run that is held still, lets that go on, and returns how the command ended.
fn beside(running: &Running, command: &mut Command) -> Run {
    running.go_on();
    let run = Run::of(command);
    running.hold();
    run
}

#[test]
fn a_line_that_drops_stops_nothing_and_the_same_command_comes_back() {
    let (site, bundle) = site();
    let (mut line, worker) = watched(&site, &bundle);
    // The operator's window is gone, and with it all that hangs on it.
    line.hang_up();
    assert_eq!(line.end().signal(), Some(1));
    assert!(is_there(worker));
    kill_process(worker, Signal::CONT).unwrap();
    // A new window, with less to type.
    let mut again = Line::start(&site.command(&bundle, &["install"]));
    assert_eq!(again.end().code(), Some(0), "{}", again.shown());
    let shown = again.shown();
    for part in ["is under way", &worker.as_raw_nonzero().to_string(), "[1/", "] Load ", "http://127.0.0.1"] {
        assert!(shown.contains(part), "`{part}` is not in\n{shown}");
    }
    // Its end is the end of the work, and not only of the words.
    let after = site.install(&bundle).done().saying("everything is in place");
    let _ = after.never_saying("has ended well");
    wait_until_gone(worker);
    assert!(site.page().contains("hello"));
    assert!(!site.dir().join(".airlift/live").exists());
}

#[test]
fn who_comes_back_when_all_is_over_is_told_how_it_ended() {
    let (site, bundle) = site();
    let mut running = site.begin(&bundle);
    running.reach(tests::running::is_loading);
    let worker = running.kill_front();
    wait_until_gone(worker);
    assert_eq!(last_run(&site)["end"]["code"], 0);
    assert!(site.page().contains("hello"));
    let _ = site.install(&bundle).done().saying("has ended well").saying("everything is in place");
    let _ = site.install(&bundle).done().never_saying("has ended well");
}

#[test]
fn who_comes_back_after_a_failure_is_told_why() {
    let (site, bundle) = site();
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    let web = site.dir().join("docker-compose.yml");
    // Where a file belongs, somebody has made a directory.
    fs::create_dir_all(&web).unwrap();
    fs::write(web.join("x"), "").unwrap();
    let worker = running.kill_front();
    kill_process(worker, Signal::CONT).unwrap();
    wait_until_gone(worker);
    assert_eq!(last_run(&site)["end"]["code"], 1);
    fs::remove_dir_all(&web).unwrap();
    let _ = site.install(&bundle).done().saying("has failed: Cannot write").saying("docker-compose.yml");
    assert!(site.page().contains("hello"));
}

#[test]
fn a_worker_that_is_killed_is_said_to_be() {
    let (site, bundle) = site();
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    let _ = running.kill().expect(1).saying("ended without a word").saying("Run the same command again");
    let _ = site.install(&bundle).done().saying("was broken off before its end");
    assert!(site.page().contains("hello"));
}

#[test]
fn ctrl_c_stops_the_work_when_it_is_meant() {
    let (site, bundle) = site();
    let (mut line, worker) = watched(&site, &bundle);
    line.type_keys("\u{3}");
    line.wait_for("Press Ctrl-C once more");
    assert!(is_there(worker));
    line.type_keys("\u{3}");
    kill_process(worker, Signal::CONT).unwrap();
    assert_eq!(line.end().signal(), Some(2), "{}", line.shown());
    assert!(line.shown().contains("Interrupted (step"), "{}", line.shown());
    assert!(!is_there(worker));
    let _ = site.install(&bundle).done().saying("was stopped before its end");
    assert!(site.page().contains("hello"));
}

#[test]
fn a_script_that_runs_out_of_patience_stops_the_work() {
    let (site, bundle) = site();
    for signal in [Signal::TERM, Signal::INT] {
        let mut running = site.begin(&bundle);
        running.reach(tests::running::is_loading);
        let worker = running.worker();
        running.signal_front(signal);
        let run = running.end().saying("Interrupted (step");
        assert_eq!(run.code, None, "{run}");
        assert!(!is_there(worker));
    }
    let _ = site.install(&bundle).done();
}

#[test]
fn a_second_run_looks_on_or_is_refused() {
    let (site, bundle) = site();
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    let pid = running.worker().as_raw_nonzero().to_string();
    let install = |extra: &[&str]| site.command(&bundle, &[&INSTALL, extra].concat());
    let refused = |mut command: Command, why: &str| {
        let run = beside(&running, &mut command).expect(7).saying(why);
        let _ = run.saying(&format!("process {pid}"));
    };
    refused(install(&["--set", "http_port=1"]), "another answer to http_port");
    refused(install(&["--engine", "private"]), "another --engine");
    let mut with_variable = install(&[]);
    with_variable.env("AIRLIFT_ADMIN_PASSWORD", "something-else-7");
    refused(with_variable, "another answer to admin_password");
    let newer = Vendor::new().with_engine();
    newer.edit("airlift.toml", "version = \"1.0.0\"", "version = \"1.1.0\"");
    refused(site.command(&newer.pack(), &INSTALL), "from another file");
    let status = beside(&running, &mut site.command(&bundle, &["status"])).expect(7);
    let _ = status.saying("is under way").saying("Step ").saying("Load ");
    // These ask nothing of the work, and find it held still.
    let uninstall = Run::of(&mut site.command(&bundle, &["uninstall", "--yes"])).expect(7);
    let _ = uninstall.saying("Another run is working").saying(&format!("process {pid}"));
    let _ = Run::of(&mut install(&["--dry-run"])).done();
    // As many as like look on, in either form.
    running.go_on();
    let port = format!("http_port={}", site.port);
    let lookers = [install(&[]), install(&["--json"]), install(&["--set", &port])];
    let lookers = lookers.map(|mut command| std::thread::spawn(move || Run::of(&mut command)));
    let [plain, events, _] = lookers.map(|looker| looker.join().unwrap().done());
    let _ = running.end().done();
    let _ = plain.saying("is under way").saying("[1/").saying("http://127.0.0.1");
    let events = events.events();
    assert_eq!(events.first().unwrap()["event"], "started");
    assert_eq!(events.last().unwrap()["event"], "finished");
    assert_eq!(events.last().unwrap()["code"], 0);
    assert!(events.iter().any(|event| event["event"] == "step-finished"));
}

#[test]
fn nobody_but_root_sees_what_the_work_says_or_knows() {
    let (site, bundle) = site();
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    let state = site.dir().join(".airlift");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("live"))), (0o700, 0o600));
    for pid in [running.front(), running.worker()] {
        let own = format!("/proc/{}", pid.as_raw_nonzero());
        for file in ["cmdline", "environ"] {
            let seen = fs::read(format!("{own}/{file}")).unwrap();
            assert!(!String::from_utf8_lossy(&seen).contains(&PASSWORD[..10]), "{own}/{file}");
        }
    }
    // Two processes, and not twice the memory.
    let front = fs::read_to_string(format!("/proc/{}/status", running.front().as_raw_nonzero())).unwrap();
    let peak = front.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 16_000, "the process that only waits has used {peak} kB");
    // What it holds open is what it needs, and none of it is the terminal or the pipes of whoever started it.
    let worker = running.worker().as_raw_nonzero();
    for number in [0, 1] {
        let target = fs::read_link(format!("/proc/{worker}/fd/{number}")).unwrap();
        assert_eq!(target.to_str(), Some("/dev/null"));
    }
    let files = ["install.log", "last-run.json", "receipt.json"];
    for file in files {
        assert_eq!(mode(&state.join(file)), 0o600, "{file}");
        assert!(!fs::read_to_string(state.join(file)).unwrap().contains(&PASSWORD[..10]), "{file}");
    }
    let run = running.end().done();
    let _ = run.never_saying(&PASSWORD[..10]);
}

#[test]
fn the_end_of_a_login_session_takes_nothing_along() {
    let machine = Machine::boot();
    let run = machine.plug_in(&bundle::hello_with_engine().path);
    let answers = machine.write("answers.toml", &bundle::answers(18080));
    let install = format!("{run} install --answers {answers} --yes");
    // What a login over SSH is to systemd: a scope below the user's slice. `sleep` is what a user leaves behind.
    let session = format!("sleep 1000 & exec script -qefc '{install}' /root/shown");
    let login = ["systemd-run", "--scope", "--quiet", "--slice=user-1000.slice", "--unit=session-9"];
    machine.start(&[&login[..], &["bash", "-c", &session]].concat());
    let begun = || machine.sh("grep -F '[2/' /root/shown").stdout.contains('[').then_some(());
    wait::until("the second step", Duration::from_secs(120), begun, || {
        machine.sh("cat /root/shown; systemctl status session-9.scope").to_string()
    });
    // The line drops; then logind ends what is left of the session, where it is told to (KillUserProcesses=yes).
    let _ = machine.sh("pkill -KILL -x script").done();
    let _ = machine.sh("systemctl stop session-9.scope").done();
    let _ = machine.sh("pgrep -x sleep -a | grep 1000").expect(1);
    let _ = machine.sh("pgrep -af __worker").done();
    let _ = machine.sh(&install).done().saying("is under way").saying("http://127.0.0.1:18080/");
    let _ = machine.sh("systemctl list-units --all 'airlift-*'").done().never_saying("airlift-");
}
