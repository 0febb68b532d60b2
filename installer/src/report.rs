//! The only place that prints. Data goes to standard output, everything else to standard error.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::Mutex;

use crate::event::Event;
use crate::outcome::Failure;
use crate::text::{Lang, Message};

mod human;

use human::Human;

/// Receives events and shows them in one way.
#[derive(Debug)]
pub struct Reporter {
    lang: Lang,
    style: Style,
    log: Mutex<Option<File>>,
}

#[derive(Debug)]
enum Style {
    Human(Mutex<Human>),
    Json,
}

impl Reporter {
    /// A reporter for people, or for programs (`--json`: events as JSON lines on standard output).
    pub fn new(lang: Lang, json: bool) -> Self {
        let style = if json {
            Style::Json
        } else {
            Style::Human(Mutex::new(Human::new(lang, io::stderr().is_terminal())))
        };
        Self { lang, style, log: Mutex::new(None) }
    }

    /// The language in use.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// From now on every event is appended to a file as well; without one the run goes on.
    pub fn log_to(&self, path: &Path) {
        if let Ok(mut log) = self.log.lock() {
            *log = crate::host::file::append_private(path).ok();
        }
    }

    /// Shows an event.
    pub fn emit(&self, event: &Event) {
        let is_progress = matches!(event, Event::Progress { .. });
        if !is_progress
            && let Ok(mut log) = self.log.lock()
            && let Some(log) = log.as_mut()
        {
            // A log that cannot be written must not end an installation.
            let _ = serde_json::to_string(event).map(|line| writeln!(log, "{line}"));
        }
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.show(event);
                }
            }
            Style::Json => {
                if let Ok(line) = serde_json::to_string(event) {
                    data(&line);
                }
            }
        }
    }

    /// Shows one line to a person; with `--json` it is a note.
    pub fn line(&self, text: &Message) {
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.line(text.in_lang(self.lang));
                }
            }
            Style::Json => self.emit(&Event::Note { text: text.clone() }),
        }
    }

    /// Shows why the run ended early.
    pub fn failure(&self, failure: &Failure) {
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.failure(failure);
                }
            }
            Style::Json => {
                let details = failure.details.iter().map(|text| Event::Note { text: text.clone() });
                let causes =
                    failure.causes.iter().map(|cause| Event::Note { text: Message::verbatim(cause) });
                let todo = failure.todo.iter().map(|text| Event::Note { text: text.clone() });
                details.chain(causes).chain(todo).for_each(|event| self.emit(&event));
            }
        }
        let finished = Event::Finished { code: failure.code as u8, text: failure.what.clone() };
        if let Style::Json = self.style {
            self.emit(&finished);
        }
    }
}

/// Writes one line of data to standard output. A closed pipe (`| head`) is no error.
pub fn data(line: &str) {
    let mut stdout = io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}
