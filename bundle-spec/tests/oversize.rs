//! Hostile bundles that are too much: of entries, of bytes, of anything that is added up.

use std::io::Cursor;
use std::time::{Duration, Instant};

use bundle_spec::digest::Digest;
use bundle_spec::error::ReadError;
use bundle_spec::reader::Bundle;
use serde_json::{Value, json};

use crate::hostile::{assert_refused, open_edited, put, question, sample, text};

#[test]
fn sizes_whose_sum_overflows() {
    assert_refused([
        ("/content/images/0/layers/0/tar_len", json!(u64::MAX)),
        ("/content/images/0/layers/0/unpacked_len", json!(u64::MAX)),
        ("/content/images/0/layers/0/entries", json!(u64::MAX)),
        ("/content/images/0/manifest_len", json!(u64::MAX)),
        ("/content/project/files/0/len", json!(u64::MAX)),
        // A bomb: it would be decompressed in memory.
        ("/content/project/files/0/len", json!(1_u64 << 30)),
        ("/content/requirements/disk", json!(u64::MAX)),
        ("/content/requirements/memory", json!(u64::MAX)),
    ]);
}

/// Opens the sample with a list of a million times `item`, made as text: as values it would take most of the time.
fn open_with_a_million(pointer: &str, item: &Value) -> Result<Bundle, ReadError> {
    let sample = sample();
    let mut index = serde_json::to_value(&sample.index).unwrap();
    put(&mut index, pointer, json!("here"));
    let list = format!("[{}]", vec![item.to_string(); 1_000_000].join(","));
    let index = index.to_string().replacen("\"here\"", &list, 1);
    Bundle::open(&mut Cursor::new(sample.forge(index.as_bytes(), |_| ())))
}

#[test]
fn a_million_entries_are_refused_soon() {
    let started = Instant::now();
    for (pointer, item) in [
        ("/place/blobs", json!({"digest": Digest::of(b""), "offset": 9000, "len": 0})),
        ("/place/stretches", json!("0")),
        ("/content/features", json!("f")),
        ("/content/project/profiles", json!("p")),
        ("/content/project/services", json!("s")),
        ("/content/requirements/ports", json!("80")),
        ("/content/questions/0/choices", json!("c")),
        ("/content/links", json!({"title": text("t"), "url": "u"})),
    ] {
        let opened = open_with_a_million(pointer, &item);
        assert!(
            matches!(opened, Err(ReadError::Unacceptable(_) | ReadError::IndexDamaged { .. })),
            "{pointer}"
        );
    }
    // Below the limit of one list, with work for every entry.
    let crowded = open_edited(|index| {
        let questions = (0..1_000).map(|n| question(&format!("q{n}"))).collect();
        put(index, "/content/questions", Value::Array(questions));
        put(index, "/content/requirements/ports", Value::Array(vec![json!("{q999}"); 20_000]));
    });
    assert!(crowded.is_ok());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn an_index_that_is_larger_than_it_says() {
    let sample = sample();
    // 1 GiB of spaces in 100 KB: declared as what it is, declared smaller, declared as the limit.
    let spaces = vec![b' '; 64 << 20];
    let frame = zstd::bulk::compress(&spaces, 1).unwrap();
    let bomb = frame.repeat(16);
    for raw_len in [1 << 30, u64::MAX, 1_000, 64 << 20] {
        let opened = Bundle::open(&mut Cursor::new(sample.forge_stored(&bomb, raw_len, |_| ())));
        let refused = matches!(opened, Err(ReadError::Unacceptable(_) | ReadError::IndexDamaged { .. }));
        assert!(refused, "declared {raw_len}");
    }
    let index = serde_json::to_vec(&sample.index).unwrap();
    for lie in [0, 1, index.len() as u64 - 1, index.len() as u64 + 1] {
        let opened =
            Bundle::open(&mut Cursor::new(sample.forge(&index, |trailer| trailer.index_raw_len = lie)));
        assert!(opened.is_err(), "an index of {} bytes that says {lie}", index.len());
    }
}
