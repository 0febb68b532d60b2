//! The fresh machine: systemd, no Docker, no network, and a power switch.
//!
//! It is a container of a host engine that runs for this one test, with the rights that systemd and a Docker engine of its own need.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::disk::{Disk, Format};
use crate::engine::{APART, Engine, Store, unmount_below};
use crate::parts::{self, Debian, Suite};
use crate::run::Run;
use crate::secrets;
use crate::tree::Tree;
use crate::wait;

/// What a machine needs to boot systemd and to run an engine. It is what `--privileged` gives, without what is not to be had
/// where the tests themselves run in a container without `CAP_SYS_RESOURCE`.
const RIGHTS: [&str; 17] = [
    "--cap-add=ALL",
    "--security-opt=seccomp=unconfined",
    "--security-opt=apparmor=unconfined",
    "--security-opt=systempaths=unconfined",
    "--device-cgroup-rule=a *:* rwm",
    "--cgroupns=host",
    "--network=none",
    "--hostname=fresh",
    "--tmpfs=/run",
    "--tmpfs=/tmp:exec",
    // An engine's data, which is not there before the engine is.
    "--volume=/var/lib",
    // The installed project and a private engine live here: overlay2 does not work on top of a container's own overlay.
    "--volume=/opt",
    "--volume=/srv",
    "--volume=/sys/fs/cgroup:/sys/fs/cgroup:rw",
    "--stop-signal=SIGRTMIN+3",
    "--init=false",
    "--detach",
];

/// What moves on a machine by itself: kernel interfaces, logs, timers, and what this harness mounts.
pub const RESTLESS: [&str; 13] = [
    "proc",
    "sys",
    "dev",
    "run",
    "stick",
    "var/log",
    "var/backups",
    "var/lib/systemd",
    "var/lib/docker",
    "var/lib/containerd",
    // Comes and goes with every health check of a container.
    "tmp/runc-process*",
    // The machine's own services get new ones at every start.
    "tmp/systemd-private-*",
    "var/tmp/systemd-private-*",
];

/// A running machine. Dropping it takes it away.
#[derive(Debug)]
pub struct Machine {
    host: Engine,
    id: String,
    stick: PathBuf,
    /// What everything of the machine lies on, if that is a disk of its own. It goes after the engine that uses it.
    disk: Option<Disk>,
}

impl Machine {
    /// Boots a fresh machine.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn boot() -> Self {
        Self::boot_with(&[])
    }

    /// Boots a fresh machine with further options of `docker run`.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn boot_with(options: &[&str]) -> Self {
        Self::boot_on(Engine::start(Suite::Forky, Store::Overlay2), None, Debian::Bookworm, options)
    }

    /// Boots a fresh machine of this Debian.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn boot_debian(debian: Debian) -> Self {
        Self::boot_on(Engine::start(Suite::Forky, Store::Overlay2), None, debian, &[])
    }

    /// Boots a fresh machine of this Debian whose disk loses what was not written yet when the power is cut.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn boot_with_disk(debian: Debian) -> Self {
        let prepare = |data: &Path| Disk::new(Format::Ext4, 8 << 30, data);
        let (host, disk) = Engine::start_prepared(Suite::Forky, Store::Overlay2, prepare);
        let machine = Self::boot_on(host, Some(disk), debian, &[]);
        let _ = Run::of(std::process::Command::new("sync").arg("-f").arg(machine.host.data())).done();
        machine
    }

    fn boot_on(host: Engine, disk: Option<Disk>, debian: Debian, options: &[&str]) -> Self {
        let root = parts::machine(debian);
        let image = host.docker([Path::new("import"), &root]).done().stdout.trim().to_owned();
        let stick = host.folder().join("stick");
        fs::create_dir(&stick).unwrap();
        let mount = format!("--volume={}:/stick:ro", stick.display());
        let mut args = vec!["run"];
        args.extend(RIGHTS);
        args.push(&mount);
        args.extend(options);
        args.extend([&image, "/sbin/init"]);
        let id = host.docker(args).done().stdout.trim().to_owned();
        let machine = Self { host, id, stick, disk };
        machine.wait();
        machine
    }

    fn wait(&self) {
        let running = || {
            let state = self.sh("systemctl is-system-running");
            // `degraded` is up as well, with a unit that failed; the message names it.
            assert_ne!(state.stdout.trim(), "degraded", "{}", self.sh("systemctl --failed --no-pager"));
            (state.stdout.trim() == "running").then_some(())
        };
        let log = || self.host.docker(["logs", "--tail", "30", &self.id]).to_string();
        wait::until("the machine", Duration::from_secs(90), running, log);
        self.begin_boot();
    }

    /// Gives each boot an identifier of its own, as the kernel of a machine would: the one below is always the same. What an installer
    /// brought in a boot that ended without power it must not believe in the next.
    fn begin_boot(&self) {
        let script = "cat /proc/sys/kernel/random/uuid >/run/boot_id && \
                      mount --bind /run/boot_id /proc/sys/kernel/random/boot_id";
        let _ = self.sh(script).done();
    }

    /// Runs a script in the machine's shell.
    pub fn sh(&self, script: &str) -> Run {
        self.exec(&["bash", "-c", script])
    }

    /// Runs a program on the machine, as root.
    pub fn exec(&self, argv: &[&str]) -> Run {
        self.host.docker(["exec", &self.id].iter().chain(argv))
    }

    /// The command that runs a program on the machine.
    #[must_use]
    pub fn command(&self, argv: &[&str]) -> std::process::Command {
        let mut command = self.host.command();
        command.args(["exec", &self.id]).args(argv);
        command
    }

    /// The command that runs a program on the machine, on the terminal that it is started on.
    #[must_use]
    pub fn command_on_terminal(&self, argv: &[&str]) -> std::process::Command {
        let mut command = self.host.command();
        command.args(["exec", "--interactive", "--tty", "--env", "TERM=xterm-256color", &self.id]).args(argv);
        command
    }

    /// Kills with SIGKILL every process on the machine of whose command line `is_it` says that it is the one, and returns how many.
    pub fn kill(&self, is_it: impl Fn(&str) -> bool) -> usize {
        let space = |process: &Path| fs::read_link(process.join("ns/pid")).ok();
        let inside = space(self.root().parent().unwrap_or(Path::new("/proc/self")));
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let is_meant = |process: &PathBuf| {
            let line = fs::read(process.join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line).replace('\0', " ");
            is_it(line.trim()) && space(process) == inside
        };
        let pid = |process: PathBuf| process.file_name()?.to_str()?.parse().ok().and_then(Pid::from_raw);
        let meant: Vec<_> = processes.filter(is_meant).filter_map(pid).collect();
        meant.into_iter().filter(|pid| kill_process(*pid, Signal::KILL).is_ok()).count()
    }

    /// Starts a program on the machine and returns at once.
    pub fn start(&self, argv: &[&str]) {
        let _ = self.host.docker(["exec", "--detach", &self.id].iter().chain(argv)).done();
    }

    /// Puts a file on the stick, which the machine sees read-only under `/stick`. Returns its path there.
    ///
    /// # Panics
    /// When it cannot be put there.
    #[must_use]
    pub fn plug_in(&self, file: &Path) -> String {
        let name = file.file_name().unwrap().to_str().unwrap();
        let place = self.stick.join(name);
        let _ = fs::remove_file(&place);
        // A hard link where it can be: bundles are large.
        fs::hard_link(file, &place).or_else(|_| fs::copy(file, &place).map(drop)).unwrap();
        format!("/stick/{name}")
    }

    /// Writes a file on the stick.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn write(&self, name: &str, content: &str) -> String {
        fs::write(self.stick.join(name), content).unwrap();
        format!("/stick/{name}")
    }

    /// The folder behind the stick, as this process sees it.
    #[must_use]
    pub fn stick(&self) -> &Path {
        &self.stick
    }

    /// The machine's own file system as this process sees it.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        let path = format!("/containers/{}/json", self.id);
        let state: Value = self.host.get(&path);
        root_of(&state["State"]["Pid"].to_string())
    }

    /// Whether it was booted with a disk of its own.
    #[must_use]
    pub fn has_disk(&self) -> bool {
        self.disk.is_some()
    }

    /// Everything on the machine that does not move by itself.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree::of(&self.root(), &RESTLESS)
    }

    /// A power cut: nothing on the machine learns of it.
    pub fn cut_power(&self) {
        let _ = self.host.docker(["kill", "--signal=KILL", &self.id]).done();
        let off = || {
            self.host.docker(["inspect", "--format={{.State.Running}}", &self.id]).stdout.contains("false")
        };
        wait::until("the machine to go dark", Duration::from_secs(30), || off().then_some(()), String::new);
    }

    /// A power cut of a machine that was booted with a disk of its own: what was not written to that disk yet is lost.
    ///
    /// # Panics
    /// When it has no such disk, or that does not come back.
    pub fn lose_power(&mut self) {
        // Before the disk is gone: the engine around the machine lives on it as well, and cannot describe it any more afterwards.
        let init = self.root().parent().and_then(Path::file_name).and_then(|pid| pid.to_str()?.parse().ok());
        self.disk.as_ref().unwrap().lose_unwritten();
        // With the first process go all others.
        kill_process(init.and_then(Pid::from_raw).unwrap(), Signal::KILL).unwrap();
        self.host.kill();
        unmount_below(self.host.folder());
        let disk = self.disk.as_ref().unwrap();
        disk.unplug();
        disk.plug_in();
        self.host.restart(Store::Overlay2, &APART);
    }

    /// Switches it on again after a power cut.
    pub fn power_on(&self) {
        let _ = self.host.docker(["start", &self.id]).done();
        self.wait();
    }
}

/// The file system of a process; the path ends with a slash, since it is a link itself.
fn root_of(pid: &str) -> PathBuf {
    PathBuf::from(format!("/proc/{pid}/root/"))
}

impl Drop for Machine {
    fn drop(&mut self) {
        // The machine's own containers had their control groups beside the machine's, and a power cut leaves them there, empty.
        // It may be what is broken: then nothing is known of it.
        let pid = self.host.docker(["inspect", "--format={{.State.Pid}}", &self.id]).stdout;
        let inner = root_of(pid.trim()).join("var/lib/docker/containers");
        let names = |entry: std::io::Result<fs::DirEntry>| Some(entry.ok()?.file_name());
        let inner: Vec<_> = fs::read_dir(inner).into_iter().flatten().filter_map(names).collect();
        // Where applications are put, this one's and those of other names.
        let root = root_of(pid.trim());
        let folders = ["opt", "srv"].map(|parent| fs::read_dir(root.join(parent)));
        let folders = folders.into_iter().flatten().flatten().flatten();
        let states: Vec<_> = folders.map(|folder| folder.path().join(".airlift")).collect();
        let told = secrets::told(&states, BTreeSet::new());
        let _ = self.host.docker(["rm", "--force", "--volumes", &self.id]);
        let groups = fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten();
        for group in groups.map(|group| group.path().join("docker")) {
            for name in &inner {
                let _ = fs::remove_dir(group.join(name));
            }
        }
        assert!(told.is_none() || std::thread::panicking(), "{}", told.unwrap_or_default());
    }
}
