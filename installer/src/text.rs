//! Every sentence an operator can see, in Chinese and English, side by side: a missing translation does not compile.
//!
//! Not here: the vendor's own texts, which travel in the bundle, and technical causes (an errno, an engine's reply), which
//! are quoted as they are.

use bundle_spec::project::Localized;
use serde::{Deserialize, Serialize};

pub mod answer;
pub mod builtin;
#[cfg(test)]
mod catalogue;
pub mod cause;
pub mod columns;
pub mod command;
pub mod detached;
pub mod document;
pub mod finding;
pub mod inspect;
pub mod problem;
pub mod progress;
pub mod reference;
pub mod refusal;
pub mod sudo;
pub mod summary;
pub mod tls;
pub mod trust;
pub mod wizard;

/// A language of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// As `--lang` takes it.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of that code.
    pub fn of_code(code: &str) -> Option<Self> {
        [Self::En, Self::Zh].into_iter().find(|lang| lang.code() == code)
    }

    /// The language that the environment asks for: Chinese where the locale is Chinese and nothing hinders it.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_chinese = locale(&variable).starts_with("zh");
        if is_chinese && Self::hindered(variable).is_none() { Self::Zh } else { Self::En }
    }

    /// Whether the environment asks for no language at all, and hinders none: servers are often left like that.
    pub fn is_open(variable: impl Fn(&str) -> Option<String>) -> bool {
        let is_neutral = matches!(locale(&variable).as_str(), "" | "c" | "posix" | "c.utf-8" | "c.utf8");
        is_neutral && variable("TERM").as_deref() != Some("linux")
    }

    /// Why Chinese is wanted and cannot be shown: a locale in another encoding than UTF-8, or the Linux console, which has no
    /// such letters.
    pub fn hindered(variable: impl Fn(&str) -> Option<String>) -> Option<Hindrance> {
        let locale = locale(&variable);
        if !locale.starts_with("zh") {
            return None;
        }
        if !locale.contains("utf-8") && !locale.contains("utf8") {
            return Some(Hindrance::Encoding);
        }
        (variable("TERM").as_deref() == Some("linux")).then_some(Hindrance::Console)
    }
}

/// Why Chinese cannot be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hindrance {
    /// The locale's encoding is not UTF-8.
    Encoding,
    /// `TERM=linux`.
    Console,
}

/// The locale of messages, in small letters.
fn locale(variable: &impl Fn(&str) -> Option<String>) -> String {
    let names = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter();
    let value = names.into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()));
    value.unwrap_or_default().to_ascii_lowercase()
}

/// One text in both languages, already filled in; which one is shown is decided where it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// English.
    pub en: String,
    /// Simplified Chinese.
    pub zh: String,
}

impl Message {
    /// The text in one language.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }

    /// Gives the text of either language to `change`.
    pub(crate) fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        let Self { en, zh } = self;
        [en, zh].into_iter().for_each(change);
    }

    /// The same in both languages: names, URLs, quoted output.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en: text.clone(), zh: text }
    }
}

impl From<&Localized> for Message {
    fn from(localized: &Localized) -> Self {
        Self { en: localized.en.clone(), zh: localized.zh.clone() }
    }
}

/// Declares messages: `name(arguments) en "…" zh "…";` with the arguments captured by name in both texts.
macro_rules! messages {
    ($($(#[$meta:meta])* $name:ident ( $($arg:ident : $type:ty),* ) en $en:literal zh $zh:literal;)*) => {
        $($(#[$meta])*
        pub fn $name($($arg: $type),*) -> $crate::text::Message {
            $crate::text::Message { en: format!($en), zh: format!($zh) }
        })*
    };
}
pub(crate) use messages;

/// A number of bytes for people: decimal units, as on the label of a disk.
pub fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 999.5 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 || value >= 99.5 {
        format!("{value:.0} {}", UNITS[unit])
    } else {
        format!("{value:.1} {}", UNITS[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_follows_locale_and_terminal() {
        let with = |locale: &str, term: &str| {
            let (locale, term) = (locale.to_owned(), term.to_owned());
            Lang::from_environment(move |name| match name {
                "LANG" => Some(locale.clone()),
                "TERM" => Some(term.clone()),
                _ => None,
            })
        };
        assert_eq!(with("zh_CN.UTF-8", "xterm"), Lang::Zh);
        assert_eq!(with("zh_CN.utf8", "screen"), Lang::Zh);
        assert_eq!(with("zh_CN.UTF-8", "linux"), Lang::En);
        assert_eq!(with("zh_CN.GB18030", "xterm"), Lang::En);
        assert_eq!(with("C", "xterm"), Lang::En);
        assert_eq!(with("zh_CN", "xterm"), Lang::En);
    }

    #[test]
    fn a_neutral_locale_leaves_the_language_open() {
        let is_open = |locale: &str, term: &str| {
            Lang::is_open(|name| match name {
                "LANG" => Some(locale.to_owned()),
                "TERM" => Some(term.to_owned()),
                _ => None,
            })
        };
        assert!(is_open("", "xterm") && is_open("C", "dumb") && is_open("C.UTF-8", "xterm"));
        assert!(
            !is_open("C.UTF-8", "linux")
                && !is_open("en_US.UTF-8", "xterm")
                && !is_open("zh_CN.UTF-8", "xterm")
        );
    }

    #[test]
    fn what_hinders_chinese_is_known_only_where_it_is_wanted() {
        let with = |locale: &str, term: &str| {
            let (locale, term) = (locale.to_owned(), term.to_owned());
            Lang::hindered(move |name| match name {
                "LC_ALL" => Some(locale.clone()),
                "TERM" => Some(term.clone()),
                _ => None,
            })
        };
        assert_eq!(with("zh_CN.UTF-8", "linux"), Some(Hindrance::Console));
        assert_eq!(with("zh_CN.GBK", "xterm"), Some(Hindrance::Encoding));
        assert_eq!(with("zh_CN.UTF-8", "xterm"), None);
        assert_eq!(with("C", "linux"), None);
    }

    #[test]
    fn sizes_read_as_on_a_disk_label() {
        let shown: Vec<_> = [0, 999, 1000, 15_300_000, 999_700_000, 1_590_000_000].map(bytes).to_vec();
        assert_eq!(shown, ["0 B", "999 B", "1.0 kB", "15.3 MB", "1.0 GB", "1.6 GB"]);
    }
}
