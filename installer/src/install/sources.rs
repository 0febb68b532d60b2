//! Collects raw answers from command line, environment, answers file and the earlier installation.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use bundle_spec::question::Question;

use super::{Options, Target, references};
use crate::answers::reference::Reference;
use crate::answers::{Origin, Sources, file as answers_file, suggest};
use crate::facts::{address, exposure};
use crate::host::file;
use crate::layout::Layout;
use crate::outcome::{Code, Failure, Outcome};
use crate::preflight::accept::{Acceptance, Unknown};
use crate::text::{finding, problem as text};

/// Prefix of variables that carry answers.
const PREFIX: &str = "AIRLIFT_";
/// Variables of that prefix that speak to or from the launcher, or to the packer.
const RESERVED: [&str; 4] = ["AIRLIFT_BUNDLE", "AIRLIFT_KEY_PASSWORD", "AIRLIFT_STUB_DIR", "AIRLIFT_TMPDIR"];

/// Collects all sources.
///
/// # Errors
/// [`Code::Answers`] when a file cannot be read or understood.
pub fn collect(options: &Options, target: &Target, questions: &[Question]) -> Outcome<Sources> {
    let mut sources = Sources::default();
    sources.add(Origin::Set, options.set.iter().cloned());
    // A variable that is not UTF-8 belongs to somebody else's encoding; it is no answer of ours.
    let variables = std::env::vars_os();
    let environment =
        variables.filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let environment = environment.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    sources.add(
        Origin::Environment,
        environment.filter_map(|(name, value)| Some((name.strip_prefix(PREFIX)?.to_lowercase(), value))),
    );
    if let Some(path) = &options.answers {
        let given = read_answers(path)?;
        if let Some(exposure) = path.metadata().ok().and_then(|metadata| exposure::of(path, &metadata)) {
            sources.note_open_file(path.clone(), exposure);
        }
        sources.add(Origin::File, given.values);
        sources.add_misfits(given.misfits);
        given.cleared.iter().for_each(|id| sources.clear(Origin::File, id));
        let base = path.parent().unwrap_or(Path::new(""));
        for (id, reference) in given.references {
            match references::follow(&reference, base) {
                Ok(followed) => {
                    if let Reference::File(path) = reference
                        && let Some(exposure) = followed.exposure
                    {
                        sources.note_open(id.clone(), base.join(path), exposure);
                    }
                    sources.add(Origin::File, [(id, followed.text)]);
                }
                Err(why) => sources.add_broken(Origin::File, id, why),
            }
        }
        sources.add_acceptance(given.acceptance);
    }
    sources.add_acceptance(Acceptance { ids: options.accept.clone(), strict: options.strict });
    refuse_unknown_warnings(sources.acceptance())?;
    if !target.is_silent {
        sources.add(Origin::Earlier, read_earlier(&target.layout)?);
    }
    if questions.iter().any(|question| question.suggest.is_some()) {
        let addresses = suggest::addresses(&address::collect());
        sources.add(Origin::Machine, suggest::defaults(questions, &addresses));
    }
    Ok(sources)
}

/// A typing error must not accept nothing in silence.
fn refuse_unknown_warnings(acceptance: &Acceptance) -> Outcome<()> {
    let unknown = acceptance.unknown();
    if unknown.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Code::Answers, finding::accepting_unknown())
        .listing(unknown.iter().map(Unknown::message).collect())
        .todo(finding::correct_ids()))
}

fn read_answers(path: &Path) -> Outcome<answers_file::Given> {
    let shown = path.display();
    let content = file::read_given(path)
        .map_err(|error| match error.kind() {
            ErrorKind::InvalidData => {
                Failure::new(Code::Answers, text::answers_not_utf8(&shown)).todo(text::convert_answers())
            }
            ErrorKind::IsADirectory => Failure::new(Code::Answers, text::answers_is_directory(&shown))
                .todo(text::make_answers_file()),
            _ => Failure::new(Code::Answers, text::answers_unreadable(&shown))
                .because(&error)
                .todo(text::make_answers_file()),
        })?
        .ok_or_else(|| {
            Failure::new(Code::Answers, text::answers_not_found(&shown)).todo(text::make_answers_file())
        })?;
    // Notepad writes a byte order mark.
    let content = content.strip_prefix('\u{feff}').unwrap_or(&content);
    answers_file::parse(content).map_err(|why| {
        Failure::new(Code::Answers, text::answers_not_understood(&shown))
            .listing(vec![why])
            .todo(text::answers_form())
    })
}

/// What an earlier run was told. One that cannot be understood ends the run: without it new secrets would be made, and the
/// application's data would no longer open with them.
fn read_earlier(layout: &Layout) -> Outcome<BTreeMap<String, String>> {
    let path = layout.answers();
    let lost = || {
        Failure::new(Code::Preflight, text::answers_lost(&path.display()))
            .todo(text::restore_answers(&layout.env().display()))
    };
    match file::read_text(&path) {
        Ok(Some(text)) => serde_json::from_str(&text).map_err(|error| lost().because(&error)),
        Ok(None) => Ok(BTreeMap::new()),
        // Not root: preflight says so, and nothing will be made.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(BTreeMap::new()),
        Err(error) => Err(lost().because(&error)),
    }
}
