//! The grammar of the command line, with help in both languages: one for the bundle, one for `<app>ctl`.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, Command};

use super::identity::Identity;
use crate::text::{Hindrance, Lang, Message, command as text};

/// The language, found before anything else is parsed: even errors are said in it.
pub(super) fn early_lang(arguments: &[OsString]) -> Lang {
    let given = lang_given(arguments).and_then(Lang::of_code);
    given.unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()))
}

/// What `--lang` says.
fn lang_given(arguments: &[OsString]) -> Option<&str> {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    let mut chosen = None;
    while let Some(word) = words.next() {
        let value = if word == "--lang" { words.next() } else { word.strip_prefix("--lang=") };
        chosen = value.or(chosen);
    }
    chosen
}

/// Why a Chinese operator reads English, if so, and how to change that. In English, since that is what can be shown.
pub(super) fn language_note(arguments: &[OsString]) -> Option<Message> {
    if lang_given(arguments).is_some() || !std::io::stderr().is_terminal() {
        return None;
    }
    let hindrance = Lang::hindered(|name| std::env::var(name).ok())?;
    Some(match hindrance {
        Hindrance::Console => text::console_without_chinese(),
        Hindrance::Encoding => text::encoding_without_chinese(),
    })
}

/// The whole grammar. clap's own help is in English; ours is rendered by [`super::help`].
pub(super) fn command(identity: &Identity, lang: Lang) -> Command {
    let grammar = Grammar { lang, default_dir: identity.default_dir() };
    let root = Command::new("airlift")
        .bin_name(identity.program())
        .about(identity.about(lang))
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .args(grammar.common());
    let verbs = [
        grammar.verb("status", text::status()).arg(grammar.dir()),
        grammar.verb("logs", text::logs()).args(grammar.log_arguments()),
        grammar.verb("start", text::start()).arg(grammar.dir()),
        grammar.verb("stop", text::stop()).arg(grammar.dir()),
        grammar.verb("restart", text::restart()).arg(grammar.dir()),
        grammar.verb("uninstall", text::uninstall()).args(grammar.uninstall_arguments()),
        grammar
            .verb("help", text::help())
            .arg(Arg::new("of").value_name(text::value_command().in_lang(lang).to_owned()).hide(true)),
    ];
    let root = root.arg(grammar.flag("version", text::arg_version()).short('V'));
    if identity.is_control() {
        return root.arg(grammar.dir()).subcommands(verbs);
    }
    root.args(grammar.install_arguments())
        .subcommand(grammar.verb("install", text::install()).args(grammar.install_arguments()))
        .subcommand(grammar.verb("preflight", text::preflight()).args(grammar.install_arguments()))
        .subcommand(grammar.verb("verify", text::verify()).arg(grammar.valued(
            "key",
            text::value_key(),
            text::arg_trust(),
        )))
        .subcommand(grammar.verb("inspect", text::inspect()))
        .subcommand(grammar.verb("answers", text::answers()).arg(grammar.flag("schema", text::arg_schema())))
        .subcommands(verbs)
}

struct Grammar {
    lang: Lang,
    default_dir: String,
}

impl Grammar {
    fn say(&self, message: &Message) -> String {
        message.in_lang(self.lang).to_owned()
    }

    fn verb(&self, name: &'static str, about: Message) -> Command {
        Command::new(name).about(self.say(&about)).disable_help_flag(true)
    }

    fn flag(&self, name: &'static str, help: Message) -> Arg {
        Arg::new(name).long(name).action(ArgAction::SetTrue).help(self.say(&help))
    }

    fn valued(&self, name: &'static str, value: Message, help: Message) -> Arg {
        Arg::new(name).long(name).value_name(self.say(&value)).help(self.say(&help))
    }

    /// Arguments of every verb.
    fn common(&self) -> [Arg; 3] {
        let lang = Arg::new("lang").long("lang").value_name("zh|en").help(self.say(&text::arg_lang()));
        [
            lang.value_parser(PossibleValuesParser::new(["zh", "en"])).global(true),
            self.flag("json", text::arg_json()).global(true),
            self.flag("help", text::arg_help()).short('h').global(true),
        ]
    }

    fn dir(&self) -> Arg {
        self.valued("dir", text::value_dir(), text::arg_dir(&self.default_dir))
            .value_parser(ValueParser::path_buf())
    }

    fn install_arguments(&self) -> Vec<Arg> {
        vec![
            self.valued("answers", text::value_file(), text::arg_answers())
                .value_parser(clap::value_parser!(PathBuf)),
            self.valued("set", text::value_set(), text::arg_set()).action(ArgAction::Append),
            self.flag("yes", text::arg_yes()).short('y'),
            self.valued("accept", text::value_id(), text::arg_accept()).action(ArgAction::Append),
            self.flag("strict", text::arg_strict()),
            self.flag("dry-run", text::arg_dry_run()),
            self.flag("verify-first", text::arg_verify_first()),
            self.valued("trust", text::value_key(), text::arg_trust()),
            self.dir(),
            Arg::new("engine")
                .long("engine")
                .value_name("auto|system|private")
                .value_parser(PossibleValuesParser::new(["auto", "system", "private"]))
                .help(self.say(&text::arg_engine())),
        ]
    }

    fn uninstall_arguments(&self) -> [Arg; 3] {
        [
            self.flag("purge", text::arg_purge()),
            self.flag("yes", text::arg_yes_uninstall()).short('y'),
            self.dir(),
        ]
    }

    fn log_arguments(&self) -> [Arg; 4] {
        [
            self.flag("follow", text::arg_follow()).short('f'),
            self.valued("tail", text::value_count(), text::arg_tail()).value_parser(line_count),
            self.dir(),
            Arg::new("services")
                .value_name(self.say(&text::value_services()))
                .num_args(0..)
                .help(self.say(&text::arg_services())),
        ]
    }
}

/// A number of lines as Compose takes it. The text of the error is not shown: see [`super::usage`].
fn line_count(text: &str) -> Result<String, String> {
    let is_count = text == "all" || text.parse::<u32>().is_ok();
    if is_count { Ok(text.to_owned()) } else { Err(String::new()) }
}
