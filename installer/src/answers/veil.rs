//! Secrets in texts that somebody else wrote: the log of a service, the answer of a check, what Compose says. Pure.
//!
//! Not here: which texts go through it. Everything that is printed or logged does, in `report`.

use std::borrow::Cow;
use std::ops::Range;

use bundle_spec::answer::{Answer, Answers};

/// What stands for a secret, the same as in [`Answer::shown`]: how long the secret is cannot be seen.
pub const MASK: &str = "******";

/// Characters that a secret has at least to be looked for. A shorter one is found by chance in every other line, and what is
/// missing there would tell it.
const SHORTEST: usize = 4;

/// The secrets of an installation in every form in which they are looked for.
#[derive(Clone, Default)]
pub struct Veil {
    forms: Vec<String>,
}

/// Shows nothing of what it hides.
impl std::fmt::Debug for Veil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Veil")
    }
}

impl Veil {
    /// Hides the secrets among answers, and what was made from them.
    pub fn of(answers: &Answers) -> Self {
        let mut veil = Self::default();
        veil.hide(answers.secrets().map(Answer::reveal));
        veil
    }

    /// Hides more secrets.
    pub fn hide<'s>(&mut self, secrets: impl IntoIterator<Item = &'s str>) {
        for secret in secrets {
            for form in forms(secret) {
                if form.chars().count() >= SHORTEST && !self.forms.contains(&form) {
                    self.forms.push(form);
                }
            }
        }
    }

    /// The text without secrets.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found: Vec<Range<usize>> = self.forms.iter().flat_map(|form| places(text, form)).collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|place| place.start);
        let (mut masked, mut end) = (String::new(), 0);
        for place in found {
            // Secrets may be parts of each other, or overlap.
            if place.start > end || masked.is_empty() {
                masked.push_str(&text[end..place.start]);
                masked.push_str(MASK);
            }
            end = end.max(place.end);
        }
        masked.push_str(&text[end..]);
        Cow::Owned(masked)
    }
}

/// A secret as it is, with the spaces around it lost, in a JSON string, and in a URL.
fn forms(secret: &str) -> [String; 4] {
    let json = serde_json::to_string(secret).unwrap_or_default();
    let json = json.strip_prefix('"').and_then(|json| json.strip_suffix('"')).unwrap_or_default();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let in_url = |byte: u8| if is_plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") };
    [secret.to_owned(), secret.trim().to_owned(), json.to_owned(), secret.bytes().map(in_url).collect()]
}

/// Where a form is in a text, overlapping places as well.
fn places<'t>(text: &'t str, form: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + text.get(from..)?.find(form)?;
        from = start + form.chars().next().map_or(1, char::len_utf8);
        Some(start..start + form.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], text: &str) -> String {
        let mut veil = Veil::default();
        veil.hide(secrets.iter().copied());
        veil.mask(text).into_owned()
    }

    #[test]
    fn no_part_of_a_secret_is_left_in_what_others_say() {
        let table: [(&[&str], &str, &str); 10] = [
            (&["s3cret", "s3cret-longer"], "user s3cret-longer, s3cret: x", "user ******, ******: x"),
            (&["s3cret"], "s3crets3cret!", "******!"),
            (&["abcdef", "defghi"], "x abcdefghi y", "x ****** y"),
            (&["aaaa"], "aaaaaa b", "****** b"),
            (&[" p4ss "], "got p4ss\nand  p4ss .", "got ******\nand ******."),
            (&["a\"b\\c d"], r#"{"pw":"a\"b\\c d"}"#, r#"{"pw":"******"}"#),
            (&["p@ss/w d"], "postgres://u:p%40ss%2Fw%20d@db", "postgres://u:******@db"),
            (&["密码很长"], "密码很长。", "******。"),
            // Too short to be looked for.
            (&["", "x", "abc"], "abc x", "abc x"),
            (&["****"], "a **** b", "a ****** b"),
        ];
        for (secrets, text, expected) in table {
            assert_eq!(masked(secrets, text), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn a_secret_is_nowhere_whatever_stands_around_it(
            secret in "[a-c密]{4,8}", before in "[a-c密 ]{0,12}", after in "[a-c密 ]{0,12}"
        ) {
            let text = masked(&[&secret], &format!("{before}{secret}{after}"));
            proptest::prop_assert!(text.contains(MASK) && !text.contains(&secret), "{}", text);
        }
    }
}
