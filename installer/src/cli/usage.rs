//! What was wrong with the command line, in our own words: clap's are English.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::outcome::{Code, Failure};
use crate::text::{Message, command as text};

/// The failure that an error of clap's about these arguments means.
pub(super) fn failure(error: &clap::Error, arguments: &[OsString]) -> Box<Failure> {
    let suggested =
        [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
            .into_iter()
            .find_map(|kind| words(error, kind).pop());
    // Whoever wants to install must not be led to remove.
    let typed = words(error, ContextKind::InvalidSubcommand).pop().unwrap_or_default();
    let suggested = suggested.filter(|name| name != "uninstall" || typed.starts_with("un"));
    let todo = if follows_set(&typed, arguments) {
        text::quote_value()
    } else if let Some(plain) = with_hyphens(&typed) {
        text::type_hyphens(&plain)
    } else if typed.ends_with(".toml") {
        text::did_you_mean(&format!("--answers {typed}"))
    } else {
        suggested.map_or_else(text::see_help, |name| text::did_you_mean(&name))
    };
    Failure::new(Code::Usage, what(error)).todo(todo)
}

/// An option whose hyphens a word processor has made a dash, or an input method full-width, as it is typed.
fn with_hyphens(typed: &str) -> Option<String> {
    let rest = typed.trim_start_matches(['—', '–', '－', '−', '‐', '‑', '-']);
    (typed.starts_with(|c: char| c != '-') && rest.len() < typed.len()).then(|| format!("--{rest}"))
}

/// Whether a word that is no command comes right after what `--set` has taken: a value with a space in it, or with one in place of
/// the equals sign.
fn follows_set(typed: &str, arguments: &[OsString]) -> bool {
    let set = arguments.iter().position(|argument| argument == "--set");
    !typed.is_empty() && set.and_then(|set| arguments.get(set + 2)).is_some_and(|word| word == typed)
}

fn what(error: &clap::Error) -> Message {
    // An option comes with its placeholder: `--dir <DIR>`.
    let first = |kind| words(error, kind).into_iter().next().unwrap_or_default();
    let argument = first(ContextKind::InvalidArg);
    let option = argument.split(' ').next().unwrap_or_default().trim_end_matches("...").to_owned();
    let value = first(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidSubcommand => text::no_such_command(&first(ContextKind::InvalidSubcommand)),
        ErrorKind::UnknownArgument if option.starts_with('-') => text::no_such_option(&option),
        ErrorKind::UnknownArgument => text::unexpected(&argument),
        ErrorKind::InvalidValue if value.is_empty() => text::value_missing(&option),
        ErrorKind::InvalidValue => {
            let possible = text::alternatives(&words(error, ContextKind::ValidValue));
            Message {
                en: text::value_not_possible(&option, &value, &possible.en).en,
                zh: text::value_not_possible(&option, &value, &possible.zh).zh,
            }
        }
        ErrorKind::ValueValidation => text::value_not_valid(&option, &value),
        ErrorKind::TooManyValues | ErrorKind::WrongNumberOfValues => text::unexpected(&value),
        ErrorKind::ArgumentConflict => text::given_twice(&option),
        ErrorKind::InvalidUtf8 => text::not_utf8(),
        _ => text::usage_error(),
    }
}

fn words(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    let words = match error.get(kind) {
        Some(ContextValue::String(word)) => vec![word.clone()],
        Some(ContextValue::Strings(words)) => words.clone(),
        _ => Vec::new(),
    };
    // What was typed goes to a terminal again.
    words.into_iter().map(|word| bundle_spec::text::tame(&word)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::arguments::command;
    use super::super::identity::Identity;
    use super::*;
    use crate::text::Lang;

    fn refused(line: &str) -> (String, String) {
        let words: Vec<OsString> = std::iter::once("x").chain(line.split(' ')).map(OsString::from).collect();
        let error = command(&Identity::Bare, Lang::Zh).try_get_matches_from(&words).unwrap_err();
        let failure = failure(&error, &words);
        (failure.what.zh, failure.todo.unwrap().zh)
    }

    #[test]
    fn every_mistake_is_named_in_chinese() {
        let table = [
            ("foo", "没有命令 foo。"),
            ("--bogus", "没有选项 --bogus。"),
            ("--lang fr", "--lang 的值只能是 zh、en，不能是 fr。"),
            ("--lang", "--lang 后面缺少值。"),
            ("logs --tail abc", "--tail 的值 abc 无效。"),
            ("--yes --yes", "--yes 只能给出一次。"),
            ("verify x", "此处不需要参数：x"),
            ("verify --dir x", "没有选项 --dir。"),
        ];
        for (line, expected) in table {
            assert_eq!(refused(line).0, expected, "{line}");
        }
    }

    /// Commands are copied from documents and chats.
    #[test]
    fn dashes_of_other_kinds_are_said_as_they_are_typed() {
        for (line, typed) in [("—answers x", "--answers"), ("－－dry-run", "--dry-run"), ("–yes", "--yes")]
        {
            assert!(refused(line).1.contains(typed), "{line}");
        }
        assert!(refused("answers.toml").1.contains("--answers answers.toml"));
    }

    #[test]
    fn the_nearest_name_is_offered() {
        assert!(refused("install --answrs x").1.contains("--answers"));
        assert!(refused("unistall").1.contains("是否应为 uninstall？"));
        let control = Identity::Control { dir: "/".into(), name: "x".into(), app: None };
        let error = command(&control, Lang::Zh).try_get_matches_from(["x", "install"]).unwrap_err();
        assert!(!failure(&error, &[]).todo.unwrap().zh.contains("uninstall"));
        assert!(refused("instal").1.contains("是否应为 install？"));
        for line in ["--set port 8081", "--set title=Hello World"] {
            assert!(refused(line).1.contains("--set '名称=值'"), "{line}");
        }
    }
}
