//! Images of ours that have lost their names to newer ones: those of the version before, and of an upgrade that was broken off.
//! Nobody can name them any more, and with each upgrade there would be more of them.
//!
//! Not here: images under other names than the new ones. They are the way back to the version before.

use bundle_spec::index::Content;
use bundle_spec::project::Image;

use crate::engine::Engine;

/// Identifiers of what may be left without a name when `next` is loaded over `before`: of images that came from us, by either kind
/// of identifier that an engine may use. Pure.
pub fn candidates(before: &Content, next: &Content, is_ours: impl Fn(&str) -> bool) -> Vec<String> {
    let ours = before.images.iter().filter(|image| is_ours(image.reference.as_str()));
    let stays: Vec<String> = next.images.iter().flat_map(ids).collect();
    ours.flat_map(ids).filter(|id| !stays.contains(id)).collect()
}

/// Both kinds of identifier that an engine may know an image by. Pure.
pub fn ids(image: &Image) -> [String; 2] {
    [image.manifest.to_string(), image.config.to_string()]
}

/// Removes those of them that nobody names and nothing uses, and says so before; returns those that should be tried again. What
/// somebody has given another name, or what kept its own, is not for us to take.
pub fn remove(engine: &Engine, ids: &[String], tell: impl Fn()) -> Vec<String> {
    let mut nameless = Vec::new();
    for id in ids {
        match engine.is_named(id) {
            Ok(Some(false)) => nameless.push(id.clone()),
            Ok(_) => {}
            // Who does not answer now will not answer for the next one.
            Err(_) => return ids.to_vec(),
        }
    }
    if !nameless.is_empty() {
        tell();
    }
    // What something uses stays for as long as it does.
    nameless.retain(|id| !engine.remove_image(id).unwrap_or(false));
    nameless
}

#[cfg(test)]
mod tests {
    use bundle_spec::digest::Digest;

    use super::*;
    use crate::preflight::tests::content;

    #[test]
    fn only_our_images_that_are_not_in_the_new_version_are_replaced() {
        let image = |reference: &str, id: &str| Image {
            reference: bundle_spec::reference::ImageReference::parse(reference).unwrap(),
            platform: "linux/amd64".into(),
            manifest: Digest::of(format!("manifest {id}").as_bytes()),
            manifest_len: 0,
            config: Digest::of(id.as_bytes()),
            layers: vec![],
        };
        let of = |images: &[(&str, &str)]| {
            let images = images.iter().map(|(reference, id)| image(reference, id)).collect();
            Content { images, ..content() }
        };
        let before = of(&[("shop:1", "old"), ("db:1", "same"), ("theirs:1", "theirs"), ("gone:1", "gone")]);
        let next = of(&[("shop:1", "new"), ("db:2", "same"), ("theirs:1", "ours")]);
        let ids = candidates(&before, &next, |reference| !reference.starts_with("theirs"));
        let expected = ["manifest old", "old", "manifest gone", "gone"];
        assert_eq!(ids, expected.map(|text| Digest::of(text.as_bytes()).to_string()));
    }
}
