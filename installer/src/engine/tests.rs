//! Engines that answer badly.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use super::*;

/// Answers each request on a socket by its path, as long as the test runs.
fn serve(socket: &Path, answer: fn(&str) -> (u16, &'static str)) {
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let len = stream.read(&mut head).unwrap();
            let head = String::from_utf8_lossy(&head[..len]).into_owned();
            let (status, body) = answer(head.split(' ').nth(1).unwrap());
            let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close");
            write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
}

/// One image that the engine could not describe made the engine look empty: everything that was there before us was then
/// recorded as ours, and uninstall removed it.
#[test]
fn an_image_that_the_engine_cannot_describe_hides_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    serve(&socket, |path| match path {
        path if path.contains("/images/json") => (
            200,
            r#"[{"Id":"sha256:bad","ParentId":"","RepoTags":["bad:1"],"RepoDigests":[],"Created":0,"Size":0,"SharedSize":0,"Labels":{},"Containers":0},
                {"Id":"sha256:good","ParentId":"","RepoTags":["good:1"],"RepoDigests":[],"Created":0,"Size":0,"SharedSize":0,"Labels":{},"Containers":0}]"#,
        ),
        path if path.contains("sha256:bad") || path.contains("sha256%3Abad") => {
            (500, r#"{"message":"content digest not found"}"#)
        }
        _ => (200, r#"{"Id":"sha256:good","RepoTags":["good:1"]}"#),
    });
    let images = Engine::connect(&socket).unwrap().images().unwrap();
    let tags: Vec<_> = images.iter().flat_map(|image| &image.tags).map(ToString::to_string).collect();
    assert_eq!(tags, ["bad:1", "good:1"]);
}

#[test]
fn an_engine_that_cannot_list_its_images_is_not_one_without_images() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    serve(&socket, |_| (500, r#"{"message":"broken"}"#));
    assert!(Engine::connect(&socket).unwrap().images().is_err());
}
