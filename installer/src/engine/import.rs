//! `docker load`: streams a tar to the engine and reads every line of what it says.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bollard::query_parameters::ImportImageOptions;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::Receiver;

use super::{Engine, EngineError, wait};

/// How long an engine may leave bytes untaken that lie ready for it. It reads a request as fast as its disk writes, so this is
/// long for every disk; an engine that a dead client has left hanging waits for ever (moby#51623).
const STALL: Duration = Duration::from_secs(120);

impl Engine {
    /// Sends the pieces from `body` as one `POST /images/load`. An error in `body` breaks the request off.
    ///
    /// # Errors
    /// When the engine refuses, in whatever way: a status, an error line inside HTTP 200, or "Error unpacking image" as
    /// mere text (containerd store, 27.2 and later); when it takes nothing any more. Success means "it says so" and still must
    /// be read back.
    pub fn load(&self, body: Receiver<io::Result<Bytes>>) -> Result<(), EngineError> {
        self.load_within(body, STALL)
    }

    fn load_within(&self, body: Receiver<io::Result<Bytes>>, stall: Duration) -> Result<(), EngineError> {
        let operation = "load images";
        let taking = Arc::new(Taking::default());
        let pieces = Arc::clone(&taking).pieces(body);
        let exchange = async {
            let mut replies =
                std::pin::pin!(self.patient.import_image_stream(ImportImageOptions::default(), pieces, None));
            let mut is_loaded = false;
            while let Some(reply) = replies.next().await {
                match reply {
                    Ok(info) => {
                        let line = info.stream.unwrap_or_default();
                        if line.starts_with("Error") {
                            return Err(EngineError::Refused { operation, reply: line.trim().to_owned() });
                        }
                        is_loaded |= line.starts_with("Loaded image");
                    }
                    // bollard 0.21.1 trips over a stray byte at the end of the stream (bollard#560).
                    Err(_) if is_loaded => break,
                    Err(source) => {
                        return Err(EngineError::Request { operation, socket: self.socket.clone(), source });
                    }
                }
            }
            Ok(())
        };
        let stalled = || EngineError::Stalled { socket: self.socket.clone(), seconds: stall.as_secs() };
        wait(async {
            let mut exchange = std::pin::pin!(exchange);
            loop {
                match tokio::time::timeout(stall / 4, &mut exchange).await {
                    Ok(outcome) => return outcome,
                    Err(_) if taking.is_stalled(stall) => return Err(stalled()),
                    Err(_) => {}
                }
            }
        })
    }
}

/// Whether the engine takes what lies ready for it.
#[derive(Debug, Default)]
struct Taking {
    /// When the last piece was handed over and no other was asked for since.
    handed_over: Mutex<Option<Instant>>,
}

impl Taking {
    fn pieces(
        self: Arc<Self>,
        body: Receiver<io::Result<Bytes>>,
    ) -> impl futures_util::Stream<Item = io::Result<Bytes>> {
        futures_util::stream::unfold((body, self), |(mut body, taking)| async move {
            taking.set(None);
            let piece = body.recv().await?;
            taking.set(Some(Instant::now()));
            Some((piece, (body, taking)))
        })
    }

    fn set(&self, handed_over: Option<Instant>) {
        *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner) = handed_over;
    }

    fn is_stalled(&self, stall: Duration) -> bool {
        let handed_over = *self.handed_over.lock().unwrap_or_else(PoisonError::into_inner);
        handed_over.is_some_and(|since| since.elapsed() >= stall)
    }
}

#[cfg(test)]
mod tests;
