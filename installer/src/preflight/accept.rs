//! Which warnings the operator has accepted beforehand, and what the others mean for the run. Pure.

use bundle_spec::suggest::nearest;

use super::{Finding, IDS, Severity};
use crate::text::{Message, finding as text};

/// What the operator said about warnings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acceptance {
    /// Ids of warnings that are accepted.
    pub ids: Vec<String>,
    /// A warning that is not accepted refuses the run.
    pub strict: bool,
}

/// An id that no finding can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// As it was given.
    pub id: String,
    /// The nearest one that there is.
    pub nearest: Option<&'static str>,
}

impl Acceptance {
    /// The given ids that mean nothing.
    pub fn unknown(&self) -> Vec<Unknown> {
        let unknown = self.ids.iter().filter(|id| !IDS.contains(&id.as_str()));
        unknown.map(|id| Unknown { id: id.clone(), nearest: nearest(id, IDS) }).collect()
    }

    /// Marks the warnings that are accepted, and those that refuse the run. A failure cannot be accepted.
    pub fn apply(&self, findings: &mut [Finding]) {
        for finding in findings.iter_mut().filter(|finding| finding.severity == Severity::Warn) {
            finding.accepted = self.ids.iter().any(|id| id == finding.id);
            finding.refuses = self.strict && !finding.accepted;
        }
    }

    /// The ids of failures that somebody would have accepted.
    pub fn in_vain<'a>(&self, findings: &'a [Finding]) -> Vec<&'a str> {
        let failures = findings.iter().filter(|finding| finding.severity == Severity::Fail);
        let mut ids: Vec<_> = failures
            .map(|finding| finding.id)
            .filter(|id| self.ids.iter().any(|given| given == id))
            .collect();
        ids.dedup();
        ids
    }
}

impl Unknown {
    /// For people.
    pub fn message(&self) -> Message {
        let shown: String = self.id.escape_debug().take(80).collect();
        match self.nearest {
            Some(nearest) => text::warning_unknown_nearest(&shown, nearest),
            None => text::warning_unknown(&shown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Message;

    fn findings() -> Vec<Finding> {
        let text = || Message::verbatim("x");
        vec![
            Finding::fail("port", text(), text()),
            Finding::warn("clock", text(), text()),
            Finding::warn("dns", text(), text()),
            Finding::pass("arch", text()),
        ]
    }

    #[test]
    fn warnings_are_accepted_one_by_one_and_failures_never() {
        let table: [(&[&str], bool, &[&str]); 5] = [
            (&[], false, &["port"]),
            (&[], true, &["port", "clock", "dns"]),
            (&["clock"], true, &["port", "dns"]),
            (&["clock", "dns", "arch"], true, &["port"]),
            (&["port"], true, &["port", "clock", "dns"]),
        ];
        for (ids, strict, expected) in table {
            let acceptance = Acceptance { ids: ids.iter().map(|id| (*id).to_owned()).collect(), strict };
            let mut findings = findings();
            acceptance.apply(&mut findings);
            let refusing = findings.iter().filter(|finding| finding.refuses);
            assert_eq!(refusing.map(|finding| finding.id).collect::<Vec<_>>(), expected, "{ids:?} {strict}");
            assert_eq!(acceptance.in_vain(&findings).len(), usize::from(ids.contains(&"port")));
        }
    }

    #[test]
    fn an_unknown_id_is_named_with_the_nearest() {
        let acceptance =
            Acceptance { ids: vec!["clok".into(), "dns".into(), "zzzzzzzz".into()], strict: false };
        let unknown = acceptance.unknown();
        assert_eq!(unknown[0], Unknown { id: "clok".into(), nearest: Some("clock") });
        assert_eq!(unknown[1], Unknown { id: "zzzzzzzz".into(), nearest: None });
        assert_eq!(unknown.len(), 2);
    }
}
