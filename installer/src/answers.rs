//! From what was given to checked answers: sources in one order, one parser, all problems at once. Pure; files and the
//! environment are read by the caller.

use std::collections::BTreeMap;

use bundle_spec::answer::Answers;
use bundle_spec::question::{AnswerProblem, Generate, Question, QuestionId};
use bundle_spec::suggest::nearest;

use crate::text::{Message, problem as text};

pub mod file;
pub mod generate;
pub mod template;

/// Where an answer came from, the strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// `--set id=value`.
    Set,
    /// `AIRLIFT_<ID>`.
    Environment,
    /// The answers file.
    File,
    /// Typed into the wizard.
    Asked,
    /// An earlier run on this host.
    Earlier,
    /// The vendor's default.
    Default,
    /// Made up on the spot.
    Generated,
}

/// Raw answers of all sources.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    given: BTreeMap<Origin, BTreeMap<String, String>>,
    misfits: Vec<String>,
}

impl Sources {
    /// Adds what one source gives.
    pub fn add(&mut self, origin: Origin, values: impl IntoIterator<Item = (String, String)>) {
        self.given.entry(origin).or_default().extend(values);
    }

    /// Adds ids for which the answers file has something that is no value.
    pub fn add_misfits(&mut self, ids: Vec<String>) {
        self.misfits.extend(ids);
    }

    /// What the strongest source gives for a question.
    pub fn raw<'a>(&'a self, question: &'a Question) -> Option<(Origin, &'a str)> {
        let given = self.given.iter().find_map(|(origin, values)| {
            let value = values.get(question.id.as_str())?;
            // An empty line where a secret is generated says "as before, or make one".
            (question.generate.is_none() || !value.is_empty()).then_some((*origin, value.as_str()))
        });
        given.or_else(|| question.default.as_deref().map(|default| (Origin::Default, default)))
    }

    fn is_misfit(&self, question: &Question) -> bool {
        self.misfits.iter().any(|id| id == question.id.as_str())
    }

    /// Ids that were given and that no question has; stale ones of an earlier version are no mistake.
    fn unknown<'a>(&'a self, questions: &'a [Question]) -> impl Iterator<Item = (Origin, &'a str)> {
        let deliberate = self.given.iter().filter(|(origin, _)| **origin != Origin::Earlier);
        let ids = deliberate.flat_map(|(origin, values)| values.keys().map(|id| (*origin, id.as_str())));
        ids.filter(|(_, id)| !questions.iter().any(|question| question.id.as_str() == *id))
    }
}

/// One thing that is wrong with the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// No source gives an answer.
    Missing(QuestionId),
    /// The same for a secret: the command line is no place for it.
    MissingSecret(QuestionId),
    /// No question has this id.
    Unknown {
        /// The id.
        id: String,
        /// The nearest known one.
        nearest: Option<String>,
        /// Where it was given.
        origin: Origin,
    },
    /// What the answers file has for this id is a list, a table or a date.
    Misfit(String),
    /// The answer is refused.
    Invalid {
        /// Of which question.
        id: QuestionId,
        /// Why.
        why: AnswerProblem,
        /// Where it was given.
        origin: Origin,
    },
}

/// Checked answers and where each came from.
#[derive(Clone, Debug, Default)]
pub struct Resolved {
    /// The answers.
    pub answers: Answers,
    /// Their origins.
    pub origins: BTreeMap<QuestionId, Origin>,
}

/// Checks everything that was given. `generate` makes secrets where nothing was.
///
/// # Errors
/// All problems at once, with what could be resolved nevertheless.
pub fn resolve(
    questions: &[Question],
    sources: &Sources,
    generate: &mut dyn FnMut(Generate) -> String,
) -> Result<Resolved, (Resolved, Vec<Problem>)> {
    let mut resolved = Resolved::default();
    let mut problems = Vec::new();
    problems.extend(sources.misfits.iter().cloned().map(Problem::Misfit));
    for question in questions.iter().filter(|question| !sources.is_misfit(question)) {
        let (origin, raw) = match (sources.raw(question), question.generate) {
            (None, Some(recipe)) => (Origin::Generated, generate(recipe)),
            (Some((origin, raw)), _) => (origin, raw.to_owned()),
            (None, None) if question.required => {
                problems.push(missing(question));
                continue;
            }
            (None, None) => (Origin::Default, String::new()),
        };
        match question.parse(&raw) {
            Ok(answer) => {
                resolved.answers.insert(question.id.clone(), answer);
                resolved.origins.insert(question.id.clone(), origin);
            }
            Err(AnswerProblem::Empty) => problems.push(missing(question)),
            Err(why) => problems.push(Problem::Invalid { id: question.id.clone(), why, origin }),
        }
    }
    let known = || questions.iter().map(|question| question.id.as_str());
    problems.extend(sources.unknown(questions).map(|(origin, id)| Problem::Unknown {
        id: id.to_owned(),
        nearest: nearest(id, known()).map(str::to_owned),
        origin,
    }));
    if problems.is_empty() { Ok(resolved) } else { Err((resolved, problems)) }
}

fn missing(question: &Question) -> Problem {
    if question.is_secret() {
        Problem::MissingSecret(question.id.clone())
    } else {
        Problem::Missing(question.id.clone())
    }
}

impl Problem {
    /// The problem for people, with how to give the answer.
    pub fn message(&self) -> Message {
        match self {
            Self::Missing(id) => {
                let id = id.as_str();
                text::answer_missing(id, &id.to_uppercase())
            }
            Self::MissingSecret(id) => text::secret_missing(id.as_str(), &id.as_str().to_uppercase()),
            Self::Unknown { id, nearest: Some(nearest), origin } => {
                text::answer_unknown_nearest(&shown(id), nearest, &origin.message())
            }
            Self::Unknown { id, nearest: None, origin } => {
                text::answer_unknown(&shown(id), &origin.message())
            }
            Self::Misfit(id) => text::answer_not_scalar(&shown(id)),
            Self::Invalid { id, why, origin } => {
                text::answer_invalid(id.as_str(), &why_message(why), &origin.message())
            }
        }
    }
}

/// An id as it was given, harmless for a terminal.
fn shown(id: &str) -> String {
    id.escape_debug().take(80).collect()
}

impl Origin {
    /// The origin for people.
    pub fn message(self) -> Message {
        match self {
            Self::Set => text::origin_set(),
            Self::Environment => text::origin_environment(),
            Self::File => text::origin_file(),
            Self::Asked => text::origin_asked(),
            Self::Earlier => text::origin_earlier(),
            Self::Default => text::origin_default(),
            Self::Generated => text::origin_generated(),
        }
    }
}

/// Why an answer is refused, for people.
pub fn why_message(why: &AnswerProblem) -> Message {
    let bound = |value: &Option<i64>| value.map_or_else(|| "…".to_owned(), |number| number.to_string());
    match why {
        AnswerProblem::ControlCharacter => text::has_control_character(),
        AnswerProblem::Empty => text::is_empty(),
        AnswerProblem::NotBool => text::not_bool(),
        AnswerProblem::NotHost => text::not_host(),
        AnswerProblem::NotInteger => text::not_integer(),
        AnswerProblem::NotInChoices(choices) => text::not_in_choices(&choices.join(", ")),
        AnswerProblem::NotPath => text::not_path(),
        AnswerProblem::NotPort => text::not_port(),
        AnswerProblem::NotUrl => text::not_url(),
        AnswerProblem::OutOfRange { min, max } => text::out_of_range(&bound(min), &bound(max)),
        AnswerProblem::NotPlain(character) => text::not_plain(&format!("`{}`", character.escape_debug())),
        AnswerProblem::Pattern(pattern) => text::pattern_mismatch(pattern),
    }
}

#[cfg(test)]
mod tests;
