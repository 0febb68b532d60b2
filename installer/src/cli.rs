//! The command line: from arguments to a verb. One file per verb below `cli/`; nothing here does any work.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ArgMatches;

use crate::bundle::BundleFile;
use crate::host::process;
use crate::outcome::{Code, Failure, Outcome};
use crate::report::Reporter;
use crate::text::{Lang, Message, command as text, problem};

mod arguments;
mod day2;
mod inspect;
mod install;
mod launcher;
mod preflight;
mod uninstall;
mod verify;

/// What all verbs work with.
struct Session<'a> {
    reporter: &'a Reporter,
    bundle: Option<BundleFile>,
    matches: ArgMatches,
    json: bool,
}

/// Runs the program.
pub fn run() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match arguments.get(1).and_then(|argument| argument.to_str()) {
        // The launcher asks whether this file can be executed where it lies.
        Some("__probe") => return ExitCode::SUCCESS,
        Some("__detach") => {
            let _error = process::become_detached(&arguments[2..]);
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    // An engine that we start inherits it, and would unpack layers that nobody in a container may read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    launcher::clean_up();
    let lang = arguments::early_lang(&arguments);
    let json = arguments.iter().any(|argument| argument == "--json");
    let reporter = Reporter::new(lang, json);
    match dispatch(&arguments, lang, json, &reporter) {
        Ok(()) => {
            reporter.finished();
            ExitCode::SUCCESS
        }
        Err(failure) => {
            reporter.failure(&failure);
            ExitCode::from(failure.code as u8)
        }
    }
}

fn dispatch(arguments: &[OsString], lang: Lang, json: bool, reporter: &Reporter) -> Outcome<()> {
    let bundle = launcher::bundle()?;
    let installed = launcher::installed_dir();
    let app = bundle.as_ref().map(|bundle| bundle.bundle.index.content.app.clone());
    let matches = match arguments::command(app.as_ref(), lang).try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let session = Session { reporter, bundle, matches, json };
    match session.matches.subcommand() {
        None | Some(("install", _)) => install::run(&session),
        Some(("preflight", _)) => preflight::run(&session),
        Some(("verify", _)) => verify::run(&session),
        Some(("inspect", _)) => inspect::run(&session),
        Some(("answers", _)) => inspect::answers(&session),
        Some(("uninstall", verb)) => uninstall::run(&session, verb, installed),
        Some((name, verb)) => day2::run(&session, name, verb, installed),
    }
}

/// clap's own errors: help goes to standard output and is no error.
fn usage(error: &clap::Error) -> Outcome<()> {
    if !error.use_stderr() {
        crate::report::data(error.render().to_string().trim_end());
        return Ok(());
    }
    let rendered = error.render().to_string();
    let mut lines = rendered.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    // Possible values and the nearest known name; the grammar itself is what --help is for.
    let hints: Vec<&str> = lines.take_while(|line| !line.starts_with("Usage")).collect();
    let failure = Failure::new(Code::Usage, text::usage_error(&first));
    Err(failure.quoting(hints.join("\n")).todo(text::see_help()))
}

impl Session<'_> {
    /// The matches of the verb; without a verb, the top level has the same arguments as `install`.
    fn verb(&self) -> &ArgMatches {
        self.matches.subcommand().map_or(&self.matches, |(_, matches)| matches)
    }

    /// The bundle that this process was started from.
    fn bundle(&self) -> Outcome<&BundleFile> {
        self.bundle.as_ref().ok_or_else(|| {
            Failure::new(Code::Usage, problem::no_bundle()).todo(problem::run_the_right_file())
        })
    }

    /// `--dir`.
    fn dir(&self) -> Option<PathBuf> {
        self.verb().get_one::<PathBuf>("dir").or_else(|| self.matches.get_one::<PathBuf>("dir")).cloned()
    }

    /// Prints a line of the verb's own result for people.
    fn say(&self, text: &Message) {
        self.reporter.line(text);
    }
}
