//! Why an answer is refused. The texts here are the packer's, for a vendor's defaults; the installer says the same in the
//! operator's language.

use crate::project::Localized;

/// Why an answer is refused. None of them repeats a whole answer: it may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerProblem {
    /// Contains a line break, another control character, or one that reorders what stands around it.
    #[error("contains a control character")]
    ControlCharacter,
    /// Nothing was given.
    #[error("is required")]
    Empty,
    /// Not `true` or `false`.
    #[error("must be true or false")]
    NotBool,
    /// Not a host name or IP address.
    #[error("is not a host name or IP address: {0}")]
    NotHost(HostProblem),
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
    /// Not an `http` or `https` URL, or not such a one as is wanted.
    #[error("is not a URL as wanted: {0}")]
    NotUrl(UrlProblem),
    /// An integer out of its bounds.
    #[error("is out of range ({} to {})", bound(*.min), bound(*.max))]
    OutOfRange {
        /// Lower bound.
        min: Option<i64>,
        /// Upper bound.
        max: Option<i64>,
    },
    /// Fewer characters than wanted.
    #[error("has {len} characters, of which at least {min} are wanted")]
    TooShort {
        /// Characters that it has.
        len: usize,
        /// Characters that are wanted.
        min: u32,
    },
    /// More characters than wanted.
    #[error("has {len} characters, of which at most {max} are wanted")]
    TooLong {
        /// Characters that it has.
        len: usize,
        /// Characters that are wanted.
        max: u32,
    },
    /// Has a character that could change the meaning of a file that it goes into.
    #[error("has the character {}, which could change the meaning of a file that it goes into", .0.escape_debug())]
    NotPlain(char),
    /// The pattern does not match.
    #[error("does not match the pattern {pattern}")]
    Pattern {
        /// The regular expression.
        pattern: String,
        /// What it asks for, in the vendor's words.
        hint: Option<Localized>,
    },
}

fn bound(value: Option<i64>) -> String {
    value.map_or_else(|| "…".to_owned(), |number| number.to_string())
}

/// What is wrong with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostProblem {
    /// It begins like a URL.
    #[error("leave the http:// away")]
    Scheme,
    /// There is a port behind it.
    #[error("leave the port away")]
    Port,
    /// There is a path behind it.
    #[error("leave the path away")]
    Path,
    /// It has a space.
    #[error("there is a space in it")]
    Space,
    /// Only digits and dots, and no IPv4 address: a number is missing, above 255, or has a 0 in front.
    #[error("an IPv4 address has four numbers from 0 to 255, without zeros in front")]
    Ipv4,
    /// Letters of another script.
    #[error("it has other letters than a to z")]
    NotAscii,
    /// A part is empty, too long, or has a character that no name has.
    #[error("a name has letters, digits, - and . only")]
    Name,
}

/// What is wrong with a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlProblem {
    /// It does not begin with `http://` or `https://`.
    #[error("it must begin with http:// or https://")]
    NoScheme,
    /// It begins with another scheme.
    #[error("it begins with {0}://, not with http:// or https://")]
    OtherScheme(String),
    /// One slash behind the scheme, a backslash, or another typing error of the kind.
    #[error("behind http: or https: there must be //, and no backslash anywhere")]
    Slashes,
    /// It has a space.
    #[error("there is a space in it")]
    Space,
    /// A character that an input method made full-width.
    #[error("the character {found} is full-width: write {instead}")]
    FullWidth {
        /// What was typed.
        found: char,
        /// What was meant.
        instead: char,
    },
    /// Nothing between `//` and what follows.
    #[error("the host is missing")]
    NoHost,
    /// The host is none.
    #[error("its host is not one: {0}")]
    Host(HostProblem),
    /// What stands behind the host's colon is no port.
    #[error("its port is not from 1 to 65535")]
    Port,
    /// It names a port and must not.
    #[error("it must not name a port")]
    PortForbidden {
        /// The port.
        port: u16,
        /// Why, in the vendor's words.
        hint: Option<Localized>,
    },
    /// It names no port and must.
    #[error("it must name a port")]
    PortMissing {
        /// Why, in the vendor's words.
        hint: Option<Localized>,
    },
    /// It has a path and must not.
    #[error("nothing may stand behind the host")]
    PathForbidden {
        /// Why, in the vendor's words.
        hint: Option<Localized>,
    },
    /// It has no path and must.
    #[error("a path must stand behind the host")]
    PathMissing {
        /// Why, in the vendor's words.
        hint: Option<Localized>,
    },
}
