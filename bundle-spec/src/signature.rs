//! Who made a bundle: what is signed, how a signature lies in the file, and whether it holds.
//!
//! Keys and signatures have minisign's forms, and are Ed25519 over BLAKE2b as there. The block lies in a skippable zstd frame
//! behind the index' own, inside what the index digest covers; readers that know nothing of it skip it.
//!
//! Not here: secret keys (the packer has them), and whether a key is to be trusted (the installer decides).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::digest::Digest;
use crate::limits::SIGNATURE_MAX;
use crate::text::is_hostile;

/// Magic of the skippable frame, little-endian in the file: `5a 2a 4d 18`.
pub const FRAME_MAGIC: u32 = 0x184d_2a5a;

/// Length of a skippable frame's head: its magic and the length of its content.
pub const FRAME_HEAD_LEN: usize = 8;

/// A public key in minisign's form: `Ed`, key number, Ed25519 key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 42]);

/// A text that is no public key.
#[derive(Debug, thiserror::Error)]
#[error(
    "this is not a minisign public key: a line of 56 characters that begins with RW, or the .pub file with it"
)]
pub struct InvalidKey;

impl PublicKey {
    /// Reads a key: its line in base64, or the text of a `.pub` file.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let line = match (lines.next(), lines.next(), lines.next()) {
            (Some(line), None, None) => line,
            (Some(comment), Some(line), None) if comment.starts_with("untrusted comment:") => line,
            _ => return Err(InvalidKey),
        };
        let bytes = BASE64.decode(line).map_err(|_| InvalidKey)?;
        let bytes: [u8; 42] = bytes.try_into().map_err(|_| InvalidKey)?;
        if bytes.starts_with(b"Ed") { Ok(Self(bytes)) } else { Err(InvalidKey) }
    }

    /// The key's line, as after `minisign -P`.
    #[must_use]
    pub fn base64(&self) -> String {
        BASE64.encode(self.0)
    }

    /// The text of its `.pub` file.
    #[must_use]
    pub fn file(&self) -> String {
        format!("untrusted comment: minisign public key {}\n{}\n", self.id(), self.base64())
    }

    /// The key's number as minisign prints it. It names the key and proves nothing: two keys may have the same.
    #[must_use]
    pub fn id(&self) -> String {
        self.0[2..10].iter().rev().map(|byte| format!("{byte:02X}")).collect()
    }

    /// The first 80 bits of the key's SHA-256 digest, to be compared by eye or on the telephone.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let hex = Digest::of(&self.0).hex();
        (0..20).step_by(4).map(|at| &hex[at..at + 4]).collect::<Vec<_>>().join("-")
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", self.base64())
    }
}

impl std::fmt::Display for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.id(), self.fingerprint())
    }
}

/// Whose signature a bundle has. It was checked; whether that key is to be trusted is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// The key.
    pub key: PublicKey,
    /// What the signer said of the file, signed as well.
    pub comment: String,
}

/// What is signed. Through the index, which has a digest of every stretch, it covers all that comes before the index.
#[must_use]
pub fn statement(major: u16, index: &Digest, index_offset: u64) -> String {
    format!("Airlift bundle, format {major}\nindex {index}\nindex offset {index_offset}\n")
}

/// Why a signature block does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The block is not a public key and a signature in minisign's form.
    #[error("the signature cannot be read")]
    Malformed,
    /// The signature is not that key's, or is one of something else.
    #[error("the signature does not belong to this file")]
    Wrong,
}

/// Checks a block: the text of a `.pub` file, followed by that of a `.minisig` file over `statement`.
///
/// # Errors
/// When the block is malformed, or the signature does not hold.
pub fn check(block: &[u8], statement: &str) -> Result<Signer, SignatureError> {
    let malformed = SignatureError::Malformed;
    let text = std::str::from_utf8(block).map_err(|_| malformed)?;
    if text.len() > SIGNATURE_MAX || text.chars().any(|c| c != '\n' && is_hostile(c)) {
        return Err(malformed);
    }
    let (first_end, _) = text.match_indices('\n').nth(1).ok_or(malformed)?;
    let (key, signature) = text.split_at(first_end + 1);
    let key = PublicKey::parse(key).map_err(|_| malformed)?;
    let signature = minisign_verify::Signature::decode(signature).map_err(|_| malformed)?;
    let checker = minisign_verify::PublicKey::from_base64(&key.base64()).map_err(|_| malformed)?;
    checker.verify(statement.as_bytes(), &signature, false).map_err(|_| SignatureError::Wrong)?;
    Ok(Signer { key, comment: signature.trusted_comment().to_owned() })
}

/// The block as a skippable frame.
#[must_use]
pub fn frame(block: &[u8]) -> Vec<u8> {
    let len = u32::try_from(block.len()).unwrap_or(u32::MAX);
    [&FRAME_MAGIC.to_le_bytes()[..], &len.to_le_bytes(), block].concat()
}

/// What is stored as the index, taken apart: the index' own frame, and the signature block, if there is one. Other
/// skippable frames are for readers that know them.
///
/// # Errors
/// When it is not one zstd frame and nothing but skippable frames behind it, or there are two signature blocks.
pub fn take_apart(stored: &[u8]) -> Result<(&[u8], Option<&[u8]>), SignatureError> {
    let len = zstd::zstd_safe::find_frame_compressed_size(stored).map_err(|_| SignatureError::Malformed)?;
    let (index, mut rest) = stored.split_at_checked(len).ok_or(SignatureError::Malformed)?;
    let mut block = None;
    while !rest.is_empty() {
        let (magic, after) = rest.split_first_chunk::<4>().ok_or(SignatureError::Malformed)?;
        let (len, after) = after.split_first_chunk::<4>().ok_or(SignatureError::Malformed)?;
        let magic = u32::from_le_bytes(*magic);
        let len = usize::try_from(u32::from_le_bytes(*len)).map_err(|_| SignatureError::Malformed)?;
        let (content, after) = after.split_at_checked(len).ok_or(SignatureError::Malformed)?;
        let is_skippable = magic & 0xffff_fff0 == 0x184d_2a50;
        if !is_skippable || (magic == FRAME_MAGIC && block.replace(content).is_some()) {
            return Err(SignatureError::Malformed);
        }
        rest = after;
    }
    Ok((index, block))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";

    #[test]
    fn keys_are_read_and_shown_as_minisign_does() {
        let file = format!("untrusted comment: minisign public key E7620F1842B4E81F\n{LINE}\n");
        for text in [LINE, &format!("{LINE}\n"), &file, &file.replace('\n', "\r\n")] {
            let key = PublicKey::parse(text).unwrap();
            assert_eq!(key.base64(), LINE);
            assert_eq!(key.id(), "E7620F1842B4E81F");
            assert_eq!(key.fingerprint().len(), 24);
        }
        for bad in
            ["", "x", &LINE[1..], &LINE.replace('R', "S"), "a\nb\n", &format!("{LINE}\n{LINE}\n{LINE}\n")]
        {
            assert!(PublicKey::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_skippable_frames_may_follow_the_index() {
        let index = zstd::bulk::compress(b"{}", 1).unwrap();
        let other = [&0x184d_2a51_u32.to_le_bytes()[..], &3_u32.to_le_bytes(), b"new"].concat();
        let ours = frame(b"block");
        let whole = |parts: &[&[u8]]| {
            let stored = parts.concat();
            take_apart(&stored).ok().map(|(first, block)| {
                assert_eq!(first, index);
                block.map(<[u8]>::to_vec)
            })
        };
        assert_eq!(whole(&[&index]), Some(None));
        assert_eq!(whole(&[&index, &ours]), Some(Some(b"block".to_vec())));
        assert_eq!(whole(&[&index, &other, &ours, &other]), Some(Some(b"block".to_vec())));
        let refused: [&[&[u8]]; 5] =
            [&[&index, &ours, &ours], &[&index, &index], &[&index, &ours[..10]], &[&index, b"x"], &[b""]];
        for parts in refused {
            assert_eq!(whole(parts), None, "{parts:?}");
        }
    }
}
