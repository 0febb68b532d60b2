//! The example, `examples/llm-chat`: its images are built as its vendor builds them, and packed, once for each state of its sources.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bundle_spec::digest::Digest;

use crate::bundle::Bundle;
use crate::engine::{Engine, Store};
use crate::parts::{self, Suite};
use crate::run::Run;
use crate::wait;

/// What no image is made from.
const IN_NO_IMAGE: [&str; 7] = [
    "README.md",
    "README.zh-CN.md",
    "airlift.toml",
    "answers.toml",
    "docker-compose.yml",
    "env.example",
    "nginx/default.conf",
];

/// The example's bundle, with the newest engine in it.
///
/// # Panics
/// When it cannot be built or packed.
#[must_use]
pub fn bundle() -> Bundle {
    let _lock = parts::lock("example");
    let sources = sources();
    let built = digest_of(&sources, &IN_NO_IMAGE);
    let packed =
        Digest::of(format!("{} {}", digest_of(&sources, &[]), parts::sha256(&parts::airlift())).as_bytes());
    let folder = parts::target().join("parts/example-bundle");
    let path = folder.join(format!("llm-chat-{}.run", packed.short()));
    if path.exists() {
        return Bundle { path };
    }
    fs::create_dir_all(&folder).unwrap();
    let images = folder.join(format!("images-{built}.tar"));
    for entry in fs::read_dir(&folder).unwrap() {
        let old = entry.unwrap().path();
        if old != images {
            fs::remove_file(old).unwrap();
        }
    }
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    load_or_build(&engine, &images);
    pack(&engine, &sources, &path);
    Bundle { path }
}

/// Gives an engine the images, from the archive if they were built before, else into it.
fn load_or_build(engine: &Engine, images: &Path) {
    if images.exists() {
        let _ = engine.docker(["load".as_ref(), "--input".as_ref(), images.as_os_str()]).done();
    } else {
        build(engine);
        let part = images.with_extension("part");
        let names = ["backend", "frontend", "nginx"].map(|name| format!("llm-chat-{name}:1.0.0"));
        let mut save = engine.command();
        let _ = Run::of(save.args(["save", "--output"]).arg(&part).args(&names)).done();
        fs::rename(part, images).unwrap();
    }
}

fn sources() -> PathBuf {
    parts::checkout().join("examples/llm-chat")
}

fn build(engine: &Engine) {
    let base = parts::base();
    let _ = engine.docker(["import".as_ref(), base.as_os_str(), "debian-base:12".as_ref()]).done();
    let mut build = Command::new(sources().join("build.sh"));
    build
        .env("DOCKER", engine.program())
        .env("DOCKER_HOST", engine.address())
        .env("BASE", "debian-base:12")
        .env("APT", base.with_file_name("apt"));
    let _ = Run::of(&mut build).done();
}

fn pack(engine: &Engine, sources: &Path, path: &Path) {
    let carried = parts::engine(Suite::Forky);
    let mut pack = Command::new(parts::airlift());
    pack.current_dir(sources)
        .env("DOCKER_HOST", engine.address())
        .arg("pack")
        .arg("--output")
        .arg(path)
        .arg("--engine-docker")
        .arg(carried.archive())
        .arg("--engine-compose")
        .arg(carried.compose());
    let _ = Run::of(&mut pack).done();
}

/// A digest of all files below `folder` and their names, but those in `without`.
fn digest_of(folder: &Path, without: &[&str]) -> String {
    let mut lines = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(current) = open.pop() {
        for entry in fs::read_dir(current).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            if path.is_dir() {
                open.push(path);
            } else if !without.contains(&name.as_str()) {
                lines.push(format!("{name} {}", parts::sha256(&path)));
            }
        }
    }
    lines.sort();
    Digest::of(lines.join("\n").as_bytes()).short()
}

/// The stand-in for the language model. Ends with the value.
#[derive(Debug)]
pub struct StandIn(Child);

impl StandIn {
    /// Starts it on a port of this machine.
    ///
    /// # Panics
    /// When it does not come up.
    #[must_use]
    pub fn start(port: u16) -> Self {
        parts::packages(&["python3"]);
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "python3"])
            .arg(sources().join("llm-stand-in/server.py"))
            .args(["--port", &port.to_string(), "--delay", "0"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start the stand-in: {error}"));
        let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).ok();
        wait::until("the stand-in", Duration::from_secs(20), answers, String::new);
        Self(child)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
