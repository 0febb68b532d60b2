//! Blobs in the content store. containerd hashes what it is sent and keeps it only under the right digest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use bundle_spec::digest::Digest;
use bytes::Bytes;
use futures_util::future::{Either, select};
use hyper::http::uri::PathAndQuery;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tonic::{Code, Status};

use super::api::{self, WriteAction};
use super::ingest::IngestFile;
use super::{Containerd, ContainerdError, silent};
use crate::engine::{spawn, wait};

/// Pieces that may wait for containerd.
const QUEUE: usize = 8;
/// Longest blob that goes into its file, in bytes. containerd hashes what lies there with its database locked, so nothing else is
/// begun meanwhile; what comes in messages it hashes beside everything else.
const FILE_MAX: u64 = 1 << 30;
/// What is being done, for messages.
const WRITE: &str = "write content";
/// What gives a write up, and what that is called.
const ABORT: (&str, &str) = ("abort write", "/containerd.services.content.v1.Content/Abort");

/// A blob on its way into the content store.
#[derive(Debug)]
pub struct Writer {
    way: Way,
}

/// How it gets there.
#[derive(Debug)]
enum Way {
    /// Into the file that containerd has made for it.
    File(IngestFile, Box<Ending>),
    /// In messages.
    Messages(Sender<Bytes>, Done),
    /// Everything has been handed over.
    Closed(Done),
    /// It did not become whole.
    Over(ContainerdError),
}

type Done = tokio::task::JoinHandle<Result<(), ContainerdError>>;

/// What it takes to end a write.
#[derive(Debug)]
struct Ending {
    containerd: Containerd,
    write: Write,
    labels: HashMap<String, String>,
}

impl Writer {
    /// Hands over a piece; waits while containerd is behind. `false` when it does not want any more:
    /// [`Writer::finish`] says why.
    pub fn send(&mut self, piece: &Bytes) -> bool {
        match &mut self.way {
            Way::File(file, _) => file.add(piece),
            Way::Messages(pieces, _) => pieces.blocking_send(piece.clone()).is_ok(),
            Way::Closed(_) | Way::Over(_) => false,
        }
    }

    /// Says that nothing more comes: containerd goes on by itself.
    pub fn close(&mut self) {
        let way = std::mem::replace(&mut self.way, Way::Over(ContainerdError::BrokenOff));
        self.way = match way {
            Way::File(file, ending) => match file.finish() {
                Ok(len) if len == ending.write.len => {
                    let Ending { containerd, write, labels } = *ending;
                    Way::Closed(spawn(async move { containerd.end(&write, labels).await }))
                }
                Ok(_) => Way::Over(ContainerdError::BrokenOff),
                Err((path, source)) => Way::Over(ContainerdError::Write { path, source }),
            },
            Way::Messages(_, done) => Way::Closed(done),
            way => way,
        };
    }

    /// Waits until containerd has the blob, fsynced and under its digest.
    ///
    /// # Errors
    /// When it refused, or fewer bytes came than were announced.
    pub fn finish(mut self) -> Result<(), ContainerdError> {
        self.close();
        match self.way {
            Way::Messages(_, done) | Way::Closed(done) => {
                wait(done).unwrap_or(Err(ContainerdError::BrokenOff))
            }
            Way::Over(error) => Err(error),
            Way::File(..) => Err(ContainerdError::BrokenOff),
        }
    }
}

/// A write, as containerd knows it.
#[derive(Clone, Debug)]
pub(super) struct Write {
    pub(super) reference: String,
    pub(super) digest: Digest,
    pub(super) len: u64,
}

impl Write {
    fn total(&self) -> i64 {
        i64::try_from(self.len).unwrap_or(i64::MAX)
    }

    fn message(
        &self,
        action: WriteAction,
        offset: i64,
        data: Bytes,
        labels: HashMap<String, String>,
    ) -> api::WriteContent {
        api::WriteContent {
            action: action.into(),
            reference: self.reference.clone(),
            total: self.total(),
            expected: self.digest.to_string(),
            offset,
            data,
            labels,
        }
    }
}

impl Containerd {
    /// Under which name a blob is written. A name of our own: an ingest that a dead client of the engine left locked (moby#51623)
    /// is not in our way. One for each application, of which one run goes on at a time: what is written under that name is what a
    /// dead run left, never what another application is writing.
    fn ingest(&self, digest: &Digest) -> String {
        format!("airlift-{}-{}", self.app, digest.hex())
    }

    /// Whether the content store has a blob, in this namespace.
    ///
    /// # Errors
    /// When containerd does not answer.
    pub fn has_blob(&self, digest: &Digest) -> Result<bool, ContainerdError> {
        let request = api::ContentDigest { digest: digest.to_string() };
        let path = "/containerd.services.content.v1.Content/Info";
        match self.call::<_, api::ContentInfoReply>("look for content", path, request) {
            Ok(_) => Ok(true),
            Err(error) if error.is(Code::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sets one label of a blob.
    ///
    /// # Errors
    /// When there is no such blob, or containerd refuses.
    pub fn label_blob(&self, digest: &Digest, label: &str, value: &str) -> Result<(), ContainerdError> {
        let labels = HashMap::from([(label.to_owned(), value.to_owned())]);
        let info = api::ContentInfo { digest: digest.to_string(), size: 0, labels };
        let mask = api::FieldMask { paths: vec![format!("labels.{label}")] };
        let request = api::UpdateContent { info: Some(info), update_mask: Some(mask) };
        self.call::<_, api::ContentInfoReply>(
            "label content",
            "/containerd.services.content.v1.Content/Update",
            request,
        )?;
        Ok(())
    }

    /// The directory in which the content store keeps what is being written.
    ///
    /// # Errors
    /// When containerd does not answer.
    pub fn ingests(&self) -> Result<Option<PathBuf>, ContainerdError> {
        Ok(self.plugin_root("io.containerd.content.v1", "content")?.map(|root| root.join("ingest")))
    }

    /// Begins to write a blob of `len` bytes; into the file that containerd makes for it in `ingests`, if there is one. `None` when
    /// somebody else has brought it meanwhile.
    ///
    /// # Errors
    /// When containerd refuses; [`Writer::finish`] reports what goes wrong later.
    pub fn write_blob(
        &self,
        digest: &Digest,
        len: u64,
        label: Option<(&str, String)>,
        ingests: Option<&Path>,
    ) -> Result<Option<Writer>, ContainerdError> {
        let write = Write { reference: self.ingest(digest), digest: *digest, len };
        // What a killed run of ours left: begun anew, since its bytes are read for unpacking in any case.
        self.forget_blob(digest)?;
        let labels: HashMap<_, _> = label.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        let containerd = self.clone();
        if let Some(ingests) = ingests.filter(|_| len <= FILE_MAX) {
            if !wait(self.begin(&write))? {
                return Ok(None);
            }
            if let Some(file) = IngestFile::find(ingests, &write.reference) {
                let ending = Box::new(Ending { containerd, write, labels });
                return Ok(Some(Writer { way: Way::File(file, ending) }));
            }
        }
        let (pieces, queue) = channel(QUEUE);
        let task = async move { containerd.write(write, labels, queue).await };
        Ok(Some(Writer { way: Way::Messages(pieces, spawn(task)) }))
    }

    /// Lets containerd make the file of a write. `false` when somebody else has brought the same blob meanwhile.
    async fn begin(&self, write: &Write) -> Result<bool, ContainerdError> {
        let ask = write.message(WriteAction::Stat, 0, Bytes::new(), HashMap::new());
        let exchange = self.exchange(futures_util::stream::iter([ask]));
        match tokio::time::timeout(self.limits.answer, exchange).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(status)) if status.code() == Code::AlreadyExists => Ok(false),
            Ok(Err(status)) => Err(ContainerdError::Refused { operation: WRITE, status: Box::new(status) }),
            Err(_) => Err(silent(WRITE, self.limits.answer)),
        }
    }

    /// Ends a write whose bytes are all in its file: containerd hashes them, and syncs them to the disk.
    async fn end(&self, write: &Write, labels: HashMap<String, String>) -> Result<(), ContainerdError> {
        let commit = write.message(WriteAction::Commit, write.total(), Bytes::new(), labels);
        let exchange = self.exchange(futures_util::stream::iter([commit]));
        let outcome = tokio::time::timeout(self.limits.long_answer, exchange).await;
        let outcome = outcome.map_err(|_| silent(WRITE, self.limits.long_answer))?;
        if outcome.as_ref().is_err_and(|status| status.code() == Code::AlreadyExists) {
            // What lies in the file would stay as long as our lease, and the blob is there twice.
            let abort = api::AbortWrite { reference: write.reference.clone() };
            drop(self.ask::<_, api::Empty>(self.limits.answer, ABORT.0, ABORT.1, abort).await);
        }
        judge(outcome)
    }

    /// One exchange of messages about a write. Whether it ended with the blob under its digest.
    async fn exchange<S>(&self, outgoing: S) -> Result<bool, Status>
    where
        S: futures_util::Stream<Item = api::WriteContent> + Send + 'static,
    {
        let mut client = self.channel.client();
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let codec = tonic_prost::ProstCodec::<api::WriteContent, api::WriteContentReply>::default();
        let path = PathAndQuery::from_static("/containerd.services.content.v1.Content/Write");
        let replies = client.streaming(self.request(outgoing), path, codec).await?;
        let mut replies = replies.into_inner();
        let mut is_committed = false;
        while let Some(reply) = replies.message().await? {
            is_committed |= reply.action == i32::from(WriteAction::Commit);
        }
        Ok(is_committed)
    }

    /// Removes what was written of a blob that did not become whole; nothing at all is fine.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn forget_blob(&self, digest: &Digest) -> Result<(), ContainerdError> {
        match self.call::<_, api::Empty>(ABORT.0, ABORT.1, api::AbortWrite { reference: self.ingest(digest) })
        {
            Err(error) if !error.is(Code::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn write(
        &self,
        write: Write,
        labels: HashMap<String, String>,
        mut pieces: Receiver<Bytes>,
    ) -> Result<(), ContainerdError> {
        let limits = self.limits;
        let (requests, outgoing) = channel(QUEUE);
        let outgoing = futures_util::stream::unfold(outgoing, |mut outgoing: Receiver<_>| async move {
            outgoing.recv().await.map(|request| (request, outgoing))
        });
        // Whether containerd has taken everything, in however long a time: only one that takes nothing at all is given up.
        let feed = async move {
            let send = async |request| match tokio::time::timeout(limits.answer, requests.send(request)).await
            {
                Ok(sent) => Ok(sent.is_ok()),
                Err(_) => Err(silent(WRITE, limits.answer)),
            };
            let mut offset = 0;
            while let Some(data) = pieces.recv().await {
                let piece = write.message(WriteAction::Write, offset, data.clone(), HashMap::new());
                offset += i64::try_from(data.len()).unwrap_or(0);
                if !send(piece).await? {
                    return Ok(());
                }
            }
            if offset == write.total() {
                send(write.message(WriteAction::Commit, offset, Bytes::new(), labels)).await?;
            }
            Ok(())
        };
        let mut feeder = tokio::spawn(feed);
        let mut exchange = std::pin::pin!(self.exchange(outgoing));
        // Whichever side ends first, the other one is not waited for longer than it needs.
        judge(match select(exchange.as_mut(), &mut feeder).await {
            Either::Left((outcome, _)) => {
                feeder.abort();
                outcome
            }
            Either::Right((fed, exchange)) => {
                fed.unwrap_or(Err(ContainerdError::BrokenOff))?;
                // All is sent: it hashes what is left of it, and syncs it to the disk.
                let last = tokio::time::timeout(limits.long_answer, exchange).await;
                last.map_err(|_| silent(WRITE, limits.long_answer))?
            }
        })
    }
}

fn judge(outcome: Result<bool, Status>) -> Result<(), ContainerdError> {
    match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(ContainerdError::BrokenOff),
        // Somebody else brought the same blob meanwhile.
        Err(status) if status.code() == Code::AlreadyExists => Ok(()),
        Err(status) => Err(ContainerdError::Refused { operation: WRITE, status: Box::new(status) }),
    }
}
