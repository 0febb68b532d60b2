//! `docker load`: streams a tar to the engine and reads every line of what it says.

use bollard::query_parameters::ImportImageOptions;
use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::mpsc::Receiver;

use super::{Engine, EngineError, wait};

impl Engine {
    /// Sends the pieces from `body` as one `POST /images/load`. An error in `body` breaks the request off.
    ///
    /// # Errors
    /// When the engine refuses, in whatever way: a status, an error line inside HTTP 200, or "Error unpacking image" as
    /// mere text (containerd store, 27.2 and later). Success means "it says so" and still must be read back.
    pub fn load(&self, body: Receiver<std::io::Result<Bytes>>) -> Result<(), EngineError> {
        let operation = "load images";
        let pieces = futures_util::stream::unfold(body, |mut body| async move {
            body.recv().await.map(|piece| (piece, body))
        });
        wait(async {
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
        })
    }
}
