//! Speaks with containerd through its own gRPC services: content, snapshots, leases. Blocking on the outside.
//!
//! `docker load` on a containerd image store unpacks on one core and in a fixed order; these services are what it is made of,
//! and the engine keeps what is made through them like its own.
//!
//! Not here: names of images, which stay the engine's matter (`engine`), and what is brought when (`load`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use hyper::http::uri::PathAndQuery;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};

mod api;
mod channel;
mod content;
mod ingest;
mod snapshot;

pub use content::Writer;
pub use snapshot::{Mount, Prepared};

use crate::engine::wait;
use channel::Channel;

/// How long containerd may take for an answer. It syncs its database to the disk for most of them, which other programs may
/// keep busy.
const ANSWER: Duration = Duration::from_secs(300);
/// The same where it goes through all files of a layer, or collects garbage.
const LONG_ANSWER: Duration = Duration::from_secs(1800);
/// The same for a question whose answer can be done without.
pub const QUICK_ANSWER: Duration = Duration::from_secs(20);

/// A connection to containerd, in one namespace.
#[derive(Clone, Debug)]
pub struct Containerd {
    channel: Channel,
    namespace: String,
    lease: Option<String>,
    /// For whom blobs are written.
    app: String,
    limits: Limits,
}

/// How long it may take for something.
#[derive(Clone, Copy, Debug)]
struct Limits {
    answer: Duration,
    long_answer: Duration,
}

/// How far a blob has come that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    bytes: i64,
    updated: Option<(i64, i32)>,
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum ContainerdError {
    /// Nobody answers on the socket.
    #[error("containerd at {} does not answer", .socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// containerd said no.
    #[error("containerd refused ({operation}): {}", .status.message())]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// What it said.
        status: Box<Status>,
    },
    /// containerd says nothing, or takes no data.
    #[error("containerd has not answered for {seconds} seconds ({operation})")]
    Silent {
        /// What was asked.
        operation: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// A blob could not be written into the file that containerd has made for it.
    #[error("cannot write {}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes to be written could not be had.
    #[error("what was to be written broke off")]
    BrokenOff,
}

impl ContainerdError {
    /// Whether the disk is full, or what somebody may have of it.
    pub fn is_disk_full(&self) -> bool {
        use std::io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Write { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    fn is(&self, code: Code) -> bool {
        matches!(self, Self::Refused { status, .. } if status.code() == code)
    }
}

impl Containerd {
    /// Connects to the containerd behind a socket.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn connect(socket: &Path, namespace: &str) -> Result<Self, ContainerdError> {
        let failed = |source| ContainerdError::Connect { socket: socket.to_owned(), source };
        let connect = async { tokio::time::timeout(QUICK_ANSWER, Channel::connect(socket)).await };
        let channel = wait(connect).unwrap_or_else(|late| Err(late.into())).map_err(failed)?;
        let limits = Limits { answer: ANSWER, long_answer: LONG_ANSWER };
        Ok(Self { channel, namespace: namespace.to_owned(), lease: None, app: String::new(), limits })
    }

    /// The same connection for questions that are given up sooner.
    #[must_use]
    pub fn answering_within(&self, limit: Duration) -> Self {
        Self { limits: Limits { answer: limit, long_answer: limit }, ..self.clone() }
    }

    /// The same connection for an application; what it makes is kept from the garbage collection until the lease ends.
    #[must_use]
    pub fn under_lease(&self, lease: &str, app: &str) -> Self {
        Self { lease: Some(lease.to_owned()), app: app.to_owned(), ..self.clone() }
    }

    /// The directory that a snapshotter keeps its files in. Where containerd was configured otherwise, it is not where one
    /// would look.
    ///
    /// # Errors
    /// When containerd does not answer.
    pub fn snapshotter_root(&self, snapshotter: &str) -> Result<Option<PathBuf>, ContainerdError> {
        self.plugin_root("io.containerd.snapshotter.v1", snapshotter)
    }

    fn plugin_root(&self, kind: &str, id: &str) -> Result<Option<PathBuf>, ContainerdError> {
        let filters = vec![format!("type=={kind},id=={id}")];
        let path = "/containerd.services.introspection.v1.Introspection/Plugins";
        let reply: api::Plugins = self.call("list plugins", path, api::Filters { filters })?;
        let plugin = reply.plugins.into_iter().find(|plugin| plugin.id == id);
        Ok(plugin.and_then(|plugin| plugin.exports.get("root").map(PathBuf::from)))
    }

    /// Makes a lease. It ends by itself at `expires`, an RFC 3339 time: a run that is killed and never repeated must not fill
    /// the disk for ever.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn create_lease(&self, id: &str, app: &str, expires: &str) -> Result<(), ContainerdError> {
        let labels = HashMap::from([
            (EXPIRES.to_owned(), expires.to_owned()),
            (LEASE_LABEL.to_owned(), app.to_owned()),
        ]);
        let request = api::CreateLease { id: id.to_owned(), labels };
        self.call::<_, api::Empty>("create lease", "/containerd.services.leases.v1.Leases/Create", request)?;
        Ok(())
    }

    /// The leases of an application that earlier runs left.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn leases(&self, app: &str) -> Result<Vec<String>, ContainerdError> {
        let filters = vec![format!("labels.\"{LEASE_LABEL}\"=={app}")];
        let reply: api::Leases =
            self.call("list leases", "/containerd.services.leases.v1.Leases/List", api::Filters { filters })?;
        Ok(reply.leases.into_iter().map(|lease| lease.id).collect())
    }

    /// The leases that nobody of ours has made, that are to end by themselves, and that were made before a time: those of the engine's
    /// requests.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn foreign_leases(&self, before: SystemTime) -> Result<Vec<String>, ContainerdError> {
        self.leases_of_others(|lease| lease.labels.contains_key(EXPIRES) && lease.is_before(before))
    }

    /// The leases that nobody of ours has made, that do not end by themselves, and that were made before a time: the engine holds each
    /// container by one that bears the container's ID (`PrepareSnapshot` in moby's `daemon/containerd`).
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn container_leases(&self, before: SystemTime) -> Result<Vec<String>, ContainerdError> {
        let is_id = |id: &str| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        self.leases_of_others(|lease| {
            !lease.labels.contains_key(EXPIRES) && is_id(&lease.id) && lease.is_before(before)
        })
    }

    fn leases_of_others(
        &self,
        is_meant: impl Fn(&api::Lease) -> bool,
    ) -> Result<Vec<String>, ContainerdError> {
        let reply: api::Leases = self.call(
            "list leases",
            "/containerd.services.leases.v1.Leases/List",
            api::Filters { filters: Vec::new() },
        )?;
        let of_others = reply.leases.into_iter().filter(|lease| !lease.labels.contains_key(LEASE_LABEL));
        Ok(of_others.filter(is_meant).map(|lease| lease.id).collect())
    }

    /// What a lease holds, each as its kind (`content`, `snapshots/overlayfs`, …) and its name there.
    ///
    /// # Errors
    /// When containerd refuses; one that is gone holds nothing.
    pub fn held_by(&self, lease: &str) -> Result<Vec<(String, String)>, ContainerdError> {
        let request = api::ListResources { id: lease.to_owned() };
        let path = "/containerd.services.leases.v1.Leases/ListResources";
        match self.call::<_, api::Resources>("list what a lease holds", path, request) {
            Ok(reply) => Ok(reply.resources.into_iter().map(|held| (held.kind, held.id)).collect()),
            Err(error) if error.is(Code::NotFound) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The blobs that are being written, by the name that their writer gave them, each with how far it has come. Two answers
    /// that are the same for one, some time apart, say that nobody goes on with it.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn being_written(&self) -> Result<HashMap<String, Written>, ContainerdError> {
        let path = "/containerd.services.content.v1.Content/ListStatuses";
        let reply: api::Ingests =
            self.call("list blobs on their way", path, api::Filters { filters: Vec::new() })?;
        let written = |ingest: api::Ingest| {
            let updated = ingest.updated_at.map(|time| (time.seconds, time.nanos));
            (ingest.name, Written { bytes: ingest.offset, updated })
        };
        Ok(reply.statuses.into_iter().map(written).collect())
    }

    /// Lets a lease hold something that is there already.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn add_to_lease(&self, lease: &str, kind: &str, id: &str) -> Result<(), ContainerdError> {
        let resource = Some(api::Resource { id: id.to_owned(), kind: kind.to_owned() });
        let request = api::AddResource { id: lease.to_owned(), resource };
        self.call::<_, api::Empty>(
            "add to lease",
            "/containerd.services.leases.v1.Leases/AddResource",
            request,
        )?;
        Ok(())
    }

    /// Ends a lease and waits for the garbage collection that follows, so that what stays has proved that it stays.
    ///
    /// # Errors
    /// When containerd refuses; one that is not there is fine.
    pub fn delete_lease(&self, id: &str) -> Result<(), ContainerdError> {
        let request = api::DeleteLease { id: id.to_owned(), sync: true };
        let path = "/containerd.services.leases.v1.Leases/Delete";
        match wait(self.ask::<_, api::Empty>(self.limits.long_answer, "delete lease", path, request)) {
            Err(error) if !error.is(Code::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    fn call<Q, P>(
        &self,
        operation: &'static str,
        path: &'static str,
        message: Q,
    ) -> Result<P, ContainerdError>
    where
        Q: prost::Message + Default + 'static,
        P: prost::Message + Default + 'static,
    {
        wait(self.ask(self.limits.answer, operation, path, message))
    }

    async fn ask<Q, P>(
        &self,
        limit: Duration,
        operation: &'static str,
        path: &'static str,
        message: Q,
    ) -> Result<P, ContainerdError>
    where
        Q: prost::Message + Default + 'static,
        P: prost::Message + Default + 'static,
    {
        let request = self.request(message);
        let reply = async {
            let mut client = self.channel.client();
            client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
            let codec = tonic_prost::ProstCodec::<Q, P>::default();
            client.unary(request, PathAndQuery::from_static(path), codec).await
        };
        match tokio::time::timeout(limit, reply).await {
            Ok(Ok(reply)) => Ok(reply.into_inner()),
            Ok(Err(status)) => Err(ContainerdError::Refused { operation, status: Box::new(status) }),
            Err(_) => Err(silent(operation, limit)),
        }
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        let values =
            [("containerd-namespace", Some(&self.namespace)), ("containerd-lease", self.lease.as_ref())];
        for (key, value) in values {
            if let Some(Ok(value)) = value.map(|value| MetadataValue::try_from(value.as_str())) {
                request.metadata_mut().insert(key, value);
            }
        }
        request
    }
}

/// Tells containerd when a lease ends by itself.
const EXPIRES: &str = "containerd.io/gc.expire";
/// Tells whose a lease is.
const LEASE_LABEL: &str = "airlift.app";

fn silent(operation: &'static str, limit: Duration) -> ContainerdError {
    ContainerdError::Silent { operation, seconds: limit.as_secs() }
}

#[cfg(test)]
mod tests;
