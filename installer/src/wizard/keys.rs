//! From the bytes that a terminal sends to keys. Bytes come from a function, so that this needs no terminal.

use std::io;
use std::time::Duration;

/// What follows Esc after this long was typed, and not sent by a key; a slow line takes some time between two bytes.
const ESCAPE_GAP: Duration = Duration::from_millis(80);
/// No key sends more.
const MAX_SEQUENCE: usize = 16;

/// A key, or what comes pasted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Text(char),
    Enter,
    Escape,
    Backspace,
    Delete,
    Left,
    Right,
    Home,
    End,
    Up,
    Down,
    /// Ctrl-U: everything before the cursor.
    KillBefore,
    /// Ctrl-K: everything behind it.
    KillBehind,
    /// Ctrl-W: the word before it.
    KillWord,
    /// Ctrl-D.
    EndOfInput,
    PasteBegins,
    PasteEnds,
    Other,
}

/// Reads one key. `next` gives one byte: it waits for ever, or as long as it is told, and then gives none.
///
/// # Errors
/// Whatever `next` has; the end of input is [`io::ErrorKind::UnexpectedEof`].
pub(super) fn read(next: &mut dyn FnMut(Option<Duration>) -> io::Result<Option<u8>>) -> io::Result<Key> {
    let Some(first) = next(None)? else { return Err(io::ErrorKind::UnexpectedEof.into()) };
    Ok(match first {
        b'\r' | b'\n' => Key::Enter,
        0x7f | 0x08 => Key::Backspace,
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x04 => Key::EndOfInput,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x0b => Key::KillBehind,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x15 => Key::KillBefore,
        0x17 => Key::KillWord,
        0x1b => escape(next)?,
        0x00..=0x1f => Key::Other,
        _ => Key::Text(character(first, next)?),
    })
}

fn escape(next: &mut dyn FnMut(Option<Duration>) -> io::Result<Option<u8>>) -> io::Result<Key> {
    match next(Some(ESCAPE_GAP))? {
        None => Ok(Key::Escape),
        Some(b'[') => sequence(next),
        Some(b'O') => Ok(next(Some(ESCAPE_GAP))?.map_or(Key::Other, |last| named(last, b""))),
        Some(_) => Ok(Key::Other),
    }
}

/// What follows `ESC [`: parameters, then one letter or `~`.
fn sequence(next: &mut dyn FnMut(Option<Duration>) -> io::Result<Option<u8>>) -> io::Result<Key> {
    let mut parameters = Vec::new();
    while parameters.len() < MAX_SEQUENCE {
        match next(Some(ESCAPE_GAP))? {
            // Function keys of the Linux console.
            Some(b'[') if parameters.is_empty() => {
                next(Some(ESCAPE_GAP))?;
                return Ok(Key::Other);
            }
            Some(last @ 0x40..=0x7e) => return Ok(named(last, &parameters)),
            Some(byte) => parameters.push(byte),
            None => return Ok(Key::Other),
        }
    }
    Ok(Key::Other)
}

fn named(last: u8, parameters: &[u8]) -> Key {
    let first = parameters.split(|byte| *byte == b';').next().unwrap_or_default();
    match (last, first) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        (b'~', b"200") => Key::PasteBegins,
        (b'~', b"201") => Key::PasteEnds,
        (b'M', _) => Key::Enter,
        _ => Key::Other,
    }
}

/// One character of UTF-8; what is none is shown as such, since it was typed on a terminal of another encoding.
fn character(
    first: u8,
    next: &mut dyn FnMut(Option<Duration>) -> io::Result<Option<u8>>,
) -> io::Result<char> {
    let len = match first {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Ok(char::REPLACEMENT_CHARACTER),
    };
    let mut bytes = vec![first];
    while bytes.len() < len {
        match next(Some(ESCAPE_GAP))? {
            Some(byte) => bytes.push(byte),
            None => break,
        }
    }
    let text = std::str::from_utf8(&bytes).ok();
    Ok(text.and_then(|text| text.chars().next()).unwrap_or(char::REPLACEMENT_CHARACTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut bytes = bytes.iter().copied().collect::<std::collections::VecDeque<_>>();
        let mut next = |_| Ok(bytes.pop_front());
        std::iter::from_fn(|| read(&mut next).ok()).collect()
    }

    #[test]
    fn keys_of_all_common_terminals_are_known() {
        use Key::*;
        let table: &[(&[u8], &[Key])] = &[
            ("a中é😀".as_bytes(), &[Text('a'), Text('中'), Text('é'), Text('😀')]),
            (b"\x1b[D\x1b[C\x1b[A\x1b[B", &[Left, Right, Up, Down]),
            // Home and End: xterm, its application mode, the Linux console and tmux, rxvt.
            (
                b"\x1b[H\x1b[F\x1bOH\x1bOF\x1b[1~\x1b[4~\x1b[7~\x1b[8~",
                &[Home, End, Home, End, Home, End, Home, End],
            ),
            (b"\x1b[3~\x7f\x08", &[Delete, Backspace, Backspace]),
            // Ctrl and arrow, F5, F1 of the Linux console, Alt and a letter, Tab: nothing of them becomes text.
            (b"\x1b[1;5D\x1b[15~\x1b[[A\x1bx\t", &[Left, Other, Other, Other, Other]),
            (
                b"\x01\x05\x15\x0b\x17\x04\r",
                &[Home, End, KillBefore, KillBehind, KillWord, EndOfInput, Enter],
            ),
            (b"\x1b[200~x\x1b[201~", &[PasteBegins, Text('x'), PasteEnds]),
            (b"\x1b", &[Escape]),
            // GBK on a terminal that should be UTF-8.
            (b"\xd6", &[Text('\u{fffd}')]),
            (b"\xb0", &[Text('\u{fffd}')]),
        ];
        for (bytes, expected) in table {
            assert_eq!(keys(bytes), *expected, "{bytes:?}");
        }
    }
}
