//! `answers --schema`: a JSON Schema (draft 2020-12) of the answers file, for editors. Pure.

use bundle_spec::condition::{Clause, Condition};
use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};
use serde_json::{Map, Value, json};

use super::document::must_be_given;
use crate::text::{Lang, Message, document as text};

/// Renders the schema, with titles and descriptions in one language.
pub fn render(content: &Content, lang: Lang) -> String {
    let properties: Map<String, Value> = content
        .questions
        .iter()
        .map(|question| (question.id.to_string(), property(question, lang)))
        .collect();
    let always = |question: &&Question| must_be_given(question) && question.when.is_empty();
    let required: Vec<_> =
        content.questions.iter().filter(always).map(|question| question.id.as_str()).collect();
    let sometimes =
        content.questions.iter().filter(|question| must_be_given(question) && !question.when.is_empty());
    let conditional: Vec<_> = sometimes
        .map(|question| json!({ "if": condition(&question.when, content), "then": { "required": [question.id] } }))
        .collect();
    let mut properties = properties;
    properties
        .insert("accept_warnings".to_owned(), json!({ "type": "array", "items": { "type": "string" } }));
    properties.insert("strict".to_owned(), json!({ "type": "boolean" }));
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("{} {}", Message::from(&content.app.title).in_lang(lang), content.app.version),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "$defs": { "reference": reference() },
    });
    if !conditional.is_empty() {
        schema["allOf"] = Value::Array(conditional);
    }
    serde_json::to_string_pretty(&schema).unwrap_or_default()
}

fn reference() -> Value {
    let only = |key: &str, value: Value| json!({ "type": "object", "properties": { key: value }, "required": [key], "additionalProperties": false });
    json!({ "oneOf": [
        only("env", json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })),
        only("file", json!({ "type": "string", "minLength": 1 })),
        only("empty", json!({ "const": true })),
    ] })
}

fn property(question: &Question, lang: Lang) -> Value {
    let say = |message: Message| message.in_lang(lang).to_owned();
    let mut about: Vec<String> = question.help.iter().map(|help| say(Message::from(help))).collect();
    about.extend(question.pattern_hint.iter().map(|hint| say(Message::from(hint))));
    if question.generate.is_some() {
        about.push(say(text::generated()));
    }
    let titled = question.choices.iter().filter_map(|choice| Some((choice, choice.title.as_ref()?)));
    about
        .extend(titled.map(|(choice, title)| {
            say(text::choice(&choice.value, &Message::from(title))).trim().to_owned()
        }));
    let mut property = json!({ "title": say(Message::from(&question.prompt)), "anyOf": [value(question), { "$ref": "#/$defs/reference" }] });
    if !about.is_empty() {
        property["description"] = Value::String(about.join("\n"));
    }
    if let Some(default) = question.default.as_deref().filter(|_| !question.is_secret()) {
        property["default"] = typed(question, default);
    }
    property
}

/// What the value itself may be. An optional answer may be empty, and so may a secret: it then counts as not given.
fn value(question: &Question) -> Value {
    let mut schema = match question.kind {
        QuestionKind::Bool => json!({ "type": "boolean" }),
        QuestionKind::Choice => {
            let values: Vec<_> = question.choices.iter().map(|choice| choice.value.as_str()).collect();
            json!({ "enum": values })
        }
        QuestionKind::Integer => bounded(question.min, question.max),
        QuestionKind::Port => bounded(Some(1), Some(65_535)),
        QuestionKind::Host | QuestionKind::Text | QuestionKind::Secret | QuestionKind::Password => {
            json!({ "type": "string" })
        }
        QuestionKind::Path => json!({ "type": "string", "pattern": "^\\s*/" }),
        QuestionKind::Url => json!({ "type": "string", "pattern": "^\\s*[Hh][Tt][Tt][Pp][Ss]?://\\S+\\s*$" }),
    };
    if matches!(question.kind, QuestionKind::Text | QuestionKind::Secret | QuestionKind::Password) {
        schema["minLength"] = json!(question.min_length.unwrap_or(u32::from(question.required)));
        if let Some(max) = question.max_length {
            schema["maxLength"] = json!(max);
        }
        if let Some(pattern) = &question.pattern {
            schema["pattern"] = json!(format!("^(?:{pattern})$"));
        }
    }
    if !question.required || question.empty_is_no_answer() {
        return json!({ "anyOf": [schema, { "const": "" }] });
    }
    schema
}

fn bounded(min: Option<i64>, max: Option<i64>) -> Value {
    let mut schema = json!({ "type": "integer" });
    if let Some(min) = min {
        schema["minimum"] = json!(min);
    }
    if let Some(max) = max {
        schema["maximum"] = json!(max);
    }
    schema
}

/// An answer as it stands in the file.
fn typed(question: &Question, text: &str) -> Value {
    match question.kind {
        QuestionKind::Bool => json!(text == "true"),
        QuestionKind::Integer | QuestionKind::Port => {
            text.parse::<i64>().map_or_else(|_| json!(text), |number| json!(number))
        }
        _ => json!(text),
    }
}

fn condition(when: &Condition, content: &Content) -> Value {
    json!({ "allOf": when.0.iter().map(|clause| holds(clause, content)).collect::<Vec<_>>() })
}

/// Whether a clause holds, as far as the file alone says: where it says nothing, the default counts.
fn holds(clause: &Clause, content: &Content) -> Value {
    let id = clause.question.as_str();
    let Some(question) = content.questions.iter().find(|question| question.id == clause.question) else {
        return json!(true);
    };
    let values = |list: &[String]| list.iter().map(|text| typed(question, text)).collect::<Vec<_>>();
    let wanted = if clause.none.is_empty() {
        json!({ "enum": values(&clause.any) })
    } else {
        json!({ "not": { "enum": values(&clause.none) } })
    };
    let by_default = question.default.as_deref().is_some_and(|default| clause.takes(default));
    let required = if by_default { json!([]) } else { json!([id]) };
    json!({ "properties": { id: wanted }, "required": required })
}
