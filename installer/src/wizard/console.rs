//! Where a person types: one line, a list, something hidden. What is asked, and what becomes of it, is decided elsewhere; here
//! live the terminal's own manners only.
//!
//! Lists are dialoguer's. Its lines take a Chinese character for one column wide, and a full line editor would be larger than
//! everything else here together, so lines are ours (`keys`, `line`; docs/adr/0012). A terminal that cannot move its cursor
//! (`TERM=dumb`) gets plain lines and numbered lists.

use std::io::{self, BufRead};
use std::time::Duration;

use bundle_spec::question::narrow;
use dialoguer::Select;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};

use super::keys;
use super::line::{Effect, Line};
use super::theme::Look;
use crate::outcome::{Code, Failure, Outcome};
use crate::report::Reporter;
use crate::text::columns;
use crate::text::wizard as text;

/// What takes a person back to the question before, where Esc does not: `<`, and what Chinese input methods make of that key.
const BACK: [&str; 5] = ["<", "＜", "《", "〈", "‹"];
/// What stands before a line.
const MARK: &str = "> ";

/// A person with something to type on. Nothing is the way back.
pub(super) trait Console {
    /// One line. `recall` is what the key Up brings back for editing.
    fn line(&mut self, recall: &[String]) -> Outcome<Option<String>>;
    /// One of several, by its position.
    fn pick(&mut self, items: &[String], default: usize) -> Outcome<Option<usize>>;
    /// Something that nobody may read off the screen.
    fn hidden(&mut self, prompt: &str) -> Outcome<Option<String>>;
}

/// The terminal that this process was started from.
pub(super) struct Terminal<'a> {
    reporter: &'a Reporter,
    is_plain: bool,
    /// As long as somebody is asked: between two questions the kernel would show what is typed ahead, a password too.
    _raw: Option<Raw>,
}

fn is_back(typed: &str) -> bool {
    BACK.contains(&typed.trim())
}

/// The position of one of `count` items that was typed as its number, also full-width; nothing typed is the default.
fn picked(typed: &str, count: usize, default: usize) -> Option<usize> {
    match typed.trim() {
        "" => Some(default),
        number => {
            let number = narrow(number).parse::<usize>().ok();
            number.filter(|number| (1..=count).contains(number)).map(|number| number - 1)
        }
    }
}

/// A terminal that takes no commands for its cursor.
pub(super) fn is_plain() -> bool {
    std::env::var("TERM").map_or(true, |term| matches!(term.as_str(), "" | "dumb" | "cons25" | "emacs"))
}

impl<'a> Terminal<'a> {
    pub(super) fn new(reporter: &'a Reporter) -> Self {
        let is_plain = is_plain();
        // Where this fails, reading fails as well, and says why.
        let raw = if is_plain { None } else { Raw::enter(Raw::editing).ok() };
        Self { reporter, is_plain, _raw: raw }
    }

    /// One line in an editor of one row: what does not fit moves sideways.
    fn edited(&self, mut line: Line, prompt: &str) -> Outcome<Option<String>> {
        // What is pasted comes marked as such.
        self.reporter.prompt("\x1b[?2004h");
        let effect = loop {
            let columns = usize::from(console::Term::stderr().size().1);
            let margin = columns::width(prompt);
            let (view, cursor) = line.view(columns.saturating_sub(margin + 1).max(8));
            self.reporter.prompt(&format!("\r\x1b[K{prompt}{view}\r\x1b[{}C", margin + cursor));
            match keys::read(&mut next_byte).map(|key| line.press(key)) {
                Ok(Effect::Continue) => {}
                Ok(effect) => break effect,
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break Effect::Leave,
                Err(error) => return Err(broken(&error)),
            }
        };
        self.reporter.prompt("\x1b[?2004l\r\n");
        match effect {
            Effect::Leave => Err(left()),
            Effect::Back => Ok(None),
            Effect::Submit | Effect::Continue => Ok(Some(line.text()).filter(|text| !is_back(text))),
        }
    }

    fn plain(&self, prompt: &str) -> Outcome<Option<String>> {
        self.reporter.prompt(prompt);
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) => Err(left()),
            Ok(_) => Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()).filter(|text| !is_back(text))),
            Err(error) => Err(broken(&error)),
        }
    }

    /// A list by numbers.
    fn plain_pick(&self, items: &[String], default: usize) -> Outcome<Option<usize>> {
        for (position, item) in items.iter().enumerate() {
            self.reporter.text(&format!("  {}  {item}", position + 1));
        }
        loop {
            let Some(line) = self.plain(&format!("[{}] {MARK}", default + 1))? else { return Ok(None) };
            match picked(&line, items.len(), default) {
                Some(position) => return Ok(Some(position)),
                None => self.reporter.line(&text::number_wanted(items.len())),
            }
        }
    }
}

impl Console for Terminal<'_> {
    fn line(&mut self, recall: &[String]) -> Outcome<Option<String>> {
        if self.is_plain { self.plain(MARK) } else { self.edited(Line::new(recall), MARK) }
    }

    fn pick(&mut self, items: &[String], default: usize) -> Outcome<Option<usize>> {
        if self.is_plain {
            return self.plain_pick(items, default);
        }
        let room = usize::from(console::Term::stderr().size().1).saturating_sub(6).max(20);
        let shown = items.iter().map(|item| columns::cut(item, room)).collect();
        let theme = Look::listing(self.reporter.lang(), shown);
        let positions = theme.positions();
        let select = Select::with_theme(&theme).items(&positions).default(default.min(items.len() - 1));
        select.interact_opt().map_err(|error| broken(&error))
    }

    fn hidden(&mut self, prompt: &str) -> Outcome<Option<String>> {
        let prompt = if prompt.is_empty() { MARK.to_owned() } else { format!("{prompt} {MARK}") };
        if !self.is_plain {
            return self.edited(Line::hidden(), &prompt);
        }
        let _raw = Raw::enter(Raw::silent).map_err(|error| broken(&error))?;
        let typed = self.plain(&prompt);
        self.reporter.prompt("\n");
        typed
    }
}

/// The terminal in another state, until this is dropped. A signal puts it back too (`host::signal`).
struct Raw(Termios);

impl Raw {
    fn enter(change: fn(&mut Termios)) -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut changed = before.clone();
        change(&mut changed);
        // What was typed ahead is kept.
        tcsetattr(io::stdin(), OptionalActions::Drain, &changed)?;
        Ok(Self(before))
    }

    /// Every byte as it comes, and nothing shown by the kernel; Ctrl-C stays a signal. Ctrl-Z would leave the shell with this.
    fn editing(state: &mut Termios) {
        state.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN;
        state.special_codes[SpecialCodeIndex::VSUSP] = 0;
        state.special_codes[SpecialCodeIndex::VMIN] = 1;
        state.special_codes[SpecialCodeIndex::VTIME] = 0;
    }

    /// Nothing that is typed is shown.
    fn silent(state: &mut Termios) {
        state.local_modes -= LocalModes::ECHO;
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// One byte, unbuffered: what follows may be for a list.
fn next_byte(limit: Option<Duration>) -> io::Result<Option<u8>> {
    let stdin = io::stdin();
    if let Some(limit) = limit {
        let limit = Timespec { tv_sec: 0, tv_nsec: i64::from(limit.subsec_nanos()) };
        let mut input = [PollFd::new(&stdin, PollFlags::IN)];
        if poll(&mut input, Some(&limit))? == 0 {
            return Ok(None);
        }
    }
    let mut byte = [0];
    loop {
        match rustix::io::read(&stdin, &mut byte) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => return Ok(Some(byte[0])),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Ctrl-D, or a terminal that went away.
fn left() -> Box<Failure> {
    Failure::calm(Code::Answers, text::nothing_changed())
}

fn broken(error: &dyn std::error::Error) -> Box<Failure> {
    Failure::new(Code::Answers, text::broken_off()).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_is_what_an_input_method_makes_of_it_too() {
        for typed in ["<", " < ", "＜", "《", "《 ", "〈", "‹"] {
            assert!(is_back(typed), "{typed}");
        }
        // An answer may begin with it.
        for typed in ["", "《红楼梦》", "<b>", "<<", "》", ">"] {
            assert!(!is_back(typed), "{typed}");
        }
    }

    #[test]
    fn an_item_is_taken_by_its_number_however_wide() {
        for (typed, expected) in [
            ("", Some(2)),
            (" ", Some(2)),
            ("1", Some(0)),
            ("３", Some(2)),
            ("１２", None),
            ("0", None),
            ("一", None),
        ] {
            assert_eq!(picked(typed, 3, 2), expected, "{typed}");
        }
    }
}
