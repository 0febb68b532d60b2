//! A real engine beside everything else on the machine, for the time of one test.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::parts::{self, EngineParts, Suite};
use crate::run::Run;
use crate::{http, secrets, wait};

/// What an engine keeps images in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// The containerd image store.
    Containerd,
    /// The classic store, with the overlay2 graph driver.
    Overlay2,
}

/// Options of an engine without bridges and firewall rules: its containers have the host's network or none.
pub const APART: [&str; 2] = ["--bridge=none", "--iptables=false"];

/// Folders that containerd and docker leave behind outside their own, empty.
const TRACES: [&str; 6] = [
    "/opt/containerd/bin",
    "/opt/containerd/lib",
    "/opt/containerd",
    "/run/containerd",
    "/run/docker/plugins",
    "/run/docker",
];

/// A running engine. Dropping it stops it and takes everything away that it made.
#[derive(Debug)]
pub struct Engine {
    parts: EngineParts,
    folder: TempDir,
    child: Child,
    traces: Vec<&'static str>,
}

impl Engine {
    /// Starts an engine without bridges and firewall rules: its containers have the host's network or none.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(suite: Suite, store: Store) -> Self {
        Self::start_with(suite, store, &APART)
    }

    /// Starts such an engine after its data root, still empty, was given to `prepare`.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start_prepared<T>(suite: Suite, store: Store, prepare: impl FnOnce(&Path) -> T) -> (Self, T) {
        let folder = parts::scratch();
        let prepared = prepare(&folder.path().join("data"));
        (Self::start_in(folder, suite, store, &APART), prepared)
    }

    /// Starts an engine with options of one's own.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start_with(suite: Suite, store: Store, options: &[&str]) -> Self {
        Self::start_in(parts::scratch(), suite, store, options)
    }

    fn start_in(folder: TempDir, suite: Suite, store: Store, options: &[&str]) -> Self {
        let parts = parts::engine(suite);
        let traces = TRACES.into_iter().filter(|trace| !Path::new(trace).exists()).collect();
        secrets::are_ours(folder.path());
        let child = spawn(&parts, folder.path(), store, options);
        let mut engine = Self { parts, folder, child, traces };
        engine.wait();
        engine
    }

    fn wait(&mut self) {
        let socket = self.socket();
        let log = self.folder.path().join("log");
        let tail = || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let lines: Vec<_> = text.lines().collect();
            lines[lines.len().saturating_sub(30)..].join("\n")
        };
        let child = &mut self.child;
        let answers = || {
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the engine ended at once ({ended:?})\n{}", tail());
            matches!(http::get(&socket, "/_ping"), Ok((200, _))).then_some(())
        };
        wait::until("an answer of the engine", Duration::from_secs(60), answers, tail);
    }

    /// Its socket.
    #[must_use]
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("sock")
    }

    /// What `DOCKER_HOST` must be.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.socket().display())
    }

    /// The number of its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The folder with all it has.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Asks its API.
    #[must_use]
    pub fn get(&self, path: &str) -> Value {
        http::json(&self.socket(), path)
    }

    /// Its data root.
    #[must_use]
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Asks the containerd below it, in its name space.
    pub fn ctr(&self, args: &[&str]) -> Run {
        let socket = self.folder.path().join("x/containerd/containerd.sock");
        let mut command = Command::new(self.parts.program("ctr"));
        Run::of(command.arg("--address").arg(socket).args(["--namespace", "moby"]).args(args))
    }

    /// Its own command line program.
    #[must_use]
    pub fn program(&self) -> PathBuf {
        self.parts.program("docker")
    }

    /// A command of its own command line program.
    #[must_use]
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.program());
        command.env("DOCKER_HOST", self.address()).env("DOCKER_CONFIG", self.folder.path().join("config"));
        command
    }

    /// Runs its own command line program.
    pub fn docker<S: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Run {
        Run::of(self.command().args(args))
    }

    /// The diff IDs of an image's layers as the engine has them, or nothing if it has no such image.
    ///
    /// # Panics
    /// When the engine answers neither one nor the other.
    #[must_use]
    pub fn layers(&self, reference: &str) -> Option<Vec<String>> {
        let path = format!("/images/{reference}/json");
        let (status, body) = http::get(&self.socket(), &path).unwrap();
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{body}");
        let image: Value = serde_json::from_str(&body).unwrap();
        let layers = image["RootFS"]["Layers"].as_array().unwrap_or_else(|| panic!("no layers: {image}"));
        Some(layers.iter().map(|layer| layer.as_str().unwrap().to_owned()).collect())
    }

    /// Stops it as an operator does, and starts it again on the same data.
    ///
    /// # Panics
    /// When it does not end or come up.
    pub fn restart(&mut self, store: Store, options: &[&str]) {
        self.end();
        self.child = spawn(&self.parts, self.folder.path(), store, options);
        self.wait();
    }

    /// Kills it and the containerd below it, as the kernel does when memory runs out, and waits until both are gone.
    ///
    /// # Panics
    /// When it is not there, or has no containerd.
    pub fn kill(&mut self) {
        let file = self.folder.path().join("x/containerd/containerd.pid");
        let text = fs::read_to_string(&file).unwrap();
        let below = text.trim().parse().ok().and_then(Pid::from_raw).unwrap();
        kill_process(Pid::from_child(&self.child), Signal::KILL).unwrap();
        let _ = self.child.wait();
        kill_process(below, Signal::KILL).unwrap();
        let gone = || rustix::process::test_kill_process(below).is_err().then_some(());
        wait::until("containerd to be gone", Duration::from_secs(10), gone, String::new);
    }

    fn end(&mut self) {
        if let Ok(Some(_)) = self.child.try_wait() {
            return;
        }
        let pid = Pid::from_child(&self.child);
        let _ = kill_process(pid, Signal::TERM);
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        while matches!(self.child.try_wait(), Ok(None)) {
            if std::time::Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

fn spawn(parts: &EngineParts, folder: &Path, store: Store, options: &[&str]) -> Child {
    let containerd = store == Store::Containerd;
    let config = if containerd { r#"{"features":{"containerd-snapshotter":true}}"# } else { "{}" };
    fs::write(folder.join("daemon.json"), config).unwrap();
    let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    // With `setpriv`, the engine ends with the thread that started it, also when that is killed.
    Command::new("setpriv")
        .args(["--pdeathsig", "TERM", "--"])
        .arg(parts.program("dockerd"))
        .arg("--config-file")
        .arg(folder.join("daemon.json"))
        .arg("--data-root")
        .arg(folder.join("data"))
        .arg("--exec-root")
        .arg(folder.join("x"))
        .arg("--pidfile")
        .arg(folder.join("pid"))
        .arg("--host")
        .arg(format!("unix://{}", folder.join("sock").display()))
        .args(options)
        .env("PATH", format!("{}:{path}:/usr/sbin:/sbin", parts.programs().display()))
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start the engine: {error}"))
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.end();
        unmount_below(self.folder.path());
        for trace in &self.traces {
            // Only if it is empty: another engine may use it by now.
            let _ = fs::remove_dir(trace);
        }
    }
}

/// Takes away what is mounted below a folder, the innermost first.
pub fn unmount_below(folder: &Path) {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let prefix = format!("{}/", folder.display());
    let below =
        mounts.lines().filter_map(|line| line.split(' ').nth(1)).filter(|place| place.starts_with(&prefix));
    for place in below.collect::<Vec<_>>().into_iter().rev() {
        let _ = Command::new("umount").arg("-l").arg(place).output();
    }
}
