//! Looks for a Compose plugin on the host, and asks it for its version. Only bundles that carry none need one.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;

use super::bounded;
use crate::host::process;

/// Where distributions and Docker's packages put the plugin.
const PLACES: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/local/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/libexec/docker/cli-plugins/docker-compose",
];

/// A plugin of the host's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HostCompose {
    /// The program.
    pub path: PathBuf,
    /// What it says of itself, `2.26.1-4` for one; nothing if it could not be asked.
    pub version: Option<String>,
}

/// The first plugin that is there.
pub fn look() -> Option<HostCompose> {
    let path = PLACES.into_iter().map(PathBuf::from).find(|path| path.is_file())?;
    let program = path.clone();
    let version = bounded::one(move || version(&program)).flatten();
    Some(HostCompose { path, version })
}

fn version(program: &Path) -> Option<String> {
    // The shell's variables may name a configuration or an engine; neither is wanted for this.
    let finished = process::run(Command::new(program).env_clear().args(["version", "--short"])).ok()?;
    finished.status.success().then(|| parsed(&finished.stdout)).flatten()
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
        for output in ["", "v", "docker-compose version 1.29.2, build 5becea4c"] {
            assert_eq!(parsed(output), None, "{output}");
        }
    }

    #[test]
    fn only_what_runs_well_has_a_version() {
        assert_eq!(version(Path::new("/bin/false")), None);
        assert_eq!(version(Path::new("/bin/echo")), None);
        assert_eq!(version(Path::new("/nowhere/docker-compose")), None);
    }
}
