//! An installation under way: what it says as it goes, and a hand that holds it still, so that something can happen beside it
//! at a known moment.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::run::Run;
use crate::wait;

/// A command under way that says what it does as one JSON document a line. Dropping it kills it.
#[derive(Debug)]
pub struct Running {
    shown: String,
    started: Instant,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: String,
    errors: Option<JoinHandle<String>>,
}

impl Running {
    /// Starts it.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        let (shown, started) = (format!("{command:?}"), Instant::now());
        let pipes = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = pipes.spawn().unwrap_or_else(|error| panic!("{shown}: {error}"));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        Self { shown, started, child, lines, said: String::new(), errors: Some(errors) }
    }

    /// Lets it go on until the step that loads images begins, and holds it there: preflight is over, nothing is loaded.
    ///
    /// # Panics
    /// When it ends before.
    pub fn hold_at_loading(&mut self) {
        loop {
            let Some(Ok(line)) = self.lines.next() else {
                panic!("it ended before it loaded anything: {}", self.said)
            };
            self.said.push_str(&line);
            self.said.push('\n');
            let event: Value = serde_json::from_str(&line).unwrap();
            if event["event"] == "step-started" && is_loading(&event) {
                return self.hold();
            }
        }
    }

    /// Lets it load until it has read so many bytes more, and holds it there.
    ///
    /// # Panics
    /// When it ends before.
    pub fn hold_after_reading(&mut self, bytes: u64) {
        let before = self.read_bytes();
        self.go_on();
        // The time between two looks is what may be read too much.
        while self.read_bytes() < before + bytes {
            assert!(matches!(self.child.try_wait(), Ok(None)), "it ended before it had read {bytes} bytes");
            std::thread::sleep(Duration::from_millis(1));
        }
        self.hold();
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn read_bytes(&self) -> u64 {
        let counts = fs::read_to_string(format!("/proc/{}/io", self.child.id())).unwrap();
        let count = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
        count.and_then(|count| count.trim().parse().ok()).unwrap()
    }

    fn hold(&self) {
        kill_process(self.pid(), Signal::STOP).unwrap();
        let tasks = format!("/proc/{}/task", self.child.id());
        let is_stopped = |task: &fs::DirEntry| {
            fs::read_to_string(task.path().join("stat"))
                .is_ok_and(|stat| stat.rsplit(") ").next().unwrap().starts_with('T'))
        };
        let all = || fs::read_dir(&tasks).unwrap().flatten().all(|task| is_stopped(&task)).then_some(());
        wait::until("the command to stand still", Duration::from_secs(10), all, String::new);
    }

    /// Lets it go on.
    ///
    /// # Panics
    /// When it is gone.
    pub fn go_on(&self) {
        kill_process(self.pid(), Signal::CONT).unwrap();
    }

    /// Kills it, wherever it is.
    pub fn kill(self) {}

    /// Lets it go on to its end.
    ///
    /// # Panics
    /// When it says something that is no text.
    pub fn end(mut self) -> Run {
        self.go_on();
        for line in self.lines.by_ref() {
            self.said.push_str(&line.unwrap());
            self.said.push('\n');
        }
        let status = self.child.wait().unwrap();
        let errors = self.errors.take().unwrap().join().unwrap();
        Run::from_parts(
            std::mem::take(&mut self.shown),
            status.code(),
            (std::mem::take(&mut self.said), errors),
            self.started.elapsed(),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Whether an event belongs to the step that loads images.
#[must_use]
pub fn is_loading(event: &Value) -> bool {
    event["title"]["en"].as_str().is_some_and(|title| title.starts_with("Load "))
}

/// Bytes that a run found it had to read from the bundle to load what was missing, the first time it counted them.
///
/// # Panics
/// When it did not say.
#[must_use]
#[track_caller]
pub fn bytes_to_load(run: &Run) -> u64 {
    let events = run.events();
    let progress = events.iter().find(|event| event["event"] == "progress" && is_loading(event));
    progress.unwrap_or_else(|| panic!("no progress of loading\n{run}"))["total"].as_u64().unwrap()
}
