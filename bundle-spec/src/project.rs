//! What is in a bundle besides images: the application's identity, its project files and what it asks of a host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::path::ProjectPath;
use crate::question::QuestionId;
use crate::reference::ImageReference;

/// A text in the two languages of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Localized {
    /// Simplified Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

/// Which application this is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Machine name: lower-case letters, digits and `-`; names the project directory and `<name>ctl`.
    pub name: String,
    /// Version, free of spaces and slashes.
    pub version: String,
    /// What people call it.
    pub title: Localized,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
}

/// The Compose project as it is written to the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// Fixed Compose project name.
    pub name: String,
    /// The Compose file among [`Project::files`].
    pub compose_file: ProjectPath,
    /// Compose profiles that are switched on.
    #[serde(default)]
    pub profiles: Vec<String>,
    /// Service names in the order of the Compose file, for display and health.
    #[serde(default)]
    pub services: Vec<String>,
    /// All files, the Compose file included.
    pub files: Vec<ProjectFile>,
    /// Directories that are made with mode and owner before the start.
    #[serde(default)]
    pub directories: Vec<Directory>,
    /// What it will take up in an engine.
    #[serde(default)]
    pub footprint: Footprint,
}

/// What a project takes up in an engine, as far as Compose could say when it was packed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Footprint {
    /// Names that the Compose file fixes for containers: an engine has each only once.
    #[serde(default)]
    pub container_names: Vec<String>,
    /// How many networks Compose will make, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub networks: Option<u32>,
    /// IPv4 networks that the Compose file fixes, as `address/length`.
    #[serde(default)]
    pub subnets: Vec<String>,
}

/// One file of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFile {
    /// Where it goes.
    pub path: ProjectPath,
    /// Blob with its content (zstd).
    pub blob: Digest,
    /// Length of the content in bytes.
    pub len: u64,
    /// Permission bits.
    pub mode: u32,
    /// Answers are filled in before it is written ([`crate::template`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub template: bool,
    /// Numeric user and group; root where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<(u32, u32)>,
}

/// One directory of the project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Directory {
    /// Where it goes.
    pub path: ProjectPath,
    /// Permission bits.
    pub mode: u32,
    /// Numeric owner.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
}

/// One image: its names, its identity on either kind of store, its layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// The name under which it is loaded.
    pub reference: ImageReference,
    /// `linux/amd64` and the like, from the image's config.
    pub platform: String,
    /// Blob with the OCI manifest; its digest is the image's ID on a containerd image store.
    pub manifest: Digest,
    /// Length of the manifest in bytes.
    pub manifest_len: u64,
    /// Blob with the config; its digest is the image's ID on a graph driver store.
    pub config: Digest,
    /// Layers from the bottom.
    pub layers: Vec<Layer>,
}

impl Image {
    /// The diff IDs of the layers, from the bottom: an image's identity on every store.
    #[must_use]
    pub fn diff_ids(&self) -> Vec<Digest> {
        self.layers.iter().map(|layer| layer.diff_id).collect()
    }
}

/// One layer of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Digest of the uncompressed tar.
    pub diff_id: Digest,
    /// Blob with the zstd-compressed tar.
    pub blob: Digest,
    /// Length of that blob in bytes.
    pub stored_len: u64,
    /// Length of the uncompressed tar in bytes.
    pub tar_len: u64,
    /// Bytes of file content when unpacked.
    pub unpacked_len: u64,
    /// Number of files, directories and links when unpacked: the inodes it costs.
    pub entries: u64,
}

/// The engine that the bundle carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineParts {
    /// Version that the static archive's `dockerd` reports, where it could be found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Blob with the static archive as a zstd-compressed tar.
    pub archive: Digest,
    /// Bytes of the binaries when unpacked.
    pub archive_unpacked_len: u64,
    /// Blob with the Compose plugin (zstd).
    pub compose: Digest,
    /// Length of the Compose plugin in bytes.
    pub compose_len: u64,
}

/// What a host must offer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirements {
    /// Processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u32>,
    /// Memory in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Free disk for the application's own data in bytes, beside what images and engine need.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk: Option<u64>,
    /// TCP ports that must be free: numbers, or `{question}` for an answer.
    #[serde(default)]
    pub ports: Vec<String>,
    /// Lowest kernel version, `major.minor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kernel: Option<String>,
    /// Architecture as `uname -m` says, for instance `x86_64`.
    pub arch: String,
    /// What the processor must be able to do: a level such as `x86-64-v3`, or flags as `/proc/cpuinfo` names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cpu: Vec<String>,
    /// Kernel settings and the least that they must be: `vm.max_map_count=262144`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sysctls: Vec<String>,
}

impl Requirements {
    /// The kernel settings by name, with the least that each must be; see [`setting`].
    pub fn settings(&self) -> impl Iterator<Item = (&str, u64)> {
        self.sysctls.iter().filter_map(|text| setting(text))
    }
}

/// Name and least value of a kernel setting, from `name=number`.
#[must_use]
pub fn setting(text: &str) -> Option<(&str, u64)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let is_part = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "_-".contains(c))
    };
    name.contains('.').then_some(())?;
    name.split('.').all(is_part).then_some((name, value.parse().ok()?))
}

/// A check that proves the application healthy from outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What programs call it, and people where there is no title.
    pub name: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized>,
    /// `http://` URL; `{question}` stands for an answer.
    pub url: String,
    /// Expected HTTP status.
    pub status: u16,
    /// Text that the body must contain; `{question}` stands for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// How long it may take to become true after the start, in seconds.
    pub timeout: u64,
}

/// A command that runs inside a service once the application is healthy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// Machine name; the receipt knows the action by it.
    pub name: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized>,
    /// In which service.
    pub service: String,
    /// Program and arguments. Everybody on the machine can see them: no answer goes in here.
    pub command: Vec<String>,
    /// As which user; the container's where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The answer that is written to its standard input, with a line feed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<QuestionId>,
    /// Answers that it gets as environment variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, QuestionId>,
    /// How often.
    #[serde(default)]
    pub run: ActionRun,
    /// How long it may take, in seconds.
    pub timeout: u64,
}

/// How often an action runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionRun {
    /// Once for each bundle file: at the installation, and after each upgrade.
    Bundle,
    /// Whenever an answer that it gets has changed.
    Change,
    /// Once in the life of an installation.
    #[default]
    Once,
}

/// Where the certificate goes, if the operator wants TLS. The answers to the built-in questions say which one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tls {
    /// File with the certificate and its chain, PEM.
    pub certificate: ProjectPath,
    /// File with the private key, PEM.
    pub key: ProjectPath,
    /// The question or value that gives the host, or the URL, that browsers use; several with commas or spaces between.
    pub host: QuestionId,
    /// Numeric user and group of both files; root where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<(u32, u32)>,
}

/// A link to show at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// What it leads to.
    pub title: Localized,
    /// URL; `{question}` stands for an answer.
    pub url: String,
}
