//! Private keys: which public key belongs to one. Arithmetic and ASN.1 are the libraries'.

use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};
use pkcs1::der::asn1::OctetStringRef;
use pkcs1::der::{Decode as _, Encode as _};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");

/// Fewer bits than this are refused by every browser and by today's OpenSSL.
const RSA_BITS_MIN: usize = 2048;

/// What is known of a private key's public side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicSide {
    /// The bits that a certificate has of it.
    Bits(Vec<u8>),
    /// An RSA key with so few bits.
    Weak(usize),
    /// The key does not state it, and of this kind it is not worked out here.
    NotStated,
    /// A kind that browsers do not take, by name.
    Other(String),
}

/// Reads a private key in any of the forms that servers take. Nothing when it is none.
pub fn public_side(label: &str, der: &[u8]) -> Option<PublicSide> {
    match label {
        "RSA PRIVATE KEY" => rsa(der),
        "EC PRIVATE KEY" => ec(der, None),
        "DSA PRIVATE KEY" => Some(PublicSide::Other("DSA".to_owned())),
        "PRIVATE KEY" => {
            let info = PrivateKeyInfoRef::try_from(der).ok()?;
            let inner = info.private_key.as_bytes();
            match info.algorithm.oid {
                RSA => rsa(inner),
                EC => ec(inner, info.algorithm.parameters_oid().ok()),
                ED25519 => ed25519(inner),
                other => Some(PublicSide::Other(name_of(other))),
            }
        }
        _ => None,
    }
}

fn rsa(der: &[u8]) -> Option<PublicSide> {
    let key = pkcs1::RsaPrivateKeyRef::try_from(der).ok()?;
    let bits = key.modulus.as_bytes().len() * 8;
    if bits < RSA_BITS_MIN {
        return Some(PublicSide::Weak(bits));
    }
    key.public_key().to_der().ok().map(PublicSide::Bits)
}

fn ec(der: &[u8], outer_curve: Option<ObjectIdentifier>) -> Option<PublicSide> {
    let key = sec1::EcPrivateKey::from_der(der).ok()?;
    let curve = key.parameters.and_then(|parameters| parameters.named_curve()).or(outer_curve);
    match curve {
        Some(P256) => {
            let secret = p256::SecretKey::from_slice(key.private_key).ok()?;
            let point = secret.public_key().to_sec1_point(false);
            Some(PublicSide::Bits(point.as_bytes().to_vec()))
        }
        Some(P384) => {
            Some(key.public_key.map_or(PublicSide::NotStated, |bits| PublicSide::Bits(bits.to_vec())))
        }
        Some(other) => Some(PublicSide::Other(name_of(other))),
        // The curve is written out as numbers, or in a block of its own that says nothing of the key.
        None => Some(PublicSide::Other("EC".to_owned())),
    }
}

fn ed25519(der: &[u8]) -> Option<PublicSide> {
    let seed = <&OctetStringRef>::from_der(der).ok()?;
    let seed = ed25519_compact::Seed::from_slice(seed.as_bytes()).ok()?;
    Some(PublicSide::Bits(ed25519_compact::KeyPair::from_seed(seed).pk.to_vec()))
}

/// What people call an algorithm or a curve.
fn name_of(oid: ObjectIdentifier) -> String {
    match oid.to_string().as_str() {
        "1.2.840.10040.4.1" => "DSA".to_owned(),
        "1.2.840.113549.1.1.10" => "RSA-PSS".to_owned(),
        "1.3.132.0.35" => "P-521".to_owned(),
        "1.3.132.0.10" => "secp256k1".to_owned(),
        "1.2.156.10197.1.301" => "SM2".to_owned(),
        "1.3.101.113" => "Ed448".to_owned(),
        "1.3.101.110" => "X25519".to_owned(),
        other => other.to_owned(),
    }
}
