//! Decides what has to be brought, in which requests and in which order. Pure.

use std::collections::{HashMap, HashSet};

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Content;
use bundle_spec::limits::WINDOW_LOG_MAX;
use bundle_spec::project::{Image, Layer};

use super::board::UNDER_WAY;
use super::{Form, Known, LoadPlan, PARALLEL, Request, Trust, WINDOWS};
use crate::engine::{Description, PresentImage, Store};
use crate::facts::Inventory;

/// Layers that follow each other share a request up to so many staged bytes: each request costs the engine some 50 ms.
const GROUP: u64 = 16 << 20;

/// Decides which layers of which images travel, and when.
pub fn plan(content: &Content, inventory: &Inventory, engine: &Description, trust: Trust) -> LoadPlan {
    let form = form(engine, trust);
    let is_missing = |image: &Image| !inventory.images.iter().any(|present| is_same(image, present));
    let images: Vec<usize> =
        (0..content.images.len()).filter(|number| is_missing(&content.images[*number])).collect();
    let known = match trust {
        Trust::Usual => known(inventory),
        Trust::Nothing => Known::default(),
    };
    let mut planner = Planner {
        content,
        form,
        known,
        requests: Vec::new(),
        by_chain: HashMap::new(),
        by_blob: HashMap::new(),
    };
    match (form, trust) {
        (Form::Oci, _) | (_, Trust::Nothing) => planner.by_image(&images),
        (Form::DockerPlain | Form::DockerZstd | Form::Snapshots, Trust::Usual) => planner.by_layer(&images),
    }
    let requests = planner.requests;
    let (kept_bytes, kept_inodes) = kept(content, &requests, form);
    LoadPlan {
        form,
        images,
        read_bytes: requests.iter().map(|request| request.read_bytes).sum(),
        kept_bytes,
        kept_inodes,
        staged_bytes: peak(&requests, UNDER_WAY, |request| request.staged_bytes, staged_limit(content)),
        memory_bytes: peak(&requests, PARALLEL, |request| request.memory_bytes, WINDOWS),
        requests,
    }
}

/// What may lie in the engine's temporary directory at one time: as much as the largest layer of the bundle, so that several
/// requests may be under way without asking for more disk than one of them alone can need.
pub fn staged_limit(content: &Content) -> u64 {
    let layers = content.images.iter().flat_map(|image| &image.layers);
    layers.map(|layer| layer.tar_len).max().unwrap_or(0)
}

/// Whether an engine's image is this one: same layers, same config, under the same name. A graph driver names images by
/// config, a containerd store by manifest.
pub fn is_same(image: &Image, present: &PresentImage) -> bool {
    let id = present.id.parse::<Digest>().ok();
    present.tags.contains(&image.reference)
        && present.diff_ids == image.diff_ids()
        && (id == Some(image.config) || id == Some(image.manifest))
}

fn form(engine: &Description, trust: Trust) -> Form {
    match (&engine.store, trust) {
        (Store::Containerd, Trust::Usual) if engine.containerd.is_some() => Form::Snapshots,
        (Store::Containerd, _) => Form::Oci,
        (Store::GraphDriver(_), _) if engine.takes_zstd() => Form::DockerZstd,
        (Store::GraphDriver(_), _) => Form::DockerPlain,
    }
}

fn known(inventory: &Inventory) -> Known {
    let chains = inventory.images.iter().flat_map(|image| chain_ids(&image.diff_ids));
    Known { chains: chains.chain(inventory.chains.iter().copied()).collect(), blobs: inventory.blobs.clone() }
}

struct Planner<'a> {
    content: &'a Content,
    form: Form,
    known: Known,
    requests: Vec<Request>,
    /// Which request brings a chain.
    by_chain: HashMap<Digest, usize>,
    /// Which request brings a blob into a content store first.
    by_blob: HashMap<Digest, usize>,
}

impl Planner<'_> {
    /// One request for each image, without what another one brings. The smallest image that has a shared base goes first:
    /// the others wait for no more than that.
    fn by_image(&mut self, images: &[usize]) {
        let mut order = images.to_vec();
        order.sort_by_key(|number| size(&self.content.images[*number]));
        for number in order {
            let image = &self.content.images[number];
            let chains = chain_ids(&image.diff_ids());
            let mut request =
                Request { image: number, depth: image.layers.len(), names: true, ..Request::default() };
            for (layer, chain) in chains.iter().enumerate() {
                match self.by_chain.get(chain) {
                    Some(other) => request.after.push(*other),
                    None if self.has(image, layer, chain) => {}
                    None => request.layers.push(layer),
                }
            }
            self.add(request, &chains);
        }
    }

    /// One request for each layer, or for a few small ones; a shared layer is brought once, and all its images wait for it.
    fn by_layer(&mut self, images: &[usize]) {
        let branches = self.branches(images);
        // The longest way is begun first.
        let mut order = images.to_vec();
        order.sort_by_key(|number| std::cmp::Reverse(size(&self.content.images[*number])));
        for number in order {
            let image = &self.content.images[number];
            let chains = chain_ids(&image.diff_ids());
            let mut request = Request { image: number, ..Request::default() };
            for (layer, chain) in chains.iter().enumerate() {
                let is_here = self.has(image, layer, chain) || self.by_chain.contains_key(chain);
                if !is_here {
                    let staged: u64 = self.staged(image, &request.layers);
                    if !request.layers.is_empty() && (self.form == Form::Snapshots || staged > GROUP) {
                        self.close(&mut request, &chains);
                    }
                    request.layers.push(layer);
                }
                if (is_here || branches.contains(chain)) && !request.layers.is_empty() {
                    self.close(&mut request, &chains);
                }
                request.depth = layer + 1;
                if let Some(other) = self.by_chain.get(chain) {
                    request.after = vec![*other];
                }
            }
            // A snapshot is named when it is whole; a graph driver takes the last layers together with the name.
            if self.form == Form::Snapshots && !request.layers.is_empty() {
                self.close(&mut request, &chains);
            }
            request.names = true;
            request.depth = image.layers.len();
            self.add(request, &chains);
        }
    }

    /// Adds a request for a part of an image, and goes on behind it.
    fn close(&mut self, request: &mut Request, chains: &[Digest]) {
        let next = Request { image: request.image, ..Request::default() };
        let mut closed = std::mem::replace(request, next);
        closed.depth = closed.layers.last().map_or(closed.depth, |layer| layer + 1);
        self.add(closed, chains);
        request.after = vec![self.requests.len() - 1];
    }

    fn add(&mut self, mut request: Request, chains: &[Digest]) {
        let image = &self.content.images[request.image];
        self.wait_for_blobs(image, &mut request);
        request.after.sort_unstable();
        request.after.dedup();
        // The same layer may lie in an image twice; one entry serves both.
        let mut seen = HashSet::new();
        let layers = request.layers.iter().map(|layer| &image.layers[*layer]);
        for layer in layers.filter(|layer| seen.insert(layer.blob)) {
            request.read_bytes += layer.stored_len;
            request.memory_bytes = request.memory_bytes.max(window(layer, self.form));
        }
        request.staged_bytes = self.staged(image, &request.layers);
        for layer in &request.layers {
            self.by_chain.insert(chains[*layer], self.requests.len());
        }
        self.requests.push(request);
    }

    /// A content store has one writer for each blob: two requests that bring the same one at the same time, on top of
    /// different layers, would break each other's off, or one would wait until it looks stalled. A graph driver has no blobs.
    fn wait_for_blobs(&mut self, image: &Image, request: &mut Request) {
        if !matches!(self.form, Form::Oci | Form::Snapshots) {
            return;
        }
        let (position, known) = (self.requests.len(), &self.known.blobs);
        let blobs = request.layers.iter().map(|layer| image.layers[*layer].blob);
        for blob in blobs.filter(|blob| !known.contains(blob)) {
            let first = *self.by_blob.entry(blob).or_insert(position);
            if first != position {
                request.after.push(first);
            }
        }
    }

    /// Chains that more than one image goes on from, or that an image ends with.
    fn branches(&self, images: &[usize]) -> HashSet<Digest> {
        let mut next: HashMap<Digest, HashSet<Digest>> = HashMap::new();
        for number in images {
            let chains = chain_ids(&self.content.images[*number].diff_ids());
            for pair in chains.windows(2) {
                next.entry(pair[0]).or_default().insert(pair[1]);
            }
            if let Some(last) = chains.last() {
                // An end counts as a way on.
                next.entry(*last).or_default().insert(Digest::from_bytes([0; 32]));
            }
        }
        next.into_iter().filter(|(_, next)| next.len() > 1).map(|(chain, _)| chain).collect()
    }

    fn has(&self, image: &Image, layer: usize, chain: &Digest) -> bool {
        let has_blob = self.known.blobs.contains(&image.layers[layer].blob);
        match self.form {
            Form::Oci => has_blob,
            Form::Snapshots => has_blob && self.known.chains.contains(chain),
            Form::DockerPlain | Form::DockerZstd => self.known.chains.contains(chain),
        }
    }

    /// A graph driver writes a whole request to its temporary directory first (moby `image/tarexport/load.go`).
    fn staged(&self, image: &Image, layers: &[usize]) -> u64 {
        let layers = layers.iter().map(|layer| &image.layers[*layer]);
        match self.form {
            Form::DockerPlain => layers.map(|layer| layer.tar_len).sum(),
            Form::DockerZstd => layers.map(|layer| layer.stored_len).sum(),
            Form::Oci | Form::Snapshots => 0,
        }
    }
}

fn size(image: &Image) -> u64 {
    image.layers.iter().map(|layer| layer.unpacked_len).sum()
}

/// The decompression window of a layer, at most: the packer's frames know their length and take no more than they need.
fn window(layer: &Layer, form: Form) -> u64 {
    match form {
        Form::DockerPlain | Form::Snapshots => layer.tar_len.next_power_of_two().min(1 << WINDOW_LOG_MAX),
        Form::DockerZstd | Form::Oci => 0,
    }
}

/// Bytes and inodes that stay in the image store.
fn kept(content: &Content, requests: &[Request], form: Form) -> (u64, u64) {
    let (mut bytes, mut inodes) = (0, 0);
    let mut seen = HashSet::new();
    for request in requests {
        let image = &content.images[request.image];
        let layers = request.layers.iter().map(|layer| &image.layers[*layer]);
        for layer in layers.filter(|layer| seen.insert(layer.blob)) {
            let blob = match form {
                Form::Oci | Form::Snapshots => layer.stored_len,
                Form::DockerPlain | Form::DockerZstd => 0,
            };
            // Half a block is lost at the end of each file on average.
            bytes += layer.unpacked_len + layer.entries * 2048 + blob;
            inodes += layer.entries;
        }
    }
    (bytes, inodes)
}

/// The most that requests can take together: what the largest of them take, as many as can go on at one time, but not more than
/// the limit that `board` keeps to, unless one alone takes more.
fn peak(requests: &[Request], at_once: usize, amount: impl Fn(&Request) -> u64, limit: u64) -> u64 {
    let mut amounts: Vec<u64> = requests.iter().map(amount).collect();
    amounts.sort_unstable_by(|a, b| b.cmp(a));
    let together: u64 = amounts.iter().take(at_once).sum();
    together.min(limit.max(amounts.first().copied().unwrap_or(0)))
}

#[cfg(test)]
mod tests;
