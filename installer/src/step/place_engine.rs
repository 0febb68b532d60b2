//! Places the engine's static binaries and the Compose plugin, and links them into the search path where nothing is.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use bundle_spec::codec;
use bundle_spec::project::EngineParts;

use super::Context;
use crate::host::file::{self, Access, Ready};
use crate::host::process;
use crate::layout::{EngineHome, SYSTEM_LINKS};
use crate::outcome::{Failure, Outcome};
use crate::plan::Step;
use crate::text::problem as text;

/// What the tar of a dozen programs has beside their bytes, with much to spare.
const TAR_OVERHEAD: u64 = 1 << 20;

/// What the mark holds while programs are being placed.
const UNFINISHED: &str = "unfinished\n";

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let (Some(home), Some(parts)) = (&context.plan.engine.home, &context.content.engine) else { return true };
    let mark = file::read_text(&home.mark()).ok().flatten();
    mark.as_deref() == Some(mark_of(parts).as_str()) && home.compose().is_file()
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let (Some(home), Some(parts)) = (&context.plan.engine.home, &context.content.engine) else {
        return Ok(());
    };
    let bin = home.bin();
    context.claim_dirs(&bin)?;
    // One that was there is ours all the same: a run that was killed, or an application that is gone, has left it.
    if *home == EngineHome::System {
        context.claim(&bin)?;
    }
    file::make_dir(&bin, Access::EXECUTABLE)?;
    begin(home)?;
    let title = context.plan.describe_step(Step::PlaceEngine, context.content);
    let total = parts.archive_unpacked_len + parts.compose_len;
    let mut done = 0;
    unpack(context, parts, &bin, |len| {
        done += len;
        context.progress(&title, done, total);
    })?;
    place_compose_plugin(context, &home.compose())?;
    relabel(&bin);
    if *home == EngineHome::System {
        link_into_path(context, &bin)?;
    }
    file::write(&home.mark(), Access::READABLE, mark_of(parts).as_bytes())?;
    Ok(())
}

/// Says that the programs are being replaced. The mark itself stays: it says whose they are, and the engine that runs is ours
/// meanwhile. Before the first ones are placed there is none, and an engine that is found then is somebody else's.
fn begin(home: &EngineHome) -> Outcome<()> {
    let mark = home.mark();
    if mark.exists() { file::write(&mark, Access::READABLE, UNFINISHED.as_bytes()) } else { Ok(()) }
}

fn mark_of(parts: &EngineParts) -> String {
    format!("{}\n{}\n", parts.archive, parts.compose)
}

/// Unpacks the archive's programs. None of them gets its name before the digest of the whole archive was compared, which
/// is at its end: what a forger has changed must not be left where somebody may start it.
fn unpack(context: &Context<'_>, parts: &EngineParts, bin: &Path, count: impl FnMut(u64)) -> Outcome<()> {
    let failed = || not_unpacked(bin);
    let source = context.bundle.handle().map_err(|error| failed().because(&error))?;
    let blob =
        context.bundle.bundle.blob(source, &parts.archive).map_err(|error| failed().because(&error))?;
    let plain = codec::decoder(blob).map_err(|error| failed().because(&error))?;
    // No more than the disk was asked for; a little for what a tar has beside its files.
    let programs = programs(plain, parts.archive_unpacked_len.saturating_add(TAR_OVERHEAD), bin, count)?;
    programs.into_iter().try_for_each(Ready::put)
}

fn not_unpacked(bin: &Path) -> Box<Failure> {
    Failure::midway(text::engine_not_unpacked(&bin.display()))
}

/// The programs of an archive that was read to its end, with everything but their names. Only regular files with plain names
/// directly below `docker/` exist for us: whatever else a forged archive has is an error, not a file.
fn programs(plain: impl Read, limit: u64, bin: &Path, mut count: impl FnMut(u64)) -> Outcome<Vec<Ready>> {
    let failed = || not_unpacked(bin);
    let mut archive = tar::Archive::new(plain.take(limit));
    let mut programs = Vec::new();
    for entry in archive.entries().map_err(|error| failed().because(&error))? {
        let mut entry = entry.map_err(|error| failed().because(&error))?;
        let path = entry.path().map_err(|error| failed().because(&error))?.into_owned();
        let kind = entry.header().entry_type();
        let Some(name) = program_name(&path).filter(|_| kind.is_file()) else {
            if kind.is_dir() {
                continue;
            }
            return Err(failed().quoting(format!("unexpected entry {path:?}")));
        };
        programs.push(file::prepare(&bin.join(name), Access::EXECUTABLE, &mut entry)?);
        count(entry.size());
    }
    // The digest is checked at the blob's end, which the tar reader may not have reached.
    let mut plain = archive.into_inner();
    std::io::copy(&mut plain, &mut std::io::sink()).map_err(|error| failed().because(&error))?;
    if plain.limit() == 0 {
        return Err(failed().quoting("the archive is larger than the bundle says"));
    }
    Ok(programs)
}

/// `docker/<name>` → `<name>`.
fn program_name(path: &Path) -> Option<PathBuf> {
    let name = path.strip_prefix("docker").ok()?.to_str()?;
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    (is_plain && !name.starts_with('.')).then(|| name.into())
}

/// Writes the Compose plugin; also used beside an engine that is not ours.
pub(super) fn place_compose_plugin(context: &Context<'_>, path: &Path) -> Outcome<()> {
    let Some(parts) = &context.content.engine else { return Ok(()) };
    let failed = || Failure::midway(text::cannot_write(&path.display()));
    let source = context.bundle.handle().map_err(|error| failed().because(&error))?;
    let blob =
        context.bundle.bundle.blob(source, &parts.compose).map_err(|error| failed().because(&error))?;
    let plain = codec::decoder(blob).map_err(|error| failed().because(&error))?;
    file::write_atomic(path, Access::EXECUTABLE, &mut Exactly { plain, left: parts.compose_len })
}

/// Ends only where what it reads ends, which is where a blob's digest is compared; and only after so many bytes. What is
/// renamed into place has come through whole.
struct Exactly<R> {
    plain: R,
    left: u64,
}

impl<R: Read> Read for Exactly<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.plain.read(buffer)?;
        let wrong = |why| io::Error::new(io::ErrorKind::InvalidData, why);
        if count == 0 && self.left > 0 && !buffer.is_empty() {
            return Err(wrong("the program is smaller than the bundle says"));
        }
        let left = self.left.checked_sub(count as u64);
        self.left = left.ok_or_else(|| wrong("the program is larger than the bundle says"))?;
        Ok(count)
    }
}

/// On SELinux hosts programs with a wrong label end with 203/EXEC (containerd#11814). Elsewhere the command is missing.
fn relabel(bin: &Path) {
    if let Some(restorecon) = process::find("restorecon") {
        // Without SELinux in force it fails, and nothing is lost.
        let _ = process::run(process::command(restorecon).arg("-RF").arg(bin));
    }
}

fn link_into_path(context: &mut Context<'_>, bin: &Path) -> Outcome<()> {
    for (link, name) in SYSTEM_LINKS {
        let link = Path::new(link);
        // Somebody else's command stays theirs.
        if link.symlink_metadata().is_ok()
            && !std::fs::read_link(link).is_ok_and(|target| target.starts_with(bin))
        {
            continue;
        }
        if let Some(parent) = link.parent() {
            context.claim_dirs(parent)?;
            file::make_dir(parent, Access::EXECUTABLE)?;
        }
        context.claim(link)?;
        file::link(link, &bin.join(name))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineChoice;
    use crate::receipt::Receipt;

    /// A kill while a newer engine was being placed made the engine nobody's: the next run took it for the operator's own, and
    /// uninstall left it.
    #[test]
    fn an_engine_that_is_being_replaced_stays_ours() {
        let folder = tempfile::tempdir().unwrap();
        let home = EngineHome::Private(folder.path().to_owned());
        let mut receipt = Receipt::new("shop", "1.0", "shop", EngineChoice::Private);
        receipt.engine = Some(home.clone());
        std::fs::create_dir(home.bin()).unwrap();
        begin(&home).unwrap();
        assert_eq!(receipt.own_engine(), None);
        std::fs::write(home.mark(), "sha256:00\nsha256:01\n").unwrap();
        begin(&home).unwrap();
        assert_eq!(receipt.own_engine(), Some(&home));
        assert_eq!(std::fs::read_to_string(home.mark()).unwrap(), UNFINISHED);
    }

    /// Like a blob, says at its end whether it was the right one.
    struct Forged<'a>(&'a [u8]);

    impl Read for Forged<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::new(io::ErrorKind::InvalidData, "damaged")),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn a_plugin_whose_digest_was_not_compared_is_not_placed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("docker-compose");
        let place = |plain: &mut dyn Read, left| {
            file::write_atomic(&path, Access::EXECUTABLE, &mut Exactly { plain, left })
        };
        for len in [3, 4, 5] {
            assert!(place(&mut Forged(b"1234"), len).is_err(), "forged, {len} bytes");
        }
        for len in [0, 3, 5] {
            assert!(place(&mut &b"1234"[..], len).is_err(), "{len} instead of 4 bytes");
        }
        assert!(!path.exists());
        place(&mut &b"1234"[..], 4).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"1234");
    }

    /// Programs got their names one by one while the archive was read; that it was damaged, or forged, was found at its end.
    #[test]
    fn no_program_of_an_archive_whose_digest_is_wrong_is_placed() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("dockerd"), "old").unwrap();
        let mut archive = tar::Builder::new(Vec::new());
        for (name, content) in [("docker/dockerd", "new"), ("docker/runc", "also new")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            archive.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        let archive = archive.into_inner().unwrap();
        let len = archive.len() as u64;
        let names = || std::fs::read_dir(dir.path()).unwrap().count();
        for (limit, is_forged) in [(len + 1, true), (len, false), (1200, false)] {
            let forged = Forged(&archive);
            let plain: Box<dyn Read> = if is_forged { Box::new(forged) } else { Box::new(&archive[..]) };
            assert!(programs(plain, limit, dir.path(), |_| ()).is_err(), "{limit} {is_forged}");
            assert_eq!((names(), std::fs::read(dir.path().join("dockerd")).unwrap()), (1, b"old".to_vec()));
        }
        let placed = programs(&archive[..], len + 1, dir.path(), |_| ()).unwrap();
        placed.into_iter().try_for_each(Ready::put).unwrap();
        assert_eq!(std::fs::read(dir.path().join("dockerd")).unwrap(), b"new");
        assert_eq!(names(), 2);
    }

    #[test]
    fn only_plain_programs_below_docker_are_placed() {
        assert_eq!(
            program_name(Path::new("docker/containerd-shim-runc-v2")),
            Some("containerd-shim-runc-v2".into())
        );
        for bad in
            ["docker", "docker/", "docker/../x", "/docker/x", "x", "docker/a/b", "docker/.x", "docker/a b"]
        {
            assert_eq!(program_name(Path::new(bad)), None, "{bad}");
        }
    }
}
