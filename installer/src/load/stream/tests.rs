//! Tests of when the pieces of a request come.

use std::io::Cursor;

use bundle_spec::index::Content;
use bundle_spec::layout::{LAUNCHER_FIRST_LINE, LAUNCHER_LENGTH_DIGITS, LAUNCHER_LENGTH_KEY};
use bundle_spec::project::ProjectFile;
use bundle_spec::reference::ImageReference;
use bundle_spec::writer::BundleWriter;

use super::super::board::{Board, Ending};
use super::*;

/// A bundle of one image with one layer of so many bytes.
fn bundle(len: usize) -> (Vec<u8>, Image) {
    let zeros = "0".repeat(LAUNCHER_LENGTH_DIGITS);
    let launcher = format!("{LAUNCHER_FIRST_LINE}{LAUNCHER_LENGTH_KEY}{zeros}\nexit 1\n");
    let mut writer = BundleWriter::new(Cursor::new(Vec::new()), launcher.as_bytes()).unwrap();
    writer.stub("x86_64", b"stub").unwrap();
    let layer = vec![7; len];
    let [compose, manifest, config, blob] =
        [&b"services: {}\n"[..], b"manifest", b"config", &layer].map(|bytes| writer.blob(bytes).unwrap());
    let image = Image {
        reference: ImageReference::parse("sample/web:1").unwrap(),
        platform: "linux/amd64".to_owned(),
        manifest,
        manifest_len: 8,
        config,
        layers: vec![Layer {
            diff_id: Digest::of(&layer),
            blob,
            stored_len: len as u64,
            tar_len: len as u64,
            unpacked_len: len as u64,
            entries: 1,
        }],
    };
    let mut content =
        Content { images: vec![image.clone()], engine: None, ..crate::preflight::tests::content() };
    let path = content.project.compose_file.clone();
    content.project.files =
        vec![ProjectFile { path, blob: compose, len: 13, mode: 0o644, template: false, owner: None }];
    let (output, _) = writer.finish(content).unwrap();
    (output.into_inner(), image)
}

#[test]
fn the_two_empty_blocks_at_the_end_come_when_what_was_before_is_done() {
    let (file, image) = bundle(3 << 20);
    let opened = Bundle::open(&mut Cursor::new(&file)).unwrap();
    let request = |after: &[usize]| Request {
        layers: vec![0],
        depth: 1,
        names: true,
        after: after.to_vec(),
        staged_bytes: 3 << 20,
        ..Request::default()
    };
    let requests = [request(&[]), request(&[0])];
    let board = Board::new(&requests, 16 << 20);
    let turn = |position| Turn { board: &board, position, count: &|_| {}, waits_for: &|_| {} };
    assert_eq!(board.take(), Some(0));
    turn(0).wait_for_others().unwrap();
    assert_eq!(board.take(), Some(1));
    let (body, mut pieces) = tokio::sync::mpsc::channel(64);
    let (told, waits) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let (opened, image, file, request, turn) = (&opened, &image, &file, &requests[1], turn(1));
        let writer = scope.spawn(move || {
            let tell = |_| told.send(()).unwrap();
            let turn = Turn { waits_for: &tell, ..turn };
            write(opened, || Ok(Cursor::new(file)), image, request, Form::DockerZstd, body, &turn)
        });
        waits.recv().unwrap();
        let mut sent = Vec::new();
        while let Ok(piece) = pieces.try_recv() {
            sent.extend_from_slice(&piece.unwrap());
        }
        // Whole blocks: the last one is the layer's.
        assert!(sent.len() > 3 << 20 && sent.len().is_multiple_of(512), "{} bytes", sent.len());
        assert_eq!(sent.last(), Some(&7));
        drop(Ending { board: &board, position: 0, outcome: Some(Ok(())) });
        writer.join().unwrap().unwrap();
        let mut end = Vec::new();
        while let Ok(piece) = pieces.try_recv() {
            end.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(end, [0; 1024]);
    });
}
