//! Tests of copying layers: nothing is lost, everything is counted, threads change no byte, failures name their side.

use bundle_spec::codec;
use proptest::prelude::*;

use super::*;

fn tar_of(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &content[..]).unwrap();
    }
    builder.into_inner().unwrap()
}

fn copied(tar: &[u8], stored: &[u8], effort: Effort) -> (Passed, Vec<u8>) {
    let mut sink = Vec::new();
    let passed = copy(stored, tar.len() as u64, &mut sink, effort, &|_| {}).unwrap();
    (passed, sink)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn layers_survive_whatever_is_in_them(
        files in proptest::collection::vec(("[a-z]{1,8}/[a-z]{1,140}", proptest::collection::vec(any::<u8>(), 0..3000)), 1..12),
    ) {
        let tar = tar_of(&files);
        let (passed, stored) = copied(&tar, &tar, Effort { level: 3, threads: 2 });
        prop_assert_eq!(codec::decompress_document(&stored, tar.len()).unwrap(), tar.clone());
        prop_assert_eq!(passed.diff_id, Digest::of(&tar));
        prop_assert_eq!(passed.entries, files.len() as u64);
        prop_assert_eq!(passed.unpacked_len, files.iter().map(|(_, content)| content.len() as u64).sum::<u64>());
        // Compressed before or not: the result is the same.
        let zstd = zstd::encode_all(&tar[..], 1).unwrap();
        prop_assert_eq!(tar_len(&zstd[..], zstd.len() as u64).unwrap(), tar.len() as u64);
        prop_assert_eq!(copied(&tar, &zstd, Effort { level: 3, threads: 2 }).1, stored);
    }
}

#[test]
fn a_layer_is_frames_that_each_fit_into_their_window() {
    let content: Vec<u8> = (0_u32..100_000).flat_map(|n| (n / 7).to_le_bytes()).collect();
    let effort = Effort { level: 3, threads: 2 };
    for (len, frames) in [(0, 1), (1, 1), (1 << 16, 1), ((1 << 16) + 1, 2), (3 << 16, 3), (400_000, 7)] {
        let mut writer = frames::Frames::new(effort, Vec::new(), len as u64, 16).unwrap();
        // In pieces that end nowhere near the end of a frame.
        for piece in content[..len].chunks(7777) {
            writer.write_all(piece).unwrap();
        }
        let stored = writer.finish().unwrap();
        assert_eq!(codec::decompress_document(&stored, len).unwrap(), content[..len]);
        let (mut rest, mut count) = (&stored[..], 0);
        while !rest.is_empty() {
            assert!(codec::has_checksum(rest), "{len}: frame {count}");
            let mut plain = Vec::new();
            let mut decoder = zstd::Decoder::with_buffer(rest).unwrap().single_frame();
            // No frame asks for more than its own length.
            decoder.window_log_max(16).unwrap();
            decoder.read_to_end(&mut plain).unwrap();
            assert!(plain.len() <= 1 << 16);
            rest = decoder.finish();
            count += 1;
        }
        assert_eq!(count, frames, "{len} bytes");
    }
}

#[test]
fn a_length_that_was_not_announced_is_refused() {
    let effort = Effort { level: 3, threads: 1 };
    for (announced, comes) in [(100_000, 99_999), (100_000, 60_000), (100_000, 100_001), (0, 1)] {
        let mut writer = frames::Frames::new(effort, Vec::new(), announced, 16).unwrap();
        let written = writer.write_all(&vec![7; comes]);
        assert!(written.and_then(|()| writer.finish()).is_err(), "{comes} of {announced}");
    }
}

#[test]
fn the_number_of_threads_changes_no_byte() {
    let noise: Vec<u8> = (0_u32..24 << 20)
        .map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()[(n % 3) as usize] >> (n % 5))
        .collect();
    let tar = tar_of(&[("a".to_owned(), noise)]);
    for level in [1, 9] {
        let one = copied(&tar, &tar, Effort { level, threads: 1 }).1;
        assert!(one == copied(&tar, &tar, Effort { level, threads: 5 }).1, "level {level}");
    }
}

#[test]
fn few_threads_are_used_where_each_needs_much_memory() {
    assert_eq!(Effort::new(9, 64).threads, 12);
    assert_eq!(Effort::new(19, 64).threads, 3);
    assert_eq!(Effort::new(22, 64).threads, 1);
    assert_eq!(Effort::new(9, 0).threads, 1);
}

#[test]
fn a_failure_names_its_side() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let effort = Effort { level: 1, threads: 1 };
    let tar = tar_of(&[("a".to_owned(), vec![7; 100_000])]);
    assert!(matches!(copy(&tar[..], tar.len() as u64, Full, effort, &|_| {}), Err(CopyError::Sink(_))));
    let broken = &tar[..5000];
    assert!(matches!(copy(broken, 5000, Vec::new(), effort, &|_| {}), Err(CopyError::Source(_))));
    let mut rotten = zstd::encode_all(&tar[..], 1).unwrap();
    let middle = rotten.len() / 2;
    rotten.truncate(middle);
    assert!(tar_len(&rotten[..], 0).is_err());
}
