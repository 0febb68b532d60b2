//! Tests of sending, with something in the engine's place that does what no real one can be brought to do.

use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};

use super::*;

/// Answers one connection on a socket.
fn pretend(answer: impl FnOnce(UnixStream) + Send + 'static) -> (tempfile::TempDir, Engine) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("sock");
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || answer(listener.accept().unwrap().0));
    let engine = Engine::connect(&socket).unwrap();
    (folder, engine)
}

/// A body of many pieces, each of which waits until there is room for it.
fn body(pieces: usize) -> Receiver<io::Result<Bytes>> {
    let (sender, body) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in 0..pieces {
            if sender.blocking_send(Ok(Bytes::from(vec![7; 1 << 20]))).is_err() {
                return;
            }
        }
    });
    body
}

#[test]
fn an_engine_that_takes_nothing_any_more_is_recognised() {
    let (_folder, engine) = pretend(|mut stream| {
        let mut head = [0; 4096];
        let _ = stream.read(&mut head);
        // Holds the connection without reading on, for longer than the test is willing to wait.
        std::thread::sleep(Duration::from_secs(30));
    });
    let outcome = engine.load_within(body(64), Duration::from_millis(300));
    assert!(matches!(outcome, Err(EngineError::Stalled { .. })), "{outcome:?}");
}

#[test]
fn a_slow_stick_and_a_slow_engine_are_no_stall() {
    let (_folder, engine) = pretend(|mut stream| {
        let mut buffer = vec![0; 1 << 16];
        let mut seen = Vec::new();
        // Reads slowly, but reads.
        while !seen.ends_with(b"0\r\n\r\n") {
            let len = stream.read(&mut buffer).unwrap();
            assert!(len > 0, "broken off");
            seen.extend_from_slice(&buffer[..len]);
            std::thread::sleep(Duration::from_millis(5));
        }
        // And then thinks for longer than the limit: unpacking takes its time.
        std::thread::sleep(Duration::from_millis(900));
        let line = "{\"stream\":\"Loaded image: x:1\\n\"}";
        let reply = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{line}",
            line.len()
        );
        stream.write_all(reply.as_bytes()).unwrap();
    });
    let (sender, body) = tokio::sync::mpsc::channel(1);
    std::thread::spawn(move || {
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(500));
            sender.blocking_send(Ok(Bytes::from(vec![7; 1 << 16]))).unwrap();
        }
    });
    engine.load_within(body, Duration::from_millis(300)).unwrap();
}
