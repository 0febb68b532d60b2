//! `airlift lint`: every rule fires on a project made for it, and none on a good one.

use bundle_spec::digest::Digest;

use crate::archive::{TestImage, docker_archive, layer, listing};
use crate::pack::packable;
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
    sandbox.write("x.tar", docker_archive(&[TestImage::new("web:1.0", &[&layer(&[("x", b"y")])])]));
    sandbox.write("airlift.toml", format!("{APP}{}{rest}", listing(&["web:1.0"], "x.tar")));
    // The fake Compose answers with absolute paths, as the real one does.
    sandbox.program(
        "docker",
        &format!("#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\nsed \"s,ROOT,$(pwd),\" <<'END'\n{GOOD}\nEND\n"),
    );
    let ran = sandbox.airlift(&["lint", "--no-engine"]).ok();
    assert_eq!(ran.out, "", "{}", ran.err);
    assert!(ran.err.contains("0 errors, 0 warnings"));
}

#[test]
fn a_bundle_without_an_engine_is_a_warning_unless_it_is_meant() {
    let sandbox = packable();
    sandbox.compose_says(r#"{"services":{"one":{"image":"demo/one:1.0"}}}"#);
    let ran = sandbox.airlift(&["lint"]).ok();
    assert!(ran.out.contains("warning[engine-none]: the bundle carries no engine"), "{}", ran.out);
    assert!(ran.out.contains("--no-engine"), "{}", ran.out);
    let warnings = |ran: &crate::sandbox::Ran| {
        ran.err.split_once(" warnings").unwrap().0.rsplit([' ', '\n']).next().unwrap().parse::<u32>().unwrap()
    };
    let meant = sandbox.airlift(&["lint", "--no-engine"]).ok();
    assert!(!meant.out.contains("engine-none"), "{}", meant.out);
    assert_eq!(warnings(&meant) + 1, warnings(&ran));
    let (packed, packed_so) =
        (sandbox.airlift(&["pack"]).ok(), sandbox.airlift(&["pack", "--no-engine"]).ok());
    assert_eq!((warnings(&packed), warnings(&packed_so)), (warnings(&ran), warnings(&meant)));
    // With parts from the command line there is one.
    sandbox.write("compose", "x");
    let ran = sandbox.airlift(&["lint", "--engine-compose", "compose"]).ok();
    assert!(!ran.out.contains("engine-none"), "{}", ran.out);
}

#[test]
fn every_rule_fires_at_once() {
    let sandbox = Sandbox::new();
    sandbox.write(
        "docker-compose.yml",
        "services: {x: {environment: [\"${NEEDED:?}\", \"${BARE}\", \"${FINE:-1}\"]}}\n",
    );
    sandbox.write("nginx.conf", "x");
    let question = "[[question]]\nid = \"q\"\nenv = \"UNUSED\"\nkind = \"text\"\npattern = \"[a-z]+\"\nprompt = { zh = \"x\", en = \"x\" }\n";
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
        ("error", "engine-silent", "b:latest, demo-built:latest"),
        ("error", "image-archive", "x.tar"),
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
        ("warning", "pattern-hint", "question q has a pattern and no pattern_hint"),
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
        .fails(2, &["image-archive", "image-pinned", "mount-missing", "pull-policy", "variable-unset"]);
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
    assert!(ran.out.contains("\n  correct docker-compose.yml"), "{}", ran.out);
    // The file is here, and Compose was asked about a copy without it.
    sandbox.write("app.env", "X=1");
    sandbox.program("docker", "#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\necho \"env file $PWD/app.env not found: stat $PWD/app.env: no such file or directory\" >&2\nexit 1\n");
    let ran = sandbox.airlift(&["lint"]);
    let said = "env file ./app.env not found";
    assert!(
        ran.out.contains(said) && ran.out.contains("\n  pack it: [[file]] include = [\"app.env\"]"),
        "{}",
        ran.out
    );
    sandbox.program("docker", "#!/bin/sh\ncase \"$*\" in *version) exit 0 ;; esac\necho 'services.web.imag is not allowed' >&2\nexit 15\n");
    let _ = sandbox
        .airlift(&["pack"])
        .fails(2, &["Docker Compose refuses docker-compose.yml", "services.web.imag"]);
}

/// What lint says, and that pack refuses the project with the same code and the same words.
fn refused(sandbox: &Sandbox, code: i32, said: &[&str]) {
    let linted = sandbox.airlift(&["lint"]);
    assert_eq!(linted.code, code, "{}{}", linted.out, linted.err);
    for part in said {
        assert!(linted.out.contains(part), "`{part}` is missing in:\n{}", linted.out);
    }
    let _ = sandbox.airlift(&["pack"]).fails(code, said);
}

#[test]
fn an_archive_that_is_not_there_is_found_together_with_the_rest() {
    let sandbox = packable();
    sandbox.write(
        "airlift.toml",
        format!("{APP}{}[[file]]\ninclude = [\"nothing/*\"]\n", listing(&["demo/one:1.0"], "gone.tar")),
    );
    refused(
        &sandbox,
        2,
        &["image-archive", "gone.tar", "check `path` of the image demo/one:1.0", "nothing/*"],
    );
}

#[test]
fn images_without_a_source_are_found_with_the_nearest_name() {
    let sandbox = packable();
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:2.0"], "images.tar")));
    sandbox.compose_says(r#"{"services":{"one":{"image":"demo/one:1.0"},"db":{"image":"postgres:16"}}}"#);
    refused(
        &sandbox,
        2,
        &["demo/one:2.0: not in images.tar; did you mean demo/one:1.0?", "postgres:16", "start Docker"],
    );
}

#[test]
fn an_engine_that_does_not_answer_is_no_mistake_of_the_definition() {
    let sandbox = packable();
    sandbox.compose_says(r#"{"services":{"db":{"image":"postgres:16"}}}"#);
    refused(&sandbox, 1, &["engine-silent", "postgres:16", "/nowhere/docker.sock", "start Docker"]);
}

#[test]
fn without_compose_the_warning_counts_and_no_image_is_an_error() {
    let sandbox = packable();
    let ran = sandbox.airlift(&["lint", "--no-engine"]).ok();
    assert!(ran.out.contains("warning[compose-missing]"), "{}", ran.out);
    assert!(ran.err.contains("0 errors, 1 warning\n"), "{}", ran.err);
    sandbox.write("airlift.toml", APP);
    refused(&sandbox, 2, &["image-none", "there is no image to pack", "[[image]]"]);
}

#[test]
fn engine_parts_that_are_at_hand_are_looked_at() {
    let sandbox = packable();
    let definition = String::from_utf8(sandbox.read("airlift.toml")).unwrap();
    sandbox.write("compose", "no program");
    let digest = Digest::of(b"no program").hex();
    let engine = |docker: &str, compose: &str| {
        let text = format!(
            "{definition}[engine]\ndocker = {{ path = \"{docker}\", sha256 = \"{digest}\" }}\ncompose = {{ path = \"{compose}\", sha256 = \"{digest}\" }}\n"
        );
        sandbox.write("airlift.toml", text);
    };
    engine("gone.tgz", "images.tar");
    refused(&sandbox, 2, &["gone.tgz is not there", "images.tar is not the file that the definition names"]);
    engine("compose", "compose");
    refused(&sandbox, 2, &["compose cannot be packed as the engine", "it is not a program"]);
}

#[test]
fn mistakes_in_templates_are_named_with_file_and_line() {
    let sandbox = Sandbox::new();
    sandbox.write("docker-compose.yml", "services: {web: {image: \"web:1.0\"}}\n");
    sandbox.write("nginx/a.conf", "listen @{port};\n@if mode == onn\nx\n@end\n@{prot} @{free}\n@else\n");
    sandbox.write("nginx/b.conf", "@if mode == on\nlisten @{port:json};\n");
    sandbox.write("nginx/c.bin", b"\xff\xfe");
    sandbox.write("x.tar", docker_archive(&[TestImage::new("web:1.0", &[&layer(&[("x", b"y")])])]));
    let rest = r#"
[[question]]
id = "port"
kind = "port"
prompt = { zh = "x", en = "x" }
[[question]]
id = "mode"
kind = "choice"
choices = ["on", "off"]
prompt = { zh = "x", en = "x" }
[[question]]
id = "free"
kind = "text"
default = "a b"
prompt = { zh = "x", en = "x" }
[[action]]
name = "first"
service = "webb"
command = ["x"]
[[file]]
include = ["nginx/**", "docker-compose.yml"]
template = true
"#;
    sandbox.write("airlift.toml", format!("{APP}{}{rest}", listing(&["web:1.0"], "x.tar")));
    sandbox.compose_says(r#"{"services":{"web":{"image":"web:1.0"}}}"#);
    let ran = sandbox.airlift(&["lint"]);
    assert_eq!(ran.code, 2);
    for part in [
        "error[template]: nginx/a.conf:6: @else without @if",
        "error[template]: nginx/b.conf:1: `@if mode == on` has no @end",
        "error[template]: nginx/c.bin cannot be read as text",
        "error[template]: docker-compose.yml cannot be a template",
        "error[action-service]: the action `first` runs in the service `webb`",
        "did you mean `web`?",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}\n{}", ran.out, ran.err);
    }
    sandbox.write("nginx/a.conf", "listen @{port};\n@if mode == onn\nx\n@end\n@{prot} @{free}\n");
    let ran = sandbox.airlift(&["lint"]);
    for part in [
        "error[template]: nginx/a.conf:2: `mode == onn`: the answer to `mode` is never `onn`, but one of: on, off",
        "error[template]: nginx/a.conf:5: there is no question `prot`: did you mean `port`?",
        "error[template]: nginx/a.conf:5: the default of `free` has the character  ,",
    ] {
        assert!(ran.out.contains(part), "{part}\n{}\n{}", ran.out, ran.err);
    }
}

#[test]
fn a_mount_that_is_missing_is_told_by_what_it_is() {
    let sandbox = packable();
    sandbox.write("site.conf", "x");
    sandbox.write("html/index.html", "x");
    std::fs::create_dir(sandbox.path("empty")).unwrap();
    std::fs::create_dir(sandbox.path("tables.sql")).unwrap();
    let sources = ["site.conf", "html", "empty", "tables.sql", "gone/init.sql", "gone/data"];
    let mounts = sources.map(|source| format!(r#"{{"type":"bind","source":"{source}","target":"/x"}}"#));
    sandbox.compose_says(&format!(
        r#"{{"services":{{"web":{{"image":"demo/one:1.0","volumes":[{}]}}}}}}"#,
        mounts.join(",")
    ));
    let ran = sandbox.airlift(&["lint", "--json"]);
    let findings: Vec<serde_json::Value> =
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |source: &str| {
        let place = format!("mounts ./{source} at");
        let finding = findings.iter().find(|finding| finding["message"].as_str().unwrap().contains(&place));
        let finding = finding.unwrap();
        (finding["level"].as_str().unwrap(), finding["hint"].as_str().unwrap())
    };
    for (source, level, begins) in [
        ("site.conf", "error", "pack it: [[file]] include = [\"site.conf\"]"),
        ("html", "warning", "pack what is in it: [[file]] include = [\"html/**\"]; or"),
        ("empty", "warning", "add [[directory]] path = \"empty\""),
        ("tables.sql", "warning", "add [[directory]] path = \"tables.sql\""),
        (
            "gone/init.sql",
            "warning",
            "if it is a file, put it there and pack it: [[file]] include = [\"gone/init.sql\"]",
        ),
        ("gone/data", "warning", "add [[directory]] path = \"gone/data\""),
    ] {
        let (found, hint) = of(source);
        assert!(found == level && hint.starts_with(begins), "{source}: {found}: {hint}");
    }
}

#[test]
fn a_certificate_must_be_asked_for_and_be_seen() {
    let sandbox = Sandbox::new();
    sandbox.write("docker-compose.yml", "services: {web: {image: \"web:1.0\"}}\n");
    sandbox.write("nginx/web.conf", "listen 80;\n");
    sandbox.write("x.tar", docker_archive(&[TestImage::new("web:1.0", &[&layer(&[("x", b"y")])])]));
    let rest = r#"
[[question]]
id = "host"
kind = "host"
prompt = { zh = "x", en = "x" }
[tls]
certificate = "nginx/tls/server.crt"
key = "nginx/tls/server.key"
host = "host"
[[question]]
id = "https_port"
kind = "port"
prompt = { zh = "x", en = "x" }
when = { tls = { not = "off" } }
[requirements]
ports = ["{https_port}", 8080]
[[file]]
include = ["nginx/**"]
template = true
"#;
    sandbox.write("airlift.toml", format!("{APP}{}{rest}", listing(&["web:1.0"], "x.tar")));
    let mounting = |source: &str| {
        sandbox.compose_says(&format!(
            r#"{{"services":{{"web":{{"image":"web:1.0","volumes":[{{"type":"bind","source":"{source}","target":"/tls"}}]}}}}}}"#
        ));
        sandbox.airlift(&["lint"]).out
    };
    let out = mounting("nginx/web.conf");
    // A check always asks, and nobody listens there without HTTPS.
    assert!(!out.contains("{https_port}"), "{out}");
    for part in [
        "warning[port-unchecked]: no [[check]] asks at port 8080",
        "warning[tls-unused]",
        "warning[tls-unmounted]: no service mounts the folder of ./nginx/tls/server.crt",
    ] {
        assert!(out.contains(part), "{part}\n{out}");
    }
    sandbox.write("nginx/web.conf", "@if tls != off\nlisten 443 ssl;\n@end\n");
    let out = mounting("nginx/tls/server.key");
    assert!(out.contains("error[tls-mount]: service web mounts the file ./nginx/tls/server.key"), "{out}");
    assert!(!out.contains("tls-unused"), "{out}");
    for source in ["nginx/tls", "nginx"] {
        let out = mounting(source);
        assert!(!out.contains("[tls-"), "{out}");
    }
    sandbox.write("nginx/tls/server.key", "a real key");
    let out = mounting("nginx/tls");
    assert!(out.contains("nginx/tls/server.key is packed, and [tls] writes its key there"), "{out}");
}
