//! What the packer needs to know from an image's config.

use bundle_spec::digest::Digest;
use serde::Deserialize;

/// The few fields that matter. The config itself is kept byte for byte, so a field that is odd elsewhere in it must not
/// keep an image from being packed; that is why this is no full type of the OCI specification.
#[derive(Clone, Debug, Deserialize)]
pub struct ConfigFacts {
    /// For instance `amd64`.
    pub architecture: String,
    /// For instance `v8`.
    pub variant: Option<String>,
    /// For instance `linux`.
    pub os: String,
    /// When the image was made (RFC 3339).
    pub created: Option<String>,
    rootfs: RootFs,
}

#[derive(Clone, Debug, Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

impl ConfigFacts {
    /// The diff IDs, from the bottom.
    pub fn diff_ids(&self) -> &[Digest] {
        self.rootfs.diff_ids.as_deref().unwrap_or_default()
    }

    /// `linux/amd64` and the like.
    pub fn platform(&self) -> String {
        match self.variant.as_deref().filter(|variant| !variant.is_empty()) {
            Some(variant) => format!("{}/{}/{variant}", self.os, self.architecture),
            None => format!("{}/{}", self.os, self.architecture),
        }
    }
}
