//! Signatures: one that holds names its key; whatever else is changed, it holds no longer; and readers that know nothing of
//! signatures see the same bundle.

use std::io::Cursor;

use bundle_spec::codec;
use bundle_spec::digest::Digest;
use bundle_spec::error::{AttachError, ReadError};
use bundle_spec::layout::TRAILER_LEN;
use bundle_spec::limits::SIGNATURE_MAX;
use bundle_spec::reader::Bundle;
use bundle_spec::signature::{PublicKey, SignatureError, frame, statement};
use bundle_spec::trailer::Trailer;
use bundle_spec::writer::attach_signature;
use minisign::KeyPair;

use crate::hostile::sample;
use crate::sample::{Dice, Sample};

/// A block as the packer makes it.
pub fn block(keys: &KeyPair, statement: &str) -> String {
    let signature = minisign::sign(None, &keys.sk, statement.as_bytes(), Some("sample 1.0.0"), None).unwrap();
    format!("{}{}", keys.pk.to_box().unwrap(), signature.into_string())
}

fn keys() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

/// The sample, signed.
fn signed(keys: &KeyPair) -> (Sample, Vec<u8>) {
    let sample = sample();
    let mut file = Cursor::new(sample.bytes.clone());
    let statement = sample.open().statement();
    attach_signature(&mut file, &block(keys, &statement)).unwrap();
    (sample, file.into_inner())
}

fn open(bytes: &[u8]) -> Result<Bundle, ReadError> {
    Bundle::open(&mut Cursor::new(bytes))
}

/// What is stored as the index of a bundle, and its trailer.
fn tail(bytes: &[u8]) -> (Vec<u8>, Trailer) {
    let trailer = Trailer::decode(bytes[bytes.len() - TRAILER_LEN..].try_into().unwrap()).unwrap();
    let start = usize::try_from(trailer.index_offset).unwrap();
    (bytes[start..start + usize::try_from(trailer.index_stored_len).unwrap()].to_vec(), trailer)
}

#[test]
fn a_signed_bundle_names_its_key() {
    let keys = keys();
    let (sample, bytes) = signed(&keys);
    let bundle = open(&bytes).unwrap();
    let signer = bundle.signer.clone().unwrap();
    assert_eq!(signer.key, PublicKey::parse(&keys.pk.to_box().unwrap().to_string()).unwrap());
    assert_eq!(signer.comment, "sample 1.0.0");
    assert_eq!(bundle.index, sample.open().index);
    assert_eq!(sample.open().signer, None);
    // Signing moves nothing: only the room behind the index and the trailer differ.
    let index = sample.index_offset();
    assert_eq!(bytes.len(), sample.bytes.len());
    assert_eq!(bytes[..index], sample.bytes[..index]);
    let (unsigned, _) = tail(&sample.bytes);
    assert!(bytes[index..].starts_with(&unsigned), "the index itself stays as it is");
}

#[test]
fn a_reader_of_version_1_0_sees_the_same_index() {
    let (sample, bytes) = signed(&keys());
    let (stored, trailer) = tail(&bytes);
    // All that it did with what is stored: the digest over it, then zstd, which skips what is skippable.
    assert_eq!(Digest::of(&stored), trailer.index_digest);
    let raw = codec::decompress_document(&stored, usize::try_from(trailer.index_raw_len).unwrap()).unwrap();
    assert_eq!(serde_json::from_slice::<bundle_spec::index::Index>(&raw).unwrap(), sample.index);
}

#[test]
fn signing_again_replaces_the_signature() {
    let (first, second) = (keys(), keys());
    let (_, bytes) = signed(&first);
    let statement = open(&bytes).unwrap().statement();
    let mut file = Cursor::new(bytes.clone());
    let bundle = attach_signature(&mut file, &block(&second, &statement)).unwrap();
    assert_eq!(bundle.signer.unwrap().key.base64(), second.pk.to_base64());
    assert_eq!(file.into_inner().len(), bytes.len());
}

/// The bundle with something else stored as its index, and a trailer to match: what a forger can write.
fn restored(bytes: &[u8], stored: &[u8], edit: impl FnOnce(&mut Trailer)) -> Vec<u8> {
    let (_, old) = tail(bytes);
    let mut forged = bytes[..usize::try_from(old.index_offset).unwrap()].to_vec();
    forged.extend_from_slice(stored);
    let mut trailer = Trailer {
        index_stored_len: stored.len() as u64,
        index_digest: Digest::of(stored),
        total_len: (forged.len() + TRAILER_LEN) as u64,
        ..old
    };
    edit(&mut trailer);
    forged.extend_from_slice(&trailer.encode());
    forged
}

#[test]
fn a_signature_of_something_else_is_refused() {
    let keys = keys();
    let (sample, bytes) = signed(&keys);
    let (stored, trailer) = tail(&bytes);
    let (unsigned, _) = tail(&sample.bytes);
    let signature = &stored[unsigned.len()..];
    let wrong = |bytes: &[u8]| matches!(open(bytes), Err(ReadError::Signature(SignatureError::Wrong)));

    // Another index under the same signature: one character of a title, and every digest right.
    let mut index = serde_json::to_value(&sample.index).unwrap();
    index["content"]["app"]["title"]["en"] = "Sbmple".into();
    let raw = serde_json::to_vec(&index).unwrap();
    let other = zstd::bulk::compress(&raw, 1).unwrap();
    let raw_len = raw.len() as u64;
    let forged = restored(&bytes, &[&other, signature].concat(), |trailer| trailer.index_raw_len = raw_len);
    assert!(wrong(&forged));
    // The same without the signature is a bundle of nobody.
    let stripped = restored(&bytes, &other, |trailer| trailer.index_raw_len = raw_len);
    assert_eq!(open(&stripped).unwrap().signer, None);

    // A signature of another statement: other format, other index, other place, other key under the same comment.
    let bundle = open(&bytes).unwrap();
    let document = Digest::of(
        &codec::decompress_document(&unsigned, usize::try_from(trailer.index_raw_len).unwrap()).unwrap(),
    );
    assert_eq!(bundle.statement(), statement(1, &document, trailer.index_offset));
    for other in [
        statement(2, &document, trailer.index_offset),
        statement(1, &Digest::of(b""), trailer.index_offset),
        statement(1, &document, trailer.index_offset + 1),
        String::new(),
    ] {
        let block = block(&keys, &other);
        assert!(wrong(&restored(&bytes, &[&unsigned[..], &frame(block.as_bytes())].concat(), |_| ())));
        let attached = attach_signature(&mut Cursor::new(sample.bytes.clone()), &block);
        assert!(matches!(attached, Err(AttachError::Bundle(ReadError::Signature(SignatureError::Wrong)))));
    }
    let stranger = self::keys();
    let theirs = block(&stranger, &bundle.statement());
    let (_, signature) = theirs.split_at(stranger.pk.to_box().unwrap().to_string().len());
    let mixed = format!("{}{signature}", keys.pk.to_box().unwrap());
    assert!(wrong(&restored(&bytes, &[&unsigned[..], &frame(mixed.as_bytes())].concat(), |_| ())));
}

#[test]
fn every_flipped_bit_of_a_signature_is_found() {
    let (sample, bytes) = signed(&keys());
    let (stored, _) = tail(&bytes);
    let unsigned = tail(&sample.bytes).0.len();
    let mut dice = Dice::new(5);
    let mut refused = 0;
    for _ in 0..400 {
        let mut bent = stored.clone();
        let at = dice.within(unsigned..stored.len());
        bent[at] ^= 1 << dice.within(0..8);
        // With digest and checksum right again, as no accident makes it.
        match open(&restored(&bytes, &bent, |_| ())) {
            Err(ReadError::Signature(_) | ReadError::IndexDamaged { .. }) => refused += 1,
            // The frame's number, or the two comments that minisign calls untrusted.
            Ok(bundle) => assert_eq!(bundle.index, sample.open().index),
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    assert!(refused > 200, "only {refused} of 400");
}

#[test]
fn blocks_that_are_no_signature_are_refused() {
    let keys = keys();
    let sample = sample();
    let good = block(&keys, &sample.open().statement());
    let (unsigned, _) = tail(&sample.bytes);
    let long = good.replace("sample 1.0.0", &"x".repeat(SIGNATURE_MAX));
    let hostile = good.replace("sample 1.0.0", "\u{1b}[2J");
    let legacy = good.replace("\nRU", "\nRW");
    let lines: Vec<&str> = good.lines().collect();
    let short = lines[..5].join("\n");
    for bad in ["", "\n\n\n\n\n\n", "x", &long, &hostile, &legacy, &short, &good.replace('\n', " ")] {
        let forged = restored(&sample.bytes, &[&unsigned[..], &frame(bad.as_bytes())].concat(), |_| ());
        assert!(matches!(open(&forged), Err(ReadError::Signature(_))), "{bad:?}");
    }
    let binary = restored(&sample.bytes, &[&unsigned[..], &frame(&[0xff; 500])].concat(), |_| ());
    assert!(matches!(open(&binary), Err(ReadError::Signature(SignatureError::Malformed))));
}
