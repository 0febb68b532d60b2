//! The index: one JSON document that says what everything in a bundle is, where it lies, and its digest.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::project::{Action, App, Check, EngineParts, Image, Link, Project, Requirements, Tls};
use crate::question::Question;
use crate::value::Value;

/// Everything that a reader needs to know; unknown fields are ignored, so that a newer minor version may add some.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// What the bundle says.
    pub content: Content,
    /// Where things lie.
    pub place: Place,
}

/// The part of the index that the packer decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// The packer that wrote it, for instance `airlift 0.1.0`.
    pub packed_by: String,
    /// Seconds since 1970: `SOURCE_DATE_EPOCH`, or when the newest image was created. Never the clock: same inputs, same bytes.
    pub created: u64,
    /// Which application this is.
    pub app: App,
    /// Its Compose project.
    pub project: Project,
    /// Its images.
    pub images: Vec<Image>,
    /// The engine, if one is carried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<EngineParts>,
    /// What the operator is asked.
    #[serde(default)]
    pub questions: Vec<Question>,
    /// What follows from the answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
    /// What the host must offer.
    pub requirements: Requirements,
    /// What proves it healthy.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// What to show at the end.
    #[serde(default)]
    pub links: Vec<Link>,
    /// What runs inside services once they are healthy, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Action>,
    /// Where a certificate goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// TCP ports that other machines use: numbers, or `{question}` for an answer. Opened in the host's firewall on request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub public_ports: Vec<String>,
    /// What a reader must know to use this file, see [`crate::feature`]. A reader refuses a name that it does not know.
    #[serde(default)]
    pub features: Vec<String>,
}

/// The part of the index that the writer keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Length of the launcher in bytes; it starts at 0.
    pub launcher_len: u64,
    /// Installer stubs, one for each architecture.
    pub stubs: Vec<Stub>,
    /// Blobs, in the order in which they lie.
    pub blobs: Vec<Blob>,
    /// One digest for each stretch of [`crate::layout::STRETCH_LEN`] bytes from 0 to the index, hex digits only.
    pub stretches: Vec<StretchDigest>,
}

/// One installer stub.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stub {
    /// Architecture as `uname -m` says.
    pub arch: String,
    /// First byte.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
    /// Digest of its bytes.
    pub digest: Digest,
}

/// One stored blob.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// Digest of the stored bytes.
    pub digest: Digest,
    /// First byte.
    pub offset: u64,
    /// Length in bytes.
    pub len: u64,
}

/// A digest written as 64 hex digits, since there are thousands of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StretchDigest(pub Digest);

impl TryFrom<String> for StretchDigest {
    type Error = crate::digest::InvalidDigest;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Digest::from_hex(&text).map(Self)
    }
}

impl From<StretchDigest> for String {
    fn from(digest: StretchDigest) -> Self {
        digest.0.hex()
    }
}

/// How many parts of a damaged stretch are named.
pub const PARTS_MAX: usize = 8;

impl Index {
    /// The blob with this digest.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> Option<&Blob> {
        self.place.blobs.iter().find(|blob| blob.digest == *digest)
    }

    /// What lies at bytes `start..end`, for people: at most [`PARTS_MAX`] names, and how many more there are.
    #[must_use]
    pub fn parts_in(&self, start: u64, end: u64) -> Vec<String> {
        let overlaps = |offset: u64, len: u64| offset < end && start < offset + len;
        let mut parts = Vec::new();
        if overlaps(0, self.place.launcher_len) {
            parts.push("launcher".to_owned());
        }
        for stub in self.place.stubs.iter().filter(|stub| overlaps(stub.offset, stub.len)) {
            parts.push(format!("installer for {}", stub.arch));
        }
        // A file may have as many blobs as it likes: each is looked up only while there is room for its name.
        let mut blobs = self.place.blobs.iter().filter(|blob| overlaps(blob.offset, blob.len));
        while parts.len() < PARTS_MAX
            && let Some(blob) = blobs.next()
        {
            let name = self.content.name_of(&blob.digest);
            if !parts.contains(&name) {
                parts.push(name);
            }
        }
        match blobs.count() {
            0 => {}
            more => parts.push(format!("and {more} more")),
        }
        parts
    }
}

impl Content {
    /// What a blob is, for people.
    #[must_use]
    pub fn name_of(&self, digest: &Digest) -> String {
        for image in &self.images {
            if image.layers.iter().any(|layer| layer.blob == *digest) {
                return format!("a layer of {}", image.reference);
            }
            if image.manifest == *digest || image.config == *digest {
                return format!("the description of {}", image.reference);
            }
        }
        if let Some(engine) = &self.engine {
            if engine.archive == *digest {
                return "the engine".to_owned();
            }
            if engine.compose == *digest {
                return "the Compose plugin".to_owned();
            }
        }
        match self.project.files.iter().find(|file| file.blob == *digest) {
            Some(file) => format!("project file {}", file.path),
            None => format!("blob {}", digest.short()),
        }
    }

    /// Every digest that the content refers to.
    pub fn references(&self) -> impl Iterator<Item = Digest> + '_ {
        let images = self.images.iter().flat_map(|image| {
            [image.manifest, image.config].into_iter().chain(image.layers.iter().map(|layer| layer.blob))
        });
        let files = self.project.files.iter().map(|file| file.blob);
        let engine = self.engine.iter().flat_map(|engine| [engine.archive, engine.compose]);
        images.chain(files).chain(engine)
    }
}
