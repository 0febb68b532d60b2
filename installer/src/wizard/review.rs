//! The screen before anything is changed: every answer with a number, and what can be done about them.

use std::collections::HashSet;

use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};

use crate::install::Prepared;
use crate::report::Reporter;
use crate::text::{Message, answer as answer_text, wizard as text};

/// What a person wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Install.
    Install,
    /// Change the answer with this number, from 1.
    Change(usize),
    /// Back to the last question.
    Back,
    /// Look at the machine again.
    Again,
    /// Save the answers.
    Save,
    /// Leave.
    Quit,
    /// Enter alone, or something else: a line typed ahead must not install anything.
    Unclear,
}

/// Understands what was typed; nothing is the way back.
pub(super) fn command(typed: Option<&str>) -> Command {
    let Some(typed) = typed else { return Command::Back };
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" | "是" | "ｙ" => Command::Install,
        "r" | "ｒ" => Command::Again,
        "s" | "ｓ" => Command::Save,
        "q" | "quit" | "ｑ" => Command::Quit,
        number => bundle_spec::question::narrow(number).parse().map_or(Command::Unclear, Command::Change),
    }
}

/// One answer for people.
pub(super) fn row(question: &Question, prepared: &Prepared) -> Message {
    let prompt = Message::from(&question.prompt);
    let Some(answer) = prepared.resolved.answers.of(question.id.as_str()) else {
        return text::answer_not_set(&prompt);
    };
    let origin = prepared.resolved.origins.get(&question.id).map(|origin| origin.message());
    let origin = origin.unwrap_or_else(|| Message::verbatim(""));
    if answer.reveal().is_empty() {
        text::answer_not_set(&prompt)
    } else {
        let shown = match (question.kind, answer.shown()) {
            (QuestionKind::Bool, "true") => text::yes(),
            (QuestionKind::Bool, "false") => text::no(),
            (QuestionKind::Choice, shown) => chosen(question, shown),
            (_, shown) => Message::verbatim(shown),
        };
        text::answer_line(&prompt, &shown, &origin)
    }
}

/// A choice as it was offered.
fn chosen(question: &Question, value: &str) -> Message {
    let title =
        question.choices.iter().find(|choice| choice.value == value).and_then(|choice| choice.title.as_ref());
    title.map_or_else(|| Message::verbatim(value), Message::from)
}

/// Shows what follows from the answers and goes into the project.
pub(super) fn derived(content: &Content, prepared: &Prepared, reporter: &Reporter) {
    let mut shown = HashSet::new();
    for value in content.values.iter().filter(|value| value.env.is_some() && shown.insert(&value.id)) {
        if let Some(answer) = prepared.resolved.answers.of(value.id.as_str()) {
            let name = value.env.as_deref().unwrap_or_default();
            let title = value.title.as_ref().map_or_else(|| Message::verbatim(name), Message::from);
            let shown = Message::verbatim(answer.shown());
            let line = text::answer_line(&title, &shown, &answer_text::origin_derived());
            reporter.line(&Message { en: format!("      {}", line.en), zh: format!("      {}", line.zh) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_installs() {
        for typed in ["y", "Y", " yes ", "是", "ｙ"] {
            assert_eq!(command(Some(typed)), Command::Install, "{typed}");
        }
        for typed in ["", " ", "ye", "n", "install", "y y", "\u{1b}"] {
            assert_eq!(command(Some(typed)), Command::Unclear, "{typed}");
        }
        assert_eq!(command(Some("3")), Command::Change(3));
        assert_eq!(command(Some("１２")), Command::Change(12));
        assert_eq!(command(None), Command::Back);
        assert_eq!(command(Some("Q")), Command::Quit);
    }
}
