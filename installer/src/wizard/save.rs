//! Saves the answers for a run without questions: asks where, until it could be written, and never replaces anything unasked.

use std::path::{Path, PathBuf};

use bundle_spec::index::Content;
use rustix::fs::{self, Access as Right};

use super::console::Console;
use crate::answers;
use crate::answers::document::{self, Comments, Secrets};
use crate::host::file::{self, Access};
use crate::host::group;
use crate::install::Prepared;
use crate::outcome::Outcome;
use crate::report::{Reporter, Tone};
use crate::text::cause::explained;
use crate::text::wizard as text;

/// The name that Enter alone takes.
const NAME: &str = "answers.toml";

/// Where a path that is typed leads.
#[derive(Clone, Debug, Default)]
struct Place {
    /// The home directory of whoever called sudo, else of this user.
    home: Option<PathBuf>,
    /// Something can be written into the working directory; a stick is often read-only.
    is_writable: bool,
}

impl Place {
    fn here() -> Self {
        let invoker = std::env::var("SUDO_USER").ok().filter(|user| !user.starts_with('-'));
        let own = || std::env::var_os("HOME").map(PathBuf::from);
        let home = invoker.and_then(|user| group::home_of(&user)).or_else(own);
        Self {
            home: home.filter(|home| home.is_dir()),
            is_writable: fs::access(".", Right::WRITE_OK).is_ok(),
        }
    }

    /// What Enter alone takes.
    fn usual(&self) -> PathBuf {
        match self.home.as_ref().filter(|_| !self.is_writable) {
            Some(home) => home.join(NAME),
            None => PathBuf::from(NAME),
        }
    }

    /// A path as it was meant; a shell would have put the home in the place of `~`.
    fn path(&self, typed: &str) -> PathBuf {
        let typed = typed.trim();
        match (typed.strip_prefix("~/"), &self.home) {
            _ if typed.is_empty() => self.usual(),
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(typed),
        }
    }
}

/// Asks for a path and writes the file; what goes wrong is said, and asked again.
pub(super) fn save(
    content: &Content,
    prepared: &Prepared,
    console: &mut dyn Console,
    reporter: &Reporter,
) -> Outcome<()> {
    let place = Place::here();
    let default = place.usual().display().to_string();
    loop {
        reporter.toned(&text::save_where(), Tone::Strong);
        reporter.toned(&text::enter_takes(&default), Tone::Dim);
        let Some(typed) = console.line(std::slice::from_ref(&default))? else { return Ok(()) };
        let path = place.path(&typed);
        let path = std::path::absolute(&path).unwrap_or(path);
        let shown = path.display().to_string();
        if path.symlink_metadata().is_ok() && !may_replace(&path, &shown, console, reporter)? {
            return Ok(());
        }
        let answers = &prepared.resolved.answers;
        let rendered = answers::save(content, answers, Comments::Both, Secrets::References);
        match file::write(&path, Access::PRIVATE, rendered.as_bytes()) {
            Ok(()) => {
                reporter.line(&text::saved(&shown));
                let variables = document::variables(content, answers);
                if !variables.is_empty() {
                    let run = format!("./{}-{}.run", content.app.name, content.app.version);
                    reporter.line(&text::set_before(&variables, &run, &shown));
                }
                return Ok(());
            }
            Err(failure) => {
                let why = explained(without_temporary(&failure.causes.join(": ")));
                reporter.toned(&text::refused(&text::not_saved(&shown, &why)), Tone::Bad);
            }
        }
    }
}

/// A cause without the name of the file that would have been renamed: nobody has asked for it.
fn without_temporary(cause: &str) -> &str {
    cause.split(" at path ").next().unwrap_or(cause)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_the_home_of_whoever_is_there() {
        let stick = Place { home: Some("/home/ops".into()), is_writable: false };
        let disk = Place { is_writable: true, ..stick.clone() };
        let table = [
            (&stick, "", "/home/ops/answers.toml"),
            (&disk, " ", "answers.toml"),
            (&disk, "~/a.toml", "/home/ops/a.toml"),
            (&disk, "~x/a.toml", "~x/a.toml"),
            (&stick, "/srv/a.toml", "/srv/a.toml"),
        ];
        for (place, typed, expected) in table {
            assert_eq!(place.path(typed), Path::new(expected), "{typed:?}");
        }
        assert_eq!(Place::default().path("~/a.toml"), Path::new("~/a.toml"));
        assert_eq!(Place::default().path(""), Path::new("answers.toml"));
    }

    #[test]
    fn a_read_only_disk_is_told_in_the_language_without_a_temporary_name() {
        let cause = "Read-only file system (os error 30) at path \"/media/usb/.airlift-answers.toml.6aZkWZ\"";
        let why = explained(without_temporary(cause));
        assert_eq!(why.zh, "文件系统只读 (os error 30)");
        assert_eq!(why.en, "Read-only file system (os error 30)");
    }
}
