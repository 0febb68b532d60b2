//! Asks one question until the answer holds, and says at once why one does not.

use bundle_spec::question::{AnswerProblem, Choice, Question, QuestionKind};

use super::console::Console;
use crate::answers::veil::MASK;
use crate::answers::why_message;
use crate::outcome::Outcome;
use crate::report::{Reporter, Tone};
use crate::text::{Message, answer as answer_text, wizard as text};

/// What came of a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// This value.
    Given(String),
    /// Nothing: the earlier value, a generated one, or none.
    Left,
    /// No answer, even where there was one.
    Cleared,
    /// The question before is wanted.
    Back,
}

/// What is known about an answer before it is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// What Enter alone takes; of secrets nothing is said but that there is one.
    pub(super) value: Option<String>,
    /// It was typed a moment ago.
    pub(super) is_typed: bool,
    /// It is what the vendor brought.
    pub(super) is_default: bool,
    /// Without what was typed, one is generated.
    pub(super) may_generate: bool,
}

/// One question on the screen.
pub(super) struct Asking<'a> {
    pub(super) question: &'a Question,
    pub(super) known: Known,
    /// Says what else speaks against a value that the question itself takes: a port that is in use.
    pub(super) against: &'a dyn Fn(&str) -> Option<Message>,
    /// What the machine itself suggests.
    pub(super) suggestions: &'a [String],
    pub(super) reporter: &'a Reporter,
}

impl Asking<'_> {
    /// Asks until there is an answer, or the way back is wanted.
    pub(super) fn ask(&self, console: &mut dyn Console) -> Outcome<Reply> {
        let mut refused: Option<String> = None;
        loop {
            let reply = if self.question.is_secret() {
                self.secret(console)?
            } else if self.question.kind == QuestionKind::Choice {
                self.choice(console)?
            } else if !self.suggestions.is_empty() && refused.is_none() {
                self.suggested(console)?
            } else {
                self.line(console, refused.as_ref())?
            };
            let Reply::Given(value) = reply else { return Ok(reply) };
            match self.refusal(&value) {
                None => return Ok(Reply::Given(value)),
                Some(why) => {
                    self.reporter.toned(&text::refused(&why), Tone::Bad);
                    refused = Some(value);
                }
            }
        }
    }

    fn refusal(&self, value: &str) -> Option<Message> {
        match self.question.parse(value) {
            Ok(answer) => (self.against)(answer.reveal()),
            Err(AnswerProblem::Empty) => Some(text::is_required()),
            Err(AnswerProblem::NotBool) => Some(answer_text::yes_or_no_wanted()),
            Err(why) => Some(why_message(&why)),
        }
    }

    fn say(&self, message: &Message) {
        self.reporter.toned(message, Tone::Dim);
    }

    /// A value as it may be shown: an address can have a password in it.
    pub(super) fn shown(&self, value: &str) -> String {
        if self.question.hides(value) { MASK.to_owned() } else { value.to_owned() }
    }

    fn line(&self, console: &mut dyn Console, refused: Option<&String>) -> Outcome<Reply> {
        let default = self.known.value.as_deref().filter(|value| !value.is_empty());
        let is_bool = self.question.kind == QuestionKind::Bool;
        match default {
            Some("true") if is_bool => self.say(&text::enter_takes_yes()),
            Some(_) if is_bool => self.say(&text::enter_takes_no()),
            None if is_bool => self.say(&text::yes_or_no()),
            Some(default) if self.question.required => self.say(&text::enter_takes(&self.shown(default))),
            Some(default) => self.say(&text::enter_takes_dash_empties(&self.shown(default))),
            None if !self.question.required => self.say(&text::enter_leaves_empty()),
            None => {}
        }
        // What is masked is not brought back to the line either.
        let recalled = default.filter(|default| self.shown(default) == **default);
        let recall: Vec<String> = recalled.map(str::to_owned).into_iter().chain(refused.cloned()).collect();
        let Some(typed) = console.line(&recall)? else { return Ok(Reply::Back) };
        Ok(match (typed.trim(), default) {
            ("", Some(default)) => Reply::Given(default.to_owned()),
            ("", None) if !self.question.required => Reply::Left,
            ("-" | "－", Some(_)) if !self.question.required && !is_bool => Reply::Cleared,
            _ => Reply::Given(typed),
        })
    }

    /// One of what the machine suggests, what was answered before, or something else that is typed.
    fn suggested(&self, console: &mut dyn Console) -> Outcome<Reply> {
        let lang = self.reporter.lang();
        let mut values = self.suggestions.to_vec();
        if let Some(known) =
            self.known.value.as_ref().filter(|known| !known.is_empty() && !values.contains(known))
        {
            values.insert(0, known.clone());
        }
        let current = values.iter().position(|value| Some(value) == self.known.value.as_ref());
        let others = [text::something_else(), text::back_item()];
        let others = others.iter().map(|item| item.in_lang(lang).to_owned());
        let items: Vec<String> = values.iter().cloned().chain(others).collect();
        match console.pick(&items, current.unwrap_or(0))? {
            Some(number) if number < values.len() => {
                self.reporter.text(&format!("> {}", values[number]));
                Ok(Reply::Given(values.swap_remove(number)))
            }
            Some(number) if number == values.len() => self.line(console, None),
            _ => Ok(Reply::Back),
        }
    }

    fn choice(&self, console: &mut dyn Console) -> Outcome<Reply> {
        let choices = &self.question.choices;
        let current = choices.iter().position(|choice| Some(&choice.value) == self.known.value.as_ref());
        let lang = self.reporter.lang();
        let title = |choice: &Choice| match &choice.title {
            Some(title) => Message::from(title).in_lang(lang).to_owned(),
            None => choice.value.clone(),
        };
        let mut items: Vec<String> = choices.iter().map(title).collect();
        let empty = (!self.question.required).then(|| text::leave_empty().in_lang(lang).to_owned());
        items.extend(empty.clone());
        items.push(text::back_item().in_lang(lang).to_owned());
        let picked = console.pick(&items, current.unwrap_or(0))?;
        if let Some(empty) = empty.filter(|_| picked == Some(choices.len())) {
            self.reporter.text(&format!("> {empty}"));
            return Ok(if self.known.value.is_some() { Reply::Cleared } else { Reply::Left });
        }
        let Some(choice) = picked.and_then(|number| choices.get(number)) else { return Ok(Reply::Back) };
        self.reporter.text(&format!("> {}", title(choice)));
        Ok(Reply::Given(choice.value.clone()))
    }

    /// A secret is typed unseen; Enter alone takes what there is without typing. No list: whoever pastes a secret into one would
    /// lose it, and the line end that comes along would choose something else.
    fn secret(&self, console: &mut dyn Console) -> Outcome<Reply> {
        let known = &self.known;
        let on_enter = match (&known.value, self.question.generate) {
            (Some(_), _) if known.is_typed => Some(text::enter_keeps_typed()),
            (Some(_), _) if known.is_default => Some(text::enter_keeps_default()),
            (Some(_), _) => Some(text::enter_keeps_earlier()),
            (None, Some(_)) => Some(text::enter_generates()),
            (None, None) if !self.question.required => Some(text::enter_leaves_empty()),
            (None, None) => None,
        };
        if let Some(on_enter) = &on_enter {
            self.say(on_enter);
        }
        // A secret of an earlier run can be taken back; an empty line would not say that.
        let may_clear = known.value.is_some() && !self.question.required;
        if may_clear {
            self.say(&text::dash_empties());
        }
        if known.is_typed && known.may_generate {
            self.say(&text::dash_generates());
        }
        self.say(&text::is_hidden());
        let lang = self.reporter.lang();
        loop {
            let Some(value) = console.hidden("")? else { return Ok(Reply::Back) };
            if value.is_empty() && on_enter.is_some() {
                return Ok(known.value.clone().map_or(Reply::Left, Reply::Given));
            }
            let is_dash = matches!(value.trim(), "-" | "－");
            // One character is no key: whoever types it where one can be made wants that.
            if is_dash && self.question.generate.is_some() {
                return Ok(Reply::Left);
            }
            if is_dash && may_clear {
                return Ok(Reply::Cleared);
            }
            // What cannot be taken need not be typed twice.
            if self.question.kind != QuestionKind::Password || self.refusal(&value).is_some() {
                return Ok(Reply::Given(value));
            }
            match console.hidden(text::again().in_lang(lang))? {
                Some(again) if again == value => return Ok(Reply::Given(value)),
                // Back from the repetition is back to the same password.
                None => continue,
                Some(_) => {}
            }
            self.reporter.toned(&text::refused(&text::mismatch()), Tone::Bad);
        }
    }
}
