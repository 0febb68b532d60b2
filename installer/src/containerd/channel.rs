//! HTTP/2 over a unix socket, as tonic wants it. tonic's own transport would bring balancing, reconnecting and buffering, a
//! tenth of the whole installer, for one connection to a process on the same host.

use std::future::Future;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::http::{Request, Response, Uri};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tonic::body::Body;
use tonic::client::Grpc;
use tower_service::Service;

/// Flow control windows in bytes: with HTTP/2's own 64 KiB a blob would wait for the other side after every piece.
const WINDOW: u32 = 4 << 20;

/// A connection that can carry many requests at a time.
#[derive(Clone, Debug)]
pub(super) struct Channel(SendRequest<Body>);

impl Channel {
    /// Connects to a socket.
    ///
    /// # Errors
    /// When nobody listens there, or does not speak HTTP/2.
    pub(super) async fn connect(socket: &Path) -> io::Result<Self> {
        let stream = tokio::net::UnixStream::connect(socket).await?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder.initial_stream_window_size(WINDOW).initial_connection_window_size(WINDOW);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        // Ends with the connection; requests that are under way learn of it by themselves.
        tokio::spawn(connection);
        Ok(Self(sender))
    }

    /// A gRPC client over this connection.
    pub(super) fn client(&self) -> Grpc<Self> {
        // The authority means nothing on a unix socket.
        Grpc::with_origin(self.clone(), Uri::from_static("http://localhost"))
    }
}

impl Service<Request<Body>> for Channel {
    type Response = Response<Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}
