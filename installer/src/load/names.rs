//! What the names of our images stood for before us: recorded before it is lost, and given back when ours are taken away.
//!
//! Not here: images of ours that have lost their names (`replaced`).

use std::collections::{BTreeMap, BTreeSet};

use bundle_spec::reference::ImageReference;

use super::replaced;
use crate::engine::{Engine, EngineError, PresentImage};
use crate::receipt::Receipt;

/// Adds what each of these names stands for now, unless that has come from us. Pure.
pub fn record<'a>(
    priors: &mut BTreeMap<String, String>,
    names: impl Iterator<Item = &'a ImageReference>,
    present: &[PresentImage],
    is_ours: impl Fn(&str, &str) -> bool,
) {
    for name in names {
        // One without layers is damaged: nobody can be given it back.
        let is_holder = |image: &&PresentImage| image.tags.contains(name) && !image.diff_ids.is_empty();
        let holder = present.iter().find(is_holder);
        if let Some(holder) = holder.filter(|holder| !is_ours(name.as_str(), &holder.id)) {
            priors.insert(name.to_string(), holder.id.clone());
        }
    }
}

/// The name under which an image is kept that loses its own to ours, beside that one: on an engine that would drop it otherwise.
/// Pure.
pub fn kept(name: &ImageReference, prior: &str) -> Option<ImageReference> {
    let id: String = prior.rsplit(':').next()?.chars().take(12).collect();
    let suffix = format!("{KEPT}-{id}");
    let tag: String = name.tag().chars().take(TAG_MAX - suffix.len()).collect();
    ImageReference::parse(&format!("{}:{tag}{suffix}", name.repository())).ok()
}

/// As files that were in the way are called.
const KEPT: &str = ".before-airlift";
/// Longest tag that an engine takes (distribution `reference`).
const TAG_MAX: usize = 128;

/// Keeps what has one of these names and is about to lose it. What the engine cannot keep is lost as it would be by any `docker load`.
///
/// # Errors
/// When the engine does not answer.
pub fn keep(engine: &Engine, priors: &BTreeMap<String, String>) -> Result<(), EngineError> {
    for (name, prior) in priors {
        let Ok(name) = ImageReference::parse(name) else { continue };
        if holder(engine, &name)?.is_some_and(|holder| holder == *prior)
            && let Some(kept) = kept(&name, prior)
        {
            engine.tag_image(prior, &kept).or_else(EngineError::silence)?;
        }
    }
    Ok(())
}

/// Takes the names back that were ours: each goes to the image that had it before, if that is still there, and our images go with
/// it. A name that stands for something else by now stays, and so does what something uses.
///
/// # Errors
/// When the engine does not answer.
pub fn give_back(engine: &Engine, receipt: &Receipt) -> Result<(), EngineError> {
    let names: BTreeSet<&String> = receipt.loaded.iter().chain(receipt.priors.keys()).collect();
    for text in names {
        let Ok(name) = ImageReference::parse(text) else { continue };
        match (holder(engine, &name)?, receipt.priors.get(text)) {
            // A run that was killed here has given it back already.
            (Some(holder), Some(prior)) if holder == *prior => forget_kept(engine, &name, prior)?,
            // Nothing had the name before us, and what has it now is damaged: ours, as far as anybody can tell.
            (holder, None) if holder.as_deref().unwrap_or_default().is_empty() => {
                engine.remove_image(text).or_else(EngineError::silence)?;
            }
            (Some(holder), _) if !receipt.is_ours(text, &holder) => continue,
            // Whose project lives by that name must find in it what it was started with.
            (Some(holder), _) if is_used(engine, &holder)? => continue,
            (_, Some(prior)) if engine.tag_image(prior, &name).or_else(EngineError::silence)? => {
                forget_kept(engine, &name, prior)?;
            }
            (Some(_), _) => {
                engine.remove_image(text)?;
            }
            (None, _) => {}
        }
        let ours: Vec<String> = receipt.brought.get(text).into_iter().flatten().cloned().collect();
        drop(replaced::remove(engine, &ours, || {}));
    }
    Ok(())
}

/// Whether anything uses an image; an engine that does not say is taken to mean yes.
fn is_used(engine: &Engine, id: &str) -> Result<bool, EngineError> {
    engine.is_used(id).or_else(|error| error.silence().map(|_| true))
}

/// The identifier of what has a name; empty for what the engine cannot describe.
fn holder(engine: &Engine, name: &ImageReference) -> Result<Option<String>, EngineError> {
    // Once more: an engine that has much to do may say no to a healthy image, too.
    match engine.image(name.as_str()).or_else(|_| engine.image(name.as_str())) {
        Ok(image) => Ok(image.map(|image| image.id)),
        Err(error) => error.silence().map(|_| Some(String::new())),
    }
}

fn forget_kept(engine: &Engine, name: &ImageReference, prior: &str) -> Result<(), EngineError> {
    if let Some(kept) = kept(name, prior)
        && holder(engine, &kept)?.is_some_and(|holder| holder == prior)
    {
        engine.remove_image(kept.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bundle_spec::digest::Digest;

    use super::*;

    #[test]
    fn what_is_kept_has_a_name_that_an_engine_takes() {
        for (name, expected) in [
            ("shop:1", "shop:1.before-airlift-0123456789ab".to_owned()),
            ("localhost:5000/a/b:x", "localhost:5000/a/b:x.before-airlift-0123456789ab".to_owned()),
            (
                &format!("shop:{}", "v".repeat(128)),
                format!("shop:{}.before-airlift-0123456789ab", "v".repeat(100)),
            ),
        ] {
            let name = ImageReference::parse(name).unwrap();
            assert_eq!(kept(&name, "sha256:0123456789abcdef").unwrap().as_str(), expected);
        }
    }

    #[test]
    fn only_what_is_not_ours_is_recorded() {
        let name = |text: &str| ImageReference::parse(text).unwrap();
        let present = |id: &str, tags: &[&str]| PresentImage {
            id: id.to_owned(),
            diff_ids: if id == "damaged" { vec![] } else { vec![Digest::of(b"layer")] },
            tags: tags.iter().map(|tag| name(tag)).collect(),
        };
        let found = [
            present("theirs", &["shop:1", "shop:theirs"]),
            present("ours", &["db:1"]),
            present("damaged", &["cache:1"]),
        ];
        let names = ["shop:1", "db:1", "new:1", "cache:1"].map(name);
        let mut priors = BTreeMap::from([("db:1".to_owned(), "older".to_owned())]);
        record(&mut priors, names.iter(), &found, |name, id| (name, id) == ("db:1", "ours"));
        let expected = [("db:1", "older"), ("shop:1", "theirs")];
        assert_eq!(priors, expected.map(|(name, id)| (name.to_owned(), id.to_owned())).into());
    }
}
