//! Tests of reading definitions: what is accepted, and that every problem is named, with its place.

use bundle_spec::question::QuestionKind;
use proptest::prelude::*;

use super::*;

mod answered;
mod slips;

const APP: &str = "[app]\nname = \"x\"\nversion = \"1\"\ntitle = { zh = \"甲\", en = \"X\" }\n";

fn problems(text: &str) -> Vec<String> {
    match parse(text) {
        Ok(definition) => panic!("accepted: {definition:?}"),
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn the_whole_schema_is_read() {
    let hex = "ab".repeat(32);
    let text = format!(
        r#"{APP}
        vendor = "V"
        [compose]
        file = "./compose.yaml"
        profiles = ["gpu"]
        project = "proj"
        [[image]]
        reference = "a"
        source = "engine"
        [[image]]
        reference = "b:2"
        path = "b.tar"
        [[file]]
        include = ["nginx/**"]
        exclude = ["**/*.bak"]
        template = true
        owner = "101:101"
        [firewall]
        ports = ["{{http_port}}", 443]
        [[action]]
        name = "admin-password"
        service = "backend"
        command = ["python3", "set_admin.py"]
        stdin = "key"
        env = {{ KEY = "key", PORT = "http_port" }}
        run = "change"
        timeout = "90s"
        [engine]
        docker = {{ path = "docker.tgz", sha256 = "{hex}" }}
        compose = {{ url = "https://h/c", sha256 = "sha256:{hex}" }}
        [[question]]
        id = "http_port"
        env = "HTTP_PORT"
        kind = "port"
        prompt = {{ zh = "端口", en = "Port" }}
        default = 80
        [[question]]
        id = "key"
        kind = "secret"
        prompt = {{ zh = "k", en = "k" }}
        generate = {{ format = "hex" }}
        [[directory]]
        path = "db/"
        owner = "1000:1000"
        [requirements]
        cores = 2
        memory = "4 GB"
        ports = [8000, "{{http_port}}"]
        kernel = "3.10"
        arch = "amd64"
        [[check]]
        name = "page"
        url = "http://127.0.0.1:{{http_port}}/"
        timeout = "2m"
        [[link]]
        title = {{ zh = "首页", en = "Home" }}
        url = "http://h/"
        "#
    );
    let definition = parse(&text).unwrap();
    assert_eq!(definition.compose.file.as_deref(), Some("compose.yaml"));
    assert_eq!(definition.compose.project, "proj");
    assert_eq!(definition.images[0].place, ImagePlace::Engine);
    assert_eq!(definition.images[0].reference.as_str(), "a:latest");
    assert_eq!(definition.images[1].place, ImagePlace::Archive("b.tar".into()));
    assert!(matches!(&definition.engine.unwrap().compose.place, PartPlace::Url(url) if url == "https://h/c"));
    assert_eq!(definition.questions[0].kind, QuestionKind::Port);
    assert_eq!(definition.questions[0].default.as_deref(), Some("80"));
    assert_eq!(definition.questions[1].generate.unwrap().bytes, 32);
    assert_eq!((definition.directories[0].path.as_str(), definition.directories[0].mode), ("db", 0o755));
    assert_eq!(definition.requirements.ports, ["8000", "{http_port}"]);
    assert_eq!(definition.requirements.arch, "x86_64");
    assert_eq!((definition.checks[0].status, definition.checks[0].timeout), (200, 120));
    assert_eq!(definition.links.len(), 1);
}

#[test]
fn a_minimal_definition_has_defaults() {
    let definition = parse(APP).unwrap();
    assert_eq!(definition.compose.project, "x");
    assert!(definition.engine.is_none() && definition.compose.file.is_none());
    assert_eq!(definition.requirements.arch, "x86_64");
}

#[test]
fn unknown_keys_are_named_with_the_nearest_known_one() {
    let found =
        problems(&format!("{APP}vendro = \"V\"\n[[imgae]]\nreference = \"a\"\n[requirements]\nzebra = 1\n"));
    assert_eq!(
        found,
        [
            "5:1: unknown key `vendro` in [app]: did you mean `vendor`?",
            "6:3: unknown key `imgae`: did you mean `image`?",
            "9:1: unknown key `zebra` in [requirements]: known are cores, memory, disk, ports, kernel, arch, cpu, sysctls",
        ]
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let text = r#"
[app]
name = "Big Name"
title = { zh = "x" }
[[image]]
reference = "a@sha256:00"
[[image]]
reference = "b"
source = "archive"
[[file]]
include = ["../secret", "a{"]
[engine]
docker = { path = "x", url = "http://h", sha256 = "00" }
[[question]]
id = "q"
kind = "integr"
prompt = { zh = "x", en = "x" }
[[question]]
id = "p"
kind = "port"
prompt = { zh = "x", en = "x" }
default = "http"
[[directory]]
path = "../up"
mode = "rwx"
owner = "root"
[requirements]
cores = "two"
memory = "4 XB"
ports = ["{nobody}", 0]
[[check]]
name = "c"
url = "https://h"
status = 42
[[link]]
url = "{q"
"#;
    let found = problems(text);
    for part in [
        "`Big Name` is not a name",
        "`version` is missing in [app]",
        "`en` is missing in [app.title]",
        "pinned by digest",
        "needs `path`",
        "`../secret` leaves the project's folder",
        "`a{` is not a glob",
        "write either `path` or `url`",
        "[engine] needs `compose`",
        "did you mean `integer`?",
        "question `p`: the default is not a port",
        "`../up` is not a relative path",
        "`rwx` is not a mode",
        "`root` is not an owner",
        "requirements.cores must be a whole number, not string",
        "`4 XB` is not a size",
        "names the question `nobody`, which does not exist",
        "`0` is neither a port",
        "only http:// URLs can be checked",
        "check.status must be from 100 to 599",
        "`title` is missing in [[link]]",
    ] {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part} is missing in {found:#?}");
    }
}

#[test]
fn syntax_errors_have_a_place_too() {
    let found = problems("[app]\nname = \n");
    assert!(found.len() == 1 && found[0].starts_with("2:8: "), "{found:?}");
}

#[test]
fn questions_are_unique() {
    let question = |id: &str, env: &str| {
        format!(
            "[[question]]\nid = \"{id}\"\nenv = \"{env}\"\nkind = \"text\"\nprompt = {{ zh = \"x\", en = \"x\" }}\n"
        )
    };
    let found = problems(&format!("{APP}{}{}{}", question("a", "A"), question("a", "B"), question("c", "A")));
    assert!(found.iter().any(|problem| problem.contains("the question `a` is there twice")), "{found:?}");
    assert!(found.iter().any(|problem| problem.contains("two questions set the variable `A`")), "{found:?}");
}

#[test]
fn one_typo_in_a_question_is_one_problem() {
    let question = "[[question]]\nid = \"http_port\"\nkind = \"port\"\npromt = { zh = \"x\", en = \"x\" }\n";
    let uses = "[requirements]\nports = [\"{http_port}\"]\n[[check]]\nname = \"c\"\nurl = \"http://h:{http_port}/\"\n";
    assert_eq!(
        problems(&format!("{APP}{question}{uses}")),
        [
            "5:1: `prompt` is missing in [[question]]",
            "8:1: unknown key `promt` in [[question]]: did you mean `prompt`?",
        ]
    );
}

#[test]
fn a_wrong_digest_says_both_forms() {
    let part = "{ path = \"x\", sha256 = \"123\" }";
    let found = problems(&format!("{APP}[engine]\ndocker = {part}\ncompose = {part}\n"));
    assert!(
        found[0].contains("`123` is not a SHA-256 digest") && found[0].contains("with or without `sha256:`"),
        "{found:?}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    /// A definition with any one line taken out is accepted or refused with a place inside it.
    #[test]
    fn problems_lie_inside_the_text(missing in 0_usize..12) {
        let full = format!("{APP}[[check]]\nname = \"c\"\nurl = \"http://h\"\n[[directory]]\npath = \"d\"\nmode = \"0700\"\n[requirements]\ncores = 1\n");
        let text: String = full.lines().enumerate().filter(|(number, _)| *number != missing).map(|(_, line)| format!("{line}\n")).collect();
        if let Err(problems) = parse(&text) {
            prop_assert!(problems.iter().all(|problem| problem.line <= text.lines().count() + 1));
        }
    }
}
