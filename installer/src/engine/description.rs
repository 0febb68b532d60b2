//! What kind of engine answers: told by what it says of itself, never by the name of a command.

use std::path::{Path, PathBuf};

use bollard::models::{LocalNodeState, SystemInfo, SystemVersion};
use serde::Serialize;

/// An engine's own words, boiled down to what decisions need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Description {
    /// Docker, or something in its clothes.
    pub flavour: Flavour,
    /// Version as reported.
    pub version: String,
    /// How it stores images.
    pub store: Store,
    /// Its data root (`/var/lib/docker`).
    pub root: PathBuf,
    /// Where blobs and snapshots of a containerd store lie.
    pub containerd_root: PathBuf,
    /// The way to the containerd below a containerd store, if the engine tells it (27 and later).
    pub containerd: Option<ContainerdAccess>,
    /// Where requests are staged: `DOCKER_TMPDIR`, else below the data root.
    pub staging: PathBuf,
    /// Runs without root.
    pub rootless: bool,
    /// Is a node of a swarm.
    pub is_in_swarm: bool,
    /// What may get in an application's way.
    pub quirks: Quirks,
}

/// What an engine does that may get in an application's way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quirks {
    /// It is Docker Desktop, in a virtual machine.
    pub is_desktop: bool,
    /// Users in containers are others outside.
    pub remaps_users: bool,
    /// SELinux confines its containers.
    pub uses_selinux: bool,
}

/// The way to the containerd below an engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ContainerdAccess {
    /// Its socket.
    pub socket: PathBuf,
    /// The namespace that the engine uses.
    pub namespace: String,
    /// Its snapshotter.
    pub snapshotter: String,
}

/// Docker, or something in its clothes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Flavour {
    /// Docker or Moby.
    Docker,
    /// Podman's compatible API.
    Podman,
}

/// How an engine stores images; decides in which form they are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Store {
    /// The containerd image store: keeps compressed blobs, takes OCI layouts.
    Containerd,
    /// A graph driver, `overlay2` as a rule: keeps unpacked layers only, takes docker-archives.
    GraphDriver(String),
}

impl Description {
    /// From the replies to `GET /version` and `GET /info`; what they do not tell is given.
    pub fn from_replies(
        version: &SystemVersion,
        info: &SystemInfo,
        containerd_root: &Path,
        staging: Option<PathBuf>,
    ) -> Self {
        let components = version.components.iter().flatten();
        let is_podman =
            components.into_iter().any(|component| component.name.to_lowercase().contains("podman"));
        let driver_type = info.driver_status.iter().flatten().find_map(|pair| match pair.as_slice() {
            [name, value] if name == "driver-type" => Some(value.as_str()),
            _ => None,
        });
        let store = match driver_type {
            Some("io.containerd.snapshotter.v1") => Store::Containerd,
            _ => Store::GraphDriver(info.driver.clone().unwrap_or_default()),
        };
        let has_option =
            |name: &str| info.security_options.iter().flatten().any(|option| option.contains(name));
        let (rootless, is_remapped) = (has_option("rootless"), has_option("userns"));
        let root = PathBuf::from(info.docker_root_dir.clone().unwrap_or_default());
        let containerd =
            (store == Store::Containerd && !rootless && !is_remapped).then(|| access(info)).flatten();
        Self {
            flavour: if is_podman { Flavour::Podman } else { Flavour::Docker },
            version: version.version.clone().unwrap_or_default(),
            store,
            containerd_root: containerd_root.to_owned(),
            staging: staging.unwrap_or_else(|| root.join("tmp")),
            root,
            containerd,
            rootless,
            is_in_swarm: info.swarm.as_ref().and_then(|swarm| swarm.local_node_state).is_some_and(is_node),
            quirks: Quirks {
                is_desktop: info.operating_system.as_deref() == Some("Docker Desktop"),
                remaps_users: is_remapped,
                uses_selinux: has_option("name=selinux"),
            },
        }
    }

    /// Major and minor version.
    pub fn release(&self) -> (u32, u32) {
        release(&self.version)
    }

    /// Whether the engine unpacks zstd layers: from 22.06, published as 23.0 (moby `pkg/archive`).
    pub fn takes_zstd(&self) -> bool {
        self.release() >= (22, 6)
    }

    /// Whether an image that loses its name to one that is loaded is gone. On a containerd store it is, up to 26.1 at least; 28 keeps
    /// it without a name, as graph drivers always did.
    pub fn drops_replaced_images(&self) -> bool {
        self.store == Store::Containerd && self.release() < (28, 0)
    }

    /// The directory whose file system images are written to.
    pub fn image_root(&self) -> PathBuf {
        match self.store {
            Store::Containerd => self.containerd_root.clone(),
            Store::GraphDriver(_) => self.root.clone(),
        }
    }
}

/// A node whose swarm is locked or out of reach is one all the same.
fn is_node(state: LocalNodeState) -> bool {
    !matches!(state, LocalNodeState::EMPTY | LocalNodeState::INACTIVE)
}

/// Only the overlay snapshotter: of others it is not known what their directories must look like.
fn access(info: &SystemInfo) -> Option<ContainerdAccess> {
    let containerd = info.containerd.as_ref()?;
    let namespace = containerd.namespaces.as_ref().and_then(|namespaces| namespaces.containers.clone());
    let snapshotter = info.driver.clone().filter(|driver| driver == "overlayfs")?;
    Some(ContainerdAccess {
        socket: containerd.address.as_deref().filter(|path| path.starts_with('/'))?.into(),
        namespace: namespace.unwrap_or_else(|| "moby".to_owned()),
        snapshotter,
    })
}

/// Major and minor number of a version such as `20.10.24+dfsg1`.
pub fn release(version: &str) -> (u32, u32) {
    let mut numbers = version.split(['.', '-', '+', '~']).map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{is_node, release};

    #[test]
    fn a_node_is_one_even_when_its_swarm_is_not_at_hand() {
        let is = |state: &str| is_node(state.parse().unwrap());
        for state in ["active", "pending", "locked", "error"] {
            assert!(is(state), "{state}");
        }
        assert!(!is("inactive") && !is(""));
    }

    #[test]
    fn versions_of_all_sorts_are_read() {
        for (text, expected) in [
            ("20.10.24+dfsg1", (20, 10)),
            ("28.5.2", (28, 5)),
            ("29.0.0-rc.1", (29, 0)),
            ("", (0, 0)),
            ("dev", (0, 0)),
        ] {
            assert_eq!(release(text), expected, "{text}");
        }
    }
}
