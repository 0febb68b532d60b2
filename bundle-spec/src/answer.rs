//! Answers: typed by their question, and never shown by accident.

use std::collections::BTreeMap;

use crate::condition::Condition;
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

    /// Whether it begins or ends with a space: right in some secrets, pasted along by mistake in most.
    #[must_use]
    pub fn has_outer_space(&self) -> bool {
        self.value.trim() != self.value
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

/// All answers of one installation, and what follows from them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    given: BTreeMap<QuestionId, Answer>,
    derived: BTreeMap<QuestionId, Answer>,
    dormant: BTreeMap<QuestionId, Answer>,
}

impl Answers {
    /// Records the answer to a question.
    pub fn insert(&mut self, id: QuestionId, answer: Answer) {
        self.given.insert(id, answer);
    }

    /// Records a derived value: it can be asked for like an answer, and is none.
    pub fn derive(&mut self, id: QuestionId, value: Answer) {
        self.derived.insert(id, value);
    }

    /// Keeps what an earlier run was answered to a question that is not asked in this one: it does not count, but must not
    /// be lost, since it may be a secret that data was encrypted with.
    pub fn keep(&mut self, id: QuestionId, answer: Answer) {
        self.dormant.insert(id, answer);
    }

    /// The answer to a question, or the derived value of this name, if there is one.
    #[must_use]
    pub fn of(&self, id: &str) -> Option<&Answer> {
        self.given.get(id).or_else(|| self.derived.get(id))
    }

    /// All answers, by question id. Derived values are not among them.
    pub fn iter(&self) -> impl Iterator<Item = (&QuestionId, &Answer)> {
        self.given.iter()
    }

    /// Earlier answers to questions that were not asked.
    pub fn dormant(&self) -> impl Iterator<Item = (&QuestionId, &Answer)> {
        self.dormant.iter()
    }

    /// Everything that must not be seen: answers, what follows from them, and what is only kept.
    pub fn secrets(&self) -> impl Iterator<Item = &Answer> {
        let all = [&self.given, &self.derived, &self.dormant];
        all.into_iter().flat_map(BTreeMap::values).filter(|answer| answer.is_secret())
    }

    /// Whether a condition holds.
    #[must_use]
    pub fn fulfil(&self, condition: &Condition) -> bool {
        condition.holds(|id| self.given.get(id).map(Answer::reveal))
    }

    /// Replaces `{id}` placeholders by answers and derived values.
    ///
    /// # Errors
    /// The first id without an answer: what needs it does not count.
    pub fn expand(&self, text: &str) -> Result<String, String> {
        crate::placeholder::expand(text, |id| self.of(id).map(|answer| answer.reveal().to_owned()))
    }

    /// As [`Answers::expand`], in a text that may have braces of its own.
    ///
    /// # Errors
    /// The first id without an answer.
    pub fn expand_ids(&self, text: &str) -> Result<String, String> {
        crate::placeholder::expand_ids(text, |id| self.of(id).map(|answer| answer.reveal().to_owned()))
    }
}
