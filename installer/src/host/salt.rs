//! Digests that the receipt may hold of things with secrets in them: mixed with random bytes that stay on the host, so that
//! who reads the receipt cannot find a short password by trying.

use std::io;
use std::path::Path;

use bundle_spec::digest::Digest;

use super::file::{self, Access};
use crate::outcome::{Failure, Outcome};
use crate::text::problem as text;

/// Number of random bytes.
const LEN: usize = 32;

/// The random bytes of one installation.
#[derive(Clone)]
pub struct Salt(Vec<u8>);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt")
    }
}

impl Salt {
    /// Reads it; nothing where it is not there, or not readable.
    pub fn read(path: &Path) -> Option<Self> {
        super::file::read(path).ok().flatten().filter(|bytes| bytes.len() == LEN).map(Self)
    }

    /// Reads it, or makes it.
    ///
    /// # Errors
    /// When the kernel gives no random numbers, or the file cannot be written.
    pub fn obtain(path: &Path) -> Outcome<Self> {
        if let Some(salt) = Self::read(path) {
            return Ok(salt);
        }
        let mut bytes = vec![0; LEN];
        getrandom::fill(&mut bytes).map_err(|error| {
            Failure::midway(text::no_random_numbers()).because(&io::Error::other(error.to_string()))
        })?;
        file::write(path, Access::PRIVATE, &bytes)?;
        Ok(Self(bytes))
    }

    /// The digest of several things, told apart by their lengths.
    pub fn digest<'a>(&self, parts: impl IntoIterator<Item = &'a [u8]>) -> String {
        let mut all = self.0.clone();
        for part in parts {
            all.extend_from_slice(&(part.len() as u64).to_le_bytes());
            all.extend_from_slice(part);
        }
        Digest::of(&all).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_the_salt_and_on_where_parts_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("salt");
        assert!(Salt::read(&path).is_none());
        let salt = Salt::obtain(&path).unwrap();
        let parts = |parts: &[&'static str]| salt.digest(parts.iter().map(|part| part.as_bytes()));
        assert_eq!(parts(&["ab", "c"]), Salt::obtain(&path).unwrap().digest([&b"ab"[..], b"c"]));
        assert_ne!(parts(&["ab", "c"]), parts(&["a", "bc"]));
        std::fs::remove_file(&path).unwrap();
        assert_ne!(parts(&["ab"]), Salt::obtain(&path).unwrap().digest([&b"ab"[..]]));
    }
}
