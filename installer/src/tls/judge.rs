//! Judges an operator's certificate and key as a server and its browsers would. Pure.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use bundle_spec::digest::Digest;
use pem::Pem;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::der::oid::AssociatedOid as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::fault::{Fault, Which};
use super::key::{self, PublicSide};

/// With less than this left, somebody should think of the next one.
pub const SOON: Duration = Duration::from_secs(30 * DAY);
const DAY: u64 = 24 * 3600;

/// Everything that is wrong. `hosts` are what browsers will use; without a key only the certificate is judged.
pub fn judge(certificate: &[u8], key: Option<&[u8]>, hosts: &[String], now: SystemTime) -> Vec<Fault> {
    let (first, second) = (Contents::read(certificate), key.map(Contents::read));
    if let Some(second) = &second
        && first.has_only_keys()
        && second.has_only_certificates()
    {
        return vec![Fault::Exchanged];
    }
    let mut faults = Vec::new();
    let chain = first.chain().unwrap_or_else(|fault| {
        faults.push(fault);
        Vec::new()
    });
    let bits = second.and_then(|second| second.public_bits().map_err(|fault| faults.push(fault)).ok());
    let Some(leaf) = chain.first() else { return faults };
    if let Some(bits) = bits {
        let belongs = |certificate: &Certificate| {
            let info = certificate.tbs_certificate().subject_public_key_info();
            info.subject_public_key.raw_bytes() == bits
        };
        if !belongs(leaf) {
            // The rest would be said of a certificate that is not the server's.
            faults.push(if chain.iter().any(belongs) { Fault::LeafNotFirst } else { Fault::Mismatch });
            return faults;
        }
    }
    faults.extend(order(&chain));
    faults.extend(chain.iter().enumerate().filter_map(|(at, certificate)| dates(certificate, at + 1, now)));
    let names = alternative_names(leaf);
    let uncovered = hosts.iter().filter(|host| !names.iter().any(|name| covers(name, host)));
    faults.extend(uncovered.map(|host| Fault::OtherHost { host: host.clone(), names: names.clone() }));
    faults
}

/// The SHA-256 digest of the first certificate, as browsers and `openssl x509 -fingerprint` show it.
pub fn fingerprint(certificate: &[u8]) -> Option<String> {
    let contents = Contents::read(certificate);
    let hex = Digest::of(contents.certificates().next()?.contents()).hex().to_uppercase();
    let pairs: Vec<&str> = (0..hex.len()).step_by(2).filter_map(|at| hex.get(at..at + 2)).collect();
    Some(pairs.join(":"))
}

/// What a file has in it.
struct Contents {
    blocks: Vec<Pem>,
    /// There is something between BEGIN and END that is no PEM.
    is_malformed: bool,
    /// It begins as DER does.
    is_binary: bool,
    /// DER that begins as a PKCS#12 archive does.
    is_pfx: bool,
}

impl Contents {
    fn read(bytes: &[u8]) -> Self {
        // A sequence; in an archive the number of its version, 3, comes first.
        let is_binary = bytes.first() == Some(&0x30);
        let is_pfx =
            is_binary && bytes.iter().take(8).collect::<Vec<_>>().windows(3).any(|at| at == [&2, &1, &3]);
        let parsed = pem::parse_many(bytes);
        let is_malformed = parsed.is_err();
        Self { blocks: parsed.unwrap_or_default(), is_malformed, is_binary, is_pfx }
    }

    fn certificates(&self) -> impl Iterator<Item = &Pem> {
        self.blocks.iter().filter(|block| matches!(block.tag(), "CERTIFICATE" | "X509 CERTIFICATE"))
    }

    fn keys(&self) -> impl Iterator<Item = &Pem> {
        self.blocks.iter().filter(|block| block.tag().ends_with("PRIVATE KEY"))
    }

    fn has(&self, label: &str) -> bool {
        self.blocks.iter().any(|block| block.tag().ends_with(label))
    }

    fn has_only_keys(&self) -> bool {
        self.certificates().next().is_none() && self.keys().next().is_some()
    }

    fn has_only_certificates(&self) -> bool {
        self.keys().next().is_none() && self.certificates().next().is_some()
    }

    /// Why there is nothing of the kind.
    fn absence(&self, which: Which) -> Fault {
        if self.is_malformed && !self.is_binary {
            Fault::Malformed(which)
        } else if self.is_pfx {
            Fault::Pfx(which)
        } else if self.is_binary {
            Fault::Der(which)
        } else if which == Which::Certificate && self.has("PKCS7") {
            Fault::Pkcs7
        } else if which == Which::Certificate && self.has("CERTIFICATE REQUEST") {
            Fault::Request
        } else {
            Fault::Missing(which)
        }
    }

    fn chain(&self) -> Result<Vec<Certificate>, Fault> {
        if self.certificates().next().is_none() {
            return Err(self.absence(Which::Certificate));
        }
        let read = |block: &Pem| Certificate::from_der(block.contents()).ok();
        self.certificates().map(read).collect::<Option<_>>().ok_or(Fault::Malformed(Which::Certificate))
    }

    fn public_bits(&self) -> Result<Vec<u8>, Fault> {
        let Some(block) = self.keys().next() else { return Err(self.absence(Which::Key)) };
        let is_encrypted = block.headers().iter().any(|(_, value)| value.contains("ENCRYPTED"));
        match block.tag() {
            _ if is_encrypted => return Err(Fault::Encrypted),
            "ENCRYPTED PRIVATE KEY" => return Err(Fault::Encrypted),
            "OPENSSH PRIVATE KEY" => return Err(Fault::OpenSsh),
            _ => {}
        }
        match key::public_side(block.tag(), block.contents()) {
            Some(PublicSide::Bits(bits)) => Ok(bits),
            Some(PublicSide::Weak(bits)) => Err(Fault::Weak(bits)),
            Some(PublicSide::NotStated) => Err(Fault::NotStated),
            Some(PublicSide::Other(name)) => Err(Fault::OtherKind(name)),
            None => Err(Fault::Malformed(Which::Key)),
        }
    }
}

/// The first certificate that does not issue the one before it.
fn order(chain: &[Certificate]) -> Option<Fault> {
    let is_out_of_order = |pair: &[Certificate]| match pair {
        [below, above] => below.tbs_certificate().issuer() != above.tbs_certificate().subject(),
        _ => false,
    };
    let at = chain.windows(2).position(is_out_of_order)?;
    Some(Fault::ChainOrder { number: at + 2 })
}

fn dates(certificate: &Certificate, number: usize, now: SystemTime) -> Option<Fault> {
    let tbs = certificate.tbs_certificate();
    if number > 1 && tbs.issuer() == tbs.subject() {
        // Of a root nothing counts but what the browser itself knows.
        return None;
    }
    let (from, until) = (tbs.validity().not_before, tbs.validity().not_after);
    if now < from.to_system_time() {
        return Some(Fault::NotYet { number, from: from.to_date_time().to_string() });
    }
    match until.to_system_time().duration_since(now) {
        Err(_) => Some(Fault::Expired { number, since: until.to_date_time().to_string() }),
        Ok(left) if left < SOON => Some(Fault::EndsSoon { number, days: left.as_secs() / DAY }),
        Ok(_) => None,
    }
}

/// The names and addresses that a certificate was made for. The common name counts for no browser any more.
fn alternative_names(certificate: &Certificate) -> Vec<String> {
    let extensions = certificate.tbs_certificate().extensions();
    let alternative = extensions.into_iter().flatten().find_map(|extension| {
        let is_it = extension.extn_id == SubjectAltName::OID;
        is_it.then(|| SubjectAltName::from_der(extension.extn_value.as_bytes()).ok()).flatten()
    });
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(bytes.as_bytes()).map(IpAddr::from);
            let either = v4.or_else(|_| <[u8; 16]>::try_from(bytes.as_bytes()).map(IpAddr::from));
            either.ok().map(|address| address.to_string())
        }
        _ => None,
    };
    alternative.map(|names| names.0.iter().filter_map(text).collect()).unwrap_or_default()
}

/// Whether a name in a certificate is this host's: the same, or `*.` in place of its first label (RFC 6125, 6.4.3).
fn covers(name: &str, host: &str) -> bool {
    match (name.parse::<IpAddr>(), host.parse::<IpAddr>()) {
        (Ok(name), Ok(host)) => return name == host,
        (Err(_), Err(_)) => {}
        _ => return false,
    }
    let name = name.trim_end_matches('.');
    match (name.strip_prefix("*."), host.split_once('.')) {
        (Some(parent), Some((label, rest))) => !label.is_empty() && parent.eq_ignore_ascii_case(rest),
        _ => name.eq_ignore_ascii_case(host),
    }
}
