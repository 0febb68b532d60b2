//! What the operator is asked, and the one parser of what is answered: wizard and answers file both come through here.

use std::borrow::Borrow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::project::Localized;
use crate::template::is_plain;

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
    /// Lower bound of an integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<i64>,
    /// Upper bound of an integer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<i64>,
    /// Allowed values of a choice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// How to make the answer when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<Generate>,
    /// A template has the answer as it is: only characters that mean nothing there are allowed ([`crate::template::is_plain`]).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub plain: bool,
}

/// Why an answer is refused; the installer says it in the operator's language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// Contains a line break or another control character.
    #[error("contains a control character")]
    ControlCharacter,
    /// Nothing was given.
    #[error("is required")]
    Empty,
    /// Not `true` or `false`.
    #[error("must be true or false")]
    NotBool,
    /// Not a host name or IP address.
    #[error("is not a host name or IP address")]
    NotHost,
    /// Not a whole number.
    #[error("is not a whole number")]
    NotInteger,
    /// Not one of the choices.
    #[error("must be one of: {}", .0.join(", "))]
    NotInChoices(Vec<String>),
    /// Not an absolute path.
    #[error("is not an absolute path")]
    NotPath,
    /// Not a TCP port.
    #[error("is not a port (1 to 65535)")]
    NotPort,
    /// Not an `http` or `https` URL.
    #[error("is not a URL that begins with http:// or https://")]
    NotUrl,
    /// An integer out of its bounds.
    #[error("is out of range ({} to {})", bound(*.min), bound(*.max))]
    OutOfRange {
        /// Lower bound.
        min: Option<i64>,
        /// Upper bound.
        max: Option<i64>,
    },
    /// Has a character that could change the meaning of a file that it goes into.
    #[error("has the character {}, which could change the meaning of a file that it goes into", .0.escape_debug())]
    NotPlain(char),
    /// The pattern does not match.
    #[error("does not match the pattern {0}")]
    Pattern(String),
}

fn bound(value: Option<i64>) -> String {
    value.map_or_else(|| "…".to_owned(), |number| number.to_string())
}

impl Question {
    /// Whether the answer must never be seen.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.secret || matches!(self.kind, QuestionKind::Secret | QuestionKind::Password)
    }

    /// Checks `raw` and gives it the form in which the project gets it. Surrounding white space and invisible characters
    /// (pasted zero-width spaces, byte order marks) are dropped, except in secrets, where only line ends are.
    ///
    /// # Errors
    /// What the answer lacks.
    pub fn parse(&self, raw: &str) -> Result<Answer, AnswerProblem> {
        let value = if self.is_secret() {
            raw.trim_end_matches(['\r', '\n']).to_owned()
        } else {
            raw.trim_matches(|c: char| c.is_whitespace() || is_invisible(c)).to_owned()
        };
        if value.chars().any(char::is_control) {
            return Err(AnswerProblem::ControlCharacter);
        }
        if value.is_empty() {
            return if self.required {
                Err(AnswerProblem::Empty)
            } else {
                Ok(Answer::new(value, self.is_secret()))
            };
        }
        let value = self.parse_kind(value)?;
        if let Some(character) = value.chars().find(|character| self.plain && !is_plain(*character)) {
            return Err(AnswerProblem::NotPlain(character));
        }
        if let Some(pattern) = &self.pattern {
            let whole = regex_lite::Regex::new(&format!("^(?:{pattern})$"));
            if !whole.is_ok_and(|regex| regex.is_match(&value)) {
                return Err(AnswerProblem::Pattern(pattern.clone()));
            }
        }
        Ok(Answer::new(value, self.is_secret()))
    }

    fn parse_kind(&self, value: String) -> Result<String, AnswerProblem> {
        match self.kind {
            QuestionKind::Text | QuestionKind::Secret | QuestionKind::Password => Ok(value),
            QuestionKind::Bool => match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "y" | "是" => Ok("true".to_owned()),
                "false" | "no" | "n" | "否" => Ok("false".to_owned()),
                _ => Err(AnswerProblem::NotBool),
            },
            QuestionKind::Choice if self.choices.contains(&value) => Ok(value),
            QuestionKind::Choice => Err(AnswerProblem::NotInChoices(self.choices.clone())),
            QuestionKind::Host if is_host(&value) => Ok(value),
            QuestionKind::Host => Err(AnswerProblem::NotHost),
            QuestionKind::Integer => {
                let number: i64 = value.parse().map_err(|_| AnswerProblem::NotInteger)?;
                if self.min.is_some_and(|min| number < min) || self.max.is_some_and(|max| number > max) {
                    return Err(AnswerProblem::OutOfRange { min: self.min, max: self.max });
                }
                Ok(number.to_string())
            }
            QuestionKind::Path if value.starts_with('/') => Ok(value),
            QuestionKind::Path => Err(AnswerProblem::NotPath),
            QuestionKind::Port => match value.parse::<u16>() {
                Ok(port) if port > 0 => Ok(port.to_string()),
                _ => Err(AnswerProblem::NotPort),
            },
            QuestionKind::Url => match url::Url::parse(&value) {
                Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(value),
                _ => Err(AnswerProblem::NotUrl),
            },
        }
    }
}

/// Zero-width characters and byte order marks that come along when text is pasted.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

fn is_host(value: &str) -> bool {
    let label_ok = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    // All-numeric labels are an IP address or nothing: `10.0.0.256` is no host name.
    let looks_numeric = value.chars().all(|c| c.is_ascii_digit() || c == '.');
    value.parse::<IpAddr>().is_ok()
        || (!looks_numeric && value.len() <= 253 && value.split('.').all(label_ok))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: QuestionKind) -> Question {
        Question {
            id: QuestionId::parse("q").unwrap(),
            env: None,
            kind,
            prompt: Localized { zh: "问".into(), en: "q".into() },
            help: None,
            default: None,
            required: true,
            secret: false,
            pattern: None,
            min: Some(1),
            max: Some(10),
            choices: vec!["a".into(), "b".into()],
            generate: None,
            plain: false,
        }
    }

    #[test]
    fn every_kind_accepts_and_refuses() {
        use QuestionKind::*;
        for (kind, good, bad) in [
            (Bool, &["yes", "TRUE", "否"][..], &["maybe", ""][..]),
            (Choice, &["a", " b "], &["c"]),
            (Host, &["10.0.0.1", "db.internal", "::1", "my_host"], &["10.0.0.256", "-a", "a..b", "http://x"]),
            (Integer, &["1", "10"], &["0", "11", "x"]),
            (Path, &["/data"], &["data"]),
            (Port, &["80", "65535"], &["0", "65536", "http"]),
            (Text, &["x y", "\u{200b}x"], &["", "a\nb", "a\u{7}"]),
            (Url, &["http://h", "https://10.0.0.1:8/x?y"], &["h:80", "ftp://h", "http://"]),
            (Secret, &["p w ", "x\r\n"], &["a\nb"]),
        ] {
            for value in good {
                assert!(question(kind).parse(value).is_ok(), "{kind:?} should accept {value:?}");
            }
            for value in bad {
                assert!(question(kind).parse(value).is_err(), "{kind:?} should refuse {value:?}");
            }
        }
    }

    #[test]
    fn secrets_keep_their_spaces_and_are_never_shown() {
        let answer = question(QuestionKind::Secret).parse(" s3cret \n").unwrap();
        assert_eq!(answer.reveal(), " s3cret ");
        assert!(!format!("{answer:?}").contains("s3cret"));
    }

    #[test]
    fn an_answer_that_goes_into_a_template_is_plain() {
        let mut q = question(QuestionKind::Text);
        q.plain = true;
        assert!(q.parse("chat.example.com").is_ok());
        assert_eq!(q.parse("x; return 200"), Err(AnswerProblem::NotPlain(';')));
    }

    #[test]
    fn patterns_match_the_whole_answer() {
        let mut q = question(QuestionKind::Text);
        q.pattern = Some("[a-z]+".into());
        assert!(q.parse("abc").is_ok());
        assert_eq!(q.parse("abc1"), Err(AnswerProblem::Pattern("[a-z]+".into())));
    }
}
