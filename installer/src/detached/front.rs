//! The process that the operator started, and everybody else who looks on.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use super::attach::Live;
use super::{DETACHED, WORKER, Word};
use crate::host::process;
use crate::host::signal::{self, HANG_UP, INTERRUPT, Reaction, TERMINATE, Watch};
use crate::outcome::{Failure, Outcome, WayBack};
use crate::report::{Reporter, data};
use crate::text::{Lang, detached as text};

/// Within so much time a second Ctrl-C means it.
const SECOND_THOUGHT: Duration = Duration::from_secs(5);

/// How the work ended, for those who looked on.
#[derive(Clone, Debug)]
pub struct Ended {
    /// Its exit code.
    pub code: u8,
    /// How to take back what it did, where it failed and that is possible.
    pub way_back: Option<WayBack>,
}

/// Starts a worker, and stays with it to its end; everything has been said by then.
///
/// # Errors
/// When it cannot be started, or ends without a word.
pub fn run(arguments: &[OsString], reporter: &Arc<Reporter>, watch: &Watch) -> Outcome<Ended> {
    let cannot = |error: &std::io::Error| {
        Failure::midway(text::cannot_start_worker()).refused(error, Path::new("/proc/self/exe"))
    };
    // What it is told of signals before it has left the terminal it deals with itself.
    reporter.watching();
    let mut child = process::spawn_self(WORKER, arguments).map_err(|error| cannot(&error))?;
    let pid = child.id();
    watch.decide(move |number| {
        process::forward(pid, number);
        Reaction::GoOn
    });
    let output = child.stdout.take().ok_or_else(|| cannot(&std::io::ErrorKind::BrokenPipe.into()))?;
    let mut output = BufReader::new(output);
    let mut line = String::new();
    // Until it leaves, it speaks for itself.
    while output.read_line(&mut line).is_ok_and(|len| len > 0) {
        if let Some(lang) = line.strip_prefix(DETACHED) {
            if let Some(lang) = Lang::of_code(lang.trim()) {
                reporter.speak(lang);
            }
            return view(output, pid, Some(child), reporter, watch);
        }
        data(line.trim_end_matches('\n'));
        line.clear();
    }
    let status = child.wait().map_err(|error| cannot(&error))?;
    match status.signal() {
        Some(number @ (HANG_UP | INTERRUPT | TERMINATE)) => signal::end_by(number),
        Some(_) => return Err(died(pid, Some(status))),
        None => {}
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(Ended { code, way_back: None })
}

/// Looks on at work that somebody else has started.
///
/// # Errors
/// When it ends without a word.
pub fn attach(live: Live, reporter: &Arc<Reporter>, watch: &Watch) -> Outcome<Ended> {
    reporter.watching();
    reporter.line(&text::attached(live.hello.pid, &live.hello.duration()));
    view(live.words, live.hello.pid, None, reporter, watch)
}

/// Shows what the worker says until it ends.
fn view(
    words: impl BufRead,
    pid: u32,
    child: Option<Child>,
    reporter: &Arc<Reporter>,
    watch: &Watch,
) -> Outcome<Ended> {
    let stop = Arc::new(AtomicI32::new(0));
    let (stopping, told) = (Arc::clone(&stop), Arc::clone(reporter));
    let mut asked: Option<Instant> = None;
    watch.decide(move |number| match number {
        // The line is gone; the work goes on.
        HANG_UP => Reaction::End,
        // Whoever is still here after having stopped it wants to leave.
        _ if stopping.load(Ordering::Relaxed) != 0 => Reaction::End,
        INTERRUPT if told.is_at_terminal() && asked.is_none_or(|at| at.elapsed() > SECOND_THOUGHT) => {
            asked = Some(Instant::now());
            told.line(&text::ask_twice(SECOND_THOUGHT.as_secs()));
            Reaction::GoOn
        }
        _ => {
            stopping.store(number, Ordering::Relaxed);
            process::forward(pid, TERMINATE);
            Reaction::GoOn
        }
    });
    let (mut code, mut was_stopped, mut way_back) = (None, false, None);
    for line in words.lines().map_while(Result::ok) {
        match serde_json::from_str(&line) {
            Ok(Word::Ended(ended)) => code = Some(ended),
            Ok(word) => {
                was_stopped |= matches!(word, Word::Stopped(_));
                if let Word::Failure(failure) = &word {
                    way_back.clone_from(&failure.remains.way_back);
                }
                reporter.replay(&word);
            }
            // A kind of event that this version does not know.
            Err(_) => {}
        }
    }
    // Its lock is free when it is gone, and not before.
    let status = child.and_then(|mut child| child.wait().ok());
    match (code, stop.load(Ordering::Relaxed)) {
        (Some(code), _) => Ok(Ended { code, way_back }),
        (None, 0) if was_stopped => Ok(Ended { code: 1, way_back }),
        (None, 0) => Err(died(pid, status)),
        (None, number) => {
            signal::end_by(number);
            Ok(Ended { code: 1, way_back })
        }
    }
}

fn died(pid: u32, status: Option<ExitStatus>) -> Box<Failure> {
    let failure = Failure::midway(text::worker_died(pid));
    match status {
        Some(status) => failure.quoting(status.to_string()),
        None => failure,
    }
}
