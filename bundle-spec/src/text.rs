//! Texts from a file that nobody has checked yet, on their way to a screen.

/// Whether a character can rewrite or reorder what stands around it on a terminal, or is made to hide text.
#[must_use]
pub fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a character can make two names look the same that are not: it is not seen, or it stands for a part of a letter
/// that is one character elsewhere (accents, Japanese voicing marks, Korean letters taken apart).
#[must_use]
pub fn is_disguise(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}')
        || matches!(c, '\u{300}'..='\u{36f}' | '\u{1100}'..='\u{11ff}' | '\u{3099}' | '\u{309a}' | '\u{fe00}'..='\u{fe0f}')
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
