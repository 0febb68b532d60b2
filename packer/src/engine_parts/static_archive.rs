//! Docker's static archive: checked entry by entry, and given a form that does not depend on who packed it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::engine_parts::fits;
use crate::event::{Emit, Event};
use crate::image::compression;
use crate::outcome::{Explain, Failure, Outcome};
use crate::range::Range;

/// Programs without which the engine does not run.
const REQUIRED: [&str; 7] =
    ["containerd", "containerd-shim-runc-v2", "docker", "docker-init", "docker-proxy", "dockerd", "runc"];

/// Programs that are packed when they are there.
const OPTIONAL: [&str; 1] = ["ctr"];

/// Length of a tar's header and of what its contents are padded to.
const TAR_BLOCK: u64 = 512;

/// The archive's programs, in a nameless file.
#[derive(Debug)]
pub struct StaticArchive {
    spool: File,
    programs: BTreeMap<String, (u64, u64)>,
    /// Version that `dockerd` reports, or that the file's name says.
    pub version: Option<String>,
}

impl StaticArchive {
    /// Reads and checks `docker-NN.tgz`.
    pub fn read(path: &Path, spool: &Path, machine: &str, emit: Emit<'_>) -> Outcome<Self> {
        let failed = || format!("{} cannot be packed as the engine", path.display());
        let file = File::open(path).explain(|| format!("cannot read {}", path.display()))?;
        let spool = compression::seekable(file, spool).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => Failure::damaged(format!("{} ends too early", path.display()))
                .because(error)
                .hint("it was cut off while it was downloaded or copied: get the file again"),
            _ => Failure::new(format!("cannot unpack {}", path.display())).because(error),
        })?;
        let mut programs = list(&spool).map_err(|reason| {
            Failure::usage(failed())
                .because(reason)
                .hint("give Docker's static archive, docker-NN.N.N.tgz, as it was downloaded")
        })?;
        let missing: Vec<_> = REQUIRED.into_iter().filter(|name| !programs.contains_key(*name)).collect();
        if !missing.is_empty() {
            return Err(
                Failure::usage(failed()).because(format!("it lacks docker/{}", missing.join(", docker/")))
            );
        }
        programs.retain(|name, _| {
            let known = REQUIRED.contains(&name.as_str()) || OPTIONAL.contains(&name.as_str());
            if !known {
                emit(Event::Warning(format!("{} has docker/{name}, which is not packed", path.display())));
            }
            known
        });
        let mut archive = Self { spool, programs, version: None };
        let mut head = [0; 20];
        archive.program("dockerd")?.read_exact(&mut head).explain(failed)?;
        fits(&head, machine)
            .map_err(|reason| Failure::usage(failed()).because(format!("docker/dockerd: {reason}")))?;
        archive.version = archive.reported_version().or_else(|| named_version(path));
        Ok(archive)
    }

    /// Bytes of all programs.
    pub fn unpacked_len(&self) -> u64 {
        self.programs.values().map(|(_, len)| len).sum()
    }

    /// Length of the tar that [`StaticArchive::write`] makes.
    pub fn tar_len(&self) -> u64 {
        let entries: u64 =
            self.programs.values().map(|(_, len)| TAR_BLOCK + len.next_multiple_of(TAR_BLOCK)).sum();
        entries + 2 * TAR_BLOCK
    }

    /// Writes the programs as a tar that is the same whoever made the original: sorted, owned by root, without times.
    pub fn write(&self, sink: impl Write, emit: Emit<'_>) -> Outcome<()> {
        let failed = || "cannot write the engine into the bundle";
        let mut builder = tar::Builder::new(sink);
        for (name, (_, len)) in &self.programs {
            let mut header = tar::Header::new_ustar();
            header.set_size(*len);
            header.set_mode(0o755);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            builder
                .append_data(&mut header, format!("docker/{name}"), self.program(name)?)
                .explain(failed)?;
            emit(Event::Advanced(*len));
        }
        builder.into_inner().explain(failed)?.flush().explain(failed)
    }

    fn program(&self, name: &str) -> Outcome<impl Read + '_> {
        let place =
            self.programs.get(name).ok_or_else(|| Failure::new(format!("docker/{name} is not there")))?;
        Ok(Range::new(&self.spool, place.0, place.1))
    }

    /// What `dockerd --version` says, if it can be executed here.
    fn reported_version(&self) -> Option<String> {
        let scratch = tempfile::tempdir().ok()?;
        let path = scratch.path().join("dockerd");
        let mut file = File::create(&path).ok()?;
        io::copy(&mut self.program("dockerd").ok()?, &mut file).ok()?;
        drop(file);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).ok()?;
        let output = Command::new(&path).arg("--version").env_clear().output();
        let text = String::from_utf8(output.ok()?.stdout).ok()?;
        let version = text.split("version ").nth(1)?.split([',', ' ', '\n']).next()?;
        // Distributions add their own suffix: 26.1.5+dfsg1.
        version
            .starts_with(|c: char| c.is_ascii_digit())
            .then(|| version.split('+').next().unwrap_or(version).to_owned())
    }
}

/// The version in a name like `docker-28.5.2.tgz`.
fn named_version(path: &Path) -> Option<String> {
    let version = path.file_name()?.to_str()?.strip_prefix("docker-")?.strip_suffix(".tgz")?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

/// Where the programs are. Only the folder `docker` and plain files directly in it may be there.
fn list(spool: &File) -> Result<BTreeMap<String, (u64, u64)>, String> {
    let mut programs = BTreeMap::new();
    let mut archive = tar::Archive::new(spool);
    let unreadable = |error: io::Error| format!("it is not a tar archive: {error}");
    for entry in archive.entries_with_seek().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let shown = path.escape_debug().to_string();
        let name = path.strip_prefix("docker/").unwrap_or("");
        let kind = entry.header().entry_type();
        if kind.is_dir() && path.trim_end_matches('/') == "docker" {
            continue;
        }
        if !kind.is_file() {
            return Err(format!("its entry `{shown}` is not a plain file ({kind:?})"));
        }
        if name.is_empty() || name.contains('/') || name.starts_with('.') || name.contains(char::is_control) {
            return Err(format!("its entry `{shown}` is not of the form docker/<name>"));
        }
        if programs.insert(name.to_owned(), (entry.raw_file_position(), entry.size())).is_some() {
            return Err(format!("its entry `{shown}` is there twice"));
        }
    }
    Ok(programs)
}

#[cfg(test)]
mod tests;
