//! Leases in containerd that dead runs have left: ours, and those that the engine made for their requests.
//!
//! Not here: the lease of a run that goes on (`snapshot`).

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use bundle_spec::digest::{Digest, chain_ids};
use bundle_spec::index::Content;

use super::stream;
use crate::containerd::{Containerd, ContainerdError};
use crate::engine::description::ContainerdAccess;

/// Ends what all runs of an application have left, where no other run of it goes on, and what the engine's requests from before
/// `since` have.
///
/// # Errors
/// When containerd does not answer or refuses.
pub fn release(
    access: &ContainerdAccess,
    content: &Content,
    since: SystemTime,
) -> Result<(), ContainerdError> {
    end(&Containerd::connect(&access.socket, &access.namespace)?, content, since)
}

/// Ends the leases of all runs of an application, and those of the engine from before `since` that hold nothing but what this
/// bundle brings.
///
/// A load whose client died leaves its lease for a day: containerd's client ends it with the request's context, which is cancelled
/// by then (`Import` and `WithLease` in its `client`). So long nothing goes that came with it, whoever removes the image.
///
/// # Errors
/// When containerd refuses.
pub(super) fn end(
    containerd: &Containerd,
    content: &Content,
    since: SystemTime,
) -> Result<(), ContainerdError> {
    let brought = Brought::of(content);
    let mut dead = Vec::new();
    let mut perhaps = Vec::new();
    for lease in containerd.foreign_leases(since)? {
        let held = containerd.held_by(&lease)?;
        if brought.is_all(&held) {
            let blobs: Vec<_> =
                held.into_iter().filter(|(kind, _)| kind == INGEST).map(|(_, id)| id).collect();
            if blobs.is_empty() { dead.push(lease) } else { perhaps.push((lease, blobs)) }
        }
    }
    // Somebody may be loading just our layers at this moment; then one of its blobs goes on.
    if !perhaps.is_empty() {
        let before = containerd.being_written()?;
        if perhaps.iter().flat_map(|(_, blobs)| blobs).any(|blob| before.contains_key(blob)) {
            std::thread::sleep(A_WHILE);
        }
        let after = containerd.being_written()?;
        let goes_on = |blob: &String| after.contains_key(blob) && before.get(blob) != after.get(blob);
        let stands = perhaps.into_iter().filter(|(_, blobs)| !blobs.iter().any(goes_on));
        dead.extend(stands.map(|(lease, _)| lease));
    }
    dead.iter().try_for_each(|lease| containerd.delete_lease(lease))?;
    containerd.leases(&content.app.name)?.iter().try_for_each(|lease| containerd.delete_lease(lease))
}

/// What a lease says of a blob that is on its way.
const INGEST: &str = "ingests";
/// In so long a time a load that goes on has written something.
const A_WHILE: Duration = Duration::from_secs(2);

/// Everything that loading the images of a bundle makes in containerd.
struct Brought {
    blobs: HashSet<String>,
    chains: HashSet<String>,
}

impl Brought {
    fn of(content: &Content) -> Self {
        let blobs = content.images.iter().flat_map(|image| {
            let documents = [image.manifest, image.config, Digest::of(&stream::index_json(image))];
            documents.into_iter().chain(image.layers.iter().map(|layer| layer.blob))
        });
        let chains = content.images.iter().flat_map(|image| chain_ids(&image.diff_ids()));
        Self {
            blobs: blobs.map(|digest| digest.to_string()).collect(),
            chains: chains.map(|chain| chain.to_string()).collect(),
        }
    }

    /// Whether something of it is ours and nothing somebody else's. Nothing is not: a lease that has just been made holds nothing yet.
    fn is_all(&self, held: &[(String, String)]) -> bool {
        let whose: Vec<_> = held.iter().map(|(kind, id)| self.whose(kind, id)).collect();
        whose.contains(&Whose::Ours) && !whose.contains(&Whose::Others)
    }

    fn whose(&self, kind: &str, id: &str) -> Whose {
        let is_ours = match kind {
            "content" => self.blobs.contains(id),
            // A blob on its way is called by its place in what was sent (`ImportIndex` in containerd's `core/images/archive`). It stays
            // in the lease when the request dies, whether or not anything of the blob has stayed.
            INGEST => match id.strip_prefix("tar-blobs/sha256/") {
                Some(hex) => self.blobs.contains(&format!("sha256:{hex}")),
                None if id == "tar-index.json" => return Whose::Anybodys,
                None => false,
            },
            // A snapshot is called by its chain ID, one that is being unpacked `extract-<time>-<random> <chain ID>`.
            _ if kind.starts_with("snapshots/") => {
                id.rsplit(' ').next().is_some_and(|id| self.chains.contains(id))
            }
            _ => false,
        };
        if is_ours { Whose::Ours } else { Whose::Others }
    }
}

/// By whom something that a lease holds was brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
    /// Every request has one of that name.
    Anybodys,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_bundle_brings_and_nothing_else_is_let_go() {
        let brought =
            Brought { blobs: ["sha256:aa".to_owned()].into(), chains: ["sha256:bb".to_owned()].into() };
        let is_all = |held: &[(&str, &str)]| {
            let held: Vec<_> = held.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect();
            brought.is_all(&held)
        };
        let (blob, unpacked) = (("content", "sha256:aa"), ("snapshots/overlayfs", "sha256:bb"));
        let extracted = ("snapshots/overlayfs", "extract-1712-x7Qb sha256:bb");
        let (on_its_way, index) = (("ingests", "tar-blobs/sha256/aa"), ("ingests", "tar-index.json"));
        let all = [
            &[blob][..],
            &[unpacked],
            &[blob, unpacked, extracted],
            &[blob, on_its_way],
            &[on_its_way, index],
        ];
        for held in all {
            assert!(is_all(held), "{held:?}");
        }
        let others = [
            ("content", "sha256:cc"),
            ("content", "sha256:bb"),
            ("snapshots/overlayfs", "box"),
            ("ingests", "x"),
            ("ingests", "tar-blobs/sha256/cc"),
        ];
        for other in others {
            assert!(!is_all(&[other]) && !is_all(&[blob, other]), "{other:?}");
        }
        assert!(!is_all(&[]) && !is_all(&[index]));
    }
}
