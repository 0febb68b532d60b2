//! `when`: a condition on answers, as it is written in any section. `{ tls = "own" }`, several are all, a list is any of it,
//! `{ not = … }` none. Its meaning is in `bundle_spec::condition`.

use bundle_spec::condition::{Clause, Condition};
use bundle_spec::question::{Question, QuestionId, builtin};
use bundle_spec::suggest::nearest;

use super::document::Table;

/// The questions whose answers a condition may ask for.
#[derive(Clone, Copy, Debug)]
pub struct Earlier<'a> {
    /// Those that hold.
    pub questions: &'a [Option<Question>],
    /// The ids of all of them, those with problems included.
    pub ids: &'a [QuestionId],
    /// The ids of questions that come later.
    pub later: &'a [QuestionId],
    /// Whether there is a section `[tls]`, which brings a question of its own.
    pub has_tls: bool,
}

/// Reads `when`; what is wrong with it is reported. Without one, the condition always holds.
pub fn when(table: &Table<'_>, earlier: &Earlier<'_>) -> Condition {
    let Some(inner) = table.table("when") else { return Condition::default() };
    let names = inner.names();
    if names.is_empty() {
        inner.problem("`when` is empty: write for instance when = { tls = \"own\" }, or leave it away");
    }
    Condition(names.into_iter().filter_map(|name| clause(&inner, name, earlier)).collect())
}

fn clause<'d>(table: &Table<'d>, name: &'d str, earlier: &Earlier<'_>) -> Option<Clause> {
    let own = earlier.has_tls.then(builtin::tls);
    let own_id = own.iter().map(|question| &question.id);
    let Some(id) = earlier.ids.iter().chain(own_id).find(|id| id.as_str() == name) else {
        table.problem_of(name, unknown(name, earlier));
        return None;
    };
    let (mut any, mut none) = (Vec::new(), Vec::new());
    if table.is_table(name) {
        let inner = table.table(name)?;
        none = inner.scalars("not");
        if !inner.has("not") {
            inner.problem(format!("write {name} = {{ not = … }}"));
        }
        inner.report_unknown();
    } else {
        any = table.scalars(name);
    }
    let question = earlier.questions.iter().flatten().chain(&own).find(|question| question.id == *id);
    let question = question?;
    if question.is_secret() {
        table.problem_of(name, format!("`when` cannot depend on `{name}`, whose answer is secret"));
        return None;
    }
    let read = |values: Vec<String>| -> Vec<String> {
        values.into_iter().filter_map(|value| comparable(table, question, &value)).collect()
    };
    let (any, none) = (read(any), read(none));
    // With nothing left of it something was wrong, and has been said.
    (!any.is_empty() || !none.is_empty()).then(|| Clause { question: id.clone(), any, none })
}

/// A value in the form in which the answer comes: `yes` is `true`, `080` is `80`.
fn comparable(table: &Table<'_>, question: &Question, value: &str) -> Option<String> {
    match question.parse(value) {
        Ok(answer) => Some(answer.reveal().to_owned()),
        Err(problem) => {
            let id = &question.id;
            table.problem_of(
                id.as_str(),
                format!(
                    "`when` compares `{id}` to `{}`, which it never is: it {problem}",
                    value.escape_debug()
                ),
            );
            None
        }
    }
}

fn unknown(name: &str, earlier: &Earlier<'_>) -> String {
    if earlier.later.iter().any(|id| id.as_str() == name) {
        return format!(
            "`when` depends on `{name}`, which is asked later: move that question before this one"
        );
    }
    if name == builtin::TLS {
        return "`tls` is only asked where there is a section [tls]".to_owned();
    }
    let known = earlier.ids.iter().map(QuestionId::as_str);
    let name = name.escape_debug();
    match nearest(&name.to_string(), known) {
        Some(near) => format!("`when` depends on `{name}`, which is no question: did you mean `{near}`?"),
        None => format!("`when` depends on `{name}`, which is no question before this"),
    }
}
