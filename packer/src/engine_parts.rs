//! The engine that a bundle carries: Docker's static archive and the Compose plugin, obtained, checked and made uniform.

pub mod fetch;
pub mod static_archive;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::definition::{EngineSource, PartPlace};
use crate::event::Emit;
use crate::outcome::{Explain, Failure, Outcome};

use self::static_archive::StaticArchive;

/// Both parts, ready to be packed.
#[derive(Debug)]
pub struct EngineFiles {
    /// The programs.
    pub archive: StaticArchive,
    /// The Compose plugin.
    pub compose: PathBuf,
    /// Its length in bytes.
    pub compose_len: u64,
}

impl EngineFiles {
    /// Bytes of both parts, unpacked.
    pub fn len(&self) -> u64 {
        self.archive.unpacked_len() + self.compose_len
    }
}

/// The Compose plugin that a bundle will carry, as far as it can be asked about the project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Plugin {
    /// Here it is.
    AtHand(PathBuf),
    /// None is named.
    NotNamed,
    /// `pack` will download it from this URL.
    ToFetch(String),
    /// It could not be had, which is a failure of its own.
    Unusable,
}

/// Both parts as far as they could be had.
#[derive(Debug)]
pub struct Obtained {
    archive: Outcome<StaticArchive>,
    plugin: Outcome<(PathBuf, u64)>,
}

/// Obtains both parts. `spool` is a folder with room for what is large.
pub fn obtain(source: &EngineSource, root: &Path, spool: &Path, machine: &str, emit: Emit<'_>) -> Obtained {
    Obtained {
        archive: fetch::obtain(&source.docker, root, emit)
            .and_then(|docker| StaticArchive::read(&docker, spool, machine, emit)),
        plugin: fetch::obtain(&source.compose, root, emit).and_then(|compose| plugin(compose, machine)),
    }
}

impl Obtained {
    /// What is wrong with either of them.
    pub fn failures(&self) -> impl Iterator<Item = &Failure> {
        self.archive.as_ref().err().into_iter().chain(self.plugin.as_ref().err())
    }

    /// The Compose plugin, whatever the other part is like.
    pub fn plugin(&self) -> Plugin {
        self.plugin.as_ref().map_or(Plugin::Unusable, |(path, _)| Plugin::AtHand(path.clone()))
    }

    /// Both parts.
    ///
    /// # Errors
    /// The first of [`Obtained::failures`].
    pub fn files(self) -> Outcome<EngineFiles> {
        let (compose, compose_len) = self.plugin?;
        Ok(EngineFiles { archive: self.archive?, compose, compose_len })
    }
}

/// Checks the parts that are at hand already; nothing is downloaded. Gives the plugin and what is wrong.
pub fn check(
    source: &EngineSource,
    root: &Path,
    spool: &Path,
    machine: &str,
    emit: Emit<'_>,
) -> (Plugin, Vec<Failure>) {
    let at_hand = |part| fetch::is_local(part).then(|| fetch::obtain(part, root, emit));
    let docker = at_hand(&source.docker)
        .and_then(|path| path.and_then(|path| StaticArchive::read(&path, spool, machine, emit)).err());
    let mut failures: Vec<_> = docker.into_iter().collect();
    let compose = at_hand(&source.compose).map(|path| plugin(path?, machine));
    let plugin = match (compose, &source.compose.place) {
        (Some(Ok((path, _))), _) => Plugin::AtHand(path),
        (Some(Err(failure)), _) => {
            failures.push(failure);
            Plugin::Unusable
        }
        (None, PartPlace::Url(url)) => Plugin::ToFetch(url.clone()),
        (None, PartPlace::Path(_)) => Plugin::Unusable,
    };
    (plugin, failures)
}

/// The plugin and its length, if it runs on a machine of this architecture.
fn plugin(path: PathBuf, machine: &str) -> Outcome<(PathBuf, u64)> {
    let failed = || format!("cannot read the Compose plugin {}", path.display());
    let mut head = Vec::new();
    File::open(&path).explain(failed)?.take(20).read_to_end(&mut head).explain(failed)?;
    fits(&head, machine).map_err(|reason| Failure::usage(failed()).because(reason))?;
    let len = fs::metadata(&path).explain(failed)?.len();
    Ok((path, len))
}

/// Whether a program that begins with `head` runs on a machine of this architecture.
fn fits(head: &[u8], machine: &str) -> Result<(), String> {
    let name = match (head.get(..4), head.get(18..20)) {
        (Some(b"\x7fELF"), Some([0x3e, 0])) => "x86_64",
        (Some(b"\x7fELF"), Some([0xb7, 0])) => "aarch64",
        (Some(b"\x7fELF"), _) => "another architecture",
        _ => return Err("it is not a program".to_owned()),
    };
    if name == machine { Ok(()) } else { Err(format!("it is a program for {name}, not for {machine}")) }
}
