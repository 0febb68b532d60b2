//! What the names of our images stood for before us: recorded before it is lost, and given back when ours are taken away.
//!
//! Not here: images of ours that have lost their names (`replaced`).

use std::collections::BTreeMap;

use bundle_spec::reference::ImageReference;

use super::replaced;
use crate::engine::{Engine, EngineError, PresentImage};

/// Adds what each of these names stands for now, unless that has come from us. Pure.
pub fn record<'a>(
    priors: &mut BTreeMap<String, String>,
    names: impl Iterator<Item = &'a ImageReference>,
    present: &[PresentImage],
    is_ours: impl Fn(&str) -> bool,
) {
    for name in names {
        let holder = present.iter().find(|image| image.tags.contains(name));
        if let Some(holder) = holder.filter(|holder| !is_ours(&holder.id)) {
            priors.insert(name.to_string(), holder.id.clone());
        }
    }
}

/// The name under which an image is kept that loses its own to ours, beside that one: on an engine that would drop it otherwise.
/// Pure.
pub fn kept(name: &ImageReference) -> Option<ImageReference> {
    let tag: String = name.tag().chars().take(TAG_MAX - KEPT.len()).collect();
    ImageReference::parse(&format!("{}:{tag}{KEPT}", name.repository())).ok()
}

/// As files that were in the way are called.
const KEPT: &str = ".before-airlift";
/// Longest tag that an engine takes (distribution `reference`).
const TAG_MAX: usize = 128;

/// Keeps what has one of these names and is about to lose it.
///
/// # Errors
/// When the engine does not answer.
pub fn keep(engine: &Engine, priors: &BTreeMap<String, String>) -> Result<(), EngineError> {
    for (name, prior) in priors {
        let Ok(name) = ImageReference::parse(name) else { continue };
        if engine.image(name.as_str())?.is_some_and(|holder| holder.id == *prior)
            && let Some(kept) = kept(&name)
        {
            engine.tag_image(prior, &kept)?;
        }
    }
    Ok(())
}

/// Gives a name back to the image that had it before us, if that is still there and the name is ours, or nobody's. Ours goes
/// then, unless something uses it or it has another name.
///
/// # Errors
/// When the engine does not answer.
pub fn give_back(
    engine: &Engine,
    name: &ImageReference,
    prior: &str,
    is_ours: impl Fn(&str) -> bool,
) -> Result<(), EngineError> {
    let holder = engine.image(name.as_str())?.map(|holder| holder.id);
    // A run that was killed here has given it back already.
    if holder.as_deref() != Some(prior) {
        if holder.as_deref().is_some_and(|holder| !is_ours(holder)) {
            return Ok(());
        }
        if engine.image(prior)?.is_some() {
            engine.tag_image(prior, name)?;
        } else {
            // One that something else uses stays.
            engine.remove_image(name.as_str())?;
        }
        drop(replaced::remove(engine, holder.as_slice(), || {}));
    }
    if let Some(kept) = kept(name)
        && engine.image(kept.as_str())?.is_some_and(|image| image.id == prior)
    {
        engine.remove_image(kept.as_str())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_has_a_name_that_an_engine_takes() {
        for (name, expected) in [
            ("shop:1", "shop:1.before-airlift".to_owned()),
            ("localhost:5000/a/b:x", "localhost:5000/a/b:x.before-airlift".to_owned()),
            (&format!("shop:{}", "v".repeat(128)), format!("shop:{}.before-airlift", "v".repeat(113))),
        ] {
            let name = ImageReference::parse(name).unwrap();
            assert_eq!(kept(&name).unwrap().as_str(), expected);
        }
    }

    #[test]
    fn only_what_is_not_ours_is_recorded() {
        let name = |text: &str| ImageReference::parse(text).unwrap();
        let present = |id: &str, tags: &[&str]| PresentImage {
            id: id.to_owned(),
            diff_ids: vec![],
            tags: tags.iter().map(|tag| name(tag)).collect(),
        };
        let found = [present("theirs", &["shop:1", "shop:theirs"]), present("ours", &["db:1"])];
        let names = ["shop:1", "db:1", "new:1"].map(name);
        let mut priors = BTreeMap::from([("db:1".to_owned(), "older".to_owned())]);
        record(&mut priors, names.iter(), &found, |id| id == "ours");
        let expected = [("db:1", "older"), ("shop:1", "theirs")];
        assert_eq!(priors, expected.map(|(name, id)| (name.to_owned(), id.to_owned())).into());
    }
}
