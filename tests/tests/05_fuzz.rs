//! What the fuzzer has found worth keeping goes through the same functions in every test run, with any compiler: the seeds in
//! `fuzz/corpus`, and under `fuzz/regressions` whatever once broke something, named after what it broke.
//! `make fuzz` searches for more.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
mod fuzz;

/// Runs one target over everything that is kept for it, and says how much that was.
fn replay(folder: &str, (name, target): fuzz::Target) -> usize {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder).join(name);
    let Ok(entries) = fs::read_dir(&kept) else { return 0 };
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap().path();
        let kept = fs::read(&path).unwrap();
        let taken = std::panic::catch_unwind(|| target(&kept));
        assert!(taken.is_ok(), "{} breaks {name}", path.display());
        count += 1;
    }
    count
}

#[test]
fn every_reader_takes_the_corpus() {
    for target in fuzz::TARGETS {
        assert!(replay("corpus", target) > 0, "no seeds for {}", target.0);
    }
}

#[test]
fn nothing_that_once_broke_breaks_again() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/regressions");
    let known: Vec<_> = fuzz::TARGETS.iter().map(|(name, _)| *name).collect();
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(name == "README.md" || known.contains(&name.as_str()), "{name} is no target");
    }
    for target in fuzz::TARGETS {
        replay("regressions", target);
    }
}

#[test]
fn every_seed_cut_and_bent_is_taken() {
    // A short search without the fuzzer: each seed cut off, and with bytes changed, the same on every run.
    let mut state = 7_u64;
    let mut dice = move |sides: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % sides
    };
    for (name, target) in fuzz::TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
        let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            let seed = fs::read(&path).unwrap();
            for _ in 0..40 {
                let mut bent = seed.clone();
                bent.truncate(1 + dice(seed.len()));
                for _ in 0..dice(4) {
                    let at = dice(bent.len());
                    bent[at] = u8::try_from(dice(256)).unwrap();
                }
                target(&bent);
            }
        }
    }
}
