//! `install`, and what happens without a verb.

use std::io::IsTerminal;
use std::path::PathBuf;

use super::Session;
use crate::facts::EngineChoice;
use crate::install::{Options, install};
use crate::outcome::{Code, Failure, Outcome};
use crate::text::problem as text;

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    install(session.bundle()?, &options(session)?, session.reporter)
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
    let (yes, dry_run) = (flag("yes"), flag("dry-run"));
    let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    Ok(Options {
        set: set.collect::<Outcome<_>>()?,
        yes,
        dry_run,
        verify_first: flag("verify-first"),
        dir: session.dir(),
        engine: session.value::<String>(verb, "engine").map(|name| match name.as_str() {
            "private" => EngineChoice::Private,
            "system" => EngineChoice::System,
            _ => EngineChoice::Auto,
        }),
        on_terminal,
        interactive: on_terminal && answers.is_none() && !yes && !session.json,
        answers,
    })
}
