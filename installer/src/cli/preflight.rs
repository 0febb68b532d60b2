//! `preflight`: every finding, and nothing changed.

use super::Session;
use crate::install::{Target, look, prepare, refuse_by_findings, refuse_wrong_answers, show_origin, sources};
use crate::outcome::Outcome;
use crate::text::summary;

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let content = &bundle.bundle.index.content;
    let options = super::install::options(session)?;
    let mut target = Target::of(content, &options);
    target.doubts = show_origin(bundle, &options, &target, session.reporter)?;
    let sources = sources::collect(&options, &target, &content.questions)?;
    session.reporter.hide(sources.secrets(&content.questions));
    // Missing answers are no matter here, except for ports that depend on them.
    session.reporter.show_result();
    session.reporter.tell_all_findings();
    let facts = look(bundle, &target);
    let prepared = prepare(content, &target, &sources, facts, session.reporter)?;
    refuse_wrong_answers(&prepared, &options)?;
    refuse_by_findings(&prepared.findings)?;
    session.say(&summary::preflight_passed());
    Ok(())
}
