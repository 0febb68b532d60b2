//! `[[value]]`: what follows from answers. Its meaning is in `bundle_spec::value`.

use bundle_spec::placeholder;
use bundle_spec::question::{Question, QuestionId};
use bundle_spec::suggest::nearest;
use bundle_spec::validate;
use bundle_spec::value::Value;

use super::condition::{Earlier, when};
use super::document::Table;

/// All values. Gives the ids as well, those of values with problems included.
pub fn all(
    root: &Table<'_>,
    questions: &[Option<Question>],
    ids: &[QuestionId],
) -> (Vec<Option<Value>>, Vec<QuestionId>) {
    let (mut values, mut known): (Vec<Option<Value>>, Vec<QuestionId>) = (Vec::new(), Vec::new());
    for table in root.tables("value") {
        let value = one(&table, (questions, ids), &known, &values, root.has("tls"));
        known.extend(value.as_ref().map(|value| value.id.clone()));
        values.push(value);
    }
    (values, known)
}

fn one(
    table: &Table<'_>,
    (questions, ids): (&[Option<Question>], &[QuestionId]),
    known: &[QuestionId],
    earlier: &[Option<Value>],
    has_tls: bool,
) -> Option<Value> {
    let id = table.required("id", QuestionId::parse);
    let env = table.text("env");
    let title = table.localized("title");
    let named = |id: &str| ids.iter().chain(known).any(|known| known.as_str() == id).then(String::new);
    let value = table.required("value", |text| {
        validate::text(text)?;
        placeholder::expand(text, named).map(|_| text.to_owned()).map_err(|missing| {
            let missing = missing.escape_debug().to_string();
            match nearest(&missing, ids.iter().chain(known).map(QuestionId::as_str)) {
                Some(near) => format!("`{text}` names `{missing}`, which is neither a question nor a value before it: did you mean `{near}`?"),
                None => format!("`{text}` names `{missing}`, which is neither a question nor a value before it"),
            }
        })
    });
    let when = when(table, &Earlier { questions, ids, later: &[], has_tls });
    table.report_unknown();
    let value = Value { id: id?, env, title, value: value?, when };
    if ids.contains(&value.id) {
        table.problem_of("id", format!("a question has the id `{}` already", value.id));
        return None;
    }
    // What refers to a question with problems is not checked further.
    let questions: Option<Vec<Question>> = questions.iter().cloned().collect();
    let earlier: Option<Vec<Value>> = earlier.iter().cloned().collect();
    if let (Some(questions), Some(earlier)) = (questions, earlier) {
        if let Err(problem) = validate::value(&value, &questions, &earlier, has_tls) {
            table.problem(problem);
            return None;
        }
        shadowed(table, &value, &earlier);
        variable(table, &value, &questions, &earlier);
    }
    Some(value)
}

/// Values of one id are tried in turn: behind one without a condition none is ever reached.
fn shadowed(table: &Table<'_>, value: &Value, earlier: &[Value]) {
    if earlier.iter().any(|one| one.id == value.id && one.when.is_empty()) {
        let id = &value.id;
        table.problem_of("id", format!("an earlier value `{id}` has no `when`, so this one never counts: give that one a `when`, or move it behind"));
    }
}

fn variable(table: &Table<'_>, value: &Value, questions: &[Question], earlier: &[Value]) {
    let Some(env) = &value.env else { return };
    let of_question = questions.iter().any(|question| question.env.as_ref() == Some(env));
    if of_question || earlier.iter().any(|one| one.id != value.id && one.env.as_ref() == Some(env)) {
        table.problem_of("env", format!("the variable `{env}` is set twice"));
    }
}
