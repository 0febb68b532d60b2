//! Tests of rendered answers files and of the schema: what is written is read back, and holds before a real validator.

use std::io::Write as _;
use std::process::{Command, Stdio};

use bundle_spec::condition::Clause;
use bundle_spec::project::{App, Localized, Project, Requirements};
use bundle_spec::question::{Choice, Generate, GenerateFormat, QuestionId, Suggest};
use proptest::prelude::*;

use super::*;
use crate::answers::reference::Reference;
use crate::answers::{Origin, Sources, file, resolve, schema};

fn both(text: &str) -> Localized {
    Localized { zh: format!("{text}（中文）"), en: text.to_owned() }
}

fn question(id: &str, kind: QuestionKind) -> Question {
    Question::new(QuestionId::parse(id).unwrap(), kind, both(id))
}

/// One question of everything.
fn content() -> Content {
    let mut tls = question("https", QuestionKind::Choice);
    tls.choices = vec![Choice { value: "off".into(), title: Some(both("None")) }, Choice::from("own")];
    tls.default = Some("off".into());
    let mut certificate = question("certificate", QuestionKind::Path);
    let clause = Clause { question: tls.id.clone(), any: vec!["own".into()], none: vec![] };
    certificate.when = Condition(vec![clause]);
    let mut number = question("workers", QuestionKind::Integer);
    (number.min, number.max, number.default) = (Some(1), Some(64), Some("4".into()));
    let mut note = question("note", QuestionKind::Text);
    note.required = false;
    let mut key = question("api_key", QuestionKind::Secret);
    (key.required, key.help) = (false, Some(both("Leave it empty if there is none")));
    let mut password = question("password", QuestionKind::Password);
    password.min_length = Some(3);
    let mut session = question("session_key", QuestionKind::Secret);
    session.generate = Some(Generate { format: GenerateFormat::Hex, bytes: 16 });
    let mut host = question("host", QuestionKind::Host);
    host.suggest = Some(Suggest::Addresses);
    let questions = vec![
        tls,
        certificate,
        number,
        note,
        key,
        password,
        session,
        host,
        question("page", QuestionKind::Url),
        question("port", QuestionKind::Port),
        question("upload", QuestionKind::Bool),
    ];
    Content {
        packed_by: String::new(),
        created: 0,
        app: App { name: "shop".into(), version: "1".into(), title: both("Shop"), vendor: None },
        project: Project {
            name: "shop".into(),
            compose_file: "compose.yaml".to_owned().try_into().unwrap(),
            profiles: vec![],
            services: vec![],
            files: vec![],
            directories: vec![],
            footprint: Default::default(),
        },
        images: vec![],
        engine: None,
        questions,
        values: vec![],
        requirements: Requirements::default(),
        checks: vec![],
        links: vec![],
        features: vec![],
        actions: vec![],
        tls: None,
        public_ports: vec![],
    }
}

fn made(_: Generate) -> String {
    "made".to_owned()
}

/// What an answers file says, with `variable` for its references.
fn read(text: &str, variable: impl Fn(&str) -> String) -> Sources {
    let given = file::parse(text).unwrap();
    assert_eq!((given.misfits, given.cleared), (vec![], Vec::<String>::new()), "{text}");
    let mut sources = Sources::default();
    sources.add(Origin::File, given.values);
    for (id, reference) in given.references {
        let Reference::Environment(name) = reference else { panic!("{reference:?}") };
        sources.add(Origin::File, [(id, variable(&name))]);
    }
    sources
}

fn is_valid(schema: &str, documents: &[serde_json::Value]) -> Vec<bool> {
    let program = "import json,sys,jsonschema\ns,ds=json.load(sys.stdin)\njsonschema.Draft202012Validator.check_schema(s)\nv=jsonschema.Draft202012Validator(s)\nprint(json.dumps([v.is_valid(d) for d in ds]))";
    let mut python = Command::new("python3")
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
    let input = serde_json::json!([schema, documents]).to_string();
    python.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 with jsonschema is needed here");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn as_json(text: &str) -> serde_json::Value {
    let table: toml::Table = text.parse().unwrap();
    serde_json::to_value(table).unwrap()
}

#[test]
fn a_template_says_everything_and_what_must_be_given_first() {
    let text = template(&content(), Comments::Both);
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} is missing in\n{text}"));
    assert!(at("\npassword = \"\"") < at("# https = \"off\""));
    for part in [
        "# ［密码或密钥；至少需要 3 个字符；必填］\n# [secret; at least 3 characters are needed; required]",
        "# [whole number, 1 to 64; default 4]\n# workers = 4",
        "#   off: None",
        "# 仅当 https 为 own 时需要。\n# Only if https is own.\n# certificate = \"\"",
        "# [secret; generated when left out]\n# session_key = \"\"",
        "# [host name or IP address; default: the first address of the machine]",
    ] {
        at(part);
    }
    let english = template(&content(), Comments::In(Lang::En));
    assert!(english.contains("# Only if https is own.") && !english.contains("中文") && english.is_ascii());
    let chinese = template(&content(), Comments::In(Lang::Zh));
    assert!(chinese.contains("# 仅当 https 为 own 时需要。") && !chinese.contains("Only if"));
    // It is an answers file: what is missing is named, nothing else is wrong.
    let (_, problems) = resolve(&content().questions, &[], &read(&text, |_| panic!()), &mut made);
    assert_eq!(problems.len(), 5, "{problems:?}");
}

#[test]
fn a_saved_file_has_no_secret_unless_asked_for() {
    let content = content();
    let given = [
        ("password", "hunter2!"),
        ("page", "http://h"),
        ("port", "80"),
        ("upload", "true"),
        ("host", "h"),
        ("session_key", "s3ss10n"),
    ];
    let mut sources = Sources::default();
    sources.add(Origin::File, given.map(|(id, value)| (id.to_owned(), value.to_owned())));
    let (resolved, problems) = resolve(&content.questions, &[], &sources, &mut made);
    assert_eq!(problems, []);
    let saved = |secrets| save(&content, &resolved.answers, Comments::In(Lang::En), secrets);
    let references = saved(Secrets::References);
    assert!(!references.contains("hunter2") && !references.contains("s3ss10n"), "{references}");
    for line in [
        "password = { env = \"PASSWORD\" }",
        "api_key = \"\"",
        "# session_key = {",
        "# certificate = ",
        "port = 80",
        "upload = true",
        "https = \"off\"",
    ] {
        assert!(references.contains(&format!("\n{line}")), "{line}\n{references}");
    }
    let values = saved(Secrets::Values);
    assert!(values.contains("hunter2!") && values.contains("s3ss10n"));
}

#[test]
fn the_schema_takes_what_the_parser_takes() {
    let content = content();
    let good =
        serde_json::json!({ "password": { "env": "P" }, "page": "http://h", "port": 80, "upload": true });
    let with = |key: &str, value: serde_json::Value| {
        let mut document = good.clone();
        document[key] = value;
        document
    };
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("page");
    let table = [
        (good.clone(), true),
        (without, false),
        (with("https", "own".into()), false),
        (with("https", "off".into()), true),
        (with("https", "self".into()), false),
        (with("port", 0.into()), false),
        (with("port", 65_536.into()), false),
        (with("workers", 65.into()), false),
        (with("workers", 64.into()), true),
        (with("workers", serde_json::json!({ "env": "N" })), true),
        (with("upload", "maybe".into()), false),
        (with("page", "h:80".into()), false),
        (with("certificate", "relative".into()), false),
        (with("password", "ab".into()), false),
        (with("password", serde_json::json!({ "file": "/root/p" })), true),
        (with("password", serde_json::json!({ "evn": "P" })), false),
        (with("api_key", "".into()), true),
        (with("api_key", serde_json::json!({ "empty": true })), true),
        (with("unknown", 1.into()), false),
        (with("accept_warnings", serde_json::json!(["clock"])), true),
        (with("strict", serde_json::json!(true)), true),
    ];
    for lang in [Lang::En, Lang::Zh] {
        let schema = schema::render(&content, lang);
        let documents: Vec<_> = table.iter().map(|(document, _)| document.clone()).collect();
        for ((document, expected), valid) in table.iter().zip(is_valid(&schema, &documents)) {
            assert_eq!(valid, *expected, "{document}");
        }
    }
    assert!(schema::render(&content, Lang::Zh).contains("password（中文）"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// save → read → the same answers, whatever they are; and the schema takes what was saved.
    #[test]
    fn what_is_saved_is_read_back(
        note in "\\PC{0,30}",
        key in "[ -~一-龥\"'\\\\]{0,30}",
        password in "[ -~一-龥\"'\\\\#$]{3,30}",
        port in 1_u16..,
        own in any::<bool>(),
        upload in any::<bool>(),
    ) {
        let content = content();
        let given = [
            ("note", note), ("api_key", key), ("password", password), ("port", port.to_string()),
            ("upload", upload.to_string()), ("host", "h".to_owned()), ("page", "http://h/x".to_owned()),
            ("https", if own { "own" } else { "off" }.to_owned()), ("certificate", "/a b.pem".to_owned()),
        ];
        let mut sources = Sources::default();
        sources.add(Origin::Asked, given.map(|(id, value)| (id.to_owned(), value)));
        let (resolved, problems) = resolve(&content.questions, &[], &sources, &mut made);
        prop_assume!(problems.is_empty());
        let answers = &resolved.answers;
        let whole = save(&content, answers, Comments::Both, Secrets::Values);
        let (again, problems) = resolve(&content.questions, &[], &read(&whole, |_| panic!()), &mut made);
        prop_assert_eq!((&again.answers, problems), (answers, vec![]));
        let references = save(&content, answers, Comments::Both, Secrets::References);
        let variable = |name: &str| answers.of(&name.to_lowercase()).unwrap().reveal().to_owned();
        let (again, problems) = resolve(&content.questions, &[], &read(&references, variable), &mut made);
        prop_assert_eq!((&again.answers, problems), (answers, vec![]));
    }
}

#[test]
fn the_schema_takes_what_is_saved() {
    let content = content();
    let mut sources = Sources::default();
    let given = [
        ("password", "a\"b'c"),
        ("page", "http://h"),
        ("port", "80"),
        ("upload", "false"),
        ("host", "h"),
        ("note", "文"),
        ("https", "own"),
        ("certificate", "/c"),
    ];
    sources.add(Origin::Asked, given.map(|(id, value)| (id.to_owned(), value.to_owned())));
    let (resolved, _) = resolve(&content.questions, &[], &sources, &mut made);
    let saved = [Secrets::References, Secrets::Values]
        .map(|secrets| as_json(&save(&content, &resolved.answers, Comments::Both, secrets)));
    assert_eq!(is_valid(&schema::render(&content, Lang::En), &saved), [true, true]);
}
