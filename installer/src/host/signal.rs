//! Being asked to end: Ctrl-C, a lost line, `kill`. The terminal gets its echo back, somebody is told, and the process ends by
//! the same signal, so that whoever waits for it sees the truth.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::termios::{OptionalActions, Termios};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Signals that ask a process to end.
const ENDINGS: [i32; 3] = [SIGHUP, SIGINT, SIGTERM];

/// Knows whether the process has been asked to end.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    is_ending: Arc<AtomicBool>,
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
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if let Some(terminal) = terminal {
                restore(&terminal);
            }
            tell();
            let _ = signal_hook::low_level::emulate_default_handler(signal);
        }
    })?;
    Ok(watch)
}

impl Watch {
    /// Stays here for ever if the process is about to end by a signal: whatever else failed because of it need not be told.
    pub fn give_way(&self) {
        while self.is_ending.load(Ordering::Relaxed) {
            std::thread::park();
        }
    }
}

/// The signals that were ignored when this process began, as a bit mask.
fn ignored() -> u64 {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    status.map_or(0, |status| status.sigign)
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
