//! Images as an engine knows them: which there are, whether they have a name, and what holds them.
//!
//! Not here: how they get in (`import`, `load`).

use std::collections::HashMap;

use bollard::query_parameters as query;
use bundle_spec::digest::Digest;
use bundle_spec::reference::ImageReference;

use super::{Engine, EngineError, PATIENT, is_conflict, is_not_found, status};

/// Label of the containers that hold images; its value is the application.
const HELD: &str = "airlift.held-by";

/// An image as an engine knows it.
#[derive(Clone, Debug)]
pub struct PresentImage {
    /// The engine's own identifier; its meaning depends on the store.
    pub id: String,
    /// Diff IDs from the bottom: the identity that all stores agree on.
    pub diff_ids: Vec<Digest>,
    /// References that point to it.
    pub tags: Vec<ImageReference>,
}

impl Engine {
    /// The image behind a reference or identifier, if it is there.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn image(&self, reference: &str) -> Result<Option<PresentImage>, EngineError> {
        match self.ask("inspect image", self.quick.inspect_image(reference)) {
            Ok(image) => Ok(Some(present(image))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All images, intermediate ones included: what layers the engine has can only be learnt from them. One that the engine
    /// cannot describe is left out, and does not hide the others.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn images(&self) -> Result<Vec<PresentImage>, EngineError> {
        let options = query::ListImagesOptions { all: true, ..Default::default() };
        let list = self.ask("list images", self.quick.list_images(Some(options)))?;
        let mut images = Vec::new();
        for summary in list {
            match self.image(&summary.id) {
                // One that vanishes between the two requests is simply not there.
                Ok(image) => images.extend(image),
                // Damaged, or half removed. Its names are known, and are not ours to take away.
                Err(error) if status(&error).is_some() => images.push(undescribed(summary)),
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }

    /// Identifiers of all images with a label, those without a name included.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn image_ids(&self, label: &str) -> Result<Vec<String>, EngineError> {
        let filters = Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])]));
        let options = query::ListImagesOptions { all: true, filters, ..Default::default() };
        let list = self.ask("list images", self.quick.list_images(Some(options)))?;
        Ok(list.into_iter().map(|image| image.id).collect())
    }

    /// Removes a reference, and the image with the last one. One that is not there, or in use, is left.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        let options = query::RemoveImageOptions::default();
        match self.ask_within(
            PATIENT,
            "remove image",
            self.patient.remove_image(reference, Some(options), None),
        ) {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) || is_conflict(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gives an image a name, which another one loses if it had it. `false` when there is no such image.
    ///
    /// # Errors
    /// When the engine refuses or does not answer.
    pub fn tag_image(&self, id: &str, name: &ImageReference) -> Result<bool, EngineError> {
        let options = query::TagImageOptions {
            repo: Some(name.repository().to_owned()),
            tag: Some(name.tag().to_owned()),
        };
        match self.ask("tag image", self.quick.tag_image(id, Some(options))) {
            Ok(()) => Ok(true),
            Err(error) if is_not_found(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an image has a name, be it a tag or a digest of a registry; `None` when there is no such image.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn is_named(&self, id: &str) -> Result<Option<bool>, EngineError> {
        // As the engine writes them: also a name that we would not take is one that somebody gave.
        let has_any = |names: Option<Vec<String>>| names.is_some_and(|names| !names.is_empty());
        match self.ask("inspect image", self.quick.inspect_image(id)) {
            Ok(image) => Ok(Some(has_any(image.repo_tags) || has_any(image.repo_digests))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a container of an image, which never runs: proof that its top layer is really there, which neither an exit
    /// code nor a "Loaded image" line is (the containerd store reports unpack errors as text and success). It stays until
    /// [`Engine::release_images`]: an image that has a container survives an `image prune` beside us.
    ///
    /// # Errors
    /// When the engine cannot make a container of it.
    pub fn hold_image(&self, image: &str, app: &str) -> Result<(), EngineError> {
        let body = bollard::models::ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["/airlift-proof".to_owned()]),
            labels: Some(HashMap::from([(HELD.to_owned(), app.to_owned())])),
            network_disabled: Some(true),
            ..Default::default()
        };
        let create = self.patient.create_container(None::<query::CreateContainerOptions>, body);
        self.ask_within(PATIENT, "create container", create)?;
        Ok(())
    }

    /// Whether a container was made from an image, or from one that is built upon it; one that has ended counts.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn is_used(&self, id: &str) -> Result<bool, EngineError> {
        let filters = Some(HashMap::from([("ancestor".to_owned(), vec![id.to_owned()])]));
        let options = query::ListContainersOptions { all: true, filters, ..Default::default() };
        let users = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        Ok(!users.is_empty())
    }

    /// Removes the containers that held images of an application, those of killed runs included: all whose image's identifier
    /// is meant.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn release_images(&self, app: &str, is_meant: impl Fn(&str) -> bool) -> Result<(), EngineError> {
        let options = query::ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![format!("{HELD}={app}")])])),
            ..Default::default()
        };
        let held = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let meant = held.into_iter().filter(|held| is_meant(held.image_id.as_deref().unwrap_or_default()));
        meant.filter_map(|held| held.id).try_for_each(|id| self.remove_container(&id))
    }
}

fn present(image: bollard::models::ImageInspect) -> PresentImage {
    let layers = image.root_fs.and_then(|root| root.layers).unwrap_or_default();
    let tags = image.repo_tags.unwrap_or_default();
    PresentImage {
        id: image.id.unwrap_or_default(),
        diff_ids: layers.iter().filter_map(|layer| layer.parse().ok()).collect(),
        tags: tags.iter().filter_map(|tag| ImageReference::parse(tag).ok()).collect(),
    }
}

/// What the list alone says of an image.
fn undescribed(summary: bollard::models::ImageSummary) -> PresentImage {
    PresentImage {
        id: summary.id,
        diff_ids: Vec::new(),
        tags: summary.repo_tags.iter().filter_map(|tag| ImageReference::parse(tag).ok()).collect(),
    }
}
