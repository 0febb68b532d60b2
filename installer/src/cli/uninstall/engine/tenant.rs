//! Looks at whose an engine is and what it may hold, without asking it: from processes, command lines and its directory. Nothing is
//! changed here.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::facts::inventory::system_data_root;
use crate::host::{file, process};
use crate::layout::EngineHome;
use crate::outcome::{Failure, Outcome};
use crate::text::finding;

/// Who has what all engines of a host share: data root, socket, group, packet filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tenant {
    /// Our engine runs.
    Us,
    /// No engine runs there, and none is installed but ours.
    Nobody,
    /// Somebody has installed another one.
    Another,
}

/// Where an engine keeps its data: the host's one where an operator has said so.
///
/// # Errors
/// When that cannot be read.
pub(super) fn data_root(home: &EngineHome) -> Outcome<PathBuf> {
    let config = home.config().display().to_string();
    match home {
        EngineHome::System => system_data_root().map_err(|why| {
            Failure::midway(finding::config_unreadable(&config, &why)).todo(finding::mend_config(&config))
        }),
        EngineHome::Private(_) => Ok(home.data_root()),
    }
}

/// Who has it now.
pub(super) fn tenant(home: &EngineHome) -> Tenant {
    let is_installed = || process::find("dockerd").is_some();
    // Where nobody can tell, nobody's engine starts either.
    let root = data_root(home).unwrap_or_else(|_| home.data_root());
    if process::find_running(&home.bin().join("dockerd")).is_some() {
        Tenant::Us
    } else if is_installed() || process::command_lines("dockerd").iter().any(|line| uses(line, &root)) {
        Tenant::Another
    } else {
        Tenant::Nobody
    }
}

/// Whether a dockerd with this command line keeps its data there: one that is told no place, there or in its configuration, does.
fn uses(line: &[String], data_root: &Path) -> bool {
    let told = option(line, &["--data-root", "--graph", "-g"]).or_else(|| {
        let config = file::read_text(Path::new(&option(line, &["--config-file"])?)).ok()??;
        let config: serde_json::Value = serde_json::from_str(&config).ok()?;
        Some(config["data-root"].as_str()?.to_owned())
    });
    told.is_none_or(|place| Path::new(&place) == data_root)
}

/// What a command line gives for any of these names of one option.
fn option(line: &[String], names: &[&str]) -> Option<String> {
    let value = |(position, word): (usize, &String)| match word.split_once('=') {
        Some((name, value)) if names.contains(&name) => Some(value.to_owned()),
        None if names.contains(&word.as_str()) => line.get(position + 1).cloned(),
        _ => None,
    };
    line.iter().enumerate().find_map(value)
}

/// Whether an engine has nothing that anybody could miss, as it lies on disk; what cannot be read may have something.
pub(super) fn is_vacant(home: &EngineHome) -> bool {
    data_root(home).is_ok_and(|root| has_nothing(&root))
}

fn has_nothing(data_root: &Path) -> bool {
    let folders =
        ["containers", "volumes", "swarm", "containerd/daemon/io.containerd.content.v1.content/blobs/sha256"];
    let is_empty = |folder: &Path| match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().all(|entry| !entry.path().is_dir() && is_own_note(&entry.path())),
        Err(error) => error.kind() == ErrorKind::NotFound,
    };
    let drivers: Vec<_> = match std::fs::read_dir(data_root.join("image")) {
        Ok(drivers) => drivers.flatten().collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
        Err(_) => return false,
    };
    let images = drivers.iter().map(|driver| driver.path().join("imagedb/content/sha256"));
    folders.iter().map(|folder| data_root.join(folder)).chain(images).all(|folder| is_empty(&folder))
}

/// What an engine puts beside volumes without anybody having made one.
fn is_own_note(path: &Path) -> bool {
    path.file_name().is_some_and(|name| ["metadata.db", "backingFsBlockDev"].iter().any(|note| name == *note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_told_no_place_has_the_hosts() {
        let uses = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            uses(&words, Path::new("/var/lib/docker"))
        };
        for line in [
            "dockerd",
            "dockerd -H fd://",
            "dockerd --data-root /var/lib/docker",
            "dockerd -g=/var/lib/docker",
        ] {
            assert!(uses(line), "{line}");
        }
        for line in
            ["dockerd --data-root /opt/shop/engine/data", "dockerd --data-root=/srv/x", "dockerd --graph /x"]
        {
            assert!(!uses(line), "{line}");
        }
        // As a private engine of ours is started.
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("daemon.json");
        std::fs::write(&config, r#"{"data-root": "/opt/shop/engine/data"}"#).unwrap();
        assert!(!uses(&format!("dockerd --config-file {}", config.display())));
        std::fs::write(&config, "{}").unwrap();
        assert!(uses(&format!("dockerd --config-file {}", config.display())));
    }

    #[test]
    fn a_directory_is_vacant_without_containers_volumes_and_images() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("docker");
        assert!(has_nothing(&root), "none is there");
        for made in
            ["containers", "volumes", "image/overlay2/imagedb/content/sha256", "buildkit", "network/files"]
        {
            std::fs::create_dir_all(root.join(made)).unwrap();
        }
        std::fs::write(root.join("volumes/metadata.db"), "x").unwrap();
        assert!(has_nothing(&root), "an engine was started once");
        let something = [
            "containers/abc/config.v2.json",
            "volumes/data/_data/x",
            "image/overlay2/imagedb/content/sha256/abc",
            "containerd/daemon/io.containerd.content.v1.content/blobs/sha256/abc",
        ];
        for path in something {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, "x").unwrap();
            assert!(!has_nothing(&root), "{}", path.display());
            std::fs::remove_file(&path).unwrap();
            let parent = path.parent().unwrap();
            if parent.ends_with("abc") || parent.ends_with("_data") {
                std::fs::remove_dir_all(root.join("containers/abc")).ok();
                std::fs::remove_dir_all(root.join("volumes/data")).ok();
            }
            assert!(has_nothing(&root), "{}", path.display());
        }
    }
}
