//! Engine parts from files and URLs. Downloads go through `curl` into a cache that is keyed by digest, so what is in the
//! cache is always what was asked for.

use std::env;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::digest::{Digest, HashingReader};

use crate::definition::{Part, PartPlace};
use crate::event::{Emit, Event};
use crate::outcome::{Explain, Failure, Outcome};

/// The part as a file whose digest holds.
pub fn obtain(part: &Part, root: &Path, emit: Emit<'_>) -> Outcome<PathBuf> {
    let path = match &part.place {
        PartPlace::Path(path) => root.join(path),
        PartPlace::Url(url) => {
            let digest = part.digest.ok_or_else(|| Failure::usage(format!("{url} needs a sha256")))?;
            let cached = cache()?.join(digest.hex());
            if cached.is_file() {
                // A cache can rot. What does not hold is fetched again.
                if digest_of(&cached)? == digest {
                    return Ok(cached);
                }
                fs::remove_file(&cached).explain(|| format!("cannot remove {}", cached.display()))?;
            }
            emit(Event::Step(format!("downloading {url}")));
            return download(url, digest, &cached);
        }
    };
    if !path.is_file() {
        return Err(Failure::usage(format!("{} is not there", path.display()))
            .hint("correct the section [engine] of the definition, or pack with --no-engine"));
    }
    if let Some(expected) = part.digest {
        check(&path, expected, &path.display().to_string())?;
    }
    Ok(path)
}

fn download(url: &str, digest: Digest, to: &Path) -> Outcome<PathBuf> {
    let folder = to.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).explain(|| format!("cannot make {}", folder.display()))?;
    let partial = tempfile::NamedTempFile::new_in(folder)
        .explain(|| format!("cannot write in {}", folder.display()))?;
    let by_hand = format!("download {url} by hand and give it as `path`");
    let status = Command::new("curl")
        .args(["--fail", "--location", "--silent", "--show-error", "--retry", "3", "--output"])
        .arg(partial.path())
        .arg(url)
        .status()
        .map_err(|error| {
            Failure::new("cannot run curl, which does the downloads").because(error).hint(&by_hand)
        })?;
    if !status.success() {
        return Err(Failure::new(format!("cannot download {url}"))
            .because(format!("curl ended with {status}"))
            .hint(by_hand));
    }
    check(partial.path(), digest, url)?;
    partial.persist(to).explain(|| format!("cannot write {}", to.display()))?;
    Ok(to.to_owned())
}

fn check(path: &Path, expected: Digest, name: &str) -> Outcome<()> {
    let actual = digest_of(path)?;
    if actual == expected {
        return Ok(());
    }
    Err(Failure::damaged(format!("{name} is not the file that the definition names"))
        .because(format!("its sha256 is {}, expected was {}", actual.hex(), expected.hex()))
        .hint("get the file again; if it is meant to be another version, correct sha256 in the section [engine]"))
}

fn digest_of(path: &Path) -> Outcome<Digest> {
    let failed = || format!("cannot read {}", path.display());
    let mut reader = HashingReader::new(File::open(path).explain(failed)?);
    io::copy(&mut reader, &mut io::sink()).explain(failed)?;
    Ok(reader.finish().0)
}

fn cache() -> Outcome<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    folder("XDG_CACHE_HOME")
        .or_else(|| folder("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("airlift"))
        .ok_or_else(|| Failure::new("there is no folder for downloads").hint("set HOME or XDG_CACHE_HOME"))
}

/// Whether the part can be had without a download.
pub fn is_local(part: &Part) -> bool {
    match (&part.place, part.digest) {
        (PartPlace::Path(_), _) => true,
        (PartPlace::Url(_), Some(digest)) => cache()
            .and_then(|cache| digest_of(&cache.join(digest.hex())))
            .is_ok_and(|actual| actual == digest),
        (PartPlace::Url(_), None) => false,
    }
}
