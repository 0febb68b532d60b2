//! Where the real parts are, and how they come about: by the scripts in `tests/parts/`, once, below `target/parts/`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::digest::HashingReader;

use crate::run::Run;

/// The Debian suite that an engine is taken from: three generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suite {
    /// Engine 20.10: the oldest that is supported.
    Bookworm,
    /// The newest engine.
    Forky,
    /// Engine 26.
    Trixie,
}

impl Suite {
    /// The suite's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bookworm => "bookworm",
            Self::Forky => "forky",
            Self::Trixie => "trixie",
        }
    }

    /// What must be at the beginning of the engine's version, where it is fixed.
    #[must_use]
    pub fn version_prefix(self) -> &'static str {
        match self {
            Self::Bookworm => "20.10.",
            Self::Forky => "2",
            Self::Trixie => "26.",
        }
    }
}

/// The Debian that a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Debian {
    /// Debian 12.
    Bookworm,
    /// Debian 11, with firewalld, ufw and sudo.
    Bullseye,
    /// Debian 13, with firewalld, ufw and sudo.
    Trixie,
}

/// An engine that `engine.sh` made.
#[derive(Clone, Debug)]
pub struct EngineParts {
    folder: PathBuf,
}

impl EngineParts {
    /// The folder with its programs.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    /// One of its programs.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs().join(name)
    }

    /// Its programs in the layout of Docker's static archive.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.folder.join("docker.tgz")
    }

    /// The Compose plugin.
    #[must_use]
    pub fn compose(&self) -> PathBuf {
        self.folder.join("docker-compose")
    }

    /// Its version.
    ///
    /// # Panics
    /// When the script left none.
    #[must_use]
    pub fn version(&self) -> String {
        fs::read_to_string(self.folder.join("VERSION")).expect("engine.sh writes VERSION").trim().to_owned()
    }
}

/// The engine of a suite.
#[must_use]
pub fn engine(suite: Suite) -> EngineParts {
    let folder = parts().join(format!("engine-{}", suite.name()));
    prepare("engine.sh", &[suite.name()], &folder);
    EngineParts { folder }
}

/// A static busybox.
#[must_use]
pub fn busybox() -> PathBuf {
    let folder = parts().join("busybox");
    prepare("busybox.sh", &[], &folder);
    folder.join("busybox")
}

/// The root file system of a fresh machine, as a tar.
#[must_use]
pub fn machine(debian: Debian) -> PathBuf {
    let kind = match debian {
        Debian::Bookworm => "machine",
        Debian::Bullseye => "machine-bullseye",
        Debian::Trixie => "machine-trixie",
    };
    let folder = parts().join("rootfs");
    prepare("rootfs.sh", &[kind], &folder);
    folder.join(format!("{kind}.tar"))
}

/// The C library of Debian 12, as a package for the machine of Debian 11: the engine of the tests is no static one.
#[must_use]
pub fn libc() -> PathBuf {
    let folder = parts().join("libc");
    prepare("libc.sh", &[], &folder);
    folder.join("libc6.deb")
}

/// The root file system that the example's images stand on, as a tar; `apt/` beside it says where packages come from.
#[must_use]
pub fn base() -> PathBuf {
    let folder = parts().join("rootfs");
    prepare("rootfs.sh", &["base"], &folder);
    folder.join("base.tar")
}

/// Installs Debian packages that are missing.
pub fn packages(names: &[&str]) {
    let _lock = lock("packages");
    call(Command::new(script("packages.sh")).args(names));
}

/// The packer to test: `AIRLIFT_BIN`, else the release build.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn airlift() -> PathBuf {
    let built = target().join("x86_64-unknown-linux-gnu/release/airlift");
    let program = std::env::var_os("AIRLIFT_BIN").map_or(built, PathBuf::from);
    assert!(program.exists(), "{} is not there; `make test` builds it before the tests", program.display());
    program
}

/// The checkout.
///
/// # Panics
/// Never: this crate is a folder of it.
#[must_use]
pub fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the checkout")
}

/// Where builds go.
#[must_use]
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| checkout().join("target"), PathBuf::from)
}

fn parts() -> PathBuf {
    target().join("parts")
}

fn script(name: &str) -> PathBuf {
    checkout().join("tests/parts").join(name)
}

/// A new folder for one test below `target/`, with a path so short that sockets fit into it, gone with the value.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn scratch() -> tempfile::TempDir {
    // A socket's path has at most 107 characters, and engines make theirs 35 below what they are given.
    const ROOM: usize = 60;
    let below_target = target().join("t");
    let parent = if below_target.as_os_str().len() < ROOM { below_target } else { std::env::temp_dir() };
    fs::create_dir_all(&parent).unwrap();
    tempfile::Builder::new().prefix("").rand_bytes(6).tempdir_in(parent).unwrap()
}

/// As [`scratch`], with a path of the same length wherever the checkout is: screens that show it break their lines at the same words.
///
/// # Panics
/// When it cannot be made.
#[must_use]
pub fn scratch_for_screens() -> tempfile::TempDir {
    const LENGTH: usize = 26;
    let random =
        |parent: &Path| (LENGTH - 1).checked_sub(parent.as_os_str().len()).filter(|length| *length >= 6);
    let parents = [target().join("t"), PathBuf::from("/tmp")];
    let (parent, random) = parents.iter().find_map(|parent| Some((parent, random(parent)?))).unwrap();
    fs::create_dir_all(parent).unwrap();
    tempfile::Builder::new().prefix("").rand_bytes(random).tempdir_in(parent).unwrap()
}

/// A lock between test programs, held as long as the value lives.
///
/// # Panics
/// When the file cannot be made.
#[must_use]
pub fn lock(name: &str) -> File {
    let folder = parts().join("locks");
    fs::create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(name)).unwrap();
    file.lock().unwrap();
    file
}

/// The SHA-256 of a file, in hex.
///
/// # Panics
/// When it cannot be read.
#[must_use]
pub fn sha256(path: &Path) -> String {
    let mut reader =
        HashingReader::new(File::open(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    reader.finish().0.hex()
}

/// Calls a script that makes `folder`; it returns at once if it has nothing to do.
fn prepare(name: &str, args: &[&str], folder: &Path) {
    let _lock = lock(&format!("{name}-{}", args.join("-")));
    call(Command::new(script(name)).args(args).arg(folder));
}

fn call(command: &mut Command) {
    let run = Run::of(command);
    assert_eq!(
        run.code,
        Some(0),
        "a part of the tests cannot be made; `make test` prepares them, as root\n{run}"
    );
}
