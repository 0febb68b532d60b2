//! Makes secrets from the kernel's random numbers, in alphabets that need no quoting anywhere.

use bundle_spec::question::Generate;

/// Makes one secret.
///
/// # Errors
/// When the kernel gives no random numbers.
pub fn secret(recipe: Generate) -> Result<String, getrandom::Error> {
    draw(recipe.format.alphabet().as_bytes(), recipe.len())
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
    use bundle_spec::question::GenerateFormat;

    use super::*;

    #[test]
    fn secrets_have_the_length_and_alphabet_asked_for() {
        for (format, bytes, len) in [
            (GenerateFormat::Hex, 32, 64),
            (GenerateFormat::Base64, 32, 43),
            (GenerateFormat::Alphanumeric, 24, 24),
        ] {
            let made = secret(Generate { format, bytes }).unwrap();
            assert_eq!(made.len(), len);
            assert!(made.chars().all(|c| format.alphabet().contains(c)), "{made}");
            assert_ne!(made, secret(Generate { format, bytes }).unwrap());
        }
    }
}
