//! `init`, `inspect`, `export` and `demo` from outside.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::archive::{docker_archive, listing, two_images};
use crate::pack::packable;
use crate::sandbox::Sandbox;

#[test]
fn init_writes_a_definition_that_lint_accepts_and_never_overwrites() {
    let sandbox = Sandbox::new();
    sandbox.write("docker-compose.yml", "services:\n  web:\n    image: web:1\n    ports: [\"${HTTP_PORT:-80}:80\"]\n    environment:\n      K: ${SECRET_KEY:?}\n");
    let ran = sandbox.airlift(&["init"]).ok();
    assert_eq!(ran.out.trim(), "./airlift.toml");
    let text = String::from_utf8(sandbox.read("airlift.toml")).unwrap();
    assert!(
        text.contains("id = \"http_port\"")
            && text.contains("kind = \"secret\"")
            && text.contains("# [[check]]")
    );
    sandbox.compose_says(r#"{"services":{"web":{"image":"demo/one:1.0"}}}"#);
    sandbox.write("images.tar", docker_archive(&two_images()));
    sandbox.write("airlift.toml", format!("{text}{}", listing(&["demo/one:1.0"], "images.tar")));
    let _ = sandbox.airlift(&["lint"]).ok();
    sandbox.write("airlift.toml", &text);
    let _ = sandbox.airlift(&["init"]).fails(2, &["it is there already"]);
    assert_eq!(sandbox.read("airlift.toml"), text.as_bytes());
}

#[test]
fn init_writes_what_the_compose_file_says() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "docker-compose.yml",
        "services:\n  web:\n    image: web\n    ports:\n      - 127.0.0.1:${WEB:-9000}:80\n    volumes:\n      - ./site.conf:/etc/s.conf\n      - ./data:/data\n",
    );
    let _ = sandbox.airlift(&["init"]).ok();
    let text = String::from_utf8(sandbox.read("airlift.toml")).unwrap();
    for part in [
        "#   web: web, which is web:latest",
        "\n[requirements]\nports = [\"{web}\"]",
        "id = \"web\"\nenv = \"WEB\"\nkind = \"port\"",
        "\n# site.conf is mounted and not here",
        "[[directory]]\npath = \"data\"",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert!(!text.contains("path = \"site.conf\"") && !text.contains(":80/"), "{text}");
}

#[test]
fn inspect_shows_everything_for_people_and_for_programs() {
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack"]).ok();
    let text = sandbox.airlift(&["inspect", "demo-1.0.run"]).ok().out;
    for part in [
        "demo 1.0: Demo / 演示",
        "demo/one:1.0",
        "linux/amd64",
        "0644 nginx/default.conf",
        "engine        none",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let json: Value =
        serde_json::from_str(&sandbox.airlift(&["inspect", "demo-1.0.run", "--json"]).ok().out).unwrap();
    assert_eq!(json["content"]["app"]["name"], "demo");
    assert_eq!(json["length"], sandbox.read("demo-1.0.run").len());
    assert_eq!(json["content"]["images"].as_array().unwrap().len(), 2);
}

#[test]
fn export_writes_a_layout_whose_blobs_hold() {
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack"]).ok();
    let ran = sandbox.airlift(&["export", "demo-1.0.run", "--oci", "out"]).ok();
    assert_eq!(ran.out, "out:demo/one:1.0\nout:demo/two:1.0\n");
    let index: Value = serde_json::from_slice(&sandbox.read("out/index.json")).unwrap();
    for entry in index["manifests"].as_array().unwrap() {
        assert_eq!(entry["platform"]["architecture"], "amd64");
        let name = entry["annotations"]["io.containerd.image.name"].as_str().unwrap();
        assert!(name.starts_with("docker.io/demo/"), "{name}");
    }
    for entry in fs::read_dir(sandbox.path("out/blobs/sha256")).unwrap() {
        let path = entry.unwrap().path();
        let digest = bundle_spec::digest::Digest::of(&fs::read(&path).unwrap());
        assert_eq!(digest.hex(), path.file_name().unwrap().to_str().unwrap());
    }
    // The export is a source itself, and packs to the same bundle.
    let before = sandbox.read("demo-1.0.run");
    let definition = String::from_utf8(sandbox.read("airlift.toml")).unwrap().replace("images.tar", "out");
    sandbox.write("airlift.toml", definition);
    let _ = sandbox.airlift(&["pack"]).ok();
    assert!(sandbox.read("demo-1.0.run") == before);
    let _ = sandbox.airlift(&["export", "demo-1.0.run", "--oci", "out"]).fails(2, &["out is not empty"]);
}

#[test]
fn help_names_every_verb() {
    let sandbox = Sandbox::new();
    let ran = sandbox.airlift(&["--help"]).ok();
    for verb in ["init", "lint", "pack", "inspect", "verify", "export", "demo"] {
        assert!(ran.out.contains(&format!("\n  {verb} ")), "{verb}: {}", ran.out);
    }
}

#[test]
fn demo_gives_an_option_only_where_the_user_does_not() {
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack"]).ok();
    // A shell that only says what it was to run.
    sandbox.program("sh", "#!/bin/bash\necho \"$*\"\n");
    let ran = sandbox.airlift(&["demo", "demo-1.0.run"]).ok();
    assert_eq!(ran.out, "demo-1.0.run install --engine private --yes --dir ./demo-demo\n");
    let ran = sandbox.airlift(&["demo", "demo-1.0.run", "--", "--yes", "--dir", "here"]).ok();
    assert_eq!(ran.out, "demo-1.0.run install --engine private --yes --dir here\n");
    assert!(ran.err.contains("installing demo 1.0 into here"), "{}", ran.err);
}

/// The long options that lines of this kind name.
fn options(text: &str, is_row: impl Fn(&str) -> bool) -> BTreeSet<&str> {
    text.lines()
        .filter(|line| is_row(line))
        .filter_map(|line| {
            let option = &line[line.find("--")?..];
            option.split(|c: char| !c.is_ascii_lowercase() && c != '-').next()
        })
        .filter(|option| *option != "--help")
        .collect()
}

#[test]
fn the_page_of_the_command_line_says_what_help_says() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/command-line.md");
    let page = fs::read_to_string(page).unwrap();
    let page = page.split_once("\n## `airlift`").unwrap().1.split("\n## ").next().unwrap();
    let sandbox = Sandbox::new();
    for verb in ["init", "lint", "pack", "inspect", "verify", "export", "demo"] {
        let heading = format!("\n### `airlift {verb}");
        let section = page.split_once(&heading).unwrap().1.split("\n### ").next().unwrap();
        let help = sandbox.airlift(&[verb, "--help"]).ok().out;
        let said = options(&help, |line| line.trim_start().starts_with('-'));
        assert_eq!(options(section, |line| line.starts_with("| `-")), said, "{verb}:\n{help}");
    }
}

/// The ids of findings that the program's own source names after any of these.
fn ids(folder: &Path, before: &[&str], found: &mut BTreeSet<String>) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            ids(&path, before, found);
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        let calls = before.iter().flat_map(|call| source.split(call).skip(1));
        let quoted = calls.filter_map(|rest| rest.trim_start().strip_prefix('"')?.split_once('"'));
        found.extend(quoted.map(|(id, _)| id.to_owned()));
    }
}

#[test]
fn the_page_of_the_command_line_names_every_finding_of_lint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/command-line.md")).unwrap();
    let cases = [
        ("\n| error |", vec!["Finding::error(", "Finding::of_failure("]),
        ("\n| warning |", vec!["Finding::warning(", "NO_COMPOSE: &str ="]),
    ];
    for (row, before) in cases {
        let row = page.split_once(row).unwrap().1.lines().next().unwrap();
        let named: BTreeSet<String> = row.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        let mut found = BTreeSet::new();
        ids(&root.join("src"), &before, &mut found);
        assert_eq!(named, found);
    }
}
