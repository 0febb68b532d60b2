//! Tests of resolving answers.

use bundle_spec::project::Localized;
use bundle_spec::question::{AnswerProblem, GenerateFormat, QuestionKind};

use super::*;

fn question(id: &str, kind: QuestionKind) -> Question {
    Question {
        id: QuestionId::parse(id).unwrap(),
        env: Some(id.to_uppercase()),
        kind,
        prompt: Localized { zh: id.into(), en: id.into() },
        help: None,
        default: None,
        required: true,
        secret: false,
        pattern: None,
        min: None,
        max: None,
        choices: Vec::new(),
        generate: None,
        plain: false,
    }
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

#[test]
fn the_strongest_source_wins_and_origins_are_kept() {
    let given = sources(&[
        (Origin::File, "llm_url", "http://file"),
        (Origin::Set, "llm_url", "http://set"),
        (Origin::Earlier, "secret_key", "old"),
    ]);
    let resolved = resolve(&questions(), &given, &mut made).unwrap();
    let value = |id| resolved.answers.of(id).unwrap().reveal().to_owned();
    assert_eq!([value("llm_url"), value("http_port"), value("secret_key")], ["http://set", "80", "old"]);
    assert_eq!(resolved.origins["llm_url"], Origin::Set);
    assert_eq!(resolved.origins["http_port"], Origin::Default);
    assert_eq!(resolved.origins["secret_key"], Origin::Earlier);
}

#[test]
fn secrets_are_made_only_where_there_are_none() {
    let given = sources(&[(Origin::Set, "llm_url", "http://x"), (Origin::File, "secret_key", "")]);
    let resolved = resolve(&questions(), &given, &mut made).unwrap();
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
    let resolved = resolve(&questions(), &given, &mut made).unwrap();
    assert_eq!(resolved.answers.of("secret_key").unwrap().reveal(), "old");
}

#[test]
fn all_problems_are_reported_at_once() {
    let given = sources(&[
        (Origin::Set, "htp_port", "81"),
        (Origin::File, "http_port", "eighty"),
        (Origin::Earlier, "gone", "x"),
    ]);
    let (_, problems) = resolve(&questions(), &given, &mut made).unwrap_err();
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
    let (_, problems) = resolve(&[secret], &given, &mut made).unwrap_err();
    let message = problems[0].message();
    assert!(!message.en.contains("hunter2") && !message.zh.contains("hunter2"));
}
