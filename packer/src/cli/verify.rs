//! `airlift verify`: reads an installer file to its last byte and says where it is damaged.

use std::path::PathBuf;
use std::process::ExitCode;

use bundle_spec::error::Damage;

use crate::bundle_file;
use crate::event::Emit;
use crate::outcome::{Failure, Outcome};
use crate::quantity::bytes;
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let (_, bundle) = bundle_file::open(&args.file)?;
    let total = bundle.trailer.total_len;
    let damage = bundle_file::check(&args.file, &bundle, emit)?;
    if !damage.is_empty() {
        let list: Vec<_> = damage.iter().map(|damage| format!("\n  {}", shown(damage, total))).collect();
        return Err(Failure::damaged(format!("{} is damaged:{}", args.file.display(), list.concat()))
            .hint("copy the file again; if it comes out the same, the original or the medium is damaged"));
    }
    let app = &bundle.index.content.app;
    report::data(&format!("{} {}: intact, {}", app.name, app.version, bytes(total)))?;
    Ok(ExitCode::SUCCESS)
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
