//! Runs a command and keeps everything that it said.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::secrets::{self, Kind, Watch};

/// What a command did.
#[derive(Clone, Debug)]
#[must_use = "what a command did must be looked at"]
pub struct Run {
    command: String,
    /// Exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// Everything from its standard output.
    pub stdout: String,
    /// Everything from its standard error.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

impl Run {
    /// Runs `command` to its end, with nothing on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of(command: &mut Command) -> Self {
        Self::of_typing(command, "")
    }

    /// Runs `command` to its end, with this on its standard input.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn of_typing(command: &mut Command, typed: &str) -> Self {
        let shown = format!("{command:?}");
        let started = Instant::now();
        let input = if typed.is_empty() { Stdio::null() } else { Stdio::piped() };
        let pipes = command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let watch = Watch::over(Kind::of(command), child.id());
        if let Some(mut input) = child.stdin.take() {
            // Who does not read it does not want it.
            let _ = input.write_all(typed.as_bytes());
        }
        let output = child.wait_with_output().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let run = Self {
            command: shown,
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            took: started.elapsed(),
        };
        if watch.is_some() {
            run.hear();
        }
        run
    }

    /// What a command did that was started otherwise: as it is shown, its exit code, what it said on either output.
    pub(crate) fn from_parts(
        command: String,
        code: Option<i32>,
        (stdout, stderr): (String, String),
        took: Duration,
    ) -> Self {
        let run = Self { command, code, stdout, stderr, took };
        run.hear();
        run
    }

    /// What was said is searched for secrets, now and when all of them are known.
    fn hear(&self) {
        secrets::hear(&format!("stdout of {}", self.command), &self.stdout);
        secrets::hear(&format!("stderr of {}", self.command), &self.stderr);
    }

    /// The same run, if it ended with this exit code.
    ///
    /// # Panics
    /// When it ended otherwise, with everything that it said.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "the exit code is not the expected one\n{self}");
        self
    }

    /// The same run, if it ended well.
    ///
    /// # Panics
    /// When it did not, with everything that it said.
    #[track_caller]
    pub fn done(self) -> Self {
        self.expect(0)
    }

    /// The same run, if it said this somewhere.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn saying(self, text: &str) -> Self {
        assert!(self.stdout.contains(text) || self.stderr.contains(text), "does not say `{text}`\n{self}");
        self
    }

    /// The same run, if it said this nowhere: secrets.
    ///
    /// # Panics
    /// When it did.
    #[track_caller]
    pub fn never_saying(self, text: &str) -> Self {
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "says `{text}`\n{self}");
        self
    }

    /// Its standard output as one JSON document.
    ///
    /// # Panics
    /// When it is none.
    #[track_caller]
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }

    /// Its standard output as events, one JSON document a line.
    ///
    /// # Panics
    /// When a line is none.
    #[track_caller]
    #[must_use]
    pub fn events(&self) -> Vec<Value> {
        let event = |line| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("no event: {error}: {line}\n{self}"))
        };
        self.stdout.lines().map(event).collect()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "$ {}", self.command)?;
        writeln!(f, "exit code {:?} after {:?}", self.code, self.took)?;
        writeln!(f, "--- stdout\n{}\n--- stderr\n{}\n---", self.stdout.trim_end(), self.stderr.trim_end())
    }
}

/// `text` without what differs from run to run: digests, temporary folders, times, sizes of progress.
#[must_use]
pub fn redact(text: &str) -> String {
    let words = |line: &str| line.split(' ').map(redact_word).collect::<Vec<_>>().join(" ");
    text.lines().map(words).collect::<Vec<_>>().join("\n")
}

fn redact_word(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ',', ')', ':']);
    let tail = &word[bare.len()..];
    let hex = |text: &str, len: usize| text.len() == len && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seconds = |text: &str| text.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
    let kind = match bare {
        _ if bare.strip_prefix("sha256:").is_some_and(|digits| hex(digits, 64)) || hex(bare, 64) => {
            "[DIGEST]"
        }
        _ if hex(bare, 12) => "[SHORT]",
        _ if bare.starts_with('/') && bare.contains("/target/") => "[PATH]",
        _ if seconds(bare) => "[TIME]",
        _ => return word.to_owned(),
    };
    format!("{kind}{tail}")
}
