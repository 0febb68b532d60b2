//! Decides what has to be sent. Pure.

use std::collections::HashSet;

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Content;
use bundle_spec::project::{Image, Layer};

use super::{Form, ImageLoad, LoadPlan, PARALLEL};
use crate::engine::{Description, PresentImage, Store};
use crate::facts::Inventory;

/// Decides which layers of which images travel, and when.
pub fn plan(content: &Content, inventory: &Inventory, engine: &Description) -> LoadPlan {
    let form = form(engine);
    let (loads, waves) = schedule(content, inventory, form);
    let mut plan = LoadPlan { form, loads, waves, send_bytes: 0, disk_bytes: 0, disk_inodes: 0 };
    for (image, load) in plan.loads.iter().map(|load| (&content.images[load.image], load)) {
        let mut seen = HashSet::new();
        for layer in travelling(image, load).filter(|layer| seen.insert(layer.blob)) {
            plan.send_bytes += wire_len(layer, form);
            // Half a block is lost at the end of each file on average.
            plan.disk_bytes += layer.unpacked_len + layer.entries * 2048 + kept_len(layer, form);
            plan.disk_inodes += layer.entries;
        }
    }
    plan.disk_bytes += staged_len(content, &plan);
    plan
}

/// Groups images into waves. Within one no two images wait for the same layer: both would unpack it, and one for nothing.
/// What an earlier wave brings is known to the later ones, so a shared layer travels once.
fn schedule(content: &Content, inventory: &Inventory, form: Form) -> (Vec<ImageLoad>, Vec<Vec<usize>>) {
    let mut known = Known::of(inventory);
    let is_missing = |image: &&Image| !inventory.images.iter().any(|present| is_same(image, present));
    let mut left: Vec<usize> =
        (0..content.images.len()).filter(|number| is_missing(&&content.images[*number])).collect();
    // The smallest image that has a shared base goes first: the others wait for no more than that, and then go together.
    left.sort_by_key(|number| {
        content.images[*number].layers.iter().map(|layer| layer.unpacked_len).sum::<u64>()
    });
    let (mut loads, mut waves) = (Vec::new(), Vec::new());
    while !left.is_empty() {
        let (mut wave, mut on_the_way) = (Vec::new(), HashSet::new());
        left.retain(|number| {
            let image = &content.images[*number];
            let send = known.missing(image, form);
            let load = ImageLoad { image: *number, reference: image.reference.clone(), send };
            let layers: Vec<Digest> = travelling(image, &load).map(|layer| layer.diff_id).collect();
            if wave.len() == PARALLEL || layers.iter().any(|layer| on_the_way.contains(layer)) {
                return true;
            }
            on_the_way.extend(layers);
            wave.push(loads.len());
            loads.push(load);
            false
        });
        for number in &wave {
            known.learn(&content.images[loads[*number].image]);
        }
        waves.push(wave);
    }
    (loads, waves)
}

/// The same plan with nothing left out, for when the engine turns out not to have what it seemed to have.
pub fn without_omissions(load: &ImageLoad) -> ImageLoad {
    ImageLoad { send: vec![true; load.send.len()], ..load.clone() }
}

fn form(engine: &Description) -> Form {
    match engine.store {
        Store::Containerd => Form::Oci,
        Store::GraphDriver(_) if engine.takes_zstd() => Form::DockerZstd,
        Store::GraphDriver(_) => Form::DockerPlain,
    }
}

/// Whether an engine's image is this one: same layers, same config, under the same name. A graph driver names images by
/// config, a containerd store by manifest.
pub fn is_same(image: &Image, present: &PresentImage) -> bool {
    let id = present.id.parse::<Digest>().ok();
    present.tags.contains(&image.reference)
        && present.diff_ids == image.diff_ids()
        && (id == Some(image.config) || id == Some(image.manifest))
}

/// The layers of an image that travel.
pub fn travelling<'a>(image: &'a Image, load: &'a ImageLoad) -> impl Iterator<Item = &'a Layer> {
    image.layers.iter().zip(&load.send).filter(|(_, send)| **send).map(|(layer, _)| layer)
}

/// What the engine has: chains of layers in a graph driver, blobs in a containerd store.
struct Known {
    chains: HashSet<Digest>,
    blobs: HashSet<Digest>,
}

impl Known {
    fn of(inventory: &Inventory) -> Self {
        let chains = inventory.images.iter().flat_map(|image| chain_ids(&image.diff_ids)).collect();
        Self { chains, blobs: inventory.blobs.clone() }
    }

    fn learn(&mut self, image: &Image) {
        self.chains.extend(chain_ids(&image.diff_ids()));
        self.blobs.extend(image.layers.iter().map(|layer| layer.blob));
    }

    fn missing(&self, image: &Image, form: Form) -> Vec<bool> {
        match form {
            Form::Oci => image.layers.iter().map(|layer| !self.blobs.contains(&layer.blob)).collect(),
            Form::DockerPlain | Form::DockerZstd => {
                chain_ids(&image.diff_ids()).iter().map(|chain| !self.chains.contains(chain)).collect()
            }
        }
    }
}

/// Bytes of one layer on the wire.
fn wire_len(layer: &Layer, form: Form) -> u64 {
    match form {
        Form::DockerPlain => layer.tar_len,
        Form::DockerZstd | Form::Oci => layer.stored_len,
    }
}

/// Bytes of one layer that the engine keeps beside the unpacked files.
fn kept_len(layer: &Layer, form: Form) -> u64 {
    if form == Form::Oci { layer.stored_len } else { 0 }
}

/// A graph driver writes the whole request to its temporary directory first (moby `image/tarexport/load.go`).
fn staged_len(content: &Content, plan: &LoadPlan) -> u64 {
    if plan.form == Form::Oci {
        return 0;
    }
    let len_of = |number: &usize| -> u64 {
        let load = &plan.loads[*number];
        travelling(&content.images[load.image], load).map(|layer| wire_len(layer, plan.form)).sum()
    };
    plan.waves.iter().map(|wave| wave.iter().map(len_of).sum()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests;
