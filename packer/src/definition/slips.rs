//! Slips of the pen in a TOML text: what the parser says about them, said so that a person knows what to write. Pure.

use std::ops::Range;

use super::expected::quoted;

/// Sections of which there can be several, each written `[[name]]`.
const LISTS: [&str; 8] = ["action", "check", "directory", "file", "image", "link", "question", "value"];

/// One thing that the parser found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The bytes that it is about.
    pub span: Range<usize>,
    /// What is wrong, and what to write.
    pub message: String,
}

/// Explains what can be explained. What only follows from a slip on the same line is left out.
pub fn explained(text: &str, errors: Vec<Slip>) -> Vec<Slip> {
    let mut slips: Vec<Slip> = Vec::new();
    let (mut explained_line, mut twice_from) = (None, None);
    let mut errors = errors;
    errors.sort_by_key(|error| error.span.start);
    for error in errors {
        let line = line_at(text, error.span.start);
        if explained_line == Some(line.start) {
            continue;
        }
        // All keys of a section that is there twice would be there twice.
        let is_key_twice = error.message == "duplicate key";
        if is_key_twice && twice_from.is_some_and(|from| !has_header(&text[from..line.end])) {
            continue;
        }
        if is_key_twice && text[line.clone()].trim_start().starts_with('[') {
            twice_from = Some(line.end);
        }
        match explanation(text, &line, &error) {
            Some(slip) => {
                explained_line = Some(line.start);
                slips.push(slip);
            }
            None => slips.push(error),
        }
    }
    slips
}

fn explanation(text: &str, line: &Range<usize>, error: &Slip) -> Option<Slip> {
    let here = &text[line.clone()];
    if let Some((at, message)) = wide(here).filter(|_| !in_long_text(&text[..line.start])) {
        let start = line.start + at;
        return Some(Slip { span: start..start, message });
    }
    let at = boundary(here, error.span.start.saturating_sub(line.start));
    let what = error.message.as_str();
    let message = if is_behind_key(here, at) {
        "write `=` instead of `:` between key and value".to_owned()
    } else if what.starts_with("duplicate key") {
        twice(here, text.get(error.span.clone())?)
    } else if what.starts_with("unclosed table") || what.starts_with("unclosed array table") {
        format!("the header of the section is not closed: write {}", header(here))
    } else if what.starts_with("invalid basic string") || what.starts_with("invalid literal string") {
        let quote = if what.contains("basic") { '"' } else { '\'' };
        format!("a text that begins with {quote} does not end on its line: write {quote} at its end as well")
    } else if what.starts_with("missing opening quote") {
        "a text that ends with \" does not begin with one: write \" before it as well".to_owned()
    } else if what.starts_with("missing escaped value") || what.starts_with("too few unicode") {
        "between \" and \" a backslash means something: write \\\\ for it, or put the text between ' and '"
            .to_owned()
    } else {
        unquoted(here, at, what)?
    };
    Some(Slip { span: error.span.clone(), message })
}

/// Whether a colon stands here, or just before, with nothing but a key in front of it.
fn is_behind_key(line: &str, at: usize) -> bool {
    let before = line[..at].trim_end();
    let Some(before) = before.strip_suffix(':').or_else(|| line[at..].starts_with(':').then_some(before))
    else {
        return false;
    };
    let key = before.rsplit(['{', ',']).next().unwrap_or(before).trim();
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// A value that is no number, and no text for want of its quotes.
fn unquoted(line: &str, at: usize, what: &str) -> Option<String> {
    let kinds = [
        "string values must be quoted",
        "invalid float",
        "invalid integer",
        "invalid boolean",
        "invalid mantissa",
        "invalid fraction",
        "invalid exponent",
        "unexpected leading zero",
    ];
    if !kinds.iter().any(|kind| what.starts_with(kind)) {
        return None;
    }
    let start = line[..at].rfind(['=', '[', ',', '{']).map_or(0, |before| before + 1);
    let rest = &line[start..];
    let end = [rest.find([',', ']', '}']), rest.find(" #")].into_iter().flatten().min().unwrap_or(rest.len());
    let value = rest[..end].trim().trim_matches('"');
    if value.is_empty() || value.contains(['"', '\'']) {
        return None;
    }
    let lower = value.to_ascii_lowercase();
    Some(match lower.as_str() {
        "true" | "false" => format!("write {lower}, in lower case"),
        _ => format!("a text stands in quotes: write {}", quoted(value)),
    })
}

fn twice(line: &str, key: &str) -> String {
    if !line.trim_start().starts_with('[') {
        return format!("`{key}` is there twice in this section: remove one of them");
    }
    let name = section(line);
    if LISTS.contains(&name) {
        format!("write [[{name}]] instead of [{name}], each time: there can be several")
    } else {
        format!("the section [{name}] is there twice: put all of it under one header")
    }
}

fn section(line: &str) -> &str {
    line.split('#').next().unwrap_or(line).trim().trim_matches(['[', ']', ' '])
}

fn header(line: &str) -> String {
    let name = section(line);
    if LISTS.contains(&name) { format!("[[{name}]]") } else { format!("[{name}]") }
}

/// Whether one of these lines begins a section.
fn has_header(lines: &str) -> bool {
    lines.lines().any(|line| line.trim_start().starts_with('['))
}

fn line_at(text: &str, at: usize) -> Range<usize> {
    let at = boundary(text, at);
    let start = text[..at].rfind('\n').map_or(0, |before| before + 1);
    let end = text[at..].find('\n').map_or(text.len(), |len| at + len);
    start..end
}

/// The place, or that of the character it is in the middle of.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Whether a text of several lines is open behind these.
fn in_long_text(before: &str) -> bool {
    ["\"\"\"", "'''"].iter().any(|mark| !before.matches(mark).count().is_multiple_of(2))
}

/// Characters of a Chinese keyboard that stand where TOML wants those of an English one: where the first is, and what to write.
fn wide(line: &str) -> Option<(usize, String)> {
    let mut found: Vec<(usize, char, char)> = Vec::new();
    let mut rest = line.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '#' => break,
            '"' | '\'' => {
                let inside = until(&mut rest, c);
                let count = |quote| inside.iter().filter(|(_, c)| *c == quote).count();
                // A text can have a pair of them; one alone was to end the text.
                if count('“') != count('”') || inside.iter().any(|(_, c)| *c == '＂') {
                    found.extend(
                        inside.into_iter().filter(|(_, c)| "“”＂".contains(*c)).map(|(at, c)| (at, c, '"')),
                    );
                }
            }
            '“' | '‘' => {
                found.push((at, c, '"'));
                let end = if c == '“' { '”' } else { '’' };
                let inside = until(&mut rest, end);
                found.extend(inside.last().filter(|(_, c)| *c == end).map(|(at, c)| (*at, *c, '"')));
            }
            _ => found.extend(narrow(c).map(|narrow| (at, c, narrow))),
        }
    }
    let first = found.first()?.0;
    let mut writes: Vec<String> = Vec::new();
    for (_, wide, narrow) in found {
        let write = match (wide, narrow) {
            (_, ' ') => "an ordinary space instead of the wide one".to_owned(),
            _ => format!("`{narrow}` instead of `{wide}`"),
        };
        if !writes.contains(&write) {
            writes.push(write);
        }
    }
    Some((first, format!("write {}: TOML takes the characters of an English keyboard", writes.join(", "))))
}

/// What follows up to `end`, and `end` itself if it is there.
fn until(rest: &mut std::str::CharIndices<'_>, end: char) -> Vec<(usize, char)> {
    let mut inside = Vec::new();
    while let Some((at, c)) = rest.next() {
        inside.push((at, c));
        if c == end {
            break;
        }
        if c == '\\' && end == '"' {
            inside.extend(rest.next());
        }
    }
    inside
}

/// The character of an English keyboard in the place of a wide one.
fn narrow(c: char) -> Option<char> {
    match c {
        '”' | '„' | '＂' | '’' | '＇' => Some('"'),
        '、' => Some(','),
        '。' => Some('.'),
        '【' | '〔' => Some('['),
        '】' | '〕' => Some(']'),
        // Nothing of TOML has a colon there.
        '：' => Some('='),
        '\u{3000}' | '\u{a0}' => Some(' '),
        '！'..='～' => u8::try_from(u32::from(c) - 0xfee0).ok().map(char::from),
        _ => None,
    }
}
