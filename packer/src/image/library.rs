//! All places in which images are looked for: the archives that the definition names, and a running engine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bundle_spec::reference::ImageReference;
use bundle_spec::suggest::nearest;

use crate::definition::{ImagePlace, ImageSource};
use crate::event::Emit;
use crate::image::archive::Archive;
use crate::image::engine::Engine;
use crate::image::tree::Tree;
use crate::image::{SourceImage, oci_arch};
use crate::outcome::{Failure, Outcome};

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

/// An image that could not be used, and why.
#[derive(Debug)]
pub struct Missing {
    /// Which image.
    pub reference: ImageReference,
    /// Why, for people.
    pub reason: String,
}

impl Library<'_> {
    /// Finds all `listed` images, and the `needed` ones that are not listed: in the archives, then in the engine.
    pub fn find(
        &self,
        listed: &[ImageSource],
        needed: &[ImageReference],
        emit: Emit<'_>,
    ) -> Outcome<Vec<SourceImage>> {
        let archives = self.open_archives(listed)?;
        let mut images = Vec::new();
        let mut missing = Vec::new();
        let mut of_engine: Vec<ImageReference> = Vec::new();
        for source in listed {
            match &source.place {
                ImagePlace::Engine => of_engine.push(source.reference.clone()),
                ImagePlace::Archive(path) => match archives.get(path) {
                    Some(archive) => {
                        self.take(archive, path, &source.reference, &mut images, &mut missing)?
                    }
                    None => return Err(Failure::new(format!("{} was not opened", path.display()))),
                },
            }
        }
        for reference in
            needed.iter().filter(|needed| listed.iter().all(|source| source.reference != **needed))
        {
            let mut found = None;
            for archive in archives.values() {
                found = found.or(archive.find(reference, self.machine)?);
            }
            match found {
                Some(image) => images.push(image),
                None => of_engine.push(reference.clone()),
            }
        }
        if !of_engine.is_empty() {
            self.take_from_engine(&of_engine, &mut images, &mut missing, emit)?;
        }
        if !missing.is_empty() {
            return Err(not_found(&missing));
        }
        images.iter().try_for_each(|image| self.fits(image))?;
        images.sort_by(|a, b| a.reference.as_str().cmp(b.reference.as_str()));
        Ok(images)
    }

    fn open_archives(&self, listed: &[ImageSource]) -> Outcome<BTreeMap<PathBuf, Archive>> {
        let mut archives = BTreeMap::new();
        for source in listed {
            if let ImagePlace::Archive(path) = &source.place
                && !archives.contains_key(path)
            {
                let tree = Tree::open(&self.root.join(path), self.spool).map_err(|failure| {
                    let hint = format!("check `path` of the image {} in the definition", source.reference);
                    if failure.hint.is_some() { failure } else { failure.hint(hint) }
                })?;
                archives.insert(path.clone(), Archive::of(tree)?);
            }
        }
        Ok(archives)
    }

    fn take(
        &self,
        archive: &Archive,
        path: &Path,
        reference: &ImageReference,
        images: &mut Vec<SourceImage>,
        missing: &mut Vec<Missing>,
    ) -> Outcome<()> {
        match archive.find(reference, self.machine)? {
            Some(image) => images.push(image),
            None => {
                let place = format!("not in {}", path.display());
                missing.push(Missing {
                    reference: reference.clone(),
                    reason: near(&place, reference, &archive.names()),
                });
            }
        }
        Ok(())
    }

    fn take_from_engine(
        &self,
        wanted: &[ImageReference],
        images: &mut Vec<SourceImage>,
        missing: &mut Vec<Missing>,
        emit: Emit<'_>,
    ) -> Outcome<()> {
        let names = wanted.iter().map(ImageReference::as_str).collect::<Vec<_>>().join(", ");
        let engine = Engine::connect().map_err(|failure| {
            let hint = "start Docker, or list these images with source = \"archive\" and a `path`";
            Failure::new(format!("cannot take from an engine: {names}")).because(failure).hint(hint)
        })?;
        let there = engine.names()?;
        let has = |reference: &&ImageReference| {
            there.iter().any(|name| ImageReference::parse(name).is_ok_and(|name| name == **reference))
        };
        for reference in wanted.iter().filter(|reference| !has(reference)) {
            let place = format!("not in the engine at {}", engine.address());
            missing.push(Missing { reference: reference.clone(), reason: near(&place, reference, &there) });
        }
        if !missing.is_empty() {
            return Ok(());
        }
        let tree = engine.export(wanted, self.spool, emit)?;
        let archive = Archive::of(tree)?;
        for reference in wanted {
            match archive.find(reference, self.machine)? {
                Some(image) => images.push(image),
                None => missing.push(Missing {
                    reference: reference.clone(),
                    reason: format!("the engine at {} did not export it", engine.address()),
                }),
            }
        }
        Ok(())
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

fn not_found(missing: &[Missing]) -> Failure {
    let list: Vec<_> =
        missing.iter().map(|image| format!("\n  {}: {}", image.reference, image.reason)).collect();
    Failure::usage(format!("images are missing:{}", list.concat()))
        .hint("build or pull them, or correct `reference`, `source` and `path` in the definition")
}
