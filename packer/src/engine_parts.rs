//! The engine that a bundle carries: Docker's static archive and the Compose plugin, obtained, checked and made uniform.

pub mod fetch;
pub mod static_archive;

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::definition::EngineSource;
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

/// Obtains both parts. `spool` is a folder with room for what is large.
pub fn obtain(
    source: &EngineSource,
    root: &Path,
    spool: &Path,
    machine: &str,
    emit: Emit<'_>,
) -> Outcome<EngineFiles> {
    let docker = fetch::obtain(&source.docker, root, emit)?;
    let compose = fetch::obtain(&source.compose, root, emit)?;
    let archive = StaticArchive::read(&docker, spool, machine, emit)?;
    let failed = || format!("cannot read the Compose plugin {}", compose.display());
    let mut head = Vec::new();
    File::open(&compose).explain(failed)?.take(20).read_to_end(&mut head).explain(failed)?;
    fits(&head, machine).map_err(|reason| Failure::usage(failed()).because(reason))?;
    let compose_len = fs::metadata(&compose).explain(failed)?.len();
    Ok(EngineFiles { archive, compose, compose_len })
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
