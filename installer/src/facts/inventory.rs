//! Looks at what is there already: images and containers in the engine, the project directory.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Index;
use serde_json::{Map, Value};

use super::bounded;
use super::route::Net;
use super::{AddressPools, EngineFacts, Inventory, ProjectFacts, Scope, writers};
use crate::containerd::{Containerd, ContainerdError, QUICK_ANSWER};
use crate::engine::{Engine, EngineError, PresentImage, Store};
use crate::host::process;
use crate::layout::{EngineHome, Layout, SYSTEM_UNIT};
use crate::receipt::{self, Receipt};

/// What is in the engine. Of an engine that stops answering meanwhile nothing is known, and loading will say so.
pub fn collect(engine: &EngineFacts, project: &str, index: &Index) -> Inventory {
    let EngineFacts::Running { socket, description } = engine else { return Inventory::default() };
    let unknown =
        |error: EngineError| Inventory { images_error: Some(error.to_string()), ..Inventory::default() };
    let connection = match Engine::connect(socket) {
        Ok(connection) => connection,
        Err(error) => return unknown(error),
    };
    let mut inventory = Inventory {
        containers: connection.containers(project).unwrap_or_default(),
        volumes: connection.volumes(project).unwrap_or_default(),
        // Only names that the project fixes can be taken already.
        names: match index.content.project.footprint.container_names.is_empty() {
            true => Vec::new(),
            false => connection.container_names().unwrap_or_default(),
        },
        ..images(&connection, index)
            .map_or_else(unknown, |images| Inventory { images, ..Inventory::default() })
    };
    if let Some(access) = &description.containerd
        && let Ok(containerd) = Containerd::connect(&access.socket, &access.namespace)
    {
        // The namespace decides, not the disk: what another one has is not the engine's.
        let containerd = containerd.answering_within(QUICK_ANSWER);
        let blobs = index.content.images.iter().flat_map(|image| &image.layers).map(|layer| layer.blob);
        inventory.blobs = present(blobs, |blob| containerd.has_blob(blob));
        let chains = index.content.images.iter().flat_map(|image| chain_ids(&image.diff_ids()));
        inventory.chains = present(chains, |chain| containerd.has_snapshot(&access.snapshotter, chain));
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

/// Those that are there, up to the first one of which nothing can be learnt: what comes after it would be waited for as long.
fn present(
    all: impl Iterator<Item = Digest>,
    is_there: impl Fn(&Digest) -> Result<bool, ContainerdError>,
) -> HashSet<Digest> {
    let known = all.map_while(|digest| is_there(&digest).ok().map(|is_there| (digest, is_there)));
    known.filter(|(_, is_there)| *is_there).map(|(digest, _)| digest).collect()
}

/// The images of the bundle if all are there (one request each), else all images, since any may share layers.
fn images(connection: &Engine, index: &Index) -> Result<Vec<PresentImage>, EngineError> {
    let wanted = &index.content.images;
    let present: Vec<_> =
        wanted.iter().filter_map(|image| connection.image(image.reference.as_str()).ok().flatten()).collect();
    let all_there = present.len() == wanted.len()
        && wanted.iter().zip(&present).all(|(image, found)| image.diff_ids() == found.diff_ids);
    if all_there { Ok(present) } else { connection.images() }
}

/// What is in the project directory.
pub fn project(scope: &Scope<'_>) -> ProjectFacts {
    let (receipt, receipt_error, is_occupied) =
        if scope.is_silent { (None, None, false) } else { directory(scope.layout) };
    let (config, config_error) = system_config();
    let configured_root = root_in(&config);
    let prior = configured_root.clone().unwrap_or_else(|| EngineHome::System.data_root()).join("image");
    let writable = if scope.is_silent { Vec::new() } else { writers::collect(&scope.layout.dir) };
    ProjectFacts {
        is_occupied,
        writable,
        own_engine: receipt.as_ref().and_then(|receipt| receipt.own_engine().cloned()),
        has_prior_images: std::fs::read_dir(prior).is_ok_and(|mut entries| entries.next().is_some()),
        address_pools: address_pools(&config),
        configured_root,
        config_error,
        other_command: other_command(scope.app),
        receipt,
        receipt_error,
        control_link: std::fs::read_link(Layout::control_link(scope.app)).ok(),
        foreign_unit: foreign_unit(),
    }
}

/// The record of an earlier run there, why it cannot be read, and whether anything is there.
fn directory(layout: &Layout) -> (Option<Receipt>, Option<String>, bool) {
    let state = layout.state();
    let read = || match state.is_symlink() {
        true => Err(std::io::Error::other("its folder is a symbolic link")),
        false => Receipt::read(&layout.receipt()),
    };
    let (receipt, receipt_error) = match read() {
        Ok(receipt) => (receipt, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let entries = std::fs::read_dir(&layout.dir).map(|entries| entries.flatten().collect::<Vec<_>>());
    // The lock and its folder alone are what a run leaves that ended before it changed anything; a new file system has
    // its own folder for lost files.
    let counts = |name: &std::ffi::OsStr| name != bundle_spec::path::STATE_DIR && name != "lost+found";
    let is_occupied = entries.is_ok_and(|entries| entries.iter().any(|entry| counts(&entry.file_name())));
    (receipt, receipt_error, is_occupied)
}

/// Where the system's engine keeps its data: where its configuration says, or where it does without one.
///
/// # Errors
/// Why the configuration cannot be understood, where there is one.
pub fn system_data_root() -> Result<PathBuf, String> {
    let (config, error) = system_config();
    error.map_or_else(|| Ok(root_in(&config).unwrap_or_else(|| EngineHome::System.data_root())), Err)
}

fn root_in(config: &Map<String, Value>) -> Option<PathBuf> {
    config.get("data-root").and_then(Value::as_str).map(PathBuf::from)
}

/// The system's configuration of an engine, and what is wrong with it.
fn system_config() -> (Map<String, Value>, Option<String>) {
    let path = EngineHome::System.config();
    let Some(text) = bounded::text(&path) else {
        // A link to nowhere, or something that is no file: the engine would not start with it.
        let is_there = path.symlink_metadata().is_ok();
        return (Map::new(), is_there.then(|| "cannot read the file".to_owned()));
    };
    if text.trim().is_empty() {
        return (Map::new(), None);
    }
    // What is not text reads as if it were; only the look at the bytes tells.
    if let Err(error) = std::fs::read_to_string(&path) {
        return (Map::new(), Some(error.to_string()));
    }
    match serde_json::from_str(&text) {
        Ok(config) => (config, None),
        Err(error) => (Map::new(), Some(error.to_string())),
    }
}

fn address_pools(config: &Map<String, Value>) -> AddressPools {
    let pools = config.get("default-address-pools").and_then(Value::as_array).into_iter().flatten();
    let net = |pool: &Value| {
        let base = Net::parse(pool.get("base")?.as_str()?)?;
        Some((base, u8::try_from(pool.get("size")?.as_u64()?).ok()?))
    };
    AddressPools {
        bridge: config.get("bip").and_then(Value::as_str).and_then(Net::parse),
        nets: pools.filter_map(net).collect(),
    }
}

/// Another program under the name of `<app>ctl`: an application called `system` must not stand before `systemctl`.
fn other_command(app: &str) -> Option<PathBuf> {
    let link = Layout::control_link(app);
    // It leads to the project directory, wherever that lies.
    let command = format!("{app}ctl");
    let found = bounded::one(move || process::find(&command)).flatten();
    let is_link = link.symlink_metadata().is_ok_and(|metadata| metadata.is_symlink());
    let found = found.filter(|path| *path != link || !is_link);
    found.or_else(|| (link.symlink_metadata().is_ok() && !is_link).then_some(link))
}

/// A `docker.service` that Airlift did not write.
fn foreign_unit() -> Option<std::path::PathBuf> {
    let path = Path::new(SYSTEM_UNIT);
    let text = bounded::text(path)?;
    (!text.contains(receipt::MARK)).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operators_networks_are_read() {
        let config = serde_json::json!({
            "bip": "10.9.0.1/24",
            "default-address-pools": [{"base": "10.10.0.0/16", "size": 24}, {"base": "nonsense", "size": 24}],
        });
        let pools = address_pools(config.as_object().unwrap());
        assert_eq!(pools.bridge.unwrap().to_string(), "10.9.0.0/24");
        assert_eq!(pools.nets, [(Net::parse("10.10.0.0/16").unwrap(), 24)]);
        assert_eq!(address_pools(&Map::new()), AddressPools::default());
    }
}
