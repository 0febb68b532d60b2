//! Snapshots: the unpacked layers. A layer is prepared, filled, and committed under its chain ID; only then does it exist.

use std::collections::HashMap;
use std::path::PathBuf;

use bundle_spec::digest::Digest;
use tonic::Code;

use super::{Containerd, ContainerdError, api};
use crate::engine::wait;

const SERVICE_PREPARE: &str = "/containerd.services.snapshots.v1.Snapshots/Prepare";
const SERVICE_COMMIT: &str = "/containerd.services.snapshots.v1.Snapshots/Commit";
const SERVICE_REMOVE: &str = "/containerd.services.snapshots.v1.Snapshots/Remove";
const SERVICE_STAT: &str = "/containerd.services.snapshots.v1.Snapshots/Stat";
const SERVICE_USAGE: &str = "/containerd.services.snapshots.v1.Snapshots/Usage";

/// How the engine would mount a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// `bind` for a lowest layer, `overlay` above others.
    pub kind: String,
    /// What is mounted.
    pub source: String,
    /// Mount options.
    pub options: Vec<String>,
}

/// Where a prepared snapshot's files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// The directory.
    pub dir: PathBuf,
    /// The directories of the layers below, nearest first.
    pub lowers: Vec<PathBuf>,
}

impl Mount {
    /// The directories behind the mount; `None` for whatever is neither a plain directory nor a plain overlay.
    pub fn directories(&self) -> Option<Prepared> {
        match self.kind.as_str() {
            "bind" => Some(Prepared { dir: self.source.clone().into(), lowers: Vec::new() }),
            "overlay" => {
                let value = |key: &str| self.options.iter().find_map(|option| option.strip_prefix(key));
                // There, whiteouts look otherwise.
                if self.options.iter().any(|option| option == "userxattr") {
                    return None;
                }
                let lowers = value("lowerdir=")?.split(':').map(PathBuf::from).collect();
                Some(Prepared { dir: value("upperdir=")?.into(), lowers })
            }
            _ => None,
        }
    }
}

impl Containerd {
    /// Whether a layer is there, unpacked, under its chain ID.
    ///
    /// # Errors
    /// When containerd does not answer.
    pub fn has_snapshot(&self, snapshotter: &str, chain: &Digest) -> Result<bool, ContainerdError> {
        let request = api::SnapshotKey { snapshotter: snapshotter.to_owned(), key: chain.to_string() };
        match self.call::<_, api::Empty>("look for a snapshot", SERVICE_STAT, request) {
            Ok(_) => Ok(true),
            Err(error) if error.is(Code::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a snapshot lies above: empty for a lowest one, nothing where there is no such snapshot.
    ///
    /// # Errors
    /// When containerd does not answer.
    pub fn snapshot_parent(&self, snapshotter: &str, key: &str) -> Result<Option<String>, ContainerdError> {
        let request = api::SnapshotKey { snapshotter: snapshotter.to_owned(), key: key.to_owned() };
        match self.call::<_, api::SnapshotStat>("look at a snapshot", SERVICE_STAT, request) {
            Ok(reply) => Ok(Some(reply.info.unwrap_or_default().parent)),
            Err(error) if error.is(Code::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes an empty snapshot above `parent`, replacing one of that key that a killed run left.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn prepare_snapshot(
        &self,
        snapshotter: &str,
        key: &str,
        parent: Option<&Digest>,
    ) -> Result<Vec<Mount>, ContainerdError> {
        self.remove_snapshot(snapshotter, key)?;
        let request = api::PrepareSnapshot {
            snapshotter: snapshotter.to_owned(),
            key: key.to_owned(),
            parent: parent.map(Digest::to_string).unwrap_or_default(),
            labels: HashMap::new(),
        };
        let reply: api::Mounts = self.call("prepare a snapshot", SERVICE_PREPARE, request)?;
        let mount =
            |mount: api::Mount| Mount { kind: mount.kind, source: mount.source, options: mount.options };
        Ok(reply.mounts.into_iter().map(mount).collect())
    }

    /// Number of files and directories in a snapshot, as containerd sees it.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn snapshot_inodes(&self, snapshotter: &str, key: &str) -> Result<i64, ContainerdError> {
        let request = api::SnapshotKey { snapshotter: snapshotter.to_owned(), key: key.to_owned() };
        let limit = self.limits.long_answer;
        let usage: api::SnapshotUsage = wait(self.ask(limit, "measure a snapshot", SERVICE_USAGE, request))?;
        Ok(usage.inodes)
    }

    /// Makes a filled snapshot a layer. One that somebody else has made meanwhile is as good.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn commit_snapshot(
        &self,
        snapshotter: &str,
        key: &str,
        chain: &Digest,
    ) -> Result<(), ContainerdError> {
        let request = api::CommitSnapshot {
            snapshotter: snapshotter.to_owned(),
            name: chain.to_string(),
            key: key.to_owned(),
            labels: HashMap::new(),
        };
        let limit = self.limits.long_answer;
        match wait(self.ask::<_, api::Empty>(limit, "commit a snapshot", SERVICE_COMMIT, request)) {
            Err(error) if error.is(Code::AlreadyExists) => self.remove_snapshot(snapshotter, key),
            outcome => outcome.map(|_| ()),
        }
    }

    /// Removes a snapshot; one that is not there is fine.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn remove_snapshot(&self, snapshotter: &str, key: &str) -> Result<(), ContainerdError> {
        let request = api::SnapshotKey { snapshotter: snapshotter.to_owned(), key: key.to_owned() };
        let limit = self.limits.long_answer;
        match wait(self.ask::<_, api::Empty>(limit, "remove a snapshot", SERVICE_REMOVE, request)) {
            Err(error) if !error.is(Code::NotFound) => Err(error),
            _ => Ok(()),
        }
    }
}
