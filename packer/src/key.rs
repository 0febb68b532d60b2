//! The vendor's keys: made, read, and used to sign. Their files are minisign's, so that minisign can take over at any time.
//! What a signature covers is said in `bundle-spec`.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bundle_spec::reader::Bundle;
use bundle_spec::signature::PublicKey;
use bundle_spec::writer::attach_signature;
use minisign::{KeyPair, SecretKey, SecretKeyBox};

use crate::outcome::{Explain, Failure, Outcome};
use crate::output::{Output, write_new};

/// Variable that carries the password of a secret key where nobody can be asked.
pub const PASSWORD_VARIABLE: &str = "AIRLIFT_KEY_PASSWORD";

/// What is appended to a bundle's name for the signature that plain minisign checks.
const DETACHED: &str = "minisig";

/// A secret key that is ready to sign, and its public key.
pub struct SigningKey {
    secret: SecretKey,
    /// The public key.
    pub public: PublicKey,
}

/// The library would print the key itself.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public)
    }
}

/// Where the password of a secret key comes from, the first that there is: a file, the environment, the terminal.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct PasswordArgs {
    /// File with the password of the secret key [else $AIRLIFT_KEY_PASSWORD, else it is asked for]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl PasswordArgs {
    fn given(&self) -> Outcome<Option<String>> {
        if let Some(path) = &self.password_file {
            let text = fs::read_to_string(path).explain(|| format!("cannot read {}", path.display()))?;
            return Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()));
        }
        Ok(std::env::var(PASSWORD_VARIABLE).ok())
    }

    fn ask(what: &str) -> Outcome<String> {
        let terminal = console::Term::stderr();
        let missing = || {
            let failure =
                Failure::usage("the key's password is not given, and there is no terminal to ask on");
            failure.hint(format!("give --password-file FILE, or set {PASSWORD_VARIABLE}"))
        };
        if !console::user_attended() || !terminal.is_term() {
            return Err(missing());
        }
        terminal
            .write_str(&format!("{what}: "))
            .and_then(|()| terminal.read_secure_line())
            .map_err(|_| missing())
    }
}

/// Makes a pair of keys: `NAME.key`, for its owner only, and `NAME.pub`. Never overwrites one.
pub fn generate(name: &Path, password: Option<&PasswordArgs>) -> Outcome<(PathBuf, PathBuf, PublicKey)> {
    let (secret_path, public_path) = (with_suffix(name, "key"), with_suffix(name, "pub"));
    for path in [&secret_path, &public_path] {
        if path.symlink_metadata().is_ok() {
            return Err(Failure::usage(format!("{} is there already", path.display()))
                .hint("give another name: a key that is lost cannot be made again"));
        }
    }
    let password = match password {
        Some(args) => Some(match args.given()? {
            Some(password) => password,
            None => chosen()?,
        }),
        None => None,
    };
    let made = match password {
        Some(password) => KeyPair::generate_encrypted_keypair(Some(password)),
        None => KeyPair::generate_unencrypted_keypair(),
    };
    let failed = || "cannot make a key";
    let keys = made.explain(failed)?;
    let public = PublicKey::parse(&keys.pk.to_base64()).explain(failed)?;
    let comment = format!("minisign secret key {}, made by airlift", public.id());
    let secret = keys.sk.to_box(Some(&comment)).explain(failed)?.to_string();
    write_new(&secret_path, 0o600, secret.as_bytes())?;
    write_new(&public_path, 0o644, public.file().as_bytes()).inspect_err(|_| {
        // Nobody has it yet, and with it the next attempt would be refused.
        let _ = fs::remove_file(&secret_path);
    })?;
    Ok((secret_path, public_path, public))
}

fn chosen() -> Outcome<String> {
    let password = PasswordArgs::ask("Password for the new key")?;
    if PasswordArgs::ask("The same again")? == password {
        return Ok(password);
    }
    Err(Failure::usage("the two passwords differ").hint("run the command again"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// A key that `minisign -G -W` made: it leaves the checksum of a key without a password empty. A key that is damaged makes
/// signatures that do not hold, which is seen before a bundle gets one.
fn without_checksum(text: &str) -> Option<SecretKey> {
    const PLAIN_LEN: usize = 158;
    const CHECKSUM_LEN: usize = 32;
    let bytes = BASE64.decode(text.lines().nth(1)?.trim()).ok()?;
    let is_plain = bytes.len() == PLAIN_LEN && bytes.starts_with(b"Ed\0\0B2");
    let is_empty = || bytes[PLAIN_LEN - CHECKSUM_LEN..].iter().all(|byte| *byte == 0);
    if is_plain && is_empty() { SecretKey::from_bytes(&bytes).ok() } else { None }
}

impl SigningKey {
    /// Reads a secret key in minisign's form; asks for its password if it has one.
    pub fn read(path: &Path, password: &PasswordArgs) -> Outcome<Self> {
        let unusable = || format!("{} cannot be used to sign", path.display());
        let text = fs::read_to_string(path).map_err(|error| Failure::usage(unusable()).because(error))?;
        let no_key = "give the .key file that `airlift keygen` or `minisign -G` wrote";
        let parse = || SecretKeyBox::from(text.clone());
        // A key without a password says so itself.
        let secret = match parse().into_unencrypted_secret_key() {
            Ok(secret) => secret,
            Err(error) if error.to_string().contains("encrypted") => {
                let password = match password.given()? {
                    Some(password) => password,
                    None => PasswordArgs::ask(&format!("Password of {}", path.display()))?,
                };
                parse().into_secret_key(Some(password)).map_err(|error| {
                    Failure::usage(unusable()).because(error).hint("is the password right?")
                })?
            }
            Err(error) => without_checksum(&text)
                .ok_or_else(|| Failure::usage(unusable()).because(error).hint(no_key))?,
        };
        let public = minisign::PublicKey::from_secret_key(&secret).explain(unusable)?;
        Ok(Self { public: PublicKey::parse(&public.to_base64()).explain(unusable)?, secret })
    }

    /// Puts a signature into a finished bundle, and gives the text of a signature of the whole file for plain minisign.
    pub fn sign(&self, mut file: &File) -> Outcome<String> {
        let failed = || "cannot sign the bundle";
        let bundle = Bundle::open(&mut file).explain(failed)?;
        let app = &bundle.index.content.app;
        let comment = format!("{} {}", app.name, app.version);
        let block = self.public.file() + &self.signature(bundle.statement().as_bytes(), &comment)?;
        attach_signature(&mut file, &block).explain(failed)?;
        file.rewind().explain(failed)?;
        self.signature(file, &comment)
    }

    fn signature(&self, content: impl Read, comment: &str) -> Outcome<String> {
        let signed =
            minisign::sign(None, &self.secret, content, Some(comment), Some("signature from airlift"));
        Ok(signed.explain(|| "cannot sign")?.into_string())
    }
}

/// Signs a bundle that is there: it is copied, signed, and put in its own place.
pub fn sign_file(path: &Path, key: &SigningKey) -> Outcome<()> {
    let (mut source, _) = crate::bundle_file::open(path)?;
    let failed = || format!("cannot sign {}", path.display());
    let output = Output::create(path)?;
    source.rewind().explain(failed)?;
    let copied = io::copy(&mut source, &mut output.file()).explain(failed);
    copied.and_then(|_| publish(output, path, key)).map_err(|failure| failure.writing_to(path))
}

/// Signs a finished bundle, gives it its name, and puts the signature of the whole file beside it.
pub fn publish(output: Output, path: &Path, key: &SigningKey) -> Outcome<()> {
    let detached = with_suffix(path, DETACHED);
    let failed = || format!("cannot write {}", detached.display());
    let signature = key.sign(output.file())?;
    // All of it is on disk before anything that was there is touched.
    let beside = Output::create(&detached)?;
    beside.file().write_all(signature.as_bytes()).explain(failed)?;
    beside.settle()?;
    output.settle()?;
    // An old one beside the new bundle would look like a forgery.
    match fs::remove_file(&detached) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Failure::new(failed()).because(error));
        }
        _ => {}
    }
    output.publish()?;
    beside.publish_as(0o644)
}

/// Whether a signature of the whole file is beside a bundle.
pub fn has_detached(path: &Path) -> Option<PathBuf> {
    Some(with_suffix(path, DETACHED)).filter(|path| path.exists())
}

/// Reads a public key as it is given on the command line: the key itself, or a file with it.
pub fn public(given: &str) -> Outcome<PublicKey> {
    if let Ok(key) = PublicKey::parse(given) {
        return Ok(key);
    }
    let unusable = || format!("{given} is not a public key");
    let hint = "give the line that begins with RW, or the .pub file with it";
    let text =
        fs::read_to_string(given).map_err(|error| Failure::usage(unusable()).because(error).hint(hint))?;
    PublicKey::parse(&text).map_err(|error| Failure::usage(unusable()).because(error).hint(hint))
}
