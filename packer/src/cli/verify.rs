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

/// "bytes 812–816 MB of 1.4 GB are damaged (a layer of x)".
fn shown(damage: &Damage, total: u64) -> String {
    let (start, end) = (damage.start / 1_000_000, damage.end.div_ceil(1_000_000));
    let parts = if damage.parts.is_empty() { "padding".to_owned() } else { shortened(&damage.parts) };
    format!("bytes {start}–{end} MB of {} are damaged ({parts})", bytes(total))
}

/// A stretch at the start of a file can touch dozens of parts.
fn shortened(parts: &[String]) -> String {
    const SHOWN: usize = 6;
    let mut distinct: Vec<_> = parts.iter().map(String::as_str).collect();
    distinct.dedup();
    let more = distinct.len().saturating_sub(SHOWN);
    distinct.truncate(SHOWN);
    let list = distinct.join(", ");
    if more > 0 { format!("{list} and {more} more parts") } else { list }
}
