//! Shows events to a person: one live line on a terminal, plain lines elsewhere. ASCII marks only: box and arrow
//! characters have no agreed width in Chinese terminals.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use console::Style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::live::Live;
use super::{Tone, data};
use crate::event::{Event, StepOutcome};
use crate::health::{ServiceHealth, Verdict};
use crate::outcome::Failure;
use crate::preflight::{Finding, Severity};
use crate::text::cause::explained;
use crate::text::{Lang, Message, bytes, columns, command, finding, progress as text};

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
    live: Option<Live>,
    bar: Option<ProgressBar>,
    last_plain: Option<Instant>,
    last_health: Vec<ServiceHealth>,
}

/// Shows a line below whatever stands there, with the cursor that a question may have hidden.
pub(super) fn tell(text: &str) {
    let terminal = console::Term::stderr();
    if terminal.is_term() {
        let _ = terminal.show_cursor();
        // An editor asked the terminal to mark what is pasted; the shell did not.
        if std::env::var("TERM").is_ok_and(|term| term != "dumb") {
            let _ = terminal.write_str("\x1b[?2004l");
        }
    }
    let columns = usize::from(terminal.size().1).max(40) - 1;
    let text = if terminal.is_term() { columns::hang(text, columns).join("\n") } else { text.to_owned() };
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
            live: None,
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
            Event::StepFinished { outcome, millis, title, .. } => {
                self.step_finished(*outcome, *millis, title);
            }
            Event::Health { services } => self.health(services),
            Event::Note { text } => self.line(text.in_lang(self.lang)),
            Event::Finished { text, .. } => self.bold(text),
        }
    }

    /// Lines that stay, above the one that lives; on a terminal they are broken between words, and go on below themselves.
    pub(super) fn line(&mut self, text: &str) {
        if !self.breaks_lines() {
            return self.row(text);
        }
        let rows: Vec<String> = text.split('\n').flat_map(|line| columns::hang(line, self.width())).collect();
        self.row(&rows.join("\n"));
    }

    /// What is laid out already.
    fn row(&mut self, text: &str) {
        if self.live.as_ref().is_some_and(|live| live.step.is_none()) {
            self.clear_live();
        }
        self.has_spoken = true;
        let stream = self.stream;
        let write = || {
            match stream {
                // It may be closed; there is nobody left to tell.
                Stream::Error => drop(writeln!(io::stderr().lock(), "{text}")),
                Stream::Output => data(text),
            }
        };
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    pub(super) fn toned(&mut self, text: &str, tone: Tone) {
        let style = match tone {
            Tone::Plain => Style::new(),
            Tone::Strong => Style::new().bold(),
            Tone::Dim => Style::new().dim(),
            Tone::Bad => Style::new().red(),
        };
        let breaks: String = text.chars().take_while(|character| *character == '\n').collect();
        let lines = columns::hang(text.trim_start_matches('\n'), self.width());
        let lines: Vec<String> = lines.iter().map(|line| self.painted(line, style.clone())).collect();
        self.row(&format!("{breaks}{}", lines.join("\n")));
    }

    pub(super) fn indented(&mut self, text: &str) {
        for line in columns::wrap(text, self.width().saturating_sub(4)) {
            self.row(&format!("    {line}"));
        }
    }

    /// Whether somebody reads the rows of lines on a screen; a file gets each line as one.
    fn breaks_lines(&self) -> bool {
        self.is_terminal && (self.stream == Stream::Error || io::stdout().is_terminal())
    }

    /// Prose behind a mark that may be painted; it goes on below itself.
    fn hanging(&mut self, mark: &str, text: &str) {
        if !self.breaks_lines() {
            return self.row(&format!("{mark}{text}"));
        }
        let margin = columns::width(&console::strip_ansi_codes(mark.trim_start_matches('\n')));
        let rows = columns::wrap(text, self.width().saturating_sub(margin));
        self.row(&format!("{mark}{}", rows.join(&format!("\n{:margin$}", ""))));
    }

    /// Columns that a line may have; the last one stays free, where some terminals wrap too early.
    fn width(&self) -> usize {
        if self.is_terminal { usize::from(console::Term::stderr().size().1).max(40) - 1 } else { 79 }
    }

    /// From now on everything is said in this language.
    pub(super) fn speak(&mut self, lang: Lang) {
        self.lang = lang;
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
        self.clear_live();
        self.speak_on(Stream::Error);
        if !failure.is_error {
            return self.line(failure.what.in_lang(self.lang));
        }
        let mark = self.painted(command::error_mark().in_lang(self.lang), Style::new().red().bold());
        let gap = if self.has_spoken { "\n" } else { "" };
        self.hanging(&format!("{gap}{mark}"), failure.what.in_lang(self.lang));
        for detail in &failure.details {
            self.hanging("  - ", detail.in_lang(self.lang));
        }
        for cause in &failure.causes {
            for line in explained(cause).in_lang(self.lang).lines() {
                self.hanging("    | ", line);
            }
        }
        if let Some(todo) = todo {
            let mark = self.painted(command::todo_mark().in_lang(self.lang), Style::new().cyan().bold());
            self.hanging(&mark, todo.in_lang(self.lang));
        }
        for text in super::remains_of(failure) {
            self.line(text.in_lang(self.lang));
        }
        let code = text::exit_code(failure.code as u8);
        self.line(code.in_lang(self.lang));
    }

    /// The last line of a run that somebody broke off, perhaps in the middle of a question.
    pub(super) fn interrupted(&mut self, text: &str) {
        self.clear_live();
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
        let text = text.in_lang(self.lang);
        let lines =
            if self.breaks_lines() { columns::hang(text, self.width()) } else { vec![text.to_owned()] };
        let lines: Vec<String> = lines.iter().map(|line| self.painted(line, Style::new().bold())).collect();
        self.row(&lines.join("\n"));
    }

    fn checked(&mut self, passed: usize) {
        if !self.tells_all {
            let mark = self.painted(command::mark_pass().in_lang(self.lang), Style::new().green());
            self.hanging(&format!("  {mark}  "), finding::checks_passed(passed).in_lang(self.lang));
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
        let text = format!("{}{}", finding.text.in_lang(self.lang), accepted.in_lang(self.lang));
        self.hanging(&format!("  {mark}  "), &text);
        if let Some(todo) = finding.todo.as_ref().filter(|_| !finding.accepted) {
            self.hanging("        > ", todo.in_lang(self.lang));
        }
    }

    fn plan(&mut self, steps: &[Message]) {
        self.bold(&text::plan_title());
        for (position, step) in steps.iter().enumerate() {
            self.hanging(&format!("  {}. ", position + 1), step.in_lang(self.lang));
        }
    }

    fn step_started(&mut self, number: usize, count: usize, title: &Message) {
        self.last_plain = None;
        self.clear_live();
        if self.is_terminal {
            self.live = Some(Live::new(Some((number, count)), title.clone()));
            self.draw();
        } else {
            self.line(&format!("[{number}/{count}] {}", title.in_lang(self.lang)));
        }
    }

    fn step_finished(&mut self, outcome: StepOutcome, millis: u64, title: &Message) {
        if let Some(mut live) = self.live.take() {
            live.title.clone_from(title);
            let line = live.ended(self.lang, outcome, millis, self.width());
            self.clear_live();
            let line = match outcome {
                StepOutcome::Failed => self.painted(&line, Style::new().red()),
                StepOutcome::Skipped => self.painted(&line, Style::new().dim()),
                StepOutcome::Done => line,
            };
            return self.row(&line);
        }
        let text = match outcome {
            StepOutcome::Done => text::step_done(millis as f64 / 1000.0),
            StepOutcome::Skipped => text::step_skipped(),
            StepOutcome::Failed => return,
        };
        self.line(&format!("      {}", text.in_lang(self.lang)));
    }

    fn progress(&mut self, title: &Message, done: u64, total: u64) {
        if !self.is_terminal {
            return self.plain_progress(title, done, total);
        }
        let live = self.live.get_or_insert_with(|| Live::new(None, title.clone()));
        live.count(Instant::now(), done, total);
        self.draw();
    }

    /// Bytes that do not move any more would look dead.
    fn phase(&mut self, title: &Message) {
        match &mut self.live {
            Some(live) => {
                live.say(title.clone());
                self.draw();
            }
            None => self.line(&format!("      {}", title.in_lang(self.lang))),
        }
    }

    fn waiting(&mut self, seconds: u64, limit: Option<u64>) {
        let text = match limit {
            Some(limit) => text::waiting_at_most(seconds, limit),
            None => text::waiting(seconds),
        };
        if let Some(live) = &mut self.live {
            match live.step {
                Some(_) => live.say(text),
                None => *live = Live::new(None, text),
            }
            return self.draw();
        }
        if self.is_terminal {
            self.live = Some(Live::new(None, text));
            return self.draw();
        }
        let now = Instant::now();
        if self.last_plain.is_none_or(|last| now.duration_since(last) >= PLAIN_WAIT) {
            self.last_plain = Some(now);
            self.line(&format!("      {}", text.in_lang(self.lang)));
        }
    }

    /// Shows the living line as it is now; the bar sees to it that this is not done too often.
    fn draw(&mut self) {
        let Some(live) = &self.live else { return };
        let line = live.line(self.lang, self.width());
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(8));
            let style = ProgressStyle::with_template("{wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        bar.set_message(line);
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
            self.hanging(&format!("      {mark}  "), service.line().in_lang(self.lang));
        }
        self.last_health = services.to_vec();
    }

    pub(super) fn clear_live(&mut self) {
        self.live = None;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
