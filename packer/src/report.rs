//! The reporter: the only place that writes to the terminal. Data goes to stdout, everything else to stderr.
//! What is said is decided elsewhere; how it looks is decided here.

use std::error::Error as _;
use std::io::{self, Write};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::event::Event;
use crate::outcome::Failure;
use crate::quantity::bytes;

/// Shows events: as a bar on a terminal, as a line for each part elsewhere.
#[derive(Debug)]
pub struct Reporter {
    quiet: bool,
    terminal: bool,
    bar: Mutex<Option<ProgressBar>>,
}

impl Reporter {
    /// A reporter for this process' stderr. Quiet means warnings only.
    #[must_use]
    pub fn new(quiet: bool) -> Self {
        Self { quiet, terminal: console::user_attended_stderr(), bar: Mutex::new(None) }
    }

    /// Shows one event.
    pub fn show(&self, event: Event) {
        let Ok(mut bar) = self.bar.lock() else { return };
        match event {
            Event::Warning(text) => line(bar.as_ref(), &format!("warning: {text}")),
            _ if self.quiet => {}
            Event::Step(text) => line(bar.as_ref(), &text),
            Event::Started { work, total, .. } if self.terminal => *bar = Some(new_bar(work, total)),
            Event::Started { work, total, of } => line(None, &format!("{work}: {} {of}", bytes(total))),
            Event::Working(part) => {
                if let Some(bar) = bar.as_ref() {
                    bar.set_message(part);
                }
            }
            Event::Advanced(count) => {
                if let Some(bar) = bar.as_ref() {
                    bar.inc(count);
                }
            }
            Event::Finished { part, from, to } => {
                line(bar.as_ref(), &format!("  {part}: {} -> {}", bytes(from), bytes(to)));
            }
            Event::Ended => {
                if let Some(bar) = bar.take() {
                    bar.finish_and_clear();
                }
            }
        }
    }

    /// Shows why the run ended early: what, the chain of reasons, what to do now.
    pub fn failure(&self, failure: &Failure) {
        self.show(Event::Ended);
        to_stderr(&format!("error: {failure}"));
        let mut source = failure.source();
        while let Some(reason) = source {
            to_stderr(&format!("  caused by: {reason}"));
            source = reason.source();
        }
        if let Some(hint) = &failure.hint {
            to_stderr(&format!("  what to do: {hint}"));
        }
    }
}

fn new_bar(work: String, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_prefix(work);
    let template =
        "{prefix} [{bar:16}] {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}  {wide_msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        // Plain characters: the usual block characters are two columns wide in many Chinese terminals.
        bar.set_style(style.progress_chars("##-"));
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn line(bar: Option<&ProgressBar>, text: &str) {
    match bar {
        Some(bar) => bar.suspend(|| to_stderr(text)),
        None => to_stderr(text),
    }
}

/// Writes a line to stderr. A closed stderr is no reason to stop.
fn to_stderr(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Writes data to stdout.
///
/// # Errors
/// When stdout cannot be written, unless its reader has gone, as `| head` does.
pub fn data(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new("cannot write to standard output").because(error))
        }
        _ => Ok(()),
    }
}
