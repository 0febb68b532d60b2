//! An installation under way: what it says as it goes, and a hand that holds it still, so that something can happen beside it
//! at a known moment. What is held and killed is the process that does the work; what was started only looks on.

use std::fs;
use std::io::{BufRead, BufReader, Lines, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::run::Run;
use crate::secrets::{Kind, Watch};
use crate::wait;

/// A command under way that says what it does as one JSON document a line. Dropping it kills it and the process that works for it.
#[derive(Debug)]
pub struct Running {
    shown: String,
    started: Instant,
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: String,
    worker: Option<Pid>,
    errors: Option<JoinHandle<String>>,
    _watch: Option<Watch>,
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
        let watch = Watch::over(Kind::of(command), child.id());
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut stderr = child.stderr.take().unwrap();
        let errors = std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let (said, worker, errors) = (String::new(), None, Some(errors));
        Self { shown, started, child, lines, said, worker, errors, _watch: watch }
    }

    /// Lets it go on until the step that loads images begins, and holds it there: preflight is over, nothing is loaded.
    ///
    /// # Panics
    /// When it ends before.
    pub fn hold_at_loading(&mut self) {
        self.reach(is_loading);
        self.hold();
    }

    /// Lets it go on until a step begins of which `is_it` says that it is the one.
    ///
    /// # Panics
    /// When it ends before.
    pub fn reach(&mut self, is_it: impl Fn(&Value) -> bool) {
        assert!(self.comes_to(is_it), "it ended before that step: {}", self.said);
    }

    /// As [`Running::reach`]; returns whether there was such a step.
    ///
    /// # Panics
    /// When it says something that is no event.
    pub fn comes_to(&mut self, is_it: impl Fn(&Value) -> bool) -> bool {
        let comes = self.says(|event| event["event"] == "step-started" && is_it(event));
        if comes {
            self.worker = Some(worker_of(self.child.id()));
        }
        comes
    }

    /// Lets it go on until it says something of which `is_it` says that it is the one; returns whether it did.
    ///
    /// # Panics
    /// When it says something that is no event.
    pub fn says(&mut self, is_it: impl Fn(&Value) -> bool) -> bool {
        loop {
            let Some(Ok(line)) = self.lines.next() else { return false };
            self.said.push_str(&line);
            self.said.push('\n');
            let event: Value = serde_json::from_str(&line).unwrap();
            if is_it(&event) {
                return true;
            }
        }
    }

    /// Since when it runs.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.started
    }

    /// Whether it has ended.
    pub fn is_over(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
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

    /// The process that does the work.
    ///
    /// # Panics
    /// When no step has been reached.
    #[must_use]
    pub fn worker(&self) -> Pid {
        self.worker.unwrap()
    }

    /// The process that was started.
    #[must_use]
    pub fn front(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal to the process that was started.
    ///
    /// # Panics
    /// When it is gone.
    pub fn signal_front(&self, signal: Signal) {
        kill_process(self.front(), signal).unwrap();
    }

    fn read_bytes(&self) -> u64 {
        let counts = fs::read_to_string(format!("/proc/{}/io", self.worker().as_raw_nonzero())).unwrap();
        let count = counts.lines().find_map(|line| line.strip_prefix("rchar: "));
        count.and_then(|count| count.trim().parse().ok()).unwrap()
    }

    /// Holds it still.
    ///
    /// # Panics
    /// When it is gone.
    pub fn hold(&self) {
        kill_process(self.worker(), Signal::STOP).unwrap();
        let tasks = format!("/proc/{}/task", self.worker().as_raw_nonzero());
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
        if let Some(worker) = self.worker {
            let _ = kill_process(worker, Signal::CONT);
        }
    }

    /// Kills the process that does the work, wherever it is, and returns what the other one makes of that.
    pub fn kill(self) -> Run {
        // It may have come to its end by itself.
        let _ = kill_process(self.worker(), Signal::KILL);
        self.end()
    }

    /// Kills the process that was started, and lets the work go on. Returns the process that does it.
    ///
    /// # Panics
    /// When it is gone.
    #[must_use]
    pub fn kill_front(mut self) -> Pid {
        let worker = self.worker.take().unwrap();
        self.child.kill().unwrap();
        let _ = self.child.wait();
        worker
    }

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
        if let Some(worker) = self.worker.filter(|_| matches!(self.child.try_wait(), Ok(None))) {
            let _ = kill_process(worker, Signal::KILL);
        }
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// The process that does the work for one that was started: its child, which is the same program.
///
/// # Panics
/// When it has none.
#[must_use]
pub fn worker_of(front: u32) -> Pid {
    find_worker_of(front).unwrap_or_else(|| panic!("{front} has no worker"))
}

/// The process that does the work for one that was started, if there is one by now.
#[must_use]
pub fn find_worker_of(front: u32) -> Option<Pid> {
    let processes = fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| {
        let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        let parent: u32 = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
        (parent == front).then_some(pid)
    });
    let children: Vec<i32> = processes.collect();
    let exe = |pid: &i32| fs::read_link(format!("/proc/{pid}/exe")).ok();
    let own = fs::read_link(format!("/proc/{front}/exe")).ok();
    let worker = children.iter().find(|pid| own.is_some() && exe(pid) == own);
    Pid::from_raw(*worker?)
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
