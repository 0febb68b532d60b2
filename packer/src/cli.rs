//! The command line: verbs and their flags, and how a run ends. What a verb does is in its own file.

mod demo;
mod export;
mod init;
mod inspect;
mod keygen;
mod lint;
mod pack;
mod sign;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::event::Event;
use crate::outcome::{Exit, Outcome};
use crate::report::Reporter;

/// Pack a Docker Compose application into one installer file for machines without a network.
#[derive(Debug, Parser)]
#[command(name = "airlift", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Write a commented airlift.toml for an existing Compose file
    Init(init::Args),
    /// Check definition and Compose file, and list every finding
    Lint(lint::Args),
    /// Write the installer file
    Pack(pack::Args),
    /// Show what is in an installer file
    Inspect(inspect::Args),
    /// Check an installer file byte for byte
    Verify(verify::Args),
    /// Write the images of an installer file as an OCI layout
    Export(export::Args),
    /// Make a pair of keys to sign with
    Keygen(keygen::Args),
    /// Sign an installer file that is there
    Sign(sign::Args),
    /// Install into a folder here, with the engine of the installer file
    Demo(demo::Args),
}

/// Runs the verb of the command line.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage as u8 } else { 0 };
            // Help that cannot be written has no reader.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let quiet = matches!(&cli.verb, Verb::Pack(args) if args.quiet);
    let reporter = Reporter::new(quiet);
    let emit = |event: Event| reporter.show(event);
    let outcome: Outcome<ExitCode> = match cli.verb {
        Verb::Init(args) => init::run(&args, &emit),
        Verb::Lint(args) => lint::run(&args, &emit),
        Verb::Pack(args) => pack::run(&args, &emit),
        Verb::Inspect(args) => inspect::run(&args),
        Verb::Verify(args) => verify::run(&args, &emit),
        Verb::Export(args) => export::run(&args, &emit),
        Verb::Keygen(args) => keygen::run(&args, &emit),
        Verb::Sign(args) => sign::run(&args, &emit),
        Verb::Demo(args) => demo::run(&args, &emit),
    };
    outcome.unwrap_or_else(|failure| {
        reporter.failure(&failure);
        ExitCode::from(failure.exit as u8)
    })
}
