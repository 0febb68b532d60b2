//! Images that stand for the lower layers of another one. A graph driver keeps layers only as parts of images; with one such
//! image a layer, a request needs room for one layer instead of all, and what has arrived is there for the next run. Pure.

use bundle_spec::digest::Digest;
use bundle_spec::project::Image;

/// Marks these images, for people who meet one.
pub const LABEL: &str = "airlift.prefix";

/// The config of the image that consists of the lowest `depth` layers; its digest is its identifier.
pub fn config(image: &Image, depth: usize) -> Vec<u8> {
    let mut platform = image.platform.splitn(3, '/');
    let (os, architecture) = (platform.next().unwrap_or("linux"), platform.next().unwrap_or("amd64"));
    serde_json::json!({
        "architecture": architecture,
        "os": os,
        "config": { "Labels": { LABEL: image.reference } },
        "rootfs": { "type": "layers", "diff_ids": image.diff_ids()[..depth] },
    })
    .to_string()
    .into_bytes()
}

/// Identifiers of all such images that can have been made for an image, longest first: one goes only when nothing is above it.
pub fn ids(image: &Image) -> impl Iterator<Item = Digest> {
    (1..=image.layers.len()).rev().map(|depth| Digest::of(&config(image, depth)))
}
