//! Who may install here: the key that a bundle is signed with, against the one that the operator demands, else the one that
//! the first installation pinned. Pure; that a signature holds was seen when the bundle was opened.

use std::path::Path;

use bundle_spec::index::Content;
use bundle_spec::signature::{PublicKey, Signer};

use crate::outcome::{Code, Failure, Outcome};
use crate::preflight::Finding;
use crate::receipt::Receipt;
use crate::text::trust as text;

/// Why a bundle may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The operator has named its key.
    Demanded,
    /// It has the key of what is installed here.
    Pinned,
    /// It has a key that nobody has named; the installation will pin it.
    FirstUse,
    /// It is not signed, and nobody wants it to be.
    Unsigned,
}

/// Decides whether the bundle at `path` may be installed over what `receipt` says.
///
/// # Errors
/// [`Code::Bundle`] when it has another key than it must have, or none.
pub fn judge(
    path: &Path,
    signer: Option<&Signer>,
    demanded: Option<&PublicKey>,
    receipt: Option<&Receipt>,
) -> Outcome<Basis> {
    let shown = path.display();
    let found = signer.map(|signer| &signer.key);
    let refuse = |what, todo| {
        let found = found.map_or_else(text::is_unsigned, text::is_signed_with);
        Err(Failure::new(Code::Bundle, what).listing(vec![found]).todo(todo))
    };
    if let Some(wanted) = demanded {
        return match found {
            Some(key) if key == wanted => Ok(Basis::Demanded),
            _ => refuse(text::not_as_demanded(&shown, wanted), text::do_not_install()),
        };
    }
    match (found, receipt.and_then(|receipt| receipt.signer.as_deref())) {
        (Some(key), Some(pinned)) if key.base64() == pinned => Ok(Basis::Pinned),
        (Some(_), Some(_)) => refuse(text::not_as_pinned(&shown), text::confirm_new_key()),
        (None, Some(_)) => refuse(text::not_as_pinned(&shown), text::get_signed()),
        (Some(_), None) => Ok(Basis::FirstUse),
        (None, None) => Ok(Basis::Unsigned),
    }
}

/// What there is to know of the bundle's origin.
pub fn findings(
    basis: Basis,
    signer: Option<&Signer>,
    content: &Content,
    receipt: Option<&Receipt>,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(Signer { key, .. }) = signer {
        let text = match basis {
            Basis::Demanded => text::signed_as_demanded(key),
            Basis::Pinned => text::signed_as_before(key),
            Basis::FirstUse | Basis::Unsigned => text::signed_by_somebody(key),
        };
        findings.push(Finding::pass("signature", text));
    }
    // Somebody could hand over an old bundle for the sake of an old hole. It may be wanted all the same.
    let is_older = |receipt: &&Receipt| {
        let is_same_age = receipt.created == content.created;
        receipt.created > content.created || (is_same_age && is_lower(&content.app.version, &receipt.version))
    };
    if let Some(receipt) = receipt.filter(|receipt| receipt.app == content.app.name).filter(is_older) {
        let (text, todo) =
            (text::older_than_installed(&content.app.version, &receipt.version), text::is_older_wanted());
        findings.push(Finding::warn("older-bundle", text, todo));
    }
    findings
}

/// Whether a version's numbers say that it comes before another one. The age of a bundle is that of its images: two versions with the
/// same ones have the same.
fn is_lower(version: &str, other: &str) -> bool {
    let numbers =
        |text: &str| -> Option<Vec<u64>> { text.split('.').map(|part| part.parse().ok()).collect() };
    matches!((numbers(version), numbers(other)), (Some(own), Some(other)) if own < other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineChoice;

    const KEYS: [&str; 2] = [
        "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3",
        "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO4",
    ];

    fn key(number: usize) -> PublicKey {
        PublicKey::parse(KEYS[number]).unwrap()
    }

    fn receipt(pinned: Option<usize>) -> Receipt {
        let mut receipt = Receipt::new("shop", "1.0", "shop", EngineChoice::Auto);
        receipt.signer = pinned.map(|number| KEYS[number].to_owned());
        receipt
    }

    #[test]
    fn what_is_demanded_goes_before_what_is_pinned() {
        // Signed with, demanded, pinned: the outcome.
        let table = [
            (None, None, None, Some(Basis::Unsigned)),
            (Some(0), None, None, Some(Basis::FirstUse)),
            (Some(0), None, Some(0), Some(Basis::Pinned)),
            (Some(1), None, Some(0), None),
            (None, None, Some(0), None),
            (Some(0), Some(0), None, Some(Basis::Demanded)),
            (Some(1), Some(0), None, None),
            (None, Some(0), None, None),
            // A key is changed deliberately, by naming the new one.
            (Some(1), Some(1), Some(0), Some(Basis::Demanded)),
            (Some(0), Some(1), Some(0), None),
            (None, Some(0), Some(0), None),
        ];
        for (signed, demanded, pinned, expected) in table {
            let signer = signed.map(|number| Signer { key: key(number), comment: String::new() });
            let receipt = receipt(pinned);
            let demanded = demanded.map(key);
            let judged = judge(Path::new("x.run"), signer.as_ref(), demanded.as_ref(), Some(&receipt));
            let basis = match judged {
                Ok(basis) => Some(basis),
                Err(failure) => {
                    assert_eq!(failure.code, Code::Bundle);
                    assert!(failure.todo.is_some());
                    None
                }
            };
            assert_eq!(basis, expected, "signed {signed:?}, demanded {demanded:?}, pinned {pinned:?}");
        }
    }

    #[test]
    fn an_installation_of_before_signatures_pins_nothing() {
        let old: Receipt = {
            let mut value = serde_json::to_value(receipt(Some(0))).unwrap();
            for field in ["signer", "created"] {
                value.as_object_mut().unwrap().remove(field);
            }
            serde_json::from_value(value).unwrap()
        };
        assert_eq!((old.signer.as_deref(), old.created), (None, 0));
    }

    #[test]
    fn versions_are_compared_by_their_numbers_where_they_have_nothing_else() {
        for (version, other) in [("1.0.0", "1.1.0"), ("1.9", "1.10"), ("1.0", "1.0.1")] {
            assert!(is_lower(version, other), "{version} {other}");
            assert!(!is_lower(other, version), "{version} {other}");
        }
        assert!(!is_lower("1.0", "1.0") && !is_lower("2026-spring", "2027") && !is_lower("1.0-rc1", "1.0"));
    }
}
