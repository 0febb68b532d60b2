//! A person who types, without a terminal: what is asked when, and what comes of it.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use bundle_spec::index::Content;
use bundle_spec::project::Tls;
use bundle_spec::question::QuestionId;

use super::*;
use crate::facts::EngineChoice;
use crate::facts::network::{Listener, Owner};
use crate::install::{Target, prepare_quietly};
use crate::layout::Layout;
use crate::preflight::tests as preflight_tests;
use crate::tls::tests::{EC, Workshop};

/// One thing that a person does.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Types a line, or something hidden.
    Type(&'static str),
    /// Takes an item of a list.
    Pick(usize),
    /// Leaves a list by Esc.
    Esc,
}

use Act::{Esc, Pick, Type};

/// Plays a person; what is not typed any more is the end of the terminal.
struct Script(VecDeque<Act>);

impl Script {
    fn next(&mut self) -> Outcome<Act> {
        self.0
            .pop_front()
            .ok_or_else(|| Failure::new(Code::Answers, Message::verbatim("the script has ended")))
    }
}

impl Console for Script {
    fn line(&mut self, _recall: &[String]) -> Outcome<Option<String>> {
        match self.next()? {
            Type(text) => Ok(Some(text.to_owned())),
            Esc => Ok(None),
            other @ Pick(_) => panic!("a line was asked for: {other:?}"),
        }
    }

    fn pick(&mut self, items: &[String], _default: usize) -> Outcome<Option<usize>> {
        match self.next()? {
            Pick(item) => Ok(Some(item).filter(|item| *item < items.len())),
            Esc => Ok(None),
            Type(text) => panic!("a list was shown: {text}"),
        }
    }

    fn hidden(&mut self, _prompt: &str) -> Outcome<Option<String>> {
        self.line(&[])
    }
}

/// An application with one question of each manner.
fn content() -> Content {
    let mut content = preflight_tests::content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "http_port", "kind": "port", "prompt": { "zh": "网页端口", "en": "Web port" }, "default": "8080", "required": true, "secret": false },
        { "id": "api_port", "kind": "port", "prompt": { "zh": "接口端口", "en": "API port" }, "default": "8081", "required": true, "secret": false },
        { "id": "name", "kind": "text", "prompt": { "zh": "名称", "en": "Name" }, "required": true, "secret": false },
        { "id": "mode", "kind": "choice", "prompt": { "zh": "模式", "en": "Mode" }, "choices": ["a", "b"], "required": true, "secret": false },
        { "id": "key", "kind": "secret", "prompt": { "zh": "密钥", "en": "Key" }, "generate": { "format": "hex", "bytes": 4 }, "required": true, "secret": false },
        { "id": "password", "kind": "password", "prompt": { "zh": "密码", "en": "Password" }, "required": true, "secret": false },
    ]))
    .unwrap();
    content.requirements.ports = vec!["{http_port}".into(), "{api_port}".into(), "9000".into()];
    content
}

fn facts() -> Facts {
    let mut facts = preflight_tests::facts();
    facts.listeners = vec![Listener {
        address: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        port: 80,
        owner: Some(Owner { name: "nginx".into(), pid: 7, cgroup: String::new(), is_of_our_engine: false }),
    }];
    facts
}

fn target() -> Target {
    Target::fresh(Layout { dir: PathBuf::from("/opt/shop") }, EngineChoice::Auto)
}

fn talk(sources: Sources, facts: Facts, acts: &[Act]) -> Outcome<Prepared> {
    talk_about(&content(), sources, facts, acts)
}

fn talk_about(content: &Content, sources: Sources, facts: Facts, acts: &[Act]) -> Outcome<Prepared> {
    let target = target();
    let reporter = Reporter::new(Lang::En, false);
    let prepare = |sources: &Sources, facts: &Facts| {
        prepare_quietly(content, &target, sources, facts.clone(), &reporter)
    };
    let again = || preflight_tests::facts();
    let matter = Matter {
        content,
        sources,
        facts,
        prepare: &prepare,
        plan: &|_| Vec::new(),
        look: &again,
        addresses: vec!["10.0.0.5".into(), "10.1.0.5".into()],
        is_installed: false,
        is_rehearsal: false,
    };
    let mut talk = Talk { matter, asked: BTreeMap::new(), flow: Flow::default(), reporter: &reporter };
    talk.skip_what_is_known();
    talk.run(&mut Script(acts.iter().copied().collect()))
}

fn answers(prepared: &Prepared) -> Vec<(String, String)> {
    let answers = prepared.resolved.answers.iter();
    answers
        .map(|(id, answer)| (id.to_string(), answer.reveal().to_owned()))
        .filter(|(id, _)| id != "key")
        .collect()
}

fn expected(http: &str, api: &str, name: &str, mode: &str, password: &str) -> Vec<(String, String)> {
    let pairs =
        [("api_port", api), ("http_port", http), ("mode", mode), ("name", name), ("password", password)];
    pairs.map(|(id, value)| (id.to_owned(), value.to_owned())).to_vec()
}

/// Answers to everything, with nothing out of the ordinary.
const PLAIN: [Act; 7] = [Type(""), Type(""), Type("x"), Pick(1), Type(""), Type("pw"), Type("pw")];

fn plain_and(more: &[Act]) -> Vec<Act> {
    PLAIN.iter().chain(more).copied().collect()
}

#[test]
fn defaults_are_taken_by_enter_and_are_nobodys_typing() {
    let prepared = talk(Sources::default(), facts(), &plain_and(&[Type("y")])).unwrap();
    assert_eq!(answers(&prepared), expected("8080", "8081", "x", "b", "pw"));
    let origin = |id: &str| prepared.resolved.origins[id];
    assert_eq!(
        [origin("http_port"), origin("name"), origin("key")],
        [Origin::Default, Origin::Asked, Origin::Generated]
    );
}

#[test]
fn what_was_answered_before_can_be_emptied_again() {
    let mut content = content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "proxy", "kind": "url", "prompt": { "zh": "代理", "en": "Proxy" }, "default": "http://p:3128", "required": false, "secret": false },
        { "id": "mode", "kind": "choice", "prompt": { "zh": "模式", "en": "Mode" }, "choices": ["a", "b"], "default": "a", "required": false, "secret": false },
    ]))
    .unwrap();
    content.requirements.ports = Vec::new();
    let value = |prepared: &Prepared, id: &str| prepared.resolved.answers.of(id).unwrap().reveal().to_owned();
    let kept = talk_about(&content, Sources::default(), facts(), &[Type(""), Pick(0), Type("y")]).unwrap();
    assert_eq!((value(&kept, "proxy").as_str(), value(&kept, "mode").as_str()), ("http://p:3128", "a"));
    let emptied =
        talk_about(&content, Sources::default(), facts(), &[Type("-"), Pick(2), Type("y")]).unwrap();
    assert_eq!((value(&emptied, "proxy").as_str(), value(&emptied, "mode").as_str()), ("", ""));
}

/// Pasted into a list, a secret was lost, and the line end behind it took "generate one".
#[test]
fn a_secret_that_may_be_left_alone_is_typed_taken_over_or_emptied() {
    let mut content = content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "token", "kind": "secret", "prompt": { "zh": "令牌", "en": "Token" }, "required": false, "secret": true },
    ]))
    .unwrap();
    content.requirements.ports = Vec::new();
    let token = |earlier: Option<&str>, act: Act| {
        let mut sources = Sources::default();
        let earlier = earlier.map(|value| ("token".to_owned(), value.to_owned()));
        let change = if earlier.is_some() { &[Type("1")][..] } else { &[] };
        sources.add(Origin::Earlier, earlier);
        let prepared = talk_about(&content, sources, facts(), &[change, &[act, Type("y")]].concat()).unwrap();
        prepared.resolved.answers.of("token").map(|answer| answer.reveal().to_owned()).unwrap_or_default()
    };
    assert_eq!(token(None, Type("t0ken")), "t0ken");
    assert_eq!(token(None, Type("")), "");
    // Where there is nothing to empty, it is a secret like any other.
    assert_eq!(token(None, Type("-")), "-");
    assert_eq!(token(Some("old"), Type("")), "old");
    assert_eq!(token(Some("old"), Type("-")), "");
    assert_eq!(token(Some("old"), Type("new")), "new");
}

#[test]
fn a_password_in_an_address_is_not_offered_in_clear() {
    let mut content = content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "api", "kind": "url", "prompt": { "zh": "接口", "en": "API" }, "required": true, "secret": false },
    ]))
    .unwrap();
    let reporter = Reporter::new(Lang::En, false);
    let asking = question::Asking {
        question: &content.questions[0],
        known: question::Known::default(),
        against: &|_| None,
        suggestions: &[],
        reporter: &reporter,
    };
    assert!(!asking.shown("http://bob:S3cret@10.0.0.5/v1").contains("S3cret"));
    // What an earlier version took need not be taken by this one.
    for broken in ["bob:S3cret@10.0.0.5", "http:/bob:S3cret@10.0.0.5", "http://bob:S3cret@10.0.0.5:x"] {
        assert_eq!(asking.shown(broken), "******");
    }
    assert_eq!(asking.shown("10.0.0.5"), "10.0.0.5");
    assert_eq!(asking.shown("http://10.0.0.5/v1"), "http://10.0.0.5/v1");
}

#[test]
fn an_answer_that_cannot_be_is_refused_where_it_is_given() {
    let acts = [
        // Not a port; held by another program; the application's own; then one that is free.
        &[Type("eighty"), Type("80"), Type("9000"), Type("8090")][..],
        // The other question has this one.
        &[Type("8090"), Type("")],
        // Required.
        &[Type(""), Type("x"), Pick(0)],
        // Typed, not generated; then a password that was not typed twice alike.
        &[Type("s3"), Type("pw"), Type("wp"), Type("pw"), Type("pw"), Type("y")],
    ]
    .concat();
    let prepared = talk(Sources::default(), facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8090", "8081", "x", "a", "pw"));
    assert_eq!(prepared.resolved.answers.of("key").unwrap().reveal(), "s3");
}

#[test]
fn a_default_that_cannot_be_is_refused_too() {
    let mut facts = facts();
    facts.listeners[0].port = 8080;
    let acts: Vec<Act> =
        [Type("")].into_iter().chain([Type("8082")]).chain(PLAIN[1..].iter().copied()).collect();
    let prepared = talk(Sources::default(), facts, &[acts, vec![Type("y")]].concat()).unwrap();
    assert_eq!(answers(&prepared), expected("8082", "8081", "x", "b", "pw"));
}

#[test]
fn back_works_in_every_kind_of_question() {
    let acts = [
        // Nothing lies before the first one.
        &[Esc, Type("8090"), Esc, Type("8091"), Type("8092"), Type("first")][..],
        // From a list, by Esc and by its last item.
        &[Esc, Type("second"), Pick(2), Type("third"), Pick(0)],
        // From a secret.
        &[Esc, Pick(1), Type("")],
        // From a password; from its repetition to itself.
        &[Esc, Type(""), Type("pw"), Esc, Type("pw"), Type("pw"), Type("y")],
    ]
    .concat();
    let prepared = talk(Sources::default(), facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8091", "8092", "third", "b", "pw"));
}

#[test]
fn one_answer_is_changed_by_its_number_and_the_others_stay() {
    let acts = plain_and(&[Type("3"), Type("other"), Type("6"), Type("new"), Type("new"), Type("y")]);
    let prepared = talk(Sources::default(), facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8080", "8081", "other", "b", "new"));
    // Going back from it leaves it as it was; an unknown number, Enter and noise do nothing.
    let acts = plain_and(&[Type("3"), Esc, Type("7"), Type(""), Type("yy"), Type("y")]);
    assert_eq!(
        answers(&talk(Sources::default(), facts(), &acts).unwrap()),
        expected("8080", "8081", "x", "b", "pw")
    );
}

#[test]
fn what_is_refused_late_is_mended_without_losing_the_rest() {
    // The port was free when it was asked for, and is not when the machine is looked at again.
    let mut first = facts();
    first.listeners.clear();
    let acts = plain_and(&[Type("1"), Type("80"), Type("r"), Type("y"), Type("1"), Type("8085"), Type("y")]);
    let content = content();
    let target = target();
    let reporter = Reporter::new(Lang::Zh, false);
    let prepare = |sources: &Sources, facts: &Facts| {
        prepare_quietly(&content, &target, sources, facts.clone(), &reporter)
    };
    let matter = Matter {
        content: &content,
        sources: Sources::default(),
        facts: first,
        prepare: &prepare,
        plan: &|_| Vec::new(),
        look: &facts,
        addresses: vec!["10.0.0.5".into(), "10.1.0.5".into()],
        is_installed: false,
        is_rehearsal: false,
    };
    let mut talk = Talk { matter, asked: BTreeMap::new(), flow: Flow::default(), reporter: &reporter };
    let prepared = talk.run(&mut Script(acts.into())).unwrap();
    assert_eq!(answers(&prepared), expected("8085", "8081", "x", "b", "pw"));
}

#[test]
fn who_leaves_has_made_no_mistake() {
    let failure = talk(Sources::default(), facts(), &plain_and(&[Type("q")])).unwrap_err();
    assert!(!failure.is_error);
    assert_eq!(failure.code, Code::Answers);
}

#[test]
fn an_earlier_installation_is_shown_and_not_asked_again() {
    let mut sources = Sources::default();
    let earlier = [
        ("http_port", "8090"),
        ("api_port", "8091"),
        ("name", "old"),
        ("mode", "a"),
        ("key", "k"),
        ("password", "p"),
    ];
    sources.add(Origin::Earlier, earlier.map(|(id, value)| (id.to_owned(), value.to_owned())));
    let prepared = talk(sources.clone(), facts(), &[Type("y")]).unwrap();
    assert_eq!(answers(&prepared), expected("8090", "8091", "old", "a", "p"));
    // One of them is changed; the secrets stay what they were, unless a person types them anew.
    let acts = [Type("3"), Type("new"), Type("5"), Type(""), Type("y")];
    let prepared = talk(sources, facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8090", "8091", "new", "a", "p"));
    assert_eq!(prepared.resolved.origins["key"], Origin::Earlier);
}

/// All nine questions of an application came again, because one that may stay empty had stayed empty.
#[test]
fn only_what_has_no_answer_yet_is_asked() {
    let mut sources = Sources::default();
    let earlier =
        [("http_port", "8090"), ("api_port", "8091"), ("mode", "a"), ("key", "k"), ("password", "p")];
    sources.add(Origin::Earlier, earlier.map(|(id, value)| (id.to_owned(), value.to_owned())));
    let prepared = talk(sources, facts(), &[Type("late"), Type("y")]).unwrap();
    assert_eq!(answers(&prepared), expected("8090", "8091", "late", "a", "p"));
}

#[test]
fn what_the_command_line_gives_is_neither_asked_nor_changed() {
    let mut sources = Sources::default();
    sources.add(Origin::Set, [("http_port".to_owned(), "8099".to_owned())]);
    let acts: Vec<Act> = PLAIN[1..].iter().copied().chain([Type("1"), Type("y")]).collect();
    let prepared = talk(sources, facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8099", "8081", "x", "b", "pw"));
}

#[test]
fn a_rehearsal_asks_and_wants_no_yes() {
    let content = content();
    let target = target();
    let reporter = Reporter::new(Lang::En, false);
    let prepare = |sources: &Sources, facts: &Facts| {
        prepare_quietly(&content, &target, sources, facts.clone(), &reporter)
    };
    let matter = Matter {
        content: &content,
        sources: Sources::default(),
        facts: facts(),
        prepare: &prepare,
        plan: &|_| Vec::new(),
        look: &facts,
        addresses: Vec::new(),
        is_installed: false,
        is_rehearsal: true,
    };
    let mut talk = Talk { matter, asked: BTreeMap::new(), flow: Flow::default(), reporter: &reporter };
    assert!(talk.run(&mut Script(PLAIN.into())).is_ok());
}

#[test]
fn addresses_of_the_machine_are_offered_and_others_can_be_typed() {
    let host = |acts: &[Act]| {
        let mut content = content();
        content.questions = serde_json::from_value(serde_json::json!([
            { "id": "host", "kind": "host", "prompt": { "zh": "地址", "en": "Address" }, "required": true, "secret": false, "suggest": "addresses" },
        ]))
        .unwrap();
        content.requirements.ports.clear();
        let target = target();
        let reporter = Reporter::new(Lang::En, false);
        let prepare = |sources: &Sources, facts: &Facts| {
            prepare_quietly(&content, &target, sources, facts.clone(), &reporter)
        };
        let matter = Matter {
            content: &content,
            sources: Sources::default(),
            facts: facts(),
            prepare: &prepare,
            plan: &|_| Vec::new(),
            look: &facts,
            addresses: vec!["10.0.0.5".into(), "10.1.0.5".into()],
            is_installed: false,
            is_rehearsal: false,
        };
        let mut talk = Talk { matter, asked: BTreeMap::new(), flow: Flow::default(), reporter: &reporter };
        let prepared = talk.run(&mut Script(acts.iter().copied().collect())).unwrap();
        prepared.resolved.answers.of("host").unwrap().reveal().to_owned()
    };
    assert_eq!(host(&[Pick(1), Type("y")]), "10.1.0.5");
    // Refused, typed again; then changed for what is suggested.
    assert_eq!(host(&[Pick(2), Type("http://x"), Type("db.local"), Type("y")]), "db.local");
    assert_eq!(host(&[Pick(2), Type("db.local"), Type("1"), Pick(1), Type("y")]), "10.0.0.5");
}

#[test]
fn a_certificate_is_refused_where_its_files_are_named() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 365);
    shop.make("b", EC, "DNS:chat.example", 365);
    shop.make("other", EC, "DNS:other.example", 365);
    let mut content = preflight_tests::content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "host", "kind": "host", "prompt": { "zh": "主机", "en": "Host" }, "required": true, "secret": false },
    ]))
    .unwrap();
    content.tls = Some(Tls {
        certificate: "tls/server.crt".to_owned().try_into().unwrap(),
        key: "tls/server.key".to_owned().try_into().unwrap(),
        host: QuestionId::parse("host").unwrap(),
        owner: None,
    });
    answers::builtin::add(&mut content);
    let path = |name: &str| -> &'static str { shop.path(name).display().to_string().leak() };
    let acts = [
        Type("chat.example"),
        Pick(2),
        Type(path("gone.crt")),
        Type(path("other.crt")),
        Type(path("a.crt")),
        Type(path("b.key")),
        Type(path("a.crt")),
        Type(path("a.key")),
        Type("no"),
        Type("yes"),
    ];
    let prepared = talk_about(&content, Sources::default(), preflight_tests::facts(), &acts).unwrap();
    let answer = |id: &str| prepared.resolved.answers.of(id).unwrap().reveal().to_owned();
    assert_eq!([answer("tls_certificate"), answer("tls_key")], [path("a.crt"), path("a.key")]);
    // The same answers from elsewhere give the same plan.
    let mut sources = Sources::default();
    let given =
        prepared.resolved.answers.iter().map(|(id, answer)| (id.to_string(), answer.reveal().to_owned()));
    sources.add(Origin::File, given);
    let again = talk_about(&content, sources, preflight_tests::facts(), &[Type("yes")]).unwrap();
    assert_eq!(again.plan.certificate, prepared.plan.certificate);
    assert!(again.plan.certificate.is_some());
}

/// After a slip there was no way back to a generated key, and a dash became a key of one character.
#[test]
fn a_dash_alone_goes_back_to_a_generated_secret() {
    let generated = |acts: &[Act]| {
        let prepared = talk(Sources::default(), facts(), acts).unwrap();
        let key = prepared.resolved.answers.of("key").unwrap().reveal().to_owned();
        (prepared.resolved.origins["key"], key.len())
    };
    assert_eq!(generated(&plain_and(&[Type("5"), Type("slip"), Type("y")])), (Origin::Asked, 4));
    let back = [Type("5"), Type("slip"), Type("5"), Type("-"), Type("y")];
    assert_eq!(generated(&plain_and(&back)), (Origin::Generated, 8));
    assert_eq!(generated(&plain_and(&[Type("5"), Type("－"), Type("y")])), (Origin::Generated, 8));
}

/// Esc opened the answer that was changed last again and again, and Enter there led on to others.
#[test]
fn the_review_comes_back_after_one_answer_and_leads_back_to_the_last_question() {
    let acts = plain_and(&[
        Type("3"),
        Type("changed"),
        // Back from the review: the last question, a password, whatever was changed.
        Esc,
        Type("new"),
        Type("new"),
        // Esc in what was chosen by its number changes nothing.
        Type("3"),
        Esc,
        Type("what?"),
        Type("y"),
    ]);
    let prepared = talk(Sources::default(), facts(), &acts).unwrap();
    assert_eq!(answers(&prepared), expected("8080", "8081", "changed", "b", "new"));
}
