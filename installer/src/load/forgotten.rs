//! Containers that an engine was killed while it made them. It has forgotten them, and its containerd keeps what they stood on, for
//! ever: images that are removed would leave their layers. Nobody but the engine knows its containers, but each has a lease.
//!
//! Not here: leases of requests, which end by themselves (`leases`).

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use bundle_spec::digest::chain_ids;
use bundle_spec::index::Content;

use crate::containerd::{Containerd, ContainerdError};
use crate::engine::Engine;
use crate::engine::description::ContainerdAccess;

/// A lease is made right before its container. When it is so old, the engine knows the container or never will.
const MADE_BY_THEN: Duration = Duration::from_secs(10);

/// Whether to wait until what is too young to be judged is old enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// What is young is left to the next one who looks.
    None,
    /// Some seconds, where anything is in doubt.
    ToJudgeAll,
}

/// Lets go of containers upon images of this bundle that the engine does not know. An engine that does not answer keeps all.
///
/// # Errors
/// When containerd does not answer or refuses.
pub fn let_go(
    access: &ContainerdAccess,
    engine: &Engine,
    content: &Content,
    patience: Patience,
) -> Result<(), ContainerdError> {
    let containerd = Containerd::connect(&access.socket, &access.namespace)?;
    let now = SystemTime::now();
    let mut found = Vec::new();
    for lease in unknown_to(engine, containerd.container_leases(now)?) {
        if stands_on(&containerd, access, &lease, content)? {
            found.push(lease);
        }
    }
    let old = containerd.container_leases(now - MADE_BY_THEN)?;
    if found.iter().any(|lease| !old.contains(lease)) {
        match patience {
            Patience::None => found.retain(|lease| old.contains(lease)),
            Patience::ToJudgeAll => {
                std::thread::sleep(MADE_BY_THEN);
                found = unknown_to(engine, found);
            }
        }
    }
    found.iter().try_for_each(|lease| containerd.delete_lease(lease))
}

/// The leases of containers that the engine does not know.
fn unknown_to(engine: &Engine, mut leases: Vec<String>) -> Vec<String> {
    match engine.container_ids() {
        Ok(known) => leases.retain(|lease| !known.contains(lease)),
        Err(_) => leases.clear(),
    }
    leases
}

/// Whether what a lease holds lies right above an image of this bundle.
fn stands_on(
    containerd: &Containerd,
    access: &ContainerdAccess,
    lease: &str,
    content: &Content,
) -> Result<bool, ContainerdError> {
    let tops = content.images.iter().filter_map(|image| chain_ids(&image.diff_ids()).last().copied());
    let tops: HashSet<String> = tops.map(|chain| chain.to_string()).collect();
    let kind = format!("snapshots/{}", access.snapshotter);
    for (_, key) in containerd.held_by(lease)?.into_iter().filter(|(held, _)| *held == kind) {
        if containerd.snapshot_parent(&access.snapshotter, &key)?.is_some_and(|parent| tops.contains(&parent))
        {
            return Ok(true);
        }
    }
    Ok(false)
}
