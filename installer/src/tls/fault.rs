//! What can be wrong with a certificate and its key, and what the operator reads of it.

use std::path::PathBuf;
use std::time::SystemTime;

use crate::text::{Message, tls as text};

/// Bytes of a file beyond which it is neither a certificate nor a key.
pub const LEN_MAX: u64 = 1024 * 1024;

/// Which of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The certificate.
    Certificate,
    /// The private key.
    Key,
}

/// What is wrong with certificate and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// There is no such file.
    NotFound(Which),
    /// It is a directory, a pipe or a device.
    NotAFile(Which),
    /// It is longer than [`LEN_MAX`].
    TooLarge(Which),
    /// The file cannot be read, and why.
    Unreadable(Which, String),
    /// A PKCS#12 archive (PFX) instead of PEM.
    Pfx(Which),
    /// Binary DER instead of PEM.
    Der(Which),
    /// A PKCS#7 bundle (P7B) instead of certificates.
    Pkcs7,
    /// A request for a certificate, not what came back for it.
    Request,
    /// Nothing of the kind is in the file.
    Missing(Which),
    /// The two files were exchanged.
    Exchanged,
    /// It cannot be understood although it says that it is one.
    Malformed(Which),
    /// The key has a passphrase, which a server could not be asked for.
    Encrypted,
    /// The key is in the form that `ssh-keygen` writes.
    OpenSsh,
    /// The key is of a kind that browsers do not take.
    OtherKind(String),
    /// The key does not state which public key belongs to it.
    NotStated,
    /// The RSA key has so few bits.
    Weak(usize),
    /// Key and certificate do not belong together.
    Mismatch,
    /// The server's own certificate is not the first in the file.
    LeafNotFirst,
    /// A certificate of the chain does not issue the one before it.
    ChainOrder {
        /// Which one, from 2.
        number: usize,
    },
    /// Not valid any more.
    Expired {
        /// Which one of the chain, from 1.
        number: usize,
        /// Since when.
        since: String,
    },
    /// Not valid yet.
    NotYet {
        /// Which one of the chain, from 1.
        number: usize,
        /// From when.
        from: String,
    },
    /// Soon not valid any more.
    EndsSoon {
        /// Which one of the chain, from 1.
        number: usize,
        /// Days that are left.
        days: u64,
    },
    /// Not made for the host that browsers will use.
    OtherHost {
        /// That host.
        host: String,
        /// For what it was made.
        names: Vec<String>,
    },
    /// No certificate can be made for what the host was answered to be.
    NotCertifiable(String),
}

/// Where the operator's files are, and when they were judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key.
    pub key: PathBuf,
    /// This machine's clock.
    pub now: SystemTime,
}

impl Fault {
    /// Whether browsers reach the application with it all the same.
    pub fn is_bearable(&self) -> bool {
        matches!(self, Self::EndsSoon { .. } | Self::ChainOrder { .. })
    }

    /// Whether the key has part in it; without one it is not known.
    pub fn concerns_key(&self) -> bool {
        match self {
            Self::NotFound(which)
            | Self::NotAFile(which)
            | Self::TooLarge(which)
            | Self::Unreadable(which, _)
            | Self::Pfx(which)
            | Self::Der(which)
            | Self::Missing(which)
            | Self::Malformed(which) => *which == Which::Key,
            Self::Exchanged
            | Self::Encrypted
            | Self::OpenSsh
            | Self::OtherKind(_)
            | Self::NotStated
            | Self::Weak(_)
            | Self::Mismatch
            | Self::LeafNotFirst => true,
            Self::Pkcs7
            | Self::Request
            | Self::ChainOrder { .. }
            | Self::Expired { .. }
            | Self::NotYet { .. }
            | Self::EndsSoon { .. }
            | Self::OtherHost { .. }
            | Self::NotCertifiable(_) => false,
        }
    }

    /// The fault for people, with what to do.
    pub fn message(&self, place: &Place) -> Message {
        let (certificate, key) = (place.certificate.display(), place.key.display());
        let path = |which: &Which| match which {
            Which::Certificate => place.certificate.display(),
            Which::Key => place.key.display(),
        };
        let now = || humantime::format_rfc3339_seconds(place.now).to_string();
        match self {
            Self::NotFound(which) => text::not_found(&path(which)),
            Self::NotAFile(which) => text::not_a_file(&path(which)),
            Self::TooLarge(which) => text::too_large(&path(which), LEN_MAX / 1024),
            Self::Unreadable(which, why) => text::unreadable(&path(which), why),
            Self::Pfx(which) => text::pfx(&path(which)),
            Self::Der(Which::Certificate) => text::der_certificate(&certificate),
            Self::Der(Which::Key) => text::der_key(&key),
            Self::Pkcs7 => text::pkcs7(&certificate),
            Self::Request => text::request(&certificate),
            Self::Missing(Which::Certificate) => text::no_certificate(&certificate),
            Self::Missing(Which::Key) => text::no_key(&key),
            Self::Exchanged => text::exchanged(),
            Self::Malformed(which) => text::malformed(&path(which)),
            Self::Encrypted => text::encrypted(&key),
            Self::OpenSsh => text::open_ssh(&key),
            Self::OtherKind(kind) => text::other_kind(&key, kind),
            Self::NotStated => text::not_stated(&key),
            Self::Weak(bits) => text::weak(&key, *bits),
            Self::Mismatch => text::mismatch(&certificate, &key),
            Self::LeafNotFirst => text::leaf_not_first(&certificate),
            Self::ChainOrder { number } => text::chain_order(&certificate, *number),
            Self::Expired { number, since } => text::expired(&certificate, *number, since, &now()),
            Self::NotYet { number, from } => text::not_yet(&certificate, *number, from, &now()),
            Self::EndsSoon { number, days } => text::ends_soon(&certificate, *number, *days),
            Self::OtherHost { host, names } if names.is_empty() => text::no_names(&certificate, host),
            Self::OtherHost { host, names } => text::other_host(&certificate, host, &text::listed(names)),
            Self::NotCertifiable(host) => text::not_certifiable(host),
        }
    }
}
