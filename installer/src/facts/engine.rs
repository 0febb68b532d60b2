//! Looks for an engine and asks what it is.

use std::path::{Path, PathBuf};

use super::EngineFacts;
use crate::engine::Engine;
use crate::host::process;

/// The host's engine: `DOCKER_HOST` if it names a socket, else the usual place.
pub fn look_at_system(docker_host: Option<&str>) -> EngineFacts {
    match docker_host.filter(|value| !value.is_empty()) {
        Some(value) => match value.strip_prefix("unix://") {
            Some(path) => match look_at(Path::new(path)) {
                // Whoever names a socket means that engine, and not that another be installed.
                EngineFacts::Absent => {
                    EngineFacts::Silent { socket: path.into(), why: "there is no such socket".to_owned() }
                }
                found => found,
            },
            None => EngineFacts::Remote(value.to_owned()),
        },
        None => match look_at(Path::new("/var/run/docker.sock")) {
            EngineFacts::Absent => installed_but_off(),
            found => found,
        },
    }
}

/// The engine behind a socket.
pub fn look_at(socket: &Path) -> EngineFacts {
    if !socket.exists() {
        return EngineFacts::Absent;
    }
    match Engine::connect(socket).and_then(|engine| engine.describe()) {
        Ok(description) => EngineFacts::Running { socket: socket.to_owned(), description },
        // A socket file that nobody listens on is what a dead engine leaves behind.
        Err(error) => {
            let why = deepest(&error);
            EngineFacts::Silent { socket: socket.to_owned(), why }
        }
    }
}

/// No socket: is an engine installed all the same?
fn installed_but_off() -> EngineFacts {
    let ours = crate::layout::EngineHome::System.bin().join("dockerd");
    let candidates = [process::find("dockerd"), Some(PathBuf::from("/snap/bin/docker"))];
    match candidates.into_iter().flatten().find(|path| path.exists() && !is_same(path, &ours)) {
        Some(path) => EngineFacts::Silent {
            socket: "/var/run/docker.sock".into(),
            why: format!("{} is installed, and there is no socket", path.display()),
        },
        None => EngineFacts::Absent,
    }
}

fn is_same(path: &Path, other: &Path) -> bool {
    matches!((path.canonicalize(), other.canonicalize()), (Ok(a), Ok(b)) if a == b)
}

fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}
