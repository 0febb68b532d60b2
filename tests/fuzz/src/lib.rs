//! What is tried with arbitrary bytes: one function for each reader of something that others wrote. Each ends with a panic
//! when a promise is broken; refusing the bytes is always fine.
//!
//! The fuzzer calls them (`fuzz_targets`), and a plain test does with what is kept in `corpus` and `regressions`.

use std::io::Cursor;
use std::path::Path;

use bundle_spec::answer::Answers;
use bundle_spec::digest::Digest;
use bundle_spec::index::{Content, Index};
use bundle_spec::layout::{TRAILER_LEN, TRAILER_MAGIC};
use bundle_spec::reader::Bundle;
use bundle_spec::reference::ImageReference;
use bundle_spec::signature;
use bundle_spec::template::{Template, is_plain};
use bundle_spec::trailer::Trailer;
use installer::answers::{Sources, file as answers_file, resolve};
use installer::project::env_file;
use installer::unpack;
use packer::image::archive::Archive;
use packer::image::layer;
use packer::image::tree::Tree;
use serde_json::json;

/// One target: its name, which is that of its folder in `corpus` and `regressions`, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 9] = [
    ("trailer", trailer),
    ("index", index),
    ("definition", definition),
    ("answers", answers),
    ("dotenv", dotenv),
    ("archive", archive),
    ("layer", layer),
    ("template", template),
    ("signature", signature),
];

/// A bundle that everybody can read.
const BUNDLE: &[u8] = include_bytes!("../../../bundle-spec/fixtures/v1/minimal.run");

fn open(file: &[u8]) -> Option<Bundle> {
    Bundle::open(&mut Cursor::new(file)).ok()
}

/// A whole file, as it is and with a trailer whose checksum holds.
pub fn trailer(data: &[u8]) {
    open(data);
    let Some(start) = data.len().checked_sub(TRAILER_LEN) else { return };
    let mut file = data.to_vec();
    file[start..start + TRAILER_MAGIC.len()].copy_from_slice(&TRAILER_MAGIC);
    let checked = file.len() - 32;
    let checksum = Digest::of(&file[start..checked]);
    file[checked..].copy_from_slice(checksum.as_bytes());
    let bytes = file[start..].try_into().unwrap_or([0; TRAILER_LEN]);
    let Ok(trailer) = Trailer::decode(&bytes) else { panic!("a trailer whose checksum holds is refused") };
    assert_eq!(Trailer::decode(&trailer.encode()), Ok(trailer));
    open(&file);
}

/// The index of a bundle that is right otherwise: as JSON, or (first byte odd) as stored, behind the length that it claims.
pub fn index(data: &[u8]) {
    let Some((form, rest)) = data.split_first() else { return };
    let (stored, raw_len) = if form % 2 == 0 {
        (zstd::bulk::compress(rest, 1).unwrap_or_default(), rest.len() as u64)
    } else {
        let Some((claim, stored)) = rest.split_first_chunk::<4>() else { return };
        (stored.to_vec(), u64::from(u32::from_le_bytes(*claim)))
    };
    let Some(bundle) = open(&under_index(&stored, raw_len)) else { return };
    let index: &Index = &bundle.index;
    let end = bundle.trailer.index_offset;
    // What was accepted can be used without a second thought.
    for blob in &index.place.blobs {
        assert!(blob.offset.checked_add(blob.len).is_some_and(|last| last <= end));
        assert!(bundle.stretches_of(blob.offset, blob.len).end <= bundle.stretch_count());
        _ = bundle.blob_bytes(Cursor::new(BUNDLE), &blob.digest, 1 << 20);
    }
    for digest in index.content.references() {
        assert!(index.blob(&digest).is_some());
        assert!(!index.content.name_of(&digest).contains(char::is_control));
    }
    for file in &index.content.project.files {
        assert!(!file.path.as_str().split('/').any(|part| part.is_empty() || part == ".."));
    }
    let all = (0..bundle.stretch_count()).collect();
    assert!(bundle.describe_damage(all).len() <= 1);
    let again = serde_json::to_vec(index).unwrap_or_default();
    let stored = zstd::bulk::compress(&again, 1).unwrap_or_default();
    let Some(reopened) = open(&under_index(&stored, again.len() as u64)) else {
        panic!("an index that was accepted is refused when written again")
    };
    assert_eq!(reopened.index, bundle.index);
}

fn under_index(stored: &[u8], raw_len: u64) -> Vec<u8> {
    let Some(original) = open(BUNDLE) else { panic!("the fixture cannot be read") };
    let index_offset = original.trailer.index_offset;
    let mut file = BUNDLE[..usize::try_from(index_offset).unwrap_or(0)].to_vec();
    file.extend_from_slice(stored);
    let trailer = Trailer {
        index_stored_len: stored.len() as u64,
        index_raw_len: raw_len,
        total_len: (file.len() + TRAILER_LEN) as u64,
        index_digest: Digest::of(stored),
        ..original.trailer
    };
    file.extend_from_slice(&trailer.encode());
    file
}

/// `airlift.toml`.
pub fn definition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match packer::definition::parse(text) {
        Ok(definition) => {
            assert!(bundle_spec::validate::name(&definition.app.name).is_ok());
            assert!(definition.questions.iter().all(|q| bundle_spec::validate::question(q).is_ok()));
        }
        Err(problems) => assert!(!problems.is_empty(), "refused, and nobody says why"),
    }
}

/// The answers file, and each of its values as the answer to a question of every kind.
pub fn answers(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(given) = answers_file::parse(text) else { return };
    let questions: Vec<_> = KINDS.iter().flat_map(|kind| question(kind, kind)).collect();
    let mut sources = Sources::default();
    sources.add(installer::answers::Origin::File, given.values.clone());
    sources.add_misfits(given.misfits);
    _ = resolve(&questions, &[], &sources, &mut |_| "generated".to_owned());
    for (_, value) in &given.values {
        for question in &questions {
            let Ok(answer) = question.parse(value) else { continue };
            let again = question.parse(answer.reveal());
            assert!(again.is_ok_and(|again| again.reveal() == answer.reveal()), "{:?}", question.kind);
        }
    }
}

const KINDS: [&str; 10] =
    ["bool", "choice", "host", "integer", "password", "path", "port", "secret", "text", "url"];

fn question(id: &str, kind: &str) -> Option<bundle_spec::question::Question> {
    let text = json!({"zh": "问", "en": "q"});
    serde_json::from_value(json!({
        "id": id, "env": id.to_uppercase(), "kind": kind, "prompt": text, "required": false, "secret": kind == "secret",
        "choices": ["a", "b"],
    }))
    .ok()
}

/// `.env` as it is written, read back as Compose reads it.
pub fn dotenv(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let given: Vec<&str> = text.split('\0').take(20).collect();
    let mut answers = Answers::default();
    let mut expected = Vec::new();
    let mut questions = Vec::new();
    for (number, value) in given.into_iter().enumerate() {
        let Some(question) = question(&format!("v{number}"), "secret") else {
            panic!("the question is wrong")
        };
        let Ok(answer) = question.parse(value) else { continue };
        expected.push((format!("V{number}"), answer.reveal().to_owned()));
        answers.insert(question.id.clone(), answer);
        questions.push(question);
    }
    let Some(mut content) = open(BUNDLE).map(|bundle| Content::clone(&bundle.index.content)) else {
        panic!("the fixture cannot be read")
    };
    content.questions = questions;
    let rendered = env_file::render(&content, &answers);
    let read: Vec<_> = read_env(&rendered).into_iter().filter(|(name, _)| name.starts_with('V')).collect();
    assert_eq!(read, expected, "{rendered}");
}

/// `compose-go`'s rules for double-quoted values, as far as our writer may use them: nothing else may occur in the file.
fn read_env(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let Some((name, value)) = line.split_once("=\"") else { panic!("not NAME=\"value\": {line}") };
        let Some(value) = value.strip_suffix('"') else { panic!("no closing quote: {line}") };
        let mut plain = String::new();
        let mut characters = value.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => match characters.next() {
                    Some('n') => plain.push('\n'),
                    Some('r') => plain.push('\r'),
                    Some('t') => plain.push('\t'),
                    Some(escaped @ ('\\' | '"' | '$')) => plain.push(escaped),
                    other => panic!("Compose knows no escape {other:?}: {line}"),
                },
                '"' | '$' => panic!("Compose would interpret {character}: {line}"),
                other => plain.push(other),
            }
        }
        (name.to_owned(), plain)
    };
    text.split('\n').filter(|line| !line.is_empty() && !line.starts_with('#')).map(line).collect()
}

/// An image archive: `docker save`, OCI archive.
pub fn archive(data: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let path = folder.path().join("images.tar");
    if std::fs::write(&path, data).is_err() {
        return;
    }
    let Ok(archive) = Tree::open(&path, folder.path()).and_then(Archive::of) else { return };
    for name in archive.names().into_iter().take(4) {
        let Ok(reference) = ImageReference::parse(&name) else { continue };
        let Ok(Some(image)) = archive.find(&reference, "x86_64") else { continue };
        for stored in image.layers.iter().take(4) {
            let Ok((reader, len)) = stored.tree.reader(&stored.path) else { continue };
            _ = layer::tar_len(reader, len);
            let Ok((reader, _)) = stored.tree.reader(&stored.path) else { continue };
            let effort = layer::Effort::new(1, 1);
            _ = layer::copy(reader, 0, std::io::sink(), effort, &|_| ());
        }
    }
}

/// The tar of a layer: whatever is in it, nothing is made outside of the directory.
pub fn layer(data: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else { return };
    let made = ["layer", "lower", "lower/etc"].map(|name| std::fs::create_dir(folder.path().join(name)));
    if made.iter().any(Result::is_err) || std::fs::write(folder.path().join("lower/etc/a"), "kept").is_err() {
        return;
    }
    let lowers = [folder.path().join("lower")];
    let dir = folder.path().join("layer");
    _ = unpack::layer(data, unpack::Target { dir: &dir, lowers: &lowers }, 1);
    assert_eq!(names(folder.path()), ["layer", "lower"]);
    assert_eq!(names(&lowers[0]), ["etc"]);
    assert_eq!(names(&lowers[0].join("etc")), ["a"]);
    assert_eq!(std::fs::read(lowers[0].join("etc/a")).ok().as_deref(), Some(&b"kept"[..]));
}

/// A template, and behind a zero byte what everybody answers: nothing but plain characters gets in as it is, and no answer adds a
/// line.
pub fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (text, answer) = text.split_once('\0').unwrap_or((text, "plain"));
    let template = match Template::parse(text) {
        Ok(template) => template,
        Err(errors) => {
            assert!(!errors.is_empty(), "refused, and nobody says why");
            let lines = text.split_inclusive('\n').count().max(1);
            assert!(errors.iter().all(|error| (1..=lines + 1).contains(&error.line)), "{errors:?}");
            return;
        }
    };
    let uses = template.uses();
    match template.render(|_| Some(answer)) {
        // Of all lines, directives are dropped and none is added.
        Ok(filled) => assert!(filled.split('\n').count() <= text.split('\n').count(), "{filled:?}"),
        Err(refused) => {
            assert!(!is_plain(refused.character) && answer.contains(refused.character));
            assert!(uses.iter().any(|found| *found.id() == refused.id));
        }
    }
    // Whoever answers nothing gets the text without answers, whatever the template says.
    assert!(template.render(|_| None).is_ok());
}

/// What follows the index, and the block in it: a key and a signature that somebody says is of this file.
pub fn signature(data: &[u8]) {
    if let Ok((index, block)) = signature::take_apart(data) {
        assert!(index.len() + block.map_or(0, <[u8]>::len) <= data.len());
    }
    let digest = Digest::of(data);
    let statement = signature::statement(1, &digest, 0);
    // Nobody signs something that names its own digest.
    assert!(signature::check(data, &statement).is_err(), "a signature that nobody has made");
    let Ok(index) = zstd::bulk::compress(b"{}", 1) else { return };
    let whole = [&index[..], &signature::frame(data)].concat();
    assert_eq!(signature::take_apart(&whole), Ok((&index[..], Some(data))));
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(key) = signature::PublicKey::parse(text) {
        for written in [key.base64(), key.file()] {
            assert!(signature::PublicKey::parse(&written).is_ok_and(|again| again == key), "{written}");
        }
    }
}

fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
