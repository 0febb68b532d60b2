//! Screens as they are kept for people to look at: whole, in a frame, without what differs from machine to machine and from run to run.
//!
//! What differs is replaced before lines are broken, and they are broken again as the terminal does it: so the picture is the same
//! wherever the tests run. A row that goes on in the next one has `↩` for its right side.

use std::net::IpAddr;

use crate::terminal::{Terminal, cells};

/// What stands behind a number that was measured.
const UNITS: [&str; 11] = ["s", "秒", "kB", "MB", "GB", "TB", "min", "分钟", "checks", "项检查", "%"];

/// How a line begins that says what preflight has found, and how one does that says what is being done.
const FINDINGS: [&str; 4] = ["  警告  ", "  失败  ", "  warn  ", "  FAIL  "];
const LIVE: [&str; 2] = ["  进行  ", "  ...   "];

/// How a line begins that says how a service or a check is, and how one does that says that it is not there yet.
const HEALTH: &str = "      ";
const WAITING: [&str; 2] = ["      等待", "      ..."];

/// What is different in each run, and what stands for it.
pub type Replaced<'a> = [(&'a str, &'a str)];

/// The whole screen in its frame, without what differs. Of what was found on this machine, it keeps what has one of the words `found`.
#[must_use]
pub fn framed(terminal: &Terminal, replaced: &Replaced<'_>, found: &[&str]) -> String {
    let written = terminal.written();
    let text = replaced.iter().fold(written, |text, (from, to)| text.replace(from, to));
    frame(&with_one_address(steady(&text, found)), terminal.size())
}

/// The lines of a screen without what differs from run to run.
#[must_use]
pub fn steady(text: &str, found: &[&str]) -> Vec<String> {
    let lines: Vec<String> = text.split('\n').map(without_measures).collect();
    in_one_order(without_other_findings(lines, found))
}

/// A number before a unit is what was measured.
fn without_measures(line: &str) -> String {
    if let Some(mark) = LIVE.iter().find(|mark| line.starts_with(*mark)) {
        // How much of it there is room for depends on the numbers behind it.
        let title: String = line.chars().skip(mark.chars().count()).take(12).collect();
        return format!("{mark}{title} …");
    }
    let words: Vec<&str> = line.split(' ').collect();
    let shown = words.iter().enumerate().map(|(place, word)| {
        let before = word.trim_end_matches(|letter: char| letter.is_ascii_digit() || letter == '.');
        let is_unit = |next: &&str| UNITS.iter().any(|unit| next.starts_with(unit));
        let is_measured = before.len() < word.len() && words.get(place + 1).is_some_and(is_unit);
        if is_measured { format!("{before}N") } else { (*word).to_owned() }
    });
    let line = shown.collect::<Vec<_>>().join(" ");
    // Where a title is cut depends on how long the time behind it is: here it is where a word ends.
    match line.split_once("...  ").map(|(title, behind)| (title.rsplit_once(' '), behind)) {
        Some((Some((title, _)), behind)) if !title.trim().is_empty() => format!("{title} ...  {behind}"),
        _ => line,
    }
}

/// A finding begins two columns in; what belongs to it stands further in.
fn without_other_findings(lines: Vec<String>, found: &[&str]) -> Vec<String> {
    let groups = lines.chunk_by(|_, next| next.starts_with("        "));
    let is_kept = |group: &&[String]| {
        // A step that failed begins with its number.
        let said = FINDINGS.iter().find_map(|mark| group[0].strip_prefix(mark));
        let is_finding = said.is_some_and(|said| !said.starts_with('['));
        !is_finding || found.iter().any(|word| group[0].contains(word))
    };
    groups.filter(is_kept).flatten().cloned().collect()
}

/// Services become healthy in any order, and may have been waited for.
fn in_one_order(lines: Vec<String>) -> Vec<String> {
    let is_health = |line: &String| line.starts_with(HEALTH) && !line.starts_with("       ");
    let groups = lines.chunk_by(|line, next| is_health(line) && is_health(next));
    let in_order = groups.map(|group| {
        let mut group = group.to_vec();
        if group.len() > 1 {
            group.retain(|line| !WAITING.iter().any(|mark| line.starts_with(mark)));
            group.sort();
        }
        group
    });
    in_order.flatten().collect()
}

/// A list of this machine's addresses has as many as it has: one stands for all.
fn with_one_address(lines: Vec<String>) -> Vec<String> {
    let address = |line: &String| line.trim_start_matches(['>', ' ']).parse::<IpAddr>().is_ok();
    let mut shown: Vec<String> = Vec::new();
    let mut was_address = false;
    for line in lines {
        let is_address = address(&line);
        if !is_address {
            shown.push(line);
        } else if !was_address {
            shown.push(format!("{}192.0.2.10", &line[..2]));
        }
        was_address = is_address;
    }
    shown
}

/// What a terminal of this size shows when these lines are written to it.
fn frame(lines: &[String], (rows, columns): (u16, u16)) -> String {
    let mut parser = vt100::Parser::new(cells(rows), cells(columns), 0);
    parser.process(lines.join("\r\n").as_bytes());
    let screen = parser.screen();
    let bar = "─".repeat(columns.into());
    let mut text = format!("┌{bar}┐\n");
    for row in 0..rows {
        let cells = (0..columns).filter_map(|column| screen.cell(row, column));
        let letters = cells.filter(|cell| !cell.is_wide_continuation());
        let row_text: String =
            letters.map(|cell| if cell.has_contents() { cell.contents() } else { " " }).collect();
        let side = if screen.row_wrapped(row) { "↩" } else { "│" };
        text.push_str(&format!("│{row_text}{side}\n"));
    }
    text + &format!("└{bar}┘")
}
