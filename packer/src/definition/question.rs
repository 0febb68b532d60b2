//! `[[question]]`: what the operator is asked. Its meaning is in `bundle_spec::question`.

use std::collections::HashSet;

use bundle_spec::question::{Generate, GenerateFormat, Question, QuestionId, QuestionKind};
use bundle_spec::suggest::nearest;
use bundle_spec::validate;

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

/// All questions; ids and variables are unique. Gives the ids as well, those of questions with problems included: who
/// refers to them is not mistaken.
pub fn all(root: &Table<'_>) -> (Vec<Option<Question>>, Vec<QuestionId>) {
    let (mut ids, mut variables) = (HashSet::new(), HashSet::new());
    let (mut questions, mut known) = (Vec::new(), Vec::new());
    for table in root.tables("question") {
        let id = table.required("id", QuestionId::parse);
        known.extend(id.clone());
        let question = one(&table, id);
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

fn one(table: &Table<'_>, id: Option<QuestionId>) -> Option<Question> {
    let kind = table.required("kind", |text| named(text, &KINDS));
    let prompt = table.required_localized("prompt");
    let env = table.text("env");
    let help = table.localized("help");
    // A default may be written as what it is: 8000, true or "text".
    let default = table.scalar("default");
    let required = table.boolean("required").unwrap_or(true);
    let secret = table.boolean("secret").unwrap_or(false);
    let pattern = table.text("pattern");
    let (min, max) = (table.integer("min", i64::MIN..=i64::MAX), table.integer("max", i64::MIN..=i64::MAX));
    let choices = table.texts("choices");
    let generate = match table.table("generate") {
        Some(table) => Some(generate(&table)?),
        None => None,
    };
    table.report_unknown();
    let (id, kind, prompt) = (id?, kind?, prompt?);
    let question = Question {
        id,
        env,
        kind,
        prompt,
        help,
        default,
        required,
        secret,
        pattern,
        min,
        max,
        choices,
        generate,
        // Whether a template has it is found out when the files are known.
        plain: false,
    };
    match validate::question(&question) {
        Ok(()) => Some(question),
        Err(problem) => {
            table.problem(problem);
            None
        }
    }
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
