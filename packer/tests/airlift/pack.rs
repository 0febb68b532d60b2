//! `airlift pack`: what it writes, that it writes the same again, and that it leaves nothing else.

use bundle_spec::digest::Digest;
use bundle_spec::reader::Bundle;

use crate::archive::{self, docker_archive, listing, two_images};
use crate::sandbox::{APP, Sandbox};

/// A project whose images are in `images.tar`.
pub fn packable() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("images.tar", docker_archive(&two_images()));
    let rest = "[[file]]\ninclude = [\"nginx/**\"]\n[[directory]]\npath = \"db\"\nmode = \"0700\"\nowner = \"1000:1000\"\n";
    sandbox.write(
        "airlift.toml",
        format!("{APP}{}{rest}", listing(&["demo/one:1.0", "demo/two:1.0"], "images.tar")),
    );
    sandbox.write("nginx/default.conf", "conf");
    sandbox
}

fn open(sandbox: &Sandbox, name: &str) -> Bundle {
    Bundle::open(&mut std::fs::File::open(sandbox.path(name)).unwrap()).unwrap()
}

#[test]
fn a_bundle_has_each_layer_once_and_everything_else() {
    let sandbox = packable();
    let before = sandbox.names();
    let ran = sandbox.airlift(&["pack"]).ok();
    assert_eq!(ran.out, "demo-1.0.run\n");
    assert!(ran.err.contains("Docker Compose is not at hand"), "{}", ran.err);
    for said in [
        " 2 layers of which 0 shared",
        "packing: 446.0 kB of layers\n",
        " with the installer, from 446.0 kB of layers; 2 images, ",
    ] {
        assert!(ran.err.contains(said), "`{said}` is missing in:\n{}", ran.err);
    }
    let after: Vec<_> = sandbox.names().into_iter().filter(|name| !before.contains(name)).collect();
    assert_eq!(after, ["demo-1.0.run"]);

    let bundle = open(&sandbox, "demo-1.0.run");
    let content = &bundle.index.content;
    let images = two_images();
    assert_eq!(content.images.len(), 2);
    for (packed, source) in content.images.iter().zip(&images) {
        let diff_ids: Vec<_> = source.layers.iter().map(|layer| Digest::of(layer)).collect();
        assert_eq!(packed.diff_ids(), diff_ids);
        assert_eq!(packed.config, Digest::of(&source.config()));
        assert_eq!(packed.platform, "linux/amd64");
        for (layer, source) in packed.layers.iter().zip(&source.layers) {
            let mut file = std::fs::File::open(sandbox.path("demo-1.0.run")).unwrap();
            let stored = bundle.blob_bytes(&mut file, &layer.blob, 1 << 20).unwrap();
            assert_eq!(bundle_spec::codec::decompress_document(&stored, source.len()).unwrap(), *source);
            assert_eq!((layer.tar_len, layer.stored_len), (source.len() as u64, stored.len() as u64));
        }
    }
    let base = &content.images[0].layers[0];
    assert_eq!((base.entries, base.unpacked_len), (2, 300_005));
    // Three layers, two configs, two manifests, two project files.
    assert_eq!(bundle.index.place.blobs.len(), 9);
    assert_eq!(content.created, 1_714_521_600);
    let paths: Vec<_> = content.project.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["docker-compose.yml", "nginx/default.conf"]);
    assert_eq!((content.project.directories[0].mode, content.project.directories[0].uid), (0o700, 1000));
}

#[test]
fn the_same_inputs_make_the_same_bytes_whatever_the_name_and_the_number_of_threads() {
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack", "-o", "a.run"]).ok();
    let _ = sandbox.airlift(&["pack", "-o", "b.run", "--threads", "7", "--quiet"]).ok();
    assert!(sandbox.read("a.run") == sandbox.read("b.run"));
}

#[test]
fn the_file_is_executable_and_begins_as_a_launcher() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = packable();
    let _ = sandbox.airlift(&["pack", "--best"]).ok();
    let mode = std::fs::metadata(sandbox.path("demo-1.0.run")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    let bytes = sandbox.read("demo-1.0.run");
    assert!(bytes.starts_with(bundle_spec::layout::LAUNCHER_FIRST_LINE.as_bytes()));
    let length = format!("\nbundle_length={:020}\n", bytes.len());
    assert!(bytes.windows(length.len()).any(|window| window == length.as_bytes()));
}

#[test]
fn a_failed_run_keeps_the_old_bundle_and_leaves_no_other_file() {
    let sandbox = packable();
    sandbox.write("demo-1.0.run", "the old one");
    // A layer whose content is not what the image says, found only while writing.
    let mut bytes = docker_archive(&two_images());
    let at = bytes.windows(4).position(|window| window == b"1111").unwrap();
    bytes[at] = b'x';
    sandbox.write("images.tar", bytes);
    let before = sandbox.names();
    let _ = sandbox
        .airlift(&["pack"])
        .fails(5, &["layer", "demo/one:1.0", "is damaged", "images.tar", "save the image again"]);
    assert_eq!(sandbox.names(), before);
    assert_eq!(sandbox.read("demo-1.0.run"), b"the old one");
}

#[test]
fn an_output_that_cannot_be_written_leaves_nothing() {
    let sandbox = packable();
    let before = sandbox.names();
    let _ = sandbox.airlift_limited(100, &["pack"]).fails(1, &["cannot write", "caused by: File too large"]);
    assert_eq!(sandbox.names(), before);
    let _ = sandbox.airlift(&["pack", "-o", "/dev/full/x.run"]).fails(2, &["/dev/full is not a folder"]);
    let _ = sandbox.airlift(&["pack", "-o", "nginx"]).fails(2, &["it is a folder"]);
}

#[test]
fn compose_names_the_services_and_the_images_that_are_not_listed() {
    let sandbox = packable();
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0"], "images.tar")));
    sandbox.compose_says(r#"{"services":{"one":{"image":"demo/one:1.0"},"two":{"image":"demo/two:1.0"}}}"#);
    // demo/two is found in the archive that was opened for demo/one.
    let _ = sandbox.airlift(&["pack"]).ok();
    let bundle = open(&sandbox, "demo-1.0.run");
    assert_eq!(bundle.index.content.project.services, ["two", "one"]);
    assert_eq!(bundle.index.content.images.len(), 2);
}

#[test]
fn an_image_that_compose_needs_and_nobody_has_is_an_error() {
    let sandbox = packable();
    sandbox.compose_says(r#"{"services":{"db":{"image":"postgres:16"}}}"#);
    let _ = sandbox.airlift(&["pack"]).fails(1, &["postgres:16", "/nowhere/docker.sock", "start Docker"]);
}

#[test]
fn compose_is_asked_with_an_answer_to_every_question() {
    let sandbox = packable();
    sandbox.write(
        "docker-compose.yml",
        "services:\n  one:\n    image: demo/one:1.0\n    environment: [\"P=${PORT}\", \"S=${SECRET:?}\"]\n",
    );
    let question = |id: &str, env: &str, kind: &str, more: &str| {
        format!(
            "[[question]]\nid = \"{id}\"\nenv = \"{env}\"\nkind = \"{kind}\"\nprompt = {{ zh = \"x\", en = \"x\" }}\n{more}\n"
        )
    };
    let questions =
        question("port", "PORT", "port", "") + &question("s", "SECRET", "text", "default = 'a\"b$c\\d'");
    sandbox.write("airlift.toml", format!("{APP}{}{questions}", listing(&["demo/one:1.0"], "images.tar")));
    sandbox.compose_says(r#"{"services":{"one":{"image":"demo/one:1.0"}}}"#);
    let _ = sandbox.airlift(&["pack"]).ok();
    assert_eq!(sandbox.env_seen(), "PORT=\"8000\"\nSECRET=\"a\\\"b\\$c\\\\d\"\n");
}

#[test]
fn layers_that_compress_well_and_large_ones_survive() {
    let sandbox = packable();
    let big = archive::layer(&[("zeros", &vec![0; 9 << 20]), ("noise", &archive::noise(3 << 20))]);
    let image = archive::TestImage::new("big:1", &[&big]);
    sandbox.write("big.tar", docker_archive(&[image]));
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["big:1"], "big.tar")));
    let _ = sandbox.airlift(&["pack"]).ok();
    let _ = sandbox.airlift(&["verify", "demo-1.0.run"]).ok();
    let bundle = open(&sandbox, "demo-1.0.run");
    assert_eq!(bundle.index.content.images[0].layers[0].diff_id, Digest::of(&big));
}
