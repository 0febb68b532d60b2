//! Are there volumes of an earlier installation that nothing else is left of? Their data was made with its passwords, and new ones
//! do not open it: a database says so only after the start, and not what it is about.

use bundle_spec::question::QuestionId;

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::text::finding as text;

/// `made_up` are the secrets that would be generated now.
pub fn check(facts: &Facts, demand: &Demand<'_>, made_up: &[&QuestionId]) -> Option<Finding> {
    let project = &facts.project;
    // What an earlier run has left here, or what is in the way here, is another finding's.
    let is_new = project.receipt.is_none() && project.receipt_error.is_none();
    let volumes = &facts.inventory.volumes;
    if volumes.is_empty() || !is_new {
        return None;
    }
    let (dir, named, words) =
        (demand.layout.dir.display().to_string(), volumes.join(", "), volumes.join(" "));
    let finding = match made_up {
        [] => Finding::warn(
            "volumes",
            text::volumes_without_installation(&named, &dir),
            text::mind_volumes(&words),
        ),
        ids => {
            let ids = ids.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ");
            Finding::fail(
                "volumes",
                text::volumes_with_lost_secrets(&named, &dir, &ids),
                text::find_secrets_of_volumes(&dir, &words, &ids),
            )
        }
    };
    Some(finding.with(named, None))
}
