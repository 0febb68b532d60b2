//! Images on the vendor's side: where they are, what their configs say, which layers they have. Bytes are moved by
//! `assemble`; how a bundle stores images is the business of `bundle-spec`.

pub mod archive;
pub mod compression;
pub mod config;
pub mod engine;
pub mod layer;
pub mod library;
pub mod tar_index;
pub mod tree;

use std::rc::Rc;

use bundle_spec::digest::Digest;
use bundle_spec::reference::ImageReference;

use self::config::ConfigFacts;
use self::tree::Tree;

/// One image that was found, with everything but its layers' bytes.
#[derive(Clone, Debug)]
pub struct SourceImage {
    /// The name under which it is packed.
    pub reference: ImageReference,
    /// Its config, byte for byte.
    pub config: Vec<u8>,
    /// What the config says.
    pub facts: ConfigFacts,
    /// Its layers, from the bottom.
    pub layers: Vec<SourceLayer>,
    /// What it was found in, for people.
    pub origin: String,
}

/// One layer where it was found.
#[derive(Clone, Debug)]
pub struct SourceLayer {
    /// Digest of the uncompressed tar, as the config says.
    pub diff_id: Digest,
    /// Length as stored in the source, in bytes.
    pub stored_len: u64,
    /// What holds it.
    pub tree: Rc<Tree>,
    /// Where in there.
    pub path: String,
}

/// The architecture's name in image configs, for one that `uname -m` says.
#[must_use]
pub fn oci_arch(machine: &str) -> &str {
    match machine {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}
