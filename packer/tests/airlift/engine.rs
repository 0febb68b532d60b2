//! Engine parts: digests that do not hold, downloads through the cache, what a bundle carries.

use bundle_spec::digest::Digest;
use bundle_spec::reader::Bundle;

use crate::archive::gzip;
use crate::pack::packable;
use crate::sandbox::{APP, Sandbox};

fn program(text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..4].copy_from_slice(b"\x7fELF");
    bytes[18] = 0x3e;
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn static_archive() -> Vec<u8> {
    let names = [
        "containerd",
        "containerd-shim-runc-v2",
        "ctr",
        "docker",
        "docker-init",
        "docker-proxy",
        "dockerd",
        "runc",
        "extra",
    ];
    let mut builder = tar::Builder::new(Vec::new());
    for name in names {
        let bytes = program(name);
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o755);
        builder.append_data(&mut header, format!("docker/{name}"), &bytes[..]).unwrap();
    }
    gzip(&builder.into_inner().unwrap())
}

/// A project with parts on disk; `engine` is appended to its definition.
fn with_engine(engine: &str) -> Sandbox {
    let sandbox = packable();
    sandbox.write("docker-28.0.1.tgz", static_archive());
    sandbox.write("docker-compose", program("compose"));
    let definition = String::from_utf8(sandbox.read("airlift.toml")).unwrap();
    sandbox.write("airlift.toml", definition + engine);
    sandbox
}

fn part(kind: &str, place: &str, digest: &str) -> String {
    format!("{{ {kind} = \"{place}\", sha256 = \"{digest}\" }}")
}

fn section(docker: &str, compose: &str) -> String {
    format!("[engine]\ndocker = {docker}\ncompose = {compose}\n")
}

fn engine_of(sandbox: &Sandbox) -> Option<bundle_spec::project::EngineParts> {
    let bundle = Bundle::open(&mut std::fs::File::open(sandbox.path("demo-1.0.run")).unwrap()).unwrap();
    bundle.index.content.engine.clone()
}

#[test]
fn parts_are_carried_and_flags_go_before_the_definition() {
    let docker = part("path", "docker-28.0.1.tgz", &Digest::of(&static_archive()).hex());
    let compose = part("path", "docker-compose", &Digest::of(&program("compose")).hex());
    let sandbox = with_engine(&section(&docker, &compose));
    let ran = sandbox.airlift(&["pack"]).ok();
    assert!(ran.err.contains("docker/extra, which is not packed"), "{}", ran.err);
    let engine = engine_of(&sandbox).unwrap();
    assert_eq!(engine.version.as_deref(), Some("28.0.1"));
    assert_eq!(engine.compose_len, program("compose").len() as u64);
    let _ = sandbox.airlift(&["pack", "--no-engine"]).ok();
    assert!(engine_of(&sandbox).is_none());
    sandbox.write("other", program("another"));
    let _ =
        sandbox.airlift(&["pack", "--engine-docker", "docker-28.0.1.tgz", "--engine-compose", "other"]).ok();
    assert_eq!(engine_of(&sandbox).unwrap().compose_len, program("another").len() as u64);
}

#[test]
fn a_wrong_digest_ends_with_5_and_names_both() {
    let wrong = "ab".repeat(32);
    let docker = part("path", "docker-28.0.1.tgz", &wrong);
    let sandbox = with_engine(&section(&docker, &part("path", "docker-compose", &wrong)));
    let actual = Digest::of(&static_archive()).hex();
    let _ = sandbox.airlift(&["pack"]).fails(5, &["docker-28.0.1.tgz", &wrong, &actual]);
    assert!(!sandbox.path("demo-1.0.run").exists());
}

#[test]
fn a_part_that_is_not_there_is_named() {
    let digest = "ab".repeat(32);
    let sandbox = with_engine(&section(
        &part("path", "nothing.tgz", &digest),
        &part("path", "docker-compose", &digest),
    ));
    let _ = sandbox.airlift(&["pack"]).fails(2, &["nothing.tgz is not there", "--no-engine"]);
}

#[test]
fn downloads_are_checked_and_kept() {
    let docker = part("url", "https://h/docker.tgz", &Digest::of(&static_archive()).hex());
    let compose = part("path", "docker-compose", &Digest::of(&program("compose")).hex());
    let sandbox = with_engine(&section(&docker, &compose));
    // A curl that copies a file, and says that it ran.
    let source = sandbox.path("docker-28.0.1.tgz");
    sandbox.program(
        "curl",
        &format!("#!/bin/sh\necho ran >>\"$HOME/downloads\"\nwhile [ \"$1\" != --output ]; do shift; done\ncp '{}' \"$2\"\n", source.display()),
    );
    let _ = sandbox.airlift(&["pack"]).ok();
    let _ = sandbox.airlift(&["pack"]).ok();
    assert_eq!(std::fs::read_to_string(sandbox.root().join("../downloads")).unwrap(), "ran\n");
    // What rotted in the cache is fetched again.
    let cache = sandbox.root().join("../.cache/airlift").join(Digest::of(&static_archive()).hex());
    std::fs::write(&cache, "rot").unwrap();
    let _ = sandbox.airlift(&["pack"]).ok();
    // A server that gives something else is found out, and its file not kept.
    std::fs::remove_file(&cache).unwrap();
    std::fs::write(&source, "something else").unwrap();
    let _ = sandbox.airlift(&["pack"]).fails(5, &["https://h/docker.tgz", "sha256"]);
    assert!(!cache.exists());
    sandbox.program("curl", "#!/bin/sh\nexit 22\n");
    let _ = sandbox.airlift(&["pack"]).fails(1, &["cannot download https://h/docker.tgz", "by hand"]);
}

#[test]
fn what_lint_cannot_check_before_the_download_it_says() {
    let url = "https://h/docker-compose";
    let sandbox = packable();
    let docker = part("url", "https://h/docker.tgz", &Digest::of(&static_archive()).hex());
    let compose = part("url", url, &Digest::of(&program("compose")).hex());
    // No [[image]]: what is to be packed only Compose knows.
    sandbox.write("airlift.toml", format!("{APP}{}", section(&docker, &compose)));
    let ran = sandbox.airlift(&["lint"]).ok();
    for part in [
        "warning[compose-missing]: the services and images of docker-compose.yml are not checked yet",
        url,
        "run `airlift pack`, which downloads it",
        "airlift lint --engine-compose FILE",
    ] {
        assert!(ran.out.contains(part), "`{part}` is missing in:\n{}", ran.out);
    }
    assert!(
        !ran.out.contains("name it in the section [engine]") && !ran.out.contains("image-none"),
        "{}",
        ran.out
    );
}

#[test]
fn a_plugin_that_cannot_be_used_is_not_asked_for() {
    let digest = Digest::of(&program("compose")).hex();
    let sandbox =
        with_engine(&section(&part("path", "docker-28.0.1.tgz", &digest), &part("path", "gone", &digest)));
    let ran = sandbox.airlift(&["lint"]);
    assert!(ran.out.contains("error[engine-part]: ./gone is not there"), "{}", ran.out);
    assert!(ran.out.contains("correct the section [engine] first"), "{}", ran.out);
    // Here it is, but it is a program in name only.
    let docker = part("path", "docker-28.0.1.tgz", &Digest::of(&static_archive()).hex());
    let sandbox = with_engine(&section(&docker, &part("path", "docker-compose", &digest)));
    let ran = sandbox.airlift(&["lint"]).ok();
    let said =
        "./docker-compose does not run here, and no other Docker Compose is at hand: only the images listed";
    assert!(ran.out.contains(said), "{}", ran.out);
}
