//! Images into the engine: which layers are missing (`plan`), in which form they travel (`stream`), and the proof that they
//! arrived (`run`).

use bundle_spec::reference::ImageReference;
use serde::Serialize;

pub mod plan;
pub mod run;
pub mod stream;

/// In which form images travel; chosen by what the engine can take, not by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// docker-archive with plain layers: engines before 23.0.
    DockerPlain,
    /// docker-archive with the stored zstd layers.
    DockerZstd,
    /// OCI layout with the stored zstd layers: the containerd image store.
    Oci,
}

/// What has to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LoadPlan {
    /// The form.
    pub form: Form,
    /// Images that are not complete, in the order of the bundle.
    pub loads: Vec<ImageLoad>,
    /// Groups of [`LoadPlan::loads`] that may travel at the same time: no two of a group wait for the same layer.
    pub waves: Vec<Vec<usize>>,
    /// Bytes that will be sent.
    pub send_bytes: u64,
    /// Bytes of disk that the engine will need at the peak.
    pub disk_bytes: u64,
    /// Inodes that it will need.
    pub disk_inodes: u64,
}

/// One image that has to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ImageLoad {
    /// Its number in the bundle.
    pub image: usize,
    /// Its name.
    pub reference: ImageReference,
    /// For each layer from the bottom: whether it travels. What the engine has is left out.
    pub send: Vec<bool>,
}

/// Most requests at the same time. Three were fastest on two cores; more only share the same disk.
pub const PARALLEL: usize = 3;
