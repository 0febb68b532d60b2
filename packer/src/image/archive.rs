//! Image archives: `docker save` tars of any age, OCI archives, OCI layout directories.
//! Lists what is in them; layers are only located, not read.

use std::collections::HashMap;
use std::rc::Rc;

use bundle_spec::reference::ImageReference;
use oci_spec::image::{Descriptor, ImageIndex, ImageManifest, MediaType};
use serde::Deserialize;

use crate::image::config::ConfigFacts;
use crate::image::tree::Tree;
use crate::image::{SourceImage, SourceLayer, oci_arch};
use crate::outcome::{Explain, Failure, Outcome};

/// Longest manifest, index or config, in bytes; registries allow 4 MiB.
const DOCUMENT_MAX: u64 = 16 << 20;

/// Annotations that carry a name: containerd's is complete, OCI's often only a tag.
const NAME_ANNOTATIONS: [&str; 2] = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

/// An opened archive and the images that it says it has.
#[derive(Debug)]
pub struct Archive {
    tree: Rc<Tree>,
    images: Vec<Listed>,
}

/// One image as an archive lists it.
#[derive(Clone, Debug)]
struct Listed {
    names: Vec<String>,
    place: ListedPlace,
}

#[derive(Clone, Debug)]
enum ListedPlace {
    /// `manifest.json` names config and layers.
    Docker { config: String, layers: Vec<String> },
    /// A manifest or an index, to be read when the image is wanted.
    Oci(Box<Descriptor>),
}

/// One entry of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DockerManifest {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

impl Archive {
    /// Lists what `tree` has.
    pub fn of(tree: Tree) -> Outcome<Self> {
        let mut images = Vec::new();
        if tree.has("manifest.json") {
            let bytes = tree.read("manifest.json", DOCUMENT_MAX)?;
            let manifests: Vec<DockerManifest> = serde_json::from_slice(&bytes)
                .explain(|| format!("manifest.json in {} is not readable", tree.name()))?;
            images.extend(manifests.into_iter().map(|manifest| Listed {
                names: manifest.repo_tags.unwrap_or_default(),
                place: ListedPlace::Docker { config: manifest.config, layers: manifest.layers },
            }));
        }
        if tree.has("index.json") {
            let bytes = tree.read("index.json", DOCUMENT_MAX)?;
            let index = ImageIndex::from_reader(&bytes[..])
                .explain(|| format!("index.json in {} is not readable", tree.name()))?;
            images.extend(index.manifests().iter().map(listed));
        }
        if images.is_empty() {
            let none = Failure::new(format!("{} has no images", tree.name()))
                .because("there is neither a manifest.json nor an index.json that lists any")
                .hint("make it with `docker save`, or give an OCI archive or OCI layout");
            return Err(tree.lacking(none));
        }
        Ok(Self { tree: Rc::new(tree), images })
    }

    /// The complete names of all images.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.images.iter().flat_map(|listed| listed.names.iter().cloned()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Finds an image for a machine of architecture `machine`. Nothing is an answer too.
    pub fn find(&self, reference: &ImageReference, machine: &str) -> Outcome<Option<SourceImage>> {
        let Some(listed) = self.listed(reference) else { return Ok(None) };
        let (config, layers) = match &listed.place {
            ListedPlace::Docker { config, layers } => (config.clone(), layers.clone()),
            ListedPlace::Oci(descriptor) => self.resolve(reference, descriptor, machine)?,
        };
        self.image(reference, &config, layers).map(Some)
    }

    /// By its name; or by its tag, or as the only image there is, when the archive has no complete names.
    fn listed(&self, reference: &ImageReference) -> Option<&Listed> {
        let by_name = |listed: &&Listed| {
            listed.names.iter().any(|name| ImageReference::parse(name).is_ok_and(|name| name == *reference))
        };
        if let Some(listed) = self.images.iter().find(by_name) {
            return Some(listed);
        }
        let only_tags = |listed: &&Listed| listed.names.iter().all(|name| !name.contains(['/', ':']));
        let mut nameless = self.images.iter().filter(only_tags);
        match (nameless.next(), nameless.next()) {
            (Some(only), None) if self.images.len() == 1 => (only.names.is_empty()
                || only.names.iter().any(|name| name == reference.tag()))
            .then_some(only),
            _ => None,
        }
    }

    /// Follows a descriptor to config and layers, through an index to the wanted architecture if need be.
    fn resolve(
        &self,
        reference: &ImageReference,
        descriptor: &Descriptor,
        machine: &str,
    ) -> Outcome<(String, Vec<String>)> {
        let path = blob_path(descriptor);
        let bytes = self.tree.read(&path, DOCUMENT_MAX)?;
        let unreadable = || format!("the description of {reference} in {} is not readable", self.tree.name());
        let is_index = match descriptor.media_type() {
            MediaType::ImageIndex => true,
            MediaType::Other(other) => other.contains("manifest.list"),
            _ => false,
        };
        if !is_index {
            let manifest = ImageManifest::from_reader(&bytes[..]).explain(unreadable)?;
            let layers = manifest.layers().iter().map(blob_path).collect();
            return Ok((blob_path(manifest.config()), layers));
        }
        let index = ImageIndex::from_reader(&bytes[..]).explain(unreadable)?;
        let wanted = oci_arch(machine);
        let platforms: HashMap<String, &Descriptor> = index
            .manifests()
            .iter()
            .filter_map(|child| {
                let platform = child.platform().as_ref()?;
                Some((format!("{}/{}", platform.os(), platform.architecture()), child))
            })
            .collect();
        match (platforms.get(&format!("linux/{wanted}")), &index.manifests()[..]) {
            (Some(child), _) => self.resolve(reference, child, machine),
            (None, [only]) if only.platform().is_none() => self.resolve(reference, only, machine),
            _ => {
                let mut there: Vec<_> = platforms.keys().map(String::as_str).collect();
                there.sort_unstable();
                Err(Failure::usage(format!(
                    "{reference} in {} is not there for linux/{wanted}",
                    self.tree.name()
                ))
                .because(format!("it is there for {}", there.join(", ")))
                .hint(format!("save it again with `docker pull --platform linux/{wanted}` before")))
            }
        }
    }

    fn image(&self, reference: &ImageReference, config: &str, layers: Vec<String>) -> Outcome<SourceImage> {
        let origin = self.tree.name();
        let config = self.tree.read(config, DOCUMENT_MAX)?;
        let facts: ConfigFacts = serde_json::from_slice(&config)
            .explain(|| format!("the config of {reference} in {origin} is not readable"))?;
        if facts.diff_ids().len() != layers.len() || layers.is_empty() {
            return Err(Failure::new(format!("{reference} in {origin} is not consistent")).because(format!(
                "its config names {} layers, its manifest {}",
                facts.diff_ids().len(),
                layers.len()
            )));
        }
        let layer = |(diff_id, path): (&_, String)| {
            let stored_len = self.tree.reader(&path)?.1;
            Ok(SourceLayer { diff_id: *diff_id, stored_len, tree: Rc::clone(&self.tree), path })
        };
        let layers = facts.diff_ids().iter().zip(layers).map(layer).collect::<Outcome<_>>()?;
        Ok(SourceImage { reference: reference.clone(), config, facts, layers, origin })
    }
}

fn listed(descriptor: &Descriptor) -> Listed {
    let annotations = descriptor.annotations().iter().flatten();
    let mut names: Vec<_> = annotations
        .filter(|(key, _)| NAME_ANNOTATIONS.contains(&key.as_str()))
        .map(|(_, name)| name.clone())
        .collect();
    names.sort();
    // A bare tag beside a complete name would be taken for the name of an image.
    if names.iter().any(|name| name.contains(['/', ':'])) {
        names.retain(|name| name.contains(['/', ':']));
    }
    Listed { names, place: ListedPlace::Oci(Box::new(descriptor.clone())) }
}

fn blob_path(descriptor: &Descriptor) -> String {
    format!("blobs/{}", descriptor.digest().to_string().replacen(':', "/", 1))
}
