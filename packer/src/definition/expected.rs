//! Values of the wrong type: what was wanted, what is there, and what to write instead where that is certain. Pure.

use std::fmt;

use toml::de::DeValue;

/// What a key's value should be.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    Boolean,
    Integer,
    /// A list; of what, in words.
    List(&'a str),
    /// In words.
    Other(&'a str),
    Text,
}

impl fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Integer => f.write_str("a whole number"),
            Self::List(words) | Self::Other(words) => f.write_str(words),
            Self::Text => f.write_str("a text in quotes"),
        }
    }
}

/// The whole sentence. `source` is the value as it is written.
pub fn sentence(path: &str, wanted: Wanted<'_>, value: &DeValue<'_>, source: &str) -> String {
    let sentence = format!("{path} must be {wanted}, not {}", value.type_str());
    let key = path.rsplit('.').next().unwrap_or(path);
    match instead(wanted, value, source) {
        Some(instead) => format!("{sentence}: write {key} = {instead}"),
        None => sentence,
    }
}

fn instead(wanted: Wanted<'_>, value: &DeValue<'_>, source: &str) -> Option<String> {
    let is_simple = !value.is_table() && !value.is_array();
    match wanted {
        Wanted::Boolean => {
            let text = value.as_str()?.trim().to_ascii_lowercase();
            matches!(text.as_str(), "true" | "false").then_some(text)
        }
        Wanted::Integer => value.as_str()?.trim().parse::<i64>().ok().map(|number| number.to_string()),
        Wanted::List(_) if is_simple => Some(format!("[{source}]")),
        // One that was meant for both languages, or for two.
        Wanted::Text if value.is_table() => {
            let table = value.as_table()?;
            let text = |language| table.get(language)?.get_ref().as_str().map(quoted);
            text("en")
                .or_else(|| text("zh"))
                .map(|text| format!("{text}, which is the same in both languages"))
        }
        Wanted::Text if is_simple => Some(quoted(source)),
        Wanted::List(_) | Wanted::Other(_) | Wanted::Text => None,
    }
}

/// One text where one for each language is wanted.
pub fn in_both_languages(path: &str, text: &str) -> String {
    let key = path.rsplit('.').next().unwrap_or(path);
    let is_chinese = text.chars().any(|c| ('\u{2e80}'..='\u{9fff}').contains(&c));
    let (zh, en) = if is_chinese { (text, "…") } else { ("…", text) };
    format!("{path} must be in both languages: write {key} = {{ zh = {}, en = {} }}", quoted(zh), quoted(en))
}

/// A text as TOML has it.
pub fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains(['\'', '\n']) {
        return format!("'{text}'");
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// Whether a value is what follows a header, and not what is behind an `=`. `before` is the text in front of it.
pub fn follows_header(before: &str, value: &DeValue<'_>) -> bool {
    let has_tables = |value: &DeValue<'_>| {
        value.as_array().is_some_and(|array| array.iter().all(|item| item.get_ref().is_table()))
    };
    let line = before.rsplit('\n').next().unwrap_or_default();
    (value.is_table() || has_tables(value)) && line.trim().is_empty()
}

/// A text, whole number or boolean, as text.
pub fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Boolean(boolean) => Some(boolean.to_string()),
        other => {
            other.as_str().map(str::to_owned).or_else(|| integer(other).map(|number| number.to_string()))
        }
    }
}

/// A whole number, whatever it is written in.
pub fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}
