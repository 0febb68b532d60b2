//! Tests of what a definition makes depend on answers: conditions, values, the certificate, actions, and rules that fit a kind of question.

use bundle_spec::answer::Answers;

use super::*;

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

/// The certificate is asked for before the first question that depends on it, and is for a host that is known by then.
#[test]
fn the_host_of_a_certificate_is_asked_for_first() {
    let question = |id: &str, rest: &str| {
        format!(
            "[[question]]\nid = \"{id}\"\nkind = \"text\"\nprompt = {{ zh = \"x\", en = \"x\" }}\n{rest}\n"
        )
    };
    let tls = |host: &str| {
        format!("[tls]\ncertificate = \"tls/server.crt\"\nkey = \"tls/server.key\"\nhost = \"{host}\"\n")
    };
    let depends = "when = { tls = { not = \"off\" } }";
    let (first, name) = (question("https_port", depends), question("name", ""));
    let page = "[[value]]\nid = \"site\"\nvalue = \"{name}.example\"\n[[value]]\nid = \"page\"\nvalue = \"https://{site}/\"\n";
    for host in ["name", "page"] {
        assert!(parse(&format!("{APP}{name}{first}{page}{}", tls(host))).is_ok(), "{host}");
        let late = problems(&format!("{APP}{first}{name}{page}{}", tls(host)));
        assert_eq!(late.len(), 1, "{late:#?}");
        assert!(late[0].contains("put the question `name` before `https_port`"), "{late:#?}");
    }
    let itself = problems(&format!("{APP}{}{}", question("name", depends), tls("name")));
    assert!(itself[0].contains("`name`, which must not depend on tls itself"), "{itself:#?}");
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
    let example = parse(include_str!("../../../../examples/llm-chat/airlift.toml")).unwrap();
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
