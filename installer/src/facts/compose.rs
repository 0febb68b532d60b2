//! Looks for Compose plugins on the host, and asks each for its version. Only bundles that carry none need one. Which of them is good
//! enough is not decided here (`project::compose`).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::bounded;
use crate::host::process;

/// Where distributions and Docker's packages put the plugin; the first ones are a person's own.
const PLACES: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/local/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/libexec/docker/cli-plugins/docker-compose",
];

/// How long they may take for their answers: some sixty megabytes come from a disk that may be slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// A plugin of the host's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostCompose {
    /// The program.
    pub path: PathBuf,
    /// What it said.
    pub answer: Answer,
}

/// What a plugin says when it is asked for its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A version: `2.26.1-4`.
    Version(String),
    /// It runs and says something else, as one does that somebody has built for himself; or it takes too long.
    Unclear,
    /// It cannot be run, or fails.
    Fails,
}

/// The plugins that are there. `command` makes the command that runs one.
pub fn look(command: fn(&Path) -> Command) -> Vec<HostCompose> {
    let paths: Vec<_> = PLACES.into_iter().map(PathBuf::from).filter(|path| path.is_file()).collect();
    let ask = |path: &PathBuf| -> Box<dyn FnOnce() -> Answer + Send> {
        let mut command = command(path);
        Box::new(move || answer(&mut command))
    };
    let answers = bounded::all(PATIENCE, paths.iter().map(ask).collect());
    let compose = |(path, answer): (PathBuf, Option<Answer>)| HostCompose {
        path,
        answer: answer.unwrap_or(Answer::Unclear),
    };
    paths.into_iter().zip(answers).map(compose).collect()
}

fn answer(command: &mut Command) -> Answer {
    // A configuration of root's that names a context which is no more would make it fail.
    let asked = process::run(command.env("DOCKER_CONFIG", "/nonexistent").args(["version", "--short"]));
    match asked {
        Ok(finished) if finished.status.success() => {
            parsed(&finished.stdout).map_or(Answer::Unclear, Answer::Version)
        }
        _ => Answer::Fails,
    }
}

/// Early versions wrote a `v` before the number.
fn parsed(output: &str) -> Option<String> {
    let version = output.trim().trim_start_matches('v');
    version.starts_with(|first: char| first.is_ascii_digit()).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_version_is_none() {
        assert_eq!(parsed("2.26.1-4\n").as_deref(), Some("2.26.1-4"));
        assert_eq!(parsed("v2.2.3\n").as_deref(), Some("2.2.3"));
        for output in ["", "v", "dev", "docker-compose version 1.29.2, build 5becea4c"] {
            assert_eq!(parsed(output), None, "{output}");
        }
    }

    #[test]
    fn programs_are_asked_and_told_apart() {
        let of_shell = |script: &str| answer(Command::new("sh").args(["-c", script, "sh"]));
        assert_eq!(
            of_shell("[ \"$*\" = 'version --short' ] && echo v2.8.0"),
            Answer::Version("2.8.0".into())
        );
        assert_eq!(of_shell("echo dev"), Answer::Unclear);
        assert_eq!(of_shell("echo 2.8.0; exit 1"), Answer::Fails);
        assert_eq!(answer(&mut Command::new("/nowhere/docker-compose")), Answer::Fails);
    }
}
