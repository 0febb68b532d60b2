//! Images of a running engine, through its API. One export call for all of them, into a nameless file: the order in
//! which an engine sends layers is its own affair, and packing needs random access to make the same bytes each time.

use std::env;
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use bollard::Docker;
use bollard::query_parameters::ListImagesOptions;
use bundle_spec::reference::ImageReference;
use futures_util::StreamExt;
use tokio::runtime::Runtime;

use crate::event::{Emit, Event};
use crate::image::tree::Tree;
use crate::outcome::{Explain, Failure, Outcome};
use crate::quantity::counted;

/// Seconds without response headers after which an engine is given up. An export of many gigabytes may need that long
/// before its first byte.
const TIMEOUT: u64 = 6 * 3600;

/// A connection to an engine.
#[derive(Debug)]
pub struct Engine {
    docker: Docker,
    runtime: Runtime,
    address: PathBuf,
}

impl Engine {
    /// Connects to the engine that `docker` would use, if that is a local one.
    pub fn connect() -> Outcome<Self> {
        let address = address()?;
        let failed = || format!("no engine answers at {}", address.display());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .explain(|| "cannot start the asynchronous runtime")?;
        let docker =
            Docker::connect_with_unix(&address.to_string_lossy(), TIMEOUT, bollard::API_DEFAULT_VERSION)
                .explain(failed)?;
        // bollard 0.21 does not put the version on the wire, later ones do: then it must be one that the engine knows.
        let docker = runtime.block_on(docker.negotiate_version()).explain(failed)?;
        Ok(Self { docker, runtime, address })
    }

    /// Where it listens.
    pub fn address(&self) -> std::path::Display<'_> {
        self.address.display()
    }

    /// The names of all its images.
    pub fn names(&self) -> Outcome<Vec<String>> {
        let images = self
            .runtime
            .block_on(self.docker.list_images(None::<ListImagesOptions>))
            .explain(|| format!("cannot list the images of the engine at {}", self.address()))?;
        let mut names: Vec<_> = images.into_iter().flat_map(|image| image.repo_tags).collect();
        names.sort();
        Ok(names)
    }

    /// Exports images as one archive into a nameless file in `spool`.
    pub fn export(&self, references: &[ImageReference], spool: &Path, emit: Emit<'_>) -> Outcome<Tree> {
        let failed = || format!("cannot export images from the engine at {}", self.address());
        let names: Vec<_> = references.iter().map(ImageReference::as_str).collect();
        let mut file =
            tempfile::tempfile_in(spool).explain(|| format!("cannot make a file in {}", spool.display()))?;
        self.runtime.block_on(async {
            let mut total = 0;
            for name in &names {
                let image = self.docker.inspect_image(name).await.explain(failed)?;
                total += u64::try_from(image.size.unwrap_or(0)).unwrap_or(0);
            }
            let work = format!("exporting {} from the engine", counted(names.len(), "image"));
            emit(Event::Started { work, total, of: "as the engine counts them" });
            let mut chunks = std::pin::pin!(self.docker.export_images(&names));
            while let Some(chunk) = chunks.next().await {
                let chunk = chunk.explain(failed)?;
                file.write_all(&chunk).explain(|| format!("cannot write into {}", spool.display()))?;
                emit(Event::Advanced(chunk.len() as u64));
            }
            emit(Event::Ended);
            Ok::<_, Failure>(())
        })?;
        file.rewind().explain(failed)?;
        Tree::of_tar(file, format!("the engine at {}", self.address()))
    }
}

/// `DOCKER_HOST`, or the usual sockets.
fn address() -> Outcome<PathBuf> {
    if let Some(host) = env::var_os("DOCKER_HOST").filter(|host| !host.is_empty()) {
        let host = host.to_string_lossy().into_owned();
        return match host.strip_prefix("unix://") {
            Some(path) => Ok(PathBuf::from(path)),
            None => Err(Failure::new(format!("DOCKER_HOST is {host}, which airlift cannot use"))
                .hint("set DOCKER_HOST to a unix:// socket, or save the images with `docker save` and list them as archives")),
        };
    }
    let rootless = env::var_os("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("docker.sock"));
    let usual = PathBuf::from("/var/run/docker.sock");
    Ok(match rootless.filter(|socket| !usual.exists() && socket.exists()) {
        Some(socket) => socket,
        None => usual,
    })
}
