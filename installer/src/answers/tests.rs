//! Tests of resolving answers.

use bundle_spec::condition::{Clause, Condition};
use bundle_spec::project::Localized;
use bundle_spec::question::{AnswerProblem, Choice, GenerateFormat, QuestionKind};

use super::*;

fn question(id: &str, kind: QuestionKind) -> Question {
    let prompt = Localized { zh: id.into(), en: id.into() };
    Question { env: Some(id.to_uppercase()), ..Question::new(QuestionId::parse(id).unwrap(), kind, prompt) }
}

fn questions() -> Vec<Question> {
    let mut port = question("http_port", QuestionKind::Port);
    port.default = Some("80".into());
    let mut key = question("secret_key", QuestionKind::Secret);
    key.generate = Some(Generate { format: GenerateFormat::Hex, bytes: 16 });
    vec![question("llm_url", QuestionKind::Url), port, key]
}

fn sources(given: &[(Origin, &str, &str)]) -> Sources {
    let mut sources = Sources::default();
    for (origin, id, value) in given {
        sources.add(*origin, [((*id).to_owned(), (*value).to_owned())]);
    }
    sources
}

fn made(_: Generate) -> String {
    "made".to_owned()
}

/// What was resolved without a problem.
fn solved(questions: &[Question], given: &Sources) -> Resolved {
    let (resolved, problems) = resolve(questions, &[], given, &mut made);
    assert_eq!(problems, []);
    resolved
}

#[test]
fn the_strongest_source_wins_and_origins_are_kept() {
    let given = sources(&[
        (Origin::File, "llm_url", "http://file"),
        (Origin::Set, "llm_url", "http://set"),
        (Origin::Earlier, "secret_key", "old"),
    ]);
    let resolved = solved(&questions(), &given);
    let value = |id| resolved.answers.of(id).unwrap().reveal().to_owned();
    assert_eq!([value("llm_url"), value("http_port"), value("secret_key")], ["http://set", "80", "old"]);
    assert_eq!(resolved.origins["llm_url"], Origin::Set);
    assert_eq!(resolved.origins["http_port"], Origin::Default);
    assert_eq!(resolved.origins["secret_key"], Origin::Earlier);
}

#[test]
fn secrets_are_made_only_where_there_are_none() {
    let given = sources(&[(Origin::Set, "llm_url", "http://x"), (Origin::File, "secret_key", "")]);
    let resolved = solved(&questions(), &given);
    assert_eq!(resolved.answers.of("secret_key").unwrap().reveal(), "made");
    assert_eq!(resolved.origins["secret_key"], Origin::Generated);
}

#[test]
fn an_empty_line_in_the_file_does_not_replace_an_earlier_secret() {
    let given = sources(&[
        (Origin::Set, "llm_url", "http://x"),
        (Origin::File, "secret_key", ""),
        (Origin::Earlier, "secret_key", "old"),
    ]);
    let resolved = solved(&questions(), &given);
    assert_eq!(resolved.answers.of("secret_key").unwrap().reveal(), "old");
}

#[test]
fn all_problems_are_reported_at_once() {
    let given = sources(&[
        (Origin::Set, "htp_port", "81"),
        (Origin::File, "http_port", "eighty"),
        (Origin::Earlier, "gone", "x"),
    ]);
    let (_, problems) = resolve(&questions(), &[], &given, &mut made);
    assert_eq!(
        problems,
        [
            Problem::Missing(QuestionId::parse("llm_url").unwrap()),
            Problem::Invalid {
                id: QuestionId::parse("http_port").unwrap(),
                why: AnswerProblem::NotPort,
                origin: Origin::File
            },
            Problem::Unknown {
                id: "htp_port".into(),
                nearest: Some("http_port".into()),
                origin: Origin::Set
            },
        ]
    );
}

#[test]
fn a_wrong_value_is_never_repeated_in_the_message() {
    let mut secret = question("token", QuestionKind::Secret);
    secret.pattern = Some("[0-9]+".into());
    let given = sources(&[(Origin::File, "token", "hunter2!")]);
    let (_, problems) = resolve(&[secret], &[], &given, &mut made);
    let message = problems[0].message();
    assert!(!message.en.contains("hunter2") && !message.zh.contains("hunter2"));
}

/// `tls` with a question and a generated secret that depend on it.
fn conditional() -> Vec<Question> {
    let when = |any: &str| {
        let clause =
            Clause { question: QuestionId::parse("tls").unwrap(), any: vec![any.into()], none: vec![] };
        Condition(vec![clause])
    };
    let mut tls = question("tls", QuestionKind::Choice);
    tls.choices = ["off", "own"].map(Choice::from).into();
    tls.default = Some("off".into());
    let mut certificate = question("certificate", QuestionKind::Path);
    certificate.when = when("own");
    let mut key = question("key", QuestionKind::Secret);
    (key.when, key.generate) = (when("own"), Some(Generate { format: GenerateFormat::Hex, bytes: 16 }));
    vec![tls, certificate, key]
}

#[test]
fn a_question_whose_condition_does_not_hold_is_not_asked() {
    let resolved = solved(&conditional(), &sources(&[]));
    assert!(resolved.answers.of("certificate").is_none() && resolved.answers.of("key").is_none());
    let given = sources(&[(Origin::File, "tls", "own")]);
    let (_, problems) = resolve(&conditional(), &[], &given, &mut made);
    assert_eq!(problems, [Problem::Missing(QuestionId::parse("certificate").unwrap())]);
    let ids = |given: &Sources| -> Vec<String> {
        let questions = conditional();
        asked(&questions, given).iter().map(|question| question.id.to_string()).collect()
    };
    assert_eq!(ids(&sources(&[])), ["tls"]);
    assert_eq!(ids(&given), ["tls", "certificate", "key"]);
}

#[test]
fn an_answer_to_a_question_that_is_not_asked_is_a_note() {
    let resolved = solved(&conditional(), &sources(&[(Origin::File, "certificate", "not even a path")]));
    let id = QuestionId::parse("certificate").unwrap();
    assert_eq!(resolved.notes, [Note::NotAsked { id, origin: Origin::File }]);
    let message = resolved.notes[0].message();
    assert!(message.zh.contains("certificate") && !message.en.contains("not even"), "{message:?}");
}

#[test]
fn what_is_not_asked_this_time_keeps_its_earlier_answer() {
    let earlier = [(Origin::Earlier, "key", "old"), (Origin::Earlier, "certificate", "/a.pem")];
    let off = solved(&conditional(), &sources(&earlier));
    let kept: Vec<_> = off.answers.dormant().map(|(id, answer)| (id.as_str(), answer.reveal())).collect();
    assert_eq!(kept, [("certificate", "/a.pem"), ("key", "old")]);
    assert_eq!(off.notes, []);
    let mut again = sources(&earlier);
    again.add(Origin::Set, [("tls".to_owned(), "own".to_owned())]);
    assert_eq!(solved(&conditional(), &again).answers.of("key").unwrap().reveal(), "old");
}

/// One rule for every source: an empty text is no answer to a question for a secret.
#[test]
fn an_empty_line_never_loses_a_secret() {
    let mut optional = question("api_key", QuestionKind::Secret);
    optional.required = false;
    let mut generated = question("session_key", QuestionKind::Secret);
    generated.generate = Some(Generate { format: GenerateFormat::Hex, bytes: 16 });
    let required = question("password", QuestionKind::Password);
    let questions = [optional, generated, required];
    for origin in [Origin::Set, Origin::Environment, Origin::File, Origin::Asked] {
        let empty = ["api_key", "session_key", "password"].map(|id| (origin, id, ""));
        let (first, problems) = resolve(&questions, &[], &sources(&empty), &mut made);
        assert_eq!(problems, [Problem::MissingSecret(QuestionId::parse("password").unwrap())]);
        assert_eq!(first.answers.of("api_key").unwrap().reveal(), "");
        assert_eq!(first.answers.of("session_key").unwrap().reveal(), "made");
        let mut second = sources(&empty);
        second
            .add(Origin::Earlier, ["api_key", "session_key", "password"].map(|id| (id.into(), "old".into())));
        let resolved = solved(&questions, &second);
        assert!(resolved.answers.iter().all(|(_, answer)| answer.reveal() == "old"), "{origin:?}");
        // To take one back there is a word of its own; what was generated stays.
        for id in ["api_key", "session_key", "password"] {
            second.clear(origin, id);
        }
        let (cleared, problems) = resolve(&questions, &[], &second, &mut made);
        assert_eq!(problems, [Problem::MissingSecret(QuestionId::parse("password").unwrap())]);
        assert_eq!(cleared.answers.of("api_key").unwrap().reveal(), "");
        assert_eq!(cleared.answers.of("session_key").unwrap().reveal(), "old");
    }
}

#[test]
fn an_empty_line_is_an_answer_where_nothing_is_secret() {
    let mut proxy = question("proxy", QuestionKind::Url);
    proxy.required = false;
    let given = sources(&[(Origin::File, "proxy", ""), (Origin::Earlier, "proxy", "http://old")]);
    assert_eq!(solved(&[proxy], &given).answers.of("proxy").unwrap().reveal(), "");
}

#[test]
fn values_follow_from_answers_and_cannot_be_given() {
    let questions = [question("host", QuestionKind::Host)];
    let id = QuestionId::parse("page").unwrap();
    let page = Value {
        id,
        env: Some("PAGE".into()),
        title: None,
        value: "http://{host}".into(),
        when: Condition::default(),
    };
    let mut given = sources(&[(Origin::File, "host", "h"), (Origin::Earlier, "page", "http://old")]);
    let (resolved, problems) = resolve(&questions, std::slice::from_ref(&page), &given, &mut made);
    assert_eq!((resolved.answers.of("page").unwrap().reveal(), problems), ("http://h", vec![]));
    given.add(Origin::File, [("page".to_owned(), "http://x".to_owned())]);
    let (_, problems) = resolve(&questions, &[page], &given, &mut made);
    assert_eq!(problems, [Problem::Derived { id: "page".into(), origin: Origin::File }]);
}

#[test]
fn a_secret_with_a_space_at_its_end_is_taken_and_noted() {
    let given = sources(&[(Origin::File, "token", "abc ")]);
    let resolved = solved(&[question("token", QuestionKind::Secret)], &given);
    assert_eq!(resolved.answers.of("token").unwrap().reveal(), "abc ");
    assert_eq!(resolved.notes, [Note::OuterSpace(QuestionId::parse("token").unwrap())]);
    let earlier = sources(&[(Origin::Earlier, "token", "abc ")]);
    assert_eq!(solved(&[question("token", QuestionKind::Secret)], &earlier).notes, []);
}

/// The same URL again and again: in the answers file, from an earlier run, with a typing error.
#[test]
fn a_url_with_a_password_is_a_secret_whoever_gives_it() {
    let url = question("api", QuestionKind::Url);
    let given = |origin, text: &str| {
        let mut sources = Sources::default();
        sources.add(origin, [("api".to_owned(), text.to_owned())]);
        sources.secrets(std::slice::from_ref(&url)).map(str::to_owned).collect::<Vec<_>>()
    };
    for text in ["http://u:pw@10.0.0.5/", "http:/u:pw@10.0.0.5/", "u:pw@10.0.0.5", "http://u:pw＠10.0.0.5/"]
    {
        assert_eq!(given(Origin::File, text), [text]);
        assert_eq!(given(Origin::Earlier, text), [text]);
    }
    assert_eq!(given(Origin::File, "http://10.0.0.5/@x"), [""; 0]);
    assert_eq!(given(Origin::File, "10.0.0.5"), [""; 0]);
}
