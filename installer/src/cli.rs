//! The command line: from arguments to a verb. One file per verb below `cli/`; nothing here does any work.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use bundle_spec::text::tame;
use clap::ArgMatches;

use self::identity::Identity;
use crate::bundle::BundleFile;
use crate::detached::WORKER;
use crate::host::{process, signal};
use crate::outcome::{Code, Failure, Outcome};
use crate::receipt::Receipt;
use crate::report::Reporter;
use crate::text::sudo::SUDO;
use crate::text::{Lang, Message, problem};

mod arguments;
mod day2;
mod help;
mod identity;
mod inspect;
mod install;
mod installed;
mod key;
mod launcher;
mod preflight;
mod uninstall;
mod usage;
mod verify;

/// What all verbs work with.
struct Session<'a> {
    reporter: &'a Reporter,
    bundle: Option<BundleFile>,
    matches: ArgMatches,
    json: bool,
    process: Process<'a>,
}

/// What this process is, of the two that install.
#[derive(Clone, Copy)]
struct Process<'a> {
    /// The command line, without what is not for people.
    arguments: &'a [OsString],
    /// Started by the front to do the work.
    is_worker: bool,
    watch: &'a signal::Watch,
    reporter: &'a Arc<Reporter>,
}

/// Runs the program.
pub fn run() -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    let is_worker = arguments.get(1).is_some_and(|argument| argument == WORKER);
    if is_worker {
        arguments.remove(1);
        process::follow_parent();
    }
    match arguments.get(1).and_then(|argument| argument.to_str()) {
        // The launcher asks whether this file can be executed where it lies.
        Some("__probe") => return ExitCode::SUCCESS,
        Some("__follow") => {
            process::become_follower(&arguments[2..]);
            return ExitCode::from(127);
        }
        Some("__detach") => {
            let _error = process::become_detached(&arguments[2..]);
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    // An engine that we start inherits it, and would unpack layers that nobody in a container may read.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    launcher::clean_up();
    let comes_by_sudo = !rustix::process::geteuid().is_root() || std::env::var_os("SUDO_USER").is_some();
    SUDO.settle(comes_by_sudo && process::find("sudo").is_some());
    let lang = arguments::early_lang(&arguments);
    let json = arguments.iter().any(|argument| argument == "--json");
    let reporter = Arc::new(Reporter::new(lang, json));
    if !json
        && !is_worker
        && let Some(note) = arguments::language_note(&arguments)
    {
        reporter.line(&note);
    }
    let told = Arc::clone(&reporter);
    // Without a watch the process ends as any other does.
    let watch = signal::watch(move || told.interrupted()).unwrap_or_default();
    let process = Process { arguments: &arguments, is_worker, watch: &watch, reporter: &reporter };
    let result = dispatch(process, lang, json);
    watch.give_way();
    let code = match result {
        Ok(Some(code)) => code,
        Ok(None) => {
            reporter.finished();
            0
        }
        Err(failure) => {
            reporter.failure(&failure);
            failure.code as u8
        }
    };
    reporter.work_is_over(code);
    ExitCode::from(code)
}

/// Runs the verb. An exit code comes from another process, which has said everything.
fn dispatch(process: Process<'_>, lang: Lang, json: bool) -> Outcome<Option<u8>> {
    let Process { arguments, reporter, .. } = process;
    let bundle = launcher::bundle()?;
    let identity = Identity::of(bundle.as_ref());
    let grammar = arguments::command(&identity, lang);
    let matches = match grammar.clone().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return Err(usage::failure(&error, arguments)),
    };
    if matches.get_flag("version") {
        crate::report::data(&identity.version());
        return crate::report::all_written().map(|()| None);
    }
    if let Some(verb) = help_wanted(&matches, &identity) {
        crate::report::data(&help::render(&identity, &grammar, verb.as_deref(), lang));
        return crate::report::all_written().map(|()| None);
    }
    let installed = identity.installed_dir();
    let session = Session { reporter, bundle, matches, json, process };
    if matches!(session.matches.subcommand_name(), None | Some("install" | "preflight")) {
        session.dir().map_or(Ok(()), |dir| refuse_unusable(&dir))?;
    }
    match session.matches.subcommand() {
        None | Some(("install", _)) => return install::run(&session),
        Some(("preflight", _)) => preflight::run(&session),
        Some(("verify", _)) => verify::run(&session),
        Some(("inspect", _)) => inspect::run(&session),
        Some(("answers", _)) => inspect::answers(&session),
        Some(("uninstall", verb)) => uninstall::run(&session, verb, installed),
        Some((name, verb)) => day2::run(&session, name, verb, installed),
    }
    .and_then(|()| crate::report::all_written())
    .map(|()| None)
}

/// What Docker or the files of settings would take for several paths, or that is no text.
fn refuse_unusable(dir: &Path) -> Outcome<()> {
    let whole = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
    let is_plain = whole.to_str().is_some_and(|text| !text.contains(|c: char| c == ':' || c.is_control()));
    if is_plain && (whole.is_dir() || !whole.exists()) {
        return Ok(());
    }
    let shown = tame(&whole.display().to_string());
    if is_plain {
        return Err(
            Failure::new(Code::Usage, problem::not_a_directory(&shown)).todo(problem::name_a_directory())
        );
    }
    Err(Failure::new(Code::Usage, problem::directory_unusable(&shown))
        .todo(problem::choose_plain_directory()))
}

/// Whether help is wanted, and on which verb. `<app>ctl` alone has nothing else to do than to show what it can.
fn help_wanted(matches: &ArgMatches, identity: &Identity) -> Option<Option<String>> {
    match matches.subcommand() {
        Some(("help", verb)) => Some(verb.get_one::<String>("of").cloned()),
        Some((name, verb)) if verb.get_flag("help") => Some(Some(name.to_owned())),
        None if matches.get_flag("help") || identity.is_control() => Some(None),
        _ => None,
    }
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
        self.value(self.verb(), "dir")
    }

    /// An argument of the verb, or the same given before it.
    fn value<T: Clone + Send + Sync + 'static>(&self, verb: &ArgMatches, name: &str) -> Option<T> {
        let of = |matches: &ArgMatches| matches.try_get_one::<T>(name).ok().flatten().cloned();
        of(verb).or_else(|| of(&self.matches))
    }

    /// The language that was spoken during the installation, where neither the command line nor the locale asks for one.
    fn unsettled_lang(&self, receipt: &Receipt) -> Option<Lang> {
        let is_given = self.value::<String>(self.verb(), "lang").is_some();
        let is_open = !is_given && Lang::is_open(|name| std::env::var(name).ok());
        Lang::of_code(&receipt.lang).filter(|_| is_open)
    }

    /// Prints a line of the verb's own result for people.
    fn say(&self, text: &Message) {
        self.reporter.line(text);
    }
}
