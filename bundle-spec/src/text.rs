//! Texts from a file that nobody has checked yet, on their way to a screen.

/// Whether a character can rewrite or reorder what stands around it on a terminal.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` on one line of bounded length, with hostile characters escaped.
#[must_use]
pub fn tame(text: &str) -> String {
    const MAX: usize = 300;
    let mut tame = String::new();
    for c in text.chars().take(MAX) {
        if is_hostile(c) { tame.extend(c.escape_unicode()) } else { tame.push(c) }
    }
    if text.chars().nth(MAX).is_some() {
        tame.push('…');
    }
    tame
}

#[cfg(test)]
mod tests {
    use super::tame;

    #[test]
    fn hostile_characters_are_escaped_and_long_texts_cut() {
        assert_eq!(tame("plain 文本"), "plain 文本");
        assert_eq!(tame("a\u{1b}[2J\u{202e}b"), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(tame(&"x".repeat(1_000)).chars().count(), 301);
    }
}
