//! Blobs in the content store. containerd hashes what it is sent and keeps it only under the right digest.

use std::collections::HashMap;

use bundle_spec::digest::Digest;
use bytes::Bytes;
use futures_util::future::{Either, select};
use hyper::http::uri::PathAndQuery;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tonic::{Code, Status};

use super::api::{self, WriteAction};
use super::{Containerd, ContainerdError, silent};
use crate::engine::{spawn, wait};

/// Pieces that may wait for containerd.
const QUEUE: usize = 8;

/// A blob on its way into the content store.
#[derive(Debug)]
pub struct Writer {
    pieces: Option<Sender<Bytes>>,
    done: tokio::task::JoinHandle<Result<(), ContainerdError>>,
}

impl Writer {
    /// Hands over a piece; waits while containerd is behind. `false` when it does not want any more:
    /// [`Writer::finish`] says why.
    pub fn send(&self, piece: Bytes) -> bool {
        self.pieces.as_ref().is_some_and(|pieces| pieces.blocking_send(piece).is_ok())
    }

    /// Says that nothing more comes: containerd goes on by itself.
    pub fn close(&mut self) {
        drop(self.pieces.take());
    }

    /// Waits until containerd has the blob, fsynced and under its digest.
    ///
    /// # Errors
    /// When it refused, or fewer bytes came than were announced.
    pub fn finish(mut self) -> Result<(), ContainerdError> {
        self.close();
        wait(self.done).unwrap_or(Err(ContainerdError::BrokenOff))
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

    /// Begins to write a blob of `len` bytes.
    ///
    /// # Errors
    /// When containerd refuses; [`Writer::finish`] reports what goes wrong later.
    pub fn write_blob(
        &self,
        digest: &Digest,
        len: u64,
        label: Option<(&str, String)>,
    ) -> Result<Writer, ContainerdError> {
        let reference = self.ingest(digest);
        // What a killed run of ours left: begun anew, since its bytes are read for unpacking in any case.
        self.forget_blob(digest)?;
        let labels = label.map(|(key, value)| (key.to_owned(), value)).into_iter().collect();
        let (pieces, queue) = channel(QUEUE);
        let (containerd, digest) = (self.clone(), *digest);
        let task = async move { containerd.write(reference, digest, len, labels, queue).await };
        let done = spawn(task);
        Ok(Writer { pieces: Some(pieces), done })
    }

    /// Removes what was written of a blob that did not become whole; nothing at all is fine.
    ///
    /// # Errors
    /// When containerd refuses.
    pub fn forget_blob(&self, digest: &Digest) -> Result<(), ContainerdError> {
        let abort = api::AbortWrite { reference: self.ingest(digest) };
        let path = "/containerd.services.content.v1.Content/Abort";
        match self.call::<_, api::Empty>("abort write", path, abort) {
            Err(error) if !error.is(Code::NotFound) => Err(error),
            _ => Ok(()),
        }
    }

    pub(super) async fn write(
        &self,
        reference: String,
        digest: Digest,
        len: u64,
        labels: HashMap<String, String>,
        mut pieces: Receiver<Bytes>,
    ) -> Result<(), ContainerdError> {
        let operation = "write content";
        let total = i64::try_from(len).unwrap_or(i64::MAX);
        let message = move |action: WriteAction, offset, data, labels| api::WriteContent {
            action: action.into(),
            reference: reference.clone(),
            total,
            expected: digest.to_string(),
            offset,
            data,
            labels,
        };
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
                Err(_) => Err(silent(operation, limits.answer)),
            };
            let mut offset = 0;
            while let Some(data) = pieces.recv().await {
                let piece = message(WriteAction::Write, offset, data.clone(), HashMap::new());
                offset += i64::try_from(data.len()).unwrap_or(0);
                if !send(piece).await? {
                    return Ok(());
                }
            }
            if offset == total {
                send(message(WriteAction::Commit, offset, Bytes::new(), labels)).await?;
            }
            Ok(())
        };
        let exchange = async {
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
        };
        let mut feeder = tokio::spawn(feed);
        let mut exchange = std::pin::pin!(exchange);
        // Whichever side ends first, the other one is not waited for longer than it needs.
        let outcome: Result<bool, Status> = match select(exchange.as_mut(), &mut feeder).await {
            Either::Left((outcome, _)) => {
                feeder.abort();
                outcome
            }
            Either::Right((fed, exchange)) => {
                fed.unwrap_or(Err(ContainerdError::BrokenOff))?;
                // All is sent: it hashes what is left of it, and syncs it to the disk.
                let last = tokio::time::timeout(limits.long_answer, exchange).await;
                last.map_err(|_| silent(operation, limits.long_answer))?
            }
        };
        match outcome {
            Ok(true) => Ok(()),
            Ok(false) => Err(ContainerdError::BrokenOff),
            // Somebody else brought the same blob meanwhile.
            Err(status) if status.code() == Code::AlreadyExists => Ok(()),
            Err(status) => Err(ContainerdError::Refused { operation, status: Box::new(status) }),
        }
    }
}
