//! Answers: typed by their question, and never shown by accident.

use std::collections::BTreeMap;

use crate::question::QuestionId;

/// One checked answer in the form in which the project gets it. Neither `Debug` nor serde reveals the value.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    value: String,
    secret: bool,
}

impl Answer {
    pub(crate) fn new(value: String, secret: bool) -> Self {
        Self { value, secret }
    }

    /// The value itself. Call this only where it goes into `.env`, a request or a placeholder.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// The value for the screen: secrets are masked.
    #[must_use]
    pub fn shown(&self) -> &str {
        match (self.secret, self.value.is_empty()) {
            (true, false) => "******",
            _ => &self.value,
        }
    }

    /// Whether the value must not be seen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({})", self.shown())
    }
}

/// All answers of one installation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers(BTreeMap<QuestionId, Answer>);

impl Answers {
    /// Records the answer to a question.
    pub fn insert(&mut self, id: QuestionId, answer: Answer) {
        self.0.insert(id, answer);
    }

    /// The answer to a question, if it was given.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Answer> {
        self.0.get(id)
    }

    /// All answers, by question id.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &Answer)> {
        self.0.iter()
    }

    /// Replaces `{id}` placeholders by answers.
    ///
    /// # Errors
    /// The first id without an answer.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        crate::placeholder::expand(text, |id| self.of(id).map(|answer| answer.reveal().to_owned()))
    }
}
