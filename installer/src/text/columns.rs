//! Lays text out by what it occupies on a terminal: a Chinese character is two columns wide and may end a line.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Characters that must not begin a line.
const CLOSING: &str = "，。；：！？、）》】”’,.;:!?)]}%";
/// Characters that must not end a line.
const OPENING: &str = "（《【“‘([{";

/// How many columns a text occupies.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text with spaces behind it, so that it occupies `columns`.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Breaks a text into lines of at most `columns`, between words and between Chinese characters.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for piece in pieces(text) {
        if !line.is_empty() && width(&line) + width(piece.trim_end()) > columns {
            lines.push(line.trim_end().to_owned());
            line.clear();
        }
        if !line.is_empty() || !piece.trim().is_empty() {
            line.push_str(piece);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// The parts between which a line may be broken, trailing spaces included.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    for (at, character) in text.char_indices() {
        if before.is_some_and(|before| may_break(before, character)) {
            pieces.push(&text[start..at]);
            start = at;
        }
        before = Some(character);
    }
    pieces.push(&text[start..]);
    pieces
}

fn may_break(before: char, after: char) -> bool {
    let is_wide = |character: char| character.width() == Some(2);
    if after == ' ' || CLOSING.contains(after) || OPENING.contains(before) {
        return false;
    }
    before == ' ' || is_wide(before) || is_wide(after)
}

/// A text without its end where it occupies more than `columns`; dots stand for what is missing.
pub fn cut(text: &str, columns: usize) -> String {
    const DOTS: &str = "...";
    let size = |character: char| character.width().unwrap_or(0);
    if text.chars().map(size).sum::<usize>() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(DOTS.len());
    let fits = |character: &char| {
        let fits = size(*character) <= left;
        left = left.saturating_sub(size(*character));
        fits
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{}{DOTS}", kept.trim_end())
}

/// Two columns: names on the left, texts on the right, wrapped below themselves.
pub fn table(rows: &[(String, String)], columns: usize) -> Vec<String> {
    const INDENT: usize = 2;
    const GAP: usize = 2;
    let left = rows.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    let margin = INDENT + left + GAP;
    let mut lines = Vec::new();
    for (name, text) in rows {
        for (number, line) in wrap(text, columns.saturating_sub(margin).max(20)).iter().enumerate() {
            let name = if number == 0 { name.as_str() } else { "" };
            lines
                .push(format!("{:INDENT$}{}{:GAP$}{line}", "", padded(name, left), "").trim_end().to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words_and_chinese_characters() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(
            wrap("检查本机是否满足要求，不做改动", 10),
            ["检查本机是", "否满足要", "求，不做改", "动"]
        );
        assert_eq!(wrap("使用 Docker 引擎", 11), ["使用 Docker", "引擎"]);
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn what_is_cut_keeps_to_its_room() {
        assert_eq!(cut("导入镜像", 8), "导入镜像");
        assert_eq!(cut("导入镜像", 7), "导入...");
        assert_eq!(cut("导入镜像", 6), "导...");
        assert_eq!(cut("Load images", 8), "Load...");
    }

    #[test]
    fn no_line_is_wider_than_allowed_and_none_begins_at_the_margin() {
        let rows = [("名称".to_owned(), "文".repeat(60)), ("--long".to_owned(), "word ".repeat(30))];
        let lines = table(&rows, 80);
        assert!(lines.iter().all(|line| width(line) <= 80), "{lines:#?}");
        assert!(lines[0].starts_with("  名称    文") && lines[1].starts_with("          文"), "{lines:#?}");
    }
}
