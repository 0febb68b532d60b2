//! Where it is installed.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Signal, kill_process};

use super::state;
use crate::bundle::{self, Bundle};
use crate::engine::{APART, Store};
use crate::machine::{Machine, RESTLESS};
use crate::parts::{Debian, Suite};
use crate::run::Run;
use crate::running::{Running, find_worker_of};
use crate::site::{INSTALL, Site};
use crate::tree::Tree;
use crate::{parts, wait};

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Victim {
    /// The process that does the work; before there is one, the one that was started.
    Installer,
    /// The engine, with the containerd below it.
    Engine,
    /// The whole machine.
    Power,
}

/// Services of the application.
const SERVICES: usize = 3;

/// What an engine has, without what it may have more than wanted after it was killed so often, or lost its power. Nobody but the engine
/// knows whose that is, so nobody else can take it away. One that dies while it makes a container forgets it: containerd
/// keeps the container's snapshot until we come by again; overlay2 its two directories, and whatever layers they stand on. One that
/// dies while overlay2 registers a layer leaves the note on it, and its directory, whoever has sent it
/// (`60_torture::an_engine_that_dies_forgets_a_layer_and_a_container_whoever_wanted_them`).
fn without_forgotten(found: &str, wanted: &str, strikes: usize) -> String {
    let is_wanted = |line: &str| wanted.lines().any(|wanted| wanted == line);
    let count = |state: &str| -> Option<usize> {
        state.lines().find_map(|line| line.strip_prefix("layers-and-containers ")?.parse().ok())
    };
    let starting =
        |prefix: &str| -> Vec<&str> { found.lines().filter_map(|line| line.strip_prefix(prefix)).collect() };
    let (kept, containers) = (starting("kept-by-forgotten "), starting("forgotten container").len());
    let notes = starting("staged write-set-").len();
    // Two for each; those of containers that are known are among them. When all was taken back, those go as well.
    let snapshots = starting("snapshot a container's").len() / 2;
    let are_forgiven =
        strikes > 0 && wanted.contains("snapshot a container's") && snapshots <= SERVICES * (strikes + 1);
    // Compose makes the containers of all services at once, and layers come one by one.
    if notes > strikes || containers > SERVICES * strikes {
        return found.to_owned();
    }
    let most = count(wanted).unwrap_or(0) + notes + 2 * SERVICES * strikes + kept.len();
    let is_explained = |line: &&str| {
        let is_layer = |layer: &str| kept.contains(&layer) && !is_wanted(line);
        (line.starts_with("snapshot a container's") && are_forgiven)
            || ["forgotten container", "kept-by-forgotten ", "staged write-set-"]
                .iter()
                .any(|it| line.starts_with(it))
            || line.strip_prefix("layer ").is_some_and(is_layer)
    };
    let wanted_count = |line: &str| match (count(line), count(wanted)) {
        (Some(found), Some(wanted)) if (wanted..=most).contains(&found) => {
            format!("layers-and-containers {wanted}")
        }
        _ => line.to_owned(),
    };
    let lines = found.lines().filter(|line| !is_explained(line)).map(wanted_count);
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

/// Starts a command that nobody listens to.
fn start(command: &mut Command, typed: &str) -> Child {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = pipes.spawn().unwrap();
    // Who does not read it does not want it.
    let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
    child
}

/// Where an application is installed again and again.
pub trait Patient {
    /// What it is called in tables.
    fn name(&self) -> String;
    /// The bundle.
    fn bundle(&self) -> &Bundle;
    /// Runs the bundle with these arguments, and `name` typed where it asks.
    fn run(&self, args: &[&str], typed: &str) -> Run;
    /// Begins to run the bundle with these arguments and kills it (SIGKILL) after a time; returns whether it was still at work. A
    /// patient that knows no such thing is left as it is.
    fn run_and_kill(&self, _args: &[&str], _typed: &str, _after: Duration) -> bool {
        false
    }
    /// What lies about in places for temporary files, where that can be told from others'.
    fn scraps(&self) -> String {
        String::new()
    }
    /// Begins to install.
    fn begin(&self) -> Running;
    /// Kills; brings back what does not come back by itself. Returns what the run under way made of it.
    fn strike(&mut self, victim: Victim, running: Running) -> Run;
    /// The project directory as this process sees it.
    fn dir(&self) -> PathBuf;
    /// Runs a script where the engine is, with `docker`, `DATA`, its data root, and `CTR`, its containerd's socket; `None` without an engine.
    fn ask(&self, script: &str) -> Option<String>;
    /// What the engine has; nothing if there is none.
    fn engine(&self) -> String {
        self.ask(state::ENGINE).unwrap_or_default()
    }
    /// How often the engine was killed, or lost its power.
    fn strikes(&self) -> usize {
        0
    }
    /// Everything else that an installation may change.
    fn surroundings(&self) -> Tree;
    /// Whether the application answers.
    fn is_served(&self) -> bool;
    /// Makes it as it was before the first installation, without our own means.
    fn reset(&mut self);
}

/// An engine that was there before.
#[derive(Debug)]
pub struct OnEngine {
    site: Site,
    bundle: Bundle,
    suite: Suite,
    store: Store,
    strikes: usize,
}

impl OnEngine {
    /// A new engine.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn new(suite: Suite, store: Store) -> Self {
        let site = Site::new(suite, store);
        // What stands for `/usr/local/bin`; it is there before the first command is.
        std::fs::create_dir(site.path("bin")).unwrap();
        Self { site, bundle: bundle::hello_with_engine(), suite, store, strikes: 0 }
    }

    /// The engine and its place.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }
}

impl Patient for OnEngine {
    fn name(&self) -> String {
        let store = if self.store == Store::Containerd { "containerd" } else { "overlay2" };
        format!("engine that was there, {store}")
    }

    fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    fn run(&self, args: &[&str], typed: &str) -> Run {
        Run::of_typing(&mut self.site.command(&self.bundle, args), typed)
    }

    fn run_and_kill(&self, args: &[&str], typed: &str, after: Duration) -> bool {
        let mut child = start(&mut self.site.command(&self.bundle, args), typed);
        let is_over = || child.try_wait().unwrap().is_some();
        let was_over = wait::comes(after, is_over);
        let _ = child.kill();
        let _ = child.wait();
        !was_over
    }

    fn begin(&self) -> Running {
        self.site.begin(&self.bundle)
    }

    fn strike(&mut self, victim: Victim, running: Running) -> Run {
        if victim == Victim::Installer {
            let front = running.front();
            let worker = find_worker_of(front.as_raw_nonzero().get().unsigned_abs());
            // It may have come to its end by itself.
            let _ = kill_process(worker.unwrap_or(front), Signal::KILL);
            return running.end();
        }
        self.strikes += 1;
        self.site.engine.kill();
        let run = running.end();
        self.site.engine.restart(self.store, &APART);
        run
    }

    fn dir(&self) -> PathBuf {
        self.site.dir()
    }

    fn ask(&self, script: &str) -> Option<String> {
        let engine = &self.site.engine;
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-c", script]).env("DOCKER_HOST", engine.address()).env("DATA", engine.data());
        let socket = engine.folder().join("x/containerd/containerd.sock");
        command
            .env("CTR", socket)
            .env("PATH", format!("{}:{path}", parts::engine(self.suite).programs().display()));
        Some(Run::of(&mut command).done().stdout)
    }

    fn strikes(&self) -> usize {
        self.strikes
    }

    fn surroundings(&self) -> Tree {
        Tree::of(&self.site.path("bin"), &[])
    }

    fn is_served(&self) -> bool {
        crate::http::get_local(self.site.port, "/health").is_ok_and(|(_, body)| body == "ok\n")
    }

    fn reset(&mut self) {
        *self = Self::new(self.suite, self.store);
    }
}

/// A fresh machine with systemd and without an engine.
#[derive(Debug)]
pub struct OnMachine {
    machine: Machine,
    bundle: Bundle,
    run: String,
    strikes: usize,
    has_every_step: bool,
}

/// Where a launcher or an engine leaves something.
const SCRAPS: &str = "/run/airlift.* /tmp/airlift* /var/tmp/airlift* /dev/shm/airlift* /run/docker /run/docker.* /var/lib/docker /usr/local/libexec/airlift /sys/class/net/docker0";

/// Prints what an engine leaves in memory: processes, units, chains and rules. The pattern is not found in the command that has it.
const TRACES: &str = "pgrep -af '[/]usr/local/libexec/airlift/'; systemctl list-unit-files --no-legend 'docker*'
    for tool in iptables ip6tables; do for table in filter nat raw; do $tool -t $table -S | grep -i docker; done; done";

/// Prints what keeps packets from being passed on. After a blow a machine may have been booted since, and keeps that until the next.
const CLOSED: &str = "iptables -S FORWARD | grep -e '-P FORWARD DROP'";

/// As sudo tells who has called.
const BY_SUDO: &str = "export SUDO_USER=wang SUDO_UID=1000 SUDO_GID=1000";

/// The port of the application there.
const PORT: u16 = 18080;

impl OnMachine {
    /// A new machine.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        let bundle = bundle::hello_with_engine();
        let run = machine.plug_in(&bundle.path);
        let _ = machine.write("answers.toml", &bundle::answers(PORT));
        Self { machine, bundle, run, strikes: 0, has_every_step: false }
    }

    /// A new machine with a firewall, an operator's configuration of an engine to come, and one who came by sudo: every step that there is
    /// has something to do.
    ///
    /// # Panics
    /// When it cannot be made so.
    #[must_use]
    pub fn with_every_step(machine: Machine) -> Self {
        let _ = machine.sh("useradd --create-home wang && ufw --force enable && mkdir /etc/docker && echo '{\"debug\":false}' >/etc/docker/daemon.json && sync").done();
        let bundle = bundle::hello_with_every_step();
        let run = machine.plug_in(&bundle.path);
        let _ = machine.write("answers.toml", &bundle::answers_for_every_step(PORT));
        Self { machine, bundle, run, strikes: 0, has_every_step: true }
    }

    /// What tells who has called.
    fn caller(&self) -> &'static str {
        if self.has_every_step { BY_SUDO } else { ":" }
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        &self.machine
    }

    /// The bundle's path there.
    #[must_use]
    pub fn plugged(&self) -> &str {
        &self.run
    }

    fn install(&self) -> Vec<String> {
        let answers = INSTALL.map(|word| if word == "answers.toml" { "/stick/answers.toml" } else { word });
        let script = format!("{}; exec \"$0\" \"$@\"", self.caller());
        let words = ["bash", "-c", &script, &self.run].into_iter().chain(answers).chain(["--json"]);
        words.map(str::to_owned).collect()
    }
}

impl Patient for OnMachine {
    fn name(&self) -> String {
        if self.has_every_step {
            "fresh machine with systemd and ufw, every step"
        } else {
            "fresh machine with systemd"
        }
        .to_owned()
    }

    fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    fn run(&self, args: &[&str], typed: &str) -> Run {
        let args: Vec<_> =
            args.iter().map(|arg| arg.replace("answers.toml", "/stick/answers.toml")).collect();
        self.machine.sh(&format!(
            "{}; printf '%s' '{typed}' | {} {}",
            self.caller(),
            self.run,
            args.join(" ")
        ))
    }

    fn run_and_kill(&self, args: &[&str], typed: &str, after: Duration) -> bool {
        let script = format!("{}; printf '%s' '{typed}' | {} {}", self.caller(), self.run, args.join(" "));
        let mut child = start(&mut self.machine.command(&["bash", "-c", &script]), "");
        let is_over = || child.try_wait().unwrap().is_some();
        let was_over = wait::comes(after, is_over);
        let _ = self.machine.kill(|line| line.contains(" uninstall"));
        let _ = child.wait();
        !was_over
    }

    fn scraps(&self) -> String {
        // ufw keeps it closed itself.
        let closed = if self.strikes > 0 || self.has_every_step { "" } else { CLOSED };
        self.machine.sh(&format!("exec 2>/dev/null; ls -d {SCRAPS}; {TRACES}; {closed}")).stdout
    }

    fn begin(&self) -> Running {
        let words = self.install();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Running::start(&mut self.machine.command(&words))
    }

    fn strike(&mut self, victim: Victim, running: Running) -> Run {
        match victim {
            Victim::Installer => {
                let works = |line: &str| line.contains(" __worker ");
                if self.machine.kill(works) == 0 {
                    let _ = self.machine.kill(|line| line.contains(&self.run));
                }
                running.end()
            }
            Victim::Engine => {
                self.strikes += 1;
                let is_engine = |line: &str| {
                    let program = line.split(' ').next().unwrap_or_default();
                    program.ends_with("/dockerd") || program.ends_with("containerd")
                };
                let _ = self.machine.kill(is_engine);
                running.end()
            }
            Victim::Power => {
                self.strikes += 1;
                self.machine.lose_power();
                let run = running.end();
                self.machine.power_on();
                run
            }
        }
    }

    fn dir(&self) -> PathBuf {
        self.machine.root().join("opt/hello")
    }

    fn ask(&self, script: &str) -> Option<String> {
        if self.machine.sh("test -S /run/docker.sock").code != Some(0) {
            return None;
        }
        let place = "export PATH=/usr/local/libexec/airlift:$PATH DATA=/var/lib/docker CTR=/run/docker/containerd/containerd.sock";
        Some(self.machine.sh(&format!("{place}\n{script}")).done().stdout)
    }

    fn strikes(&self) -> usize {
        self.strikes
    }

    fn surroundings(&self) -> Tree {
        let without: Vec<_> = RESTLESS.into_iter().chain(["opt/hello"]).collect();
        Tree::of(&self.machine.root(), &without)
    }

    fn is_served(&self) -> bool {
        self.machine.sh(&format!("curl -sf http://127.0.0.1:{PORT}/health")).stdout == "ok\n"
    }

    fn reset(&mut self) {
        *self = match (self.has_every_step, self.machine.has_disk()) {
            (true, true) => Self::with_every_step(Machine::boot_with_disk(Debian::Trixie)),
            (true, false) => Self::with_every_step(Machine::boot_debian(Debian::Trixie)),
            (false, true) => Self::new(Machine::boot_with_disk(Debian::Bookworm)),
            (false, false) => Self::new(Machine::boot()),
        };
    }
}

/// Waits until a patient's engine shows what it should.
///
/// # Errors
/// What differs.
pub fn await_engine(patient: &dyn Patient, wanted: &str) -> Result<(), String> {
    // The engine collects its garbage when it likes to.
    let limit = Duration::from_secs(20);
    let found = || without_forgotten(&patient.engine(), wanted, patient.strikes());
    let wanted = &without_forgotten(wanted, wanted, patient.strikes());
    let is_so = || found() == *wanted;
    if wait::comes(limit, is_so) {
        return Ok(());
    }
    let holders = patient.ask(state::HOLDERS).unwrap_or_default();
    Err(format!("{}\nwith\n{holders}", differences(wanted, &found())))
}

/// The lines that only one of two texts has.
fn differences(wanted: &str, found: &str) -> String {
    let only = |mark: &str, one: &str, other: &str| -> Vec<String> {
        let mut rest: Vec<_> = other.lines().collect();
        let extra = one.lines().filter(|line| match rest.iter().position(|known| known == line) {
            Some(position) => {
                rest.remove(position);
                false
            }
            None => true,
        });
        extra.map(|line| format!("{mark} {line}")).collect()
    };
    [only("-", wanted, found), only("+", found, wanted)].concat().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_an_engine_forgot_when_it_was_killed_is_forgiven() {
        let wanted = "image a\nlayer 1\nlayers-and-containers 9\n";
        let forgotten = "image a\nlayer 1\nstaged write-set-1\nlayers-and-containers 10\n";
        assert_eq!(without_forgotten(forgotten, wanted, 1), wanted);
        assert_eq!(without_forgotten(forgotten, wanted, 0), forgotten);
        let container = "image a\nlayer 1\nlayer 2\nforgotten container\nkept-by-forgotten 2\nkept-by-forgotten 1\nlayers-and-containers 12\n";
        assert_eq!(without_forgotten(container, wanted, 1), wanted);
        for other in [
            "image a\nimage b\nlayer 1\nlayers-and-containers 9\n",
            "image a\nlayer 1\nlayer 2\nlayers-and-containers 10\n",
            "image a\nlayer 1\nstaged write-set-1\nstaged write-set-2\nlayers-and-containers 9\n",
            "image a\nlayer 1\nlayers-and-containers 99\n",
            "image a\nlayer 1\nlayers-and-containers 8\n",
            "image a\nlayers-and-containers 9\n",
        ] {
            assert_ne!(without_forgotten(other, wanted, 1), wanted, "{other}");
        }
    }
}
