//! What this host is like, read once at the start. Collectors read; nothing here decides or changes anything.

use std::path::{Path, PathBuf};

use bundle_spec::digest::Digest;
use serde::Serialize;

use crate::engine::{Container, Description, PresentImage};
use crate::host::process;
use crate::layout::{EngineHome, Layout};

pub mod access;
pub mod address;
pub mod bounded;
pub mod compose;
pub mod engine;
pub mod exposure;
pub mod firewall;
pub mod inventory;
pub mod kernel;
pub mod machine;
pub mod network;
pub mod route;
pub mod storage;
pub mod writers;

/// Everything that decisions are made from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The machine itself.
    pub machine: Machine,
    /// What its kernel offers.
    pub kernel: kernel::Kernel,
    /// The firewall that is active.
    pub firewall: Option<firewall::Firewall>,
    /// Networks around it.
    pub surroundings: route::Surroundings,
    /// File systems behind the paths that matter.
    pub storage: storage::Storage,
    /// Who listens on which TCP port.
    pub listeners: Vec<network::Listener>,
    /// The engine that would be used.
    pub engine: EngineFacts,
    /// Another engine runs on this host (matters for a private one).
    pub has_other_engine: bool,
    /// What is in the engine.
    pub inventory: Inventory,
    /// What is in the project directory.
    pub project: ProjectFacts,
    /// What stands between people and the application.
    pub access: access::Access,
    /// The host's Compose plugins, where the bundle carries none.
    pub compose: Vec<compose::HostCompose>,
}

/// The machine itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// Effective user is root.
    pub is_root: bool,
    /// As `uname -m` says.
    pub arch: String,
    /// Kernel release.
    pub kernel: String,
    /// Memory in bytes.
    pub memory: u64,
    /// Processors usable by this process.
    pub cores: u32,
    /// systemd runs as process 1.
    pub has_systemd: bool,
    /// Commands that an engine needs, and that are missing here.
    pub missing_commands: Vec<String>,
    /// Name and version of the distribution.
    pub os: String,
    /// Changes at every boot; tells what a power cut may have undone.
    pub boot_id: String,
    /// A containerd runs that no Docker engine started: an engine that we install would share it.
    pub has_foreign_containerd: bool,
    /// Memory in bytes that is not in use, or could be given back at once.
    pub free_memory: u64,
    /// By which commands packages are installed.
    pub family: Family,
    /// What the processor can do, as `/proc/cpuinfo` says.
    pub cpu_flags: Vec<String>,
    /// It is a container itself.
    pub is_container: bool,
    /// Its clock, in seconds since 1970.
    pub clock: u64,
    /// How many files a process started by us may open.
    pub open_files: u64,
    /// A `docker` command that is not ours, and whether it is Podman's.
    pub docker_command: Option<(PathBuf, bool)>,
}

/// Distributions by their package manager.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// apt.
    Debian,
    /// dnf or yum.
    RedHat,
    /// zypper.
    Suse,
    /// Some other.
    #[default]
    Other,
}

/// The engine that would be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineFacts {
    /// There is none.
    Absent,
    /// `DOCKER_HOST` names something else than a unix socket.
    Remote(String),
    /// It is installed and does not answer.
    Silent {
        /// Where it should listen.
        socket: PathBuf,
        /// What was found instead of an answer.
        why: String,
    },
    /// It answers.
    Running {
        /// Where.
        socket: PathBuf,
        /// What it says of itself.
        description: Description,
    },
}

/// What is in the engine.
#[derive(Clone, Debug, Default)]
pub struct Inventory {
    /// Images.
    pub images: Vec<PresentImage>,
    /// Why the images are not known: what is not known to be there may be there all the same.
    pub images_error: Option<String>,
    /// Blobs of the bundle that a containerd store has.
    pub blobs: std::collections::HashSet<Digest>,
    /// Chain IDs of layers that a containerd store has unpacked; of a graph driver, the images tell.
    pub chains: std::collections::HashSet<Digest>,
    /// Containers of our project.
    pub containers: Vec<Container>,
    /// Names of all containers, each with its Compose project; empty where it has none.
    pub names: Vec<(String, String)>,
    /// Names of the volumes of our project.
    pub volumes: Vec<String>,
}

/// What is in the project directory.
#[derive(Clone, Debug, Default)]
pub struct ProjectFacts {
    /// Exists and has something in it.
    pub is_occupied: bool,
    /// Directories, from itself upwards, that others than root can write.
    pub writable: Vec<writers::Writable>,
    /// The receipt of an earlier run.
    pub receipt: Option<crate::receipt::Receipt>,
    /// There is a receipt that cannot be read, and why.
    pub receipt_error: Option<String>,
    /// What `<app>ctl` in the search path leads to, if it exists.
    pub control_link: Option<PathBuf>,
    /// A file where the engine's own would go, that is not ours.
    pub foreign_unit: Option<PathBuf>,
    /// The engine that an earlier run really placed.
    pub own_engine: Option<EngineHome>,
    /// A graph driver of an earlier engine has images in the system's data root.
    pub has_prior_images: bool,
    /// Where the system's `daemon.json`, written by an operator before, puts the engine's data.
    pub configured_root: Option<PathBuf>,
    /// Networks that the system's `daemon.json` gives to the engine.
    pub address_pools: AddressPools,
    /// The system's `daemon.json` is there and cannot be understood: why.
    pub config_error: Option<String>,
    /// A command of the same name as `<app>ctl` that is not ours.
    pub other_command: Option<PathBuf>,
}

/// Networks that an operator gave to an engine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressPools {
    /// That of the default bridge (`bip`).
    pub bridge: Option<route::Net>,
    /// Those that others are cut from, with the prefix length of the pieces (`default-address-pools`).
    pub nets: Vec<(route::Net, u8)>,
}

/// What was asked for on the command line, as far as facts depend on it.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    /// Where the project goes.
    pub layout: &'a Layout,
    /// The file system there does not answer.
    pub is_silent: bool,
    /// Which engine is wanted.
    pub choice: EngineChoice,
    /// The value of `DOCKER_HOST`.
    pub docker_host: Option<String>,
    /// Application name.
    pub app: &'a str,
    /// Compose project name.
    pub project: &'a str,
}

/// `--engine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EngineChoice {
    /// The host's if usable, else install it.
    Auto,
    /// The bundled one, beside everything else.
    Private,
    /// The host's, or install it.
    System,
}

impl EngineFacts {
    /// The socket of an engine that runs.
    pub fn socket(&self) -> Option<&Path> {
        match self {
            Self::Running { socket, .. } => Some(socket),
            _ => None,
        }
    }

    /// The description of an engine that runs.
    pub fn description(&self) -> Option<&Description> {
        match self {
            Self::Running { description, .. } => Some(description),
            _ => None,
        }
    }
}

impl ProjectFacts {
    /// Where an engine of ours will keep its data: an operator's configuration of the system's engine is kept.
    pub fn data_root(&self, home: &EngineHome) -> PathBuf {
        let configured = self.configured_root.clone().filter(|_| *home == EngineHome::System);
        configured.unwrap_or_else(|| home.data_root())
    }
}

/// Where an installation of the system's engine writes beside what [`EngineHome`] names.
pub const SYSTEM_PLACES: [&str; 3] = ["/etc", "/usr/bin", crate::layout::SYSTEM_BIN];

/// Collects all facts.
pub fn collect(scope: &Scope<'_>, index: &bundle_spec::index::Index) -> Facts {
    let private = EngineHome::private(scope.layout);
    let system = engine::look_at_system(scope.docker_host.as_deref());
    let (engine, has_other_engine) = match scope.choice {
        EngineChoice::Private => {
            let own = if scope.is_silent { EngineFacts::Absent } else { engine::look_at(&private.socket()) };
            (own, !matches!(system, EngineFacts::Absent))
        }
        EngineChoice::Auto | EngineChoice::System => (system, false),
    };
    let home = if scope.choice == EngineChoice::Private { private } else { EngineHome::System };
    let project = inventory::project(scope);
    let data_root = project.data_root(&home);
    let image_root = engine.description().map_or_else(|| data_root.clone(), Description::image_root);
    let staging = engine.description().map(|description| description.staging.clone());
    let mut paths = vec![scope.layout.dir.clone(), image_root, data_root, home.bin()];
    paths.extend(staging);
    if home == EngineHome::System {
        paths.extend(SYSTEM_PLACES.map(PathBuf::from));
    }
    let of_our_engine =
        project.own_engine.as_ref().map(|home| process::all_below(&home.bin())).unwrap_or_default();
    let machine = machine::collect();
    let settings: Vec<_> = index.content.requirements.settings().map(|(name, _)| name).collect();
    Facts {
        kernel: kernel::collect(&machine.kernel, machine.is_container, &settings),
        firewall: firewall::collect(Path::new("/"), &process::names()),
        surroundings: route::collect(),
        machine,
        storage: storage::collect(&paths),
        listeners: network::listeners(&of_our_engine),
        inventory: inventory::collect(&engine, scope.project, index),
        // The system's engine makes a zone of its own in firewalld when it starts, and has it reloaded.
        access: access::collect(home == EngineHome::System && matches!(engine, EngineFacts::Absent)),
        engine,
        has_other_engine,
        project,
        compose: if index.content.engine.is_none() {
            compose::look(|path| process::following_command(path))
        } else {
            Vec::new()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_data_root_counts_for_the_systems_engine_alone() {
        let layout = Layout { dir: "/opt/shop".into() };
        let facts = ProjectFacts { configured_root: Some("/data/docker".into()), ..ProjectFacts::default() };
        assert_eq!(facts.data_root(&EngineHome::System), Path::new("/data/docker"));
        let private = EngineHome::private(&layout);
        assert_eq!(facts.data_root(&private), private.data_root());
        assert_eq!(ProjectFacts::default().data_root(&EngineHome::System), Path::new("/var/lib/docker"));
    }
}
