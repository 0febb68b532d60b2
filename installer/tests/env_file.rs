//! `.env` against the real Compose: whatever is answered, Compose reads back exactly that. The plugin is the one that
//! `make parts` fetched.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use bundle_spec::project::{App, Localized, Project, Requirements};
use bundle_spec::question::{Question, QuestionId, QuestionKind};
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
    let file = format!("services:\n  s:\n    image: x\n    environment:\n{variables}");
    std::fs::write(dir.path().join("compose.yaml"), file).unwrap();
    for plugin in compose_plugins() {
        let output = Command::new(&plugin)
            .env_clear()
            .current_dir(dir.path())
            .args(["--env-file", ".env", "config", "--format", "json"])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let config: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let environment = &config["services"]["s"]["environment"];
        for (number, value) in values.iter().enumerate() {
            // The rendered configuration doubles `$` so that it can be read as a Compose file again.
            let read = environment[format!("V{number}")].as_str().unwrap_or_default().replace("$$", "$");
            assert_eq!(&read, value, "V{number} with {}", plugin.display());
        }
    }
}
