//! A public key as it is given on the command line: the key itself, or a file with it.

use std::path::Path;

use bundle_spec::signature::PublicKey;
use clap::ArgMatches;

use super::Session;
use crate::host::file;
use crate::outcome::{Code, Failure, Outcome};
use crate::text::trust as text;

/// The key that an argument gives, if it is given.
///
/// # Errors
/// [`Code::Usage`] when it is neither a key nor a file with one.
pub(super) fn given(session: &Session<'_>, verb: &ArgMatches, name: &str) -> Outcome<Option<PublicKey>> {
    session.value::<String>(verb, name).map(|given| read(&given)).transpose()
}

fn read(given: &str) -> Outcome<PublicKey> {
    if let Ok(key) = PublicKey::parse(given) {
        return Ok(key);
    }
    let refused = || Failure::new(Code::Usage, text::not_a_key(given)).todo(text::give_key());
    let text = match file::read_given(Path::new(given)) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return Err(refused().because(&error)),
    };
    PublicKey::parse(&text).map_err(|_| refused())
}
