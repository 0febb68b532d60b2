//! Tests of reading definitions: what is accepted, and that every problem is named, with its place.

use bundle_spec::answer::Answers;
use bundle_spec::question::QuestionKind;
use proptest::prelude::*;

use super::*;

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

#[test]
fn mistakes_in_what_is_made_from_answers_are_named() {
    let text = format!(
        r#"{APP}
[[question]]
id = "admin_password"
kind = "password"
prompt = {{ zh = "x", en = "x" }}
[[question]]
id = "open_firewall"
kind = "bool"
prompt = {{ zh = "x", en = "x" }}
[tls]
certificate = "a.pem"
key = "a.pem"
host = "hst"
[firewall]
ports = ["{{nothing}}"]
[[action]]
name = "one"
service = "web"
stdin = "admin_pasword"
env = {{ "A-B" = "admin_password" }}
run = "always"
timeout = "90000s"
[[action]]
name = "one"
service = "web"
command = ["x"]
"#
    );
    let found = problems(&text);
    for part in [
        "question of its own with this id",
        "certificate and key need a file each",
        "there is no question `hst`",
        "names the question `nothing`",
        "needs `command`",
        "did you mean `admin_password`?",
        "`A-B` is not a variable name",
        "write \"once\", \"change\" or \"bundle\"",
        "is nothing, or longer than a day",
        "the action `one` is there twice",
    ] {
        assert!(found.iter().any(|problem| problem.contains(part)), "{part}\n{found:#?}");
    }
    assert_eq!(found.len(), 10, "{found:#?}");
}

/// A question about the host, and a certificate for it.
const TLS: &str = r#"
[[question]]
id = "host"
kind = "host"
prompt = { zh = "地址", en = "Address" }
[tls]
certificate = "nginx/tls/server.crt"
key = "nginx/tls/server.key"
host = "host"
"#;

#[test]
fn what_depends_on_the_certificate_is_read() {
    let rest = r#"
[[question]]
id = "https_port"
kind = "port"
default = 443
prompt = { zh = "端口", en = "Port" }
when = { tls = { not = "off" } }
[[value]]
id = "page"
value = "https://{host}:{https_port}"
when = { tls = ["own", "self-signed"] }
"#;
    let definition = parse(&format!("{APP}{TLS}{rest}")).unwrap();
    let tls = definition.tls.unwrap();
    assert_eq!((tls.certificate.as_str(), tls.host.as_str()), ("nginx/tls/server.crt", "host"));
    assert_eq!(definition.questions[1].when.0[0].none, ["off"]);
    // Without the section nobody asks for one.
    let without = problems(&format!("{APP}{}", rest.replace("{host}:", "")));
    assert!(
        without.iter().all(|problem| problem.contains("only asked where there is a section [tls]")),
        "{without:#?}"
    );
    assert_eq!(without.len(), 2, "{without:#?}");
    let wrong = problems(&format!("{APP}{TLS}{}", rest.replace("\"off\"", "\"of\"")));
    assert!(wrong[0].contains("must be one of: off, self-signed, own"), "{wrong:#?}");
}

#[test]
fn what_is_wrong_with_a_certificate_is_named() {
    let pw = "[[question]]\nid = \"pw\"\nkind = \"secret\"\nprompt = { zh = \"x\", en = \"x\" }\n";
    for (from, to, part) in [
        ("host = \"host\"", "", "`host` is missing"),
        ("host = \"host\"", "host = \"tls\"", "asks for the certificate, not for the host"),
        ("host = \"host\"", "host = \"pw\"", "is secret"),
        ("host = \"host\"", "host = \"hots\"", "did you mean `host`?"),
        ("nginx/tls/server.key", "../server.key", ".."),
        ("nginx/tls/server.key", "/etc/server.key", "/etc/server.key"),
        ("nginx/tls/server.key", "nginx/tls/server.crt", "need a file each"),
    ] {
        let found = problems(&format!("{APP}{pw}{}", TLS.replace(from, to)));
        assert!(found.iter().any(|problem| problem.contains(part)), "{to}: {found:#?}");
    }
}

const HTTPS: &str = r#"
[[question]]
id = "https"
kind = "choice"
prompt = { zh = "加密", en = "Encryption" }
choices = [{ value = "off", title = { zh = "不加密", en = "None" } }, { value = "own" }, { value = "self" }]
[[question]]
id = "https_port"
kind = "port"
prompt = { zh = "端口", en = "Port" }
when = { https = ["own", "self"] }
default = 443
[[question]]
id = "host"
kind = "host"
suggest = "addresses"
prompt = { zh = "地址", en = "Address" }
[[question]]
id = "upload"
kind = "bool"
prompt = { zh = "上传", en = "Uploads" }
when = { https = { not = "off" }, https_port = 443 }
"#;

#[test]
fn conditions_choices_and_values_are_read() {
    let text = format!(
        r#"{APP}{HTTPS}
        [[question]]
        id = "folder"
        kind = "path"
        prompt = {{ zh = "目录", en = "Folder" }}
        when = {{ upload = "yes" }}
        [[value]]
        id = "page"
        env = "PAGE_URL"
        value = "https://{{host}}:{{https_port}}"
        when = {{ https = {{ not = ["off"] }} }}
        [[value]]
        id = "page"
        env = "PAGE_URL"
        title = {{ zh = "网址", en = "Page" }}
        value = "http://{{host}}"
        [[link]]
        title = {{ zh = "首页", en = "Home" }}
        url = "{{page}}/"
        "#
    );
    let definition = parse(&text).unwrap();
    let questions = &definition.questions;
    assert_eq!(questions[0].choices[0].title.as_ref().unwrap().en, "None");
    assert_eq!(questions[0].choices[1], bundle_spec::question::Choice::from("own"));
    assert_eq!(questions[1].when.0[0].any, ["own", "self"]);
    assert_eq!((&questions[3].when.0[0].none[0][..], &questions[3].when.0[1].any[0][..]), ("off", "443"));
    // Compared in the form in which the answer comes.
    assert_eq!(questions[4].when.0[0].any, ["true"]);
    assert_eq!(definition.values.len(), 2);
    assert_eq!(definition.variables().collect::<Vec<_>>(), ["PAGE_URL", "PAGE_URL"]);
}

#[test]
fn what_is_wrong_with_a_condition_is_named() {
    let question = |when: &str| {
        format!(
            "[[question]]\nid = \"q\"\nkind = \"text\"\nprompt = {{ zh = \"x\", en = \"x\" }}\nwhen = {when}\n"
        )
    };
    for (when, part) in [
        ("{ htps = \"own\" }", "`when` depends on `htps`, which is no question: did you mean `https`?"),
        ("{ zebra = \"own\" }", "`when` depends on `zebra`, which is no question before this"),
        ("{ q = \"x\" }", "`when` depends on `q`, which is asked later"),
        ("{ last = \"x\" }", "`when` depends on `last`, which is asked later"),
        (
            "{ https = \"wn\" }",
            "`when` compares `https` to `wn`, which it never is: it must be one of: off, own, self",
        ),
        ("{ https_port = 70000 }", "compares `https_port` to `70000`, which it never is: it is not a port"),
        ("{ https = { nto = \"own\" } }", "unknown key `nto`"),
        ("{ https = 1.5 }", "must be a text, a whole number, true or false, or a list of them"),
        ("{}", "`when` is empty"),
        ("\"https\"", "must be a table"),
        ("{ pw = \"x\" }", "`when` cannot depend on `pw`, whose answer is secret"),
    ] {
        let pw = "[[question]]\nid = \"pw\"\nkind = \"secret\"\nprompt = { zh = \"x\", en = \"x\" }\n";
        let last = "[[question]]\nid = \"last\"\nkind = \"text\"\nprompt = { zh = \"x\", en = \"x\" }\n";
        let found = problems(&format!("{APP}{HTTPS}{pw}{}{last}", question(when)));
        assert!(found.iter().any(|problem| problem.contains(part)), "{when}: {found:#?}");
        // The place is that of the condition, not the beginning of the text.
        assert!(found.iter().all(|problem| !problem.starts_with("1:")), "{found:#?}");
    }
}

#[test]
fn what_is_wrong_with_a_value_is_named() {
    let value = |rest: &str| format!("[[value]]\nid = \"page\"\n{rest}\n");
    for (values, part) in [
        (
            value("value = \"http://{hots}\""),
            "names `hots`, which is neither a question nor a value before it: did you mean `host`?",
        ),
        (value("value = \"{page}\""), "names `page`, which is neither"),
        (value("env = \"A B\"\nvalue = \"x\""), "env is not a variable name"),
        (value("value = \"x\"\nwhen = { https = \"x\" }"), "which it never is"),
        ("[[value]]\nid = \"host\"\nvalue = \"x\"\n".to_owned(), "a question has the id `host` already"),
        (value("value = \"x\"") + &value("value = \"y\""), "an earlier value `page` has no `when`"),
        (
            value("value = \"x\"\nenv = \"A\"\nwhen = { https = \"own\" }")
                + &value("value = \"y\"\nenv = \"B\""),
            "values of one id set one variable",
        ),
        (
            value("value = \"x\"\nenv = \"A\"") + "[[value]]\nid = \"other\"\nenv = \"A\"\nvalue = \"y\"\n",
            "the variable `A` is set twice",
        ),
        ("[[value]]\nid = \"bundle\"\nvalue = \"x\"\n".to_owned(), "this id is reserved"),
    ] {
        let found = problems(&format!("{APP}{HTTPS}{values}"));
        assert!(found.iter().any(|problem| problem.contains(part)), "{values}: {found:#?}");
    }
}

#[test]
fn rules_that_do_not_fit_their_kind_are_refused() {
    let question = |kind: &str, rest: &str| {
        format!(
            "{APP}[[question]]\nid = \"q\"\nkind = \"{kind}\"\nprompt = {{ zh = \"x\", en = \"x\" }}\n{rest}\n"
        )
    };
    for (kind, rest, part) in [
        ("port", "min_length = 3", "min_length and max_length are for text"),
        ("text", "min_length = 3\nmax_length = 2", "min_length is greater than max_length"),
        ("integer", "min = 3\nmax = 2", "min is greater than max"),
        ("text", "port = \"forbid\"", "port and path are for url"),
        ("url", "port = \"forbit\"", "did you mean `forbid`?"),
        ("url", "suggest = \"addresses\"", "is for host"),
        ("port", "generate = { format = \"hex\" }", "what is generated is not a port"),
        (
            "secret",
            "max_length = 20\ngenerate = { format = \"hex\" }",
            "what is generated has 64 characters, of which at most 20",
        ),
        (
            "url",
            "port = \"forbid\"\ndefault = \"http://h:80\"",
            "the default is not a URL as wanted: it must not name a port",
        ),
    ] {
        let found = problems(&question(kind, rest));
        assert!(found.iter().any(|problem| problem.contains(part)), "{kind} {rest}: {found:#?}");
    }
    parse(&question("secret", "min_length = 8\ngenerate = { format = \"base64\", bytes = 8 }")).unwrap();
}

/// Whoever wrote `:8000` there got a page that calls a server which other machines do not reach.
#[test]
fn the_page_of_the_example_has_a_port_only_where_nginx_is_not_on_80() {
    let example = parse(include_str!("../../../examples/llm-chat/airlift.toml")).unwrap();
    let question = |id: &str| example.questions.iter().find(|question| question.id.as_str() == id).unwrap();
    for (host, port, expected) in [
        ("192.168.1.100", "80", "http://192.168.1.100"),
        ("192.168.1.100", "8081", "http://192.168.1.100:8081"),
        ("fd00::5", "80", "http://[fd00::5]"),
    ] {
        let mut answers = Answers::default();
        for (id, text) in [("server_host", host), ("http_port", port)] {
            answers.insert(question(id).id.clone(), question(id).parse(text).unwrap());
        }
        bundle_spec::value::derive(&example.values, &mut answers);
        assert_eq!(answers.of("page").unwrap().reveal(), expected);
    }
    for wrong in ["192.168.1.100:8000", "http://192.168.1.100", "192.168.1.100/api"] {
        assert!(question("server_host").parse(wrong).is_err(), "{wrong}");
    }
}
