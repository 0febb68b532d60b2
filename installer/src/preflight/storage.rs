//! Can the file systems hold what goes there: images, programs, data?

use std::collections::BTreeSet;
use std::path::Path;

use super::{Demand, Finding};
use crate::facts::{EngineChoice, EngineFacts, Facts, SYSTEM_PLACES};
use crate::layout::{EngineHome, SYSTEM_BIN};
use crate::text::finding::storage as text;

/// File systems on which overlay cannot write: remote ones, those without Unix permissions, and overlay itself.
const NO_IMAGES: [&str; 20] = [
    "9p", "aufs", "autofs", "cifs", "ecryptfs", "exfat", "fuseblk", "hfsplus", "iso9660", "msdos", "nfs",
    "nfs4", "ntfs", "ntfs3", "overlay", "ramfs", "smb3", "squashfs", "vboxsf", "vfat",
];

/// File systems that databases should not lie on.
const POOR: [&str; 14] = [
    "9p", "cifs", "exfat", "fuseblk", "hfsplus", "msdos", "nfs", "nfs4", "ntfs", "ntfs3", "smb3", "vboxsf",
    "vfat", "autofs",
];

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let storage = &facts.storage;
    let silent = |path: &Path| {
        Finding::fail("mount", text::mount_silent(&path.display().to_string()), text::mend_mount())
    };
    // What lies below a silent path is silent, too, and that is said once.
    let is_below = |path: &Path| storage.silent().any(|other| other != path && path.starts_with(other));
    let mut findings: Vec<_> = storage.silent().filter(|path| !is_below(path)).map(silent).collect();
    let is_private = demand.choice == EngineChoice::Private;
    let home = if is_private { EngineHome::private(demand.layout) } else { EngineHome::System };
    let installs = !matches!(facts.engine, EngineFacts::Running { .. } | EngineFacts::Remote(_));
    if installs {
        findings.extend(images(facts, &facts.project.data_root(&home), is_private));
    }
    let dir = &demand.layout.dir;
    if let Some(system) = storage.of(dir) {
        let (path, kind) = (dir.display().to_string(), system.kind.as_str());
        if POOR.contains(&kind) || kind.starts_with("fuse") {
            findings.push(
                Finding::warn(
                    "dir-filesystem",
                    text::kind_locks_badly(&path, kind),
                    text::choose_local_dir(),
                )
                .with(kind, None),
            );
        } else if matches!(kind, "tmpfs" | "ramfs") {
            findings.push(
                Finding::warn("dir-filesystem", text::kind_forgets(&path), text::choose_local_dir())
                    .with(kind, None),
            );
        }
    }
    let mut programs = vec![demand.layout.bin()];
    let mut written = Vec::new();
    if !is_private {
        written.push(Path::new(SYSTEM_BIN).to_owned());
    }
    if installs {
        programs.push(home.bin());
        if !is_private {
            written.extend(SYSTEM_PLACES.iter().map(|path| Path::new(path).to_owned()));
            written.push(home.bin());
        }
    }
    let mut told = BTreeSet::new();
    for path in programs {
        let Some(system) = storage.of(&path).filter(|system| system.no_exec) else { continue };
        if told.insert(system.mount_point.clone()) {
            let (shown, mount) = (path.display().to_string(), system.mount_point.display().to_string());
            let todo = if path.starts_with(dir) {
                text::remount_exec(&mount)
            } else {
                text::remount_exec_or_private(&mount)
            };
            findings.push(Finding::fail("noexec", text::no_exec(&shown), todo));
        }
    }
    let mut told = BTreeSet::new();
    for path in written {
        let Some(system) = storage.of(&path).filter(|system| system.read_only) else { continue };
        if told.insert(system.mount_point.clone()) {
            let (shown, mount) = (path.display().to_string(), system.mount_point.display().to_string());
            findings.push(Finding::fail(
                "read-only",
                text::place_read_only(&shown),
                text::remount_or_private(&mount),
            ));
        }
    }
    findings
}

/// Where the images of a new engine will lie.
fn images(facts: &Facts, root: &Path, is_private: bool) -> Option<Finding> {
    let system = facts.storage.of(root)?;
    let (path, mount) = (root.display().to_string(), system.mount_point.display().to_string());
    let kind = system.kind.as_str();
    let todo = || if is_private { text::choose_local_dir() } else { text::use_local_disk(&path) };
    Some(if NO_IMAGES.contains(&kind) || kind.starts_with("fuse.") {
        Finding::fail("filesystem", text::kind_unusable(&path, kind), todo()).with(kind, "ext4, xfs, btrfs")
    } else if system.lacks_d_type {
        Finding::fail("filesystem", text::lacks_d_type(&mount, kind), todo()).with("ftype=0", "ftype=1")
    } else if kind == "tmpfs" {
        Finding::warn("filesystem", text::kind_forgets(&path), todo()).with(kind, None)
    } else {
        Finding::pass("filesystem", text::kind_fits(&path, kind)).with(kind, None)
    })
}
