//! The vendor's journey: a folder becomes a bundle, the same on every run, and what is wrong with it is said at once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use tests::bundle::Vendor;
use tests::parts;
use tests::run::Run;

#[test]
fn a_bundle_says_what_went_into_it() {
    let vendor = Vendor::new();
    let bundle = vendor.pack();
    let opened = bundle.open();
    let content = &opened.index.content;
    assert_eq!((content.app.name.as_str(), content.app.version.as_str()), ("hello", "1.0.0"));
    assert_eq!(content.project.services, ["web", "worker", "spare"]);
    let paths: Vec<_> = content.project.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["conf/app.conf", "docker-compose.yml"]);
    for image in vendor.images() {
        assert_eq!(bundle.layers(&image.reference), image.diff_ids());
    }
    // Three images of seven layers, three of them different, each stored once.
    let blobs = opened.index.place.blobs.len();
    assert_eq!(blobs, 3 + 2 * 3 + paths.len(), "layers, manifests and configs, files");

    let inspected = bundle.inspect();
    assert_eq!(inspected["content"]["images"].as_array().unwrap().len(), 3);
    let path = bundle.path.to_str().unwrap();
    let _ = vendor.airlift(&["verify", path]).done();
    let _ = vendor.airlift(&["inspect", path]).done().saying("hello/web:1.0").saying("你好应用");
}

#[test]
fn the_same_folder_gives_the_same_bytes() {
    let (one, two) = (Vendor::new(), Vendor::new());
    assert_eq!(parts::sha256(&one.pack().path), parts::sha256(&two.pack().path));
}

#[test]
fn an_exported_layout_is_read_by_others() {
    parts::packages(&["skopeo"]);
    let vendor = Vendor::new();
    let bundle = vendor.pack();
    let layout = vendor.path("layout");
    let _ =
        vendor.airlift(&["export", bundle.path.to_str().unwrap(), "--oci", layout.to_str().unwrap()]).done();
    for image in vendor.images() {
        let source = format!("oci:{}:{}", layout.display(), image.reference);
        let inspected = Run::of(Command::new("skopeo").args(["inspect", "--config", &source])).done().json();
        let diff_ids: Vec<_> = inspected["rootfs"]["diff_ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(diff_ids, image.diff_ids());
        // Reads every byte and checks every digest.
        let copy = vendor.path("copy");
        let _ = fs::remove_dir_all(&copy);
        let _ = Run::of(Command::new("skopeo").args(["copy", &source, &format!("dir:{}", copy.display())]))
            .done();
    }
}

#[test]
fn a_bundle_that_is_none_or_damaged_is_named() {
    let vendor = Vendor::new();
    let bundle = vendor.pack();
    let length = fs::metadata(&bundle.path).unwrap().len();
    for verb in ["inspect", "verify"] {
        let not = vendor.path("docker-compose.yml");
        let _ = vendor.airlift(&[verb, not.to_str().unwrap()]).expect(5).saying("not an Airlift bundle");
        let cut = bundle.changed(&vendor.path("cut.run"), |bytes| bytes.truncate(bytes.len() - 1_000));
        let _ = vendor.airlift(&[verb, cut.path.to_str().unwrap()]).expect(5).saying(&length.to_string());
    }
    let layer = bundle.open().index.content.images[0].layers[0].blob;
    let offset = bundle.open().index.blob(&layer).unwrap().offset;
    let flipped =
        bundle.changed(&vendor.path("flipped.run"), |bytes| bytes[usize::try_from(offset).unwrap() + 9] ^= 4);
    let _ = vendor.airlift(&["verify", flipped.path.to_str().unwrap()]).expect(5).saying("a layer of hello/");
}

/// Packing fails with this exit code, says all of `texts`, and leaves no file behind.
#[track_caller]
fn assert_not_packed(vendor: &Vendor, code: i32, texts: &[&str]) {
    let mut run = vendor.airlift(&["pack", "-o", "out.run"]).expect(code);
    for text in texts {
        run = run.saying(text);
    }
    let left: Vec<_> =
        fs::read_dir(vendor.path(".")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains(".run")), "{left:?} after\n{run}");
}

#[test]
fn a_wrong_definition_is_reported_as_a_whole() {
    let vendor = Vendor::new();
    vendor.edit("airlift.toml", "vendor = ", "vendr = ");
    vendor.edit("airlift.toml", "kind = \"port\"", "kind = \"prot\"");
    vendor.edit("airlift.toml", "mode = \"0750\"", "mode = \"0990\"");
    assert_not_packed(&vendor, 2, &["vendr", "vendor", "prot", "port", "0990"]);
    let _ = vendor.airlift(&["lint"]).expect(2).saying("vendr");
}

#[test]
fn an_image_that_is_not_there_is_named() {
    let vendor = Vendor::new();
    vendor.edit("airlift.toml", "reference = \"hello/spare:1.0\"", "reference = \"hello/sparse:1.0\"");
    vendor.edit("docker-compose.yml", "hello/spare:1.0", "hello/sparse:1.0");
    assert_not_packed(&vendor, 2, &["hello/sparse:1.0", "images.tar"]);
}

#[test]
fn an_image_under_another_name_than_the_services_is_put_beside_it() {
    let vendor = Vendor::new();
    vendor.edit("docker-compose.yml", "hello/spare:1.0", "hello/spare:1.1");
    let run = vendor.airlift(&["lint"]);
    let _ = run.saying("did you mean `hello/spare:1.1`, which a service uses?");
}

#[test]
fn an_image_that_compose_needs_and_nobody_has_is_named() {
    let vendor = Vendor::new();
    vendor.edit("docker-compose.yml", "hello/spare:1.0", "hello/forgotten:1.0");
    assert_not_packed(&vendor, 1, &["hello/forgotten:1.0"]);
}

#[test]
fn an_engine_archive_with_another_digest_is_refused() {
    let vendor = Vendor::new().with_engine();
    let archive = parts::sha256(&parts::engine(parts::Suite::Forky).archive());
    vendor.edit("airlift.toml", &archive, &"0".repeat(64));
    assert_not_packed(&vendor, 5, &["docker.tgz", &archive]);
}

#[test]
fn an_engine_archive_that_would_escape_is_refused() {
    for path in ["/etc/cron.d/evil", "docker/../../evil", "../evil"] {
        let vendor = Vendor::new().with_engine();
        let good = parts::engine(parts::Suite::Forky).archive();
        let bad = vendor.path("bad.tgz");
        write_escaping_archive(&bad, path);
        vendor.edit("airlift.toml", &parts::sha256(&good), &parts::sha256(&bad));
        vendor.edit("airlift.toml", good.to_str().unwrap(), bad.to_str().unwrap());
        assert_not_packed(&vendor, 2, &["evil"]);
    }
}

/// A tgz with one file whose path leads elsewhere. The tar crate refuses to write such a path, so it goes into the header as bytes.
fn write_escaping_archive(to: &Path, path: &str) {
    let mut header = tar::Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.set_size(4);
    header.set_mode(0o755);
    header.set_cksum();
    let mut archive = tar::Builder::new(Vec::new());
    archive.append(&header, &b"evil"[..]).unwrap();
    let plain = to.with_extension("tar");
    fs::File::create(&plain).unwrap().write_all(&archive.into_inner().unwrap()).unwrap();
    let packed = Command::new("gzip").arg("-c").arg(&plain).output().unwrap();
    fs::write(to, packed.stdout).unwrap();
}
