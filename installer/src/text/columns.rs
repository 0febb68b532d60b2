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
    for piece in pieces(text, columns) {
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

/// The same for a line as it stands: what follows goes on below its text, and not below the mark before it.
pub fn hang(line: &str, columns: usize) -> Vec<String> {
    let (mark, text) = line.split_at(mark(line));
    let margin = width(mark);
    let mut rows = wrap(text, columns.saturating_sub(margin).max(20)).into_iter();
    let first = rows.next().map(|row| format!("{mark}{row}").trim_end().to_owned());
    first.into_iter().chain(rows.map(|row| format!("{:margin$}{row}", ""))).collect()
}

/// The length of what stands before the text of a line: spaces, and a mark or a number.
fn mark(line: &str) -> usize {
    let spaces = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[spaces..];
    let digits = rest.len() - rest.trim_start_matches(|character: char| character.is_ascii_digit()).len();
    let is_number = digits > 0 && ["  ", ". "].iter().any(|end| rest[digits..].starts_with(end));
    let sign = if is_number {
        digits + 2
    } else if ["- ", "* ", "! ", "> ", "| "].iter().any(|sign| rest.starts_with(sign)) {
        2
    } else {
        0
    };
    spaces + sign
}

/// What a command for root begins with; it is copied, and so kept together as long as it fits.
const COMMAND: &str = "sudo ";
/// What ends a command.
const COMMAND_ENDS: [&str; 7] = [";", ")", "；", "。", "，", "）", " |"];

/// The parts between which a line of so many columns may be broken, trailing spaces included.
fn pieces(text: &str, columns: usize) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    let mut command_end = 0;
    for (at, character) in text.char_indices() {
        if at >= command_end && text[at..].starts_with(COMMAND) {
            let rest = &text[at..];
            let ends = COMMAND_ENDS.iter().filter_map(|end| rest.find(end));
            let len = ends.min().unwrap_or(rest.len());
            command_end = if width(&rest[..len]) <= columns { at + len } else { 0 };
        }
        let is_inside = at < command_end && !text[at..].starts_with(COMMAND);
        if !is_inside && before.is_some_and(|before| may_break(before, character)) {
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
    fn a_line_goes_on_below_its_text_and_no_name_is_cut() {
        assert_eq!(
            hang("  * 安装日志：/opt/llm-chat/.airlift/install.log", 40),
            ["  * 安装日志：", "    /opt/llm-chat/.airlift/install.log"]
        );
        assert_eq!(
            hang("   7  one two three four five six", 26),
            ["   7  one two three four", "      five six"]
        );
        assert_eq!(hang("12. 甲 乙", 40), ["12. 甲 乙"]);
        assert_eq!(hang("3 项检查通过。", 40), ["3 项检查通过。"]);
        let prompt =
            "将永久删除 /opt/llm-chat 下的全部数据（含数据库和密钥），且无法恢复。请输入 llm-chat 确认：";
        for columns in 30..90 {
            let rows = hang(prompt, columns);
            assert!(rows.iter().all(|row| width(row) <= columns && !row.ends_with("llm-")), "{rows:#?}");
        }
    }

    #[test]
    fn a_command_to_be_copied_stays_on_one_line_if_it_fits() {
        assert_eq!(
            wrap("其他机器暂时打不开。放行：sudo ufw allow 8080/tcp", 40),
            ["其他机器暂时打不开。放行：", "sudo ufw allow 8080/tcp"]
        );
        assert_eq!(
            wrap("Stop it (sudo systemctl stop nginx), or give another port.", 30),
            ["Stop it", "(sudo systemctl stop nginx),", "or give another port."]
        );
        // Longer than the line.
        assert!(wrap("sudo one two three four five six seven", 20).len() > 1);
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
