//! Bundles by somebody who means harm: intact by every digest, and made to take all memory or all time. Each is refused by a
//! process that may have no more than 64 MB of memory of its own.

use std::fmt::Write as _;
use std::io::Cursor;
use std::time::{Duration, Instant};

use bundle_spec::digest::Digest;
use bundle_spec::layout::TRAILER_LEN;
use bundle_spec::reader::Bundle;
use bundle_spec::trailer::Trailer;

use crate::pack::packable;
use crate::sandbox::Sandbox;

/// Memory in kilobytes.
const MEMORY: u32 = 64 << 10;

/// A packed bundle to be forged, with its index as JSON.
struct Original {
    sandbox: Sandbox,
    bytes: Vec<u8>,
    bundle: Bundle,
    index: String,
}

impl Original {
    fn new() -> Self {
        let sandbox = packable();
        let _ = sandbox.airlift(&["pack", "-q", "-o", "x.run"]).ok();
        let bytes = sandbox.read("x.run");
        let bundle = Bundle::open(&mut Cursor::new(&bytes)).unwrap();
        let index = serde_json::to_string(&*bundle.index).unwrap();
        Self { sandbox, bytes, bundle, index }
    }

    /// The bundle with this stored as its index, and every digest and length right.
    fn forge(&self, stored: &[u8], raw_len: u64) {
        let old = &self.bundle.trailer;
        let mut forged = self.bytes[..usize::try_from(old.index_offset).unwrap()].to_vec();
        forged.extend_from_slice(stored);
        let trailer = Trailer {
            index_stored_len: stored.len() as u64,
            index_raw_len: raw_len,
            total_len: (forged.len() + TRAILER_LEN) as u64,
            index_digest: Digest::of(stored),
            ..old.clone()
        };
        forged.extend_from_slice(&trailer.encode());
        self.sandbox.write("bad.run", forged);
    }

    /// Forges, and sees it refused in little memory.
    #[track_caller]
    fn refused(&self, what: &str, index: &str) {
        self.forge(&zstd::bulk::compress(index.as_bytes(), 1).unwrap(), index.len() as u64);
        self.inspect(what);
    }

    #[track_caller]
    fn inspect(&self, what: &str) {
        let started = Instant::now();
        let ran = self.sandbox.airlift_in_memory(MEMORY, &["inspect", "bad.run"]);
        assert_eq!(ran.code, 5, "{what}: {}", ran.err);
        assert!(ran.err.len() < 4_000, "{what}: {} bytes of message", ran.err.len());
        assert!(started.elapsed() < Duration::from_secs(30), "{what}: {:?}", started.elapsed());
    }

    /// The index with a list of so many of these at a place that holds an empty one.
    fn with_many(&self, key: &str, item: &str, count: usize) -> String {
        let empty = format!("\"{key}\":[]");
        assert!(self.index.contains(&empty), "{key}: {}", self.index);
        let mut list = String::with_capacity((item.len() + 1) * count);
        for _ in 0..count {
            let _ = write!(list, "{item},");
        }
        list.pop();
        self.index.replacen(&empty, &format!("\"{key}\":[{list}]"), 1)
    }
}

#[test]
fn what_would_take_all_memory_is_refused_in_little() {
    let original = Original::new();
    // The limit is one that an honest bundle never notices.
    let _ = original.sandbox.airlift_in_memory(MEMORY, &["inspect", "x.run"]).ok();
    original.refused("10^6 short texts", &original.with_many("profiles", "\"\"", 1_000_000));
    original.refused("13 million short texts", &original.with_many("profiles", "\"\"", 13_000_000));
    let text = format!("\"{}\"", "x".repeat(60));
    original.refused("600 000 texts", &original.with_many("profiles", &text, 600_000));
    original.refused("10^6 numbers", &original.with_many("links", "1", 1_000_000));
    original.refused(
        "10^6 lists in unknown fields",
        &format!("{},\"more\":[{}[]]}}", original.index.strip_suffix('}').unwrap(), "[],".repeat(1_000_000)),
    );
    original.refused("deep lists", &format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20)));
    let wide = "x".repeat(30 << 20);
    original.refused("one long text", &original.index.replacen("\"demo\"", &format!("\"{wide}\""), 1));
    let zeros = zstd::bulk::compress(&vec![b' '; 8 << 20], 1).unwrap().repeat(500);
    for claim in [4_000 << 20, 40 << 20, 1_000] {
        original.forge(&zeros, claim);
        original.inspect("a compression bomb");
    }
    let big = zstd::bulk::compress(&vec![b' '; 40 << 20], 1).unwrap();
    original.forge(&big, 40 << 20);
    original.inspect("nothing but spaces");
}

#[test]
fn what_would_take_all_time_is_refused_soon() {
    let original = Original::new();
    let question = |number: usize| {
        format!(
            r#"{{"id":"q{number}","kind":"text","prompt":{{"zh":"q","en":"q"}},"required":false,"secret":false,"pattern":"(a{{60}}){{60}}","choices":[]}}"#
        )
    };
    let questions: Vec<_> = (0..20_000).map(question).collect();
    let many =
        original.index.replacen("\"questions\":[]", &format!("\"questions\":[{}]", questions.join(",")), 1);
    original.refused("20 000 questions, each with a pattern", &many);
    let few: Vec<_> = (0..1_000).map(|n| question(n).replace("{60}", "{30}")).collect();
    let few = original.index.replacen("\"questions\":[]", &format!("\"questions\":[{}]", few.join(",")), 1);
    original.forge(&zstd::bulk::compress(few.as_bytes(), 1).unwrap(), few.len() as u64);
    let started = Instant::now();
    let _ = original.sandbox.airlift_in_memory(MEMORY, &["inspect", "bad.run"]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
}
