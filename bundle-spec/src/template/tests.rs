//! Tests of templates: what is filled in, what is kept, what is refused.

use proptest::prelude::*;

use super::*;

fn lookup(id: &str) -> Option<&'static str> {
    match id {
        "host" => Some("chat.example.com"),
        "port" => Some("8443"),
        "tls" => Some("own"),
        "off" => Some("false"),
        "evil" => Some("x; return 200"),
        "text" => Some("a \"b\" </script> \\ $x\n你"),
        _ => None,
    }
}

fn rendered(text: &str) -> String {
    Template::parse(text).unwrap().render(lookup).unwrap()
}

fn errors(text: &str) -> Vec<String> {
    Template::parse(text).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn answers_are_filled_in_and_nothing_else_is_touched() {
    for (template, expected) in [
        ("listen @{port} ssl;", "listen 8443 ssl;"),
        ("@{host}@{port}", "chat.example.com8443"),
        ("location @fallback { return 200 $host${x}; }", "location @fallback { return 200 $host${x}; }"),
        ("@@{host} @@ @", "@{host} @@ @"),
        ("a@b.c @{unasked}|", "a@b.c |"),
        ("x = @{text:json}", "x = \"a \\\"b\\\" \\u003c/script\\u003e \\\\ $x\\n你\""),
        ("line\r\nport @{port}\r\n", "line\r\nport 8443\r\n"),
        ("@media print {}\n@import x;\n@endless\n", "@media print {}\n@import x;\n@endless\n"),
        ("", ""),
    ] {
        assert_eq!(rendered(template), expected, "{template}");
    }
}

#[test]
fn blocks_are_kept_or_dropped_with_their_directives() {
    let template =
        "a\n  @if tls == own\nssl @{port}\n@if off\nnever\n@else\nnested\n@end\n  @else\nplain\n@end\nz";
    assert_eq!(rendered(template), "a\nssl 8443\nnested\nz");
    assert_eq!(rendered("@if unasked\nx\n@end\n@if tls != off\ny\n@end\n"), "y\n");
}

#[test]
fn an_answer_cannot_inject_configuration() {
    let refused = Template::parse("server_name @{evil};").unwrap().render(lookup).unwrap_err();
    assert_eq!((refused.id.as_str(), refused.character), ("evil", ';'));
    for character in " \t\n\r;{}\"'\\$#`()<>|&!^~\u{0}".chars() {
        assert!(!is_plain(character), "{character:?}");
    }
    // In a branch that is not taken it does no harm.
    assert_eq!(rendered("@if off\n@{evil}\n@end\nx"), "x");
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let found = errors("@{Bad}\n@{open\n@else\n@end\n@if x y\n@end\n@if tls\n@else\n@else\n@{port:hex}\n");
    assert_eq!(found.len(), 8, "{found:#?}");
    for (line, part) in [
        ("line 1:", "`@{Bad}`"),
        ("line 2:", "has no `}`"),
        ("line 3:", "@else without @if"),
        ("line 4:", "@end without @if"),
        ("line 5:", "`@if x y`"),
        ("line 9:", "second @else"),
        ("line 10:", "no form `hex`"),
        ("line 7:", "has no @end"),
    ] {
        assert!(
            found.iter().any(|text| text.starts_with(line) && text.contains(part)),
            "{line} {part} {found:#?}"
        );
    }
    assert!(errors(&"@if a\n".repeat(40)).iter().any(|text| text.contains("too deeply")));
}

#[test]
fn uses_are_listed_with_their_lines() {
    let template = Template::parse("@{host}\n@if tls == own\n@{port:json}\n@end\n").unwrap();
    let uses: Vec<_> = template.uses().iter().map(|found| (found.line, found.id().to_string())).collect();
    assert_eq!(uses, [(1, "host".to_owned()), (2, "tls".to_owned()), (3, "port".to_owned())]);
}

proptest! {
    #[test]
    fn text_without_placeholders_stays_as_it_is(text in "[^@]{0,200}") {
        prop_assert_eq!(rendered(&text), text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(@|@if |@else|@end|\\{|\\}|id|:json|==|\n| ){0,60}") {
        if let Ok(template) = Template::parse(&text) {
            let _ = template.render(|_| Some("x y"));
        }
    }
}
