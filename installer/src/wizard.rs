//! Asks a person: the same questions and the same parser as unattended, with a terminal as the source of answers.

use std::io::IsTerminal;

use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};
use dialoguer::theme::ColorfulTheme;
use dialoguer::{Confirm, Input, Password, Select};

use crate::answers::{Origin, Sources, why_message};
use crate::install::Prepared;
use crate::outcome::{Code, Failure, Outcome};
use crate::report::Reporter;
use crate::text::{Message, summary, wizard as text};

/// Asks every question that no stronger source has answered.
///
/// # Errors
/// [`Code::Answers`] when the terminal goes away or the operator breaks off.
pub fn ask(content: &Content, mut sources: Sources, reporter: &Reporter) -> Outcome<Sources> {
    for question in &content.questions {
        let given = sources.raw(question);
        if matches!(given, Some((Origin::Set | Origin::Environment | Origin::File, _))) {
            continue;
        }
        let suggestion = given.map(|(_, value)| value.to_owned());
        if let Some(value) = ask_one(question, suggestion, reporter)? {
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
    let theme = ColorfulTheme::default();
    let broken = |error: dialoguer::Error| Failure::new(Code::Answers, text::broken_off()).because(&error);
    if question.is_secret() {
        return ask_secret(question, &prompt, suggestion.is_some(), reporter);
    }
    match question.kind {
        QuestionKind::Choice => {
            let chosen =
                question.choices.iter().position(|choice| Some(choice) == suggestion.as_ref()).unwrap_or(0);
            let select =
                Select::with_theme(&theme).with_prompt(prompt).items(&question.choices).default(chosen);
            let number = select.interact().map_err(broken)?;
            Ok(question.choices.get(number).cloned())
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
                Err(why) => Err(why_message(&why).in_lang(lang).to_owned()),
            };
            let mut input = Input::<String>::with_theme(&theme)
                .with_prompt(prompt)
                .allow_empty(!question.required)
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
    let theme = ColorfulTheme::default();
    let again = text::again().in_lang(lang).to_owned();
    let mismatch = text::mismatch().in_lang(lang).to_owned();
    loop {
        let mut input = Password::with_theme(&theme).with_prompt(prompt).allow_empty_password(may_be_empty);
        if question.kind == QuestionKind::Password {
            input = input.with_confirmation(again.clone(), mismatch.clone());
        }
        let value = input
            .interact()
            .map_err(|error| Failure::new(Code::Answers, text::broken_off()).because(&error))?;
        if value.is_empty() {
            return Ok(None);
        }
        match question.parse(&value) {
            Ok(_) => return Ok(Some(value)),
            Err(why) => reporter.line(&why_message(&why)),
        }
    }
}

/// Shows answers, images and plan; secrets are masked.
pub fn review(content: &Content, prepared: &Prepared, reporter: &Reporter) {
    reporter.line(&text::review());
    for question in &content.questions {
        if let Some(answer) = prepared.resolved.answers.of(question.id.as_str()) {
            let origin = prepared.resolved.origins.get(&question.id).map(|origin| origin.message());
            let origin = origin.unwrap_or_else(|| Message::verbatim(""));
            reporter.line(&text::answer_line(&Message::from(&question.prompt), answer.shown(), &origin));
        }
    }
    if !prepared.plan.load.images.is_empty() {
        reporter.line(&text::images_to_load());
        for image in &prepared.plan.load.images {
            reporter.line(&Message::verbatim(format!("  {}", content.images[*image].reference)));
        }
    }
    reporter.emit(&crate::event::Event::Plan { steps: prepared.plan.describe(content) });
}

/// Shows everything and asks whether to go on.
///
/// # Errors
/// [`Code::Answers`] when the operator says no.
pub fn confirm(content: &Content, prepared: &Prepared, reporter: &Reporter) -> Outcome<()> {
    review(content, prepared, reporter);
    let prompt = text::go_on().in_lang(reporter.lang()).to_owned();
    let theme = ColorfulTheme::default();
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
    let theme = ColorfulTheme::default();
    match Confirm::with_theme(&theme).with_prompt(prompt).default(false).interact() {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::calm(Code::Usage, text::nothing_changed())),
        Err(error) => Err(Failure::new(Code::Usage, text::broken_off()).because(&error)),
    }
}
