//! `airlift demo`: installs into a folder here, with the engine of the installer file, as a customer would.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::bundle_file;
use crate::cli::pack;
use crate::definition;
use crate::event::{Emit, Event};
use crate::outcome::{Explain, Outcome};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The installer file; packed from ./airlift.toml where none is given
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// More arguments for the installation
    #[arg(last = true, value_name = "ARGS")]
    more: Vec<String>,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let file = match &args.file {
        Some(file) => file.clone(),
        None => pack::pack(&pack::Args::plain(definition::FILE_NAME.into(), None), emit)?,
    };
    let (_, bundle) = bundle_file::open(&file)?;
    let app = &bundle.index.content.app;
    let default = format!("./{}-demo", app.name);
    let folder = given(&args.more, "--dir").map_or(default.as_str(), |dir| dir.unwrap_or_default());
    emit(Event::Step(format!("installing {} {} into {folder}", app.name, app.version)));
    let status = Command::new("sh")
        .arg(&file)
        .args(arguments(&default, &args.more))
        .status()
        .explain(|| format!("cannot run {}", file.display()))?;
    Ok(ExitCode::from(u8::try_from(status.code().unwrap_or(1)).unwrap_or(1)))
}

/// What the installation is started with. An option that was given goes before ours: the installer takes each once.
fn arguments<'a>(folder: &'a str, more: &'a [String]) -> Vec<&'a str> {
    let mut arguments = vec!["install"];
    if given(more, "--engine").is_none() {
        arguments.extend(["--engine", "private"]);
    }
    if given(more, "--yes").or_else(|| given(more, "-y")).is_none() {
        arguments.push("--yes");
    }
    if given(more, "--dir").is_none() {
        arguments.extend(["--dir", folder]);
    }
    arguments.extend(more.iter().map(String::as_str));
    arguments
}

/// Whether an option is among these, and with which value: `--dir x` or `--dir=x`.
fn given<'a>(arguments: &'a [String], option: &str) -> Option<Option<&'a str>> {
    let mut words = arguments.iter().map(String::as_str);
    while let Some(word) = words.next() {
        if word == option {
            return Some(words.next());
        }
        if let Some(value) = word.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            return Some(Some(value));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn what_is_given_is_not_given_twice() {
        let cases = [
            (&[][..], "install --engine private --yes --dir ./x-demo"),
            (&["--yes"], "install --engine private --dir ./x-demo --yes"),
            (&["-y", "--dry-run"], "install --engine private --dir ./x-demo -y --dry-run"),
            (&["--dir", "/srv/x"], "install --engine private --yes --dir /srv/x"),
            (&["--dir=/srv/x", "--engine=system"], "install --yes --dir=/srv/x --engine=system"),
            (&["--directory"], "install --engine private --yes --dir ./x-demo --directory"),
        ];
        for (more, expected) in cases {
            let more: Vec<String> = more.iter().map(ToString::to_string).collect();
            assert_eq!(arguments("./x-demo", &more).join(" "), expected);
        }
    }
}
