//! The Docker Engine API: the one seam to an engine. Blocking on the outside, so that everything else stays plain.
//!
//! Not here: which images are loaded and in which form (`load`), or starting an engine (`step`).

use std::collections::HashMap;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters as query;
use bundle_spec::digest::Digest;
use bundle_spec::reference::ImageReference;
use futures_util::StreamExt as _;

use crate::containerd::{Containerd, QUICK_ANSWER};

pub mod container;
pub mod description;
pub mod exec;
pub mod http;
pub mod import;

pub use container::Container;
pub use description::{ContainerdAccess, Description, Flavour, Store};

/// How long a question may take; an engine that needs longer counts as not answering.
const QUICK: u64 = 20;
/// How long a transfer may take in seconds: the engine sends response headers only after the whole upload (bollard#503).
const PATIENT: u64 = 24 * 3600;

/// Label of the containers that hold images; its value is the application.
const HELD: &str = "airlift.held-by";

fn project_label(project: &str) -> String {
    format!("com.docker.compose.project={project}")
}

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

/// An image as an engine knows it.
#[derive(Clone, Debug)]
pub struct PresentImage {
    /// The engine's own identifier; its meaning depends on the store.
    pub id: String,
    /// Diff IDs from the bottom: the identity that all stores agree on.
    pub diff_ids: Vec<Digest>,
    /// References that point to it.
    pub tags: Vec<ImageReference>,
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

    /// The image behind a reference or identifier, if it is there.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn image(&self, reference: &str) -> Result<Option<PresentImage>, EngineError> {
        match self.ask("inspect image", self.quick.inspect_image(reference)) {
            Ok(image) => Ok(Some(present(image))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// All images, intermediate ones included: what layers the engine has can only be learnt from them. One that the engine
    /// cannot describe is left out, and does not hide the others.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn images(&self) -> Result<Vec<PresentImage>, EngineError> {
        let options = query::ListImagesOptions { all: true, ..Default::default() };
        let list = self.ask("list images", self.quick.list_images(Some(options)))?;
        let mut images = Vec::new();
        for summary in list {
            match self.image(&summary.id) {
                // One that vanishes between the two requests is simply not there.
                Ok(image) => images.extend(image),
                // Damaged, or half removed. Its names are known, and are not ours to take away.
                Err(error) if status(&error).is_some() => images.push(undescribed(summary)),
                Err(error) => return Err(error),
            }
        }
        Ok(images)
    }

    /// Identifiers of all images with a label, those without a name included.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn image_ids(&self, label: &str) -> Result<Vec<String>, EngineError> {
        let filters = Some(HashMap::from([("label".to_owned(), vec![label.to_owned()])]));
        let options = query::ListImagesOptions { all: true, filters, ..Default::default() };
        let list = self.ask("list images", self.quick.list_images(Some(options)))?;
        Ok(list.into_iter().map(|image| image.id).collect())
    }

    /// Removes a reference, and the image with the last one. One that is not there, or in use, is left.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn remove_image(&self, reference: &str) -> Result<bool, EngineError> {
        let options = query::RemoveImageOptions::default();
        match self.ask_within(
            PATIENT,
            "remove image",
            self.patient.remove_image(reference, Some(options), None),
        ) {
            Ok(_) => Ok(true),
            Err(error) if is_not_found(&error) || is_conflict(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether an image has a name, be it a tag or a digest of a registry; `None` when there is no such image.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn is_named(&self, id: &str) -> Result<Option<bool>, EngineError> {
        // As the engine writes them: also a name that we would not take is one that somebody gave.
        let has_any = |names: Option<Vec<String>>| names.is_some_and(|names| !names.is_empty());
        match self.ask("inspect image", self.quick.inspect_image(id)) {
            Ok(image) => Ok(Some(has_any(image.repo_tags) || has_any(image.repo_digests))),
            Err(error) if is_not_found(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a container of an image, which never runs: proof that its top layer is really there, which neither an exit
    /// code nor a "Loaded image" line is (the containerd store reports unpack errors as text and success). It stays until
    /// [`Engine::release_images`]: an image that has a container survives an `image prune` beside us.
    ///
    /// # Errors
    /// When the engine cannot make a container of it.
    pub fn hold_image(&self, image: &str, app: &str) -> Result<(), EngineError> {
        let body = bollard::models::ContainerCreateBody {
            image: Some(image.to_owned()),
            cmd: Some(vec!["/airlift-proof".to_owned()]),
            labels: Some(HashMap::from([(HELD.to_owned(), app.to_owned())])),
            network_disabled: Some(true),
            ..Default::default()
        };
        let create = self.patient.create_container(None::<query::CreateContainerOptions>, body);
        self.ask_within(PATIENT, "create container", create)?;
        Ok(())
    }

    /// Removes the containers that held images of an application, those of killed runs included: all whose image's identifier
    /// is meant.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn release_images(&self, app: &str, is_meant: impl Fn(&str) -> bool) -> Result<(), EngineError> {
        let options = query::ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![format!("{HELD}={app}")])])),
            ..Default::default()
        };
        let held = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let meant = held.into_iter().filter(|held| is_meant(held.image_id.as_deref().unwrap_or_default()));
        meant.filter_map(|held| held.id).try_for_each(|id| self.remove_container(&id))
    }

    fn remove_container(&self, id: &str) -> Result<(), EngineError> {
        let options = query::RemoveContainerOptions { force: true, v: true, link: false };
        match self.ask_within(PATIENT, "remove container", self.patient.remove_container(id, Some(options))) {
            Err(error) if !is_not_found(&error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Removes whatever of a Compose project is still there, found by its label: containers, networks and, if asked,
    /// volumes. Needs neither Compose nor the project's files.
    ///
    /// # Errors
    /// When the engine does not answer or refuses.
    pub fn remove_project(&self, project: &str, with_volumes: bool) -> Result<(), EngineError> {
        for container in self.containers(project)? {
            self.remove_container(&container.id)?;
        }
        let filters = || Some(HashMap::from([("label".to_owned(), vec![project_label(project)])]));
        let options = query::ListNetworksOptions { filters: filters() };
        for network in self.ask("list networks", self.quick.list_networks(Some(options)))? {
            self.ask("remove network", self.patient.remove_network(&network.id.unwrap_or_default()))?;
        }
        if with_volumes {
            let options = query::ListVolumesOptions { filters: filters() };
            let volumes = self.ask("list volumes", self.quick.list_volumes(Some(options)))?.volumes;
            for volume in volumes.unwrap_or_default() {
                let remove = self.patient.remove_volume(&volume.name, None::<query::RemoveVolumeOptions>);
                self.ask_within(PATIENT, "remove volume", remove)?;
            }
        }
        Ok(())
    }

    /// The containers of a Compose project, running or not.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn containers(&self, project: &str) -> Result<Vec<Container>, EngineError> {
        let options = query::ListContainersOptions {
            all: true,
            filters: Some(HashMap::from([("label".to_owned(), vec![project_label(project)])])),
            ..Default::default()
        };
        let list = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let mut containers = Vec::new();
        for id in list.into_iter().filter_map(|summary| summary.id) {
            match self.ask("inspect container", self.quick.inspect_container(&id, None)) {
                Ok(reply) => containers.push(Container::from_reply(reply)),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(containers)
    }

    /// The names of all containers, each with its Compose project; empty where it has none.
    ///
    /// # Errors
    /// When the engine does not answer.
    pub fn container_names(&self) -> Result<Vec<(String, String)>, EngineError> {
        let options = query::ListContainersOptions { all: true, ..Default::default() };
        let list = self.ask("list containers", self.quick.list_containers(Some(options)))?;
        let named = list.into_iter().flat_map(|summary| {
            let labels = summary.labels.unwrap_or_default();
            let project = labels.get("com.docker.compose.project").cloned().unwrap_or_default();
            let names = summary.names.unwrap_or_default();
            names.into_iter().map(move |name| (name.trim_start_matches('/').to_owned(), project.clone()))
        });
        Ok(named.collect())
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

    /// The last lines of a container's log.
    pub fn log_tail(&self, id: &str, lines: usize) -> Vec<String> {
        let options =
            query::LogsOptions { stdout: true, stderr: true, tail: lines.to_string(), ..Default::default() };
        let collect = async {
            let mut text = String::new();
            let mut stream = std::pin::pin!(self.quick.logs(id, Some(options)));
            while let Some(Ok(piece)) = stream.next().await {
                text.push_str(&String::from_utf8_lossy(&piece.into_bytes()));
            }
            text
        };
        let limited = async { tokio::time::timeout(Duration::from_secs(QUICK), collect).await };
        let text = wait(limited).unwrap_or_default();
        let mut tail: Vec<String> = text.lines().map(|line| line.trim_end().to_owned()).collect();
        tail.split_off(tail.len().saturating_sub(lines))
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

fn present(image: bollard::models::ImageInspect) -> PresentImage {
    let layers = image.root_fs.and_then(|root| root.layers).unwrap_or_default();
    let tags = image.repo_tags.unwrap_or_default();
    PresentImage {
        id: image.id.unwrap_or_default(),
        diff_ids: layers.iter().filter_map(|layer| layer.parse().ok()).collect(),
        tags: tags.iter().filter_map(|tag| ImageReference::parse(tag).ok()).collect(),
    }
}

/// What the list alone says of an image.
fn undescribed(summary: bollard::models::ImageSummary) -> PresentImage {
    PresentImage {
        id: summary.id,
        diff_ids: Vec::new(),
        tags: summary.repo_tags.iter().filter_map(|tag| ImageReference::parse(tag).ok()).collect(),
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
