//! Project files that are templates: read, and held against the questions. Their syntax is in `bundle_spec::template`.

use std::fs;

use bundle_spec::condition::Clause;
use bundle_spec::path::ProjectPath;
use bundle_spec::placeholder;
use bundle_spec::project::Tls;
use bundle_spec::question::{AnswerProblem, Question, QuestionId, builtin};
use bundle_spec::template::{Template, UseKind, is_plain};
use bundle_spec::value::Value;

use crate::definition::answered::Scope;
use crate::files::PlannedFile;
use crate::finding::Finding;

const HINT: &str = "correct the template; docs/definition.md says what may stand in one";

/// Reads every template, marks the questions whose answers go into one as they are, and gives everything that is wrong.
pub fn check(
    files: &[PlannedFile],
    compose_file: &ProjectPath,
    questions: &mut [Question],
    values: &[Value],
    tls: Option<&Tls>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut plain: Vec<(QuestionId, String)> = Vec::new();
    let names = questions.iter().map(|question| &question.id).chain(values.iter().map(|value| &value.id));
    let ids: Vec<String> = names.map(ToString::to_string).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let all: Vec<Option<Question>> = questions.iter().cloned().map(Some).collect();
    let depends_on_tls = |clause: &Clause| clause.question.as_str() == builtin::TLS;
    let mut heeds_tls = values.iter().any(|value| value.when.0.iter().any(depends_on_tls));
    let scope = Scope { questions: &all, ids: &ids, has_tls: tls.is_some() };
    for file in files.iter().filter(|file| file.template) {
        let mut wrong = |message: String| found.push(Finding::error("template", message, HINT));
        if file.path == *compose_file {
            wrong(format!("{} cannot be a template: Compose itself fills in ${{VARIABLE}}", file.path));
            continue;
        }
        let text = match fs::read_to_string(&file.source) {
            Ok(text) => text,
            Err(error) => {
                wrong(format!("{} cannot be read as text: {error}", file.path));
                continue;
            }
        };
        let template = match Template::parse(&text) {
            Ok(template) => template,
            Err(errors) => {
                errors
                    .iter()
                    .for_each(|error| wrong(format!("{}:{}: {}", file.path, error.line, error.what)));
                continue;
            }
        };
        for found in template.uses() {
            let problem = match &found.kind {
                UseKind::Condition(condition) => scope.check(condition).err(),
                UseKind::Plain(id) | UseKind::Json(id) => scope.question(id.as_str()).err(),
            };
            heeds_tls |=
                matches!(&found.kind, UseKind::Condition(condition) if condition.id.as_str() == builtin::TLS);
            match (problem, &found.kind) {
                (Some(problem), _) => wrong(format!("{}:{}: {problem}", file.path, found.line)),
                (None, UseKind::Plain(id)) => {
                    plain.push(((*id).clone(), format!("{}:{}", file.path, found.line)))
                }
                (None, _) => {}
            }
        }
    }
    if tls.is_some() && !heeds_tls {
        let message = "no template and no [[value]] asks for `tls`, so the certificate would change nothing";
        let hint = "write `@if tls != off` into the template of the server's configuration";
        found.push(Finding::warning("tls-unused", message.to_owned(), hint));
    }
    // What a value is made of goes into the file as well; values build on earlier ones.
    for value in values.iter().rev() {
        let Some(place) = plain.iter().find(|(id, _)| *id == value.id).map(|(_, place)| place.clone()) else {
            continue;
        };
        let text = placeholder::expand(&value.value, |id| {
            plain.extend(QuestionId::parse(id).map(|id| (id, place.clone())));
            Some(String::new())
        });
        if let Some(character) = text.unwrap_or_default().chars().find(|character| !is_plain(*character)) {
            let character = character.escape_debug();
            let message = format!("{place}: the value `{}` has the character {character}", value.id);
            found.push(Finding::error("template", message, "write @{id:json} where a quoted text may stand"));
        }
    }
    found.extend(mark(questions, &plain));
    found
}

/// Marks the questions whose answers go into a file as they are; a default must be able to as well.
fn mark(questions: &mut [Question], plain: &[(QuestionId, String)]) -> Vec<Finding> {
    let mut found = Vec::new();
    for question in questions {
        let Some((_, place)) = plain.iter().find(|(id, _)| *id == question.id) else { continue };
        question.plain = true;
        let default = question.default.as_deref().map(|default| question.parse(default));
        if let Some(Err(AnswerProblem::NotPlain(character))) = default {
            let message = format!(
                "{place}: the default of `{}` has the character {}, which could change the meaning of the file",
                question.id,
                character.escape_debug()
            );
            found.push(Finding::error("template", message, "write @{id:json} where a quoted text may stand"));
        }
    }
    found
}
