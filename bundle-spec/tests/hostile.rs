//! Bundles that somebody made who means harm: every digest and length holds, and the content must still be refused.

use std::io::Cursor;

use bundle_spec::digest::Digest;
use bundle_spec::error::ReadError;
use bundle_spec::layout::TRAILER_LEN;
use bundle_spec::reader::Bundle;
use bundle_spec::trailer::Trailer;
use bundle_spec::version::FormatVersion;
use serde_json::{Value, json};

use crate::sample::{Sample, content};

pub fn sample() -> Sample {
    let blobs = [&b"services: {}"[..], b"manifest", b"config", b"layer one", b"layer two"];
    Sample::write(&[vec![1; 500]], blobs.map(<[u8]>::to_vec).to_vec(), |digests| {
        let mut content = content(digests);
        content.questions = vec![serde_json::from_value(question("q")).unwrap()];
        content.links =
            vec![serde_json::from_value(json!({"title": text("t"), "url": "http://h/"})).unwrap()];
        content
    })
}

pub fn text(text: &str) -> Value {
    json!({"zh": text, "en": text})
}

pub fn question(id: &str) -> Value {
    json!({"id": id, "kind": "text", "prompt": text("p"), "required": true, "secret": false, "choices": ["a"]})
}

fn check(url: &str) -> Value {
    json!({"name": "c", "url": url, "status": 200, "timeout": 60})
}

/// Opens the sample after `edit` has changed its index.
pub fn open_edited(edit: impl FnOnce(&mut Value)) -> Result<Bundle, ReadError> {
    let sample = sample();
    let mut index = serde_json::to_value(&sample.index).unwrap();
    // What is tried may need any of them.
    put(&mut index, "/content/features", json!(bundle_spec::feature::KNOWN));
    edit(&mut index);
    let bytes = sample.forge(&serde_json::to_vec(&index).unwrap(), |_| ());
    Bundle::open(&mut Cursor::new(bytes))
}

/// Puts `value` at a JSON pointer; the last part may be a new key, or `-` to append to a list.
pub fn put(index: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match index.pointer_mut(parent).unwrap_or_else(|| panic!("no {parent} in the index")) {
        Value::Array(list) if key == "-" => list.push(value),
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        Value::Object(map) => _ = map.insert(key.to_owned(), value),
        _ => panic!("{parent} has no parts"),
    }
}

/// Each change alone makes the index unacceptable.
pub fn assert_refused(changes: impl IntoIterator<Item = (&'static str, Value)>) {
    for (pointer, value) in changes {
        let shown: String = value.to_string().chars().take(80).collect();
        match open_edited(|index| put(index, pointer, value)) {
            Err(ReadError::Unacceptable(why)) => {
                let plain = why.chars().all(|c| !c.is_control() && !matches!(c, '\u{202a}'..='\u{202e}'));
                assert!(plain, "the refusal of {pointer} = {shown} itself plays with the terminal: {why:?}");
                assert!(why.chars().count() < 2_500, "the refusal of {pointer} is {} long", why.len());
            }
            other => panic!("{pointer} = {shown}: {:?}", other.map(|_| "accepted")),
        }
    }
}

#[test]
fn the_forger_can_forge() {
    // Otherwise everything below would pass for the wrong reason.
    assert!(open_edited(|_| ()).is_ok());
}

#[test]
fn ranges_that_overlap_or_leave_the_file() {
    assert_refused([
        ("/place/blobs/1/offset", json!(0)),
        ("/place/blobs/1/len", json!(1 << 20)),
        ("/place/blobs/0/offset", json!(1)),
        ("/place/blobs/4/len", json!(1_u64 << 40)),
        ("/place/blobs/4/len", json!(u64::MAX)),
        ("/place/blobs/4/offset", json!(u64::MAX)),
        ("/place/blobs/4/offset", json!(-1)),
        ("/place/blobs/4/len", json!(1.5)),
        ("/place/stubs/0/offset", json!(0)),
        ("/place/stubs/0/len", json!(u64::MAX)),
        ("/place/launcher_len", json!(u64::MAX)),
        ("/place/launcher_len", json!(100_000)),
    ]);
    let lone_launcher = open_edited(|index| {
        put(index, "/place/stubs", json!([]));
        put(index, "/place/blobs", json!([]));
        put(index, "/place/launcher_len", json!(1_u64 << 40));
    });
    assert!(matches!(lone_launcher, Err(ReadError::Unacceptable(_))));
}

#[test]
fn stretches_that_do_not_cover_the_file() {
    let digest = json!("00".repeat(32));
    assert_refused([
        ("/place/stretches", json!([])),
        ("/place/stretches/-", digest),
        ("/place/stretches/0", json!("00")),
        ("/place/stretches/0", json!("zz".repeat(32))),
    ]);
}

#[test]
fn digests_that_lead_nowhere() {
    let stranger = json!(Digest::of(b"stranger"));
    assert_refused([
        ("/content/images/0/manifest", stranger.clone()),
        ("/content/images/0/config", stranger.clone()),
        ("/content/images/0/layers/0/blob", stranger.clone()),
        ("/content/project/files/0/blob", stranger.clone()),
        (
            "/content/engine",
            json!({"archive": stranger, "archive_unpacked_len": 1, "compose": stranger, "compose_len": 1}),
        ),
        ("/content/project/files/0/blob", json!("sha512:00")),
        ("/content/project/files/0/blob", json!("../../etc/passwd")),
    ]);
    assert_refused([
        ("/content/images/0/manifest_len", json!(9)),
        ("/content/images/0/layers/1/stored_len", json!(0)),
    ]);
    let twice = open_edited(|index| {
        let digest = index["place"]["blobs"][0]["digest"].clone();
        put(index, "/place/blobs/1/digest", digest);
    });
    assert!(matches!(twice, Err(ReadError::Unacceptable(_))));
}

#[test]
fn paths_that_leave_the_project_or_collide() {
    let long = "a/".repeat(2_000) + "a";
    for bad in [
        "/etc/passwd",
        "../x",
        "a/../../x",
        "a/..",
        "..",
        ".",
        "./a",
        "a//b",
        "a/",
        "",
        "a\\b",
        "C:\\x",
        "a\nb",
        "a\0b",
        "a\u{1b}[2Jb",
        "a\u{202e}b",
        // Twins: what is not seen, and letters taken apart.
        "a\u{200b}b",
        "a\u{ad}b",
        "a\u{feff}",
        "e\u{301}.conf",
        "か\u{3099}.conf",
        "\u{1100}\u{1161}.conf",
        "a\u{fe0f}",
        "a\u{e0041}",
        ".env",
        ".env/x",
        ".airlift/receipt.json",
        ".airlift",
        "engine",
        "engine/bin/dockerd",
        "bin/docker-compose",
        long.as_str(),
    ] {
        assert_refused([
            ("/content/project/files/0/path", json!(bad)),
            ("/content/project/directories", json!([{"path": bad, "mode": 0o755, "uid": 0, "gid": 0}])),
        ]);
    }
    assert_refused([("/content/project/compose_file", json!("other.yml"))]);
    let control = |index: &mut Value| {
        let name = index["content"]["app"]["name"].as_str().unwrap().to_owned();
        put(index, "/content/project/files/0/path", json!(format!("bin/{name}ctl")));
    };
    assert!(matches!(open_edited(control), Err(ReadError::Unacceptable(_))), "bin/<app>ctl");
    let collisions: [&[&str]; 3] = [&["a", "a"], &["a", "a/b"], &["a/b/c", "a/b", "z"]];
    for paths in collisions {
        let opened = open_edited(|index| {
            for path in paths {
                let mut file = index["content"]["project"]["files"][0].clone();
                file["path"] = json!(path);
                put(index, "/content/project/files/-", file);
            }
        });
        assert!(matches!(opened, Err(ReadError::Unacceptable(_))), "{paths:?}");
    }
    let directory = json!({"path": "docker-compose.yml", "mode": 0o755, "uid": 0, "gid": 0});
    let below_a_file = json!({"path": "docker-compose.yml/x", "mode": 0o755, "uid": 0, "gid": 0});
    assert_refused([
        ("/content/project/directories", json!([directory])),
        ("/content/project/directories", json!([below_a_file])),
        // Who owns it could replace what root runs.
        ("/content/project/directories", json!([{"path": "bin", "mode": 0o755, "uid": 1000, "gid": 1000}])),
        ("/content/project/files/0/mode", json!(0o4755)),
        ("/content/project/files/0/mode", json!(-1)),
    ]);
}

#[test]
fn names_that_would_become_paths_units_or_options() {
    for bad in ["", "../x", "a/b", "-a", "A", "a b", "a\nb", "a\0", "$(x)", "ü", &"a".repeat(49)] {
        assert_refused([("/content/app/name", json!(bad)), ("/content/project/name", json!(bad))]);
    }
    for bad in ["", "../1", ".1", "-1", "1 2", "1/2", "1\n", &"1".repeat(65)] {
        assert_refused([("/content/app/version", json!(bad))]);
    }
    for bad in ["", "a b", "nginx@sha256:00", "${X}", "a\u{1b}b", "-a", "a/../b"] {
        assert_refused([("/content/images/0/reference", json!(bad))]);
    }
    for bad in ["", "a-b", "1a", "Q", "a\n", &"a".repeat(65)] {
        assert_refused([("/content/questions/0/id", json!(bad))]);
    }
    for bad in ["", "1A", "A B", "A=B", "A\nB", "LD_PRELOAD\0"] {
        assert_refused([("/content/questions/0/env", json!(bad))]);
    }
}

/// Every text that can reach a screen.
const TEXTS: [&str; 37] = [
    "/content/packed_by",
    "/content/app/title/zh",
    "/content/app/title/en",
    "/content/app/vendor",
    "/content/project/profiles/-",
    "/content/project/services/-",
    "/content/images/0/platform",
    "/content/images/0/reference",
    "/content/engine/version",
    "/content/questions/0/prompt/zh",
    "/content/questions/0/prompt/en",
    "/content/questions/0/help/zh",
    "/content/questions/0/help/en",
    "/content/questions/0/default",
    "/content/questions/0/pattern",
    "/content/questions/0/choices/0",
    "/content/requirements/ports/-",
    "/content/requirements/kernel",
    "/content/requirements/arch",
    "/content/checks/0/name",
    "/content/checks/0/url",
    "/content/checks/0/contains",
    "/content/links/0/title/zh",
    "/content/links/0/title/en",
    "/content/links/0/url",
    "/place/stubs/0/arch",
    "/content/questions/0/pattern_hint/zh",
    "/content/questions/0/choices/1/value",
    "/content/questions/0/choices/1/title/en",
    "/content/checks/0/title/zh",
    "/content/public_ports/-",
    "/content/actions/0/name",
    "/content/actions/0/title/en",
    "/content/actions/0/service",
    "/content/actions/0/user",
    "/content/actions/0/command/0",
    "/content/actions/0/env/X",
];

/// An action, as a bundle with the feature `actions` has it.
fn action() -> Value {
    json!({"name": "a", "title": text("t"), "service": "s", "command": ["c"], "user": "u", "env": {"X": "q"}, "timeout": 9})
}

#[test]
fn texts_that_play_with_the_terminal() {
    let extended = |index: &mut Value| {
        let blob = index["place"]["blobs"][0]["digest"].clone();
        let engine = json!({"archive": blob, "archive_unpacked_len": 1, "compose": blob, "compose_len": 1});
        put(index, "/content/engine", engine);
        put(index, "/content/checks", json!([check("http://h/")]));
        put(index, "/content/questions/0/help", text("h"));
        put(index, "/content/requirements/kernel", json!("3.10"));
        put(index, "/content/questions/0/pattern_hint", text("h"));
        put(index, "/content/questions/0/choices/-", json!({"value": "b", "title": text("B")}));
        put(index, "/content/checks/0/title", text("t"));
        put(index, "/content/actions", json!([action()]));
        put(index, "/content/public_ports", json!(["80"]));
    };
    assert!(open_edited(extended).is_ok());
    let long = "长".repeat(2_001);
    for bad in [
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "a\rb",
        "a\nb",
        "\u{7}",
        "\u{8}\u{8}",
        "\u{7f}",
        "\u{9b}2J",
        "\0",
        "\u{202e}txt",
        "\u{2066}a",
        "\u{200f}a",
        "\u{61c}a",
        "\u{feff}a",
        "\u{e0041}",
        "\u{2028}",
        long.as_str(),
    ] {
        for pointer in TEXTS {
            let opened = open_edited(|index| {
                extended(index);
                // URLs must be refused for the text in them, not for their beginning.
                let is_url = pointer.ends_with("url");
                put(index, pointer, json!(if is_url { format!("http://h/{bad}") } else { bad.to_owned() }));
            });
            let Err(ReadError::Unacceptable(why)) = opened else {
                panic!("{pointer} = {bad:?} was accepted")
            };
            assert!(!why.contains(|c: char| c.is_control() || c == '\u{202e}'), "{pointer}: {why:?}");
        }
    }
}

#[test]
fn certificates_that_would_replace_or_reveal_something() {
    let tls = |key: &str, value: Value| {
        let mut tls = json!({"certificate": "tls/a.crt", "key": "tls/a.key", "host": "q"});
        put(&mut tls, &format!("/{key}"), value);
        tls
    };
    let with = |value: Value| {
        open_edited(|index| {
            put(index, "/content/questions", json!([question("q")]));
            put(index, "/content/tls", value);
        })
    };
    assert!(with(tls("key", json!("tls/b.key"))).is_ok());
    let compose = sample().index.content.project.compose_file.to_string();
    for wrong in [
        tls("key", json!("tls/a.crt")),
        tls("key", json!(compose)),
        tls("key", json!(".env")),
        tls("key", json!(".airlift/receipt.json")),
        tls("key", json!("../a.key")),
        tls("key", json!("tls/a.crt/key")),
        tls("host", json!("nobody")),
        tls("host", json!("tls")),
    ] {
        assert!(with(wrong.clone()).is_err(), "{wrong}");
    }
    // Everybody can read what a certificate is for.
    let secret = open_edited(|index| {
        let mut question = question("q");
        put(&mut question, "/kind", json!("secret"));
        put(index, "/content/questions", json!([question]));
        put(index, "/content/tls", tls("owner", json!([0, 0])));
    });
    assert!(matches!(secret, Err(ReadError::Unacceptable(_))));
    // Only where there is one can anything depend on it.
    let depends = |has_tls: bool| {
        open_edited(|index| {
            let mut other = question("other");
            put(&mut other, "/when", json!([{"question": "tls", "none": ["off"]}]));
            put(index, "/content/questions", json!([question("q"), other]));
            if has_tls {
                put(index, "/content/tls", tls("owner", json!([0, 0])));
            }
        })
    };
    assert!(depends(true).is_ok());
    // The certificate is asked for before what depends on it, and by then its host is known.
    let late = open_edited(|index| {
        let mut first = question("first");
        put(&mut first, "/when", json!([{"question": "tls", "none": ["off"]}]));
        put(index, "/content/questions", json!([first, question("q")]));
        put(index, "/content/tls", tls("owner", json!([0, 0])));
    });
    assert!(matches!(late, Err(ReadError::Unacceptable(_))));
    assert!(matches!(depends(false), Err(ReadError::Unacceptable(_))));
}

#[test]
fn questions_and_checks_that_cannot_work() {
    let with = |key: &str, value: Value| {
        let mut question = question("q");
        put(&mut question, &format!("/{key}"), value);
        ("/content/questions/0", question)
    };
    assert_refused([
        with("kind", json!("frobnication")),
        with("pattern", json!("(")),
        with("pattern", json!("((((((((((a{100}){100}){100}){100}){100}){100}){100}){100}){100}){100}")),
        with("generate", json!({"format": "hex", "bytes": 0})),
        with("generate", json!({"format": "hex", "bytes": 65_535})),
        with("default", json!("a\u{1b}")),
        ("/content/questions/-", question("q")),
        ("/content/checks/-", check("file:///etc/shadow")),
        ("/content/checks/-", check("http://127.0.0.1:{unknown}/")),
        ("/content/links/0/url", json!("http://{unknown}/")),
        ("/content/requirements/ports/-", json!("{unknown}")),
        ("/content/requirements/ports/-", json!("http")),
        ("/content/requirements/ports/-", json!("0")),
        ("/content/requirements/ports/-", json!("65536")),
        ("/content/images/0/layers", json!([])),
        ("/content/created", json!(-1)),
    ]);
    let choice = open_edited(|index| {
        put(index, "/content/questions/0/kind", json!("choice"));
        put(index, "/content/questions/0/choices", json!([]));
    });
    assert!(matches!(choice, Err(ReadError::Unacceptable(_))));
    let mut timeout = check("http://h/");
    timeout["timeout"] = json!(u64::MAX);
    assert_refused([("/content/checks/-", timeout)]);
}

#[test]
fn documents_that_are_no_index() {
    let sample = sample();
    let deep = "[".repeat(200_000);
    let twice = br#"{"content":{},"content":{},"place":{}}"#;
    for raw in [&b""[..], b"null", b"{}", b"[1]", deep.as_bytes(), twice, b"\xff\xfe", b"{\"place\":{}}"] {
        let opened = Bundle::open(&mut Cursor::new(sample.forge(raw, |_| ())));
        assert!(matches!(opened, Err(ReadError::Unacceptable(_))), "{:.20}", String::from_utf8_lossy(raw));
    }
    let opened = Bundle::open(&mut Cursor::new(sample.forge_stored(b"not zstd at all", 100, |_| ())));
    assert!(matches!(opened, Err(ReadError::IndexDamaged { .. })));
}

#[test]
fn trailers_that_lie() {
    let sample = sample();
    let index = serde_json::to_vec(&sample.index).unwrap();
    let lies: [fn(&mut Trailer); 7] = [
        |trailer| trailer.index_offset = u64::MAX,
        |trailer| trailer.index_offset = 0,
        |trailer| trailer.index_offset += 1,
        |trailer| trailer.index_stored_len = u64::MAX,
        |trailer| trailer.index_stored_len += 1,
        |trailer| trailer.index_stored_len -= 1,
        |trailer| trailer.index_digest = Digest::of(b"other"),
    ];
    for (number, lie) in lies.into_iter().enumerate() {
        let opened = Bundle::open(&mut Cursor::new(sample.forge(&index, lie)));
        assert!(opened.is_err(), "lie {number} was believed");
    }
    for total_len in [0, u64::MAX, TRAILER_LEN as u64] {
        let bytes = sample.forge(&index, |trailer| trailer.total_len = total_len);
        let opened = Bundle::open(&mut Cursor::new(bytes));
        assert!(matches!(opened, Err(ReadError::WrongLength { .. })), "total length {total_len}");
    }
    let bare =
        Trailer::decode(&sample.bytes[sample.bytes.len() - TRAILER_LEN..].try_into().unwrap()).unwrap();
    let alone = Trailer { index_offset: 0, index_stored_len: 0, index_raw_len: 0, total_len: 160, ..bare };
    assert!(Bundle::open(&mut Cursor::new(alone.encode())).is_err());
}

#[test]
fn a_newer_major_version_is_named_before_anything_else_is_read() {
    let sample = sample();
    let found = FormatVersion { major: 2, minor: 0 };
    // The index of a format that does not exist yet: this reader must not look at it.
    let bytes = sample.forge_stored(b"something new", 7, |trailer| trailer.version = found);
    match Bundle::open(&mut Cursor::new(bytes)) {
        Err(ReadError::Version { found: named }) => assert_eq!(named, found),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_newer_minor_version_with_unknown_fields_is_accepted() {
    let sample = sample();
    let mut index = serde_json::to_value(&sample.index).unwrap();
    let objects = [
        "",
        "/content",
        "/content/app",
        "/content/app/title",
        "/content/project",
        "/content/project/files/0",
        "/content/images/0",
        "/content/images/0/layers/0",
        "/content/questions/0",
        "/content/questions/0/prompt",
        "/content/requirements",
        "/content/links/0",
        "/place",
        "/place/stubs/0",
        "/place/blobs/0",
    ];
    for object in objects {
        put(&mut index, &format!("{object}/added_in_1_9"), json!({"anything": [1, "two", null]}));
    }
    let generate = json!({"format": "hex", "bytes": 32, "added_in_1_9": true});
    put(&mut index, "/content/questions/0/generate", generate);
    let minor = |trailer: &mut Trailer| trailer.version = FormatVersion { major: 1, minor: 9 };
    let bundle =
        Bundle::open(&mut Cursor::new(sample.forge(&serde_json::to_vec(&index).unwrap(), minor))).unwrap();
    assert_eq!(bundle.trailer.version.minor, 9);
    assert_eq!(bundle.index.place, sample.index.place);
    assert_eq!(bundle.index.content.images, sample.index.content.images);
}

#[test]
fn an_unknown_feature_is_refused_by_its_name_even_if_it_changes_a_known_field() {
    for reshape in [false, true] {
        let opened = open_edited(|index| {
            put(index, "/content/features", json!(["parts"]));
            if reshape {
                put(index, "/place/blobs", json!("in another file"));
            }
        });
        match opened {
            Err(ReadError::Unacceptable(why)) => assert!(why.contains("`parts`"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_secret_has_no_place_in_a_url() {
    let opened = open_edited(|index| {
        let mut secret = question("q");
        secret["secret"] = json!(true);
        put(index, "/content/questions/0", secret);
        put(index, "/content/links/0/url", json!("http://h/{q}"));
    });
    assert!(matches!(&opened, Err(ReadError::Unacceptable(why)) if why.contains("secret")), "{opened:?}");
}

#[test]
fn certificates_that_would_replace_something_else() {
    let tls = |certificate: &str, key: &str| {
        ("/content/tls", json!({"certificate": certificate, "key": key, "host": "q"}))
    };
    assert!(open_edited(|index| put(index, "/content/tls", tls("tls/cert.pem", "tls/key.pem").1)).is_ok());
    for bad in [
        ".env",
        ".airlift/receipt.json",
        "docker-compose.yml",
        "docker-compose.yml/x",
        "/etc/shadow",
        "../x",
        "b",
    ] {
        assert_refused([tls(bad, "b"), tls("b", bad)]);
    }
    // A directory of the project, and a file below which a certificate would lie.
    let directory = json!({"path": "tls", "mode": 0o755, "uid": 0, "gid": 0});
    let both = open_edited(|index| {
        put(index, "/content/project/directories", json!([directory]));
        put(index, "/content/tls", tls("tls", "key").1);
    });
    assert!(matches!(both, Err(ReadError::Unacceptable(_))));
    let (_, mut asks) = tls("c", "k");
    asks["host"] = json!("nobody");
    assert_refused([("/content/tls", asks)]);
}

#[test]
fn values_that_double_each_other() {
    let opened = open_edited(|index| {
        let value = |number: usize| match number {
            0 => json!({"id": "v0", "value": "{q}"}),
            _ => json!({"id": format!("v{number}"), "value": format!("{{v{0}}}{{v{0}}}", number - 1)}),
        };
        put(index, "/content/values", (0..60).map(value).collect());
    });
    assert!(matches!(&opened, Err(ReadError::Unacceptable(why)) if why.contains("answers")), "{opened:?}");
}

#[test]
fn actions_that_reach_for_what_they_may_not_have() {
    let with = |key: &str, value: Value| {
        let mut action = action();
        put(&mut action, &format!("/{key}"), value);
        ("/content/actions", json!([action]))
    };
    assert!(open_edited(|index| put(index, "/content/actions", json!([action()]))).is_ok());
    assert_refused([
        with("name", json!("../x")),
        with("command", json!([])),
        with("env", json!({"A=B": "q"})),
        with("env", json!({"X": "nobody"})),
        with("stdin", json!("nobody")),
        with("timeout", json!(0)),
        with("timeout", json!(u64::MAX)),
        with("run", json!("always")),
        ("/content/actions", json!([action(), action()])),
    ]);
}
