//! What the operator is asked. The one parser of what is answered is [`Question::parse`], in `question/parse.rs`: wizard and
//! answers file both come through it.

use std::borrow::Borrow;

use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::limits::PATTERN_MAX;
use crate::project::Localized;

mod host;
mod parse;
mod problem;
mod web;

pub use self::host::narrow;
pub use self::problem::{AnswerProblem, HostProblem, UrlProblem};

/// Name of a question: lower-case letters, digits and `_`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuestionId(String);

/// A text that is no question id.
#[derive(Debug, thiserror::Error)]
#[error("`{}` is not a question id (lower-case letters, digits and _, starting with a letter)", .0.escape_debug())]
pub struct InvalidQuestionId(String);

impl QuestionId {
    /// Reads an id.
    ///
    /// # Errors
    /// When it has other characters than allowed, or is longer than 64.
    pub fn parse(text: &str) -> Result<Self, InvalidQuestionId> {
        let chars_ok = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if chars_ok && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= 64 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidQuestionId(text.to_owned()))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for QuestionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for QuestionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for QuestionId {
    type Error = InvalidQuestionId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<QuestionId> for String {
    fn from(id: QuestionId) -> Self {
        id.0
    }
}

/// Ids of questions that the installer asks by itself; a vendor's question cannot have them.
pub mod builtin {
    /// Whether `SUDO_USER` joins the group `docker`.
    pub const DOCKER_GROUP: &str = "docker_group";
    /// Whether the application's public ports are opened in the host's firewall.
    pub const OPEN_FIREWALL: &str = "open_firewall";
    /// Whence the certificate comes: [`TLS_OFF`], [`TLS_OWN`] or [`TLS_SELF_SIGNED`].
    pub const TLS: &str = "tls";
    /// Where the operator's certificate is.
    pub const TLS_CERTIFICATE: &str = "tls_certificate";
    /// Where the operator's key is.
    pub const TLS_KEY: &str = "tls_key";
    /// All of them.
    pub const ALL: [&str; 5] = [DOCKER_GROUP, OPEN_FIREWALL, TLS, TLS_CERTIFICATE, TLS_KEY];

    /// No certificate.
    pub const TLS_OFF: &str = "off";
    /// The operator's own.
    pub const TLS_OWN: &str = "own";
    /// One that is made on the spot.
    pub const TLS_SELF_SIGNED: &str = "self-signed";
    /// Answers to [`TLS`].
    pub const TLS_CHOICES: [&str; 3] = [TLS_OFF, TLS_SELF_SIGNED, TLS_OWN];

    /// [`TLS`] as conditions see it; what the operator reads of it is the installer's.
    #[must_use]
    pub fn tls() -> super::Question {
        let nothing = crate::project::Localized { zh: String::new(), en: String::new() };
        let id = super::QuestionId(TLS.to_owned());
        super::Question {
            choices: TLS_CHOICES.map(super::Choice::from).into(),
            default: Some(TLS_OFF.to_owned()),
            ..super::Question::new(id, super::QuestionKind::Choice, nothing)
        }
    }
}

/// What kind of thing is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QuestionKind {
    /// `true` or `false`.
    Bool,
    /// One of [`Question::choices`].
    Choice,
    /// Host name or IP address.
    Host,
    /// Whole number between [`Question::min`] and [`Question::max`].
    Integer,
    /// A secret that a person must remember; asked twice.
    Password,
    /// Absolute path on the host.
    Path,
    /// TCP port, 1 to 65535.
    Port,
    /// A secret for machines.
    Secret,
    /// One line of text.
    Text,
    /// `http` or `https` URL.
    Url,
}

/// How a secret is made when none is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generate {
    /// Alphabet.
    pub format: GenerateFormat,
    /// Strength: number of random bytes for `hex` and `base64`, number of characters for `alphanumeric`.
    pub bytes: u16,
}

/// Alphabet of generated secrets; all survive `.env`, URLs and YAML unquoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerateFormat {
    /// Letters and digits.
    Alphanumeric,
    /// URL-safe base64 without padding.
    Base64,
    /// Lower-case hex digits.
    Hex,
}

impl Generate {
    /// Number of characters of what is made.
    #[must_use]
    pub fn len(self) -> usize {
        let bytes = usize::from(self.bytes);
        match self.format {
            GenerateFormat::Alphanumeric => bytes,
            GenerateFormat::Base64 => (bytes * 8).div_ceil(6),
            GenerateFormat::Hex => bytes * 2,
        }
    }

    /// Never: a secret has characters.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// A text of the form of what is made, the same every time: to see whether a question would take it. No secret.
    #[must_use]
    pub fn sample(self) -> String {
        self.format.alphabet().chars().cycle().take(self.len()).collect()
    }
}

impl GenerateFormat {
    /// The characters that what is made consists of.
    #[must_use]
    pub const fn alphabet(self) -> &'static str {
        match self {
            Self::Alphanumeric => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
            Self::Base64 => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
            Self::Hex => "0123456789abcdef",
        }
    }
}

/// One value of a choice. In the index it is a text alone where it has no title.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ChoiceForm", into = "ChoiceForm")]
pub struct Choice {
    /// What the project gets, and what stands in an answers file.
    pub value: String,
    /// What the operator reads.
    pub title: Option<Localized>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum ChoiceForm {
    Plain(String),
    Titled { value: String, title: Localized },
}

impl From<ChoiceForm> for Choice {
    fn from(form: ChoiceForm) -> Self {
        match form {
            ChoiceForm::Plain(value) => Self { value, title: None },
            ChoiceForm::Titled { value, title } => Self { value, title: Some(title) },
        }
    }
}

impl From<Choice> for ChoiceForm {
    fn from(choice: Choice) -> Self {
        match choice.title {
            None => Self::Plain(choice.value),
            Some(title) => Self::Titled { value: choice.value, title },
        }
    }
}

impl From<&str> for Choice {
    fn from(value: &str) -> Self {
        Self { value: value.to_owned(), title: None }
    }
}

/// Whether a part of a URL may be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It may or may not.
    #[default]
    Allow,
    /// It must not.
    Forbid,
    /// It must.
    Require,
}

impl Presence {
    fn is_default(&self) -> bool {
        *self == Self::Allow
    }
}

/// Whence a suggestion comes that depends on the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Suggest {
    /// The machine's own addresses.
    Addresses,
}

/// One question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Its name in answers files, `--set` and placeholders.
    pub id: QuestionId,
    /// The variable of `.env` that gets the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// What kind of thing is asked for.
    pub kind: QuestionKind,
    /// What the operator reads.
    pub prompt: Localized,
    /// A second line with what to consider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<Localized>,
    /// The answer when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    /// Whether an empty answer is refused.
    pub required: bool,
    /// Whether the answer is masked everywhere.
    pub secret: bool,
    /// Regular expression that the whole answer must match.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    /// What the pattern, or a rule for a URL's port or path, asks for and why: what the operator reads when an answer is
    /// refused by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern_hint: Option<Localized>,
    /// Lower bound of an integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Upper bound of an integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Least number of characters of a text or secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_length: Option<u32>,
    /// Largest number of characters of a text or secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_length: Option<u32>,
    /// Whether a URL may name a port.
    #[serde(default, skip_serializing_if = "Presence::is_default")]
    pub port: Presence,
    /// Whether a URL may have a path, a query or a fragment; a `/` alone is none.
    #[serde(default, skip_serializing_if = "Presence::is_default")]
    pub path: Presence,
    /// Allowed values of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// How to make the answer when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// A template has the answer as it is: only characters that mean nothing there are allowed ([`crate::template::is_plain`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
    /// What the machine itself suggests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suggest: Option<Suggest>,
    /// When it is asked; the answers that it depends on are those of earlier questions.
    #[serde(default, skip_serializing_if = "Condition::is_empty")]
    pub when: Condition,
}

/// A question's pattern, for the whole answer. One that takes much memory or time is refused.
///
/// # Errors
/// When it is no regular expression, or too large a one.
pub fn pattern(pattern: &str) -> Result<regex_lite::Regex, regex_lite::Error> {
    let compile = |text: &str| regex_lite::RegexBuilder::new(text).size_limit(PATTERN_MAX).build();
    // By itself first: `a)|(b` is none, and would be one in parentheses.
    compile(pattern)?;
    compile(&format!("^(?:{pattern})$"))
}

impl Question {
    /// A required question of this kind, with nothing else stated.
    #[must_use]
    pub fn new(id: QuestionId, kind: QuestionKind, prompt: Localized) -> Self {
        Self {
            id,
            env: None,
            kind,
            prompt,
            help: None,
            default: None,
            required: true,
            secret: false,
            pattern: None,
            pattern_hint: None,
            min: None,
            max: None,
            min_length: None,
            max_length: None,
            port: Presence::Allow,
            path: Presence::Allow,
            choices: Vec::new(),
            generate: None,
            plain: false,
            suggest: None,
            when: Condition::default(),
        }
    }

    /// Whether the answer must never be seen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret || matches!(self.kind, QuestionKind::Secret | QuestionKind::Password)
    }

    /// Whether an empty text is no answer at all, so that the next source counts: what an earlier run was told, or what is
    /// made on the spot. So a secret is never lost by a line that was left empty.
    #[must_use]
    pub fn empty_is_no_answer(&self) -> bool {
        self.is_secret() || self.generate.is_some()
    }
}
