//! The Docker Engine API: the one seam to an engine. Blocking on the outside, so that everything else stays plain.
//!
//! Here: the connection, its time limits, and what kind of engine it is. Not here: which images are loaded and in which form
//! (`load`), or starting an engine (`step`).

use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters as query;

use crate::containerd::{Containerd, QUICK_ANSWER};

pub mod container;
pub mod description;
pub mod exec;
pub mod http;
pub mod image;
pub mod import;
mod project;

pub use container::Container;
pub use description::{ContainerdAccess, Description, Flavour, Store};
pub use image::PresentImage;

/// How long a question may take; an engine that needs longer counts as not answering.
const QUICK: u64 = 20;
/// How long a transfer may take in seconds: the engine sends response headers only after the whole upload (bollard#503).
const PATIENT: u64 = 24 * 3600;

/// A connection to an engine.
#[derive(Clone, Debug)]
pub struct Engine {
    quick: Docker,
    patient: Docker,
    socket: PathBuf,
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No answer, or not the answer of an engine.
    #[error("the engine at {} did not answer as expected ({operation})", .socket.display())]
    Request {
        /// What was asked.
        operation: &'static str,
        /// Of which engine.
        socket: PathBuf,
        /// Why it failed.
        #[source]
        source: bollard::errors::Error,
    },
    /// It does not take the bytes that lie ready for it.
    #[error("the engine at {} has taken no data for {seconds} seconds", .socket.display())]
    Stalled {
        /// Which engine.
        socket: PathBuf,
        /// For how long.
        seconds: u64,
    },
    /// The engine said no in the middle of an answer.
    #[error("the engine refused ({operation}): {reply}")]
    Refused {
        /// What was asked.
        operation: &'static str,
        /// What it said.
        reply: String,
    },
}

/// The one asynchronous runtime of the process.
fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<Option<tokio::runtime::Runtime>> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()
    });
    match runtime {
        Some(runtime) => runtime,
        // Without threads nothing can go on; the kernel refused two of them.
        None => std::process::exit(i32::from(crate::outcome::Code::Failed as u8)),
    }
}

/// Runs a future to its end.
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// Lets a future run beside everything else.
pub(crate) fn spawn<F>(future: F) -> tokio::task::JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    runtime().spawn(future)
}

impl Engine {
    /// Connects to the engine behind a unix socket. Nothing is sent yet.
    ///
    /// # Errors
    /// When there is no such socket.
    pub fn connect(socket: &Path) -> Result<Self, EngineError> {
        let path = socket.to_string_lossy();
        let connect = |timeout| {
            Docker::connect_with_unix(&path, timeout, bollard::API_DEFAULT_VERSION).map_err(|source| {
                EngineError::Request { operation: "connect", socket: socket.to_owned(), source }
            })
        };
        Ok(Self { quick: connect(QUICK)?, patient: connect(PATIENT)?, socket: socket.to_owned() })
    }

    /// The socket.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Asks with the time limit of a question.
    fn ask<T>(
        &self,
        operation: &'static str,
        future: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        self.ask_within(2 * QUICK, operation, future)
    }

    fn ask_within<T>(
        &self,
        seconds: u64,
        operation: &'static str,
        future: impl Future<Output = Result<T, bollard::errors::Error>>,
    ) -> Result<T, EngineError> {
        // bollard's own time limit covers everything up to the response's head; a stalled body needs this one.
        let limited = async { tokio::time::timeout(Duration::from_secs(seconds), future).await };
        wait(limited)
            .unwrap_or(Err(bollard::errors::Error::RequestTimeoutError))
            .map_err(|source| EngineError::Request { operation, socket: self.socket.clone(), source })
    }

    /// What kind of engine this is.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn describe(&self) -> Result<Description, EngineError> {
        let version = self.ask("version", self.quick.version())?;
        let info = self.ask("info", self.quick.info())?;
        let mut description =
            Description::from_replies(&version, &info, &containerd_root(&info), self.temporary_dir());
        // Who knows better is asked; who does not answer is not needed for anything else either.
        if let Some(access) = &description.containerd {
            match Containerd::connect(&access.socket, &access.namespace).and_then(|containerd| {
                containerd.answering_within(QUICK_ANSWER).snapshotter_root(&access.snapshotter)
            }) {
                Ok(Some(root)) => description.containerd_root = root.parent().unwrap_or(&root).to_owned(),
                Ok(None) => {}
                Err(_) => description.containerd = None,
            }
        }
        Ok(description)
    }

    /// Whether it answers at all.
    pub fn is_answering(&self) -> bool {
        self.ask("ping", self.quick.ping()).is_ok()
    }

    /// Whether the engine has no container, no image and no volume, of whatever project.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn is_empty(&self) -> Result<bool, EngineError> {
        let info = self.ask("info", self.quick.info())?;
        let volumes = self.ask("list volumes", self.quick.list_volumes(None::<query::ListVolumesOptions>))?;
        let has_volumes = volumes.volumes.is_some_and(|volumes| !volumes.is_empty());
        Ok(info.containers.unwrap_or(0) == 0 && info.images.unwrap_or(0) == 0 && !has_volumes)
    }
}

/// Below the data root when dockerd runs its own containerd, else in the system's; `DockerRootDir` alone would be the wrong
/// file system (docker/cli#6645).
fn containerd_root(info: &bollard::models::SystemInfo) -> PathBuf {
    let own = Path::new(info.docker_root_dir.as_deref().unwrap_or_default()).join("containerd/daemon");
    if own.is_dir() { own } else { "/var/lib/containerd".into() }
}

impl Engine {
    /// `DOCKER_TMPDIR` of the process behind the socket, where it can be seen.
    fn temporary_dir(&self) -> Option<PathBuf> {
        let stream = std::os::unix::net::UnixStream::connect(&self.socket).ok()?;
        let pid = rustix::net::sockopt::socket_peercred(&stream).ok()?.pid;
        let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        let value = variables.find_map(|variable| variable.strip_prefix(b"DOCKER_TMPDIR="))?;
        Some(PathBuf::from(std::str::from_utf8(value).ok()?)).filter(|path| path.is_absolute())
    }
}

impl EngineError {
    /// An engine that refuses has answered: only one that does not is an error to whoever can do without.
    ///
    /// # Errors
    /// This one, if it is silence.
    pub fn silence(self) -> Result<bool, Self> {
        if status(&self).is_some() { Ok(false) } else { Err(self) }
    }
}

fn status(error: &EngineError) -> Option<u16> {
    match error {
        EngineError::Request {
            source: bollard::errors::Error::DockerResponseServerError { status_code, .. },
            ..
        } => Some(*status_code),
        _ => None,
    }
}

fn is_not_found(error: &EngineError) -> bool {
    status(error) == Some(404)
}

fn is_conflict(error: &EngineError) -> bool {
    status(error) == Some(409)
}

#[cfg(test)]
mod tests;
