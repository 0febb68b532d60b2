//! Certificates of an operator's own, as OpenSSL makes them.

use std::path::Path;
use std::process::Command;

use crate::run::Run;

/// Makes a key and a certificate for a host that is its own issuer: `<name>.key` and `<name>.crt` in the folder.
///
/// # Panics
/// When OpenSSL is not there or fails.
pub fn make(folder: &Path, name: &str, host: &str) {
    let mut command = Command::new("openssl");
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "365", "-subj", "/CN=x"]);
    command.arg("-addext").arg(format!("subjectAltName=DNS:{host}"));
    command.arg("-keyout").arg(folder.join(format!("{name}.key")));
    let _ = Run::of(command.arg("-out").arg(folder.join(format!("{name}.crt")))).done();
}
