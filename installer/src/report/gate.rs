//! What others have written, on its way to a screen or a log: secrets are masked, and nothing is left that a terminal obeys.
//! A service can write what it likes into its log, and whoever sends it a request can make it.
//!
//! Escape sequences that are whole (colours, titles of windows, cursor movements) go, since they mean nothing here; whatever
//! else a terminal would obey is shown by its number. Line ends and tabs stay.

use std::borrow::Cow;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bundle_spec::text::is_hostile;

use crate::answers::veil::Veil;

/// Characters that a control sequence has at most: longer ones are none.
const SEQUENCE_MAX: usize = 64;
/// The same for a string, such as the title of a window.
const STRING_MAX: usize = 2048;

/// What every text passes.
#[derive(Debug, Default)]
pub(super) struct Gate {
    veil: Mutex<Veil>,
}

impl Gate {
    /// From now on these do not pass.
    pub(super) fn hide<'s>(&self, secrets: impl IntoIterator<Item = &'s str>) {
        self.veil().hide(secrets);
    }

    fn veil(&self) -> MutexGuard<'_, Veil> {
        self.veil.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Masks the secrets in a text of our own.
    pub(super) fn mask(&self, text: &mut String) {
        let veil = self.veil();
        replace(text, |text| veil.mask(text));
    }

    /// Makes one text fit to be seen.
    pub(super) fn clean(&self, text: &mut String) {
        let veil = self.veil();
        replace(text, |text| veil.mask(text));
        if replace(text, plain) {
            // What stood apart may have been a secret with colours in it.
            replace(text, |text| veil.mask(text));
        }
    }
}

fn replace(text: &mut String, by: impl Fn(&str) -> Cow<'_, str>) -> bool {
    let Cow::Owned(other) = by(text) else { return false };
    *text = other;
    true
}

/// A text with nothing in it that a terminal obeys.
pub(super) fn plain(text: &str) -> Cow<'_, str> {
    let is_plain = |c: char| matches!(c, '\n' | '\t') || !is_hostile(c);
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        if let Some(len) = sequence(c, after) {
            rest = &after[len..];
            continue;
        }
        rest = after;
        match c {
            c if is_plain(c) => plain.push(c),
            // A carriage return alone goes back to the line's beginning: what follows is another line.
            '\r' if rest.is_empty() || rest.starts_with(['\r', '\n']) => {}
            '\r' => plain.push('\n'),
            c => plain.extend(c.escape_unicode()),
        }
    }
    Cow::Owned(plain)
}

/// The length of what belongs to a whole escape sequence that begins with `c`, without `c` itself.
fn sequence(c: char, after: &str) -> Option<usize> {
    match c {
        '\u{1b}' => {
            let kind = after.chars().next()?;
            let rest = &after[kind.len_utf8()..];
            let len = match kind {
                '[' => control(rest)?,
                ']' | 'P' | 'X' | '^' | '_' => string(rest)?,
                ' '..='/' => {
                    rest.find(|c| !matches!(c, ' '..='/')).filter(|len| {
                        *len < SEQUENCE_MAX && rest[*len..].starts_with(|c| matches!(c, '0'..='~'))
                    })? + 1
                }
                '0'..='~' => 0,
                _ => return None,
            };
            Some(kind.len_utf8() + len)
        }
        '\u{9b}' => control(after),
        '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => string(after),
        _ => None,
    }
}

/// Parameters, then what is in between, then the one character that says what is meant.
fn control(text: &str) -> Option<usize> {
    let len = text.find(|c| !matches!(c, ' '..='?')).filter(|len| *len < SEQUENCE_MAX)?;
    text[len..].starts_with(|c| matches!(c, '@'..='~')).then_some(len + 1)
}

/// Up to what ends it, on the same line: one without an end would swallow what we say after it.
fn string(text: &str) -> Option<usize> {
    let ends = |c: char| matches!(c, '\u{7}' | '\u{9c}' | '\u{1b}' | '\n');
    let (start, end) = text.char_indices().take(STRING_MAX).find(|(_, c)| ends(*c))?;
    match end {
        '\u{1b}' => text[start..].starts_with("\u{1b}\\").then_some(start + 2),
        '\n' => None,
        end => Some(start + end.len_utf8()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_passes() {
        let table = [
            ("plain 文本\n\tmore", "plain 文本\n\tmore"),
            ("\u{1b}[1;32mINFO\u{1b}[0m up", "INFO up"),
            ("\u{1b}[2J\u{1b}[H\u{1b}[?1049hgone", "gone"),
            ("\u{1b}]0;title\u{7}a\u{1b}]52;c;ZWNobw==\u{1b}\\b", "ab"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}Pq#0\u{1b}\\x\u{1b}(B\u{1b}cy\u{1b}7", "xy"),
            ("\u{9b}31mred\u{9d}0;t\u{9c}.", "red."),
            ("10%\r20%\r\n30%\r", "10%\n20%\n30%"),
            ("a\u{8}\u{7}\u{0}\u{7f}b", "a\\u{8}\\u{7}\\u{0}\\u{7f}b"),
            ("\u{202e}txt\u{2066}\u{200f}", "\\u{202e}txt\\u{2066}\\u{200f}"),
            // What is not whole takes nothing of what follows with it.
            ("\u{1b}]0;no end. Next: run again\nmore", "\\u{1b}]0;no end. Next: run again\nmore"),
            ("\u{1b}[31", "\\u{1b}[31"),
            ("\u{1b}[31\nx", "\\u{1b}[31\nx"),
            ("\u{1b}", "\\u{1b}"),
            ("\u{1b}\u{1b}[0m", "\\u{1b}"),
            ("\u{9b}密", "\\u{9b}密"),
        ];
        for (text, expected) in table {
            assert_eq!(plain(text), expected, "{text:?}");
        }
        let long = format!("\u{1b}[{}m", "1;".repeat(SEQUENCE_MAX));
        assert!(plain(&long).starts_with("\\u{1b}[1;1;"));
    }

    #[test]
    fn a_secret_with_colours_in_it_is_one() {
        let gate = Gate::default();
        gate.hide(["s3cret", "with\u{7}bell"]);
        for text in ["s3cret", "s3\u{1b}[31mcret", "with\u{7}bell"] {
            let mut text = text.to_owned();
            gate.clean(&mut text);
            assert_eq!(text, "******");
        }
    }

    proptest::proptest! {
        #[test]
        fn whatever_comes_in_nothing_hostile_comes_out(
            text in "([a-z;0-9\\[\\]P\\\\]|\u{1b}|\u{7}|\u{9b}|\u{9d}|\u{9c}|\r|\n|\t|密|\u{202e}){0,40}"
        ) {
            let clean = plain(&text);
            proptest::prop_assert!(!clean.chars().any(|c| is_hostile(c) && !matches!(c, '\n' | '\t')), "{:?}", clean);
            proptest::prop_assert_eq!(plain(&clean), clean.as_ref());
        }
    }
}
