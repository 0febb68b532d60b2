//! `airlift keygen`: a pair of keys to sign installer files with.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::event::{Emit, Event};
use crate::key::{self, PasswordArgs};
use crate::outcome::Outcome;
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What the files are called: NAME.key and NAME.pub
    #[arg(value_name = "NAME", default_value = "airlift")]
    name: PathBuf,
    /// Leave the secret key without a password
    #[arg(long, conflicts_with = "password_file")]
    no_password: bool,
    #[command(flatten)]
    password: PasswordArgs,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let password = (!args.no_password).then_some(&args.password);
    let (secret, public_path, public) = key::generate(&args.name, password)?;
    emit(Event::Step(format!(
        "{}: the secret key; keep it and a copy of it where nobody else can read it",
        secret.display()
    )));
    emit(Event::Step(format!(
        "{}: the public key, {public}; give it to your customers by another way than the installer file",
        public_path.display()
    )));
    report::data(&public.base64())?;
    Ok(ExitCode::SUCCESS)
}
