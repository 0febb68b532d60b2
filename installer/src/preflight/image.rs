//! Does a name of the bundle's images mean another image here, which somebody else may use?

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::load::plan::is_same;
use crate::text::finding as text;

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    // An earlier version of this application put them there itself.
    if facts.project.receipt.is_some() {
        return Vec::new();
    }
    let moved = demand.content.images.iter().filter(|image| {
        let mut bearers =
            facts.inventory.images.iter().filter(|present| present.tags.contains(&image.reference));
        bearers.any(|present| !is_same(image, present))
    });
    let finding = |image: &bundle_spec::project::Image| {
        let name = image.reference.as_str();
        Finding::warn("image-name", text::image_will_move(name), text::tag_image_first(name))
    };
    moved.map(finding).collect()
}
