//! One flipped bit, one missing byte, one byte too many: each is found, and named as what it is.

use std::io::{self, Cursor};

use bundle_spec::digest::Digest;
use bundle_spec::error::ReadError;
use bundle_spec::layout::{ALIGNMENT, LAUNCHER_LENGTH_KEY, STRETCH_LEN, TRAILER_LEN};
use bundle_spec::reader::{Bundle, blob_error};

use crate::sample::{Dice, Sample, launcher};

/// The parts of a bundle as ranges of bytes.
fn parts(sample: &Sample) -> Vec<(&'static str, std::ops::Range<usize>)> {
    let bundle = sample.open();
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let place = &bundle.index.place;
    let (index, end) = (at(bundle.trailer.index_offset), sample.bytes.len() - TRAILER_LEN);
    let index_end = index + at(bundle.trailer.index_stored_len);
    let first_stub = at(place.stubs[0].offset);
    let stub_end = first_stub + at(place.stubs[0].len);
    let padding_end = stub_end.next_multiple_of(at(ALIGNMENT));
    let [.., large, small, last] = place.blobs.as_slice() else { panic!("too few blobs") };
    vec![
        ("launcher", 0..launcher().len()),
        ("padding after the launcher", launcher().len()..first_stub),
        ("stub", first_stub..stub_end),
        ("padding after the stub", stub_end..padding_end),
        ("small blob", at(small.offset)..at(small.offset + small.len)),
        ("large blob", at(large.offset)..at(large.offset + large.len)),
        ("last blob", at(last.offset)..at(last.offset + last.len)),
        ("index", index..index_end),
        ("padding after the index", index_end..end),
        ("trailer", end..sample.bytes.len()),
    ]
}

#[test]
fn every_flipped_bit_is_found() {
    let mut sample = Sample::of_three_stretches();
    let bundle = sample.open();
    let index = sample.index_offset();
    let mut dice = Dice::new(400);
    let parts = parts(&sample);
    assert!(index as u64 > 2 * STRETCH_LEN, "the sample must have several stretches");
    for (part, range) in parts {
        assert!(!range.is_empty(), "the sample lacks {part}");
        for _ in 0..40 {
            let (position, bit) = (dice.within(range.clone()), dice.within(0..8));
            sample.bytes[position] ^= 1 << bit;
            let mut file = Cursor::new(&sample.bytes);
            let opened = Bundle::open(&mut file);
            let wrong = |what: String| panic!("bit {bit} of byte {position} in the {part}: {what}");
            match opened {
                Err(ReadError::IndexDamaged { start, end }) if part.ends_with("index") => {
                    assert_eq!((start, end), (index as u64, (sample.bytes.len() - TRAILER_LEN) as u64));
                }
                Err(ReadError::TrailerDamaged) if part == "trailer" => {}
                Ok(_) if position < index => {
                    let stretch = position / usize::try_from(STRETCH_LEN).unwrap();
                    // Only the stretch in question is read here, to keep the test short; the rest is unchanged.
                    let numbers = stretch..=stretch;
                    let damaged = bundle.check_stretches(&mut file, numbers, |_| ()).unwrap();
                    assert_eq!(damaged, [stretch], "bit {bit} of byte {position} in the {part}");
                }
                Ok(_) => wrong("not found".to_owned()),
                Err(error) => wrong(format!("unexpected: {error}")),
            }
            sample.bytes[position] ^= 1 << bit;
        }
    }
    // Nothing was left flipped, and undamaged stretches are not accused.
    let all = 0..bundle.stretch_count();
    assert_eq!(bundle.check_stretches(&mut Cursor::new(&sample.bytes), all, |_| ()).unwrap(), [0; 0]);
}

#[test]
fn every_truncation_is_found_by_opening_alone() {
    let sample = Sample::of_three_stretches();
    let total = sample.bytes.len();
    let length_line_end = launcher().len() - "\nexit 1\n".len();
    let mut dice = Dice::new(200);
    let mut lengths: Vec<usize> = (0..200).map(|_| dice.within(0..total)).collect();
    // The places where one part ends, and one byte on either side.
    let edges = [
        length_line_end,
        launcher().len(),
        TRAILER_LEN,
        sample.index_offset(),
        total - TRAILER_LEN,
        total - 1,
    ];
    lengths.extend(edges.into_iter().flat_map(|edge| [edge - 1, edge, edge + 1]).filter(|len| *len < total));
    lengths.extend(0..launcher().len());
    for len in lengths {
        match Bundle::open(&mut Cursor::new(&sample.bytes[..len])) {
            Err(ReadError::WrongLength { actual, expected }) if len >= length_line_end => {
                assert_eq!((actual, expected), (len as u64, total as u64));
            }
            Err(ReadError::NotABundle) if len < length_line_end => {}
            other => panic!("cut to {len} of {total} bytes: {other:?}"),
        }
    }
}

#[test]
fn appended_bytes_are_found_by_opening_alone() {
    let sample = Sample::of_three_stretches();
    let total = sample.bytes.len() as u64;
    let mut dice = Dice::new(1);
    let trailer = sample.bytes[sample.bytes.len() - TRAILER_LEN..].to_vec();
    let tails =
        [vec![0], b"\n".to_vec(), vec![0; TRAILER_LEN], dice.noise(5_000), trailer, sample.bytes.clone()];
    for tail in tails {
        let bytes = [sample.bytes.as_slice(), &tail].concat();
        match Bundle::open(&mut Cursor::new(&bytes)) {
            Err(ReadError::WrongLength { actual, expected }) => {
                assert_eq!((actual, expected), (bytes.len() as u64, total));
            }
            other => panic!("{} bytes appended: {other:?}", tail.len()),
        }
    }
}

#[test]
fn a_bundle_inside_a_bundle_does_not_hide_a_truncation() {
    let inner = Sample::write(&[], vec![b"services: {}".to_vec()], crate::sample::content);
    let outer = Sample::write(&[], vec![inner.bytes.clone(), vec![1; 9_000]], crate::sample::content);
    let place = outer.index.place.blobs[0];
    let cut = usize::try_from(place.offset + place.len).unwrap();
    match Bundle::open(&mut Cursor::new(&outer.bytes[..cut])) {
        Err(ReadError::WrongLength { actual, expected }) => {
            assert_eq!((actual, expected), (cut as u64, outer.bytes.len() as u64));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_lost_beginning_is_a_wrong_length() {
    let sample = Sample::of_three_stretches();
    let opened = Bundle::open(&mut Cursor::new(&sample.bytes[4096..]));
    let expected = sample.bytes.len() as u64;
    assert!(matches!(opened, Err(ReadError::WrongLength { expected: e, .. }) if e == expected));
}

#[test]
fn other_files_are_not_bundles() {
    let script = b"#!/bin/sh\necho not a bundle\n".repeat(50);
    for bytes in
        [Vec::new(), vec![0; 1], vec![0; 10_000], b"\x7fELF".repeat(1000), script, Dice::new(5).noise(9_000)]
    {
        assert!(matches!(Bundle::open(&mut Cursor::new(bytes)), Err(ReadError::NotABundle)));
    }
}

#[test]
fn damage_is_joined_and_named() {
    let mut sample = Sample::of_three_stretches();
    let bundle = sample.open();
    let stretch = usize::try_from(STRETCH_LEN).unwrap();
    sample.bytes[10] ^= 1;
    sample.bytes[stretch + 1] ^= 1;
    let all = 0..bundle.stretch_count();
    let damaged = bundle.check_stretches(&mut Cursor::new(&sample.bytes), all.rev(), |_| ()).unwrap();
    let [damage] = bundle.describe_damage(damaged).try_into().unwrap();
    assert_eq!((damage.start, damage.end), (0, 2 * STRETCH_LEN));
    let has = |part: &str| damage.parts.iter().any(|p| p == part);
    assert!(
        has("launcher") && has("installer for arch0") && has("project file docker-compose.yml"),
        "{damage}"
    );
    assert!(has("a layer of sample/backend:1.0") && has("the description of sample/backend:1.0"), "{damage}");
}

#[test]
fn no_reader_of_a_blob_ends_well_on_damage() {
    let mut sample = Sample::of_three_stretches();
    let bundle = sample.open();
    let blob = bundle.index.place.blobs[1];
    sample.bytes[usize::try_from(blob.offset).unwrap()] ^= 0x80;
    let read = bundle.blob_bytes(Cursor::new(&sample.bytes), &blob.digest, 1 << 20);
    assert!(matches!(read, Err(ReadError::BlobDamaged(digest)) if digest == blob.digest));
    let read = bundle.blob_bytes(Cursor::new(&sample.bytes), &blob.digest, blob.len - 1);
    assert!(
        matches!(read, Err(ReadError::Unacceptable(_))),
        "a blob beyond the caller's limit must not be read"
    );
    let stranger = Digest::of(b"stranger");
    let read = bundle.blob_bytes(Cursor::new(&sample.bytes), &stranger, 1);
    assert!(matches!(read, Err(ReadError::NoBlob(digest)) if digest == stranger));
    // A stick pulled out in the middle.
    let end = usize::try_from(blob.offset + blob.len / 2).unwrap();
    let read = bundle.blob_bytes(Cursor::new(&sample.bytes[..end]), &blob.digest, 1 << 20);
    assert!(matches!(read, Err(ReadError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof));
}

#[test]
fn a_damaged_length_line_alone_does_not_decide() {
    let mut sample = Sample::of_three_stretches();
    let line =
        sample.bytes.windows(LAUNCHER_LENGTH_KEY.len()).position(|w| w == LAUNCHER_LENGTH_KEY.as_bytes());
    sample.bytes[line.unwrap() + LAUNCHER_LENGTH_KEY.len() + 19] ^= 1;
    // The trailer holds and says the right length: the file is whole, and its first stretch is damaged.
    let bundle = Bundle::open(&mut Cursor::new(&sample.bytes)).unwrap();
    assert_eq!(bundle.check_stretches(&mut Cursor::new(&sample.bytes), 0..1, |_| ()).unwrap(), [0]);
    assert!(matches!(blob_error(Digest::of(b""), io::ErrorKind::NotFound.into()), ReadError::Io(_)));
}
