//! `airlift lint`: every rule fires on a project made for it, and none on a good one.

use crate::archive::listing;
use crate::sandbox::{APP, Sandbox};

const GOOD: &str = r#"{"services":{"web":{"image":"web:1.0","restart":"always","healthcheck":{"test":["CMD","x"]},
  "logging":{"driver":"json-file","options":{"max-size":"10m"}},
  "volumes":[{"type":"bind","source":"ROOT/db","target":"/db"},{"type":"volume","source":"v","target":"/v"}]}}}"#;

const BAD: &str = r#"{"services":{
  "pinned":{"image":"a@sha256:0000000000000000000000000000000000000000000000000000000000000000"},
  "latest":{"image":"b"},
  "built":{"build":{"context":"."},"pull_policy":"always","privileged":true,
    "volumes":[{"type":"bind","source":"nginx.conf","target":"/etc/n"},{"type":"bind","source":"data","target":"/d"}]}}}"#;

#[test]
fn a_good_project_has_no_findings() {
    let sandbox = Sandbox::new();
    sandbox.write("docker-compose.yml", "services: {web: {image: \"web:${TAG:-1.0}\"}}\n");
    let rest = "[[directory]]\npath = \"db\"\n[requirements]\nports = [80]\n[[check]]\nname = \"c\"\nurl = \"http://127.0.0.1/\"\n";
    sandbox.write("airlift.toml", format!("{APP}{}{rest}", listing(&["web:1.0"], "x.tar")));
    // The fake Compose answers with absolute paths, as the real one does.
    sandbox.program(
        "docker",
        &format!("#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\nsed \"s,ROOT,$(pwd),\" <<'END'\n{GOOD}\nEND\n"),
    );
    let ran = sandbox.airlift(&["lint"]).ok();
    assert_eq!(ran.out, "", "{}", ran.err);
    assert!(ran.err.contains("0 errors, 0 warnings"));
}

#[test]
fn every_rule_fires_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "docker-compose.yml",
        "services: {x: {environment: [\"${NEEDED:?}\", \"${BARE}\", \"${FINE:-1}\"]}}\n",
    );
    sandbox.write("nginx.conf", "x");
    let question =
        "[[question]]\nid = \"q\"\nenv = \"UNUSED\"\nkind = \"text\"\nprompt = { zh = \"x\", en = \"x\" }\n";
    sandbox.write(
        "airlift.toml",
        format!("{APP}{question}{}[requirements]\nports = [8000]\n", listing(&["tool:1"], "x.tar")),
    );
    sandbox.compose_says(BAD);
    let ran = sandbox.airlift(&["lint", "--json"]);
    assert_eq!(ran.code, 2);
    let findings: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let has = |level: &str, id: &str, part: &str| {
        findings.iter().any(|finding| {
            finding["level"] == level
                && finding["id"] == id
                && finding["message"].as_str().unwrap().contains(part)
        })
    };
    for (level, id, part) in [
        ("error", "image-pinned", "pinned"),
        ("error", "mount-missing", "./nginx.conf"),
        ("error", "pull-policy", "built"),
        ("error", "variable-unset", "NEEDED"),
        ("warning", "image-build", "built"),
        ("warning", "image-latest", "b:latest"),
        ("warning", "image-unused", "tool:1"),
        ("warning", "mount-missing", "./data"),
        ("warning", "no-healthcheck", "latest"),
        ("warning", "no-log-rotation", "latest"),
        ("warning", "no-restart", "latest"),
        ("warning", "port-unchecked", "8000"),
        ("warning", "privileged", "built"),
        ("warning", "variable-unset", "BARE"),
        ("warning", "variable-unused", "UNUSED"),
    ] {
        assert!(has(level, id, part), "{level} {id} {part} is missing in {}", ran.out);
    }
    assert!(!ran.out.contains("FINE"));
    let first_warning = findings.iter().position(|finding| finding["level"] == "warning").unwrap();
    assert!(
        findings[first_warning..].iter().all(|finding| finding["level"] == "warning"),
        "errors come first"
    );
    // Packing stops at the errors, all of them.
    let _ = sandbox
        .airlift(&["pack"])
        .fails(2, &["image-pinned", "mount-missing", "pull-policy", "variable-unset"]);
}

#[test]
fn what_compose_refuses_is_a_finding() {
    let sandbox = Sandbox::new();
    sandbox.write("airlift.toml", APP);
    sandbox.program("docker", "#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\necho 'services.web.imag is not allowed' >&2\nexit 15\n");
    let ran = sandbox.airlift(&["lint"]);
    assert!(
        ran.code == 2 && ran.out.contains("error[compose]") && ran.out.contains("services.web.imag"),
        "{}",
        ran.out
    );
    let _ = sandbox
        .airlift(&["pack"])
        .fails(2, &["Docker Compose refuses docker-compose.yml", "services.web.imag"]);
}
