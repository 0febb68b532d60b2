//! Calls Compose: always by path, with a clean environment, against one engine, under one project name.

use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::index::Content;

use crate::engine::description::release;
use crate::facts::compose::{Answer, HostCompose};
use crate::host::process::{self, Finished};
use crate::layout::Layout;
use crate::outcome::{Failure, Outcome};
use crate::text::problem as text;

/// The oldest version that knows `up --pull never` (docker/compose 9976077e2).
pub const OLDEST: (u32, u32) = (2, 8);

/// The first of a host's plugins that is new enough, else the first one.
pub fn best(plugins: &[HostCompose]) -> Option<&HostCompose> {
    plugins.iter().find(|plugin| is_new_enough(plugin)).or(plugins.first())
}

/// Whether a plugin is known to be.
pub fn is_new_enough(plugin: &HostCompose) -> bool {
    matches!(&plugin.answer, Answer::Version(version) if release(version) >= OLDEST)
}

/// One project as Compose is told about it.
#[derive(Clone, Debug)]
pub struct Compose {
    plugin: PathBuf,
    layout: Layout,
    socket: PathBuf,
    project: String,
    file: String,
    profiles: Vec<String>,
}

impl Compose {
    /// A project of `content` in `layout`, on the engine behind `socket`.
    pub fn new(plugin: &Path, layout: &Layout, socket: &Path, content: &Content) -> Self {
        Self {
            plugin: plugin.to_owned(),
            layout: layout.clone(),
            socket: socket.to_owned(),
            project: content.project.name.clone(),
            file: content.project.compose_file.as_str().to_owned(),
            profiles: content.project.profiles.clone(),
        }
    }

    /// A Compose command, ready to run.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = process::following_command(&self.plugin);
        command
            // A variable of the operator's shell would win over `.env`; that is why the environment is clean.
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()))
            .env("DOCKER_CONFIG", self.layout.client_config())
            .env("HOME", self.layout.state())
            .env("COMPOSE_ANSI", "never")
            .env("COMPOSE_PROGRESS", "plain")
            .current_dir(&self.layout.dir)
            .args(["--project-name", &self.project, "--project-directory"])
            .arg(&self.layout.dir)
            .arg("--file")
            .arg(self.layout.dir.join(&self.file))
            .arg("--env-file")
            .arg(self.layout.env());
        for profile in &self.profiles {
            command.args(["--profile", profile]);
        }
        command.args(arguments);
        command
    }

    /// Runs Compose to its end.
    ///
    /// # Errors
    /// When it cannot be started or reports failure, with the end of what it said.
    pub fn run(&self, arguments: &[&str]) -> Outcome<Finished> {
        let verb = arguments.first().copied().unwrap_or_default();
        let failed = || Failure::midway(text::compose_failed(verb));
        let finished = process::run(&mut self.command(arguments))
            .map_err(|error| failed().refused(&error, &self.plugin))?;
        if finished.status.success() {
            Ok(finished)
        } else {
            let failure = failed().quoting(last_lines(&finished.stderr, 12));
            // Whoever has removed it, nobody here can pull it; what we say last is what holds.
            Err(if finished.stderr.contains("No such image") {
                failure.todo(text::image_is_gone())
            } else {
                failure
            })
        }
    }

    /// Whether plugin, Compose file and `.env` are there; without them no container was ever started, and Compose refuses to run.
    pub fn is_present(&self) -> bool {
        self.plugin.is_file() && self.layout.dir.join(&self.file).is_file() && self.layout.env().is_file()
    }
}

/// The last lines of a program's output: the end says why, and a screen is small.
pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
