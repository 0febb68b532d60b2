//! Preflight on a real machine with real faults: each is made there, found with its advice, and nothing is changed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::os::unix::net::UnixListener;
use std::time::Duration;

use serde_json::Value;
use tests::bundle;
use tests::machine::Machine;

/// A fresh machine with the bundle plugged in.
struct Site {
    machine: Machine,
    run: String,
}

impl Site {
    fn new() -> Self {
        let machine = Machine::boot();
        let run = machine.plug_in(&bundle::hello_with_engine().path);
        let _ = machine.write("answers.toml", &bundle::answers(18080));
        Self { machine, run }
    }

    /// What preflight finds after `prepare`; it must end with this code and change nothing.
    fn finds(&self, prepare: &str, options: &str, code: i32) -> Vec<Value> {
        let _ = self.machine.sh(prepare).done();
        let before = self.machine.tree();
        let command = format!("{} preflight --json --answers /stick/answers.toml {options}", self.run);
        let run = self.machine.sh(&command).expect(code);
        let changes = before.changes(&self.machine.tree());
        assert!(changes.is_empty(), "the machine was changed:\n{}\nby\n{run}", changes.join("\n"));
        run.events().into_iter().filter(|event| event["event"] == "finding").collect()
    }
}

/// The one finding with this id that is no pass.
#[track_caller]
fn one<'a>(findings: &'a [Value], id: &str, severity: &str) -> &'a Value {
    let of_id = |finding: &&Value| finding["id"] == id && finding["severity"] != "pass";
    let found: Vec<_> = findings.iter().filter(of_id).collect();
    assert_eq!(found.len(), 1, "{id} in {findings:#?}");
    assert_eq!(found[0]["severity"], severity, "{}", found[0]);
    found[0]
}

#[test]
fn real_faults_are_found() {
    let site = Site::new();
    // A fresh machine has none; a warning that this kind of machine really has would be listed here.
    let findings = site.finds("true", "", 0);
    let failures = findings.iter().filter(|finding| finding["severity"] == "fail");
    assert_eq!(failures.count(), 0, "{findings:#?}");
    assert!(
        findings.iter().all(|finding| finding["severity"] == "pass" || finding["todo"]["zh"].is_string())
    );

    let prepare = "mkdir -p /usr/local/libexec && mount -t tmpfs -o noexec none /usr/local/libexec";
    let findings = site.finds(prepare, "", 4);
    let noexec = one(&findings, "noexec", "fail");
    assert!(noexec["todo"]["en"].as_str().unwrap().contains("remount,exec /usr/local/libexec"), "{noexec}");

    // The way in which Docker would cut the operator off: a client that is reached through a router.
    let ssh = "export SSH_CONNECTION='172.17.9.9 50000 10.0.0.1 22';";
    let command = format!("{ssh} umount /usr/local/libexec; {} preflight --json", site.run);
    let findings = site.machine.sh(&command).expect(4).events();
    let pool = one(&findings, "address-pool", "fail");
    assert!(pool["text"]["zh"].as_str().unwrap().contains("172.17.9.9"), "{pool}");

    // With a route there, Docker takes another network by itself.
    let route = "ip route add 172.17.0.0/16 dev lo";
    let findings = site.machine.sh(&format!("{route}; {command}")).expect(0).events();
    assert!(findings.iter().any(|finding| finding["id"] == "address-pool" && finding["severity"] == "pass"));

    let findings = site.finds("echo net.ipv4.ip_forward=0 >/etc/sysctl.d/60-cis.conf", "", 0);
    let forwarding = one(&findings, "forwarding", "warn");
    assert!(forwarding["text"]["en"].as_str().unwrap().contains("/etc/sysctl.d/60-cis.conf"), "{forwarding}");

    // Warnings are accepted one by one, and refuse only where somebody wants that.
    let _ = site.finds("true", "--strict", 4);
    let warnings = findings.iter().filter(|finding| finding["severity"] == "warn");
    let accepted: String =
        warnings.map(|finding| format!(" --accept {}", finding["id"].as_str().unwrap())).collect();
    let findings = site.finds("true", &format!("--strict{accepted}"), 0);
    assert_eq!(one(&findings, "forwarding", "warn")["accepted"], true);
    let wrong = format!("{} preflight --accept fowarding", site.run);
    let _ = site.machine.sh(&wrong).expect(3).saying("did you mean forwarding?");
}

#[test]
fn nothing_that_hangs_holds_preflight_up() {
    let site = Site::new();
    // A fifo nobody writes to in the place of a file, and a socket that nobody serves.
    let socket = site.machine.stick().join("dead.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    let _ = site.machine.sh("mkdir -p /etc/docker && mkfifo /etc/docker/daemon.json").done();
    let run = site.machine.sh(&format!("{} preflight --json", site.run)).expect(4);
    assert!(run.took < Duration::from_secs(60), "{run}");
    let _ = one(&run.events(), "daemon-json", "fail");
    let command = format!("DOCKER_HOST=unix:///stick/dead.sock {} preflight --json", site.run);
    let run = site.machine.sh(&command).expect(4);
    assert!(run.took < Duration::from_secs(90), "{run}");
    let _ = one(&run.events(), "engine", "fail");
}
