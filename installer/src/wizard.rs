//! Asks a person: the same questions and the same parser as unattended, with a terminal as the source of answers. What was
//! answered is kept until the person leaves: whatever is refused, however late, is asked again by itself.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use bundle_spec::index::Content;
use bundle_spec::question::builtin::{self, TLS_CERTIFICATE, TLS_KEY};
use bundle_spec::question::{Question, Suggest};
use dialoguer::Confirm;

use crate::answers::{self, Origin, Problem, Sources};
use crate::bundle::BundleFile;
use crate::facts::Facts;
use crate::install::Prepared;
use crate::outcome::{Code, Failure, Outcome};
use crate::preflight::{self, Finding, Severity};
use crate::report::{Reporter, Tone};
use crate::text::{Lang, Message, bytes, summary, tls, wizard as text};

mod console;
mod flow;
mod keys;
mod line;
mod question;
mod review;
mod save;
mod theme;

use console::{Console, Terminal};
use flow::Flow;
use question::{Asking, Known, Reply};
use review::{Command, derived, row};

/// Lets a person choose the language; the one of the environment stands first.
///
/// # Errors
/// [`Code::Answers`] when the terminal goes away or the operator breaks off.
pub fn choose_language(reporter: &Reporter) -> Outcome<()> {
    let mut languages = [(Lang::En, "English"), (Lang::Zh, "中文")];
    if reporter.lang() == Lang::Zh {
        languages.reverse();
    }
    reporter.text("Language / 语言 (Up/Down, Enter; 按上下键选择，回车确认)");
    let items = languages.map(|(_, name)| name.to_owned());
    let picked = Terminal::new(reporter).pick(&items, 0)?.unwrap_or(0);
    reporter.speak(languages[picked].0);
    Ok(())
}

/// Says what this file is.
pub fn introduce(bundle: &BundleFile, reporter: &Reporter) {
    let content = &bundle.bundle.index.content;
    if let Some(vendor) = &content.app.vendor {
        reporter.line(&text::vendor(vendor));
    }
    let name = bundle.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let size = bytes(bundle.bundle.trailer.total_len);
    reporter.line(&text::file(&name, &size, content.images.len()));
}

/// Describes a plan to people.
pub type Describe<'a> = &'a dyn Fn(&Prepared) -> Vec<Message>;
/// Looks at the host.
pub type Look<'a> = &'a dyn Fn() -> Facts;

/// Everything that a conversation is about.
#[expect(missing_debug_implementations, reason = "functions have nothing to show")]
pub struct Matter<'a> {
    /// The bundle's content.
    pub content: &'a Content,
    /// What is answered already, from elsewhere.
    pub sources: Sources,
    /// What the host is like.
    pub facts: Facts,
    /// Checks answers against the host.
    pub prepare: &'a dyn Fn(&Sources, &Facts) -> Outcome<Prepared>,
    /// The plan for people.
    pub plan: Describe<'a>,
    /// Looks at the host again.
    pub look: Look<'a>,
    /// Addresses under which others may reach this machine, the most likely first.
    pub addresses: Vec<String>,
    /// The application is there already.
    pub is_installed: bool,
    /// Nothing will be changed (`--dry-run`), so there is nothing to say yes to.
    pub is_rehearsal: bool,
}

/// Asks what is open, shows everything, and comes back when the operator has said yes to it.
///
/// # Errors
/// [`Code::Answers`] when the operator leaves, or the terminal goes away.
pub fn converse(matter: Matter<'_>, reporter: &Reporter) -> Outcome<Prepared> {
    let mut console = Terminal::new(reporter);
    let mut talk = Talk { matter, asked: BTreeMap::new(), flow: Flow::default(), reporter };
    talk.skip_what_is_known();
    talk.open();
    talk.run(&mut console)
}

struct Talk<'a> {
    matter: Matter<'a>,
    /// What was typed, by question. It is kept apart: who takes a default as it stands has typed nothing.
    asked: BTreeMap<String, Option<String>>,
    flow: Flow,
    reporter: &'a Reporter,
}

impl Talk<'_> {
    fn questions(&self) -> &[Question] {
        &self.matter.content.questions
    }

    /// Everything that is answered so far.
    fn known(&self) -> Sources {
        let mut sources = self.matter.sources.clone();
        for (id, value) in &self.asked {
            match value {
                Some(value) => sources.add(Origin::Asked, [(id.clone(), value.clone())]),
                None => sources.clear(Origin::Asked, id),
            }
        }
        sources
    }

    /// The questions that a person is asked as things stand, by position: not those that other answers rule out.
    fn open_ones(&self) -> Vec<usize> {
        let known = self.known();
        let asked = answers::asked(self.questions(), &known);
        let is_asked = |number: &usize| asked.iter().any(|one| one.id == self.questions()[*number].id);
        (0..self.questions().len()).filter(|number| is_asked(number) && !self.is_given(*number)).collect()
    }

    fn is_open(&self, question: usize) -> bool {
        self.open_ones().contains(&question)
    }

    /// The command line, the environment or a file has answered this one for good.
    fn is_given(&self, question: usize) -> bool {
        let given = self.matter.sources.raw(&self.questions()[question]);
        matches!(given, Some((Origin::Set | Origin::Environment | Origin::File, _)))
    }

    /// What an earlier run was told nobody is asked again; the review shows it all.
    fn skip_what_is_known(&mut self) {
        let open = self.open_ones();
        let is_known = |question: &usize| {
            let question = &self.questions()[*question];
            let earlier = matches!(self.matter.sources.raw(question), Some((Origin::Earlier, _)));
            earlier && self.matter.sources.raw(question).is_some_and(|(_, raw)| question.parse(raw).is_ok())
        };
        let known: Vec<usize> = open.into_iter().filter(is_known).collect();
        known.into_iter().for_each(|question| self.flow.visit(question));
    }

    fn open(&self) {
        let open = self.open_ones();
        match self.flow.next(self.questions().len(), |question| open.contains(&question)) {
            Some(_) => {
                let left = open.iter().filter(|question| !self.flow.has(**question)).count();
                // Esc means nothing where lines come whole.
                let opening =
                    if console::is_plain() { text::opening_plain(left) } else { text::opening(left) };
                self.reporter.toned(&opening, Tone::Plain);
            }
            None => self.reporter.line(&text::keys()),
        }
    }

    fn run(&mut self, console: &mut dyn Console) -> Outcome<Prepared> {
        loop {
            self.ask_all(console)?;
            let prepared = (self.matter.prepare)(&self.known(), &self.matter.facts)?;
            if self.matter.is_rehearsal && refusals(&prepared).is_empty() {
                return Ok(prepared);
            }
            if let Some(prepared) = self.review(prepared, console)? {
                return Ok(prepared);
            }
        }
    }

    fn ask_all(&mut self, console: &mut dyn Console) -> Outcome<()> {
        while let Some(question) = self.next() {
            if self.ask(question, console)? {
                self.flow.visit(question);
            } else if !self.go_back() {
                self.reporter.line(&text::no_question_before());
            }
        }
        Ok(())
    }

    fn next(&self) -> Option<usize> {
        let open = self.open_ones();
        self.flow.next(self.questions().len(), |question| open.contains(&question))
    }

    fn go_back(&mut self) -> bool {
        let open = self.open_ones();
        self.flow.back(|question| open.contains(&question))
    }

    /// Asks one question; `false` when the one before is wanted.
    fn ask(&mut self, number: usize, console: &mut dyn Console) -> Outcome<bool> {
        let question = self.matter.content.questions[number].clone();
        let open = self.open_ones();
        let position = open.iter().position(|open| *open == number).map_or(1, |position| position + 1);
        self.reporter
            .toned(&text::question(position, open.len(), &Message::from(&question.prompt)), Tone::Strong);
        if let Some(help) = &question.help {
            self.reporter.indented(&Message::from(help));
        }
        let known = self.known();
        let raw = known.raw(&question);
        let known = Known {
            value: raw.map(|(_, value)| value.to_owned()),
            is_typed: matches!(raw, Some((Origin::Asked, _))),
            is_default: matches!(raw, Some((Origin::Default, _))),
            may_generate: question.generate.is_some()
                && self.matter.sources.raw(&question).is_none_or(|(_, raw)| raw.is_empty()),
        };
        let against = |value: &str| self.against(&question, value);
        let suggestions: &[String] =
            if question.suggest == Some(Suggest::Addresses) { &self.matter.addresses } else { &[] };
        let reporter = self.reporter;
        let asking = Asking { question: &question, known, against: &against, suggestions, reporter };
        let reply = asking.ask(console)?;
        let id = question.id.as_str().to_owned();
        match reply {
            Reply::Back => return Ok(false),
            Reply::Left => drop(self.asked.remove(&id)),
            Reply::Cleared => drop(self.asked.insert(id, None)),
            // What was accepted as it stood is still the default's, or the earlier run's.
            Reply::Given(value)
                if self.matter.sources.raw(&question).is_some_and(|(_, raw)| raw == value) =>
            {
                drop(self.asked.remove(&id));
            }
            Reply::Given(value) => drop(self.asked.insert(id, Some(value))),
        }
        Ok(true)
    }

    /// What the host, or an earlier answer, has against a value.
    fn against(&self, question: &Question, value: &str) -> Option<Message> {
        let mut sources = self.known();
        let id = question.id.as_str();
        // What was accepted as it stood is still the earlier run's.
        if sources.raw(question).is_none_or(|(_, raw)| raw != value) {
            sources.add(Origin::Asked, [(id.to_owned(), value.to_owned())]);
        }
        if [TLS_CERTIFICATE, TLS_KEY].contains(&id) {
            return self.against_certificate(&sources, id == TLS_KEY);
        }
        let values = &self.matter.content.values;
        let (resolved, _) = answers::resolve(self.questions(), values, &sources, &mut |_| String::new());
        let answers = resolved.answers;
        let is_settled = |id: &str| {
            let other = self.questions().iter().position(|other| other.id.as_str() == id);
            other.is_some_and(|other| self.is_given(other) || self.flow.has(other))
        };
        let content = self.matter.content;
        preflight::against_port(&self.matter.facts, content, &answers, id, is_settled)
    }

    /// What is wrong with the file that was just named. With the key, all of what only the two together can show.
    fn against_certificate(&self, sources: &Sources, is_key: bool) -> Option<Message> {
        let prepared = (self.matter.prepare)(sources, &self.matter.facts).ok()?;
        let wrong = prepared.problems.iter().filter(|problem| match problem {
            Problem::Certificate { fault, .. } => fault.concerns_key() == is_key,
            _ => false,
        });
        tls::together(&wrong.map(Problem::message).collect::<Vec<_>>())
    }

    /// Shows everything, and does what is wanted; `None` where something is to be asked again.
    fn review(&mut self, prepared: Prepared, console: &mut dyn Console) -> Outcome<Option<Prepared>> {
        let lines = (self.matter.plan)(&prepared);
        self.reporter.emit(&crate::event::Event::Plan { steps: lines });
        self.reporter.toned(&text::review(), Tone::Strong);
        let rows = self.rows(&prepared);
        for (position, question) in rows.iter().enumerate() {
            self.reporter.line(&text::numbered(position + 1, &row(&self.questions()[*question], &prepared)));
        }
        derived(self.matter.content, &prepared, self.reporter);
        for note in &prepared.resolved.notes {
            self.reporter.line(&text::noted(&note.message()));
        }
        for warning in self.new_warnings(&prepared)? {
            self.reporter.emit(&crate::event::Event::Finding(warning));
        }
        let refusals = refusals(&prepared);
        for refusal in &refusals {
            self.reporter.toned(&text::refused(refusal), Tone::Bad);
        }
        let may_install = refusals.is_empty();
        loop {
            let commands = match (may_install, self.matter.is_installed) {
                (true, false) => text::commands(rows.len()),
                (true, true) => text::commands_again(rows.len()),
                (false, _) => text::commands_refused(),
            };
            self.reporter.toned(&commands, Tone::Plain);
            let typed = console.line(&[])?;
            match review::command(typed.as_deref()) {
                Command::Install if may_install => return Ok(Some(prepared)),
                Command::Install => self.reporter.toned(&text::refused(&text::not_yet()), Tone::Bad),
                Command::Change(number) if (1..=rows.len()).contains(&number) => {
                    let question = rows[number - 1];
                    if self.is_open(question) {
                        // Back from a single answer is back to where it was chosen; and from here it leads to the last
                        // question as before, not to the one that was changed.
                        self.ask(question, console)?;
                        if !self.flow.has(question) {
                            self.flow.visit(question);
                        }
                        return Ok(None);
                    }
                    self.reporter.line(&text::given_elsewhere());
                }
                Command::Change(_) => self.reporter.line(&text::number_wanted(rows.len())),
                Command::Back => {
                    if self.go_back() {
                        return Ok(None);
                    }
                    self.reporter.line(&text::no_question_before());
                }
                Command::Again => {
                    self.matter.facts = (self.matter.look)();
                    return Ok(None);
                }
                Command::Save => save::save(self.matter.content, &prepared, console, self.reporter)?,
                Command::Quit => return Err(Failure::calm(Code::Answers, text::nothing_changed())),
                Command::Unclear if may_install => self.reporter.line(&text::command_wanted(rows.len())),
                Command::Unclear => self.reporter.line(&text::command_wanted_refused(rows.len())),
            }
        }
    }

    /// Warnings that follow from what was answered: they were not there before the questions.
    fn new_warnings(&self, prepared: &Prepared) -> Outcome<Vec<Finding>> {
        let before = (self.matter.prepare)(&self.matter.sources, &self.matter.facts)?.findings;
        let is_new = |finding: &&Finding| {
            finding.severity == Severity::Warn
                && !finding.refuses
                && !before.iter().any(|told| told.id == finding.id && told.text == finding.text)
        };
        Ok(prepared.findings.iter().filter(is_new).cloned().collect())
    }

    /// The questions that have an answer, or lack one.
    fn rows(&self, prepared: &Prepared) -> Vec<usize> {
        let answers = &prepared.resolved.answers;
        let has_row = |question: &usize| {
            self.is_open(*question) || answers.of(self.questions()[*question].id.as_str()).is_some()
        };
        (0..self.questions().len()).filter(has_row).collect()
    }
}

/// What forbids the installation, short of what was shown before any question.
fn refusals(prepared: &Prepared) -> Vec<Message> {
    let failed = prepared.findings.iter().filter(|finding| finding.refuses);
    let findings = failed.map(|finding| match &finding.todo {
        Some(todo) => Message {
            en: format!("{} {}", finding.text.en, todo.en),
            zh: format!("{}{}", finding.text.zh, todo.zh),
        },
        None => finding.text.clone(),
    });
    prepared.problems.iter().map(Problem::message).chain(findings).collect()
}

/// Shows answers, images and plan; secrets are masked.
pub fn review(content: &Content, prepared: &Prepared, plan: &[Message], reporter: &Reporter) {
    reporter.line(&text::review());
    for question in &content.questions {
        // What the installer itself would do only on request, and nobody requested, is no news.
        let is_quiet = builtin::ALL.contains(&question.id.as_str())
            && prepared.resolved.origins.get(&question.id) == Some(&Origin::Default);
        if !is_quiet && prepared.resolved.answers.of(question.id.as_str()).is_some() {
            let row = row(question, prepared);
            reporter.line(&Message { en: format!("  {}", row.en), zh: format!("  {}", row.zh) });
        }
    }
    derived(content, prepared, reporter);
    if !prepared.plan.load.images.is_empty() {
        reporter.line(&text::images_to_load());
        for image in &prepared.plan.load.images {
            reporter.line(&Message::verbatim(format!("  {}", content.images[*image].reference)));
        }
    }
    reporter.emit(&crate::event::Event::Plan { steps: plan.to_vec() });
}

/// Asks whether the application shall go; where nobody can be asked, the command is word enough.
///
/// # Errors
/// [`Code::Usage`] when the operator says no.
pub fn confirm_removal(app: &str, reporter: &Reporter) -> Outcome<()> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(
            Failure::new(Code::Usage, summary::no_terminal_for_name()).todo(summary::confirm_by_yes())
        );
    }
    // Apart: a prompt of more than one row would be cut anywhere.
    reporter.line(&summary::what_is_removed(app));
    let prompt = summary::go_on().in_lang(reporter.lang()).to_owned();
    let theme = theme::Look::new(reporter.lang());
    match Confirm::with_theme(&theme).with_prompt(prompt).default(false).interact() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::calm(Code::Usage, text::nothing_changed())),
        Err(error) => Err(Failure::new(Code::Usage, text::broken_off()).because(&error)),
    }
}

#[cfg(test)]
mod tests;
