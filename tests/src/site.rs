//! An engine that was there before the application, with a place for the project, and the command that installs onto it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::bundle::{self, Bundle};
use crate::engine::{Engine, Store};
use crate::parts::{self, Suite};
use crate::run::Run;
use crate::running::Running;
use crate::screen::{self, Replaced};
use crate::secrets;
use crate::terminal::Terminal;

/// What installs everything, without a question.
pub const INSTALL: [&str; 4] = ["install", "--answers", "answers.toml", "--yes"];

/// What stands on screens for a place's path, and for the port of its application.
const FOLDER: &str = "/srv/the-folder-of-a-test.";
const PORT: &str = "55555";

/// Every test's last look: no secret was written down for people, was to be seen while something ran, or was said.
impl Drop for Site {
    fn drop(&mut self) {
        let keys = std::mem::take(&mut *self.keys.lock().unwrap_or_else(PoisonError::into_inner));
        let told = secrets::told(&[self.dir().join(".airlift")], keys);
        assert!(told.is_none() || std::thread::panicking(), "{}", told.unwrap_or_default());
    }
}

/// An engine with a place for the project, and the command that installs onto it.
#[derive(Debug)]
pub struct Site {
    /// The engine.
    pub engine: Engine,
    /// The port of the application.
    pub port: u16,
    folder: TempDir,
    dir: &'static str,
    mount_compose: String,
    /// What installations have generated here, also those that are gone.
    keys: Mutex<BTreeSet<String>>,
}

impl Site {
    /// A new engine, and everything beside it.
    #[must_use]
    pub fn new(suite: Suite, store: Store) -> Self {
        Self::on(Engine::start(suite, store))
    }

    /// Everything beside an engine.
    ///
    /// # Panics
    /// When the answers cannot be written.
    #[must_use]
    pub fn on(engine: Engine) -> Self {
        Self::in_folder(engine, parts::scratch())
    }

    /// As [`Site::new`], for tests that keep screens on which its path is.
    #[must_use]
    pub fn for_screens(suite: Suite, store: Store) -> Self {
        Self::in_folder(Engine::start(suite, store), parts::scratch_for_screens())
    }

    fn in_folder(engine: Engine, folder: TempDir) -> Self {
        let port = bundle::free_port();
        let (dir, mount_compose, keys) = ("app", String::new(), Mutex::default());
        let site = Self { engine, port, folder, dir, mount_compose, keys };
        fs::write(site.path("answers.toml"), bundle::answers(site.port)).unwrap();
        site
    }

    /// The same with another project directory, as a path in its folder.
    #[must_use]
    pub fn with_dir(mut self, dir: &'static str) -> Self {
        self.dir = dir;
        self
    }

    /// The same on a machine that has a Compose plugin, so that bundles need not bring one.
    #[must_use]
    pub fn with_compose(mut self) -> Self {
        let plugin = parts::engine(Suite::Forky).compose();
        self.mount_compose = format!(
            "mount -t tmpfs none /usr/libexec && mkdir -p /usr/libexec/docker/cli-plugins && \
             ln -s '{}' /usr/libexec/docker/cli-plugins/docker-compose &&",
            plugin.display()
        );
        self
    }

    /// A path in a folder of its own.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The project directory.
    #[must_use]
    pub fn dir(&self) -> PathBuf {
        self.path(self.dir)
    }

    /// The bundle's command, in a name space of its own with a `/usr/local/bin` of its own: what it puts there is not for this machine.
    ///
    /// # Panics
    /// When the folder for that cannot be made.
    #[must_use]
    pub fn command(&self, bundle: &Bundle, args: &[&str]) -> Command {
        self.command_in(&self.dir(), bundle, args)
    }

    /// As [`Site::command`], with another project directory.
    ///
    /// # Panics
    /// When the folder for commands cannot be made.
    #[must_use]
    pub fn command_in(&self, dir: &Path, bundle: &Bundle, args: &[&str]) -> Command {
        let bin = self.path("bin");
        fs::create_dir_all(&bin).unwrap();
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            // From a stick that nothing may be executed on, it is started as people are told to.
            .arg(format!(
                "mount --bind \"$0\" /usr/local/bin && {} {{ [ -x \"$1\" ] || set -- sh \"$@\"; }} && exec \"$@\"",
                self.mount_compose
            ))
            .arg(bin)
            .arg(&bundle.path)
            .args(args)
            .arg("--dir")
            .arg(dir)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DOCKER_HOST", self.engine.address())
            .current_dir(self.folder.path());
        command
    }

    /// Runs the bundle's command to its end. Whatever it is, it does not say the password.
    ///
    /// # Panics
    /// When it does.
    pub fn run(&self, bundle: &Bundle, args: &[&str]) -> Run {
        // It may take the record of them away.
        self.note_key();
        Run::of(&mut self.command(bundle, args))
    }

    fn note_key(&self) {
        let key = secrets::generated(&self.dir().join(".airlift"));
        self.keys.lock().unwrap_or_else(PoisonError::into_inner).extend(key);
    }

    /// Installs.
    pub fn install(&self, bundle: &Bundle) -> Run {
        self.run(bundle, &INSTALL)
    }

    /// Begins to install.
    #[must_use]
    pub fn begin(&self, bundle: &Bundle) -> Running {
        Running::start(self.command(bundle, &INSTALL).arg("--json"))
    }

    /// Installs, with what happens as events.
    pub fn install_with_events(&self, bundle: &Bundle) -> Run {
        Run::of(self.command(bundle, &INSTALL).arg("--json"))
    }

    /// The bundle in this place's folder under the name that its vendor gave it: screens have its path on them.
    ///
    /// # Panics
    /// When it cannot be put there.
    #[must_use]
    pub fn bring(&self, bundle: &Bundle) -> Bundle {
        let path = self.path("hello-1.0.0.run");
        fs::hard_link(&bundle.path, &path).or_else(|_| fs::copy(&bundle.path, &path).map(drop)).unwrap();
        Bundle { path }
    }

    /// The whole screen as it is kept, without this place's path and port, and these.
    #[must_use]
    pub fn framed(&self, terminal: &Terminal, replaced: &Replaced<'_>, found: &[&str]) -> String {
        let folder = self.path("").display().to_string();
        let port = self.port.to_string();
        // As long as they are: what breaks lines by their width breaks them at the same places.
        let own = [(folder.trim_end_matches('/'), FOLDER), (&port, PORT)];
        screen::framed(terminal, &[&own[..], replaced].concat(), found)
    }

    /// The page of the application.
    ///
    /// # Panics
    /// When nobody answers.
    #[must_use]
    pub fn page(&self) -> String {
        crate::http::get_local(self.port, "/").unwrap().1
    }

    /// A screen without what differs from run to run: the folder, the port, how long something took.
    #[must_use]
    pub fn shown(&self, screen: &str) -> String {
        let folder = self.path("").display().to_string();
        let screen =
            screen.replace(folder.trim_end_matches('/'), "/srv").replace(&self.port.to_string(), "PORT");
        let seconds = |word: &str| {
            let number = word.trim_start_matches(['(', '（']);
            !number.ends_with('.') && number.contains('.') && number.parse::<f64>().is_ok()
        };
        let line = |line: &str| {
            line.split(' ').map(|word| if seconds(word) { "N" } else { word }).collect::<Vec<_>>().join(" ")
        };
        screen.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    /// A variable as the container has it.
    #[must_use]
    pub fn variable(&self, name: &str) -> String {
        let script = format!("printf %s \"${name}\"");
        self.engine.docker(["exec", "hello-web-1", "sh", "-c", &script]).done().stdout
    }

    /// How often the engine was sent images since it started.
    ///
    /// # Panics
    /// When it does not answer.
    #[must_use]
    pub fn loads(&self) -> usize {
        let until = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() + 1;
        let filters = "%7B%22type%22%3A%5B%22image%22%5D%7D";
        let path = format!("/events?since=1&until={until}&filters={filters}");
        let (_, events) = crate::http::get(&self.engine.socket(), &path).unwrap();
        events.matches("\"load\"").count()
    }
}
