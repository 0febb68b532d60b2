//! Containers that an engine was killed while it made them. It has forgotten them, and its containerd keeps what they stood on, for
//! ever: images that are removed would leave their layers. Nobody but the engine knows its containers, but each has a lease.
//!
//! Not here: leases of requests, which end by themselves (`leases`).

use std::collections::HashSet;

use bundle_spec::digest::chain_ids;
use bundle_spec::index::Content;

use crate::containerd::{Containerd, ContainerdError};
use crate::engine::Engine;
use crate::engine::description::ContainerdAccess;
use crate::host::process;

/// Lets go of containers upon images of this bundle that the engine does not know, that are older than it, and that nothing was ever
/// written in: an operator may still know those that ran. An engine that does not answer keeps all.
///
/// # Errors
/// When containerd does not answer or refuses.
pub fn let_go(access: &ContainerdAccess, engine: &Engine, content: &Content) -> Result<(), ContainerdError> {
    // One that is being made is not known yet, and is younger than its engine.
    let Some(started) = process::listener_started(engine.socket(), "dockerd") else { return Ok(()) };
    let containerd = Containerd::connect(&access.socket, &access.namespace)?;
    let place = Place { containerd: &containerd, snapshotter: &access.snapshotter };
    for lease in unknown_to(engine, containerd.container_leases(started)?) {
        if place.stands_on(&lease, content)? && place.is_untouched(&lease)? {
            containerd.delete_lease(&lease)?;
        }
    }
    Ok(())
}

/// The leases of containers that the engine does not know.
fn unknown_to(engine: &Engine, mut leases: Vec<String>) -> Vec<String> {
    match engine.container_ids() {
        Ok(known) => leases.retain(|lease| !known.contains(lease)),
        Err(_) => leases.clear(),
    }
    leases
}

/// Where containers' snapshots are.
struct Place<'c> {
    containerd: &'c Containerd,
    snapshotter: &'c str,
}

impl Place<'_> {
    /// Whether what a lease holds lies right above an image of this bundle.
    fn stands_on(&self, lease: &str, content: &Content) -> Result<bool, ContainerdError> {
        let tops = content.images.iter().filter_map(|image| chain_ids(&image.diff_ids()).last().copied());
        let tops: HashSet<String> = tops.map(|chain| chain.to_string()).collect();
        let kind = format!("snapshots/{}", self.snapshotter);
        for (_, key) in self.containerd.held_by(lease)?.into_iter().filter(|(held, _)| *held == kind) {
            let parent = self.containerd.snapshot_parent(self.snapshotter, &key)?;
            if parent.is_some_and(|parent| tops.contains(&parent)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the container that bears this ID has no file of its own: its snapshot is called as it is, and has at most its own folder.
    fn is_untouched(&self, id: &str) -> Result<bool, ContainerdError> {
        if self.containerd.snapshot_parent(self.snapshotter, id)?.is_none() {
            return Ok(true);
        }
        Ok(self.containerd.snapshot_inodes(self.snapshotter, id)? <= 1)
    }
}
