//! Renders answers files: an empty one to fill in, and one that says what was answered. Pure.

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::condition::Condition;
use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};

use crate::text::{Lang, Message, answer, document as text};

/// In which languages the comments are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comments {
    /// In both, Chinese first.
    Both,
    /// In one.
    In(Lang),
}

/// What is written for secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// The name of an environment variable that has it.
    References,
    /// The secret itself.
    Values,
}

impl Comments {
    fn lines(self, message: &Message) -> Vec<String> {
        let line = |text: &str| if text.is_empty() { "#".to_owned() } else { format!("# {text}") };
        match self {
            Self::In(lang) => vec![line(message.in_lang(lang))],
            Self::Both if message.zh == message.en => vec![line(&message.zh)],
            Self::Both => vec![line(&message.zh), line(&message.en)],
        }
    }
}

/// An answers file to be filled in. Optional and generated answers are commented out; required ones without default stand
/// empty.
pub fn template(content: &Content, comments: Comments) -> String {
    let entry = |question: &Question| {
        let line = format!("{} = {}", question.id, blank(question));
        if must_be_given(question) && question.when.is_empty() { line } else { format!("# {line}") }
    };
    render(content, comments, entry)
}

/// An answers file that says what was answered. Secrets are references unless their values are asked for; what was generated
/// is left to be generated on the next machine, unless values are asked for.
pub fn save(content: &Content, answers: &Answers, comments: Comments, secrets: Secrets) -> String {
    let entry = |question: &Question| {
        let id = &question.id;
        let Some(answer) = answers.of(id.as_str()) else {
            return format!("# {id} = {}", blank(question));
        };
        match (answer.is_secret() || question.is_secret(), secrets) {
            (true, Secrets::References) if question.generate.is_some() => {
                format!("# {id} = {}", reference(question))
            }
            (true, Secrets::References) if answer.reveal().is_empty() => format!("{id} = \"\""),
            (true, Secrets::References) => format!("{id} = {}", reference(question)),
            (_, Secrets::Values) | (false, _) => format!("{id} = {}", value(question, answer)),
        }
    };
    render(content, comments, entry)
}

/// The variables that a file saved with [`Secrets::References`] expects to be set.
pub fn variables(content: &Content, answers: &Answers) -> Vec<String> {
    let is_needed = |question: &&Question| {
        let answer = answers.of(question.id.as_str());
        question.generate.is_none()
            && answer.is_some_and(|answer| {
                (answer.is_secret() || question.is_secret()) && !answer.reveal().is_empty()
            })
    };
    content.questions.iter().filter(is_needed).map(variable).collect()
}

fn variable(question: &Question) -> String {
    question.id.as_str().to_uppercase()
}

/// The variable that a saved file expects a secret in.
fn reference(question: &Question) -> String {
    format!("{{ env = \"{}\" }}", variable(question))
}

fn value(question: &Question, answer: &Answer) -> String {
    let text = answer.reveal();
    if is_bare(question) && !text.is_empty() { text.to_owned() } else { quoted(text) }
}

fn blank(question: &Question) -> String {
    match &question.default {
        Some(default) if is_bare(question) && !default.is_empty() => default.clone(),
        Some(default) => quoted(default),
        None => "\"\"".to_owned(),
    }
}

fn is_bare(question: &Question) -> bool {
    matches!(question.kind, QuestionKind::Bool | QuestionKind::Integer | QuestionKind::Port)
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Whether nothing else can give the answer.
pub(super) fn must_be_given(question: &Question) -> bool {
    question.required
        && question.default.is_none()
        && question.generate.is_none()
        && question.suggest.is_none()
}

fn render(content: &Content, comments: Comments, entry: impl Fn(&Question) -> String) -> String {
    let app = &content.app;
    let file = format!("{}-{}.run", app.name, app.version);
    let mut lines = vec![format!("# {} {}", app.name, app.version)];
    let mut say = |message: &Message| lines.extend(comments.lines(message));
    say(&Message::from(&app.title));
    say(&Message::verbatim(""));
    for message in [
        text::how_to_use(&file),
        text::how_to_fill_in(),
        text::how_to_give_secrets(),
        text::how_to_check(&file),
    ] {
        say(&message);
    }
    let (needed, others): (Vec<_>, Vec<_>) =
        content.questions.iter().partition(|question| must_be_given(question) && question.when.is_empty());
    for (title, group) in [(text::group_needed(), needed), (text::group_others(), others)] {
        if group.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.extend(comments.lines(&title));
        for question in group {
            lines.push(String::new());
            lines.extend(about(question).iter().flat_map(|message| comments.lines(message)));
            lines.push(entry(question));
        }
    }
    lines.join("\n") + "\n"
}

/// The comments on one question: what is asked, what to consider, what is taken, and when.
fn about(question: &Question) -> Vec<Message> {
    let mut about = vec![Message::from(&question.prompt)];
    about.extend(question.help.as_ref().map(Message::from));
    let mut facts = vec![kind(question)];
    facts.extend(question.min_length.map(answer::too_short));
    facts.extend(question.max_length.map(answer::too_long));
    facts.extend(question.pattern_hint.as_ref().map(Message::from));
    if must_be_given(question) {
        facts.push(text::required());
    } else if question.generate.is_some() {
        facts.push(text::generated());
    } else if question.suggest.is_some() {
        facts.push(text::suggested());
    } else if let Some(default) = question.default.as_deref().filter(|default| !default.is_empty()) {
        facts.push(text::default(default));
    } else {
        facts.push(text::optional());
    }
    about.push(text::bracketed(&facts));
    for choice in question.choices.iter().filter(|choice| choice.title.is_some()) {
        about.extend(choice.title.as_ref().map(|title| text::choice(&choice.value, &Message::from(title))));
    }
    if !question.when.is_empty() {
        about.push(condition(&question.when));
    }
    about
}

fn kind(question: &Question) -> Message {
    let bound = |value: Option<i64>| value.map_or_else(|| "…".to_owned(), |number| number.to_string());
    match question.kind {
        QuestionKind::Bool => text::kind_bool(),
        QuestionKind::Choice => {
            let values: Vec<_> = question.choices.iter().map(|choice| choice.value.as_str()).collect();
            Message::verbatim(values.join(" | "))
        }
        QuestionKind::Host => text::kind_host(),
        QuestionKind::Integer => text::kind_integer(&bound(question.min), &bound(question.max)),
        QuestionKind::Path => text::kind_path(),
        QuestionKind::Port => text::kind_port(),
        QuestionKind::Url => text::kind_url(),
        QuestionKind::Password | QuestionKind::Secret => text::kind_secret(),
        QuestionKind::Text => text::kind_text(),
    }
}

fn condition(when: &Condition) -> Message {
    let clauses = when.0.iter().map(|clause| {
        let id = clause.question.as_str();
        if clause.none.is_empty() {
            text::is_one_of(id, &clause.any)
        } else {
            text::is_none_of(id, &clause.none)
        }
    });
    text::only_if(&clauses.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests;
