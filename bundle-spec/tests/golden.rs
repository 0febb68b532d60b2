//! Frozen bundles: every format that was ever released stays readable, with exactly this content.

use std::io::Cursor;

use bundle_spec::digest::Digest;
use bundle_spec::index::Content;
use bundle_spec::project::{Check, Directory, EngineParts, Link, Localized};
use bundle_spec::question::{Generate, GenerateFormat, Question, QuestionId, QuestionKind};
use bundle_spec::reader::Bundle;
use bundle_spec::signature::PublicKey;
use bundle_spec::version::FormatVersion;

use crate::sample::{Sample, content};

const MINIMAL: &[u8] = include_bytes!("../fixtures/v1/minimal.run");
const MINIMAL_DIGEST: &str = include_str!("../fixtures/v1/minimal.run.sha256");
const MINIMAL_INDEX: &str = include_str!("../fixtures/v1/minimal.index.json");

const SIGNED: &[u8] = include_bytes!("../fixtures/v1/signed.run");
const SIGNED_DIGEST: &str = include_str!("../fixtures/v1/signed.run.sha256");
const SIGNED_BY: &str = include_str!("../fixtures/v1/signed.pub");

const BLOBS: [&[u8]; 6] = [b"services: {}\n", b"manifest", b"config", b"layer", b"engine", b"compose plugin"];

fn localized(zh: &str, en: &str) -> Localized {
    Localized { zh: zh.to_owned(), en: en.to_owned() }
}

/// One of everything that version 1.0 can say.
fn full_content(blobs: &[Digest]) -> Content {
    let mut content = content(&blobs[..4]);
    let path = |path: &str| path.to_owned().try_into().unwrap();
    content.app.vendor = Some("Example Ltd.".to_owned());
    content.project.profiles = vec!["web".to_owned()];
    content.project.directories = vec![Directory { path: path("db"), mode: 0o750, uid: 1000, gid: 1000 }];
    content.engine = Some(EngineParts {
        version: Some("28.5.2".to_owned()),
        archive: blobs[4],
        archive_unpacked_len: 200_000_000,
        compose: blobs[5],
        compose_len: 70_000_000,
    });
    content.questions = vec![Question {
        env: Some("HTTP_PORT".to_owned()),
        help: Some(localized("默认即可", "The default will do")),
        default: Some("80".to_owned()),
        pattern: Some("[0-9]+".to_owned()),
        min: Some(1),
        max: Some(65_535),
        generate: Some(Generate { format: GenerateFormat::Alphanumeric, bytes: 24 }),
        ..Question::new(
            QuestionId::parse("http_port").unwrap(),
            QuestionKind::Port,
            localized("网页端口", "Port of the web page"),
        )
    }];
    let requirements = &mut content.requirements;
    (requirements.cores, requirements.memory, requirements.disk) =
        (Some(2), Some(4_000_000_000), Some(15_000_000_000));
    requirements.ports = vec!["{http_port}".to_owned(), "8000".to_owned()];
    requirements.kernel = Some("3.10".to_owned());
    content.checks = vec![Check {
        name: "health".to_owned(),
        title: None,
        url: "http://127.0.0.1:{http_port}/api/health".to_owned(),
        status: 200,
        contains: Some("ok".to_owned()),
        timeout: 60,
    }];
    content.links = vec![Link {
        title: localized("网页", "Web page"),
        url: "http://127.0.0.1:{http_port}/".to_owned(),
    }];
    content
}

#[test]
#[ignore = "writes the fixture; run once for each new format version, never again for an old one"]
fn write_minimal() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1");
    let sample = Sample::write(&[b"\x7fELF stub".to_vec()], BLOBS.map(<[u8]>::to_vec).to_vec(), full_content);
    std::fs::write(folder.join("minimal.run"), &sample.bytes).unwrap();
    std::fs::write(folder.join("minimal.run.sha256"), Digest::of(&sample.bytes).hex() + "\n").unwrap();
    let index = serde_json::to_string_pretty(&sample.index).unwrap();
    std::fs::write(folder.join("minimal.index.json"), index + "\n").unwrap();
}

#[test]
#[ignore = "writes the fixture; run once for each new format version, never again for an old one"]
fn write_signed() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/v1");
    let sample = Sample::write(&[b"\x7fELF stub".to_vec()], BLOBS.map(<[u8]>::to_vec).to_vec(), full_content);
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let mut file = Cursor::new(sample.bytes.clone());
    let block = crate::signature::block(&keys, &sample.open().statement());
    bundle_spec::writer::attach_signature(&mut file, &block).unwrap();
    std::fs::write(folder.join("signed.pub"), keys.pk.to_box().unwrap().to_string()).unwrap();
    std::fs::write(folder.join("signed.run.sha256"), Digest::of(file.get_ref()).hex() + "\n").unwrap();
    std::fs::write(folder.join("signed.run"), file.get_ref()).unwrap();
}

#[test]
fn the_first_signed_format_opens_with_exactly_its_signer() {
    assert_eq!(Digest::of(SIGNED).hex(), SIGNED_DIGEST.trim(), "the frozen file itself was changed");
    let bundle = Bundle::open(&mut Cursor::new(SIGNED)).unwrap();
    assert_eq!(bundle.trailer.version, FormatVersion { major: 1, minor: 1 });
    let signer = bundle.signer.clone().unwrap();
    assert_eq!(signer.key, PublicKey::parse(SIGNED_BY).unwrap());
    assert_eq!(signer.comment, "sample 1.0.0");
    let all = 0..bundle.stretch_count();
    assert_eq!(bundle.check_stretches(&mut Cursor::new(SIGNED), all, |_| ()).unwrap(), [0; 0]);
}

#[test]
fn the_first_format_opens_with_exactly_its_content() {
    assert_eq!(Digest::of(MINIMAL).hex(), MINIMAL_DIGEST.trim(), "the frozen file itself was changed");
    let bundle = Bundle::open(&mut Cursor::new(MINIMAL)).unwrap();
    assert_eq!(bundle.trailer.version, FormatVersion { major: 1, minor: 0 });
    // As JSON, so that a field added later with a default does not count as a difference in what is there.
    let recorded: serde_json::Value = serde_json::from_str(MINIMAL_INDEX).unwrap();
    assert_contains(&serde_json::to_value(&*bundle.index).unwrap(), &recorded, "index");
    for blob in BLOBS {
        let read = bundle.blob_bytes(Cursor::new(MINIMAL), &Digest::of(blob), 1 << 10).unwrap();
        assert_eq!(read, blob);
    }
    let all = 0..bundle.stretch_count();
    assert_eq!(bundle.check_stretches(&mut Cursor::new(MINIMAL), all, |_| ()).unwrap(), [0; 0]);
}

/// Everything in `recorded` is in `found`, with the same value.
fn assert_contains(found: &serde_json::Value, recorded: &serde_json::Value, place: &str) {
    use serde_json::Value::{Array, Object};
    match (found, recorded) {
        (Object(found), Object(recorded)) => {
            for (key, value) in recorded {
                let found = found.get(key).unwrap_or_else(|| panic!("{place}.{key} is gone"));
                assert_contains(found, value, &format!("{place}.{key}"));
            }
        }
        (Array(found), Array(recorded)) => {
            assert_eq!(found.len(), recorded.len(), "{place}");
            for (number, (found, recorded)) in found.iter().zip(recorded).enumerate() {
                assert_contains(found, recorded, &format!("{place}[{number}]"));
            }
        }
        _ => assert_eq!(found, recorded, "{place}"),
    }
}
