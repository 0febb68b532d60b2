//! `examples/demo.sh`: a port that cannot be used is told before anything is built. It is a copy that runs, beside nothing: one
//! that went on would fail at once, and say something else.

use std::net::TcpListener;
use std::process::Command;

use crate::sandbox::{Ran, ran};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/demo.sh");

/// Runs `demo.sh up` in a checkout without anything else. Says also where that was.
fn up(port: &str, lang: &str, before: impl FnOnce(&std::path::Path)) -> Ran {
    let checkout = tempfile::tempdir().unwrap();
    let script = checkout.path().join("examples/demo.sh");
    std::fs::create_dir_all(script.parent().unwrap()).unwrap();
    std::fs::copy(SCRIPT, &script).unwrap();
    before(checkout.path());
    ran(Command::new("bash")
        .arg(script)
        .arg("up")
        .env("DEMO_PORT", port)
        .env("LC_ALL", lang)
        .output()
        .unwrap())
}

#[test]
fn what_is_no_port_is_told_in_both_languages() {
    for port in ["http", "0", "65536", "99999", "-1", "080", "80 81", "1e3"] {
        let said = format!("DEMO_PORT is \"{port}\", which is no port: give a number from 1 to 65535");
        let ran = up(port, "C", |_| {}).fails(2, &[&said]);
        assert_eq!(ran.out, "", "nothing was begun");
    }
    let _ = up("x", "zh_CN.UTF-8", |_| {}).fails(2, &["DEMO_PORT 的值“x”不是端口号"]);
    let _ = up("18000", "C", |_| {}).fails(2, &["DEMO_PORT is 18000, which the demo itself uses"]);
}

#[test]
fn a_port_that_somebody_listens_on_is_told_unless_it_is_the_demo_of_before() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        // A machine without IPv6 has nothing to find there.
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let port = listener.local_addr().unwrap().port().to_string();
        let said = format!("port {port} is in use: give the page another one, for instance DEMO_PORT=9090");
        let _ = up(&port, "C", |_| {}).fails(2, &[&said]);
        let again = |env: &str| {
            up(&port, "C", |checkout| {
                let app = checkout.join("target/demo/llm-chat");
                std::fs::create_dir_all(&app).unwrap();
                std::fs::write(app.join(".env"), env).unwrap();
            })
        };
        let ours = again(&format!("HTTP_PORT=\"{port}\"\n"));
        assert!(ours.code != 2 && ours.out.contains("1/6"), "{ours:?}");
        let _ = again(&format!("HTTP_PORT=\"1{port}\"\n")).fails(2, &[&said]);
    }
}
