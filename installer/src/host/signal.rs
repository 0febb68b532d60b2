//! Being asked to end: Ctrl-C, a lost line, `kill`. Unless somebody has decided otherwise, the terminal gets its echo back, somebody
//! is told, and the process ends by the same signal, so that whoever waits for it sees the truth.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::termios::{OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

pub use signal_hook::consts::{SIGHUP as HANG_UP, SIGINT as INTERRUPT, SIGTERM as TERMINATE};

/// Signals that ask a process to end.
const ENDINGS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// How often is looked whether the process ends after all.
const LOOK: Duration = Duration::from_millis(20);

/// What is done about a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// The process ends by it.
    End,
    /// The process goes on.
    GoOn,
}

type Policy = Box<dyn FnMut(i32) -> Reaction + Send>;

/// Knows whether the process has been asked to end.
#[derive(Clone, Default)]
pub struct Watch {
    is_ending: Arc<AtomicBool>,
    policy: Arc<Mutex<Option<Policy>>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watch").field("is_ending", &self.is_ending).finish_non_exhaustive()
    }
}

/// Watches for signals from now on; `tell` is called once, when the terminal is itself again. What was ignored at the start
/// (`nohup`, a shell's background job) stays ignored.
///
/// # Errors
/// When no signal handler can be set up; the process then ends by signals as any other.
pub fn watch(tell: impl FnOnce() + Send + 'static) -> io::Result<Watch> {
    let watch = Watch::default();
    let ignored = ignored();
    let endings = ENDINGS.into_iter().filter(|signal| ignored & (1 << (signal - 1)) == 0);
    let endings: Vec<i32> = endings.collect();
    for signal in &endings {
        signal_hook::flag::register(*signal, Arc::clone(&watch.is_ending))?;
    }
    let mut signals = Signals::new(&endings)?;
    let terminal = rustix::termios::tcgetattr(io::stdin()).ok();
    let watched = watch.clone();
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let last = signals.forever().find(|signal| watched.reaction(*signal) == Reaction::End);
        if let Some(signal) = last {
            if let Some(terminal) = terminal {
                restore(&terminal);
            }
            tell();
            end_by(signal);
        }
    })?;
    Ok(watch)
}

impl Watch {
    /// Stays here for ever if the process is about to end by a signal: whatever else failed because of it need not be told.
    pub fn give_way(&self) {
        while self.is_ending.load(Ordering::Relaxed) {
            std::thread::park_timeout(LOOK);
        }
    }

    /// From now on `policy` decides what is done about each signal. It is called on a thread of its own.
    pub fn decide(&self, policy: impl FnMut(i32) -> Reaction + Send + 'static) {
        if let Ok(mut current) = self.policy.lock() {
            *current = Some(Box::new(policy));
        }
    }

    fn reaction(&self, signal: i32) -> Reaction {
        let reaction = match self.policy.lock() {
            Ok(mut policy) => policy.as_mut().map_or(Reaction::End, |policy| policy(signal)),
            Err(_) => Reaction::End,
        };
        if reaction == Reaction::GoOn {
            self.is_ending.store(false, Ordering::Relaxed);
        }
        reaction
    }
}

/// Ends this process by a signal, as if nobody had caught it. Returns only when that is not possible.
pub fn end_by(signal: i32) {
    let _ = signal_hook::low_level::emulate_default_handler(signal);
}

/// The signals that were ignored when this process began, as a bit mask.
fn ignored() -> u64 {
    mask_in(&std::fs::read_to_string("/proc/self/status").unwrap_or_default()).unwrap_or(0)
}

fn mask_in(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

/// Puts the terminal back as it was, if it is ours to touch: a background job that does so is stopped by the kernel.
fn restore(terminal: &Termios) {
    let stdin = io::stdin();
    let is_foreground = stdin.is_terminal()
        && rustix::termios::tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp());
    if is_foreground {
        let _ = rustix::termios::tcsetattr(&stdin, OptionalActions::Now, terminal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_of_ignored_signals_is_what_the_kernel_says() {
        let status = "Name:\tsh\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001001\n";
        assert_eq!(mask_in(status), Some(1 << (SIGHUP - 1) | 1 << 12));
        // Rust ignores SIGPIPE in every program of its own.
        assert_ne!(ignored() & 1 << 12, 0);
    }
}
