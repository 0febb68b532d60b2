//! Sample bundles for the other modules: made in memory, the same on every run.

use std::io::Cursor;

use bundle_spec::digest::Digest;
use bundle_spec::index::{Content, Index};
use bundle_spec::layout::{LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY};
use bundle_spec::project::{App, Image, Layer, Localized, Project, ProjectFile, Requirements};
use bundle_spec::reader::Bundle;
use bundle_spec::trailer::Trailer;
use bundle_spec::version::CURRENT;
use bundle_spec::writer::BundleWriter;

/// A bundle in memory, with what went into it.
pub struct Sample {
    pub bytes: Vec<u8>,
    pub index: Index,
    pub blobs: Vec<Vec<u8>>,
}

impl Sample {
    /// Writes a bundle of these parts. `content` gets the digests of the blobs; lengths of blobs are filled in.
    pub fn write(stubs: &[Vec<u8>], blobs: Vec<Vec<u8>>, content: impl FnOnce(&[Digest]) -> Content) -> Self {
        let mut writer = BundleWriter::new(Cursor::new(Vec::new()), &launcher()).unwrap();
        for (number, stub) in stubs.iter().enumerate() {
            writer.stub(&format!("arch{number}"), stub).unwrap();
        }
        let digests: Vec<_> = blobs.iter().map(|blob| writer.blob(blob).unwrap()).collect();
        let mut content = content(&digests);
        let len = |digest: &Digest| {
            let position = digests.iter().position(|known| known == digest).unwrap();
            blobs[position].len() as u64
        };
        for image in &mut content.images {
            image.manifest_len = len(&image.manifest);
            image.layers.iter_mut().for_each(|layer| layer.stored_len = len(&layer.blob));
        }
        let (output, index) = writer.finish(content).unwrap();
        Self { bytes: output.into_inner(), index, blobs }
    }

    /// A bundle of three stretches: 11 MiB of noise, so that nothing compresses and nothing repeats.
    pub fn of_three_stretches() -> Self {
        let mut dice = Dice::new(3);
        let blobs = [700, 2_000, 300, 5 << 20, 12_345, 6 << 20].map(|len| dice.noise(len));
        Self::write(&[dice.noise(50_000), dice.noise(4096)], blobs.to_vec(), content)
    }

    pub fn open(&self) -> Bundle {
        Bundle::open(&mut Cursor::new(&self.bytes)).unwrap()
    }

    pub fn index_offset(&self) -> usize {
        usize::try_from(self.open().trailer.index_offset).unwrap()
    }

    /// The same payload under another index and trailer: what somebody writes who means harm, with every digest right.
    pub fn forge(&self, index: &[u8], edit: impl FnOnce(&mut Trailer)) -> Vec<u8> {
        // The quickest level: some indexes here have a hundred megabytes.
        let stored = zstd::bulk::compress(index, 1).unwrap();
        self.forge_stored(&stored, index.len() as u64, edit)
    }

    /// As [`Self::forge`], with the index given in its stored form.
    pub fn forge_stored(&self, stored: &[u8], raw_len: u64, edit: impl FnOnce(&mut Trailer)) -> Vec<u8> {
        let index_offset = self.index_offset();
        let mut bytes = self.bytes[..index_offset].to_vec();
        bytes.extend_from_slice(stored);
        let mut trailer = Trailer {
            version: CURRENT,
            index_offset: index_offset as u64,
            index_stored_len: stored.len() as u64,
            index_raw_len: raw_len,
            total_len: (bytes.len() + Trailer::ENCODED_LEN) as u64,
            index_digest: Digest::of(stored),
        };
        edit(&mut trailer);
        bytes.extend_from_slice(&trailer.encode());
        bytes
    }
}

/// The shortest launcher that the writer takes.
pub fn launcher() -> Vec<u8> {
    let zeros = "0".repeat(LAUNCHER_LENGTH_DIGITS);
    format!("{LAUNCHER_FIRST_LINE}{LAUNCHER_LENGTH_KEY}{zeros}\nexit 1\n").into_bytes()
}

/// Content whose Compose file is the first blob, and whose one image is made of the others: manifest, config, layers.
pub fn content(blobs: &[Digest]) -> Content {
    let title = Localized { zh: "示例".to_owned(), en: "Sample".to_owned() };
    let layer = |blob: &Digest| Layer {
        diff_id: Digest::of(blob.as_bytes()),
        blob: *blob,
        stored_len: 5_000,
        tar_len: 10_240,
        unpacked_len: 7_000,
        entries: 3,
    };
    let images = match blobs {
        [_, manifest, config, layers @ ..] if !layers.is_empty() => vec![Image {
            reference: "sample/backend:1.0".to_owned().try_into().unwrap(),
            platform: "linux/amd64".to_owned(),
            manifest: *manifest,
            manifest_len: 2_000,
            config: *config,
            layers: layers.iter().map(layer).collect(),
        }],
        _ => Vec::new(),
    };
    let compose: bundle_spec::path::ProjectPath = "docker-compose.yml".to_owned().try_into().unwrap();
    let file = ProjectFile {
        path: compose.clone(),
        blob: blobs[0],
        len: 100,
        mode: 0o644,
        template: false,
        owner: None,
    };
    Content {
        packed_by: "airlift 0.1.0".to_owned(),
        created: 1_700_000_000,
        app: App { name: "sample".to_owned(), version: "1.0.0".to_owned(), title, vendor: None },
        project: Project {
            name: "sample".to_owned(),
            compose_file: compose,
            profiles: Vec::new(),
            services: vec!["backend".to_owned()],
            files: vec![file],
            directories: Vec::new(),
            footprint: Default::default(),
        },
        images,
        engine: None,
        questions: Vec::new(),
        values: Vec::new(),
        requirements: Requirements { arch: "x86_64".to_owned(), ..Requirements::default() },
        checks: Vec::new(),
        links: Vec::new(),
        actions: Vec::new(),
        tls: None,
        public_ports: Vec::new(),
        features: Vec::new(),
    }
}

/// Numbers that look random and are the same on every run (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`, which must not be empty.
    pub fn within(&mut self, range: std::ops::Range<usize>) -> usize {
        range.start + usize::try_from(self.next() % (range.len() as u64)).unwrap()
    }

    pub fn noise(&mut self, len: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| self.next().to_le_bytes()).collect();
        bytes.truncate(len);
        bytes
    }
}
