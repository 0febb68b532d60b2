//! The grammar of the command line, with help in both languages.

use std::ffi::OsString;
use std::path::PathBuf;

use bundle_spec::project::App;
use clap::builder::{PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, Command};

use crate::text::{Lang, Message, command as text};

/// The language, found before anything else is parsed: even errors are said in it.
pub(super) fn early_lang(arguments: &[OsString]) -> Lang {
    let mut words = arguments.iter().filter_map(|argument| argument.to_str());
    let mut chosen = None;
    while let Some(word) = words.next() {
        let value = if word == "--lang" { words.next() } else { word.strip_prefix("--lang=") };
        chosen = value.or(chosen);
    }
    match chosen {
        Some("zh") => Lang::Zh,
        Some("en") => Lang::En,
        _ => Lang::from_environment(|name| std::env::var(name).ok()),
    }
}

/// The whole grammar.
pub(super) fn command(app: Option<&App>, lang: Lang) -> Command {
    let say = |message: Message| message.in_lang(lang).to_owned();
    let title = app.map_or_else(|| Message::verbatim("Airlift"), |app| Message::from(&app.title));
    let version = app.map_or(env!("CARGO_PKG_VERSION"), |app| app.version.as_str()).to_owned();
    let verb = |name: &'static str, about: Message| Command::new(name).about(say(about));
    Command::new(app.map_or_else(|| "airlift".to_owned(), |app| app.name.clone()))
        .bin_name(app.map_or_else(|| "airlift".to_owned(), |app| format!("{}-{}.run", app.name, app.version)))
        .about(say(text::about(title.in_lang(lang), &version)))
        .version(version)
        .disable_help_subcommand(true)
        .disable_help_flag(true)
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .global(true)
                .action(ArgAction::Help)
                .help(say(text::arg_help())),
        )
        .args(common(lang))
        .args(install_arguments(lang))
        .subcommand(verb("install", text::install()).args(install_arguments(lang)))
        .subcommand(verb("preflight", text::preflight()).args(install_arguments(lang)))
        .subcommand(verb("verify", text::verify()))
        .subcommand(verb("inspect", text::inspect()))
        .subcommand(verb("answers", text::answers()))
        .subcommand(verb("status", text::status()))
        .subcommand(verb("logs", text::logs()).args(log_arguments(lang)))
        .subcommand(verb("start", text::start()))
        .subcommand(verb("stop", text::stop()))
        .subcommand(verb("restart", text::restart()))
        .subcommand(verb("uninstall", text::uninstall()).arg(flag("purge", text::arg_purge(), lang)))
}

fn flag(name: &'static str, help: Message, lang: Lang) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help.in_lang(lang).to_owned())
}

/// Arguments of every verb.
fn common(lang: Lang) -> [Arg; 3] {
    let say = |message: Message| message.in_lang(lang).to_owned();
    [
        Arg::new("lang")
            .long("lang")
            .global(true)
            .value_parser(PossibleValuesParser::new(["zh", "en"]))
            .help(say(text::arg_lang())),
        flag("json", text::arg_json(), lang).global(true),
        Arg::new("dir")
            .long("dir")
            .global(true)
            .value_name("DIR")
            .value_parser(ValueParser::path_buf())
            .help(say(text::arg_dir())),
    ]
}

fn install_arguments(lang: Lang) -> Vec<Arg> {
    let say = |message: Message| message.in_lang(lang).to_owned();
    vec![
        Arg::new("answers")
            .long("answers")
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help(say(text::arg_answers())),
        Arg::new("set")
            .long("set")
            .value_name("id=value")
            .action(ArgAction::Append)
            .help(say(text::arg_set())),
        flag("yes", text::arg_yes(), lang).short('y'),
        flag("dry-run", text::arg_dry_run(), lang),
        flag("verify-first", text::arg_verify_first(), lang),
        Arg::new("engine")
            .long("engine")
            .value_parser(PossibleValuesParser::new(["auto", "system", "private"]))
            .help(say(text::arg_engine())),
    ]
}

fn log_arguments(lang: Lang) -> Vec<Arg> {
    let say = |message: Message| message.in_lang(lang).to_owned();
    vec![
        flag("follow", text::arg_follow(), lang).short('f'),
        Arg::new("tail").long("tail").value_name("N").help(say(text::arg_tail())),
        Arg::new("services").value_name("SERVICE").num_args(0..).help(say(text::arg_services())),
    ]
}
