//! Asks a person: the same questions and the same parser as unattended, with a terminal as the source of answers.

use std::collections::HashSet;
use std::io::IsTerminal;

use bundle_spec::index::Content;
use bundle_spec::question::{AnswerProblem, Choice, Question, QuestionKind};
use dialoguer::{Confirm, Input, Password, Select};

use crate::answers::{Origin, Sources, asked, why_message};
use crate::install::Prepared;
use crate::outcome::{Code, Failure, Outcome};
use crate::report::Reporter;
use crate::text::{Lang, Message, answer as answer_text, summary, wizard as text};

mod theme;

use theme::Look;

/// Asks every question that no stronger source has answered.
///
/// # Errors
/// [`Code::Answers`] when the terminal goes away or the operator breaks off.
pub fn ask(content: &Content, mut sources: Sources, reporter: &Reporter) -> Outcome<Sources> {
    let given = sources.clone();
    let is_open = |question: &Question| {
        !matches!(given.raw(question), Some((Origin::Set | Origin::Environment | Origin::File, _)))
    };
    reporter.line(&text::opening(
        asked(&content.questions, &sources).into_iter().filter(|one| is_open(one)).count(),
    ));
    let mut done = 0;
    // Each answer may change which questions come behind it.
    while let Some(question) = asked(&content.questions, &sources).get(done) {
        done += 1;
        if !is_open(question) {
            continue;
        }
        let suggestion = sources.raw(question).map(|(_, value)| value.to_owned());
        // What was accepted as it stood is still the default's, or the earlier run's.
        let given = ask_one(question, suggestion.clone(), reporter)?
            .filter(|value| Some(value) != suggestion.as_ref());
        if let Some(value) = given {
            sources.add(Origin::Asked, [(question.id.as_str().to_owned(), value)]);
        }
    }
    Ok(sources)
}

/// One question; `None` leaves it to the weaker sources (an earlier run's secret, a generated one).
fn ask_one(question: &Question, suggestion: Option<String>, reporter: &Reporter) -> Outcome<Option<String>> {
    let lang = reporter.lang();
    if let Some(help) = &question.help {
        reporter.line(&Message::from(help));
    }
    let prompt = Message::from(&question.prompt).in_lang(lang).to_owned();
    let theme = Look::new(reporter.lang());
    let broken = |error: dialoguer::Error| Failure::new(Code::Answers, text::broken_off()).because(&error);
    if question.is_secret() {
        return ask_secret(question, &prompt, suggestion.is_some(), reporter);
    }
    match question.kind {
        QuestionKind::Choice => {
            let choices = &question.choices;
            let is_suggested = |choice: &Choice| Some(&choice.value) == suggestion.as_ref();
            let chosen = choices.iter().position(is_suggested).unwrap_or(0);
            let titles = choices.iter().map(|choice| {
                choice
                    .title
                    .as_ref()
                    .map_or(choice.value.clone(), |title| Message::from(title).in_lang(lang).to_owned())
            });
            let select = Select::with_theme(&theme).with_prompt(prompt).items(titles).default(chosen);
            let number = select.interact().map_err(broken)?;
            Ok(choices.get(number).map(|choice| choice.value.clone()))
        }
        QuestionKind::Bool => {
            let default = suggestion.as_deref() == Some("true");
            let confirmed = Confirm::with_theme(&theme)
                .with_prompt(prompt)
                .default(default)
                .interact()
                .map_err(broken)?;
            Ok(Some(confirmed.to_string()))
        }
        _ => {
            let validate = |value: &String| match question.parse(value) {
                Ok(_) => Ok(()),
                Err(AnswerProblem::Empty) => Err(text::is_required().in_lang(lang).to_owned()),
                Err(why) => Err(why_message(&why).in_lang(lang).to_owned()),
            };
            let mut input = Input::<String>::with_theme(&theme)
                .with_prompt(prompt)
                // Else an empty answer would be passed over in silence.
                .allow_empty(true)
                .validate_with(validate);
            if let Some(suggestion) = suggestion.filter(|value| !value.is_empty()) {
                input = input.default(suggestion);
            }
            input.interact_text().map(Some).map_err(broken)
        }
    }
}

fn ask_secret(
    question: &Question,
    prompt: &str,
    has_earlier: bool,
    reporter: &Reporter,
) -> Outcome<Option<String>> {
    let lang = reporter.lang();
    let may_be_empty = has_earlier || question.generate.is_some() || !question.required;
    let hint = match (has_earlier, question.generate.is_some()) {
        (true, _) => Some(text::empty_keeps()),
        (false, true) => Some(text::empty_generates()),
        (false, false) => None,
    };
    if let Some(hint) = hint {
        reporter.line(&hint);
    }
    loop {
        let value = hidden(prompt, lang)?;
        if value.is_empty() && may_be_empty {
            reporter.line(&text::secret_left_empty(prompt, has_earlier, question.generate.is_some()));
            return Ok(None);
        }
        match question.parse(&value) {
            Err(AnswerProblem::Empty) => reporter.line(&text::is_required()),
            Err(why) => reporter.line(&why_message(&why)),
            Ok(_)
                if question.kind == QuestionKind::Password
                    && hidden(text::again().in_lang(lang), lang)? != value =>
            {
                reporter.line(&text::mismatch());
            }
            Ok(_) => {
                reporter.line(&text::secret_given(prompt));
                return Ok(Some(value));
            }
        }
    }
}

/// Something typed unseen; the line is taken back, since what comes of it is said by the caller.
fn hidden(prompt: &str, lang: Lang) -> Outcome<String> {
    let theme = Look::new(lang);
    let input = Password::with_theme(&theme).with_prompt(prompt).allow_empty_password(true).report(false);
    input.interact().map_err(|error| Failure::new(Code::Answers, text::broken_off()).because(&error))
}

/// Shows answers, images and plan; secrets are masked.
pub fn review(content: &Content, prepared: &Prepared, plan: &[Message], reporter: &Reporter) {
    reporter.line(&text::review());
    for question in &content.questions {
        if let Some(answer) = prepared.resolved.answers.of(question.id.as_str()) {
            let origin = prepared.resolved.origins.get(&question.id).map(|origin| origin.message());
            let origin = origin.unwrap_or_else(|| Message::verbatim(""));
            let prompt = Message::from(&question.prompt);
            reporter.line(&if answer.reveal().is_empty() {
                text::answer_not_set(&prompt)
            } else {
                text::answer_line(&prompt, answer.shown(), &origin)
            });
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

/// Shows what follows from the answers and goes into the project.
fn derived(content: &Content, prepared: &Prepared, reporter: &Reporter) {
    let mut shown = HashSet::new();
    for value in content.values.iter().filter(|value| value.env.is_some() && shown.insert(&value.id)) {
        if let Some(answer) = prepared.resolved.answers.of(value.id.as_str()) {
            let name = value.env.as_deref().unwrap_or_default();
            let title = value.title.as_ref().map_or_else(|| Message::verbatim(name), Message::from);
            reporter.line(&text::answer_line(&title, answer.shown(), &answer_text::origin_derived()));
        }
    }
}

/// Shows everything and asks whether to go on.
///
/// # Errors
/// [`Code::Answers`] when the operator says no.
pub fn confirm(content: &Content, prepared: &Prepared, plan: &[Message], reporter: &Reporter) -> Outcome<()> {
    review(content, prepared, plan, reporter);
    let prompt = text::go_on().in_lang(reporter.lang()).to_owned();
    let theme = Look::new(reporter.lang());
    match Confirm::with_theme(&theme).with_prompt(prompt).default(true).interact() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::calm(Code::Answers, text::nothing_changed())),
        Err(error) => Err(Failure::new(Code::Answers, text::broken_off()).because(&error)),
    }
}

/// Asks whether the application shall go; where nobody can be asked, the command is word enough.
///
/// # Errors
/// [`Code::Usage`] when the operator says no.
pub fn confirm_removal(app: &str, reporter: &Reporter) -> Outcome<()> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(());
    }
    let prompt = summary::go_on_removing(app).in_lang(reporter.lang()).to_owned();
    let theme = Look::new(reporter.lang());
    match Confirm::with_theme(&theme).with_prompt(prompt).default(false).interact() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::calm(Code::Usage, text::nothing_changed())),
        Err(error) => Err(Failure::new(Code::Usage, text::broken_off()).because(&error)),
    }
}
