//! Looks at what is there already: images and containers in the engine, the project directory.

use std::path::{Path, PathBuf};

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Index;

use super::{EngineFacts, Inventory, ProjectFacts, Scope};
use crate::containerd::Containerd;
use crate::engine::{Engine, Store};
use crate::host::process;
use crate::layout::{EngineHome, Layout, SYSTEM_UNIT};
use crate::receipt::{self, Receipt};

/// What is in the engine. An engine that stops answering meanwhile has nothing, and loading will say so.
pub fn collect(engine: &EngineFacts, project: &str, index: &Index) -> Inventory {
    let EngineFacts::Running { socket, description } = engine else { return Inventory::default() };
    let Ok(connection) = Engine::connect(socket) else { return Inventory::default() };
    let mut inventory = Inventory {
        images: images(&connection, index),
        containers: connection.containers(project).unwrap_or_default(),
        ..Inventory::default()
    };
    if let Some(access) = &description.containerd
        && let Ok(containerd) = Containerd::connect(&access.socket, &access.namespace)
    {
        // The namespace decides, not the disk: what another one has is not the engine's.
        let blobs = index.content.images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob);
        let has_blob = |blob: &Digest| containerd.has_blob(blob).unwrap_or(false);
        inventory.blobs = blobs.filter(has_blob).collect();
        let chains = index.content.images.iter().flat_map(|image| chain_ids(&image.diff_ids()));
        let has = |chain: &Digest| containerd.has_snapshot(&access.snapshotter, chain).unwrap_or(false);
        inventory.chains = chains.filter(has).collect();
    } else if description.store == Store::Containerd {
        let content =
            description.containerd_root.clone().join("io.containerd.content.v1.content/blobs/sha256");
        let is_there = |blob: &&bundle_spec::index::Blob| {
            content.join(blob.digest.hex()).metadata().is_ok_and(|metadata| metadata.len() == blob.len)
        };
        inventory.blobs = index.place.blobs.iter().filter(is_there).map(|blob| blob.digest).collect();
    }
    inventory
}

/// The images of the bundle if all are there (one request each), else all images, since any may share layers.
fn images(connection: &Engine, index: &Index) -> Vec<crate::engine::PresentImage> {
    let wanted = &index.content.images;
    let present: Vec<_> =
        wanted.iter().filter_map(|image| connection.image(image.reference.as_str()).ok().flatten()).collect();
    let all_there = present.len() == wanted.len()
        && wanted.iter().zip(&present).all(|(image, found)| image.diff_ids() == found.diff_ids);
    if all_there { present } else { connection.images().unwrap_or_default() }
}

/// What is in the project directory.
pub fn project(scope: &Scope<'_>) -> ProjectFacts {
    let (receipt, receipt_error) = match Receipt::read(&scope.layout.receipt()) {
        Ok(receipt) => (receipt, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let entries = std::fs::read_dir(&scope.layout.dir).map(|entries| entries.flatten().collect::<Vec<_>>());
    // The lock and its folder alone are what a run leaves that ended before it changed anything; a new file system has
    // its own folder for lost files.
    let counts = |name: &std::ffi::OsStr| name != bundle_spec::path::STATE_DIR && name != "lost+found";
    let is_occupied = entries.is_ok_and(|entries| entries.iter().any(|entry| counts(&entry.file_name())));
    let (configured_root, config_error) = system_config();
    let prior = configured_root.clone().unwrap_or_else(|| EngineHome::System.data_root()).join("image");
    ProjectFacts {
        is_occupied,
        own_engine: receipt.as_ref().and_then(|receipt| receipt.own_engine().cloned()),
        has_prior_images: std::fs::read_dir(prior).is_ok_and(|mut entries| entries.next().is_some()),
        configured_root,
        config_error,
        other_command: other_command(scope.app),
        receipt,
        receipt_error,
        control_link: std::fs::read_link(Layout::control_link(scope.app)).ok(),
        foreign_unit: foreign_unit(),
    }
}

/// The data root that the system's configuration names, and what is wrong with that configuration.
fn system_config() -> (Option<PathBuf>, Option<String>) {
    let text = std::fs::read_to_string(EngineHome::System.config()).unwrap_or_default();
    if text.trim().is_empty() {
        return (None, None);
    }
    match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&text) {
        Ok(config) => (config.get("data-root").and_then(serde_json::Value::as_str).map(PathBuf::from), None),
        Err(error) => (None, Some(error.to_string())),
    }
}

/// Another program under the name of `<app>ctl`: an application called `system` must not stand before `systemctl`.
fn other_command(app: &str) -> Option<PathBuf> {
    let link = Layout::control_link(app);
    let is_link = link.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let found = process::find(&format!("{app}ctl")).filter(|path| *path != link || !is_link);
    found.or_else(|| (link.symlink_metadata().is_ok() && !is_link).then_some(link))
}

/// A `docker.service` that Airlift did not write.
fn foreign_unit() -> Option<std::path::PathBuf> {
    let path = Path::new(SYSTEM_UNIT);
    let text = std::fs::read_to_string(path).ok()?;
    (!text.contains(receipt::MARK)).then(|| path.to_owned())
}
