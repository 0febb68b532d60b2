//! All places in which images are looked for: the archives that the definition names, and a running engine.
//! A survey says everything that is wrong with them, without reading a layer; then what is in the engine is exported.

use std::collections::BTreeMap;
use std::path::Path;

use bundle_spec::reference::ImageReference;
use bundle_spec::suggest::nearest;

use crate::definition::{ImagePlace, ImageSource};
use crate::event::Emit;
use crate::finding::Finding;
use crate::image::archive::Archive;
use crate::image::engine::Engine;
use crate::image::tree::Tree;
use crate::image::{SourceImage, oci_arch};
use crate::outcome::{Failure, Outcome};

/// What to do about an image that is not where it should be.
const MISSING: &str =
    "build or pull it, or correct `reference`, `source` and `path` of its [[image]] in the definition";

/// What finding images needs.
#[derive(Debug)]
pub struct Library<'a> {
    /// What archive paths are relative to.
    pub root: &'a Path,
    /// Where nameless temporary files are made: the output's directory, which has room for the bundle anyway.
    pub spool: &'a Path,
    /// Architecture of the target, as `uname -m` says.
    pub machine: &'a str,
}

/// What is known about all images before any is exported.
#[derive(Debug, Default)]
pub struct Survey {
    /// Everything wrong with images and their sources.
    pub problems: Vec<Finding>,
    found: Vec<SourceImage>,
    of_engine: Vec<ImageReference>,
    engine: Option<Engine>,
}

impl Library<'_> {
    /// Looks for all `listed` images, and the `needed` ones that are not listed: in the archives, then in the engine.
    pub fn survey(&self, listed: &[ImageSource], needed: &[ImageReference]) -> Survey {
        let mut survey = Survey::default();
        let archives = self.open_archives(listed, &mut survey.problems);
        for source in listed {
            match &source.place {
                ImagePlace::Engine => survey.of_engine.push(source.reference.clone()),
                ImagePlace::Archive(path) => {
                    if let Some(archive) = archives.get(path.as_path())
                        && !self.take(archive, &source.reference, &mut survey)
                    {
                        let place = format!("not in {}", path.display());
                        survey.miss(&source.reference, &near(&place, &source.reference, &archive.names()));
                    }
                }
            }
        }
        for reference in
            needed.iter().filter(|needed| listed.iter().all(|source| source.reference != **needed))
        {
            if !archives.values().any(|archive| self.take(archive, reference, &mut survey)) {
                survey.of_engine.push(reference.clone());
            }
        }
        if !survey.of_engine.is_empty() {
            survey.ask_engine();
        }
        survey
    }

    /// Exports what the survey found in the engine.
    ///
    /// # Errors
    /// When the engine does not give what it said it has.
    pub fn fetch(&self, survey: Survey, emit: Emit<'_>) -> Outcome<Vec<SourceImage>> {
        let mut images = survey.found;
        if let Some(engine) = survey.engine {
            let archive = Archive::of(engine.export(&survey.of_engine, self.spool, emit)?)?;
            for reference in &survey.of_engine {
                let image = archive.find(reference, self.machine)?.ok_or_else(|| {
                    Failure::new(format!("the engine at {} did not export {reference}", engine.address()))
                })?;
                self.fits(&image)?;
                images.push(image);
            }
        }
        images.sort_by(|a, b| a.reference.as_str().cmp(b.reference.as_str()));
        Ok(images)
    }

    fn open_archives<'s>(
        &self,
        listed: &'s [ImageSource],
        problems: &mut Vec<Finding>,
    ) -> BTreeMap<&'s Path, Archive> {
        let mut archives = BTreeMap::new();
        let mut tried: Vec<&Path> = Vec::new();
        for source in listed {
            let ImagePlace::Archive(path) = &source.place else { continue };
            if tried.contains(&path.as_path()) {
                continue;
            }
            tried.push(path);
            match Tree::open(&self.root.join(path), self.spool).and_then(Archive::of) {
                Ok(archive) => {
                    archives.insert(path.as_path(), archive);
                }
                Err(failure) => {
                    let hint = format!("check `path` of the image {} in the definition", source.reference);
                    let failure = if failure.hint.is_some() { failure } else { failure.hint(hint) };
                    problems.push(Finding::of_failure("image-archive", &failure));
                }
            }
        }
        archives
    }

    /// Whether the archive lists the image, be it usable or not.
    fn take(&self, archive: &Archive, reference: &ImageReference, survey: &mut Survey) -> bool {
        let found = archive.find(reference, self.machine).and_then(|found| {
            found.iter().try_for_each(|image| self.fits(image))?;
            Ok(found)
        });
        match found {
            Ok(Some(image)) => survey.found.push(image),
            Ok(None) => return false,
            Err(failure) => survey.problems.push(Finding::of_failure("image-unusable", &failure)),
        }
        true
    }

    /// An image of another architecture would be loaded without complaint and fail at its start.
    fn fits(&self, image: &SourceImage) -> Outcome<()> {
        let wanted = oci_arch(self.machine);
        if image.facts.os == "linux" && image.facts.architecture == wanted {
            return Ok(());
        }
        Err(Failure::usage(format!(
            "{} is for {}, not for linux/{wanted}",
            image.reference,
            image.facts.platform()
        ))
        .hint(format!("build or pull it with `--platform linux/{wanted}`, or set requirements.arch")))
    }
}

impl Survey {
    /// Asks the engine whether it has what no archive has. Only an engine that has all of it is kept.
    fn ask_engine(&mut self) {
        let asked = Engine::connect().and_then(|engine| Ok((engine.names()?, engine)));
        let (there, engine) = match asked {
            Ok(answer) => answer,
            Err(failure) => {
                let names = self.of_engine.iter().map(ImageReference::as_str).collect::<Vec<_>>().join(", ");
                let hint = "start Docker, or list these images with source = \"archive\" and a `path`";
                let failure =
                    Failure::new(format!("cannot take from an engine: {names}")).because(failure).hint(hint);
                self.problems.push(Finding::of_failure("engine-silent", &failure));
                return;
            }
        };
        let has = |reference: &ImageReference| {
            there.iter().any(|name| ImageReference::parse(name).is_ok_and(|name| name == *reference))
        };
        let missing: Vec<_> = self.of_engine.iter().filter(|reference| !has(reference)).cloned().collect();
        for reference in &missing {
            let place = format!("not in the engine at {}", engine.address());
            self.miss(reference, &near(&place, reference, &there));
        }
        self.engine = missing.is_empty().then_some(engine);
    }

    fn miss(&mut self, reference: &ImageReference, reason: &str) {
        self.problems.push(Finding::error("image-missing", format!("{reference}: {reason}"), MISSING));
    }
}

fn near(place: &str, reference: &ImageReference, names: &[String]) -> String {
    match nearest(reference.as_str(), names.iter().map(String::as_str)) {
        Some(near) => format!("{place}; did you mean {near}?"),
        None if names.is_empty() => format!("{place}, which has no images"),
        None => format!("{place}; there are {}", shortened(names)),
    }
}

fn shortened(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text.push_str(&format!(" and {} more", names.len() - SHOWN));
    }
    text
}
