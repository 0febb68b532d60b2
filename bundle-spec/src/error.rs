//! What can be wrong with a bundle. Display says what failed; it never repeats its source.

use std::io;

use crate::digest::Digest;
use crate::signature::SignatureError;
use crate::version::FormatVersion;

/// Why a file cannot be read as a bundle.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read at all.
    #[error("cannot read the file")]
    Io(#[source] io::Error),
    /// No launcher, no trailer.
    #[error("this file is not an Airlift bundle")]
    NotABundle,
    /// Begins like a bundle, ends too early or goes on too long.
    #[error("the file has {actual} bytes and should have {expected}")]
    WrongLength {
        /// Length of the file, in bytes.
        actual: u64,
        /// Length that it should have, in bytes.
        expected: u64,
    },
    /// The record at the end of the file does not hold.
    #[error("the trailer (the last {} bytes) is damaged", crate::layout::TRAILER_LEN)]
    TrailerDamaged,
    /// The index does not hold.
    #[error("the index (bytes {start} to {end}) is damaged")]
    IndexDamaged {
        /// First byte of the index.
        start: u64,
        /// One past its last byte.
        end: u64,
    },
    /// Written by a packer whose format this build does not know.
    #[error("the bundle has format {found}; this build reads {}", crate::version::CURRENT)]
    Version {
        /// Format version of the file.
        found: FormatVersion,
    },
    /// Well formed and intact, and yet not to be trusted.
    #[error("the index is not acceptable: {0}")]
    Unacceptable(String),
    /// The bundle has a signature, and it is not one of this file.
    #[error("the signature does not hold: {0}")]
    Signature(#[source] SignatureError),
    /// Stretches of the file differ from what the packer wrote.
    #[error("damaged: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Damaged(Vec<Damage>),
    /// A blob's bytes do not have the blob's digest.
    #[error("blob {0} is damaged")]
    BlobDamaged(Digest),
    /// The index names no such blob.
    #[error("the bundle has no blob {0}")]
    NoBlob(Digest),
}

/// One run of damaged stretches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// First byte of the damaged stretches.
    pub start: u64,
    /// One past their last byte.
    pub end: u64,
    /// What lies there, for people: "launcher", "layer 0a1b… of backend:1.0".
    pub parts: Vec<String>,
}

impl Damage {
    /// Where it begins and ends, in whole megabytes (powers of 1000): stretches are longer than what rounding takes away.
    #[must_use]
    pub fn megabytes(&self) -> (u64, u64) {
        const MB: u64 = 1_000_000;
        ((self.start + MB / 2) / MB, (self.end + MB / 2) / MB)
    }
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "bytes {} to {} ({})", self.start, self.end, self.parts.join(", "))
    }
}

/// Why a bundle cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The output cannot be written.
    #[error("cannot write the bundle")]
    Io(#[source] io::Error),
    /// The launcher lacks the length line, or is too long.
    #[error("the launcher is not usable: {0}")]
    Launcher(&'static str),
    /// The index would be refused by a reader.
    #[error("the index would be refused: {0}")]
    Unacceptable(String),
}

/// Why a bundle was not signed.
#[derive(Debug, thiserror::Error)]
pub enum AttachError {
    /// The file is no bundle, or the signature is not one of it.
    #[error("this file cannot be signed")]
    Bundle(#[source] ReadError),
    /// Written before signatures were known.
    #[error("the bundle has no room for a signature: it was packed by an older airlift")]
    NoRoom,
    /// The file cannot be read or written.
    #[error("the file cannot be read or written")]
    Io(#[source] io::Error),
}
