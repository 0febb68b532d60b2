//! `[[question]]`: what the operator is asked. Its meaning is in `bundle_spec::question`.

use std::collections::HashSet;

use bundle_spec::question::{
    Choice, Generate, GenerateFormat, Presence, Question, QuestionId, QuestionKind, Suggest,
};
use bundle_spec::suggest::nearest;
use bundle_spec::validate;

use super::condition::{Earlier, when};
use super::document::Table;

const KINDS: [(&str, QuestionKind); 10] = [
    ("bool", QuestionKind::Bool),
    ("choice", QuestionKind::Choice),
    ("host", QuestionKind::Host),
    ("integer", QuestionKind::Integer),
    ("password", QuestionKind::Password),
    ("path", QuestionKind::Path),
    ("port", QuestionKind::Port),
    ("secret", QuestionKind::Secret),
    ("text", QuestionKind::Text),
    ("url", QuestionKind::Url),
];

const FORMATS: [(&str, GenerateFormat); 3] = [
    ("alphanumeric", GenerateFormat::Alphanumeric),
    ("base64", GenerateFormat::Base64),
    ("hex", GenerateFormat::Hex),
];

const PRESENCES: [(&str, Presence); 3] =
    [("allow", Presence::Allow), ("forbid", Presence::Forbid), ("require", Presence::Require)];

const SUGGESTIONS: [(&str, Suggest); 1] = [("addresses", Suggest::Addresses)];

/// All questions; ids and variables are unique. Gives the ids as well, those of questions with problems included: who
/// refers to them is not mistaken.
pub fn all(root: &Table<'_>) -> (Vec<Option<Question>>, Vec<QuestionId>) {
    let tables = root.tables("question");
    let named: Vec<_> = tables.iter().map(|table| table.required("id", QuestionId::parse)).collect();
    let known: Vec<QuestionId> = named.iter().flatten().cloned().collect();
    let has_tls = root.has("tls");
    let (mut ids, mut variables) = (HashSet::new(), HashSet::new());
    let (mut questions, mut before) = (Vec::new(), 0);
    for (table, id) in tables.iter().zip(named) {
        let is_named = id.is_some();
        let (ids_before, later) = known.split_at(before);
        let question = one(table, id, &Earlier { questions: &questions, ids: ids_before, later, has_tls });
        before += usize::from(is_named);
        if let Some(question) = &question {
            if !ids.insert(question.id.clone()) {
                table.problem_of("id", format!("the question `{}` is there twice", question.id));
            }
            if let Some(env) = question.env.as_ref().filter(|env| !variables.insert((*env).clone())) {
                table.problem_of("env", format!("two questions set the variable `{env}`"));
            }
        }
        questions.push(question);
    }
    (questions, known)
}

fn one(table: &Table<'_>, id: Option<QuestionId>, earlier: &Earlier<'_>) -> Option<Question> {
    let kind = table.required("kind", |text| named(text, &KINDS));
    let prompt = table.required_localized("prompt");
    let env = table.text("env");
    let help = table.localized("help");
    // A default may be written as what it is: 8000, true or "text".
    let default = table.scalar("default");
    let required = table.boolean("required").unwrap_or(true);
    let secret = table.boolean("secret").unwrap_or(false);
    let (pattern, pattern_hint) = (table.text("pattern"), table.localized("pattern_hint"));
    let (min, max) = (table.integer("min", i64::MIN..=i64::MAX), table.integer("max", i64::MIN..=i64::MAX));
    let (min_length, max_length) = (length(table, "min_length"), length(table, "max_length"));
    let presence = |key| table.optional(key, |text| named(text, &PRESENCES)).unwrap_or_default();
    let (port, path) = (presence("port"), presence("path"));
    let choices = choices(table);
    let generate = match table.table("generate") {
        Some(table) => Some(generate(&table)?),
        None => None,
    };
    let suggest = table.optional("suggest", |text| named(text, &SUGGESTIONS));
    let when = when(table, earlier);
    table.report_unknown();
    let question = Question {
        env,
        help,
        default,
        required,
        secret,
        pattern,
        pattern_hint,
        min,
        max,
        min_length,
        max_length,
        port,
        path,
        choices,
        generate,
        suggest,
        when,
        ..Question::new(id?, kind?, prompt?)
    };
    let generated = |generate: Generate| question.parse(&generate.sample()).err();
    match (validate::question(&question), question.generate.and_then(generated)) {
        (Ok(()), None) => Some(question),
        (Err(problem), _) => {
            table.problem(problem);
            None
        }
        (Ok(()), Some(problem)) => {
            table.problem_of("generate", format!("question `{}`: what is generated {problem}", question.id));
            None
        }
    }
}

fn length(table: &Table<'_>, key: &'static str) -> Option<u32> {
    table.integer(key, 1..=10_000).and_then(|length| u32::try_from(length).ok())
}

/// `["a", "b"]`, or `[{ value = "a", title = { zh = "…", en = "…" } }]`.
fn choices(table: &Table<'_>) -> Vec<Choice> {
    if !table.has_tables("choices") {
        return table.texts("choices").iter().map(|value| Choice::from(value.as_str())).collect();
    }
    let choice = |table: &Table<'_>| {
        let value = table.required("value", |text| validate::text(text).map(|()| text.to_owned()));
        let title = table.localized("title");
        table.report_unknown();
        Some(Choice { value: value?, title })
    };
    table.tables("choices").iter().filter_map(choice).collect()
}

fn generate(table: &Table<'_>) -> Option<Generate> {
    let format = table.required("format", |text| named(text, &FORMATS));
    let bytes = table.integer("bytes", 8..=256).unwrap_or(32);
    table.report_unknown();
    Some(Generate { format: format?, bytes: u16::try_from(bytes).unwrap_or(32) })
}

fn named<T: Copy>(text: &str, names: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = names.iter().find(|(name, _)| *name == text) {
        return Ok(*value);
    }
    let all = names.iter().map(|(name, _)| *name);
    Err(match nearest(text, all.clone()) {
        Some(near) => format!("`{text}` is unknown: did you mean `{near}`?"),
        None => format!("`{text}` is unknown: known are {}", all.collect::<Vec<_>>().join(", ")),
    })
}
