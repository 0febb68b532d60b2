//! Shows events to a person: one live line on a terminal, plain lines elsewhere. ASCII marks only: box and arrow
//! characters have no agreed width in Chinese terminals.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::event::{Event, StepOutcome};
use crate::health::{ServiceHealth, Verdict};
use crate::outcome::Failure;
use crate::preflight::{Finding, Severity};
use crate::text::cause::explained;
use crate::text::{Lang, Message, bytes, command, finding, progress as text};

/// How often a line of progress is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// The same for waiting, of which there is less to say.
const PLAIN_WAIT: Duration = Duration::from_secs(15);

/// Where lines go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    /// Standard error: what happens.
    Error,
    /// Standard output: what was asked for.
    Output,
}

pub(super) struct Human {
    lang: Lang,
    stream: Stream,
    is_terminal: bool,
    tells_all: bool,
    has_spoken: bool,
    bar: Option<ProgressBar>,
    last_plain: Option<Instant>,
    last_health: Vec<ServiceHealth>,
}

/// Shows a line below whatever stands there, with the cursor that a question may have hidden.
pub(super) fn tell(text: &str) {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
    }
    let _ = writeln!(io::stderr().lock(), "\n{text}");
}

impl std::fmt::Debug for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Human").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Human {
    pub(super) fn new(lang: Lang, is_terminal: bool) -> Self {
        let is_terminal = is_terminal && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        let stream = Stream::Error;
        Self {
            lang,
            stream,
            is_terminal,
            tells_all: false,
            has_spoken: false,
            bar: None,
            last_plain: None,
            last_health: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Started { title, .. } => self.bold(title),
            // What is in order is not worth a line each, unless somebody asked for it; but whose file this is, is.
            Event::Finding(finding)
                if finding.severity == Severity::Pass && finding.id != "signature" && !self.tells_all => {}
            Event::Finding(finding) => self.finding(finding),
            Event::Checked { passed, .. } => self.checked(*passed),
            Event::Plan { steps } => self.plan(steps),
            Event::StepStarted { number, count, title } => self.step_started(*number, *count, title),
            Event::Progress { title, done, total } => self.progress(title, *done, *total),
            Event::Phase { title } => self.phase(title),
            Event::Waiting { seconds, limit } => self.waiting(*seconds, *limit),
            Event::StepFinished { outcome, millis, .. } => self.step_finished(*outcome, *millis),
            Event::Health { services } => self.health(services),
            Event::Note { text } => self.line(text.in_lang(self.lang)),
            Event::Finished { text, .. } => self.bold(text),
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.clear_bar();
        self.has_spoken = true;
        // The stream may be closed; there is nobody left to tell.
        let _ = match self.stream {
            Stream::Error => writeln!(io::stderr().lock(), "{text}"),
            Stream::Output => writeln!(io::stdout().lock(), "{text}"),
        };
    }

    /// From now on lines are the result that was asked for, and go where it can be redirected.
    pub(super) fn speak_on(&mut self, stream: Stream) {
        self.stream = stream;
    }

    /// From now on findings that pass are shown as well.
    pub(super) fn tell_all(&mut self) {
        self.tells_all = true;
    }

    pub(super) fn failure(&mut self, failure: &Failure, todo: Option<&Message>) {
        self.speak_on(Stream::Error);
        if !failure.is_error {
            return self.line(failure.what.in_lang(self.lang));
        }
        let mark = self.painted(command::error_mark().in_lang(self.lang), Style::new().red().bold());
        let gap = if self.has_spoken { "\n" } else { "" };
        self.line(&format!("{gap}{mark}{}", failure.what.in_lang(self.lang)));
        for detail in &failure.details {
            self.line(&format!("  - {}", detail.in_lang(self.lang)));
        }
        for cause in &failure.causes {
            for line in explained(cause).in_lang(self.lang).lines() {
                self.line(&format!("    | {line}"));
            }
        }
        if let Some(todo) = todo {
            let mark = self.painted(command::todo_mark().in_lang(self.lang), Style::new().cyan().bold());
            self.line(&format!("{mark}{}", todo.in_lang(self.lang)));
        }
        let code = text::exit_code(failure.code as u8);
        self.line(code.in_lang(self.lang));
    }

    /// The last line of a run that somebody broke off, perhaps in the middle of a question.
    pub(super) fn interrupted(&mut self, text: &str) {
        self.clear_bar();
        tell(text);
    }

    fn painted(&self, text: &str, style: Style) -> String {
        match self.stream {
            Stream::Output => style.for_stdout().apply_to(text).to_string(),
            Stream::Error if self.is_terminal => style.for_stderr().apply_to(text).to_string(),
            Stream::Error => text.to_owned(),
        }
    }

    fn bold(&mut self, text: &Message) {
        let line = self.painted(text.in_lang(self.lang), Style::new().bold());
        self.line(&line);
    }

    fn checked(&mut self, passed: usize) {
        if !self.tells_all {
            let mark = self.painted(command::mark_pass().in_lang(self.lang), Style::new().green());
            self.line(&format!("  {mark}  {}", finding::checks_passed(passed).in_lang(self.lang)));
        }
    }

    /// Findings that need attention are shown with what to do; what passes or was accepted is a line each.
    fn finding(&mut self, finding: &Finding) {
        let (mark, style) = match finding.severity {
            Severity::Pass => (command::mark_pass(), Style::new().green()),
            Severity::Warn => (command::mark_warn(), Style::new().yellow().bold()),
            Severity::Fail => (command::mark_fail(), Style::new().red().bold()),
        };
        let mark = self.painted(mark.in_lang(self.lang), style);
        let accepted = if finding.accepted { finding::is_accepted() } else { Message::verbatim("") };
        self.line(&format!("  {mark}  {}{}", finding.text.in_lang(self.lang), accepted.in_lang(self.lang)));
        if let Some(todo) = finding.todo.as_ref().filter(|_| !finding.accepted) {
            self.line(&format!("        > {}", todo.in_lang(self.lang)));
        }
    }

    fn plan(&mut self, steps: &[Message]) {
        self.bold(&text::plan_title());
        for (position, step) in steps.iter().enumerate() {
            self.line(&format!("  {}. {}", position + 1, step.in_lang(self.lang)));
        }
    }

    fn step_started(&mut self, number: usize, count: usize, title: &Message) {
        self.last_plain = None;
        self.line(&format!("[{number}/{count}] {}", title.in_lang(self.lang)));
    }

    fn step_finished(&mut self, outcome: StepOutcome, millis: u64) {
        self.clear_bar();
        let text = match outcome {
            StepOutcome::Done => text::step_done(millis as f64 / 1000.0),
            StepOutcome::Skipped => text::step_skipped(),
            StepOutcome::Failed => return,
        };
        let line = self.painted(text.in_lang(self.lang), Style::new().dim());
        self.line(&format!("      {line}"));
    }

    fn progress(&mut self, title: &Message, done: u64, total: u64) {
        if !self.is_terminal {
            return self.plain_progress(title, done, total);
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr_with_hz(8));
            let template =
                "      [{bar:20}] {percent:>3}%  {decimal_bytes}/{decimal_total_bytes}  {decimal_bytes_per_sec}  {eta}  {msg}";
            let style =
                ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
            bar.set_style(style.progress_chars("##-"));
            bar
        });
        bar.set_length(total);
        bar.set_position(done);
    }

    /// Beside the bar where there is one: bytes that do not move any more would look dead.
    fn phase(&mut self, title: &Message) {
        let title = title.in_lang(self.lang).to_owned();
        match &self.bar {
            Some(bar) => bar.set_message(title),
            None => self.line(&format!("      {title}")),
        }
    }

    fn waiting(&mut self, seconds: u64, limit: Option<u64>) {
        let text = match limit {
            Some(limit) => text::waiting_at_most(seconds, limit),
            None => text::waiting(seconds),
        };
        if self.is_terminal {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
                let style = ProgressStyle::with_template("      {msg}");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
                bar
            });
            bar.set_message(text.in_lang(self.lang).to_owned());
            return;
        }
        let now = Instant::now();
        if self.last_plain.is_none_or(|last| now.duration_since(last) >= PLAIN_WAIT) {
            self.last_plain = Some(now);
            self.line(&format!("      {}", text.in_lang(self.lang)));
        }
    }

    fn plain_progress(&mut self, title: &Message, done: u64, total: u64) {
        let now = Instant::now();
        let last = *self.last_plain.get_or_insert(now);
        if now.duration_since(last) >= PLAIN_INTERVAL {
            self.last_plain = Some(now);
            let line = format!("      {} / {}  {}", bytes(done), bytes(total), title.in_lang(self.lang));
            self.line(&line);
        }
    }

    /// Only what changed is shown while waiting.
    fn health(&mut self, services: &[ServiceHealth]) {
        for service in services {
            if self.last_health.contains(service) {
                continue;
            }
            let style = match service.verdict {
                Verdict::Well => Style::new().green(),
                Verdict::Waiting => Style::new().yellow(),
                Verdict::Failed => Style::new().red().bold(),
            };
            let mark = self.painted(service.mark().in_lang(self.lang), style);
            self.line(&format!("      {mark}  {}", service.line().in_lang(self.lang)));
        }
        self.last_health = services.to_vec();
    }

    pub(super) fn clear_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
