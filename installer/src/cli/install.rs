//! `install`, and what happens without a verb.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::{Session, key, uninstall};
use crate::bundle::BundleFile;
use crate::detached::attach::{self, Live, Wish};
use crate::detached::front::{self, Ended};
use crate::facts::EngineChoice;
use crate::install::{Options, Target, announce, install, show_origin, sources};
use crate::outcome::{Code, Failure, Outcome};
use crate::report::all_written;
use crate::text::{Lang, finding, problem as text};

/// Installs, as one of two processes; a dry run needs no second one. The exit code is the other process's.
pub(super) fn run(session: &Session<'_>) -> Outcome<Option<u8>> {
    let (bundle, mut options, process) = (session.bundle()?, options(session)?, session.process);
    if process.is_worker || options.dry_run {
        options.worker = process.is_worker.then(|| process.watch.clone());
        let done = install(bundle, &options, session.reporter);
        return if options.dry_run { done.and_then(|()| all_written()) } else { done.map_err(root_first) }
            .map(|()| None);
    }
    let target = Target::of(&bundle.bundle.index.content, &options);
    let live = if target.is_silent { None } else { attach::find(&target.layout) };
    let ended = match live {
        Some(live) => {
            if let Some(lang) = target.receipt.as_ref().and_then(|receipt| session.unsettled_lang(receipt)) {
                session.reporter.speak(lang);
            }
            look_on(live, bundle, &target, &options, process)?
        }
        None => front::run(process.arguments, process.reporter, process.watch)?,
    };
    if let Some(way_back) = ended.way_back.filter(|_| options.interactive) {
        uninstall::offer(session, &target.layout, &way_back)?;
    }
    Ok(Some(ended.code))
}

/// Who is not root sees neither earlier answers nor a file that is for root's eyes, and nothing is installed without it: what is wrong with
/// the answers is told to root.
fn root_first(failure: Box<Failure>) -> Box<Failure> {
    if failure.code == Code::Answers && !rustix::process::geteuid().is_root() {
        return Failure::new(Code::Preflight, finding::not_root()).todo(finding::use_sudo());
    }
    failure
}

/// Looks on at a run that is at work already, if it does what is asked for now.
fn look_on(
    live: Live,
    bundle: &BundleFile,
    target: &Target,
    options: &Options,
    process: super::Process<'_>,
) -> Outcome<Ended> {
    let content = &bundle.bundle.index.content;
    let sources = sources::collect(options, target, &content.questions)?;
    let digest = bundle.bundle.trailer.index_digest.to_string();
    let wish = Wish { content, bundle: &digest, choice: options.engine, sources: &sources };
    live.hello.refuse_other(&wish)?;
    // The run that is looked on has judged it.
    let _ = show_origin(bundle, options, target, process.reporter)?;
    announce(content, process.reporter);
    front::attach(live, process.reporter, process.watch)
}

/// What the arguments ask for.
///
/// # Errors
/// [`Code::Usage`] when `--set` is malformed.
pub(super) fn options(session: &Session<'_>) -> Outcome<Options> {
    let verb = session.verb();
    let answers = session.value::<PathBuf>(verb, "answers");
    // The same arguments may stand before and after the verb.
    let levels =
        if session.matches.subcommand().is_some() { vec![&session.matches, verb] } else { vec![verb] };
    let flag = |name| levels.iter().any(|level| level.get_flag(name));
    let set = levels.iter().flat_map(|level| level.get_many::<String>("set").unwrap_or_default());
    let set = set.map(|given| match given.split_once('=') {
        Some((id, value)) => Ok((id.to_owned(), value.to_owned())),
        // What was given may be a secret with its name forgotten; it is not repeated.
        None => Err(Failure::new(Code::Usage, text::set_not_understood()).todo(text::give_set())),
    });
    let accept = levels.iter().flat_map(|level| level.get_many::<String>("accept").unwrap_or_default());
    let (yes, dry_run) = (flag("yes"), flag("dry-run"));
    let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    Ok(Options {
        set: set.collect::<Outcome<_>>()?,
        yes,
        dry_run,
        verify_first: flag("verify-first"),
        trust: key::given(session, verb, "trust")?,
        accept: accept.cloned().collect(),
        strict: flag("strict"),
        dir: session.dir(),
        engine: session.value::<String>(verb, "engine").map(|name| match name.as_str() {
            "private" => EngineChoice::Private,
            "system" => EngineChoice::System,
            _ => EngineChoice::Auto,
        }),
        worker: None,
        interactive: on_terminal && answers.is_none() && !yes && !session.json,
        answers,
        language_is_settled: session.value::<String>(verb, "lang").is_some()
            || Lang::hindered(|name| std::env::var(name).ok()).is_some()
            // Whatever the locale is: this console has no Chinese letters.
            || std::env::var("TERM").is_ok_and(|term| term == "linux"),
    })
}
