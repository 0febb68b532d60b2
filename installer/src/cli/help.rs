//! `--help` and `help`: rendered here, since clap's headings are English and its wrapping counts Chinese as narrow. Pure.

use clap::{Arg, ArgAction, Command};

use super::identity::Identity;
use crate::text::columns::{table, wrap};
use crate::text::{Lang, command as text};

/// The widest help: longer lines are hard to read.
const WIDEST: usize = 100;

/// Help on everything, or on one verb.
pub(super) fn render(identity: &Identity, grammar: &Command, verb: Option<&str>, lang: Lang) -> String {
    let columns = usize::from(console::Term::stdout().size().1).clamp(40, WIDEST);
    let verb = verb.and_then(|name| grammar.find_subcommand(name));
    lines(identity, grammar, verb, lang, columns).join("\n")
}

fn lines(
    identity: &Identity,
    grammar: &Command,
    verb: Option<&Command>,
    lang: Lang,
    columns: usize,
) -> Vec<String> {
    let shown = verb.unwrap_or(grammar);
    let program = identity.program();
    let usage = match verb {
        Some(verb) => text::usage_of(&program, verb.get_name(), &operands(verb)),
        None if identity.is_control() => text::usage_of_control(&program),
        None => text::usage(&program),
    };
    let mut lines = wrap(&shown.get_about().map(ToString::to_string).unwrap_or_default(), columns);
    lines.extend([String::new(), usage.in_lang(lang).to_owned()]);
    let mut section = |heading: &str, rows: Vec<(String, String)>| {
        if !rows.is_empty() {
            lines.extend([String::new(), heading.to_owned()]);
            lines.extend(table(&rows, columns));
        }
    };
    if verb.is_none() {
        section(text::commands().in_lang(lang), grammar.get_subcommands().map(verb_row).collect());
    }
    let positional = shown.get_positionals().filter(|argument| !argument.is_hide_set());
    section(
        text::operands().in_lang(lang),
        positional.map(|argument| (operand(argument), help(argument))).collect(),
    );
    let own = shown.get_opts().filter(|argument| !argument.is_global_set());
    let options = own.chain(grammar.get_arguments().filter(|argument| argument.is_global_set()));
    section(text::options().in_lang(lang), options.map(option_row).collect());
    if verb.is_none() {
        lines.extend([String::new(), text::more_help(&program).in_lang(lang).to_owned()]);
    }
    lines
}

fn is_flag(argument: &Arg) -> bool {
    matches!(argument.get_action(), ArgAction::SetTrue)
}

fn verb_row(verb: &Command) -> (String, String) {
    (verb.get_name().to_owned(), verb.get_about().map(ToString::to_string).unwrap_or_default())
}

fn option_row(argument: &Arg) -> (String, String) {
    let short = argument.get_short().map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let value = if is_flag(argument) { String::new() } else { format!(" {}", operand(argument)) };
    (format!("{short}--{}{value}", argument.get_long().unwrap_or_default()), help(argument))
}

fn help(argument: &Arg) -> String {
    argument.get_help().map(ToString::to_string).unwrap_or_default()
}

fn operand(argument: &Arg) -> String {
    let name = argument.get_value_names().and_then(|names| names.first()).map(ToString::to_string);
    format!("<{}>", name.unwrap_or_default())
}

fn operands(verb: &Command) -> String {
    verb.get_positionals()
        .map(|argument| format!(" [{}]...", operand(argument).trim_matches(['<', '>'])))
        .collect()
}

#[cfg(test)]
mod tests {
    use bundle_spec::project::{App, Localized};

    use super::super::arguments::command;
    use super::*;
    use crate::text::columns::width;

    fn identity() -> Identity {
        let title = Localized { zh: "商店".into(), en: "Shop".into() };
        Identity::Bundle(App { name: "shop".into(), version: "1.0".into(), title, vendor: None })
    }

    fn control() -> Identity {
        let Identity::Bundle(app) = identity() else { unreachable!() };
        Identity::Control { dir: "/opt/shop".into(), name: "shop".into(), app: Some(app) }
    }

    fn help_of(identity: &Identity, verb: Option<&str>, lang: Lang) -> String {
        let grammar = command(identity, lang);
        let verb = verb.and_then(|name| grammar.find_subcommand(name));
        lines(identity, &grammar, verb, lang, 80).join("\n")
    }

    #[test]
    fn chinese_help_has_no_english_heading_and_fits_the_screen() {
        for verb in [None, Some("install"), Some("logs"), Some("uninstall")] {
            let help = help_of(&identity(), verb, Lang::Zh);
            for english in ["Usage", "Commands", "Options", "Arguments", "Print", "possible"] {
                assert!(!help.contains(english), "{english}:\n{help}");
            }
            assert!(help.lines().all(|line| width(line) <= 80), "{help}");
        }
        assert!(help_of(&identity(), Some("install"), Lang::Zh).contains("默认 /opt/shop"));
    }

    #[test]
    fn the_control_offers_only_what_it_can_do() {
        let help = help_of(&control(), None, Lang::Zh);
        assert!(help.starts_with("管理商店（shop）1.0。\n\n用法：shopctl <命令> [选项]\n"), "{help}");
        assert!(
            help.contains("  status ") && !help.contains("preflight") && !help.contains("--answers"),
            "{help}"
        );
        assert_eq!(control().version(), "shop 1.0");
    }

    #[test]
    fn options_that_mean_nothing_to_a_verb_are_not_shown() {
        assert!(!help_of(&identity(), Some("verify"), Lang::En).contains("--dir"));
        assert!(help_of(&identity(), Some("verify"), Lang::En).contains("--json"));
    }
}
