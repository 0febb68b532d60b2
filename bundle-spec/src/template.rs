//! Templates: project files into which answers are filled. The one place that knows their syntax.
//!
//! * `@{id}` is the answer as it is; only answers of plain characters get through ([`is_plain`]).
//! * `@{id:json}` is the answer as a JSON string with its quotes, which YAML and JavaScript read as well.
//! * A line `@if CONDITION`, `@else` or `@end` keeps or drops the lines between; such lines are not written themselves.
//! * `@@{` is the text `@{`. Every other `@` is itself.
//!
//! `$` and single braces mean nothing: configuration of nginx, shells and Compose is full of them.

use crate::question::QuestionId;

mod condition;

pub use condition::{Condition, Test};

/// Deepest nesting of `@if`.
const DEPTH_MAX: usize = 16;

/// A template that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

/// A place where an answer is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use<'t> {
    /// Line, from 1.
    pub line: usize,
    /// How it is used.
    pub kind: UseKind<'t>,
}

/// How an answer is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UseKind<'t> {
    /// `@{id}`.
    Plain(&'t QuestionId),
    /// `@{id:json}`.
    Json(&'t QuestionId),
    /// `@if`.
    Condition(&'t Condition),
}

impl Use<'_> {
    /// Whose answer.
    #[must_use]
    pub fn id(&self) -> &QuestionId {
        match self.kind {
            UseKind::Plain(id) | UseKind::Json(id) => id,
            UseKind::Condition(condition) => &condition.id,
        }
    }
}

/// One thing wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
pub struct TemplateError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

/// An answer that cannot stand where a template wants it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer to `{id}` has the character {}, which could change the meaning of the file", .character.escape_debug())]
pub struct NotPlain {
    /// Whose answer.
    pub id: QuestionId,
    /// The first character that is not plain.
    pub character: char,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Answer { id: QuestionId, is_json: bool, line: usize },
    If { condition: Condition, line: usize, then: Vec<Piece>, otherwise: Vec<Piece> },
}

/// Characters that may go into any file as they are. None of them ends a word or a line, opens or closes a quotation or a
/// block, begins a comment or names a variable in nginx, a shell, YAML, INI or TOML: an answer stays one word.
#[must_use]
pub fn is_plain(character: char) -> bool {
    character.is_alphanumeric() || "._-:/@%+=,[]*?".contains(character)
}

/// A block that is still open.
struct Open {
    condition: Condition,
    line: usize,
    then: Option<Vec<Piece>>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its lines.
    pub fn parse(text: &str) -> Result<Self, Vec<TemplateError>> {
        let mut errors = Vec::new();
        let mut open: Vec<Open> = Vec::new();
        let mut levels: Vec<Vec<Piece>> = vec![Vec::new()];
        for (number, line) in text.split_inclusive('\n').enumerate() {
            let number = number + 1;
            let mut wrong = |what: String| errors.push(TemplateError { line: number, what });
            let current = levels.last_mut();
            match directive(line.trim()) {
                Some(("if", _)) if open.len() >= DEPTH_MAX => wrong("@if is nested too deeply".to_owned()),
                Some(("if", condition)) => match Condition::parse(condition) {
                    Ok(condition) => {
                        open.push(Open { condition, line: number, then: None });
                        levels.push(Vec::new());
                    }
                    Err(error) => {
                        wrong(format!("`@if {condition}`: {error}"));
                        // Its @end is not another mistake.
                        if let Ok(condition) = Condition::parse("unknown") {
                            open.push(Open { condition, line: number, then: None });
                            levels.push(Vec::new());
                        }
                    }
                },
                Some(("else", _)) => match (open.last_mut(), current) {
                    (Some(block), Some(pieces)) if block.then.is_none() => {
                        block.then = Some(std::mem::take(pieces));
                    }
                    (Some(_), _) => wrong("there is a second @else".to_owned()),
                    _ => wrong("@else without @if".to_owned()),
                },
                Some(_) => match open.pop() {
                    Some(block) => close(block, &mut levels),
                    None => wrong("@end without @if".to_owned()),
                },
                None => {
                    if let Some(pieces) = current {
                        fill(line, number, pieces, &mut wrong);
                    }
                }
            }
        }
        errors.extend(open.iter().map(|block| {
            let what = format!("`@if {}` has no @end", block.condition);
            TemplateError { line: block.line, what }
        }));
        if errors.is_empty() { Ok(Self { pieces: levels.pop().unwrap_or_default() }) } else { Err(errors) }
    }

    /// Every use of an answer, in the order of the file.
    #[must_use]
    pub fn uses(&self) -> Vec<Use<'_>> {
        let mut found = Vec::new();
        collect(&self.pieces, &mut found);
        found
    }

    /// Fills answers in. `lookup` gives nothing for what was not asked: that is empty.
    ///
    /// # Errors
    /// The first answer that is not plain where it must be.
    pub fn render<'a>(&self, lookup: impl Fn(&str) -> Option<&'a str>) -> Result<String, NotPlain> {
        let mut text = String::new();
        write(&self.pieces, &|id| lookup(id).unwrap_or_default(), &mut text)?;
        Ok(text)
    }
}

/// `@if …`, `@else`, `@end`: the name and what follows it.
fn directive(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix('@')?;
    let (name, rest) = rest.split_once([' ', '\t']).unwrap_or((rest, ""));
    matches!((name, rest.is_empty()), ("if", _) | ("else" | "end", true)).then_some((name, rest.trim()))
}

fn close(block: Open, levels: &mut Vec<Vec<Piece>>) {
    let last = levels.pop().unwrap_or_default();
    let (then, otherwise) = match block.then {
        Some(then) => (then, last),
        None => (last, Vec::new()),
    };
    if let Some(outer) = levels.last_mut() {
        outer.push(Piece::If { condition: block.condition, line: block.line, then, otherwise });
    }
}

/// Reads the placeholders of one line.
fn fill(line: &str, number: usize, pieces: &mut Vec<Piece>, wrong: &mut impl FnMut(String)) {
    let text = |part: &str, pieces: &mut Vec<Piece>| match pieces.last_mut() {
        Some(Piece::Text(text)) => text.push_str(part),
        _ => pieces.push(Piece::Text(part.to_owned())),
    };
    let mut rest = line;
    while let Some(at) = rest.find("@{") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('@') {
            text(before, pieces);
            text("@{", pieces);
            rest = after;
            continue;
        }
        text(before, pieces);
        let Some((name, tail)) = after.split_once('}') else {
            wrong("`@{` has no `}`; write `@@{` for the characters themselves".to_owned());
            return;
        };
        let (id, is_json) = match name.split_once(':') {
            Some((id, "json")) => (id, true),
            Some((_, form)) => {
                wrong(format!("`@{{{name}}}`: there is no form `{form}`, only `json`"));
                rest = tail;
                continue;
            }
            None => (name, false),
        };
        match QuestionId::parse(id) {
            Ok(id) => pieces.push(Piece::Answer { id, is_json, line: number }),
            Err(error) => wrong(format!("`@{{{name}}}`: {error}")),
        }
        rest = tail;
    }
    text(rest, pieces);
}

fn collect<'t>(pieces: &'t [Piece], found: &mut Vec<Use<'t>>) {
    for piece in pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Answer { id, is_json, line } => {
                let kind = if *is_json { UseKind::Json(id) } else { UseKind::Plain(id) };
                found.push(Use { line: *line, kind });
            }
            Piece::If { condition, line, then, otherwise } => {
                found.push(Use { line: *line, kind: UseKind::Condition(condition) });
                collect(then, found);
                collect(otherwise, found);
            }
        }
    }
}

fn write<'a>(pieces: &[Piece], lookup: &dyn Fn(&str) -> &'a str, text: &mut String) -> Result<(), NotPlain> {
    for piece in pieces {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Answer { id, is_json: true, .. } => text.push_str(&json(lookup(id.as_str()))),
            Piece::Answer { id, is_json: false, .. } => {
                let value = lookup(id.as_str());
                if let Some(character) = value.chars().find(|character| !is_plain(*character)) {
                    return Err(NotPlain { id: id.clone(), character });
                }
                text.push_str(value);
            }
            Piece::If { condition, then, otherwise, .. } => {
                let holds = condition.holds(lookup(condition.id.as_str()));
                write(if holds { then } else { otherwise }, lookup, text)?;
            }
        }
    }
    Ok(())
}

/// A JSON string; `<`, `>` and `&` escaped too, so that it cannot end a script element of HTML.
fn json(value: &str) -> String {
    let quoted = serde_json::Value::String(value.to_owned()).to_string();
    quoted.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests;
