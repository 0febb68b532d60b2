//! Certificates of OpenSSL's making, in every form in which people have them, against the judge; ours against OpenSSL.

use std::process::Command;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;
use tempfile::TempDir;

use super::fault::{Fault, Which};
use super::judge::{fingerprint, judge};
use super::make::{LIFE, RANDOM_LEN, self_signed};
use super::{Pair, hosts_of};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A folder with certificates in it.
pub(crate) struct Workshop(TempDir);

impl Workshop {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    /// Runs OpenSSL in the folder. The command line has no word with a space.
    pub(crate) fn openssl(&self, line: &str) -> String {
        let output =
            Command::new("openssl").args(line.split(' ')).current_dir(self.0.path()).output().unwrap();
        assert!(output.status.success(), "openssl {line}\n{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    pub(crate) fn write(&self, name: &str, content: &[u8]) {
        std::fs::write(self.path(name), content).unwrap();
    }

    /// `NAME.key` of an algorithm, and a certificate of its own in `NAME.crt`.
    pub(crate) fn make(&self, name: &str, algorithm: &str, san: &str, days: u32) {
        self.openssl(&format!("genpkey -quiet -algorithm {algorithm} -out {name}.key"));
        self.openssl(&format!(
            "req -x509 -new -key {name}.key -out {name}.crt -days {days} -subj /CN={name} -addext subjectAltName={san}"
        ));
    }

    fn judge(&self, certificate: &str, key: &str, hosts: &[&str]) -> Vec<Fault> {
        judge(&self.read(certificate), Some(&self.read(key)), &names(hosts), SystemTime::now())
    }
}

pub(crate) const EC: &str = "EC -pkeyopt ec_paramgen_curve:P-256";
const P384: &str = "EC -pkeyopt ec_paramgen_curve:P-384";
const RSA: &str = "RSA -pkeyopt rsa_keygen_bits:2048";

fn names(hosts: &[&str]) -> Vec<String> {
    hosts.iter().map(|host| (*host).to_owned()).collect()
}

#[test]
fn every_kind_and_form_of_key_is_known_again() {
    let shop = Workshop::new();
    for (name, algorithm) in [("rsa", RSA), ("p256", EC), ("p384", P384), ("ed", "ED25519")] {
        shop.make(name, algorithm, "DNS:chat.example", 365);
        assert_eq!(
            shop.judge(&format!("{name}.crt"), &format!("{name}.key"), &["chat.example"]),
            [],
            "{name}"
        );
    }
    for (name, tool) in [("rsa", "rsa -traditional"), ("p256", "ec"), ("p384", "ec")] {
        shop.openssl(&format!("{tool} -in {name}.key -out {name}.old.key"));
        let text = String::from_utf8(shop.read(&format!("{name}.old.key"))).unwrap();
        assert!(text.contains("BEGIN RSA PRIVATE KEY") || text.contains("BEGIN EC PRIVATE KEY"), "{text}");
        assert_eq!(shop.judge(&format!("{name}.crt"), &format!("{name}.old.key"), &[]), [], "{name}");
        // Windows line ends, and a line of text before.
        shop.write("dos.key", format!("my key\r\n{}", text.replace('\n', "\r\n")).as_bytes());
        assert_eq!(shop.judge(&format!("{name}.crt"), "dos.key", &[]), [], "{name}");
        // As `openssl ecparam -genkey` writes it: the curve in a block of its own.
        shop.write(
            "params.key",
            format!("-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n{text}")
                .as_bytes(),
        );
        assert_eq!(shop.judge(&format!("{name}.crt"), "params.key", &[]), [], "{name}");
    }
    // Another key of the same kind is not this one.
    for (name, algorithm) in [("rsa", RSA), ("p256", EC), ("p384", P384), ("ed", "ED25519")] {
        shop.openssl(&format!("genpkey -quiet -algorithm {algorithm} -out other.key"));
        assert_eq!(shop.judge(&format!("{name}.crt"), "other.key", &[]), [Fault::Mismatch], "{name}");
    }
    assert_eq!(shop.judge("rsa.crt", "p256.key", &[]), [Fault::Mismatch]);
}

#[test]
fn what_is_no_key_of_use_is_named() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 365);
    shop.openssl("pkcs8 -topk8 -in a.key -out encrypted.key -passout pass:secret");
    shop.openssl("ec -in a.key -aes128 -out legacy.key -passout pass:secret");
    shop.openssl("pkey -in a.key -outform DER -out der.key");
    shop.openssl("x509 -in a.crt -outform DER -out der.crt");
    shop.openssl("pkcs12 -export -in a.crt -inkey a.key -out a.pfx -passout pass:x");
    shop.openssl("crl2pkcs7 -nocrl -certfile a.crt -out a.p7b");
    shop.openssl("req -new -key a.key -subj /CN=a -out a.csr");
    shop.openssl("genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-521 -out p521.key");
    shop.openssl("genpkey -quiet -algorithm ED448 -out ed448.key");
    shop.openssl("genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:1024 -out weak.key");
    shop.openssl("genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.key");
    shop.openssl("ec -in p384.key -no_public -out bare.key");
    shop.write("ssh.key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nYWJj\n-----END OPENSSH PRIVATE KEY-----\n");
    shop.write("empty", b"");
    shop.write("text", b"this is not it");
    let key = String::from_utf8(shop.read("a.key")).unwrap();
    shop.write("cut.key", &key.as_bytes()[..key.len() / 2]);
    shop.write("garbled.key", b"-----BEGIN PRIVATE KEY-----\nYWJj\n-----END PRIVATE KEY-----\n");
    let cases = [
        ("a.crt", "encrypted.key", Fault::Encrypted),
        ("a.crt", "legacy.key", Fault::Encrypted),
        ("a.crt", "der.key", Fault::Der(Which::Key)),
        ("a.crt", "a.pfx", Fault::Pfx(Which::Key)),
        ("a.crt", "ssh.key", Fault::OpenSsh),
        ("a.crt", "p521.key", Fault::OtherKind("P-521".to_owned())),
        ("a.crt", "ed448.key", Fault::OtherKind("Ed448".to_owned())),
        ("a.crt", "weak.key", Fault::Weak(1024)),
        ("a.crt", "bare.key", Fault::NotStated),
        ("a.crt", "empty", Fault::Missing(Which::Key)),
        ("a.crt", "text", Fault::Missing(Which::Key)),
        ("a.crt", "a.crt", Fault::Missing(Which::Key)),
        ("a.crt", "garbled.key", Fault::Malformed(Which::Key)),
        ("der.crt", "a.key", Fault::Der(Which::Certificate)),
        ("a.pfx", "a.key", Fault::Pfx(Which::Certificate)),
        ("a.p7b", "a.key", Fault::Pkcs7),
        ("a.csr", "a.key", Fault::Request),
        ("empty", "a.key", Fault::Missing(Which::Certificate)),
        ("a.key", "a.crt", Fault::Exchanged),
    ];
    for (certificate, key, fault) in cases {
        assert_eq!(shop.judge(certificate, key, &[]), [fault], "{certificate} {key}");
    }
    let cut = shop.judge("a.crt", "cut.key", &[]);
    assert!(matches!(cut[..], [Fault::Missing(Which::Key) | Fault::Malformed(Which::Key)]), "{cut:?}");
    // Both files at once.
    let both = shop.judge("empty", "encrypted.key", &[]);
    assert_eq!(both, [Fault::Missing(Which::Certificate), Fault::Encrypted]);
    // Certificate and key in one file, given twice.
    shop.write("both.pem", &[shop.read("a.key"), shop.read("a.crt")].concat());
    assert_eq!(shop.judge("both.pem", "both.pem", &["chat.example"]), []);
}

#[test]
fn dates_are_held_against_the_clock() {
    let shop = Workshop::new();
    shop.make("a", EC, "DNS:chat.example", 100);
    let (certificate, key) = (shop.read("a.crt"), shop.read("a.key"));
    let now = SystemTime::now();
    let at = |time| judge(&certificate, Some(&key), &[], time);
    assert_eq!(at(now), []);
    assert_eq!(at(now + 69 * DAY), []);
    assert!(matches!(at(now + 80 * DAY)[..], [Fault::EndsSoon { number: 1, days: 19 | 20 }]));
    assert!(at(now + 80 * DAY).iter().all(Fault::is_bearable));
    assert!(matches!(at(now + 101 * DAY)[..], [Fault::Expired { number: 1, .. }]));
    assert!(matches!(at(now - 2 * DAY)[..], [Fault::NotYet { number: 1, .. }]));
    assert!(!at(now + 101 * DAY).iter().any(Fault::is_bearable));
}

#[test]
fn the_host_must_be_among_the_names() {
    let shop = Workshop::new();
    let san = "DNS:chat.example,DNS:*.corp.example,IP:10.0.0.5,IP:fd00::5";
    shop.make("a", EC, san, 365);
    for host in ["chat.example", "Chat.Example", "a.corp.example", "10.0.0.5", "fd00::5", "fd00:0:0::5"] {
        assert_eq!(shop.judge("a.crt", "a.key", &[host]), [], "{host}");
    }
    let others =
        ["other.example", "corp.example", "a.b.corp.example", ".corp.example", "10.0.0.6", "fd00::6", "a"];
    for host in others {
        let faults = shop.judge("a.crt", "a.key", &[host]);
        let names = names(&["chat.example", "*.corp.example", "10.0.0.5", "fd00::5"]);
        assert_eq!(faults, [Fault::OtherHost { host: host.to_owned(), names }], "{host}");
    }
    // An address that is written where a name belongs, as many do, covers no address.
    shop.make("b", EC, "DNS:10.0.0.5", 365);
    assert!(matches!(shop.judge("b.crt", "b.key", &["chat.example"])[..], [Fault::OtherHost { .. }]));
    // The common name counts for nothing.
    shop.openssl("req -x509 -new -key a.key -out bare.crt -days 365 -subj /CN=chat.example");
    let faults = shop.judge("bare.crt", "a.key", &["chat.example"]);
    assert_eq!(faults, [Fault::OtherHost { host: "chat.example".to_owned(), names: vec![] }]);
}

#[test]
fn a_chain_in_the_wrong_order_is_noticed() {
    let shop = Workshop::new();
    shop.make("root", EC, "DNS:root", 3650);
    let issue = |name: &str, issuer: &str, days: u32| {
        shop.openssl(&format!("genpkey -quiet -algorithm {EC} -out {name}.key"));
        shop.openssl(&format!(
            "req -new -key {name}.key -subj /CN={name} -addext subjectAltName=DNS:{name} -out {name}.csr"
        ));
        shop.openssl(&format!(
            "x509 -req -in {name}.csr -CA {issuer}.crt -CAkey {issuer}.key -days {days} -copy_extensions copy -out {name}.crt"
        ));
    };
    issue("middle", "root", 1000);
    issue("leaf", "middle", 365);
    let chain = |parts: &[&str]| {
        let text = parts.iter().map(|name| shop.read(&format!("{name}.crt"))).collect::<Vec<_>>().concat();
        judge(&text, Some(&shop.read("leaf.key")), &names(&["leaf"]), SystemTime::now())
    };
    assert_eq!(chain(&["leaf", "middle"]), []);
    assert_eq!(chain(&["leaf", "middle", "root"]), []);
    assert_eq!(chain(&["leaf"]), []);
    assert_eq!(chain(&["leaf", "root", "middle"]), [Fault::ChainOrder { number: 2 }]);
    assert_eq!(chain(&["middle", "leaf"]), [Fault::LeafNotFirst]);
    assert_eq!(chain(&["root", "middle", "leaf"]), [Fault::LeafNotFirst]);
    // A certificate above that ends sooner ends the whole; a root does not.
    issue("short", "root", 10);
    issue("leaf", "short", 365);
    assert!(matches!(chain(&["leaf", "short"])[..], [Fault::EndsSoon { number: 2, .. }]));
}

fn made(hosts: &[&str]) -> Pair {
    let mut random = [7; RANDOM_LEN];
    random[32] = 0xff;
    self_signed(&names(hosts), SystemTime::now(), &random).unwrap()
}

#[test]
fn what_is_made_is_what_openssl_reads_and_the_judge_takes() {
    let shop = Workshop::new();
    let long = format!("{}.example", "a".repeat(60));
    let hosts = ["chat.example", "10.0.0.5", "fd00::5", &long];
    let pair = made(&hosts);
    shop.write("a.crt", &pair.certificate);
    shop.write("a.key", &pair.key);
    assert_eq!(shop.judge("a.crt", "a.key", &hosts), []);
    let text = shop.openssl("x509 -in a.crt -noout -text");
    for part in [
        "Version: 3",
        "ecdsa-with-SHA256",
        "NIST CURVE: P-256",
        "DNS:chat.example, IP Address:10.0.0.5, IP Address:FD00:0:0:0:0:0:0:5",
        "TLS Web Server Authentication",
        "CA:FALSE",
        "Digital Signature",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
    assert!(shop.openssl("pkey -in a.key -pubout") == shop.openssl("x509 -in a.crt -noout -pubkey"));
    // Trusted by hand, it holds for its host and for no other.
    let verify = |host: &str| {
        let arguments =
            ["verify", "-CAfile", "a.crt", "-purpose", "sslserver", "-verify_hostname", host, "a.crt"];
        let output = Command::new("openssl").args(arguments).current_dir(shop.0.path()).output();
        output.unwrap().status.success()
    };
    assert!(verify("chat.example"));
    assert!(!verify("other.example"));
    let shown = shop.openssl("x509 -in a.crt -noout -fingerprint -sha256");
    assert_eq!(shown.trim().rsplit('=').next().unwrap(), fingerprint(&pair.certificate).unwrap());
    // It lasts as long as it says, less the day that it begins before.
    let at = |time| judge(&pair.certificate, Some(&pair.key), &[], time);
    assert_eq!(at(SystemTime::now() + LIFE - 32 * DAY), []);
    assert!(matches!(at(SystemTime::now() + LIFE)[..], [Fault::Expired { .. }]));
}

#[test]
fn names_that_no_certificate_can_have_are_refused_and_not_panicked_at() {
    let random = [7; RANDOM_LEN];
    assert!(self_signed(&names(&["聊天.example"]), SystemTime::now(), &random).is_err());
    assert!(self_signed(&names(&["a"]), SystemTime::UNIX_EPOCH, &random).is_ok());
    assert!(self_signed(&names(&["a"]), SystemTime::now(), &[0; RANDOM_LEN]).is_err(), "zero is no key");
    assert!(self_signed(&names(&["a,b=c+d\\"]), SystemTime::now(), &random).is_ok());
}

#[test]
fn hosts_are_found_in_answers() {
    for (answer, hosts) in [
        ("chat.example", &["chat.example"][..]),
        ("https://Chat.example:8443/x?y", &["chat.example"]),
        ("10.0.0.5", &["10.0.0.5"]),
        ("http://10.0.0.5:80", &["10.0.0.5"]),
        ("fd00::5", &["fd00::5"]),
        ("https://[fd00:0::5]:443/", &["fd00::5"]),
        ("a.example, 10.0.0.5 a.example.", &["a.example", "10.0.0.5"]),
        ("", &[]),
        (" , ", &[]),
        ("http://", &[]),
    ] {
        assert_eq!(hosts_of(answer), hosts, "{answer}");
    }
}

#[test]
fn keys_are_not_shown() {
    assert_eq!(format!("{:?}", made(&["a"])), "Pair");
}

proptest! {
    /// What is damaged is refused, or harmless; nothing in it makes us fall.
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let _ = judge(&bytes, Some(&bytes), &names(&["a"]), SystemTime::UNIX_EPOCH);
        let _ = fingerprint(&bytes);
    }

    #[test]
    fn no_der_panics(bytes in proptest::collection::vec(any::<u8>(), 0..400), label in "(RSA |EC |)PRIVATE KEY|CERTIFICATE") {
        let text = pem::encode(&pem::Pem::new(label, bytes));
        let _ = judge(text.as_bytes(), Some(text.as_bytes()), &names(&["a"]), SystemTime::UNIX_EPOCH);
    }

    /// One byte of a good pair is another one.
    #[test]
    fn no_altered_pair_panics(at in 0.0..1.0_f64, byte in any::<u8>(), which in any::<bool>()) {
        let mut pair = made(&["chat.example", "10.0.0.5"]);
        let label = if which { "PRIVATE KEY" } else { "CERTIFICATE" };
        let file = if which { &mut pair.key } else { &mut pair.certificate };
        let mut der = pem::parse(&*file).unwrap().into_contents();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a position within")]
        let position = ((der.len() - 1) as f64 * at) as usize;
        der[position] = byte;
        *file = pem::encode(&pem::Pem::new(label, der)).into_bytes();
        let _ = judge(&pair.certificate, Some(&pair.key), &names(&["a"]), SystemTime::now());
    }
}
