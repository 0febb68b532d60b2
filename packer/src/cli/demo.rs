//! `airlift demo`: installs into a folder here, with the engine of the installer file, as a customer would.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::bundle_file;
use crate::cli::pack;
use crate::definition;
use crate::event::{Emit, Event};
use crate::outcome::{Explain, Outcome};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file; packed from ./airlift.toml where none is given
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// More arguments for the installation
    #[arg(last = true, value_name = "ARGS")]
    more: Vec<String>,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => pack::pack(&pack::Args::plain(definition::FILE_NAME.into(), None), emit)?,
    };
    let (_, bundle) = bundle_file::open(&file)?;
    let app = &bundle.index.content.app;
    let folder = PathBuf::from(format!("./{}-demo", app.name));
    emit(Event::Step(format!("installing {} {} into {}", app.name, app.version, folder.display())));
    let status = installer(&file, &folder)
        .args(&args.more)
        .status()
        .explain(|| format!("cannot run {}", file.display()))?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

fn installer(file: &Path, folder: &Path) -> Command {
    let mut command = Command::new("sh");
    command.arg(file).args(["install", "--engine", "private", "--yes", "--dir"]).arg(folder);
    command
}
