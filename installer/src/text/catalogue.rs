//! That the catalogue is complete. A text that is missing does not compile (docs/adr/0001), but one that was not translated, or
//! that leaves out what the other one says, does; and so does a message that is made beside the catalogue.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::cause::explained;

/// Chinese texts without a Chinese character that are right as they are.
const NOT_CHINESE: [&str; 4] = [
    // An option, and the placeholder of an id.
    "--set",
    "id",
    // Said where Chinese cannot be shown.
    "This console cannot show Chinese, so this is in English. On a terminal that can (SSH, desktop): --lang zh",
    "The locale is not UTF-8, so this is in English. For Chinese in UTF-8: --lang zh",
];

/// Where a message is made of one text for both languages, and what the text is.
const ONE_TEXT: [(&str, &str); 12] = [
    ("answers/document.rs", "empty lines and possible values in an answers file"),
    ("cli/inspect.rs", "keys, versions and empty cells"),
    ("detached/worker.rs", "nothing at all"),
    ("health.rs", "the vendor's name for a check"),
    ("install/summary.rs", "a fingerprint"),
    ("report.rs", "what is the same in every language, and nothing at all"),
    ("report/human.rs", "nothing at all"),
    ("step/run_actions.rs", "the vendor's name for an action"),
    ("text.rs", "where it is defined"),
    ("text/summary.rs", "a state of the engine's that has no name here"),
    ("wizard.rs", "references of images, and nothing at all"),
    ("wizard/review.rs", "answers, and names of variables"),
];

/// Where lines go to a person that are no messages, and what they are.
const PLAIN_LINES: [(&str, &str); 3] = [
    ("wizard.rs", "the names of the languages, before one is chosen"),
    ("wizard/console.rs", "the numbers of items"),
    ("wizard/question.rs", "the item that was chosen"),
];

/// Where messages are put together outside of the catalogue, of what.
const PUT_TOGETHER: [(&str, &str); 6] = [
    ("cli/day2.rs", "a message and names"),
    ("cli/usage.rs", "messages of the catalogue"),
    ("plan.rs", "two titles"),
    ("preflight/network.rs", "an address and a message"),
    ("wizard.rs", "a message and its margin, or what to do behind it"),
    ("wizard/review.rs", "a message and its margin"),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file by its path, without its tests.
fn files(below: &str) -> BTreeMap<String, String> {
    let (mut files, mut folders) = (BTreeMap::new(), vec![source().join(below)]);
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(source()).unwrap().display().to_string();
            if path.is_dir() {
                folders.push(path);
            } else if !name.contains("tests") && !name.ends_with("catalogue.rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
                files.insert(name, code.to_owned());
            }
        }
    }
    files
}

/// The texts in quotes, each with the code before it.
fn literals(code: &str) -> Vec<(String, String)> {
    let (mut literals, mut before) = (Vec::new(), String::new());
    let mut rest = code.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next_if(|c| *c != '\n').is_some() {},
            '\'' if rest.peek() == Some(&'"') => drop(rest.next()),
            '"' => {
                let mut text = String::new();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    text.push(c);
                    text.extend((c == '\\').then(|| rest.next()).flatten());
                }
                literals.push((std::mem::take(&mut before), text));
            }
            c => before.push(c),
        }
    }
    literals
}

/// The language that a text is given for: what stands before it is `en`, `zh: format!(` and so on.
fn language(before: &str) -> Option<&'static str> {
    let before = before.trim_end().trim_end_matches("format!(").trim_end().trim_end_matches(':');
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
    let word = before.rsplit(|c| !is_name(c)).next()?;
    ["en", "zh"].into_iter().find(|language| *language == word)
}

/// All pairs of texts, English first.
fn pairs() -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let files = files("text").into_values().chain(files("").remove("text.rs"));
    for code in files {
        let mut english = None;
        for (before, text) in literals(&code) {
            match language(&before) {
                Some("en") => english = Some(text),
                Some(_) => pairs.extend(english.take().map(|english| (english, text))),
                // Something within a text that is put together.
                None => {}
            }
        }
    }
    pairs
}

/// The names in a text's placeholders, sorted; `en` and `zh` are parts of the same.
fn placeholders(text: &str) -> Vec<String> {
    let text = text.replace("{{", "").replace("}}", "");
    let inside = text.split('{').skip(1).filter_map(|rest| rest.split(['}', ':']).next());
    let mut names: Vec<String> = inside.map(|name| name.replace("zh", "en")).collect();
    names.sort_unstable();
    names
}

/// A text without its placeholders and escapes.
fn words(text: &str) -> String {
    let mut words = String::new();
    for (position, part) in text.split(['{', '}']).enumerate() {
        words.push_str(if position % 2 == 0 { part } else { "" });
    }
    words.replace("\\n", "")
}

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

#[test]
fn every_chinese_text_is_chinese() {
    let pairs = pairs();
    assert!(pairs.len() > 500, "only {} pairs were found", pairs.len());
    let is_foreign =
        |text: &str| !is_chinese(text) && words(text).contains(|c: char| c.is_ascii_alphabetic());
    let foreign: Vec<&str> = pairs.iter().map(|(_, zh)| zh.as_str()).filter(|zh| is_foreign(zh)).collect();
    assert!(foreign.iter().all(|text| NOT_CHINESE.contains(text)), "{foreign:#?}");
    assert!(NOT_CHINESE.iter().all(|text| foreign.contains(text)), "listed in vain: {NOT_CHINESE:#?}");
    let mixed: Vec<_> = pairs.iter().filter(|(en, _)| is_chinese(en)).collect();
    assert!(mixed.is_empty(), "{mixed:#?}");
}

#[test]
fn both_texts_of_a_message_say_the_same_values() {
    let differ = |(en, zh): &&(String, String)| placeholders(en) != placeholders(zh);
    let pairs = pairs();
    let unlike: Vec<_> = pairs.iter().filter(differ).collect();
    assert!(unlike.is_empty(), "{unlike:#?}");
}

#[test]
fn what_goes_round_the_catalogue_is_listed() {
    let files = files("");
    let one_line = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
    let having = |mark: &str, is_in_catalogue: bool| {
        let has = |(name, code): &(&String, &String)| {
            (is_in_catalogue || !name.starts_with("text")) && one_line(code).contains(mark)
        };
        files.iter().filter(has).map(|(name, _)| name.as_str()).collect::<Vec<_>>()
    };
    let listed = |list: &[(&'static str, &str)]| list.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    assert_eq!(having("verbatim(", true), listed(&ONE_TEXT));
    assert_eq!(having("reporter.text(", true), listed(&PLAIN_LINES));
    assert_eq!(having("Message { en", false), listed(&PUT_TOGETHER));
}

/// What we ourselves say of a failure is told in Chinese as well.
#[test]
fn our_own_causes_are_known() {
    for (name, code) in files("") {
        for (before, text) in literals(&code) {
            let before = before.trim_end().trim_end_matches("format!(");
            let is_cause = ["quoting(", "Error::other(", "#[error("].iter().any(|end| before.ends_with(end));
            // Of services' words, and of vendors' templates, which the packer has tried.
            let is_ours = is_cause && !text.starts_with("--- ") && words(&text).len() > 1;
            let said = text.split(['{', '}']).enumerate();
            let said: String = said.map(|(place, part)| if place % 2 == 0 { part } else { "x" }).collect();
            assert!(!is_ours || is_chinese(&explained(&said).zh), "{name}: {said}");
        }
    }
}
