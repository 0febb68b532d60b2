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
use crate::text::{Lang, Message, bytes, command, progress as text};

/// How often a line of progress is written where there is no terminal.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// Length of the mark at the beginning of [`ServiceHealth::line`], in ASCII characters.
const MARK_LEN: usize = 5;

pub(super) struct Human {
    lang: Lang,
    is_terminal: bool,
    bar: Option<ProgressBar>,
    last_plain: Option<Instant>,
    last_health: Vec<ServiceHealth>,
    passed: usize,
}

impl std::fmt::Debug for Human {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Human").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Human {
    pub(super) fn new(lang: Lang, is_terminal: bool) -> Self {
        let is_terminal = is_terminal && std::env::var("TERM").is_ok_and(|term| term != "dumb");
        Self { lang, is_terminal, bar: None, last_plain: None, last_health: Vec::new(), passed: 0 }
    }

    pub(super) fn show(&mut self, event: &Event) {
        match event {
            Event::Started { title, .. } => self.bold(title),
            Event::Finding(finding) => self.finding(finding),
            Event::Plan { steps } => self.plan(steps),
            Event::StepStarted { number, count, title } => self.step_started(*number, *count, title),
            Event::Progress { title, done, total } => self.progress(title, *done, *total),
            Event::StepFinished { outcome, millis, .. } => self.step_finished(*outcome, *millis),
            Event::Health { services } => self.health(services),
            Event::Note { text } => self.line(text.in_lang(self.lang)),
            Event::Finished { text, .. } => self.bold(text),
        }
    }

    pub(super) fn line(&mut self, text: &str) {
        self.clear_bar();
        // Standard error may be closed; there is nobody left to tell.
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    pub(super) fn failure(&mut self, failure: &Failure, todo: Option<&Message>) {
        let mark = self.painted(command::error_mark().in_lang(self.lang), Style::new().red().bold());
        self.line(&format!("\n{mark}{}", failure.what.in_lang(self.lang)));
        for detail in &failure.details {
            self.line(&format!("  - {}", detail.in_lang(self.lang)));
        }
        for cause in &failure.causes {
            for line in cause.lines() {
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

    fn painted(&self, text: &str, style: Style) -> String {
        if self.is_terminal { style.for_stderr().apply_to(text).to_string() } else { text.to_owned() }
    }

    fn bold(&mut self, text: &Message) {
        let line = self.painted(text.in_lang(self.lang), Style::new().bold());
        self.line(&line);
    }

    /// Findings that need attention are shown in full; those that pass are one dim line each.
    fn finding(&mut self, finding: &Finding) {
        let (mark, style) = match finding.severity {
            Severity::Pass => ("  ok    ", Style::new().green()),
            Severity::Warn => ("  warn  ", Style::new().yellow().bold()),
            Severity::Fail => ("  FAIL  ", Style::new().red().bold()),
        };
        self.passed += usize::from(finding.severity == Severity::Pass);
        let mark = self.painted(mark, style);
        self.line(&format!("{mark}{}", finding.text.in_lang(self.lang)));
        if let Some(todo) = &finding.todo {
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
        let lang = self.lang;
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
        // All is sent, and the engine still unpacks: say so, or it looks dead.
        let waiting = if done >= total && total > 0 {
            text::unpacking().in_lang(lang).to_owned()
        } else {
            String::new()
        };
        bar.set_message(waiting);
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
            let line = service.line(self.lang);
            let (mark, rest) = line.split_at(MARK_LEN);
            let mark = self.painted(mark, style);
            self.line(&format!("      {mark}{rest}"));
        }
        self.last_health = services.to_vec();
    }

    fn clear_bar(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
