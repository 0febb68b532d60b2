//! Makes a certificate on the spot, signed by its own key: ECDSA with P-256. Pure: time and random bytes are handed in.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePrivateKey as _;
use pem::{EncodeConfig, LineEnding, Pem};
use x509_cert::TbsCertificate;
use x509_cert::builder::profile::BuilderProfile;
use x509_cert::builder::{Builder as _, CertificateBuilder};
use x509_cert::der::Encode as _;
use x509_cert::der::asn1::Ia5String;
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::ObjectIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName};
use x509_cert::ext::{Extension, ToExtension as _};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{SubjectPublicKeyInfoOwned, SubjectPublicKeyInfoRef};
use x509_cert::time::{Time, Validity};

use super::Pair;

/// The longest that Apple's systems accept of a certificate that a person has trusted by hand: 825 days.
pub const LIFE: Duration = Duration::from_secs(825 * 24 * 3600);
/// Clocks differ; a browser's may be behind this machine's.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);
/// id-kp-serverAuth.
const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
/// A common name has at most 64 characters, and no browser compares it with anything.
const COMMON_NAME_MAX: usize = 64;
/// Bytes of the key and of the serial number.
pub const RANDOM_LEN: usize = 32 + 16;

/// Makes a key and a certificate for host names and addresses, valid from the day before `now` on.
///
/// # Errors
/// In words, when the library refuses: a name that is not ASCII, or a time beyond what certificates can say.
pub fn self_signed(hosts: &[String], now: SystemTime, random: &[u8; RANDOM_LEN]) -> Result<Pair, String> {
    let wrong = |error: &dyn std::fmt::Display| error.to_string();
    let (secret, serial) = random.split_at(32);
    // One number in 2^32 is no key; then the next run makes another one.
    let secret = p256::SecretKey::from_slice(secret).map_err(|error| wrong(&error))?;
    let signer = SigningKey::from(&secret);
    let public =
        SubjectPublicKeyInfoOwned::from_key(signer.verifying_key()).map_err(|error| wrong(&error))?;
    let before = now.checked_sub(BACKDATED).filter(|time| *time >= SystemTime::UNIX_EPOCH);
    let from = before.unwrap_or(now);
    let time = |time: SystemTime| Time::try_from(time).map_err(|error| wrong(&error));
    let validity = Validity::new(time(from)?, time(from + LIFE)?);
    let serial = SerialNumber::new(serial).map_err(|error| wrong(&error))?;
    let builder = CertificateBuilder::new(Profile { hosts: hosts.to_vec() }, serial, validity, public)
        .map_err(|error| wrong(&error))?;
    let certificate = builder.build::<_, DerSignature>(&signer).map_err(|error| wrong(&error))?;
    let certificate = certificate.to_der().map_err(|error| wrong(&error))?;
    let key = secret.to_pkcs8_der().map_err(|error| wrong(&error))?;
    let write = |label: &str, der: &[u8]| {
        let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
        pem::encode_config(&Pem::new(label, der), config).into_bytes()
    };
    Ok(Pair { certificate: write("CERTIFICATE", &certificate), key: write("PRIVATE KEY", key.as_bytes()) })
}

/// What the certificate says beside its key.
struct Profile {
    hosts: Vec<String>,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        let first = self.hosts.first().map(String::as_str).unwrap_or_default();
        let name: String = first.chars().take(COMMON_NAME_MAX).collect();
        format!("CN={name}").parse().unwrap_or_default()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let subject = tbs.subject();
        let name = |name: &String| match name.parse::<IpAddr>() {
            Ok(address) => Ok(GeneralName::from(address)),
            Err(_) => Ia5String::new(name).map(GeneralName::DnsName),
        };
        let names = self.hosts.iter().map(name).collect::<Result<_, _>>()?;
        let usage = KeyUsage(FlagSet::from(KeyUsages::DigitalSignature));
        Ok(vec![
            SubjectAltName(names).to_extension(subject, &[])?,
            BasicConstraints { ca: false, path_len_constraint: None }.to_extension(subject, &[])?,
            usage.to_extension(subject, &[])?,
            ExtendedKeyUsage(vec![SERVER]).to_extension(subject, &[])?,
        ])
    }
}
