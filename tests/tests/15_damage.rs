//! A real bundle, damaged in more than two thousand ways, the same on every run: each is found before a byte of it is used,
//! and named by its place and by what lies there. Prints the lines of the table in `docs/reliability.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::time::{Duration, Instant};

use bundle_spec::error::ReadError;
use bundle_spec::layout::{LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY, STRETCH_LEN, TRAILER_LEN};
use bundle_spec::reader::Bundle as Opened;
use tests::bundle::{Bundle, Vendor};
use tests::dice::Dice;
use tests::parts;

const STRETCH: usize = STRETCH_LEN as usize;

/// A signed bundle of several stretches, its bytes, and where its parts lie.
struct Subject {
    _vendor: Vendor,
    bundle: Bundle,
    bytes: Vec<u8>,
    opened: Opened,
}

impl Subject {
    fn new() -> Self {
        let vendor = Vendor::with_noise(14 << 20);
        let key = vendor.path("vendor");
        let _ = vendor.airlift(&["keygen", key.to_str().unwrap(), "--no-password"]).done();
        let path = vendor.path("hello.run");
        let key = vendor.path("vendor.key");
        let args = ["pack", "--sign", key.to_str().unwrap(), "-o", path.to_str().unwrap()];
        let _ = vendor.airlift(&args).done();
        let bundle = Bundle { path };
        let bytes = std::fs::read(&bundle.path).unwrap();
        let opened = bundle.open();
        assert!(opened.signer.is_some() && opened.stretch_count() >= 4);
        Self { _vendor: vendor, bundle, bytes, opened }
    }

    fn index(&self) -> usize {
        usize::try_from(self.opened.trailer.index_offset).unwrap()
    }

    /// The parts of the file: what people call them, and their bytes.
    fn parts(&self) -> Vec<(String, Range<usize>)> {
        let at =
            |offset: u64, len: u64| usize::try_from(offset).unwrap()..usize::try_from(offset + len).unwrap();
        let (index, place) = (&self.opened.index, &self.opened.index.place);
        let mut parts = vec![("launcher".to_owned(), at(0, place.launcher_len))];
        for stub in &place.stubs {
            parts.push((format!("installer for {}", stub.arch), at(stub.offset, stub.len)));
        }
        for blob in &place.blobs {
            parts.push((index.content.name_of(&blob.digest), at(blob.offset, blob.len)));
        }
        let stored = usize::try_from(self.opened.trailer.index_stored_len).unwrap();
        let end = self.bytes.len() - TRAILER_LEN;
        parts.push(("index and signature".to_owned(), self.index()..self.index() + stored));
        parts.push(("room behind the index".to_owned(), self.index() + stored..end));
        parts.push(("trailer".to_owned(), end..self.bytes.len()));
        parts
    }

    /// What the reader finds in damaged bytes of which only these may differ.
    fn find(&self, bytes: &[u8], touched: &[usize]) -> Found {
        let mut file = Cursor::new(bytes);
        let opened = match Opened::open(&mut file) {
            Ok(opened) => opened,
            Err(error) => return Found::AtOpening(error),
        };
        assert_eq!(opened.signer, self.opened.signer, "a damaged file got another signer");
        // Nobody gets such bytes: a blob in those stretches ends with an error instead of its end.
        for blob in &opened.index.place.blobs {
            let stretches = opened.stretches_of(blob.offset, blob.len);
            if !stretches.clone().any(|stretch| touched.contains(&stretch)) {
                continue;
            }
            let here =
                usize::try_from(blob.offset).unwrap()..usize::try_from(blob.offset + blob.len).unwrap();
            let differs = bytes[here.clone()] != self.bytes[here];
            let read = opened.blob_bytes(Cursor::new(bytes), &blob.digest, u64::MAX);
            assert_eq!(read.is_err(), differs, "{}", opened.index.content.name_of(&blob.digest));
        }
        let numbers = touched.iter().copied();
        let damaged = opened.check_stretches(&mut file, numbers, |_| ()).unwrap();
        let damage = opened.describe_damage(damaged.clone());
        Found::InStretches(damaged, damage.into_iter().flat_map(|damage| damage.parts).collect())
    }
}

enum Found {
    AtOpening(ReadError),
    InStretches(Vec<usize>, Vec<String>),
}

fn line(what: &str, count: usize, outcome: &str) {
    let _ = writeln!(std::io::stdout(), "| {what} | {count} | {outcome} |");
}

#[test]
fn two_thousand_damaged_bundles_are_all_found() {
    let mut subject = Subject::new();
    let mut dice = Dice::new(2_000);
    let index = subject.index();
    let mut flips: BTreeMap<String, usize> = BTreeMap::new();
    let parts: Vec<_> = subject.parts().into_iter().filter(|(_, range)| !range.is_empty()).collect();
    for round in 0..1_800 {
        let (part, range) = &parts[round % parts.len()];
        let (at, bit) = (dice.within(range.clone()), dice.within(0..8));
        let mut bytes = std::mem::take(&mut subject.bytes);
        let original = bytes.clone();
        bytes[at] ^= 1 << bit;
        subject.bytes = original;
        let stretch = at / STRETCH;
        let place = format!("bit {bit} of byte {at} in {part}");
        match subject.find(&bytes, if at < index { std::slice::from_ref(&stretch) } else { &[] }) {
            Found::InStretches(damaged, named) => {
                assert_eq!(damaged, [stretch], "{place}");
                assert!(named.contains(part), "{place}: {named:?}");
            }
            Found::AtOpening(ReadError::IndexDamaged { .. }) => assert!(part.contains("index"), "{place}"),
            Found::AtOpening(ReadError::TrailerDamaged) => assert_eq!(part, "trailer", "{place}"),
            Found::AtOpening(other) => panic!("{place}: {other}"),
        }
        *flips.entry(part.split(" of ").next().unwrap().to_owned()).or_default() += 1;
    }
    let shown: Vec<_> = flips.iter().map(|(part, count)| format!("{part} {count}")).collect();
    line(&format!("one bit flipped ({})", shown.join(", ")), 1_800, "all found, stretch and part named");

    let total = subject.bytes.len();
    for _ in 0..250 {
        let len = dice.within(0..total);
        match Opened::open(&mut Cursor::new(&subject.bytes[..len])) {
            Err(ReadError::WrongLength { actual, expected }) => {
                assert_eq!((actual, expected), (len as u64, total as u64));
            }
            Err(ReadError::NotABundle) => assert!(len < 4096, "cut to {len}"),
            Err(other) => panic!("cut to {len}: {other}"),
            Ok(_) => panic!("cut to {len}: not found"),
        }
    }
    line("cut off", 250, "all found by opening, with the right length");

    let whole = index / STRETCH;
    for _ in 0..100 {
        let one = dice.within(0..whole);
        let other = (one + dice.within(1..whole)) % whole;
        let (first, second) = (one.min(other), one.max(other));
        let mut bytes = subject.bytes.clone();
        let (front, back) = bytes.split_at_mut(second * STRETCH);
        front[first * STRETCH..][..STRETCH].swap_with_slice(&mut back[..STRETCH]);
        match subject.find(&bytes, &[first, second]) {
            Found::InStretches(damaged, _) => assert_eq!(damaged, [first, second]),
            Found::AtOpening(error) => panic!("blocks {first} and {second}: {error}"),
        }
    }
    line("two blocks of 4 MiB swapped", 100, "all found, both stretches named");

    for _ in 0..100 {
        let first = dice.within(0..index - 2 * STRETCH);
        let second = dice.within(first + STRETCH..index - STRETCH);
        let mut bytes = subject.bytes.clone();
        let (front, back) = bytes.split_at_mut(second);
        front[first..][..STRETCH].swap_with_slice(&mut back[..STRETCH]);
        let touched = |at: usize| {
            let last = at + STRETCH - 1;
            at / STRETCH..=last / STRETCH
        };
        let mut touched: Vec<usize> = touched(first).chain(touched(second)).collect();
        touched.dedup();
        let differs = |stretch: &usize| {
            let range = stretch * STRETCH..index.min((stretch + 1) * STRETCH);
            bytes[range.clone()] != subject.bytes[range]
        };
        let wanted: Vec<usize> = touched.iter().copied().filter(differs).collect();
        match subject.find(&bytes, &touched) {
            Found::InStretches(damaged, _) => assert_eq!(damaged, wanted),
            Found::AtOpening(error) => panic!("at {first} and {second}: {error}"),
        }
    }
    line("the same from anywhere, not only whole stretches", 100, "all found, all stretches named");
}

#[test]
fn the_programs_say_the_same_of_dozens() {
    let subject = Subject::new();
    let mut dice = Dice::new(36);
    let index = subject.index();
    let folder = parts::scratch();
    let path = folder.path().join("damaged.run");
    let mut counts = (0, 0, 0);
    let check = |damaged: &Bundle, by_itself: bool, words: &[&str]| {
        let file = damaged.path.to_str().unwrap();
        let mut runs =
            vec![tests::run::Run::of(std::process::Command::new(parts::airlift()).args(["verify", file]))];
        if by_itself {
            runs.push(damaged.run(&["verify", "--lang", "en"]));
        }
        for run in runs {
            let run = run.expect(5).never_saying("panicked");
            assert!(words.iter().any(|word| run.stderr.contains(word)), "none of {words:?} is said:\n{run}");
            assert!(run.stderr.to_lowercase().contains("copy the file again"), "{run}");
        }
    };
    for (part, range) in subject.parts() {
        if range.is_empty() {
            continue;
        }
        for _ in 0..2 {
            let at = dice.within(range.clone());
            let damaged = subject.bundle.changed(&path, |bytes| bytes[at] ^= 1 << dice.within(0..8));
            let word = if at < index { part.as_str() } else { "damaged" };
            // A launcher that is damaged itself cannot be asked; the installer is looked at by the launcher.
            check(&damaged, part != "launcher", &[word, "installer program", "incomplete or damaged"]);
            counts.0 += 1;
        }
    }
    for _ in 0..6 {
        let len = dice.within(8192..subject.bytes.len());
        let damaged = subject.bundle.changed(&path, |bytes| bytes.truncate(len));
        let (has, should) = (len.to_string(), subject.bytes.len().to_string());
        check(&damaged, true, &[&format!("{has} bytes and should have {should}")]);
        counts.1 += 1;
    }
    let whole = index / STRETCH;
    for _ in 0..4 {
        // Not the first: launcher and installer lie there.
        let one = dice.within(2..whole);
        let other = 2 + (one - 2 + 1 + dice.within(0..whole - 3)) % (whole - 2);
        let damaged = subject.bundle.changed(&path, |bytes| {
            for at in 0..STRETCH {
                bytes.swap(one * STRETCH + at, other * STRETCH + at);
            }
        });
        check(&damaged, true, &["a layer of"]);
        counts.2 += 1;
    }
    line(
        "the same by `airlift verify` and by the file's own `verify`: one bit flipped",
        counts.0,
        "exit code 5, what to do",
    );
    line("… cut off", counts.1, "exit code 5, both lengths");
    line("… two blocks swapped", counts.2, "exit code 5, the layer named");
}

/// Counts the bytes that are read.
struct Counting<'a> {
    file: &'a File,
    read: u64,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = self.file.read(buffer)?;
        self.read += len as u64;
        Ok(len)
    }
}

impl Seek for Counting<'_> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.file.seek(to)
    }
}

/// Bytes of a bundle that was cut off on its way.
const WHOLE: u64 = 1_100_000_000;

#[test]
fn a_truncated_gigabyte_is_found_without_reading_it() {
    let subject = Subject::new();
    let folder = parts::scratch();
    let path = folder.path().join("long.run");
    // One of 1.1 GB that was cut off after 1 GiB. Most of what is left is a hole.
    let damaged = subject.bundle.changed(&path, |bytes| {
        let key = format!("\n{LAUNCHER_LENGTH_KEY}");
        let at = bytes.windows(key.len()).position(|window| window == key.as_bytes()).unwrap() + key.len();
        let digits = format!("{WHOLE:0width$}", width = LAUNCHER_LENGTH_DIGITS);
        bytes[at..at + digits.len()].copy_from_slice(digits.as_bytes());
        bytes.truncate(8 << 20);
    });
    let file = File::options().read(true).write(true).open(&damaged.path).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut counting = Counting { file: &file, read: 0 };
    let started = Instant::now();
    let opened = Opened::open(&mut counting);
    let took = started.elapsed();
    assert!(
        matches!(opened, Err(ReadError::WrongLength { actual: 0x4000_0000, expected: WHOLE })),
        "{opened:?}"
    );
    assert!(counting.read < 128 << 10, "{} bytes were read", counting.read);
    let mut buffer = vec![0; 1 << 20];
    let mut file = &file;
    file.rewind().unwrap();
    let started = Instant::now();
    for _ in 0..1024 {
        file.read_exact(&mut buffer).unwrap();
    }
    let whole = started.elapsed();
    assert!(took < whole.max(Duration::from_millis(500)) / 5, "{took:?}; reading all takes {whole:?}");
    line(
        &format!(
            "1.1 GB, cut off after 1 GiB: {} bytes read, {:.1} ms",
            counting.read,
            took.as_secs_f64() * 1e3
        ),
        1,
        "found by opening",
    );
}
