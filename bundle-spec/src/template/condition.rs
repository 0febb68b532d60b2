//! Conditions of `@if`: `id`, `id == value`, `id != value`.

use crate::question::QuestionId;

/// What must hold of one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// Whose answer.
    pub id: QuestionId,
    /// What it must be, or must not be.
    pub test: Test,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// Neither empty nor `false`.
    Given,
    /// This value.
    Is(String),
    /// Any other value.
    IsNot(String),
}

impl Condition {
    /// Reads a condition. A value may stand in double quotes.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let id = |text: &str| QuestionId::parse(text.trim()).map_err(|error| error.to_string());
        let value = |text: &str| {
            let text = text.trim();
            text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text).to_owned()
        };
        if let Some((left, right)) = text.split_once("!=") {
            Ok(Self { id: id(left)?, test: Test::IsNot(value(right)) })
        } else if let Some((left, right)) = text.split_once("==") {
            Ok(Self { id: id(left)?, test: Test::Is(value(right)) })
        } else {
            Ok(Self { id: id(text)?, test: Test::Given })
        }
    }

    /// Whether it holds of an answer. One that was not asked for is empty.
    #[must_use]
    pub fn holds(&self, answer: &str) -> bool {
        match &self.test {
            Test::Given => !answer.is_empty() && answer != "false",
            Test::Is(value) => answer == value,
            Test::IsNot(value) => answer != value,
        }
    }

    /// The value that it compares with.
    #[must_use]
    pub fn value(&self) -> Option<&str> {
        match &self.test {
            Test::Given => None,
            Test::Is(value) | Test::IsNot(value) => Some(value),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.test {
            Test::Given => write!(f, "{}", self.id),
            Test::Is(value) => write!(f, "{} == {value}", self.id),
            Test::IsNot(value) => write!(f, "{} != {value}", self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Condition;

    #[test]
    fn conditions_are_read_and_hold() {
        for (text, answer, expected) in [
            ("tls", "own", true),
            ("tls", "", false),
            ("tls", "false", false),
            ("tls == own", "own", true),
            ("tls==own", "off", false),
            ("tls != \"off\"", "own", true),
            ("tls != off", "off", false),
            ("name == a b", "a b", true),
            ("name == ", "", true),
        ] {
            assert_eq!(Condition::parse(text).unwrap().holds(answer), expected, "{text} of {answer}");
        }
        for wrong in ["", "== x", "Tls", "a b", "tls = own"] {
            assert!(Condition::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_condition_reads_back_as_it_was_written() {
        for text in ["tls", "tls == own", "tls != off"] {
            assert_eq!(Condition::parse(text).unwrap().to_string(), text);
        }
    }
}
