//! `airlift verify`: reads an installer file to its last byte and says where it is damaged.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use bundle_spec::error::Damage;
use bundle_spec::reader::Bundle;
use bundle_spec::signature::PublicKey;

use crate::bundle_file;
use crate::event::Emit;
use crate::key;
use crate::outcome::{Failure, Outcome};
use crate::quantity::bytes;
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The public key that it must be signed with: the key itself, or a file with it
    #[arg(long, value_name = "PUB")]
    key: Option<String>,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let key = args.key.as_deref().map(key::public).transpose()?;
    let (_, bundle) = bundle_file::open(&args.file)?;
    // At once, before gigabytes are read.
    if let Some(key) = &key {
        demand(&args.file, &bundle, key)?;
    }
    let total = bundle.trailer.total_len;
    let damage = bundle_file::check(&args.file, &bundle, emit)?;
    if !damage.is_empty() {
        let list: Vec<_> = damage.iter().map(|damage| format!("\n  {}", shown(damage, total))).collect();
        return Err(Failure::damaged(format!("{} is damaged:{}", args.file.display(), list.concat()))
            .hint("copy the file again; if it comes out the same, the original or the medium is damaged"));
    }
    let app = &bundle.index.content.app;
    report::data(&format!("{} {}: intact, {}", app.name, app.version, bytes(total)))?;
    report::data(&match (&bundle.signer, key) {
        (Some(signer), Some(_)) => format!("signed with the given key {}", signer.key),
        (Some(signer), None) => format!("signed with the key {}; whose it is, say with --key", signer.key),
        (None, _) => "not signed".to_owned(),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Ends the run unless the bundle is signed with this key.
fn demand(path: &Path, bundle: &Bundle, key: &PublicKey) -> Outcome<()> {
    let found = match &bundle.signer {
        Some(signer) if signer.key == *key => return Ok(()),
        Some(signer) => format!("it is signed with {}", signer.key),
        None => "it is not signed".to_owned(),
    };
    Err(Failure::damaged(format!("{} is not signed with {key}", path.display()))
        .because(found)
        .hint("do not use it; ask whoever gave you the key which file is the right one"))
}

/// "bytes 812-816 MB of 1.4 GB are damaged (a layer of x)", as the file itself says it; small files are shown to the byte.
fn shown(damage: &Damage, total: u64) -> String {
    const SMALL: u64 = 10_000_000;
    let place = if total < SMALL {
        format!("{}-{} of {total}", damage.start, damage.end)
    } else {
        let (start, end) = damage.megabytes();
        format!("{start}-{end} MB of {}", bytes(total))
    };
    format!("bytes {place} are damaged ({})", damage.parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_read_as_in_the_file_itself() {
        let damage = Damage { start: 46_137_344, end: 50_331_648, parts: vec!["engine".to_owned()] };
        assert_eq!(shown(&damage, 129_200_000), "bytes 46-50 MB of 129.2 MB are damaged (engine)");
        assert_eq!(shown(&damage, 9_000_000), "bytes 46137344-50331648 of 9000000 are damaged (engine)");
    }
}
