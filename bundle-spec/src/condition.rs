//! `when`: under which answers something counts. Questions, values and whatever else depends on answers share it.

use serde::{Deserialize, Serialize};

use crate::question::QuestionId;

/// All of its clauses must hold; without any it always holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Condition(pub Vec<Clause>);

/// What the answer to one question must be, or must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clause {
    /// The question.
    pub question: QuestionId,
    /// The answer is one of these. The empty text stands for an answer that was left empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub any: Vec<String>,
    /// The answer is none of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub none: Vec<String>,
}

impl Condition {
    /// Whether it holds. `answer` gives the answer to a question, and nothing for one that was not asked or not answered:
    /// no clause about such a question holds, not even that the answer is none of some.
    pub fn holds<'a>(&self, answer: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.0.iter().all(|clause| answer(clause.question.as_str()).is_some_and(|given| clause.takes(given)))
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Clause {
    /// Whether it holds for this answer.
    #[must_use]
    pub fn takes(&self, answer: &str) -> bool {
        let is_in = |list: &[String]| list.iter().any(|value| value == answer);
        (self.any.is_empty() || is_in(&self.any)) && !is_in(&self.none)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(id: &str, any: &[&str], none: &[&str]) -> Clause {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        Clause { question: QuestionId::parse(id).unwrap(), any: texts(any), none: texts(none) }
    }

    #[test]
    fn all_clauses_must_hold_and_any_of_the_values() {
        let given = |id: &str| match id {
            "tls" => Some("own"),
            "port" => Some("443"),
            "proxy" => Some(""),
            _ => None,
        };
        for (clauses, expected) in [
            (vec![], true),
            (vec![clause("tls", &["own"], &[])], true),
            (vec![clause("tls", &["self", "own"], &[])], true),
            (vec![clause("tls", &["self"], &[])], false),
            (vec![clause("tls", &["own"], &[]), clause("port", &["80"], &[])], false),
            (vec![clause("tls", &["own"], &[]), clause("port", &["443"], &[])], true),
            (vec![clause("tls", &[], &["off"])], true),
            (vec![clause("tls", &[], &["off", "own"])], false),
            (vec![clause("proxy", &[], &[""])], false),
            (vec![clause("proxy", &[""], &[])], true),
            // A question that was not asked fulfils nothing.
            (vec![clause("gone", &["x"], &[])], false),
            (vec![clause("gone", &[], &["x"])], false),
        ] {
            assert_eq!(Condition(clauses.clone()).holds(given), expected, "{clauses:?}");
        }
    }
}
