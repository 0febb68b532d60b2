//! Small real images, the same bytes on every run: a shared layer with busybox, and layers of one's own above it.

use std::fs;
use std::path::Path;

use bundle_spec::digest::Digest;
use serde_json::{Value, json};

use crate::parts;

const DATE: u64 = 1_700_000_000;
const APPLETS: [&str; 14] = [
    "sh", "httpd", "wget", "sleep", "cat", "ls", "id", "env", "true", "false", "chmod", "mkdir", "touch",
    "nc",
];

/// An image of a few megabytes.
#[derive(Clone, Debug)]
pub struct Image {
    /// The name it is saved under.
    pub reference: String,
    /// Its layers as tars, from the bottom.
    pub layers: Vec<Vec<u8>>,
    /// What it runs.
    pub command: Vec<String>,
    /// The architecture it says it is for.
    pub architecture: String,
}

impl Image {
    /// An image of these layers.
    #[must_use]
    pub fn new(reference: &str, layers: Vec<Vec<u8>>, command: &[&str]) -> Self {
        let command = command.iter().map(|&word| word.to_owned()).collect();
        Self { reference: reference.to_owned(), layers, command, architecture: "amd64".to_owned() }
    }

    /// The diff IDs of its layers, from the bottom.
    #[must_use]
    pub fn diff_ids(&self) -> Vec<String> {
        self.layers.iter().map(|layer| Digest::of(layer).to_string()).collect()
    }

    /// Its config as stored.
    ///
    /// # Panics
    /// Never: a JSON value can be written.
    #[must_use]
    pub fn config(&self) -> Vec<u8> {
        let date = "2023-11-14T22:13:20Z";
        let history: Vec<Value> =
            self.layers.iter().map(|_| json!({"created": date, "created_by": "airlift tests"})).collect();
        let config = json!({
            "architecture": self.architecture,
            "os": "linux",
            "created": date,
            "config": {"Cmd": self.command, "Env": ["PATH=/bin"], "WorkingDir": "/"},
            "history": history,
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids()},
        });
        serde_json::to_vec(&config).unwrap()
    }
}

/// The layer that all images here share.
#[must_use]
pub fn base() -> Vec<u8> {
    let busybox = fs::read(parts::busybox()).unwrap();
    let mut layer = Layer::default();
    layer.folder("bin").file("bin/busybox", 0o755, &busybox);
    for applet in APPLETS {
        layer.link(&format!("bin/{applet}"), "busybox");
    }
    layer.folder("etc").file("etc/passwd", 0o644, b"root:x:0:0:root:/:/bin/sh\napp:x:1000:1000::/:/bin/sh\n");
    layer.folder("tmp").folder("www");
    layer.finish()
}

/// The set of most tests: `web` (a web server with a health page), `worker` (which waits), and `spare`, whose layers are those of
/// `worker`. `size` bytes of noise are in a layer that `web` and `worker` share, so that loading can take as long as wished.
#[must_use]
pub fn set(size: usize) -> Vec<Image> {
    let base = base();
    let mut shared = Layer::default();
    shared.folder("data").file("data/noise", 0o644, &noise(1, size));
    let shared = shared.finish();
    let mut pages = Layer::default();
    pages.file("www/index.html", 0o644, "<h1>hello 你好</h1>\n".as_bytes()).file(
        "www/health",
        0o644,
        b"ok\n",
    );
    let serve = ["/bin/sh", "-c", "exec httpd -f -p \"${HTTP_PORT:-8080}\" -h /www"];
    let wait = ["/bin/sh", "-c", "trap exit TERM; while true; do sleep 1; done"];
    let wait_quietly = ["/bin/sh", "-c", "trap exit TERM; while sleep 1; do true; done"];
    vec![
        Image::new("hello/web:1.0", vec![base.clone(), shared.clone(), pages.finish()], &serve),
        Image::new("hello/worker:1.0", vec![base.clone(), shared.clone()], &wait),
        Image::new("hello/spare:1.0", vec![base, shared], &wait_quietly),
    ]
}

/// A set of the same names with two layers of `size` bytes of noise in `web`, one above the other; the lower one is in the
/// others as well.
#[must_use]
pub fn tall(size: usize) -> Vec<Image> {
    let mut images = set(size);
    let mut upper = Layer::default();
    upper.folder("more").file("more/noise", 0o644, &noise(2, size));
    images[0].layers.insert(2, upper.finish());
    images
}

/// Bytes that look random, do not compress, and are the same on every run.
#[must_use]
pub fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

/// Writes images as `docker save` does: each layer once, whoever has it.
///
/// # Panics
/// When the file cannot be written.
pub fn save(images: &[Image], path: &Path) {
    let mut archive = Layer::default();
    let mut manifest = Vec::new();
    let mut written = Vec::new();
    for image in images {
        let config = image.config();
        let config_name = format!("{}.json", Digest::of(&config).hex());
        let mut layer_names = Vec::new();
        for layer in &image.layers {
            let hex = Digest::of(layer).hex();
            let name = format!("{hex}/layer.tar");
            if !written.contains(&hex) {
                archive.folder(&hex).file(&name, 0o644, layer);
                written.push(hex);
            }
            layer_names.push(name);
        }
        archive.file(&config_name, 0o644, &config);
        manifest.push(json!({"Config": config_name, "RepoTags": [image.reference], "Layers": layer_names}));
    }
    archive.file("manifest.json", 0o644, &serde_json::to_vec(&manifest).unwrap());
    fs::write(path, archive.finish()).unwrap();
}

/// A tar in which nothing depends on the machine.
pub struct Layer(tar::Builder<Vec<u8>>);

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Layer({} bytes)", self.0.get_ref().len())
    }
}

impl Default for Layer {
    fn default() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }
}

impl Layer {
    /// Adds a folder.
    pub fn folder(&mut self, path: &str) -> &mut Self {
        self.add(&format!("{path}/"), tar::EntryType::Directory, 0o755, &[])
    }

    /// Adds a file.
    pub fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> &mut Self {
        self.add(path, tar::EntryType::Regular, mode, content)
    }

    /// Adds a symbolic link.
    ///
    /// # Panics
    /// Never: memory can be written.
    pub fn link(&mut self, path: &str, to: &str) -> &mut Self {
        let mut header = header(tar::EntryType::Symlink, 0o777, 0);
        self.0.append_link(&mut header, path, to).unwrap();
        self
    }

    fn add(&mut self, path: &str, kind: tar::EntryType, mode: u32, content: &[u8]) -> &mut Self {
        let mut header = header(kind, mode, content.len() as u64);
        self.0.append_data(&mut header, path, content).unwrap();
        self
    }

    /// The tar.
    ///
    /// # Panics
    /// Never: memory can be written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(DATE);
    header
}
