//! Applications of any size, and what an engine has grown by.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bundle::Vendor;
use crate::engine::{Engine, Store};
use crate::images::{self, Image, Layer};
use crate::run::Run;

/// How large an application is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Images, each with a service of its own.
    pub images: usize,
    /// Project files.
    pub files: usize,
    /// Questions, each with a variable of its own.
    pub questions: usize,
}

/// A vendor's folder with an application of that size, without an engine. Its services wait; the first one knows all answers.
///
/// # Panics
/// When it cannot be written.
#[must_use]
pub fn vendor(name: &str, version: &str, size: Size) -> Vendor {
    let base = images::base();
    let image = |number: usize| {
        let mut own = Layer::default();
        let noise = images::noise(number as u64 + 7, 200_000);
        own.folder("own").file("own/noise", 0o644, &noise).file(
            "own/name",
            0o644,
            format!("{name} {version}").as_bytes(),
        );
        let wait = ["/bin/sh", "-c", "trap exit TERM; while true; do sleep 1; done"];
        Image::new(&format!("{name}/s{number}:1"), vec![base.clone(), own.finish()], &wait)
    };
    let vendor = Vendor::of((0..size.images).map(image).collect());
    let (mut compose, mut definition) = (format!("name: {name}\n\nservices:\n"), String::new());
    let _ = writeln!(
        definition,
        "[app]\nname = \"{name}\"\nversion = \"{version}\"\ntitle = {{ zh = \"负载\", en = \"Load\" }}\nvendor = \"Example Ltd.\"\n\n[[file]]\ninclude = [\"conf/**\"]\n"
    );
    for number in 0..size.images {
        let _ = write!(
            compose,
            "  s{number}:\n    image: {name}/s{number}:1\n    network_mode: none\n    restart: unless-stopped\n    stop_grace_period: 1s\n"
        );
        let _ = writeln!(
            definition,
            "[[image]]\nreference = \"{name}/s{number}:1\"\nsource = \"archive\"\npath = \"images.tar\"\n"
        );
        if number == 0 {
            compose.push_str("    environment:\n");
            (0..size.questions).for_each(|question| {
                let _ = writeln!(compose, "      Q_{question}: ${{Q_{question}}}");
            });
        }
    }
    for question in 0..size.questions {
        let kind = match question % 4 {
            0 => "kind = \"text\"\ndefault = \"some text\"",
            1 => "kind = \"integer\"\ndefault = \"42\"",
            2 => "kind = \"bool\"\ndefault = \"true\"",
            _ => "kind = \"secret\"\ngenerate = { format = \"hex\", bytes = 16 }",
        };
        let _ = writeln!(
            definition,
            "[[question]]\nid = \"q_{question}\"\nenv = \"Q_{question}\"\n{kind}\nprompt = {{ zh = \"问题 {question}\", en = \"Question {question}\" }}\n"
        );
    }
    vendor.write("docker-compose.yml", compose);
    vendor.write("airlift.toml", definition);
    fs::remove_file(vendor.path("conf/app.conf.bak")).unwrap();
    fs::remove_file(vendor.path("conf/app.conf")).unwrap();
    for number in 0..size.files {
        vendor.write(&format!("conf/{}/{number}.conf", number % 10), format!("file {number} of {version}\n"));
    }
    vendor
}

/// What can grow, at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Growth {
    /// Images, those without a name included.
    pub images: usize,
    /// Images without a name.
    pub dangling: usize,
    /// Containers, running or not.
    pub containers: usize,
    /// Leases, blobs and snapshots of containerd; 0 on a graph driver.
    pub kept: [usize; 3],
    /// Bytes on the disk below the engine's data root.
    pub disk: u64,
    /// Bytes on the disk below the project directory.
    pub project: u64,
    /// Files below the project directory.
    pub files: u64,
    /// Bytes of memory of the engine and the containerd below it.
    pub memory: u64,
}

impl Growth {
    /// Looks.
    ///
    /// # Panics
    /// When the engine does not answer.
    #[must_use]
    pub fn of(engine: &Engine, store: Store, project: &Path) -> Self {
        let lines = |run: Run| run.done().stdout.lines().filter(|line| !line.trim().is_empty()).count();
        let docker = |args: &[&str]| lines(engine.docker(args));
        let kept = match store {
            Store::Containerd => [
                lines(engine.ctr(&["leases", "ls", "-q"])),
                lines(engine.ctr(&["content", "ls", "-q"])),
                lines(engine.ctr(&["snapshots", "ls"])),
            ],
            Store::Overlay2 => [0; 3],
        };
        let (project, files) = size_of(project);
        Self {
            images: docker(&["image", "ls", "-a", "-q", "--no-trunc"]),
            dangling: docker(&["image", "ls", "-q", "--filter", "dangling=true"]),
            containers: docker(&["ps", "-a", "-q"]),
            kept,
            disk: size_of(&engine.data()).0,
            project,
            files,
            memory: memory_of(engine),
        }
    }
}

/// Bytes and files below a folder, without what is mounted there.
fn size_of(folder: &Path) -> (u64, u64) {
    let du = |option: &str| -> u64 {
        let run = Run::of(Command::new("du").args(["-sx", option]).arg(folder));
        run.stdout.split_whitespace().next().and_then(|count| count.parse().ok()).unwrap_or(0)
    };
    (du("-B1"), du("--inodes"))
}

fn memory_of(engine: &Engine) -> u64 {
    let containerd: PathBuf = engine.folder().join("x/containerd/containerd.pid");
    let below = fs::read_to_string(containerd).ok().and_then(|pid| pid.trim().parse().ok());
    [Some(engine.pid()), below].into_iter().flatten().map(|pid| status(pid, "VmRSS:")).sum()
}

/// A number of bytes from the status of a process: its memory now (`VmRSS:`), or at most (`VmHWM:`).
#[must_use]
pub fn status(pid: u32, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap_or(0) * 1024
}
