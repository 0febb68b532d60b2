//! What is judged beside the host: the bundle, and the answers file.

use std::path::PathBuf;

use super::*;
use crate::answers::Origin;
use crate::layout::Layout;
use crate::preflight::accept::Acceptance;
use crate::preflight::tests as preflight_tests;

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
        sources.note_open_file("/root/answers.toml".into());
        let ids = accepted.into_iter().map(str::to_owned).collect();
        sources.add_acceptance(Acceptance { ids, strict: true });
        let prepared = prepare_quietly(&content, &target, &sources, preflight_tests::facts()).unwrap();
        let found = prepared.findings.iter().filter(|finding| finding.refuses);
        assert_eq!(found.map(|finding| finding.id).collect::<Vec<_>>(), refusing);
    }
}
