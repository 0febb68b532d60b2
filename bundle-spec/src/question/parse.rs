//! The one parser of answers.

use std::num::{IntErrorKind, ParseIntError};

use super::problem::AnswerProblem;
use super::{Question, QuestionKind, host, web};
use crate::answer::Answer;
use crate::template::is_plain;
use crate::text::is_hostile;

/// Longest answer, in characters. No variable of a process may have more than 128 KiB with its name (`MAX_ARG_STRLEN` of Linux), and a
/// character has four bytes at most.
const LONGEST: u32 = 32_000;

impl Question {
    /// Checks `raw` and gives it the form in which the project gets it. Surrounding white space and invisible characters
    /// (pasted zero-width spaces, byte order marks) are dropped, except in secrets, where only line ends are. Numbers and
    /// hosts typed full-width become half-width. What comes out is taken again, and comes out the same.
    ///
    /// # Errors
    /// What the answer lacks.
    pub fn parse(&self, raw: &str) -> Result<Answer, AnswerProblem> {
        let is_secret = self.is_secret();
        let value = if is_secret {
            raw.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            raw.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)).to_owned()
        };
        if value.chars().any(is_hostile) {
            return Err(AnswerProblem::ControlCharacter);
        }
        if value.is_empty() {
            return if self.required { Err(AnswerProblem::Empty) } else { Ok(Answer::new(value, is_secret)) };
        }
        let value = self.parse_kind(value)?;
        if let Some(character) = value.chars().find(|character| self.plain && !is_plain(*character)) {
            return Err(AnswerProblem::NotPlain(character));
        }
        self.check_length(&value)?;
        self.check_pattern(&value)?;
        // Who writes a password into an address shall not find it on the screen.
        let has_password = self.kind == QuestionKind::Url && web::has_credentials(&value);
        Ok(Answer::new(value, is_secret || has_password))
    }

    /// Whether what is given must not be seen, be it an answer or not: in a URL with a typing error, what stands before an `@`
    /// may be a password all the same.
    #[must_use]
    pub fn hides(&self, raw: &str) -> bool {
        match self.parse(raw) {
            Ok(answer) => answer.is_secret(),
            Err(_) => self.is_secret() || (self.kind == QuestionKind::Url && raw.contains(['@', '＠'])),
        }
    }

    fn parse_kind(&self, value: String) -> Result<String, AnswerProblem> {
        match self.kind {
            QuestionKind::Text | QuestionKind::Secret | QuestionKind::Password => Ok(value),
            QuestionKind::Bool => match host::narrow(&value).to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "是" => Ok("true".to_owned()),
                "false" | "no" | "n" | "否" => Ok("false".to_owned()),
                _ => Err(AnswerProblem::NotBool),
            },
            QuestionKind::Choice if self.choices.iter().any(|choice| choice.value == value) => Ok(value),
            QuestionKind::Choice => {
                let values = self.choices.iter().map(|choice| choice.value.clone());
                Err(AnswerProblem::NotInChoices(values.collect()))
            }
            QuestionKind::Host => host::parse(&value).map_err(AnswerProblem::NotHost),
            QuestionKind::Integer => {
                let number: i64 = host::narrow(&value).parse().map_err(|error| self.no_integer(&error))?;
                if self.min.is_some_and(|min| number < min) || self.max.is_some_and(|max| number > max) {
                    return Err(AnswerProblem::OutOfRange { min: self.min, max: self.max });
                }
                Ok(number.to_string())
            }
            QuestionKind::Path if value.starts_with('/') => Ok(value),
            QuestionKind::Path => Err(AnswerProblem::NotPath),
            QuestionKind::Port => match host::narrow(&value).parse::<u16>() {
                Ok(port) if port > 0 => Ok(port.to_string()),
                _ => Err(AnswerProblem::NotPort),
            },
            QuestionKind::Url => web::parse(self, &value).map_err(AnswerProblem::NotUrl),
        }
    }

    /// A number that is too large for this type is a number all the same.
    fn no_integer(&self, error: &ParseIntError) -> AnswerProblem {
        match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => AnswerProblem::OutOfRange {
                min: self.min.or(Some(i64::MIN)),
                max: self.max.or(Some(i64::MAX)),
            },
            _ => AnswerProblem::NotInteger,
        }
    }

    /// Lengths in characters, as people count them.
    fn check_length(&self, value: &str) -> Result<(), AnswerProblem> {
        let len = value.chars().count();
        let fits = |bound: u32, is_least: bool| {
            let bound = usize::try_from(bound).unwrap_or(usize::MAX);
            if is_least { len >= bound } else { len <= bound }
        };
        let max = self.max_length.unwrap_or(LONGEST).min(LONGEST);
        match self.min_length {
            Some(min) if !fits(min, true) => Err(AnswerProblem::TooShort { len, min }),
            _ if !fits(max, false) => Err(AnswerProblem::TooLong { len, max }),
            _ => Ok(()),
        }
    }

    fn check_pattern(&self, value: &str) -> Result<(), AnswerProblem> {
        let Some(pattern) = &self.pattern else { return Ok(()) };
        if super::pattern(pattern).is_ok_and(|regex| regex.is_match(value)) {
            Ok(())
        } else {
            Err(AnswerProblem::Pattern { pattern: pattern.clone(), hint: self.pattern_hint.clone() })
        }
    }
}

/// Zero-width characters and byte order marks that come along when text is pasted.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
