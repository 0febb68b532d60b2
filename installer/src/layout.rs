//! Where things lie on the host: the one place that knows path names. Pure, apart from a look at a link.

use std::path::{Path, PathBuf};

use bundle_spec::path::{COMPOSE_PATH, ENGINE_DIR, PROGRAM_DIR, STATE_DIR};
use serde::{Deserialize, Serialize};

use crate::text::sudo::SUDO;

/// Held while the host's engine is being installed. In a directory that a reboot empties.
pub const ENGINE_LOCK: &str = "/run/airlift-engine.lock";
/// Where the link to `<app>ctl` goes for a system-wide engine.
pub const SYSTEM_BIN: &str = "/usr/local/bin";

/// One installation: a project directory and what lies in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The project directory (`--dir`).
    pub dir: PathBuf,
}

impl Layout {
    /// The default directory of an application.
    pub fn default_dir(app: &str) -> PathBuf {
        Path::new("/opt").join(app)
    }

    /// What belongs to Airlift itself.
    pub fn state(&self) -> PathBuf {
        self.dir.join(STATE_DIR)
    }

    /// What was done (mode 0600).
    pub fn receipt(&self) -> PathBuf {
        self.state().join("receipt.json")
    }

    /// The given and generated answers (mode 0600).
    pub fn answers(&self) -> PathBuf {
        self.state().join("answers.json")
    }

    /// Random bytes that digests in the receipt are mixed with (mode 0600).
    pub fn salt(&self) -> PathBuf {
        self.state().join("salt")
    }

    /// The index of the installed bundle, for the day after.
    pub fn index(&self) -> PathBuf {
        self.state().join("index.json")
    }

    /// Locked while a run is changing things.
    pub fn lock(&self) -> PathBuf {
        self.state().join("lock")
    }

    /// Where those who look on while a run is at work come in: a socket.
    pub fn live(&self) -> PathBuf {
        self.state().join("live")
    }

    /// How the last run that changed anything ended (mode 0600).
    pub fn last_run(&self) -> PathBuf {
        self.state().join("last-run.json")
    }

    /// What happened, one event a line (mode 0600).
    pub fn log(&self) -> PathBuf {
        self.state().join("install.log")
    }

    /// An empty Docker client configuration: the operator's contexts and credential helpers must not interfere.
    pub fn client_config(&self) -> PathBuf {
        self.state().join("docker-config")
    }

    /// What Compose interpolates (mode 0600).
    pub fn env(&self) -> PathBuf {
        self.dir.join(".env")
    }

    /// Programs of the project: `<app>ctl`, and the Compose plugin beside an engine that is not ours.
    pub fn bin(&self) -> PathBuf {
        self.dir.join(PROGRAM_DIR)
    }

    /// The Compose plugin beside an engine that is not ours.
    pub fn compose(&self) -> PathBuf {
        self.dir.join(COMPOSE_PATH)
    }

    /// `<app>ctl`.
    pub fn control(&self, app: &str) -> PathBuf {
        self.bin().join(format!("{app}ctl"))
    }

    /// How to call `<app>ctl`: by its name where the search path leads to this installation.
    pub fn control_command(&self, app: &str) -> String {
        let leads_here = |target| target == self.control(app);
        self.control_command_if(app, std::fs::read_link(Self::control_link(app)).is_ok_and(leads_here))
    }

    /// The same where it is known whether the search path leads, or will lead, to this installation.
    pub fn control_command_if(&self, app: &str, is_linked: bool) -> String {
        if is_linked { format!("{SUDO}{app}ctl") } else { format!("{SUDO}{}", self.control(app).display()) }
    }

    /// How to call the bundle `file` for this installation.
    pub fn bundle_command(&self, app: &str, file: &str) -> String {
        let elsewhere =
            (self.dir != Self::default_dir(app)).then(|| format!(" --dir {}", self.dir.display()));
        format!("{SUDO}{file}{}", elsewhere.unwrap_or_default())
    }

    /// The link to `<app>ctl` in the search path.
    pub fn control_link(app: &str) -> PathBuf {
        Path::new(SYSTEM_BIN).join(format!("{app}ctl"))
    }
}

/// Where an engine of ours lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineHome {
    /// Everything below the project directory; nothing else on the host is touched.
    Private(PathBuf),
    /// The host's engine.
    System,
}

impl EngineHome {
    /// The private home of an installation.
    pub fn private(layout: &Layout) -> Self {
        Self::Private(layout.dir.join(ENGINE_DIR))
    }

    /// Binaries. `libexec` and not `/usr/bin`: there a `containerd` may belong to somebody else (Kubernetes), and SELinux
    /// policies label this directory for programs.
    pub fn bin(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("bin"),
            Self::System => "/usr/local/libexec/airlift".into(),
        }
    }

    /// The socket.
    pub fn socket(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("docker.sock"),
            Self::System => "/var/run/docker.sock".into(),
        }
    }

    /// Images, containers, volumes.
    pub fn data_root(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("data"),
            Self::System => "/var/lib/docker".into(),
        }
    }

    /// Runtime state of containers.
    pub fn exec_root(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("exec"),
            Self::System => "/var/run/docker".into(),
        }
    }

    /// Where its containerd listens.
    pub fn containerd_socket(&self) -> PathBuf {
        self.exec_root().join("containerd/containerd.sock")
    }

    /// The daemon's configuration file.
    pub fn config(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("daemon.json"),
            Self::System => "/etc/docker/daemon.json".into(),
        }
    }

    /// The same as an operator had written it, where we have completed it.
    pub fn former_config(&self) -> PathBuf {
        self.config().with_extension("json.before-airlift")
    }

    /// The daemon's process id, where no service manager keeps it.
    pub fn pid_file(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("docker.pid"),
            Self::System => "/var/run/docker.pid".into(),
        }
    }

    /// The daemon's log, where no service manager keeps it.
    pub fn log(&self) -> PathBuf {
        match self {
            Self::Private(dir) => dir.join("dockerd.log"),
            Self::System => "/var/log/dockerd.log".into(),
        }
    }

    /// Names the parts that lie in [`EngineHome::bin`]; written last, so that half an engine is not taken for one. Says that the
    /// engine is ours, whatever it names.
    pub fn mark(&self) -> PathBuf {
        self.bin().join(".airlift-engine")
    }

    /// What has to be known to take the engine away when the application that brought it is gone.
    pub fn estate(&self) -> PathBuf {
        self.bin().join(".airlift-estate.json")
    }

    /// The Compose plugin.
    pub fn compose(&self) -> PathBuf {
        self.bin().join("docker-compose")
    }

    /// The longest unix socket path that the engine will make, in bytes; the kernel's limit is 107.
    pub fn longest_socket(&self) -> usize {
        self.exec_root().join("containerd/containerd.sock.ttrpc").as_os_str().len()
    }
}

/// Longest path that a unix socket can have (`sun_path` less its terminator).
pub const SOCKET_PATH_MAX: usize = 107;

/// Links that make an engine of ours usable by hand: made only where nothing is.
pub const SYSTEM_LINKS: [(&str, &str); 2] =
    [("/usr/bin/docker", "docker"), ("/usr/local/lib/docker/cli-plugins/docker-compose", "docker-compose")];

/// Directories that a system-wide engine makes beside its roots, outermost first; ours to remove if they were not there.
pub const SYSTEM_TRACES: [&str; 3] = ["/opt/containerd", "/opt/containerd/bin", "/opt/containerd/lib"];

/// Where firewalld keeps what an administrator, or an engine, has told it.
pub const FIREWALLD: &str = "/etc/firewalld";

/// What a system-wide engine tells firewalld when it starts for the first time; below [`FIREWALLD`].
pub const FIREWALLD_TRACES: [&str; 2] = ["zones/docker.xml", "policies/docker-forwarding.xml"];

/// The systemd unit of an engine of ours.
pub const SYSTEM_UNIT: &str = "/etc/systemd/system/docker.service";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_management_command_is_written_as_it_can_be_copied() {
        let layout = Layout { dir: "/opt/shop".into() };
        assert_eq!(layout.control_command_if("shop", true), "sudo shopctl");
        assert_eq!(layout.control_command_if("shop", false), "sudo /opt/shop/bin/shopctl");
    }
}
