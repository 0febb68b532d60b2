//! Derived values: what the project needs and nobody has to be asked for, since it follows from answers.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::answer::{Answer, Answers};
use crate::condition::Condition;
use crate::placeholder;
use crate::project::Localized;
use crate::question::QuestionId;

/// One derived value. Several may have one id: the first whose condition holds counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Its name in placeholders; no question has the same.
    pub id: QuestionId,
    /// The variable of `.env` that gets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// What it is, for the review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Localized>,
    /// Text with `{question}` placeholders.
    pub value: String,
    /// When it counts.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub when: Condition,
}

/// Works all values out and records them, in their order. One that names what has no answer is left out.
pub fn derive(values: &[Value], answers: &mut Answers) {
    for value in values {
        if answers.of(value.id.as_str()).is_some() || !answers.fulfil(&value.when) {
            continue;
        }
        if let Ok(text) = answers.expand(&value.value) {
            let is_secret = names(&value.value, |id| answers.of(id).is_some_and(Answer::is_secret));
            answers.derive(value.id.clone(), Answer::new(text, is_secret));
        }
    }
}

/// The ids of everything that has to be answered before `id` is known, and `id` itself; of values, all that their texts and
/// conditions name.
#[must_use]
pub fn sources<'a>(id: &'a QuestionId, values: &'a [Value]) -> HashSet<&'a str> {
    let mut sources = HashSet::from([id.as_str()]);
    // Each names only values before it.
    for value in values.iter().rev() {
        if sources.contains(value.id.as_str()) {
            sources.extend(placeholder::ids(&value.value));
            sources.extend(value.when.0.iter().map(|clause| clause.question.as_str()));
        }
    }
    sources
}

/// Whether `text` has a placeholder with such an id.
pub fn names(text: &str, is_such: impl Fn(&str) -> bool) -> bool {
    let mut found = false;
    // The text itself does not matter here.
    let _ = crate::placeholder::expand(text, |id| {
        found |= is_such(id);
        Some(String::new())
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::condition::Clause;

    fn id(text: &str) -> QuestionId {
        QuestionId::parse(text).unwrap()
    }

    fn value(name: &str, text: &str, when: &[(&str, &str)]) -> Value {
        let clause = |(question, any): &(&str, &str)| Clause {
            question: id(question),
            any: vec![(*any).to_owned()],
            none: vec![],
        };
        let when = Condition(when.iter().map(clause).collect());
        Value { id: id(name), env: None, title: None, value: text.to_owned(), when }
    }

    fn answers(given: &[(&str, &str, bool)]) -> Answers {
        let mut answers = Answers::default();
        for (name, text, is_secret) in given {
            answers.insert(id(name), Answer::new((*text).to_owned(), *is_secret));
        }
        answers
    }

    #[test]
    fn the_first_that_holds_counts_and_values_build_on_values() {
        let values = [
            value("page", "http://{host}", &[("port", "80")]),
            value("page", "http://{host}:{port}", &[]),
            value("api", "{page}/api", &[]),
        ];
        for (port, expected) in [("80", "http://h/api"), ("8080", "http://h:8080/api")] {
            let mut answers = answers(&[("host", "h", false), ("port", port, false)]);
            derive(&values, &mut answers);
            assert_eq!(answers.of("api").unwrap().reveal(), expected);
            assert_eq!(answers.iter().count(), 2, "values are not answers of anybody");
        }
    }

    #[test]
    fn what_names_a_question_that_was_not_asked_is_left_out() {
        let mut answers = answers(&[]);
        derive(&[value("page", "https://{host}", &[])], &mut answers);
        assert!(answers.of("page").is_none());
    }

    #[test]
    fn a_value_made_from_a_secret_is_secret() {
        let mut answers = answers(&[("pw", "s3cret", true), ("host", "h", false)]);
        let values = [value("db", "pg://u:{pw}@{host}/x", &[]), value("all", "{db}?y", &[])];
        derive(&values, &mut answers);
        assert!(answers.of("db").unwrap().is_secret());
        assert!(!format!("{answers:?}").contains("s3cret"));
        assert_eq!(answers.of("all").unwrap().shown(), "******");
    }
}
