//! Saves the answers for a run without questions: asks where, and never replaces anything unasked.

use std::path::{Path, PathBuf};

use bundle_spec::index::Content;

use super::console::Console;
use crate::answers;
use crate::answers::document::{Comments, Secrets};
use crate::host::file::{self, Access};
use crate::install::Prepared;
use crate::outcome::Outcome;
use crate::report::{Reporter, Tone};
use crate::text::wizard as text;

/// What Enter alone takes.
const DEFAULT: &str = "answers.toml";

/// Asks for a path and writes the file; what goes wrong is said, and the conversation goes on.
pub(super) fn save(
    content: &Content,
    prepared: &Prepared,
    console: &mut dyn Console,
    reporter: &Reporter,
) -> Outcome<()> {
    reporter.toned(&text::save_where(), Tone::Strong);
    reporter.toned(&text::enter_takes(DEFAULT), Tone::Dim);
    let Some(typed) = console.line(&[DEFAULT.to_owned()])? else { return Ok(()) };
    let path = match typed.trim() {
        "" => PathBuf::from(DEFAULT),
        path => PathBuf::from(path),
    };
    let path = std::path::absolute(&path).unwrap_or(path);
    let shown = path.display().to_string();
    if path.symlink_metadata().is_ok() && !may_replace(&path, &shown, console, reporter)? {
        return Ok(());
    }
    let answers = &prepared.resolved.answers;
    let rendered = answers::save(content, answers, Comments::Both, Secrets::References);
    match file::write(&path, Access::PRIVATE, rendered.as_bytes()) {
        Ok(()) => reporter.line(&text::saved(&shown)),
        Err(failure) => {
            reporter.toned(&text::refused(&text::not_saved(&shown, &failure.causes)), Tone::Bad);
        }
    }
    Ok(())
}

fn may_replace(path: &Path, shown: &str, console: &mut dyn Console, reporter: &Reporter) -> Outcome<bool> {
    if !path.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        reporter.toned(&text::refused(&text::not_a_file(shown)), Tone::Bad);
        return Ok(false);
    }
    reporter.line(&text::save_overwrite(shown));
    let typed = console.line(&[])?.unwrap_or_default();
    Ok(matches!(typed.trim().to_lowercase().as_str(), "y" | "yes" | "是"))
}
