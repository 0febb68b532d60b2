//! What another program writes for people, handed on to a terminal with nothing in it that the terminal obeys.

use std::io::{self, BufRead, BufReader, Read, Write};

use super::gate;

/// Bytes of a line that are handed on at a time: one without an end must not fill the memory.
const LINE_MAX: u64 = 64 << 10;

/// Hands on to standard output.
pub fn relay_output(from: impl Read) {
    relay(from, &mut io::stdout());
}

/// Hands on to standard error.
pub fn relay_errors(from: impl Read) {
    relay(from, &mut io::stderr());
}

/// Line by line, until the program ends or nobody reads any more.
fn relay(from: impl Read, to: &mut impl Write) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while (&mut from).take(LINE_MAX).read_until(b'\n', &mut line).is_ok_and(|len| len > 0) {
        let text = String::from_utf8_lossy(&line);
        if to.write_all(gate::plain(&text).as_bytes()).and_then(|()| to.flush()).is_err() {
            return;
        }
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_on_without_commands_however_long_they_are() {
        let long = "x".repeat(100_000);
        let text = format!("web-1  | \u{1b}[31mred\u{1b}[0m\r\n\u{1b}]0;t\u{7}{long}\nlast");
        let mut shown = Vec::new();
        relay(text.as_bytes(), &mut shown);
        assert_eq!(String::from_utf8(shown).unwrap(), format!("web-1  | red\n{long}\nlast"));
    }
}
