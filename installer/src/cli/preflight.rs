//! `preflight`: every finding, and nothing changed.

use super::Session;
use crate::install::{Target, prepare, sources};
use crate::outcome::{Code, Failure, Outcome};
use crate::preflight::{Severity, is_refused};
use crate::text::{problem, summary};

pub(super) fn run(session: &Session) -> Outcome<()> {
    let bundle = session.bundle()?;
    let content = &bundle.bundle.index.content;
    let options = super::install::options(session)?;
    let target = Target::of(content, &options);
    let sources = sources::collect(content, &options, &target.layout)?;
    // Missing answers are no matter here, except for ports that depend on them.
    let prepared = prepare(bundle, &target, &sources, &session.reporter)?;
    if is_refused(&prepared.findings) {
        let failed = prepared.findings.iter().filter(|finding| finding.severity == Severity::Fail).count();
        return Err(Failure::new(Code::Preflight, problem::preflight_refused(failed))
            .todo(problem::fix_and_run_again()));
    }
    session.say(&summary::preflight_passed());
    Ok(())
}
