//! Image references: `name:tag`, normalised as engines do, so that `nginx` and `docker.io/library/nginx:latest` are one.

use serde::{Deserialize, Serialize};

/// An image reference with a tag, in its short ("familiar") form, for instance `nginx:1.27` or `registry.example/a/b:2`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference(String);

/// A text that is not an image reference with a tag.
#[derive(Debug, thiserror::Error)]
pub enum InvalidReference {
    /// Not `name[:tag]`.
    #[error("`{0}` is not an image reference of the form name[:tag]")]
    Malformed(String),
    /// A digest pin; loaded images have no repository digest, so no engine could resolve it offline (moby#43570).
    #[error(
        "`{0}` is pinned by digest; an engine without a registry can resolve tags only: give the image a tag"
    )]
    Pinned(String),
}

impl ImageReference {
    /// Reads a reference; `latest` is assumed where there is no tag.
    ///
    /// # Errors
    /// When the text is malformed, or pinned by digest.
    pub fn parse(text: &str) -> Result<Self, InvalidReference> {
        if text.contains('@') {
            return Err(InvalidReference::Pinned(text.to_owned()));
        }
        let malformed = || InvalidReference::Malformed(text.to_owned());
        let (name, tag) = match text.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            _ => (text, "latest"),
        };
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        let name = name.strip_prefix("library/").unwrap_or(name);
        let tag_ok = !tag.is_empty()
            && tag.len() <= 128
            && !tag.starts_with(['.', '-'])
            && tag.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        let name_ok = !name.is_empty()
            && name.len() <= 255
            && name.split('/').enumerate().all(|(position, part)| component_ok(part, position == 0));
        if tag_ok && name_ok { Ok(Self(format!("{name}:{tag}"))) } else { Err(malformed()) }
    }

    /// The short form, `name:tag`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The full form with registry host, as containerd names images: `docker.io/library/nginx:1.27`.
    #[must_use]
    pub fn full(&self) -> String {
        let first = self.0.split('/').next().unwrap_or_default();
        let has_host = self.0.contains('/') && (first.contains(['.', ':']) || first == "localhost");
        match (has_host, self.0.contains('/')) {
            (true, _) => self.0.clone(),
            (false, true) => format!("docker.io/{}", self.0),
            (false, false) => format!("docker.io/library/{}", self.0),
        }
    }

    /// The name without the tag.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.0.rsplit_once(':').map_or(&self.0, |(name, _)| name)
    }

    /// The tag alone.
    #[must_use]
    pub fn tag(&self) -> &str {
        self.0.rsplit_once(':').map_or("latest", |(_, tag)| tag)
    }
}

fn component_ok(part: &str, is_first: bool) -> bool {
    let allowed = |c: char| {
        c.is_ascii_lowercase()
            || c.is_ascii_digit()
            || "._-".contains(c)
            || (is_first && (c == ':' || c.is_ascii_uppercase()))
    };
    !part.is_empty() && part.chars().all(allowed) && !part.starts_with(['.', '-', '_', ':'])
}

impl std::fmt::Display for ImageReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ImageReference {
    type Error = InvalidReference;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<ImageReference> for String {
    fn from(reference: ImageReference) -> Self {
        reference.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_normalised() {
        for (text, short, full) in [
            ("nginx", "nginx:latest", "docker.io/library/nginx:latest"),
            ("docker.io/library/nginx:1.27", "nginx:1.27", "docker.io/library/nginx:1.27"),
            ("a/b:2", "a/b:2", "docker.io/a/b:2"),
            ("localhost/b", "localhost/b:latest", "localhost/b:latest"),
            ("reg.example:5000/x/y:v1", "reg.example:5000/x/y:v1", "reg.example:5000/x/y:v1"),
            ("reg.example:5000/x", "reg.example:5000/x:latest", "reg.example:5000/x:latest"),
        ] {
            let reference = ImageReference::parse(text).unwrap();
            assert_eq!((reference.as_str(), reference.full().as_str()), (short, full));
        }
    }

    #[test]
    fn nonsense_and_pins_are_refused() {
        for bad in ["", ":x", "a//b", "a b", "A/../b", "x:", "x@sha256:00", "-a", "x:-t", "${IMAGE}"] {
            assert!(ImageReference::parse(bad).is_err(), "{bad}");
        }
    }
}
