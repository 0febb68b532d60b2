//! `airlift sign`: signs an installer file that was packed without a key, as on a machine that has the key and nothing else.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::event::{Emit, Event};
use crate::key::{self, PasswordArgs, SigningKey};
use crate::outcome::Outcome;
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file; it is replaced by the signed one
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The secret key
    #[arg(long, value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let key = SigningKey::read(&args.key, &args.password)?;
    key::sign_file(&args.file, &key)?;
    emit(Event::Step(format!("signed with {}", key.public)));
    report::data(&args.file.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}
