//! Answers about certificates, with files that are there, gone, wrong or open.

use std::fs::{Permissions, create_dir_all, remove_file, set_permissions};
use std::os::unix::fs::PermissionsExt;

use bundle_spec::question::{Question, QuestionId};

use super::*;
use crate::answers::{Sources, builtin, resolve};
use crate::preflight::tests as preflight_tests;
use crate::tls::tests::{EC, Workshop};

/// A content with a certificate, whose host is asked for.
fn content() -> Content {
    let mut content = preflight_tests::content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "host", "kind": "text", "prompt": { "zh": "主机", "en": "Host" }, "required": false, "secret": false },
        { "id": "https_port", "kind": "port", "prompt": { "zh": "端口", "en": "Port" }, "default": "443", "required": true, "secret": false,
          "when": [{ "question": "tls", "none": ["off"] }] },
        { "id": "name", "kind": "text", "prompt": { "zh": "名称", "en": "Name" }, "default": "x", "required": true, "secret": false },
    ]))
    .unwrap();
    content.tls = Some(Tls {
        certificate: "tls/server.crt".to_owned().try_into().unwrap(),
        key: "tls/server.key".to_owned().try_into().unwrap(),
        host: QuestionId::parse("host").unwrap(),
        owner: None,
    });
    builtin::add(&mut content);
    content
}

fn examined(shop: &Workshop, given: &[(Origin, &str, &str)]) -> Examined {
    let content = content();
    let mut sources = Sources::default();
    for (origin, id, value) in given {
        let value = value.replace("SHOP", &shop.path("").display().to_string());
        sources.add(*origin, [((*id).to_owned(), value)]);
    }
    let (resolved, _) = resolve(&content.questions, &[], &sources, &mut |_| String::new());
    examine(&content, &Layout { dir: shop.path("app") }, &resolved, SystemTime::now())
}

fn faults(examined: &Examined) -> Vec<&Fault> {
    fn fault(problem: &Problem) -> &Fault {
        match problem {
            Problem::Certificate { fault, .. } => fault,
            other => panic!("{other:?}"),
        }
    }
    examined.problems.iter().map(fault).collect()
}

const OWN: [(Origin, &str, &str); 4] = [
    (Origin::File, "tls", "own"),
    (Origin::File, "host", "chat.example"),
    (Origin::File, "tls_certificate", "SHOPa.crt"),
    (Origin::File, "tls_key", "SHOPa.key"),
];

/// [`OWN`] with other answers.
fn own_with<'a>(others: &[(Origin, &'a str, &'a str)]) -> Vec<(Origin, &'a str, &'a str)> {
    let is_other = |id: &str| others.iter().any(|(_, other, _)| *other == id);
    OWN.into_iter().filter(|(_, id, _)| !is_other(id)).chain(others.iter().copied()).collect()
}

#[test]
fn our_questions_come_before_the_first_that_depends_on_them() {
    let ids = |content: &Content| content.questions.iter().map(|one| one.id.to_string()).collect::<Vec<_>>();
    let mut content = content();
    let expected = ["host", "tls", "tls_certificate", "tls_key", "https_port", "name", "docker_group"];
    assert_eq!(ids(&content), expected);
    // Adding them again changes nothing: the content of an installation has them.
    builtin::add(&mut content);
    assert_eq!(ids(&content), expected);
    let is_asked_for_files = |one: &&Question| one.id.as_str() == "tls_key" && !one.when.is_empty();
    assert_eq!(content.questions.iter().filter(is_asked_for_files).count(), 1);
}

#[test]
fn without_https_no_file_is_looked_at() {
    let shop = Workshop::new();
    let found = examined(&shop, &[(Origin::File, "tls_key", "/nowhere")]);
    assert_eq!((found.wanted, found.problems.len(), found.findings.len()), (Some(Wanted::Off), 0, 0));
}

#[test]
fn a_self_signed_one_needs_a_host_that_it_can_be_for() {
    let shop = Workshop::new();
    let with =
        |host: &str| examined(&shop, &[(Origin::Set, "tls", "self-signed"), (Origin::Set, "host", host)]);
    let hosts = vec!["chat.example".to_owned(), "10.0.0.5".to_owned()];
    assert_eq!(with("https://Chat.example/, 10.0.0.5").wanted, Some(Wanted::SelfSigned { hosts }));
    for host in ["", "聊天.example"] {
        let found = with(host);
        assert_eq!(
            (found.wanted.as_ref(), faults(&found)),
            (None, vec![&Fault::NotCertifiable(host.to_owned())])
        );
    }
}

#[test]
fn everything_that_is_wrong_with_both_files_is_said_at_once() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 365);
    set_permissions(shop.path("a.key"), Permissions::from_mode(0o600)).unwrap();
    let good = examined(&shop, &OWN);
    let pair = Pair { certificate: shop.read("a.crt"), key: shop.read("a.key") };
    assert_eq!((good.wanted, good.problems.len(), good.findings.len()), (Some(Wanted::Own(pair)), 0, 0));

    shop.openssl("pkcs8 -topk8 -in a.key -out encrypted.key -passout pass:secret");
    let certificate = (Origin::File, "tls_certificate", "SHOPgone.crt");
    let both = examined(&shop, &own_with(&[certificate, (Origin::File, "tls_key", "SHOPencrypted.key")]));
    assert_eq!(faults(&both), [&Fault::NotFound(Which::Certificate), &Fault::Encrypted]);
    assert!(!both.problems[0].can_be_asked(), "the file gave everything for good");
    let asked = examined(&shop, &own_with(&[(Origin::Asked, "tls_certificate", "SHOPgone.crt")]));
    assert!(asked.problems[0].can_be_asked());
    for problem in &both.problems {
        let message = problem.message();
        assert!(message.en.contains(".crt") || message.en.contains("openssl pkey"), "{message:?}");
    }

    rustix::fs::mkfifoat(rustix::fs::CWD, shop.path("pipe"), rustix::fs::Mode::RUSR).unwrap();
    shop.write("large", &vec![b'x'; usize::try_from(LEN_MAX).unwrap() + 1]);
    for (name, fault) in [
        ("SHOPpipe", Fault::NotAFile(Which::Key)),
        ("SHOP", Fault::NotAFile(Which::Key)),
        ("SHOPlarge", Fault::TooLarge(Which::Key)),
        ("SHOPa.crt/x", Fault::Unreadable(Which::Key, "Not a directory (os error 20)".to_owned())),
    ] {
        assert_eq!(
            faults(&examined(&shop, &own_with(&[(Origin::File, "tls_key", name)]))),
            [&fault],
            "{name}"
        );
    }
}

#[test]
fn what_is_bearable_is_a_finding_and_an_open_key_is_one() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 10);
    set_permissions(shop.path("a.key"), Permissions::from_mode(0o644)).unwrap();
    let found = examined(&shop, &OWN);
    assert!(found.problems.is_empty() && found.wanted.is_some());
    let ids: Vec<_> = found.findings.iter().map(|finding| finding.id).collect();
    assert_eq!(ids, ["certificate", "certificate-key"]);
}

#[test]
fn files_that_went_away_since_the_last_run_are_those_that_were_placed() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 365);
    create_dir_all(shop.path("app/tls")).unwrap();
    shop.write("app/tls/server.crt", &shop.read("a.crt"));
    shop.write("app/tls/server.key", &shop.read("a.key"));
    for name in ["a.crt", "a.key"] {
        remove_file(shop.path(name)).unwrap();
    }
    let earlier = OWN.map(|(_, id, value)| (Origin::Earlier, id, value));
    assert!(matches!(examined(&shop, &earlier).wanted, Some(Wanted::Own(_))));
    // Whoever names a file now means that file.
    let missing = [&Fault::NotFound(Which::Certificate), &Fault::NotFound(Which::Key)];
    assert_eq!(faults(&examined(&shop, &OWN)), missing);
}
