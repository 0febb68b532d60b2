//! From what was given to checked answers: sources in one order, one parser, all problems at once. Pure; files and the
//! environment are read by the caller.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bundle_spec::answer::Answers;
use bundle_spec::question::{AnswerProblem, Generate, Question, QuestionId};
use bundle_spec::suggest::nearest;
use bundle_spec::value::{self, Value};

use crate::facts::exposure::Exposure;
use crate::preflight::accept::Acceptance;
use crate::text::{Message, answer as reason_text, problem as text, reference as reference_text};
use crate::tls::fault::{Fault, Place};

pub mod builtin;
pub mod document;
pub mod file;
pub mod generate;
pub mod reason;
pub mod reference;
pub mod schema;
pub mod suggest;
pub mod veil;

pub use self::document::save;
pub use self::reason::message as why_message;
use self::reference::ReferenceProblem;

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
    /// Suggested by the machine itself: one of its addresses.
    Machine,
    /// The vendor's default.
    Default,
    /// Made up on the spot.
    Generated,
}

/// What a source gives for a question.
#[derive(Clone, PartialEq, Eq)]
enum Given {
    /// A text.
    Text(String),
    /// The word that there shall be no answer; for a secret an empty text does not say so.
    Nothing,
    /// A reference that leads nowhere.
    Broken(ReferenceProblem),
}

/// Neither a value nor its length is shown: it may be a secret.
impl std::fmt::Debug for Given {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Nothing => "Nothing",
            Self::Broken(_) => "Broken",
        })
    }
}

/// Raw answers of all sources.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    given: BTreeMap<Origin, BTreeMap<String, Given>>,
    misfits: Vec<String>,
    open: BTreeMap<String, (PathBuf, Exposure)>,
    open_file: Option<(PathBuf, Exposure)>,
    acceptance: Acceptance,
}

impl Sources {
    /// Adds what one source gives.
    pub fn add(&mut self, origin: Origin, values: impl IntoIterator<Item = (String, String)>) {
        let texts = values.into_iter().map(|(id, text)| (id, Given::Text(text)));
        self.given.entry(origin).or_default().extend(texts);
    }

    /// Says for one source that there shall be no answer: the way to take back a secret, for which an empty text is no answer.
    pub fn clear(&mut self, origin: Origin, id: &str) {
        self.given.entry(origin).or_default().insert(id.to_owned(), Given::Nothing);
    }

    /// Says for one source that it refers to an answer that is not to be had.
    pub fn add_broken(&mut self, origin: Origin, id: String, why: ReferenceProblem) {
        self.given.entry(origin).or_default().insert(id, Given::Broken(why));
    }

    /// Records that the file that an answer came from can be read by everybody on the machine.
    pub fn note_open(&mut self, id: String, path: PathBuf, exposure: Exposure) {
        self.open.insert(id, (path, exposure));
    }

    /// Records that the answers file itself can be read by everybody on the machine.
    pub fn note_open_file(&mut self, path: PathBuf, exposure: Exposure) {
        self.open_file = Some((path, exposure));
    }

    /// The answers file, if everybody on the machine can read it.
    pub fn open_file(&self) -> Option<(&Path, Exposure)> {
        self.open_file.as_ref().map(|(path, exposure)| (path.as_path(), *exposure))
    }

    /// Forgets what one source gives for a question.
    pub fn forget(&mut self, origin: Origin, id: &str) {
        if let Some(values) = self.given.get_mut(&origin) {
            values.remove(id);
        }
    }

    /// Adds ids for which the answers file has something that is no value.
    pub fn add_misfits(&mut self, ids: Vec<String>) {
        self.misfits.extend(ids);
    }

    /// Adds what a source says about warnings of preflight.
    pub fn add_acceptance(&mut self, acceptance: Acceptance) {
        self.acceptance.ids.extend(acceptance.ids);
        self.acceptance.strict |= acceptance.strict;
    }

    /// What was said about warnings of preflight.
    pub fn acceptance(&self) -> &Acceptance {
        &self.acceptance
    }

    /// What the strongest source gives for a question.
    pub fn raw<'a>(&'a self, question: &'a Question) -> Option<(Origin, &'a str)> {
        let given = self.strongest(question).map(|(origin, given)| match given {
            Given::Text(text) => (origin, text.as_str()),
            Given::Nothing | Given::Broken(_) => (origin, ""),
        });
        given.or_else(|| question.default.as_deref().map(|default| (Origin::Default, default)))
    }

    /// Everything that any source gives and nobody may see: an old password may still be in a log.
    pub fn secrets<'a>(&'a self, questions: &'a [Question]) -> impl Iterator<Item = &'a str> {
        let of_question = |question: &'a Question| {
            let given = self.given.values().filter_map(|values| values.get(question.id.as_str()));
            given.filter_map(move |given| match given {
                Given::Text(text) if question.hides(text) => Some(text.as_str()),
                Given::Text(_) | Given::Nothing | Given::Broken(_) => None,
            })
        };
        questions.iter().flat_map(of_question)
    }

    fn strongest(&self, question: &Question) -> Option<(Origin, &Given)> {
        self.given.iter().find_map(|(origin, values)| {
            let given = values.get(question.id.as_str())?;
            let is_no_answer = match given {
                Given::Text(text) => text.is_empty() && question.empty_is_no_answer(),
                // What was generated once is never made anew.
                Given::Nothing => question.generate.is_some(),
                Given::Broken(_) => false,
            };
            (!is_no_answer).then_some((*origin, given))
        })
    }

    /// What an earlier run was told.
    fn earlier(&self, question: &Question) -> Option<&str> {
        match self.given.get(&Origin::Earlier)?.get(question.id.as_str())? {
            Given::Text(text) => Some(text),
            Given::Nothing | Given::Broken(_) => None,
        }
    }

    /// What somebody gave on purpose, whatever questions there are.
    fn deliberate(&self) -> impl Iterator<Item = (Origin, &str)> {
        let is_deliberate = |origin: &Origin| !matches!(origin, Origin::Earlier | Origin::Machine);
        let sources = self.given.iter().filter(move |(origin, _)| is_deliberate(origin));
        sources.flat_map(|(origin, values)| values.keys().map(|id| (*origin, id.as_str())))
    }

    fn is_misfit(&self, question: &Question) -> bool {
        self.misfits.iter().any(|id| id == question.id.as_str())
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
    /// The answer lies elsewhere, and is not to be had there.
    Broken(QuestionId, ReferenceProblem),
    /// A derived value was given.
    Derived {
        /// Its id.
        id: String,
        /// Where it was given.
        origin: Origin,
    },
    /// What the answers file has for this id is a list, a table or a date.
    Misfit(String),
    /// The certificate, or its key, cannot be used.
    Certificate {
        /// What is wrong with it.
        fault: Fault,
        /// Where it is.
        place: Place,
        /// Not everything that it depends on was given for good.
        can_be_asked: bool,
    },
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
    /// What the operator should know and need not mend.
    pub notes: Vec<Note>,
}

/// Something about answers that is no mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// An answer was given to a question that is not asked with these answers: one file may serve many machines.
    NotAsked {
        /// Of which question.
        id: QuestionId,
        /// Where it was given.
        origin: Origin,
    },
    /// A secret that was given begins or ends with a space.
    OuterSpace(QuestionId),
    /// A secret came from a file that everybody on the machine can read.
    OpenFile(QuestionId, PathBuf, Exposure),
}

/// Checks everything that was given, and works out what follows from it. `generate` makes secrets where nothing was given.
/// Gives all problems at once, with what could be resolved nevertheless.
pub fn resolve(
    questions: &[Question],
    values: &[Value],
    sources: &Sources,
    generate: &mut dyn FnMut(Generate) -> String,
) -> (Resolved, Vec<Problem>) {
    let mut resolved = Resolved::default();
    let mut problems: Vec<_> = sources.misfits.iter().cloned().map(Problem::Misfit).collect();
    for question in questions.iter().filter(|question| !sources.is_misfit(question)) {
        if resolved.answers.fulfil(&question.when) {
            problems.extend(resolved.answer(question, sources, generate).err());
        } else {
            resolved.pass_over(question, sources);
        }
    }
    value::derive(values, &mut resolved.answers);
    problems.extend(strangers(questions, values, sources));
    (resolved, problems)
}

/// The questions that are asked as things stand, in their order. Each answer may change those behind it.
pub fn asked<'q>(questions: &'q [Question], sources: &Sources) -> Vec<&'q Question> {
    let mut resolved = Resolved::default();
    let mut asked = Vec::new();
    for question in questions.iter().filter(|question| !sources.is_misfit(question)) {
        if resolved.answers.fulfil(&question.when) {
            // No condition depends on a secret.
            let _ = resolved.answer(question, sources, &mut |_| String::new());
            asked.push(question);
        }
    }
    asked
}

impl Resolved {
    fn answer(
        &mut self,
        question: &Question,
        sources: &Sources,
        generate: &mut dyn FnMut(Generate) -> String,
    ) -> Result<(), Problem> {
        if let Some((_, Given::Broken(why))) = sources.strongest(question) {
            return Err(Problem::Broken(question.id.clone(), why.clone()));
        }
        let (origin, raw) = match (sources.raw(question), question.generate) {
            (Some((_, "")), Some(recipe)) | (None, Some(recipe)) => (Origin::Generated, generate(recipe)),
            (Some((origin, raw)), _) => (origin, raw.to_owned()),
            (None, None) if question.required => return Err(missing(question)),
            (None, None) => (Origin::Default, String::new()),
        };
        let id = || question.id.clone();
        let answer = question.parse(&raw).map_err(|why| match why {
            AnswerProblem::Empty => missing(question),
            why => Problem::Invalid { id: id(), why, origin },
        })?;
        let is_new = !matches!(origin, Origin::Earlier | Origin::Default | Origin::Generated);
        if answer.is_secret() && is_new && answer.has_outer_space() {
            self.notes.push(Note::OuterSpace(id()));
        }
        if let Some((path, exposure)) =
            sources.open.get(question.id.as_str()).filter(|_| answer.is_secret() && origin == Origin::File)
        {
            self.notes.push(Note::OpenFile(id(), path.clone(), *exposure));
        }
        self.answers.insert(id(), answer);
        self.origins.insert(id(), origin);
        Ok(())
    }

    /// A question that is not asked: what was given for it does not count, and what an earlier run was told is kept.
    fn pass_over(&mut self, question: &Question, sources: &Sources) {
        let given = sources.deliberate().find(|(_, id)| *id == question.id.as_str());
        self.notes.extend(given.map(|(origin, _)| Note::NotAsked { id: question.id.clone(), origin }));
        if let Some(answer) = sources.earlier(question).and_then(|raw| question.parse(raw).ok()) {
            self.answers.keep(question.id.clone(), answer);
        }
    }
}

/// Ids that were given and that no question has; stale ones of an earlier version are no mistake.
fn strangers(questions: &[Question], values: &[Value], sources: &Sources) -> Vec<Problem> {
    let known = || questions.iter().map(|question| question.id.as_str());
    let problem = |(origin, id): (Origin, &str)| {
        if values.iter().any(|value| value.id.as_str() == id) {
            return Problem::Derived { id: id.to_owned(), origin };
        }
        Problem::Unknown { id: id.to_owned(), nearest: nearest(id, known()).map(str::to_owned), origin }
    };
    sources.deliberate().filter(|(_, id)| known().all(|known| known != *id)).map(problem).collect()
}

fn missing(question: &Question) -> Problem {
    if question.is_secret() {
        Problem::MissingSecret(question.id.clone())
    } else {
        Problem::Missing(question.id.clone())
    }
}

impl Problem {
    /// Whether a person can mend it by answering: what was given on the command line or by a variable stands.
    pub fn can_be_asked(&self) -> bool {
        match self {
            Self::Missing(_) | Self::MissingSecret(_) => true,
            Self::Certificate { can_be_asked, .. } => *can_be_asked,
            Self::Invalid { origin, .. } => *origin > Origin::File,
            Self::Unknown { .. } | Self::Derived { .. } | Self::Broken(..) | Self::Misfit(_) => false,
        }
    }

    /// Where the answer was given that is wrong.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::Unknown { origin, .. } | Self::Derived { origin, .. } | Self::Invalid { origin, .. } => {
                Some(*origin)
            }
            _ => None,
        }
    }

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
            Self::Broken(id, why) => why.message(id.as_str()),
            Self::Derived { id, origin } => reason_text::is_derived(id, &origin.message()),
            Self::Certificate { fault, place, .. } => fault.message(place),
            Self::Misfit(id) => text::answer_not_scalar(&shown(id)),
            Self::Invalid { id, why, origin } => {
                text::answer_invalid(id.as_str(), &why_message(why), &origin.message())
            }
        }
    }
}

impl Note {
    /// The note for people.
    pub fn message(&self) -> Message {
        match self {
            Self::NotAsked { id, origin } => reason_text::not_asked(id.as_str(), &origin.message()),
            Self::OuterSpace(id) => reason_text::has_outer_space(id.as_str()),
            Self::OpenFile(id, path, Exposure::Mode) => reference_text::is_open(id.as_str(), &path.display()),
            Self::OpenFile(id, path, Exposure::Place) => {
                reference_text::is_open_for_good(id.as_str(), &path.display())
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
            Self::Set => reason_text::origin_set(),
            Self::Environment => reason_text::origin_environment(),
            Self::File => reason_text::origin_file(),
            Self::Asked => reason_text::origin_asked(),
            Self::Earlier => reason_text::origin_earlier(),
            Self::Machine => reason_text::origin_machine(),
            Self::Default => reason_text::origin_default(),
            Self::Generated => reason_text::origin_generated(),
        }
    }
}

#[cfg(test)]
mod tests;
