//! Image archives made from nothing: layers as tars, and the layouts in which engines and tools write them.

use std::io::Write;
use std::path::Path;

use bundle_spec::digest::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

/// An image of which only names, layers and architecture matter.
#[derive(Clone, Debug)]
pub struct TestImage {
    pub name: &'static str,
    pub layers: Vec<Vec<u8>>,
    pub architecture: &'static str,
}

impl TestImage {
    pub fn new(name: &'static str, layers: &[&[u8]]) -> Self {
        Self { name, layers: layers.iter().map(|layer| layer.to_vec()).collect(), architecture: "amd64" }
    }

    pub fn config(&self) -> Vec<u8> {
        let diff_ids: Vec<_> = self.layers.iter().map(|layer| Digest::of(layer).to_string()).collect();
        // Odd fields on purpose: a config is kept as it is, whatever else is in it.
        let config = json!({
            "architecture": self.architecture, "os": "linux", "created": "2024-05-01T00:00:00.5Z",
            "config": { "Cmd": ["/bin/x"], "ExposedPorts": null, "Odd": 1 },
            "rootfs": { "type": "layers", "diff_ids": diff_ids },
        });
        config.to_string().into_bytes()
    }
}

/// Two images that share their base.
pub fn two_images() -> Vec<TestImage> {
    let base = layer(&[("bin/x", &noise(300_000)), ("etc/motd", b"hello")]);
    let (one, two) = (layer(&[("app/one", &[b'1'; 70_000])]), layer(&[("app/two", &[b'2'; 70_000])]));
    vec![TestImage::new("demo/one:1.0", &[&base, &one]), TestImage::new("demo/two:1.0", &[&base, &two])]
}

/// A layer with these files in one folder.
pub fn layer(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        append(&mut builder, name, content);
    }
    builder.into_inner().unwrap()
}

/// Bytes that do not compress, the same each time.
pub fn noise(len: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..len).map(step).collect()
}

fn append(builder: &mut tar::Builder<impl Write>, name: &str, content: &[u8]) {
    let mut header = tar::Header::new_gnu();
    header.set_size(content.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, name, content).unwrap();
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// `docker save` of an engine before 25: a folder for each layer, and links where images share one.
pub fn docker_archive(images: &[TestImage]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut manifest = Vec::new();
    let mut first_place = std::collections::HashMap::new();
    for (number, image) in images.iter().enumerate() {
        let config = image.config();
        let config_name = format!("{}.json", Digest::of(&config).hex());
        append(&mut builder, &config_name, &config);
        let mut paths = Vec::new();
        for (depth, layer) in image.layers.iter().enumerate() {
            let path = format!("{number}-{depth}/layer.tar");
            match first_place.get(&Digest::of(layer)) {
                None => {
                    append(&mut builder, &path, layer);
                    first_place.insert(Digest::of(layer), path.clone());
                }
                Some(there) => {
                    let mut header = tar::Header::new_gnu();
                    header.set_entry_type(tar::EntryType::Symlink);
                    header.set_size(0);
                    builder.append_link(&mut header, &path, format!("../{there}")).unwrap();
                }
            }
            paths.push(path);
        }
        manifest.push(json!({ "Config": config_name, "RepoTags": [image.name], "Layers": paths }));
    }
    append(&mut builder, "manifest.json", Value::from(manifest).to_string().as_bytes());
    builder.into_inner().unwrap()
}

/// How an OCI layout names and compresses what is in it.
#[derive(Clone, Copy, Debug)]
pub struct OciStyle {
    pub gzip_layers: bool,
    pub nested_index: bool,
    pub annotation: Option<&'static str>,
}

/// An OCI layout as a directory.
pub fn oci_layout(folder: &Path, images: &[TestImage], style: OciStyle) {
    let blobs = folder.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |media: &str, bytes: &[u8]| {
        let digest = Digest::of(bytes);
        std::fs::write(blobs.join(digest.hex()), bytes).unwrap();
        json!({ "mediaType": media, "digest": digest.to_string(), "size": bytes.len() })
    };
    let mut entries = Vec::new();
    for image in images {
        let layers: Vec<_> = image
            .layers
            .iter()
            .map(|layer| match style.gzip_layers {
                true => put("application/vnd.oci.image.layer.v1.tar+gzip", &gzip(layer)),
                false => put("application/vnd.oci.image.layer.v1.tar", layer),
            })
            .collect();
        let config = put("application/vnd.oci.image.config.v1+json", &image.config());
        let manifest = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers });
        let mut entry = put("application/vnd.oci.image.manifest.v1+json", manifest.to_string().as_bytes());
        if style.nested_index {
            entry["platform"] = json!({ "os": "linux", "architecture": image.architecture });
            let mut attestation = put("application/vnd.oci.image.manifest.v1+json", b"{}");
            attestation["platform"] = json!({ "os": "unknown", "architecture": "unknown" });
            let index = json!({ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [attestation, entry] });
            entry = put("application/vnd.oci.image.index.v1+json", index.to_string().as_bytes());
        }
        if let Some(annotation) = style.annotation {
            entry["annotations"] = json!({ annotation: image.name });
        }
        entries.push(entry);
    }
    let index = json!({ "schemaVersion": 2, "manifests": entries });
    std::fs::write(folder.join("index.json"), index.to_string()).unwrap();
    std::fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}

/// A definition that takes these images from this path.
pub fn listing(images: &[&str], path: &str) -> String {
    let image =
        |name: &&str| format!("[[image]]\nreference = \"{name}\"\nsource = \"archive\"\npath = \"{path}\"\n");
    images.iter().map(image).collect()
}
