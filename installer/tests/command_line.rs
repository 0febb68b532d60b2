//! The page of the command line says what the program says of itself: every command, every option, and no other.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;
use std::process::Command;

/// Described once for all commands.
const COMMON: [&str; 4] = ["--help", "--json", "--lang", "--version"];

fn page() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command-line.md");
    let text = std::fs::read_to_string(path).unwrap();
    text.split_once("\n## The bundle").unwrap().1.to_owned()
}

fn help(command: &str) -> String {
    let program = env!("CARGO_BIN_EXE_airlift-installer");
    let output = Command::new(program).args(["help", command, "--lang", "en"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The long options that lines of this kind name, without those of every command.
fn options(text: &str, is_row: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| is_row(line))
        .filter_map(|line| {
            let end = |c: char| !c.is_ascii_lowercase() && c != '-';
            let option = &line[line.find("--")?..];
            Some(&option[..option.find(end).unwrap_or(option.len())])
        })
        .filter(|option| !COMMON.contains(option))
        .collect()
}

#[test]
fn every_command_is_described_with_its_options() {
    let page = page();
    let mut described = BTreeSet::new();
    for section in page.split("\n### ").skip(1) {
        let (heading, text) = section.split_once('\n').unwrap();
        let named = options(text, |line| line.starts_with("| `"));
        for command in heading.split(", ").filter_map(|word| word.trim_matches('`').split(' ').next()) {
            let help = help(command);
            assert_eq!(
                named,
                options(&help, |line| line.trim_start().starts_with('-')),
                "{command}:\n{help}"
            );
            described.insert(command.to_owned());
        }
    }
    let all = help("");
    let commands = all.split_once("Commands:\n").unwrap().1.split("\n\n").next().unwrap();
    let known = commands.lines().filter_map(|line| line.split_whitespace().next());
    assert_eq!(described, known.filter(|name| *name != "help").map(str::to_owned).collect());
    for option in COMMON {
        assert!(page.contains(&format!("`{option}")), "{option}");
    }
}
