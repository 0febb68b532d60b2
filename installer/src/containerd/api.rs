//! The messages of containerd's services that are used here, with the field numbers of its `.proto` files (containerd
//! `api/services/{content,introspection,leases,snapshots}/v1`, unchanged since 1.0). Written out rather than generated: generating needs
//! `protoc` on every machine that builds.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prost::Message;

type Labels = HashMap<String, String>;

#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateLease {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(map = "string, string", tag = "3")]
    pub labels: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct DeleteLease {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(bool, tag = "2")]
    pub sync: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Filters {
    #[prost(string, repeated, tag = "1")]
    pub filters: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Plugin {
    #[prost(string, tag = "2")]
    pub id: String,
    #[prost(map = "string, string", tag = "5")]
    pub exports: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Plugins {
    #[prost(message, repeated, tag = "1")]
    pub plugins: Vec<Plugin>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Timestamp {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    pub(super) fn is_before(&self, time: SystemTime) -> bool {
        let (seconds, nanos) = (u64::try_from(self.seconds), u32::try_from(self.nanos));
        let own = Duration::new(seconds.unwrap_or(0), nanos.unwrap_or(0).min(999_999_999));
        own < time.duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotInfo {
    #[prost(string, tag = "2")]
    pub parent: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotStat {
    #[prost(message, optional, tag = "1")]
    pub info: Option<SnapshotInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Lease {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(message, optional, tag = "2")]
    pub created_at: Option<Timestamp>,
    #[prost(map = "string, string", tag = "3")]
    pub labels: Labels,
}

impl Lease {
    pub(super) fn is_before(&self, time: SystemTime) -> bool {
        self.created_at.as_ref().is_some_and(|created| created.is_before(time))
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Leases {
    #[prost(message, repeated, tag = "1")]
    pub leases: Vec<Lease>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(string, tag = "2")]
    pub kind: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ListResources {
    #[prost(string, tag = "1")]
    pub id: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Resources {
    #[prost(message, repeated, tag = "1")]
    pub resources: Vec<Resource>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AddResource {
    #[prost(string, tag = "1")]
    pub id: String,
    #[prost(message, optional, tag = "2")]
    pub resource: Option<Resource>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentDigest {
    #[prost(string, tag = "1")]
    pub digest: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentInfo {
    #[prost(string, tag = "1")]
    pub digest: String,
    #[prost(int64, tag = "2")]
    pub size: i64,
    #[prost(map = "string, string", tag = "5")]
    pub labels: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentInfoReply {
    #[prost(message, optional, tag = "1")]
    pub info: Option<ContentInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub paths: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct UpdateContent {
    #[prost(message, optional, tag = "1")]
    pub info: Option<ContentInfo>,
    #[prost(message, optional, tag = "2")]
    pub update_mask: Option<FieldMask>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct AbortWrite {
    #[prost(string, tag = "1")]
    pub reference: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum WriteAction {
    Stat = 0,
    Write = 1,
    Commit = 2,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteContent {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    #[prost(string, tag = "2")]
    pub reference: String,
    #[prost(int64, tag = "3")]
    pub total: i64,
    #[prost(string, tag = "4")]
    pub expected: String,
    #[prost(int64, tag = "5")]
    pub offset: i64,
    #[prost(bytes = "bytes", tag = "6")]
    pub data: bytes::Bytes,
    #[prost(map = "string, string", tag = "7")]
    pub labels: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteContentReply {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub action: i32,
    #[prost(int64, tag = "4")]
    pub offset: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct PrepareSnapshot {
    #[prost(string, tag = "1")]
    pub snapshotter: String,
    #[prost(string, tag = "2")]
    pub key: String,
    #[prost(string, tag = "3")]
    pub parent: String,
    #[prost(map = "string, string", tag = "4")]
    pub labels: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Mount {
    #[prost(string, tag = "1")]
    pub kind: String,
    #[prost(string, tag = "2")]
    pub source: String,
    #[prost(string, repeated, tag = "4")]
    pub options: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Mounts {
    #[prost(message, repeated, tag = "1")]
    pub mounts: Vec<Mount>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct CommitSnapshot {
    #[prost(string, tag = "1")]
    pub snapshotter: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub key: String,
    #[prost(map = "string, string", tag = "4")]
    pub labels: Labels,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotKey {
    #[prost(string, tag = "1")]
    pub snapshotter: String,
    #[prost(string, tag = "2")]
    pub key: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotUsage {
    #[prost(int64, tag = "1")]
    pub size: i64,
    #[prost(int64, tag = "2")]
    pub inodes: i64,
}

/// One blob that is being written.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Ingest {
    #[prost(message, optional, tag = "2")]
    pub updated_at: Option<Timestamp>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(int64, tag = "4")]
    pub offset: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Ingests {
    #[prost(message, repeated, tag = "1")]
    pub statuses: Vec<Ingest>,
}
