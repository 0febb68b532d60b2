//! The fixed record at the end of a bundle, to and from its bytes. Pure: no reading, no seeking.

use crate::digest::Digest;
use crate::layout::TRAILER_MAGIC;
use crate::version::FormatVersion;

/// The last [`Trailer::ENCODED_LEN`] bytes of a bundle; all integers little-endian. A file without one is not a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trailer {
    /// Format version of the file.
    pub version: FormatVersion,
    /// Where the index starts, in bytes from the start of the file.
    pub index_offset: u64,
    /// Length of the index as stored (zstd), in bytes.
    pub index_stored_len: u64,
    /// Length of the index decompressed, in bytes.
    pub index_raw_len: u64,
    /// Length of the whole file including this trailer, in bytes.
    pub total_len: u64,
    /// SHA-256 of the index as stored.
    pub index_digest: Digest,
}

/// Why bytes are no trailer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrailerError {
    /// The magic is not there.
    NoMagic,
    /// The magic is there, but the record's own checksum does not hold.
    Damaged,
}

impl Trailer {
    /// Length of the record in bytes: magic 16, version 4, reserved 4, four lengths 32, index digest 32, reserved 40, checksum 32.
    pub const ENCODED_LEN: usize = 16 + 4 + 4 + 32 + 32 + 40 + 32;
    const CHECKED_LEN: usize = Self::ENCODED_LEN - 32;

    /// The record's bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::ENCODED_LEN] {
        let mut bytes = [0; Self::ENCODED_LEN];
        bytes[..16].copy_from_slice(&TRAILER_MAGIC);
        bytes[16..18].copy_from_slice(&self.version.major.to_le_bytes());
        bytes[18..20].copy_from_slice(&self.version.minor.to_le_bytes());
        let lengths = [self.index_offset, self.index_stored_len, self.index_raw_len, self.total_len];
        for (slot, value) in bytes[24..56].chunks_exact_mut(8).zip(lengths) {
            slot.copy_from_slice(&value.to_le_bytes());
        }
        bytes[56..88].copy_from_slice(self.index_digest.as_bytes());
        let checksum = Digest::of(&bytes[..Self::CHECKED_LEN]);
        bytes[Self::CHECKED_LEN..].copy_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads the record.
    ///
    /// # Errors
    /// [`TrailerError::NoMagic`] when this is no trailer, [`TrailerError::Damaged`] when its checksum does not hold.
    pub fn decode(bytes: &[u8; Self::ENCODED_LEN]) -> Result<Self, TrailerError> {
        let intact = Digest::of(&bytes[..Self::CHECKED_LEN]).as_bytes() == &bytes[Self::CHECKED_LEN..];
        match (bytes[..16] == TRAILER_MAGIC, intact) {
            (true, true) => {}
            // A flipped bit in the magic still leaves most of it recognisable.
            (false, _) if matching(&bytes[..16], &TRAILER_MAGIC) < 12 => return Err(TrailerError::NoMagic),
            _ => return Err(TrailerError::Damaged),
        }
        let u16_at = |at: usize| u16::from_le_bytes([bytes[at], bytes[at + 1]]);
        let u64_at = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let mut index_digest = [0; 32];
        index_digest.copy_from_slice(&bytes[56..88]);
        Ok(Self {
            version: FormatVersion { major: u16_at(16), minor: u16_at(18) },
            index_offset: u64_at(24),
            index_stored_len: u64_at(32),
            index_raw_len: u64_at(40),
            total_len: u64_at(48),
            index_digest: Digest::from_bytes(index_digest),
        })
    }
}

fn matching(bytes: &[u8], expected: &[u8]) -> usize {
    bytes.iter().zip(expected).filter(|(a, b)| a == b).count()
}
