//! A real terminal with a person at it: a pseudo terminal, the screen that it would show, and hands that type.

use std::io::{Read, Write};
use std::num::NonZero;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use pty_process::Size;
use pty_process::blocking::{Command as OnTerminal, Pty};
use rustix::termios::{LocalModes, tcgetattr};

use crate::secrets::{self, Kind, Watch};
use crate::wait;

/// How long something may take to appear; machines are busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keys that are no letters.
pub mod key {
    /// Enter.
    pub const ENTER: &str = "\r";
    /// Escape.
    pub const ESC: &str = "\x1b";
    /// Arrow down.
    pub const DOWN: &str = "\x1b[B";
    /// Arrow up.
    pub const UP: &str = "\x1b[A";
    /// Backspace.
    pub const BACKSPACE: &str = "\x7f";
    /// Ctrl-A.
    pub const CTRL_A: &str = "\x01";
    /// Ctrl-C.
    pub const CTRL_C: &str = "\x03";
    /// Ctrl-U.
    pub const CTRL_U: &str = "\x15";
    /// Home, as xterm sends it.
    pub const HOME: &str = "\x1b[H";
}

pub(crate) fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).unwrap()
}

struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

/// A program on a terminal of its own. Dropping it kills the program.
pub struct Terminal {
    pty: Arc<Pty>,
    child: Child,
    shown: Arc<Mutex<Shown>>,
    reader: Option<JoinHandle<()>>,
    has_ended: bool,
    watch: Option<Watch>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.screen())
    }
}

impl Terminal {
    /// Starts a command on a terminal of 80 columns and 24 rows.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: Command) -> Self {
        Self::of_size(command, 24, 80)
    }

    /// Starts a command on a terminal of another size.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn of_size(command: Command, rows: u16, columns: u16) -> Self {
        let (pty, pts) = pty_process::blocking::open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let kind = Kind::of(&command);
        let child = OnTerminal::from(command).spawn(pts).unwrap();
        let watch = Watch::over(kind, child.id());
        let pty = Arc::new(pty);
        let parser = vt100::Parser::new(cells(rows), cells(columns), 1000);
        let shown = Arc::new(Mutex::new(Shown { parser, bytes: Vec::new() }));
        let (source, sink) = (Arc::clone(&pty), Arc::clone(&shown));
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end is an error: nobody holds the other side any more.
            while let Ok(len @ 1..) = (&*source).read(&mut buffer) {
                let mut shown = sink.lock().unwrap();
                shown.parser.process(&buffer[..len]);
                shown.bytes.extend_from_slice(&buffer[..len]);
            }
        });
        Self { pty, child, shown, reader: Some(reader), has_ended: false, watch }
    }

    /// The process that was started.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Types.
    ///
    /// # Panics
    /// When there is no terminal any more.
    pub fn send(&self, text: &str) {
        (&*self.pty).write_all(text.as_bytes()).unwrap_or_else(|error| panic!("{error}\n{}", self.screen()));
    }

    /// Waits until the cursor stands in a line that begins like this, then types and presses Enter.
    pub fn answer(&self, question: &str, text: &str) {
        self.wait_for_prompt(question);
        self.send(text);
        self.send(key::ENTER);
    }

    /// Waits until something can be typed behind this: the screen is complete then.
    pub fn wait_for_prompt(&self, question: &str) {
        self.wait_for(question);
        self.wait_until(&format!("a prompt after {question}"), |screen| {
            let (_, after) = screen.rsplit_once(question)?;
            let last = after.lines().last()?.trim_end();
            (last == ">" || last.ends_with(" >")).then_some(())
        });
    }

    /// Waits until the screen shows this.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text).then_some(()));
    }

    fn wait_until(&self, what: &str, is_there: impl Fn(&str) -> Option<()>) {
        wait::until(what, PATIENCE, || is_there(&self.screen()), || self.screen());
    }

    /// What the terminal shows now; a line that goes on in the next row is one line.
    ///
    /// # Panics
    /// When what reads it has failed.
    #[must_use]
    pub fn screen(&self) -> String {
        let shown = self.shown.lock().unwrap();
        let screen = shown.parser.screen();
        let mut text = String::new();
        for (row, number) in screen.rows(0, u16::MAX).zip(0..) {
            if screen.row_wrapped(number) {
                text.push_str(&row);
            } else {
                text.push_str(row.trim_end());
                text.push('\n');
            }
        }
        text.trim_end().to_owned()
    }

    /// Everything that was written to it and not erased, a line each, also what has left the screen at its upper end.
    ///
    /// # Panics
    /// When what reads it has failed.
    #[must_use]
    pub fn written(&self) -> String {
        let mut shown = self.shown.lock().unwrap();
        let screen = shown.parser.screen_mut();
        let (height, width) = (usize::from(screen.size().0.get()), screen.size().1.get());
        screen.set_scrollback(usize::MAX);
        let above = screen.scrollback();
        let mut text = String::new();
        for place in 0..above + height {
            // One row after the other comes to the upper end, until the last screen is there as a whole.
            screen.set_scrollback(above.saturating_sub(place));
            let row = u16::try_from(place.saturating_sub(above)).unwrap();
            let content = screen.rows(0, width).nth(row.into()).unwrap();
            if screen.row_wrapped(row) {
                text.push_str(&content);
            } else {
                text.push_str(content.trim_end());
                text.push('\n');
            }
        }
        let _ = text.pop();
        text
    }

    /// Its rows and columns.
    ///
    /// # Panics
    /// When what reads it has failed.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.shown.lock().unwrap().parser.screen().size();
        (rows.get(), columns.get())
    }

    /// The rows of the screen that were too short for their line, which goes on in the next row.
    ///
    /// # Panics
    /// When what reads it has failed.
    #[must_use]
    pub fn wrapped(&self) -> Vec<String> {
        let shown = self.shown.lock().unwrap();
        let screen = shown.parser.screen();
        let rows = screen.rows(0, u16::MAX).zip(0..);
        rows.filter(|(_, number)| screen.row_wrapped(*number)).map(|(row, _)| row).collect()
    }

    /// What the terminal shows now, from the last line with this text on.
    ///
    /// # Panics
    /// When it does not show that.
    #[must_use]
    pub fn screen_from(&self, text: &str) -> String {
        let screen = self.screen();
        let lines: Vec<&str> = screen.lines().collect();
        let first = lines.iter().rposition(|line| line.contains(text));
        lines[first.unwrap_or_else(|| panic!("no `{text}` in\n{screen}"))..].join("\n")
    }

    /// What the terminal shows now as a picture (SVG), from the last row with this text on.
    ///
    /// # Panics
    /// When it does not show that.
    #[must_use]
    pub fn picture_from(&self, text: &str) -> String {
        let shown = self.shown.lock().unwrap();
        let screen = shown.parser.screen();
        let columns = screen.size().1.get();
        let plain: Vec<String> = screen.rows(0, columns).collect();
        let first = plain.iter().rposition(|row| row.contains(text)).unwrap_or_else(|| panic!("no `{text}`"));
        let last = plain.iter().rposition(|row| !row.trim().is_empty()).unwrap_or(first);
        let row = |row: usize| {
            let row = u16::try_from(row).unwrap();
            (0..columns).filter_map(|column| screen.cell(row, column)).map(styled).collect::<String>()
        };
        let rows: Vec<String> = (first..=last).map(row).collect();
        anstyle_svg::Term::new().render_svg(&rows.join("\n"))
    }

    /// Everything that was ever sent to the terminal.
    ///
    /// # Panics
    /// When what reads it has failed.
    #[must_use]
    pub fn sent(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap().bytes).into_owned()
    }

    /// Gives it another size, as a person does who drags a window's corner.
    ///
    /// # Panics
    /// When it cannot be done.
    pub fn resize(&self, rows: u16, columns: u16) {
        self.pty.resize(Size::new(rows, columns)).unwrap();
        self.shown.lock().unwrap().parser.screen_mut().set_size(cells(rows), cells(columns));
    }

    /// Whether the kernel shows what is typed.
    ///
    /// # Panics
    /// When the terminal does not say.
    #[must_use]
    pub fn echoes(&self) -> bool {
        tcgetattr(&*self.pty).unwrap().local_modes.contains(LocalModes::ECHO)
    }

    /// Whether the cursor can be seen, and typed letters too.
    ///
    /// # Panics
    /// When the terminal does not say.
    #[must_use]
    pub fn is_itself_again(&self) -> bool {
        let modes = tcgetattr(&*self.pty).unwrap().local_modes;
        let echoes = modes.contains(LocalModes::ECHO | LocalModes::ICANON);
        echoes && !self.shown.lock().unwrap().parser.screen().hide_cursor()
    }

    /// Waits for the end; the exit code, or the signal as a shell tells it.
    ///
    /// # Panics
    /// When it does not end.
    pub fn end(&mut self) -> i32 {
        let child = &mut self.child;
        let mut status = None;
        let ended = || {
            status = child.try_wait().unwrap();
            status.map(drop)
        };
        let shown = Arc::clone(&self.shown);
        wait::until("the end", PATIENCE, ended, || {
            String::from_utf8_lossy(&shown.lock().unwrap().bytes).into_owned()
        });
        self.has_ended = true;
        let status = status.unwrap();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
    }
}

/// A cell with the escape sequences of its colour and weight.
fn styled(cell: &vt100::Cell) -> String {
    if cell.is_wide_continuation() {
        return String::new();
    }
    let text = if cell.has_contents() { cell.contents() } else { " " };
    let mut codes = Vec::new();
    if cell.bold() {
        codes.push("1".to_owned());
    }
    if cell.dim() {
        codes.push("2".to_owned());
    }
    if let vt100::Color::Idx(number) = cell.fgcolor() {
        codes.push(format!("38;5;{number}"));
    }
    if codes.is_empty() { text.to_owned() } else { format!("\x1b[{}m{text}\x1b[0m", codes.join(";")) }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if !self.has_ended {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if self.watch.take().is_some() {
            secrets::hear("what was sent to a terminal", &self.sent());
        }
    }
}
