//! The only place that prints. Data goes to standard output, everything else to standard error. Whatever comes in here may
//! quote somebody who knows the secrets of the installation, or who would like to command the terminal; so it is cleaned here
//! (`gate`), before anything is shown, logged or handed on.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use bundle_spec::answer::{Answer, Answers};

use crate::detached::Word;
use crate::detached::worker::Work;
use crate::event::Event;
use crate::outcome::{Code, Failure, Outcome};
use crate::text::cause::explained;
use crate::text::{Lang, Message, problem};

mod gate;
mod human;
mod live;
mod pace;
mod relay;

pub use relay::{relay_errors, relay_output};

use gate::Gate;
use human::{Human, Stream};
use pace::Pace;

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// As everything else is.
    Plain,
    /// What matters now.
    Strong,
    /// Beside it.
    Dim,
    /// Something is wrong.
    Bad,
}

/// Receives events and shows them in one way.
#[derive(Debug)]
pub struct Reporter {
    is_chinese: AtomicBool,
    style: Style,
    log: Mutex<Option<File>>,
    pace: Mutex<Pace>,
    has_finished: AtomicBool,
    stage: Mutex<Stage>,
    gate: Gate,
    /// Where everything goes once the terminal has been left.
    work: OnceLock<Work>,
}

/// How far the run is: what somebody is told who breaks it off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Nothing has been changed.
    Before,
    /// In a step, and of how many.
    Step(usize, usize),
    /// Only looks, or says itself how it ends.
    Watching,
    /// Changes something, not in steps.
    Working,
}

/// How often somebody who waits is told so.
const WAITING_INTERVAL: Duration = Duration::from_secs(1);
/// What takes no longer than this needs no word.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Debug)]
enum Style {
    Human(Box<Mutex<Human>>),
    Json,
}

impl Reporter {
    /// A reporter for people, or for programs (`--json`: events as JSON lines on standard output).
    pub fn new(lang: Lang, json: bool) -> Self {
        let style = if json {
            Style::Json
        } else {
            Style::Human(Box::new(Mutex::new(Human::new(lang, io::stderr().is_terminal()))))
        };
        Self {
            is_chinese: AtomicBool::new(lang == Lang::Zh),
            style,
            log: Mutex::new(None),
            pace: Mutex::default(),
            has_finished: AtomicBool::new(false),
            stage: Mutex::new(Stage::Before),
            gate: Gate::default(),
            work: OnceLock::new(),
        }
    }

    /// The language in use.
    pub fn lang(&self) -> Lang {
        if self.is_chinese.load(Ordering::Relaxed) { Lang::Zh } else { Lang::En }
    }

    /// Goes on in another language.
    pub fn speak(&self, lang: Lang) {
        self.is_chinese.store(lang == Lang::Zh, Ordering::Relaxed);
        if let Style::Human(human) = &self.style
            && let Ok(mut human) = human.lock()
        {
            human.speak(lang);
        }
    }

    /// From now on these are shown and logged nowhere.
    pub fn hide<'s>(&self, secrets: impl IntoIterator<Item = &'s str>) {
        self.gate.hide(secrets);
    }

    /// [`Reporter::hide`] for the secrets among answers, and for what was made from them.
    pub fn hide_answers(&self, answers: &Answers) {
        self.hide(answers.secrets().map(Answer::reveal));
    }

    fn cleaned(&self, text: &Message) -> Message {
        let mut text = text.clone();
        text.each_text(&mut |text| self.gate.clean(text));
        text
    }

    /// A line that is the same in every language, to a person.
    pub fn text(&self, text: &str) {
        self.line(&Message::verbatim(text));
    }

    /// One line with a tone of its own, to a person.
    pub fn toned(&self, text: &Message, tone: Tone) {
        let text = &self.cleaned(text);
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.toned(text.in_lang(self.lang()), tone);
                }
            }
            Style::Json => self.line(text),
        }
    }

    /// Prose for a person, broken between words and moved in.
    pub fn indented(&self, text: &Message) {
        let text = &self.cleaned(text);
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.indented(text.in_lang(self.lang()));
                }
            }
            Style::Json => self.line(text),
        }
    }

    /// The beginning of a line that a person goes on with; with what moves the cursor there, and so with nothing that others
    /// have written.
    pub fn prompt(&self, text: &str) {
        let mut text = text.to_owned();
        self.gate.mask(&mut text);
        if matches!(self.style, Style::Human(_)) {
            let mut stderr = io::stderr().lock();
            let _ = write!(stderr, "{text}").and_then(|()| stderr.flush());
        }
    }

    /// From now on every event is appended to a file as well; without one the run goes on.
    pub fn log_to(&self, path: &Path) {
        if let Ok(mut log) = self.log.lock() {
            *log = crate::host::file::append_private(path).ok();
        }
    }

    /// Whether an event is passed on: progress only so often where it is written down or goes to another process.
    fn is_passed_on(&self, event: &Event) -> bool {
        let is_limited = matches!(self.style, Style::Json) || self.work.get().is_some();
        self.pace.lock().map_or(true, |mut pace| pace.takes(event, Instant::now(), is_limited))
    }

    /// Shows an event.
    pub fn emit(&self, event: &Event) {
        let mut event = event.clone();
        event.each_text(&mut |text| self.gate.clean(text));
        let event = &event;
        if matches!(event, Event::Finished { .. }) {
            self.has_finished.store(true, Ordering::Relaxed);
        }
        match event {
            Event::StepStarted { number, count, .. } => self.enter(Stage::Step(*number, *count)),
            Event::Finished { .. } => self.enter(Stage::Watching),
            _ => {}
        }
        let is_progress = matches!(event, Event::Progress { .. } | Event::Waiting { .. });
        if !self.is_passed_on(event) {
            return;
        }
        if !is_progress {
            self.log_event(event);
        }
        match self.work.get() {
            Some(work) => work.say(&Word::Event(event.clone())),
            None => self.show(event),
        }
    }

    fn show(&self, event: &Event) {
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
        let text = &self.cleaned(text);
        if let Some(work) = self.work.get() {
            return work.say(&Word::Line(text.clone()));
        }
        match &self.style {
            Style::Human(human) => {
                if let Ok(mut human) = human.lock() {
                    human.line(text.in_lang(self.lang()));
                }
            }
            Style::Json => self.emit(&Event::Note { text: text.clone() }),
        }
    }

    /// What is shown from now on is what was asked for, and goes to standard output: people redirect it. Progress and
    /// failures stay where they are.
    pub fn show_result(&self) {
        if let Style::Human(human) = &self.style
            && let Ok(mut human) = human.lock()
        {
            human.speak_on(Stream::Output);
        }
    }

    /// From now on findings that pass are shown to people as well; programs get them always.
    pub fn tell_all_findings(&self) {
        if let Style::Human(human) = &self.style
            && let Ok(mut human) = human.lock()
        {
            human.tell_all();
        }
    }

    /// Says that the run ended well, to programs; people have read the last line.
    pub fn finished(&self) {
        if matches!(self.style, Style::Json) && !self.has_finished.load(Ordering::Relaxed) {
            self.emit(&Event::Finished { code: 0, text: Message::verbatim("") });
        }
    }

    /// From now on nothing is shown here: it goes to those who look on.
    pub fn hand_over(&self, work: Work) {
        if let Style::Human(human) = &self.style
            && let Ok(mut human) = human.lock()
        {
            human.clear_live();
        }
        let _ = self.work.set(work);
    }

    /// Shows what a worker has said.
    pub fn replay(&self, word: &Word) {
        match word {
            Word::Hello(_) | Word::Ended(_) => {}
            Word::Event(event) => self.show(event),
            Word::Line(text) => self.line(text),
            Word::Failure(failure) => self.failure(failure),
            Word::Stopped(text) => self.show_interruption(text),
        }
    }

    /// The work is over, if this process did any apart from the terminal.
    pub fn work_is_over(&self, code: u8) {
        if let Some(work) = self.work.get() {
            work.end(code);
        }
    }

    /// Whether a person reads what is said here, at once.
    pub fn is_at_terminal(&self) -> bool {
        matches!(self.style, Style::Human(_)) && io::stderr().is_terminal()
    }

    /// Notes an event in the log, for nobody to see.
    pub fn log_only(&self, event: &Event) {
        let mut event = event.clone();
        event.each_text(&mut |text| self.gate.clean(text));
        self.log_event(&event);
    }

    /// Says how long something takes while it goes on.
    pub fn while_waiting<T>(&self, limit: Option<Duration>, work: impl FnOnce() -> T) -> T {
        let (ending, has_ended) = std::sync::mpsc::channel::<()>();
        let started = Instant::now();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                while has_ended.recv_timeout(WAITING_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    let waited = started.elapsed();
                    if waited >= PATIENCE {
                        let limit = limit.map(|limit| limit.as_secs());
                        self.emit(&Event::Waiting { seconds: waited.as_secs(), limit });
                    }
                }
            });
            let result = work();
            drop(ending);
            result
        })
    }

    fn enter(&self, stage: Stage) {
        if let Ok(mut current) = self.stage.lock() {
            *current = stage;
        }
    }

    /// From now on something is changed without steps.
    pub fn working(&self) {
        self.enter(Stage::Working);
    }

    /// From now on a person only looks on, and ends that as they like.
    pub fn watching(&self) {
        self.enter(Stage::Watching);
    }

    /// Says to whoever broke the run off how far it got.
    pub fn interrupted(&self) {
        let stage = self.stage.lock().map_or(Stage::Watching, |stage| *stage);
        let text = match stage {
            Stage::Before => crate::text::wizard::nothing_changed(),
            Stage::Step(number, count) => crate::text::progress::interrupted_in_step(number, count),
            Stage::Working => crate::text::progress::interrupted(),
            Stage::Watching => return,
        };
        match self.work.get() {
            Some(work) => work.stopped(&text),
            None => self.show_interruption(&text),
        }
    }

    fn show_interruption(&self, text: &Message) {
        match &self.style {
            // Whoever was about to print when the signal came may hold the lock for ever.
            Style::Human(human) => match human.try_lock() {
                Ok(mut human) => human.interrupted(text.in_lang(self.lang())),
                Err(_) => human::tell(text.in_lang(self.lang())),
            },
            Style::Json => self.show(&Event::Note { text: text.clone() }),
        }
    }

    /// Shows why the run ended early.
    pub fn failure(&self, failure: &Failure) {
        let mut failure = failure.clone();
        failure.each_text(&mut |text| self.gate.clean(text));
        let failure = &failure;
        let again = (failure.code == Code::Failed).then(crate::text::problem::run_again);
        let todo = failure.todo.clone().or(again);
        let finished = Event::Finished { code: failure.code as u8, text: failure.what.clone() };
        let details = failure.details.iter().map(|text| Event::Note { text: text.clone() });
        let causes = failure.causes.iter().map(|cause| Event::Note { text: explained(cause) });
        let last = todo.iter().cloned().chain(remains_of(failure)).map(|text| Event::Note { text });
        let events = details.chain(causes).chain(last).chain([finished]);
        if let Some(work) = self.work.get() {
            events.for_each(|event| self.log_event(&event));
            return work.say(&Word::Failure(Box::new(failure.clone())));
        }
        match &self.style {
            Style::Human(human) => {
                events.for_each(|event| self.log_event(&event));
                if let Ok(mut human) = human.lock() {
                    human.failure(failure, todo.as_ref());
                }
            }
            Style::Json => events.for_each(|event| self.emit(&event)),
        }
    }

    fn log_event(&self, event: &Event) {
        if let Ok(mut log) = self.log.lock()
            && let Some(log) = log.as_mut()
        {
            // A log that cannot be written must not end an installation.
            let _ =
                serde_json::to_string(event).map(|line| writeln!(log, "{}", timed(&line, SystemTime::now())));
        }
    }
}

/// A line of the log: whoever gets it from a customer wants to know when that was (UTC).
fn timed(object: &str, now: SystemTime) -> String {
    let time = humantime::format_rfc3339_seconds(now);
    format!("{{\"time\":\"{time}\",{}", object.trim_start_matches('{'))
}

/// What an installation that failed leaves, line by line.
fn remains_of(failure: &Failure) -> Vec<Message> {
    let remains = &failure.remains;
    let title = (!remains.in_place.is_empty()).then(crate::text::progress::in_place);
    let steps = remains.in_place.iter().map(crate::text::progress::in_place_line);
    let way_back =
        remains.way_back.as_ref().map(|way_back| crate::text::progress::way_back(&way_back.command));
    title.into_iter().chain(steps).chain(way_back).collect()
}

/// Why something did not get to standard output, if anything has not.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// Writes one line of data to standard output. A closed pipe (`| head`) is no error.
pub fn data(line: &str) {
    let mut stdout = io::stdout().lock();
    match writeln!(stdout, "{line}").and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => drop(LOST.set(error)),
        _ => {}
    }
}

/// Whether all data has got to standard output: on a full disk, half of it would pass for the whole.
///
/// # Errors
/// When it has not, and why.
pub fn all_written() -> Outcome<()> {
    match LOST.get() {
        Some(error) => Err(Failure::midway(problem::output_lost()).because(error)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_log_is_the_event_with_its_time() {
        let event = serde_json::to_string(&Event::Note { text: Message::verbatim("x") }).unwrap();
        let line = timed(&event, SystemTime::UNIX_EPOCH);
        let parsed: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&parsed["time"], &parsed["event"]), (&"1970-01-01T00:00:00Z".into(), &"note".into()));
    }
}
