//! What is judged beside the host: the bundle, and the answers file.

use std::path::PathBuf;

use super::*;
use crate::answers::Origin;
use crate::facts::exposure::Exposure;
use crate::layout::Layout;
use crate::preflight::accept::Acceptance;
use crate::preflight::tests as preflight_tests;
use crate::text::Lang;

#[test]
fn what_speaks_against_the_bundle_or_the_answers_file_can_be_accepted_too() {
    let mut content = preflight_tests::content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "password", "kind": "password", "prompt": { "zh": "密码", "en": "Password" }, "required": true, "secret": false },
    ]))
    .unwrap();
    let mut target = Target::fresh(Layout { dir: PathBuf::from("/opt/shop") }, EngineChoice::Auto);
    let text = || Message::verbatim("x");
    target.doubts = vec![Finding::warn("older-bundle", text(), text())];
    for (accepted, refusing) in [
        (vec![], vec!["older-bundle", "answers-file"]),
        (vec!["older-bundle"], vec!["answers-file"]),
        (vec!["older-bundle", "answers-file"], vec![]),
    ] {
        let mut sources = Sources::default();
        sources.add(Origin::File, [("password".to_owned(), "s3cret".to_owned())]);
        sources.note_open_file("/root/answers.toml".into(), Exposure::Mode);
        let ids = accepted.into_iter().map(str::to_owned).collect();
        sources.add_acceptance(Acceptance { ids, strict: true });
        let reporter = Reporter::new(Lang::En, false);
        let facts = preflight_tests::facts();
        let prepared = prepare_quietly(&content, &target, &sources, facts, &reporter).unwrap();
        let found = prepared.findings.iter().filter(|finding| finding.refuses);
        assert_eq!(found.map(|finding| finding.id).collect::<Vec<_>>(), refusing);
    }
}

/// An application that asks for a URL, and what is found once this one is given in a file that everybody may read.
fn prepared_with(url: &str, reporter: &Reporter) -> Prepared {
    let mut content = preflight_tests::content();
    content.questions = serde_json::from_value(serde_json::json!([
        { "id": "api", "kind": "url", "prompt": { "zh": "接口", "en": "API" }, "required": true, "secret": false },
    ]))
    .unwrap();
    content.checks = serde_json::from_value(serde_json::json!([
        { "name": "api", "url": "http://name/health?of={api}", "status": 200, "timeout": 60 },
    ]))
    .unwrap();
    let target = Target::fresh(Layout { dir: PathBuf::from("/opt/shop") }, EngineChoice::Auto);
    let mut sources = Sources::default();
    sources.add(Origin::File, [("api".to_owned(), url.to_owned())]);
    sources.note_open_file("/root/answers.toml".into(), Exposure::Mode);
    prepare_quietly(&content, &target, &sources, preflight_tests::facts(), reporter).unwrap()
}

#[test]
fn what_is_found_about_a_url_does_not_say_its_password() {
    let reporter = Reporter::new(Lang::En, true);
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    reporter.log_to(&log);
    let prepared = prepared_with("http://robot:hunter%212@10.0.0.5/", &reporter);
    let found = |id: &str| prepared.findings.iter().find(|finding| finding.id == id).unwrap().clone();
    let said =
        [Event::Finding(found("check-url")), Event::Note { text: Message::verbatim("as robot, hunter!2") }];
    said.iter().for_each(|event| reporter.log_only(event));
    let log = std::fs::read_to_string(log).unwrap();
    assert!(
        log.contains(" http://name/health?of=****** ")
            && log.contains("as robot, ******")
            && !log.contains("hunter"),
        "{log}"
    );
}

#[test]
fn an_open_answers_file_with_a_password_in_a_url_is_told() {
    let reporter = Reporter::new(Lang::En, false);
    let is_told =
        |url| prepared_with(url, &reporter).findings.iter().any(|finding| finding.id == "answers-file");
    assert!(is_told("http://robot:hunter%212@10.0.0.5/"));
    assert!(!is_told("http://10.0.0.5/"));
}

/// `--set htp_port=90` was to be mended in an answers file that there was not.
#[test]
fn what_only_the_command_line_has_wrong_is_mended_there() {
    let unknown =
        |origin| Problem::Unknown { id: "htp_port".into(), nearest: Some("http_port".into()), origin };
    let todo = |problems: &[Problem]| {
        let failure = refuse(problems.iter(), problem_text::give_differently()).unwrap_err();
        failure.todo.unwrap().zh
    };
    assert_eq!(todo(&[unknown(Origin::Set)]), "请改正 --set 后重新运行。");
    assert_eq!(
        todo(&[unknown(Origin::Set), unknown(Origin::Environment)]),
        problem_text::give_differently().zh
    );
}
