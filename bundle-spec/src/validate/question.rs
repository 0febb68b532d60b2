//! Whether questions and derived values are acceptable: by themselves, and in what they say about each other.

use std::collections::HashMap;

use super::{is_env_name, localized, text};
use crate::condition::{Clause, Condition};
use crate::index::Content;
use crate::limits::QUESTIONS_MAX;
use crate::placeholder;
use crate::question::{Presence, Question, QuestionId, QuestionKind, Suggest, builtin};
use crate::value::{Value, names};

/// Names that mean something else where answers are given: in an answers file, or behind `AIRLIFT_` in the environment.
pub const RESERVED_IDS: [&str; 6] =
    ["accept_warnings", "bundle", "key_password", "strict", "stub_dir", "tmpdir"];

/// Checks all questions and values.
///
/// # Errors
/// The first thing that is not acceptable, in words.
pub fn questions(content: &Content) -> Result<(), String> {
    super::unique(content.questions.iter().map(|question| question.id.as_str()), "question")?;
    super::unique(
        content.questions.iter().filter_map(|question| question.env.as_deref()),
        "environment variable",
    )?;
    let has_tls = content.tls.is_some();
    for (position, one) in content.questions.iter().enumerate() {
        question(one)?;
        condition(&one.when, &content.questions[..position], has_tls)
            .map_err(|problem| format!("question `{}`: {problem}", one.id))?;
    }
    let mut variables: HashMap<&str, &QuestionId> = HashMap::new();
    let asked = content.questions.iter().filter_map(|one| Some((one.env.as_deref()?, &one.id)));
    variables.extend(asked);
    for (position, one) in content.values.iter().enumerate() {
        value(one, &content.questions, &content.values[..position], has_tls)?;
        if let Some(env) = &one.env
            && *variables.entry(env).or_insert(&one.id) != &one.id
        {
            return Err(format!("environment variable `{env}` is there twice"));
        }
    }
    growth(&content.values)
}

/// Values build on values, and must not double each other until no memory is left.
fn growth(values: &[Value]) -> Result<(), String> {
    let mut answers: HashMap<&str, usize> = HashMap::new();
    for value in values {
        let mut count = 1_usize;
        // The text itself does not matter here; that it can be expanded has been seen.
        let _ = placeholder::expand(&value.value, |id| {
            count = count.saturating_add(answers.get(id).copied().unwrap_or(1));
            Some(String::new())
        });
        if count > QUESTIONS_MAX {
            return Err(format!("value `{}` is made of too many answers", value.id));
        }
        let most = answers.entry(value.id.as_str()).or_default();
        *most = count.max(*most);
    }
    Ok(())
}

/// Checks one question by itself.
///
/// # Errors
/// What is not acceptable, in words.
pub fn question(question: &Question) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("question `{}`: {what}", question.id));
    localized(&question.prompt)?;
    [&question.help, &question.pattern_hint].into_iter().flatten().try_for_each(localized)?;
    [&question.default, &question.pattern].into_iter().flatten().try_for_each(|item| text(item))?;
    for choice in &question.choices {
        text(&choice.value)?;
        choice.title.iter().try_for_each(localized)?;
    }
    if builtin::ALL.contains(&question.id.as_str()) {
        return wrong("Airlift has a question of its own with this id");
    }
    if RESERVED_IDS.contains(&question.id.as_str()) {
        return wrong("this id is reserved");
    }
    if question.env.as_deref().is_some_and(|env| !is_env_name(env)) {
        return wrong("env is not a variable name");
    }
    if question.kind == QuestionKind::Choice && question.choices.is_empty() {
        return wrong("a choice needs choices");
    }
    if question.pattern.as_deref().is_some_and(|pattern| crate::question::pattern(pattern).is_err()) {
        return wrong("pattern is not a regular expression");
    }
    if let Some(problem) = bounds(question) {
        return wrong(problem);
    }
    if question.generate.is_some_and(|generate| !(8..=256).contains(&generate.bytes)) {
        return wrong("generate takes 8 to 256 bytes");
    }
    match question.default.as_deref().map(|default| question.parse(default)) {
        Some(Err(problem)) => wrong(&format!("the default {problem}")),
        _ => Ok(()),
    }
}

/// Rules that contradict each other, or do not fit the kind.
fn bounds(question: &Question) -> Option<&'static str> {
    let is_text = matches!(question.kind, QuestionKind::Text | QuestionKind::Secret | QuestionKind::Password);
    let has_length = question.min_length.is_some() || question.max_length.is_some();
    let has_url_rule = [question.port, question.path] != [Presence::Allow; 2];
    if matches!((question.min, question.max), (Some(min), Some(max)) if min > max) {
        Some("min is greater than max")
    } else if matches!((question.min_length, question.max_length), (Some(min), Some(max)) if min > max) {
        Some("min_length is greater than max_length")
    } else if has_length && !is_text {
        Some("min_length and max_length are for text, secret and password")
    } else if has_url_rule && question.kind != QuestionKind::Url {
        Some("port and path are for url")
    } else if question.suggest == Some(Suggest::Addresses) && question.kind != QuestionKind::Host {
        Some("suggest = \"addresses\" is for host")
    } else {
        None
    }
}

/// Checks one value: its placeholders name questions or earlier values, and its id no question. `has_tls` says whether there
/// is our own question about certificates, which conditions may ask for.
///
/// # Errors
/// What is not acceptable, in words.
pub fn value(value: &Value, questions: &[Question], earlier: &[Value], has_tls: bool) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("value `{}`: {what}", value.id));
    value.title.iter().try_for_each(localized)?;
    text(&value.value)?;
    if RESERVED_IDS.contains(&value.id.as_str()) || builtin::ALL.contains(&value.id.as_str()) {
        return wrong("this id is reserved");
    }
    if questions.iter().any(|question| question.id == value.id) {
        return wrong("a question has this id");
    }
    if value.env.as_deref().is_some_and(|env| !is_env_name(env)) {
        return wrong("env is not a variable name");
    }
    if earlier.iter().any(|one| one.id == value.id && one.env != value.env) {
        return wrong("values of one id set one variable");
    }
    condition(&value.when, questions, has_tls)
        .map_err(|problem| format!("value `{}`: {problem}", value.id))?;
    let known = |id: &str| {
        let is_question = questions.iter().any(|question| question.id.as_str() == id);
        let is_value = || earlier.iter().any(|one| one.id != value.id && one.id.as_str() == id);
        (is_question || is_value()).then(String::new)
    };
    placeholder::expand(&value.value, known).map(|_| ()).or_else(|id| {
        wrong(&format!(
            "`{}` names `{}`, which is neither a question nor a value before it",
            value.value,
            id.escape_debug()
        ))
    })
}

/// Checks a condition against the questions whose answers it may ask for: those that come before, and, with `has_tls`, our
/// own about certificates.
///
/// # Errors
/// What is not acceptable, in words.
pub fn condition(condition: &Condition, earlier: &[Question], has_tls: bool) -> Result<(), String> {
    let own = has_tls.then(builtin::tls);
    condition.0.iter().try_for_each(|clause| {
        let id = &clause.question;
        let Some(question) = earlier.iter().chain(&own).find(|question| question.id == *id) else {
            return Err(format!("`when` names `{id}`, which is no question before it"));
        };
        if question.is_secret() {
            return Err(format!("`when` names `{id}`, whose answer is secret"));
        }
        values(clause, question)
    })
}

/// The values of a clause are answers in the form that the question gives them, so that they can be compared.
fn values(clause: &Clause, question: &Question) -> Result<(), String> {
    let id = &clause.question;
    if clause.any.is_empty() && clause.none.is_empty() {
        return Err(format!("`when` says nothing about `{id}`"));
    }
    clause.any.iter().chain(&clause.none).try_for_each(|value| {
        text(value)?;
        match question.parse(value) {
            Ok(answer) if answer.reveal() == value => Ok(()),
            Ok(answer) => Err(format!("`when` compares `{id}` to `{value}`: write `{}`", answer.reveal())),
            Err(problem) => {
                Err(format!("`when` compares `{id}` to `{value}`, which it never is: it {problem}"))
            }
        }
    })
}

/// Whether a value has a secret in it, by way of others as well.
pub(super) fn is_secret(content: &Content, value: &Value) -> bool {
    // Each names only values before it, so this ends.
    let mut secret: Vec<&str> =
        content.questions.iter().filter(|one| one.is_secret()).map(|one| one.id.as_str()).collect();
    for one in &content.values {
        if names(&one.value, |id| secret.contains(&id)) {
            secret.push(one.id.as_str());
        }
    }
    secret.contains(&value.id.as_str())
}
