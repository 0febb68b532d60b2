//! OCI documents that the packer writes: image manifests in a bundle, and the index of an exported layout.

use std::collections::HashMap;

use bundle_spec::digest::Digest;
use bundle_spec::project::Image;
use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, Descriptor, DescriptorBuilder, ImageIndexBuilder, ImageManifestBuilder, MediaType, Os,
    PlatformBuilder, SCHEMA_VERSION, Sha256Digest,
};

/// The manifest of an image, given digest and length of its config and its compressed layers.
pub fn render(
    config: (Digest, u64),
    layers: impl Iterator<Item = (Digest, u64)>,
) -> Result<Vec<u8>, OciSpecError> {
    let config = descriptor(MediaType::ImageConfig, config)?;
    let layers =
        layers.map(|layer| descriptor(MediaType::ImageLayerZstd, layer)).collect::<Result<Vec<_>, _>>()?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(config)
        .layers(layers)
        .build()?;
    Ok(manifest.to_string()?.into_bytes())
}

/// `index.json` of a layout with these images, each under its name as containerd and as OCI tools look for it.
pub fn render_index(images: &[Image]) -> Result<Vec<u8>, OciSpecError> {
    let entries = images.iter().map(entry).collect::<Result<Vec<_>, _>>()?;
    let index = ImageIndexBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageIndex)
        .manifests(entries)
        .build()?;
    // By way of a sorted map: annotations have no order of their own, and the same images shall make the same bytes.
    Ok(serde_json::to_value(&index)?.to_string().into_bytes())
}

fn entry(image: &Image) -> Result<Descriptor, OciSpecError> {
    let mut parts = image.platform.splitn(3, '/');
    let (os, arch) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let mut platform = PlatformBuilder::default().os(Os::from(os)).architecture(Arch::from(arch));
    if let Some(variant) = parts.next() {
        platform = platform.variant(variant);
    }
    let annotations = HashMap::from([
        ("io.containerd.image.name".to_owned(), image.reference.full()),
        ("org.opencontainers.image.ref.name".to_owned(), image.reference.to_string()),
    ]);
    DescriptorBuilder::default()
        .media_type(MediaType::ImageManifest)
        .digest(sha256(&image.manifest)?)
        .size(image.manifest_len)
        .platform(platform.build()?)
        .annotations(annotations)
        .build()
}

fn descriptor(media_type: MediaType, (digest, len): (Digest, u64)) -> Result<Descriptor, OciSpecError> {
    Ok(Descriptor::new(media_type, len, sha256(&digest)?))
}

fn sha256(digest: &Digest) -> Result<Sha256Digest, OciSpecError> {
    digest.hex().parse()
}
