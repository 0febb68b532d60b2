//! What is written is read back, whatever it is.

use std::collections::BTreeSet;
use std::io::{Cursor, Read};

use bundle_spec::digest::Digest;
use bundle_spec::error::WriteError;
use bundle_spec::index::Content;
use bundle_spec::layout::{ALIGNMENT, LAUNCHER_LENGTH_KEY, STRETCH_LEN};
use bundle_spec::limits::PROJECT_FILE_MAX;
use bundle_spec::project::{Check, Directory, Link, Localized, ProjectFile};
use bundle_spec::question::{Generate, GenerateFormat, Question, QuestionId, QuestionKind};
use bundle_spec::reader::Bundle;
use bundle_spec::writer::BundleWriter;
use proptest::prelude::*;

use crate::sample::{Dice, Sample, content, launcher};

/// Everything that must hold for any bundle that the writer made.
fn assert_reads_back(sample: &Sample) {
    let mut file = Cursor::new(&sample.bytes);
    let bundle = Bundle::open(&mut file).unwrap();
    assert_eq!(*bundle.index, sample.index);
    assert_eq!(bundle.trailer.total_len, sample.bytes.len() as u64);
    for blob in &sample.blobs {
        let mut read = Vec::new();
        bundle.blob(Cursor::new(&sample.bytes), &Digest::of(blob)).unwrap().read_to_end(&mut read).unwrap();
        assert_eq!(&read, blob);
    }
    let place = &bundle.index.place;
    let offsets =
        place.stubs.iter().map(|stub| stub.offset).chain(place.blobs.iter().map(|blob| blob.offset));
    assert!(offsets.into_iter().all(|offset| offset.is_multiple_of(ALIGNMENT)));
    let mut seen = 0;
    let damaged =
        bundle.check_stretches(&mut file, 0..bundle.stretch_count(), |count| seen += count).unwrap();
    assert_eq!((damaged, seen), (Vec::new(), bundle.trailer.index_offset));
    let declared = format!("\n{LAUNCHER_LENGTH_KEY}{:020}\n", sample.bytes.len());
    assert!(String::from_utf8_lossy(&sample.bytes[..launcher().len()]).contains(&declared));
}

fn words() -> impl Strategy<Value = String> {
    // Printable characters of any script; control characters and overrides are hostile.rs' business.
    "[a-zA-Z0-9 '\"$#\\\\一-龥é-ü]{0,40}"
}

fn localized() -> impl Strategy<Value = Localized> {
    (words(), words()).prop_map(|(zh, en)| Localized { zh, en })
}

fn questions() -> impl Strategy<Value = Vec<Question>> {
    let question = (
        localized(),
        proptest::option::of(localized()),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<i64>(),
    );
    prop::collection::vec(question, 0..6).prop_map(|drawn| {
        type Parts = (Localized, Option<Localized>, bool, bool, bool, i64);
        let question =
            |(number, (prompt, help, required, secret, generated, min)): (usize, Parts)| Question {
                env: Some(format!("VAR_{number}")),
                help,
                required,
                secret,
                pattern: secret.then(|| "[a-z]+".to_owned()),
                min: Some(min),
                generate: generated.then_some(Generate { format: GenerateFormat::Hex, bytes: 32 }),
                ..Question::new(QuestionId::parse(&format!("q{number}")).unwrap(), QuestionKind::Text, prompt)
            };
        drawn.into_iter().enumerate().map(question).collect()
    })
}

/// What the packer decides, beside the blobs.
#[derive(Clone, Debug)]
struct Decided {
    title: Localized,
    vendor: String,
    questions: Vec<Question>,
    paths: BTreeSet<String>,
    number: u32,
    time: u64,
    mode: u32,
    timeout: u64,
}

impl Decided {
    fn apply(&self, content: &mut Content) {
        let blob = content.project.files[0].blob;
        for path in &self.paths {
            let path = format!("d/{path}").try_into().unwrap();
            content.project.files.push(ProjectFile {
                path,
                blob,
                len: u64::from(self.number) % (PROJECT_FILE_MAX + 1),
                mode: self.mode,
                template: self.number.is_multiple_of(2),
                owner: (self.number.is_multiple_of(3)).then_some((self.number, 1000)),
            });
        }
        let path = "db".to_owned().try_into().unwrap();
        content.project.directories.push(Directory { path, mode: self.mode, uid: self.number, gid: 0 });
        if let Some(question) = self.questions.iter().find(|question| !question.is_secret()) {
            let url = format!("http://127.0.0.1:80/{{{}}}", question.id);
            content.links.push(Link { title: self.title.clone(), url: url.clone() });
            let (name, timeout) = (self.vendor.clone(), self.timeout);
            content.checks.push(Check {
                name,
                title: Some(self.title.clone()),
                url,
                status: 200,
                contains: None,
                timeout,
            });
            content.requirements.ports = vec!["80".to_owned(), format!("{{{}}}", question.id)];
        }
        content.created = self.time;
        content.requirements.cores = Some(self.number);
        content.app.title = self.title.clone();
        content.app.vendor = Some(self.vendor.clone());
        content.questions = self.questions.clone();
        content.features = bundle_spec::feature::needed_by(content);
    }
}

fn decided() -> impl Strategy<Value = Decided> {
    let paths = prop::collection::btree_set("[a-z]{1,8}/[a-z.文]{3,12}", 0..20);
    let numbers = (any::<u32>(), any::<u64>(), 0..=0o777_u32, 1..=86_400_u64);
    (localized(), words(), questions(), paths, numbers).prop_map(
        |(title, vendor, questions, paths, numbers)| {
            let (number, time, mode, timeout) = numbers;
            Decided { title, vendor, questions, paths, number, time, mode, timeout }
        },
    )
}

fn parts() -> impl Strategy<Value = (Vec<Noise>, Vec<Noise>)> {
    // Few different seeds, so that some blobs are the same; lengths around the alignment, and none at all.
    let len = prop_oneof![0..10_usize, 4_090..4_100_usize, 0..60_000_usize];
    let part = (0..4_u64, len).prop_map(|(seed, len)| Noise { seed, len });
    (prop::collection::vec(part.clone(), 0..3), prop::collection::vec(part, 1..12))
}

/// Bytes by what they are made of, so that a failing case can be read.
#[derive(Clone, Copy, Debug)]
struct Noise {
    seed: u64,
    len: usize,
}

fn bytes_of(parts: &[Noise]) -> Vec<Vec<u8>> {
    parts.iter().map(|part| Dice::new(part.seed).noise(part.len)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_written_is_read_back((stubs, blobs) in parts(), decided in decided()) {
        let sample = Sample::write(&bytes_of(&stubs), bytes_of(&blobs), |digests| {
            let mut content = content(digests);
            decided.apply(&mut content);
            content
        });
        assert_reads_back(&sample);
    }

    #[test]
    fn a_reader_takes_any_bytes_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), seed in any::<u64>()) {
        let mut sample = sample_of_few_bytes();
        // Somewhere over the bundle, so that every part of it gets its share.
        let at = Dice::new(seed).within(0..sample.bytes.len());
        let end = (at + bytes.len()).min(sample.bytes.len());
        sample.bytes[at..end].copy_from_slice(&bytes[..end - at]);
        let mut file = Cursor::new(&sample.bytes);
        if let Ok(bundle) = Bundle::open(&mut file) {
            let damaged = bundle.check_stretches(&mut file, 0..bundle.stretch_count(), |_| ()).unwrap();
            let _ = bundle.describe_damage(damaged);
        }
        let _ = Bundle::open(&mut Cursor::new(bytes));
    }
}

fn sample_of_few_bytes() -> Sample {
    Sample::write(&[vec![1; 100]], vec![b"services: {}".to_vec()], content)
}

#[test]
fn payloads_that_end_around_a_stretch_are_read_back() {
    let stretch = usize::try_from(STRETCH_LEN).unwrap();
    let aligned_launcher = 4096;
    for len in [
        stretch - aligned_launcher - 1,
        stretch - aligned_launcher,
        stretch - aligned_launcher + 1,
        2 * stretch,
    ] {
        assert_reads_back(&Sample::write(&[], vec![Dice::new(1).noise(len)], content));
    }
    assert_reads_back(&Sample::of_three_stretches());
}

#[test]
fn the_same_parts_give_the_same_bytes() {
    assert!(Sample::of_three_stretches().bytes == Sample::of_three_stretches().bytes);
}

#[test]
fn a_blob_is_stored_once() {
    let once = Sample::write(&[], vec![vec![7; 9_000]], content);
    let twice = Sample::write(&[], vec![vec![7; 9_000], vec![7; 9_000]], content);
    assert!(once.bytes == twice.bytes);
}

#[test]
fn a_blob_that_arrives_in_pieces_is_the_same_blob() {
    let noise = Dice::new(9).noise(70_000);
    let mut writer = BundleWriter::new(Cursor::new(Vec::new()), &launcher()).unwrap();
    let mut sink = writer.begin_blob().unwrap();
    for piece in noise.chunks(777) {
        std::io::Write::write_all(&mut sink, piece).unwrap();
    }
    assert_eq!(sink.finish().unwrap(), Digest::of(&noise));
    // Written again where nobody could know beforehand that it is there already: kept once in the index.
    let mut again = writer.begin_blob().unwrap();
    std::io::Write::write_all(&mut again, &noise).unwrap();
    let digest = again.finish().unwrap();
    let (output, index) = writer.finish(content(&[digest])).unwrap();
    assert_eq!(index.place.blobs.len(), 1);
    assert_reads_back(&Sample { bytes: output.into_inner(), index, blobs: vec![noise] });
}

#[test]
fn a_blob_reads_the_same_in_reads_of_any_size() {
    let sample = Sample::write(&[], vec![Dice::new(4).noise(10_000), Vec::new()], content);
    let bundle = sample.open();
    for size in [1, 7, 4096, 100_000] {
        let mut reader = bundle.blob(Cursor::new(&sample.bytes), &Digest::of(&sample.blobs[0])).unwrap();
        let (mut read, mut buffer) = (Vec::new(), vec![0; size]);
        loop {
            assert_eq!(reader.remaining(), (sample.blobs[0].len() - read.len()) as u64);
            assert_eq!(reader.read(&mut []).unwrap(), 0);
            match reader.read(&mut buffer).unwrap() {
                0 => break,
                count => read.extend_from_slice(&buffer[..count]),
            }
        }
        assert_eq!(read, sample.blobs[0]);
    }
}

#[test]
fn nothing_is_written_that_a_reader_would_refuse() {
    type Edit = fn(&mut Content);
    let edits: [(&str, Edit); 4] = [
        ("a feature that no reader knows", |content| content.features.push("frobnication".to_owned())),
        ("a name with a slash", |content| content.app.name = "a/b".to_owned()),
        ("a blob that is not there", |content| content.project.files[0].blob = Digest::of(b"elsewhere")),
        ("an index beyond the limit", |content| {
            let file = content.project.files[0].clone();
            content.project.files.extend((0..80_000).map(|number| {
                let path = format!("{number:01000}").try_into().unwrap();
                ProjectFile { path, ..file.clone() }
            }));
        }),
    ];
    for (what, edit) in edits {
        let mut writer = BundleWriter::new(Cursor::new(Vec::new()), &launcher()).unwrap();
        let digest = writer.blob(b"services: {}").unwrap();
        let mut content = content(&[digest]);
        edit(&mut content);
        assert!(matches!(writer.finish(content), Err(WriteError::Unacceptable(_))), "{what} was written");
    }
}

#[test]
fn a_launcher_without_its_lines_is_refused() {
    let good = String::from_utf8(launcher()).unwrap();
    let too_long = format!("{good}{}", "#".repeat(64 << 10));
    for bad in
        ["", "#!/bin/sh\n", &good.replace("bundle_length", "length"), &good.replace("00", "0"), &too_long]
    {
        let writer = BundleWriter::new(Cursor::new(Vec::new()), bad.as_bytes());
        assert!(matches!(writer, Err(WriteError::Launcher(_))), "{bad:.60}");
    }
}
