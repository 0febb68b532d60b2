//! Tests of what is said about slips of the pen: the place, what to write, and nothing that only follows from them.

use proptest::prelude::*;

use super::{APP, parse, problems};

proptest! {
    /// Whatever mixture of the characters that mean something to TOML, or that look like them.
    #[test]
    fn no_slip_makes_the_reader_panic(text in "[\\[\\]{}=\"'“”‘，：＝【　#\\\\,.:\n a1t]{0,60}") {
        let _ = parse(&text);
    }
}

/// The whole report of a definition that begins with these lines.
fn only(text: &str) -> String {
    let found = problems(text);
    assert_eq!(found.len(), 1, "{text}\n{found:#?}");
    found.into_iter().next().unwrap()
}

#[test]
fn characters_of_a_chinese_keyboard_are_named_with_what_to_write() {
    let end = ": TOML takes the characters of an English keyboard";
    for (line, said) in [
        ("vendor = “甲，乙”", "5:10: write `\"` instead of `“`, `\"` instead of `”`"),
        ("vendor = \"甲”", "5:12: write `\"` instead of `”`"),
        ("vendor = “甲\"", "5:10: write `\"` instead of `“`"),
        ("vendor = ‘甲’", "5:10: write `\"` instead of `‘`, `\"` instead of `’`"),
        ("vendor ＝ \"甲\"", "5:8: write `=` instead of `＝`"),
        ("vendor： \"甲\"", "5:7: write `=` instead of `：`"),
        ("vendor　= \"甲\"", "5:7: write an ordinary space instead of the wide one"),
        ("【compose】", "5:1: write `[` instead of `【`, `]` instead of `】`"),
        ("[requirements]\nports = [80， 443]", "6:12: write `,` instead of `，`"),
        ("[requirements]\ncores = ２", "6:9: write `2` instead of `２`"),
    ] {
        assert_eq!(only(&format!("{APP}{line}\n")), format!("{said}{end}"), "{line}");
    }
    let title = "[app]\nname = \"x\"\nversion = \"1\"\ntitle = ";
    assert_eq!(
        only(&format!("{title}{{ zh = \"甲”, en = \"X\" }}\n")),
        format!("4:18: write `\"` instead of `”`{end}")
    );
    // In a text, a comment, or a text of several lines they are what they are.
    for line in [
        "vendor = \"“甲”，乙：\" x",
        "vendor = x y # “甲”：",
        "vendor = \"\"\"\n甲，\"\"\" x",
        "vendor = '“甲”' x",
    ] {
        let found = problems(&format!("{APP}{line}\n"));
        assert!(found.iter().all(|problem| !problem.contains("keyboard")), "{line}: {found:?}");
    }
}

#[test]
fn quotes_colons_and_brackets_that_are_missing_are_named() {
    for (lines, said) in [
        ("vendor = My Company", "5:10: a text stands in quotes: write \"My Company\""),
        ("vendor = C:\\x # y", "5:10: a text stands in quotes: write 'C:\\x'"),
        ("vendor = 1.0.0", "5:13: a text stands in quotes: write \"1.0.0\""),
        (
            "vendor = x\"",
            "5:10: a text that ends with \" does not begin with one: write \" before it as well",
        ),
        (
            "vendor = \"x",
            "5:12: a text that begins with \" does not end on its line: write \" at its end as well",
        ),
        ("vendor: \"x\"", "5:7: write `=` instead of `:` between key and value"),
        ("[compose", "5:9: the header of the section is not closed: write [compose]"),
        ("[[image]\nreference = \"a\"", "5:9: the header of the section is not closed: write [[image]]"),
        ("[[file]]\ninclude = [nginx/**]", "6:12: a text stands in quotes: write \"nginx/**\""),
        ("[[file]]\ninclude = [\"a\"]\ntemplate = True", "7:12: write true, in lower case"),
    ] {
        assert_eq!(only(&format!("{APP}{lines}\n")), said);
    }
    let title = "[app]\nname = \"x\"\nversion = \"1\"\ntitle = { zh: \"甲\", en: \"X\" }\n";
    assert_eq!(only(title), "4:13: write `=` instead of `:` between key and value");
    let found = problems(&format!("{APP}[requirements]\nports = [\"80\":\"80\"]\n"));
    assert!(found.iter().all(|problem| !problem.contains("between key and value")), "{found:?}");
    for escape in ["images\\x.tar", "images\\d.tar"] {
        let found = only(&format!("{APP}vendor = \"{escape}\"\n"));
        assert!(found.contains("a backslash means something: write \\\\ for it"), "{found}");
    }
}

#[test]
fn headers_with_the_wrong_brackets_are_named() {
    for (lines, said) in [
        ("[image]\nreference = \"a\"", "5:1: write [[image]] instead of [image]: there can be several"),
        (
            "[image]\nreference = \"a\"\n[image]\nreference = \"b\"",
            "7:2: write [[image]] instead of [image], each time: there can be several",
        ),
        ("[[compose]]\nfile = \"a\"", "5:1: write [compose] instead of [[compose]]: there is one only"),
        (
            "[compose]\nfile = \"a\"\n[compose]\nfile = \"b\"",
            "7:2: the section [compose] is there twice: put all of it under one header",
        ),
        ("name = \"y\"", "5:1: `name` is there twice in this section: remove one of them"),
    ] {
        assert_eq!(only(&format!("{APP}{lines}\n")), said);
    }
    assert_eq!(
        only(&APP.replace("[app]", "[[app]]")),
        "1:1: write [app] instead of [[app]]: there is one only"
    );
    assert_eq!(
        only(&format!("image = [\"a\"]\n{APP}")),
        "1:10: image must be a list of tables, [[image]], not string"
    );
}

#[test]
fn values_of_another_type_are_written_as_they_should_be() {
    for (lines, said) in [
        (
            "vendor = { zh = \"甲\", en = \"X\" }",
            "app.vendor must be a text in quotes, not table: write vendor = \"X\", which is the same in both languages",
        ),
        ("vendor = 1.0", "app.vendor must be a text in quotes, not float: write vendor = \"1.0\""),
        ("[requirements]\ncores = \"2\"", "must be a whole number, not string: write cores = 2"),
        (
            "[requirements]\nports = 80",
            "must be a list of numbers and texts, not integer: write ports = [80]",
        ),
        (
            "[[file]]\ninclude = \"x\"",
            "file.include must be a list of texts, not string: write include = [\"x\"]",
        ),
        (
            "[[file]]\ninclude = [\"x\"]\ntemplate = \"True\"",
            "file.template must be true or false, not string: write template = true",
        ),
    ] {
        let found = only(&format!("{APP}{lines}\n"));
        assert!(found.ends_with(said), "{found}");
    }
    for (text, said) in [
        ("\"系统\"", "title = { zh = \"系统\", en = \"…\" }"),
        ("\"My \\\"X\\\"\"", "title = { zh = \"…\", en = 'My \"X\"' }"),
    ] {
        let found = only(&format!("[app]\nname = \"x\"\nversion = \"1\"\ntitle = {text}\n"));
        assert_eq!(found, format!("4:9: app.title must be in both languages: write {said}"));
    }
}
