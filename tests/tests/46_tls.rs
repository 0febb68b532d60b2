//! HTTPS with a real server (OpenSSL's): a certificate made on the spot, the operator's own, and none again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use tests::bundle::{self, Bundle, Vendor};
use tests::certificate;
use tests::engine::Store;
use tests::images::{self, Layer};
use tests::parts::Suite;
use tests::run::Run;
use tests::site::Site;
use tests::wait;

const SERVE: &str = "@if tls != off
cd /www && openssl s_server -quiet -accept @{https_port} -cert /tls/server.crt -key /tls/server.key -WWW </dev/null &
@end
exec httpd -f -p \"${HTTP_PORT:-8080}\" -h /www
";

const TLS: &str = r#"
[tls]
certificate = "tls/server.crt"
key = "tls/server.key"
host = "server_host"

[[question]]
id = "server_host"
kind = "host"
prompt = { zh = "主机", en = "Host" }
default = "127.0.0.1"

[[question]]
id = "https_port"
kind = "port"
prompt = { zh = "HTTPS 端口", en = "HTTPS port" }
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
value = "https://{server_host}:{https_port}"
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
value = "http://{server_host}:{http_port}"
"#;

/// This machine's OpenSSL with what it needs to run.
fn openssl() -> Vec<u8> {
    let listed = run("ldd", &["/usr/bin/openssl"]).done().stdout;
    let libraries = listed.split_whitespace().filter(|word| word.starts_with('/'));
    let mut layer = Layer::default();
    layer.folder("lib").folder("lib/x86_64-linux-gnu").folder("lib64");
    for path in ["/usr/bin/openssl"].into_iter().chain(libraries) {
        let inside = if path == "/usr/bin/openssl" { "bin/openssl" } else { &path[1..] };
        layer.file(inside, 0o755, &fs::read(path).unwrap());
    }
    layer.finish()
}

fn vendor() -> Vendor {
    let mut set = images::set(100_000);
    set[0].layers.push(openssl());
    let vendor = Vendor::of(set).with_engine();
    vendor.write("conf/app.conf", SERVE);
    vendor.edit("airlift.toml", "exclude = [\"conf/*.bak\"]", "exclude = [\"conf/*.bak\"]\ntemplate = true");
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap() + TLS;
    vendor.write("airlift.toml", definition);
    vendor.edit(
        "docker-compose.yml",
        "    image: hello/web:1.0\n",
        "    image: hello/web:1.0\n    command: [sh, /etc/app.conf]\n",
    );
    vendor.edit(
        "docker-compose.yml",
        "      - ./data:/state\n",
        "      - ./data:/state\n      - ./tls:/tls:ro\n",
    );
    vendor
}

fn run(program: &str, args: &[&str]) -> Run {
    Run::of(Command::new(program).args(args))
}

/// An engine with the application on it, which serves HTTPS at a port.
struct Https {
    site: Site,
    bundle: Bundle,
    port: u16,
    /// The bundle lies in its folder.
    _vendor: Vendor,
}

impl Https {
    fn new() -> Self {
        let site = Site::new(Suite::Forky, Store::Containerd);
        let vendor = vendor();
        let https = Self { site, bundle: vendor.pack(), port: bundle::free_port(), _vendor: vendor };
        for name in ["mine", "other"] {
            certificate::make(&https.site.path(""), name, "chat.example");
        }
        https
    }

    /// A file of the operator's.
    fn file(&self, name: &str) -> String {
        self.site.path(name).display().to_string()
    }

    fn placed(&self, name: &str) -> PathBuf {
        self.site.dir().join("tls").join(name)
    }

    fn state(&self, name: &str) -> String {
        fs::read_to_string(self.site.dir().join(name)).unwrap()
    }

    /// Installs with these answers beside the usual ones, and beside those of earlier runs.
    fn install(&self, answers: &[(&str, &str)]) -> Run {
        let answers: Vec<String> = answers.iter().map(|(id, value)| format!("{id}={value}")).collect();
        let mut args = vec!["install", "--answers", "answers.toml", "--yes"];
        args.extend(answers.iter().flat_map(|answer| ["--set", answer.as_str()]));
        self.site.run(&self.bundle, &args)
    }

    fn install_own(&self, certificate: &str, key: &str, host: &str) -> Run {
        let (certificate, key) = (self.file(certificate), self.file(key));
        let files = [("tls_certificate", certificate.as_str()), ("tls_key", key.as_str())];
        let port = self.port.to_string();
        let rest = [("tls", "own"), ("server_host", host), ("https_port", port.as_str())];
        self.install(&[&files[..], &rest[..]].concat())
    }

    fn install_self_signed(&self) -> Run {
        self.install(&[("tls", "self-signed"), ("https_port", &self.port.to_string())])
    }

    /// Waits for the page as a client gets it that trusts this certificate and nothing else.
    fn serves(&self, host: &str, trusted: &str) {
        let port = self.port;
        let (url, resolve) =
            (format!("https://{host}:{port}/index.html"), format!("{host}:{port}:127.0.0.1"));
        let got = || {
            let got = run("curl", &["-sS", "--cacert", trusted, "--resolve", &resolve, &url]);
            (got.code == Some(0) && got.stdout.contains("hello")).then_some(())
        };
        wait::until("the page over HTTPS", Duration::from_secs(20), got, String::new);
    }

    /// The fingerprint of what is served.
    fn fingerprint(&self) -> String {
        let script = format!(
            "openssl s_client -connect 127.0.0.1:{} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256",
            self.port
        );
        run("sh", &["-c", &script]).done().stdout.trim().rsplit('=').next().unwrap().to_owned()
    }
}

#[test]
fn https_is_served_kept_changed_and_taken_away() {
    let https = Https::new();
    wrong_files_are_refused_before_anything_is_touched(&https);
    one_is_made_and_kept(&https);
    the_operators_own_is_served(&https);
    none_is_left(&https);
}

fn wrong_files_are_refused_before_anything_is_touched(https: &Https) {
    let wrong_key = https.install_own("mine.crt", "other.key", "chat.example");
    let _ = wrong_key.expect(3).saying("does not belong to the certificate");
    let wrong_host = https.install_own("mine.crt", "mine.key", "10.0.0.5");
    let _ = wrong_host.expect(3).saying("is not for 10.0.0.5").saying("chat.example");
    assert!(!https.site.dir().exists());
}

fn one_is_made_and_kept(https: &Https) {
    let (certificate, key) = (https.placed("server.crt"), https.placed("server.key"));
    let trusted = certificate.to_str().unwrap();
    let first = https.install_self_signed().done().never_saying("PRIVATE");
    https.serves("127.0.0.1", trusted);
    let fingerprint = https.fingerprint();
    let _ = first.saying("Self-signed certificate for 127.0.0.1").saying(&fingerprint);
    assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    let page = format!("PAGE_URL=\"https://127.0.0.1:{}\"", https.port);
    assert!(https.state(".env").contains(&page), "{}", https.state(".env"));
    let receipt = https.state(".airlift/receipt.json");
    assert!(receipt.contains("tls/server.key") && receipt.contains(&fingerprint), "{receipt}");
    assert!(!receipt.contains("PRIVATE"), "{receipt}");

    // Kept; made anew where half of it is gone, and for another host.
    let kept = fs::read(&certificate).unwrap();
    let _ = https.install(&[]).done().saying(&fingerprint);
    assert_eq!(fs::read(&certificate).unwrap(), kept);
    fs::remove_file(&key).unwrap();
    let _ = https.install(&[]).done();
    assert_ne!(fs::read(&certificate).unwrap(), kept);
    https.serves("127.0.0.1", trusted);
    let _ = https.install(&[("server_host", "chat.example")]).done();
    https.serves("chat.example", trusted);
}

fn the_operators_own_is_served(https: &Https) {
    let _ = https.install_own("mine.crt", "mine.key", "chat.example").done().never_saying("Self-signed");
    https.serves("chat.example", &https.file("mine.crt"));
    assert_eq!(fs::read(https.placed("server.key")).unwrap(), fs::read(https.file("mine.key")).unwrap());
    // The stick is taken out; the copies stay.
    for name in ["mine.crt", "mine.key"] {
        fs::remove_file(https.file(name)).unwrap();
    }
    let _ = https.install(&[("greeting", "another one")]).done();
    assert!(https.placed("server.crt").exists() && https.placed("server.key").exists());
}

fn none_is_left(https: &Https) {
    let _ = https.install(&[("tls", "off")]).done();
    assert!(!https.placed("server.crt").exists() && !https.placed("server.key").exists());
    assert!(TcpStream::connect(("127.0.0.1", https.port)).is_err());
    assert!(https.site.page().contains("hello"));
    assert!(https.state(".env").contains("PAGE_URL=\"http://chat.example"), "{}", https.state(".env"));

    // What was made goes with the application.
    let _ = https.install_self_signed().done();
    assert!(https.placed("server.key").exists());
    let _ = https.site.run(&https.bundle, &["uninstall", "--yes"]).done();
    assert!(!https.placed("").exists());
}
