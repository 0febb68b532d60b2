//! `.env` against the real Compose: whatever is answered, Compose reads back exactly that. The plugin is the one that
//! `make parts` fetched.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::answer::Answers;
use bundle_spec::condition::{Clause, Condition};
use bundle_spec::index::Content;
use bundle_spec::project::{App, Localized, Project, Requirements};
use bundle_spec::question::{Question, QuestionId, QuestionKind};
use installer::answers::{Origin, Sources, resolve};
use installer::project::env_file;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

fn compose_plugins() -> Vec<PathBuf> {
    let parts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/parts");
    let plugins: Vec<_> =
        ["forky", "trixie"].map(|suite| parts.join(format!("engine-{suite}/docker-compose"))).into();
    for plugin in &plugins {
        assert!(plugin.is_file(), "{} is missing: run `make parts`", plugin.display());
    }
    plugins
}

fn content(count: usize) -> Content {
    let text = |text: &str| Localized { zh: text.into(), en: text.into() };
    let question = |number: usize| Question {
        env: Some(format!("V{number}")),
        required: false,
        ..Question::new(QuestionId::parse(&format!("v{number}")).unwrap(), QuestionKind::Secret, text("v"))
    };
    Content {
        packed_by: String::new(),
        created: 0,
        app: App { name: "quoting".into(), version: "1".into(), title: text("x"), vendor: None },
        project: Project {
            name: "quoting".into(),
            compose_file: "compose.yaml".to_owned().try_into().unwrap(),
            profiles: vec![],
            services: vec![],
            files: vec![],
            directories: vec![],
            footprint: Default::default(),
        },
        images: vec![],
        engine: None,
        questions: (0..count).map(question).collect(),
        values: vec![],
        requirements: Requirements::default(),
        checks: vec![],
        links: vec![],
        actions: vec![],
        tls: None,
        public_ports: vec![],
        features: vec![],
    }
}

/// Values that have broken other writers, and several hundred random ones of the same characters.
fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "",
        " ",
        " x ",
        "$",
        "$$",
        "$V0",
        "${V0}",
        "${V0:-x}",
        "#",
        "a #b",
        "#b",
        "'",
        "''",
        "it's",
        "\"",
        "\\",
        "\\\\",
        "\\n",
        "\\$",
        "a\\",
        "a\\'",
        "`id`",
        "$(id)",
        "=",
        "a=b",
        "export X=1",
        "密码 $x",
        "a: b",
        "{}",
        "%s",
        "!x",
        "~",
    ]
    .map(str::to_owned)
    .into();
    let mut runner = TestRunner::deterministic();
    let strategy = "[ a-c$#'\"\\\\{}:=`!%\u{5bc6}]{0,12}";
    let random = (0..400).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    values.extend(random);
    values
}

/// What Compose makes of these variables with the `.env` in `dir`, and what it says besides.
fn compose(plugin: &Path, dir: &Path, variables: &str) -> (serde_json::Value, String) {
    let file = format!("services:\n  s:\n    image: x\n    environment:\n{variables}");
    std::fs::write(dir.join("compose.yaml"), file).unwrap();
    let output = Command::new(plugin)
        .env_clear()
        .current_dir(dir)
        .args(["--env-file", ".env", "config", "--format", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    let config: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    (config["services"]["s"]["environment"].clone(), said)
}

#[test]
fn compose_reads_back_exactly_what_was_answered() {
    let values = values();
    let content = content(values.len());
    let mut answers = Answers::default();
    for (question, value) in content.questions.iter().zip(&values) {
        answers.insert(question.id.clone(), question.parse(value).unwrap());
    }
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), env_file::render(&content, &answers)).unwrap();
    let variables: String =
        (0..values.len()).map(|number| format!("      V{number}: ${{V{number}}}\n")).collect();
    for plugin in compose_plugins() {
        let (environment, _) = compose(&plugin, dir.path(), &variables);
        for (number, value) in values.iter().enumerate() {
            // The rendered configuration doubles `$` so that it can be read as a Compose file again.
            let read = environment[format!("V{number}")].as_str().unwrap_or_default().replace("$$", "$");
            assert_eq!(&read, value, "V{number} with {}", plugin.display());
        }
    }
}

#[test]
fn a_question_that_is_not_asked_leaves_its_variable_empty() {
    let mut content = content(3);
    content.questions[0].kind = QuestionKind::Bool;
    let clause = |any: &str| Clause {
        question: content.questions[0].id.clone(),
        any: vec![any.to_owned()],
        none: vec![],
    };
    let (asked, skipped) = (Condition(vec![clause("false")]), Condition(vec![clause("true")]));
    (content.questions[1].when, content.questions[2].when) = (asked, skipped);
    let mut sources = Sources::default();
    // What is given for a question that is not asked is left aside.
    let given = [("v0", "false"), ("v1", "one"), ("v2", "two")];
    sources.add(Origin::Set, given.map(|(id, text)| (id.to_owned(), text.to_owned())));
    let (resolved, problems) = resolve(&content.questions, &[], &sources, &mut |_| String::new());
    assert!(problems.is_empty(), "{problems:?}");
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".env"), env_file::render(&content, &resolved.answers)).unwrap();
    let variables = "      ASKED: ${V1:-default}\n      SKIPPED: ${V2}\n      DEFAULT: ${V2:-default}\n";
    for plugin in compose_plugins() {
        let (environment, said) = compose(&plugin, dir.path(), variables);
        let expected = serde_json::json!({ "ASKED": "one", "SKIPPED": "", "DEFAULT": "default" });
        assert_eq!(environment, expected, "{}", plugin.display());
        assert!(!said.contains("V2"), "Compose warns of a variable that is not set: {said}");
    }
}
