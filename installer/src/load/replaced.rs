//! Images of the version before that have lost their names to the new ones. Nobody can name them any more, and with each upgrade
//! there would be more of them.
//!
//! Not here: images under other names than the new ones. They are the way back to the version before.

use bundle_spec::index::Content;

use crate::engine::Engine;

/// Identifiers of what may be left without a name when `next` is loaded over `before`: of images that came from us, by either kind
/// of identifier that an engine may use. Pure.
pub fn candidates(before: &Content, next: &Content, is_ours: impl Fn(&str) -> bool) -> Vec<String> {
    let ids = |content: &Content| -> Vec<String> {
        let ours = content.images.iter().filter(|image| is_ours(image.reference.as_str()));
        ours.flat_map(|image| [image.manifest.to_string(), image.config.to_string()]).collect()
    };
    let stays: Vec<String> =
        next.images.iter().flat_map(|image| [image.manifest.to_string(), image.config.to_string()]).collect();
    ids(before).into_iter().filter(|id| !stays.contains(id)).collect()
}

/// Removes those of them that have no name and that nothing uses; returns those that should be tried again.
pub fn remove(engine: &Engine, ids: &[String]) -> Vec<String> {
    let stays = |id: &&String| match engine.image(id) {
        Ok(Some(image)) if image.tags.is_empty() => !engine.remove_image(id).unwrap_or(false),
        // Somebody has given it another name, or it kept its own: it is not for us to take.
        Ok(_) => false,
        Err(_) => true,
    };
    ids.iter().filter(stays).cloned().collect()
}

#[cfg(test)]
mod tests {
    use bundle_spec::digest::Digest;
    use bundle_spec::project::Image;

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
