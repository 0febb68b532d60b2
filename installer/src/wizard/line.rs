//! The line that a person edits: text, cursor, what Up brings back; and the part of it that fits on the screen. Pure.

use unicode_width::UnicodeWidthChar;

use super::keys::Key;

/// A line that is being edited.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    text: Vec<char>,
    /// Number of characters before the cursor.
    cursor: usize,
    recall: Vec<String>,
    /// Which of `recall` is shown; its length stands for what was typed.
    shown: usize,
    is_pasting: bool,
    is_hidden: bool,
}

/// What a key led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// The line goes on.
    Continue,
    /// It is what was meant.
    Submit,
    /// Esc.
    Back,
    /// Ctrl-D on an empty line.
    Leave,
}

impl Line {
    /// A line on which Up brings back what is in `recall`, the last first.
    pub(super) fn new(recall: &[String]) -> Self {
        Self { shown: recall.len(), recall: recall.to_vec(), ..Self::default() }
    }

    /// A line of which nobody can read more than how long it is.
    pub(super) fn hidden() -> Self {
        Self { is_hidden: true, ..Self::default() }
    }

    /// What stands there.
    pub(super) fn text(&self) -> String {
        self.text.iter().collect()
    }

    /// Does what a key says.
    pub(super) fn press(&mut self, key: Key) -> Effect {
        if self.is_pasting {
            self.paste(key);
            return Effect::Continue;
        }
        match key {
            Key::Enter => return Effect::Submit,
            Key::Escape => return Effect::Back,
            Key::EndOfInput if self.text.is_empty() => return Effect::Leave,
            Key::Text(character) => self.insert(character),
            Key::Backspace if self.cursor > 0 => {
                self.cursor -= 1;
                // Marks without a width of their own go with their letter.
                while self.text.remove(self.cursor).width() == Some(0) && self.cursor > 0 {
                    self.cursor -= 1;
                }
            }
            Key::Delete | Key::EndOfInput if self.cursor < self.text.len() => {
                self.text.remove(self.cursor);
            }
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(self.text.len()),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::KillBefore => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            Key::KillBehind => self.text.truncate(self.cursor),
            Key::KillWord => self.kill_word(),
            Key::Up if self.shown > 0 => self.show(self.shown - 1),
            Key::Down if self.shown < self.recall.len() => self.show(self.shown + 1),
            Key::PasteBegins => self.is_pasting = true,
            _ => {}
        }
        Effect::Continue
    }

    /// A line end at the end of what is pasted came along by mistake; one in the middle is kept, and refused by whoever asked.
    fn paste(&mut self, key: Key) {
        match key {
            Key::PasteEnds => {
                self.is_pasting = false;
                while self.cursor > 0 && self.text[self.cursor - 1] == '\n' {
                    self.cursor -= 1;
                    self.text.remove(self.cursor);
                }
            }
            Key::Enter => self.insert('\n'),
            Key::Text(character) => self.insert(character),
            _ => {}
        }
    }

    fn insert(&mut self, character: char) {
        self.text.insert(self.cursor, character);
        self.cursor += 1;
    }

    fn kill_word(&mut self) {
        let end = self.cursor;
        let before = |cursor: usize, line: &Self| cursor.checked_sub(1).map(|at| line.text[at]);
        while before(self.cursor, self).is_some_and(char::is_whitespace) {
            self.cursor -= 1;
        }
        while before(self.cursor, self).is_some_and(|character| !character.is_whitespace()) {
            self.cursor -= 1;
        }
        self.text.drain(self.cursor..end);
    }

    fn show(&mut self, number: usize) {
        self.shown = number;
        self.text = self.recall.get(number).map(|text| text.chars().collect()).unwrap_or_default();
        self.cursor = self.text.len();
    }

    /// The part that fits into `columns`, and in which of them the cursor stands.
    pub(super) fn view(&self, columns: usize) -> (String, usize) {
        let shown = |character: &char| match *character {
            _ if self.is_hidden => '*',
            character if character.is_control() => '?',
            character => character,
        };
        let text: Vec<char> = self.text.iter().map(shown).collect();
        let size = |character: &char| character.width().unwrap_or(0);
        let mut start = self.cursor;
        let mut before = 0;
        // One column stays free for the cursor.
        while start > 0 && before + size(&text[start - 1]) < columns {
            start -= 1;
            before += size(&text[start]);
        }
        let mut room = columns.saturating_sub(before + 1);
        let fits = |character: &&char| {
            let fits = size(character) <= room;
            room = room.saturating_sub(size(character));
            fits
        };
        let behind: Vec<char> = text[self.cursor..].iter().take_while(fits).copied().collect();
        (text[start..self.cursor].iter().chain(&behind).collect(), before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Key::*;

    fn after(keys: &[Key]) -> Line {
        let mut line = Line::new(&["eins".to_owned(), "zwei".to_owned()]);
        for key in keys {
            assert_eq!(line.press(*key), Effect::Continue);
        }
        line
    }

    fn typed(text: &str, keys: &[Key]) -> Line {
        after(&text.chars().map(Text).chain(keys.iter().copied()).collect::<Vec<_>>())
    }

    #[test]
    fn chinese_is_edited_by_character_and_shown_by_column() {
        let line = typed("端口中", &[Backspace]);
        assert_eq!((line.text().as_str(), line.view(40)), ("端口", ("端口".to_owned(), 4)));
        let line = typed("端口中", &[Left, Left, Text('x')]);
        assert_eq!((line.text().as_str(), line.view(40)), ("端x口中", ("端x口中".to_owned(), 3)));
        let line = typed("端口", &[Home, Delete, End, Text('1')]);
        assert_eq!(line.text(), "口1");
    }

    #[test]
    fn lines_are_edited_as_everywhere() {
        for (text, keys, expected) in [
            ("one two", &[KillWord][..], "one "),
            ("one two  ", &[KillWord], "one "),
            ("one two", &[Left, KillBefore], "o"),
            ("one two", &[Home, Right, KillBehind], "o"),
            ("abc", &[Home, Backspace, EndOfInput], "bc"),
            ("e\u{301}", &[Backspace], ""),
            ("typed", &[Up], "zwei"),
            ("typed", &[Up, Up, Up], "eins"),
            ("typed", &[Up, Down], ""),
            ("abc", &[Delete, Other, Right], "abc"),
        ] {
            assert_eq!(typed(text, keys).text(), expected, "{text} {keys:?}");
        }
        assert_eq!(typed("", &[]).press(EndOfInput), Effect::Leave);
        assert_eq!(typed("x", &[]).press(Escape), Effect::Back);
        assert_eq!(typed("x", &[]).press(Enter), Effect::Submit);
    }

    #[test]
    fn what_is_pasted_does_not_answer_by_itself() {
        let line = after(&[PasteBegins, Text('a'), Enter, PasteEnds]);
        assert_eq!(line.text(), "a");
        let line = after(&[PasteBegins, Text('a'), Enter, Text('y'), Enter, Escape, PasteEnds]);
        assert_eq!(line.text(), "a\ny");
        assert_eq!(line.view(10).0, "a?y");
    }

    #[test]
    fn the_view_follows_the_cursor_and_is_never_too_wide() {
        let text = "http://一个很长的地址.example.com/路径/再一个路径";
        for left in 0..=text.chars().count() {
            let mut line = typed(text, &vec![Left; left]);
            for columns in 4..70 {
                let (view, cursor) = line.view(columns);
                let width: usize = view.chars().filter_map(UnicodeWidthChar::width).sum();
                assert!(width <= columns && cursor < columns, "{columns}: {view} {cursor}");
            }
            line.press(End);
            assert!(line.view(10).0.ends_with("个路径"));
        }
    }

    #[test]
    fn nothing_hidden_is_in_the_view() {
        let mut line = Line::hidden();
        for character in "s3密".chars() {
            line.press(Text(character));
        }
        assert_eq!(line.view(20), ("***".to_owned(), 3));
        assert_eq!(line.text(), "s3密");
    }
}
