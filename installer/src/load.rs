//! Images into the engine: what is missing and in which requests it is brought (`plan`), in which order they run (`run`, with
//! `board` deciding what goes on beside what, and `ahead` reading before them), and the ways of bringing: through `docker load`
//! (`docker`, whose tar `stream` composes) or straight into containerd's store (`snapshot`). Every way ends with the proof that
//! the image is there (`docker`). What lost its name to a new image goes when the project has started (`replaced`),
//! and a name that was somebody's before goes back to it when ours are removed (`names`); what dead runs hold in containerd is let go (`leases`).

use bundle_spec::digest::Digest;
use serde::Serialize;

mod ahead;
mod board;
pub mod docker;
pub mod forgotten;
pub mod leases;
pub mod names;
pub mod plan;
pub mod prefix;
pub mod replaced;
pub mod run;
pub mod snapshot;
pub mod stream;

/// In which form images travel; chosen by what the engine can take, not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// docker-archive with plain layers: engines before 23.0.
    DockerPlain,
    /// docker-archive with the stored zstd layers.
    DockerZstd,
    /// OCI layout with the stored zstd layers: a containerd image store behind the Docker API.
    Oci,
    /// Stored blobs and unpacked layers straight into containerd's store; the Docker API only gives the names.
    Snapshots,
}

/// How much is presumed of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// That it keeps what it has, and takes images layer by layer.
    Usual,
    /// Nothing: whole images through `docker load`. For the second attempt.
    Nothing,
}

/// What has to be brought, and what that takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadPlan {
    /// The form.
    pub form: Form,
    /// Numbers of the images that are not complete, in the order of the bundle.
    pub images: Vec<usize>,
    /// What brings them. Each names those that must be done before.
    pub requests: Vec<Request>,
    /// Bytes of stored layers that are read from the bundle.
    pub read_bytes: u64,
    /// Bytes that stay in the engine's image store.
    pub kept_bytes: u64,
    /// Inodes that stay there.
    pub kept_inodes: u64,
    /// Most bytes that lie in the engine's temporary directory at one time.
    pub staged_bytes: u64,
    /// Most bytes of decompression windows that the installer itself needs at one time.
    pub memory_bytes: u64,
}

/// One request: some layers of an image, its name, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Number of the image in the bundle.
    pub image: usize,
    /// Numbers of the layers that travel, from the bottom.
    pub layers: Vec<usize>,
    /// How many of the image's layers are there afterwards.
    pub depth: usize,
    /// Whether it completes the image, under its name.
    pub names: bool,
    /// Positions of the requests that must be done before.
    pub after: Vec<usize>,
    /// Bytes of stored layers that it reads.
    pub read_bytes: u64,
    /// Bytes that it puts into the engine's temporary directory.
    pub staged_bytes: u64,
    /// Bytes of the decompression window that it needs in the installer.
    pub memory_bytes: u64,
}

/// What an engine has of a bundle's images.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Chain IDs of unpacked layers.
    pub chains: std::collections::HashSet<Digest>,
    /// Stored blobs.
    pub blobs: std::collections::HashSet<Digest>,
}

/// Most requests that the engine works on at the same time. Three were fastest on two cores; more only share the same disk.
pub const PARALLEL: usize = 3;

/// Most bytes of decompression windows at the same time: one of the largest, and a few small ones. With all else that both
/// processes need, this stays below 192 MB.
pub const WINDOWS: u64 = 148 << 20;
