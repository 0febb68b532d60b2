//! Where images come from: every layout gives the same bundle, and what is missing or wrong is named.

use crate::archive::{OciStyle, TestImage, docker_archive, gzip, layer, listing, oci_layout, two_images};
use crate::pack::packable;
use crate::sandbox::{APP, Sandbox};

const FULL_NAME: &str = "io.containerd.image.name";
const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// Packs with both images from `path` and gives the bundle's bytes.
fn packed_from(sandbox: &Sandbox, path: &str) -> Vec<u8> {
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0", "demo/two:1.0"], path)));
    let _ = sandbox.airlift(&["pack", "-o", "out.run"]).ok();
    sandbox.read("out.run")
}

#[test]
fn every_layout_gives_the_same_bytes() {
    let sandbox = packable();
    let expected = packed_from(&sandbox, "images.tar");
    sandbox.write("images.tar.gz", gzip(&docker_archive(&two_images())));
    assert!(packed_from(&sandbox, "images.tar.gz") == expected, "gzipped docker save");
    for (number, gzip_layers, nested_index, annotation) in
        [(1, false, false, FULL_NAME), (2, true, false, REF_NAME), (3, true, true, FULL_NAME)]
    {
        let folder = format!("layout{number}");
        oci_layout(
            &sandbox.path(&folder),
            &two_images(),
            OciStyle { gzip_layers, nested_index, annotation: Some(annotation) },
        );
        assert!(packed_from(&sandbox, &folder) == expected, "{folder}");
        let mut builder = tar::Builder::new(Vec::new());
        builder.append_dir_all(".", sandbox.path(&folder)).unwrap();
        sandbox.write("layout.tar", builder.into_inner().unwrap());
        assert!(packed_from(&sandbox, "layout.tar") == expected, "{folder} as an OCI archive");
    }
}

#[test]
fn the_only_image_of_an_archive_needs_no_complete_name() {
    let sandbox = packable();
    let one = &two_images()[..1];
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0"], "layout")));
    oci_layout(
        &sandbox.path("layout"),
        one,
        OciStyle { gzip_layers: false, nested_index: false, annotation: None },
    );
    let _ = sandbox.airlift(&["pack"]).ok();
}

#[test]
fn missing_images_are_all_named_with_the_nearest_there_is() {
    let sandbox = packable();
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/on:1.0", "zebra:9"], "images.tar")));
    let _ = sandbox.airlift(&["pack"]).fails(
        2,
        &[
            "demo/on:1.0: not in images.tar; did you mean demo/one:1.0?",
            "zebra:9: not in images.tar; there are demo/one:1.0, demo/two:1.0",
            "what to do",
        ],
    );
}

#[test]
fn an_archive_that_is_none_is_named() {
    let sandbox = packable();
    for (content, reason) in
        [(&b"not a tar at all"[..], "is no image archive"), (&layer(&[("x", b"y")])[..], "has no images")]
    {
        sandbox.write("images.tar", content);
        let _ = sandbox.airlift(&["pack"]).fails(1, &["images.tar", reason, "docker save"]);
    }
    std::fs::remove_file(sandbox.path("images.tar")).unwrap();
    let _ = sandbox
        .airlift(&["pack"])
        .fails(2, &["images.tar", "No such file", "check `path` of the image demo/one:1.0"]);
}

#[test]
fn an_archive_that_was_cut_off_is_named_as_such() {
    let sandbox = packable();
    let whole = docker_archive(&two_images());
    let zstd = zstd::bulk::compress(&whole, 1).unwrap();
    let zipped = gzip(&whole);
    // In the middle of a layer, of a header, behind the first entry, in gzip's header, in the stream, and at the very start.
    let config = 2 * 512;
    for (content, why) in [
        (&whole[..200_000], "0-0/layer.tar in it goes on to byte"),
        (&whole[..config + 300], "which is in the middle of an entry"),
        (&whole[..config], "the mark at its end is missing"),
        (&zipped[..7], ""),
        (&zipped[..zipped.len() / 2], ""),
        (&zstd[..zstd.len() / 2], ""),
        (&[], "it is empty"),
    ] {
        sandbox.write("images.tar", content);
        let said =
            ["the image archive ./images.tar ends too early", why, "copy it again, or save the image again"];
        for verb in ["pack", "lint"] {
            let ran = sandbox.airlift(&[verb]);
            assert_eq!(ran.code, 5, "{} bytes: {}{}", content.len(), ran.out, ran.err);
            for part in said {
                assert!(ran.out.contains(part) || ran.err.contains(part), "`{part}` is missing in {ran:?}");
            }
        }
    }
    // What has no end mark and lacks nothing is not worse than before.
    let end = whole.len() - 1024;
    assert!(whole[end..].iter().all(|byte| *byte == 0));
    sandbox.write("images.tar", &whole[..end]);
    let _ = sandbox.airlift(&["pack"]).ok();
}

#[test]
fn another_architecture_is_refused() {
    let sandbox = packable();
    let image = TestImage { architecture: "arm64", ..two_images().remove(0) };
    sandbox.write("images.tar", docker_archive(std::slice::from_ref(&image)));
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0"], "images.tar")));
    let _ = sandbox.airlift(&["pack"]).fails(2, &["demo/one:1.0 is for linux/arm64, not for linux/amd64"]);
    oci_layout(
        &sandbox.path("layout"),
        &[image],
        OciStyle { gzip_layers: false, nested_index: true, annotation: Some(FULL_NAME) },
    );
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0"], "layout")));
    let _ = sandbox.airlift(&["pack"]).fails(2, &["is not there for linux/amd64", "linux/arm64"]);
}

#[test]
fn a_layer_that_is_no_tar_is_named() {
    let sandbox = packable();
    let image = TestImage::new("demo/one:1.0", &[&[b'x'; 2048]]);
    sandbox.write("images.tar", docker_archive(&[image]));
    sandbox.write("airlift.toml", format!("{APP}{}", listing(&["demo/one:1.0"], "images.tar")));
    let _ = sandbox.airlift(&["pack"]).fails(5, &["demo/one:1.0", "is not a tar"]);
}
