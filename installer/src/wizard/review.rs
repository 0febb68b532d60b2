//! The screen before anything is changed: every answer with a number, and what can be done about them.

/// What a person wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Install.
    Install,
    /// Change the answer with this number, from 1.
    Change(usize),
    /// Back to the last question.
    Back,
    /// Look at the machine again.
    Again,
    /// Save the answers.
    Save,
    /// Leave.
    Quit,
    /// Enter alone, or something else: a line typed ahead must not install anything.
    Unclear,
}

/// Understands what was typed; nothing is the way back.
pub(super) fn command(typed: Option<&str>) -> Command {
    let Some(typed) = typed else { return Command::Back };
    match typed.trim().to_lowercase().as_str() {
        "y" | "yes" | "是" | "ｙ" => Command::Install,
        "r" | "ｒ" => Command::Again,
        "s" | "ｓ" => Command::Save,
        "q" | "quit" | "ｑ" => Command::Quit,
        number => bundle_spec::question::narrow(number).parse().map_or(Command::Unclear, Command::Change),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_installs() {
        for typed in ["y", "Y", " yes ", "是", "ｙ"] {
            assert_eq!(command(Some(typed)), Command::Install, "{typed}");
        }
        for typed in ["", " ", "ye", "n", "install", "y y", "\u{1b}"] {
            assert_eq!(command(Some(typed)), Command::Unclear, "{typed}");
        }
        assert_eq!(command(Some("3")), Command::Change(3));
        assert_eq!(command(Some("１２")), Command::Change(12));
        assert_eq!(command(None), Command::Back);
        assert_eq!(command(Some("Q")), Command::Quit);
    }
}
