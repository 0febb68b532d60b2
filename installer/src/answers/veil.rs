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
            let parts = credentials(secret);
            for form in parts.iter().map(String::as_str).chain([secret]).flat_map(forms) {
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

/// The name and password that stand in a URL, and the password alone, as written and as meant: whoever logs in with them says
/// them without the rest.
fn credentials(secret: &str) -> Vec<String> {
    let authority = secret.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    let pair = authority.and_then(|authority| authority.rsplit_once('@')).map(|(pair, _)| pair);
    let Some((pair, (_, password))) = pair.and_then(|pair| Some((pair, pair.split_once(':')?))) else {
        return Vec::new();
    };
    [pair, password].into_iter().flat_map(|part| [part.to_owned(), percent_decoded(part)]).collect()
}

/// What `%40` and its like stand for. What is no text afterwards stays as it is.
fn percent_decoded(text: &str) -> String {
    let hex = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok()?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u8::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    };
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        let meant = (*byte == b'%').then(|| hex(after.get(..2)?)).flatten();
        decoded.push(meant.unwrap_or(*byte));
        rest = if meant.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| text.to_owned())
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
        let table: [(&[&str], &str, &str); 14] = [
            (&["s3cret", "s3cret-longer"], "user s3cret-longer, s3cret: x", "user ******, ******: x"),
            (&["s3cret"], "s3crets3cret!", "******!"),
            (&["abcdef", "defghi"], "x abcdefghi y", "x ****** y"),
            (&["aaaa"], "aaaaaa b", "****** b"),
            (&[" p4ss "], "got p4ss\nand  p4ss .", "got ******\nand ******."),
            (&["a\"b\\c d"], r#"{"pw":"a\"b\\c d"}"#, r#"{"pw":"******"}"#),
            (&["p@ss/w d"], "postgres://u:p%40ss%2Fw%20d@db", "postgres://u:******@db"),
            (&["密码很长"], "密码很长。", "******。"),
            // The password in a URL is one by itself, as it stands there and as it is meant.
            (&["http://u:p%40ssw%2Frd@db/"], "login u, p@ssw/rd, p%40ssw%2Frd", "login u, ******, ******"),
            (&["http://u:pw@db/"], "GET http://u:pw@db:80/ as u:pw", "GET http://******@db:80/ as ******"),
            (&["postgres://u:s3cret@db/x"], "s3cret at db of u", "****** at db of u"),
            // None of these has one.
            (
                &["http://admin@db/a:b@c", "http://db/?at=u:word@x"],
                "admin at db, b, word",
                "admin at db, b, word",
            ),
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
