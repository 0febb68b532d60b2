//! Makes secrets from the kernel's random numbers, in alphabets that need no quoting anywhere.

use bundle_spec::question::{Generate, GenerateFormat};

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &[u8; 16] = b"0123456789abcdef";

/// Makes one secret.
///
/// # Errors
/// When the kernel gives no random numbers.
pub fn secret(recipe: Generate) -> Result<String, getrandom::Error> {
    let bytes = usize::from(recipe.bytes);
    match recipe.format {
        GenerateFormat::Hex => draw(HEX, bytes * 2),
        GenerateFormat::Base64 => draw(BASE64, (bytes * 8).div_ceil(6)),
        GenerateFormat::Alphanumeric => draw(ALPHANUMERIC, bytes),
    }
}

/// Draws `count` characters, each equally likely: bytes beyond the largest multiple of the alphabet's size are thrown away.
fn draw(alphabet: &[u8], count: usize) -> Result<String, getrandom::Error> {
    let limit = 256 - 256 % alphabet.len();
    let mut drawn = String::with_capacity(count);
    let mut pool = [0; 64];
    while drawn.len() < count {
        getrandom::fill(&mut pool)?;
        let usable = pool.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < limit);
        let characters = usable.map(|byte| char::from(alphabet[byte % alphabet.len()]));
        drawn.extend(characters.take(count - drawn.len()));
    }
    Ok(drawn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_have_the_length_and_alphabet_asked_for() {
        for (format, bytes, len, alphabet) in [
            (GenerateFormat::Hex, 32, 64, HEX.as_slice()),
            (GenerateFormat::Base64, 32, 43, BASE64.as_slice()),
            (GenerateFormat::Alphanumeric, 24, 24, ALPHANUMERIC.as_slice()),
        ] {
            let made = secret(Generate { format, bytes }).unwrap();
            assert_eq!(made.len(), len);
            assert!(made.bytes().all(|byte| alphabet.contains(&byte)), "{made}");
            assert_ne!(made, secret(Generate { format, bytes }).unwrap());
        }
    }
}
