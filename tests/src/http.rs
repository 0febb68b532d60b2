//! The least of HTTP: one GET, over a Unix socket or to this machine.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

/// Asks for `path` over a Unix socket and gives status and body.
///
/// # Errors
/// When the socket does not answer, or not in HTTP.
pub fn get(socket: &Path, path: &str) -> io::Result<(u16, String)> {
    let stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    ask(stream, path)
}

/// Asks for `path` at a port of this machine, whatever proxies the environment names.
///
/// # Errors
/// When the port does not answer, or not in HTTP.
pub fn get_local(port: u16, path: &str) -> io::Result<(u16, String)> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    ask(stream, path)
}

const PATIENCE: Duration = Duration::from_secs(30);

/// HTTP/1.0, so that the answer is not chunked and ends with the connection.
fn ask(mut stream: impl Read + Write, path: &str) -> io::Result<(u16, String)> {
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    let no_http = || io::Error::other(format!("not HTTP: {answer:.100}"));
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(no_http)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(no_http)?;
    Ok((status, body.to_owned()))
}

/// Asks for `path` and gives the JSON of a good answer.
///
/// # Panics
/// When the answer is not good.
#[must_use]
pub fn json(socket: &Path, path: &str) -> Value {
    let (status, body) = get(socket, path).unwrap_or_else(|error| panic!("GET {path}: {error}"));
    assert_eq!(status, 200, "GET {path}: {body}");
    serde_json::from_str(&body).unwrap_or_else(|error| panic!("GET {path}: {error}: {body}"))
}
