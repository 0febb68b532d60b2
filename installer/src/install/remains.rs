//! What an installation that failed leaves, and the command that takes it back. Pure.

use bundle_spec::index::Content;

use crate::bundle::BundleFile;
use crate::facts::Facts;
use crate::layout::Layout;
use crate::outcome::{Remains, WayBack};
use crate::plan::Plan;
use crate::receipt::{Extent, Receipt, StepState};
use crate::text::{Message, progress as text};

/// How to take back what a run does that begins with the receipt `known`. Nothing where an application is installed that would go
/// as well.
pub(super) fn way_back(
    known: Option<&Receipt>,
    facts: &Facts,
    bundle: &BundleFile,
    layout: &Layout,
) -> Option<WayBack> {
    let app = &bundle.bundle.index.content.app.name;
    let purge = is_purge(known, facts.project.is_occupied)?;
    let run = layout.bundle_command(app, &bundle.path.display().to_string());
    let command = if purge {
        format!("echo {app} | {run} uninstall --purge")
    } else {
        format!("{run} uninstall --yes")
    };
    Some(WayBack { purge, command })
}

/// Whether everything in the directory is the installation's own, and goes with it; nothing where not even the application may go.
fn is_purge(known: Option<&Receipt>, is_occupied: bool) -> Option<bool> {
    match known {
        None => Some(!is_occupied),
        Some(receipt) if receipt.extent() == Extent::Uninstalled => Some(false),
        Some(receipt) if receipt.was_healthy => None,
        Some(receipt) => Some(!receipt.found_files),
    }
}

/// What is in place now.
pub(super) fn of(plan: &Plan, receipt: &Receipt, content: &Content, way_back: Option<WayBack>) -> Remains {
    let line = |step: &crate::plan::Step| {
        let title = plan.describe_step(*step, content);
        let state = receipt.steps.iter().find(|record| record.id == step.id())?.state;
        Some(if state == StepState::Done { title } else { text::begun(&title) })
    };
    // What an earlier installation has brought is not this one's.
    let steps = way_back.iter().flat_map(|_| &plan.steps);
    let in_place: Vec<Message> = steps.filter_map(line).collect();
    Remains { in_place, way_back }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineChoice;
    use crate::plan::Step;

    #[test]
    fn what_is_offered_takes_no_more_than_the_run_has_brought() {
        let mut receipt = Receipt::new("shop", "1.0", "shop", EngineChoice::Auto);
        assert_eq!((is_purge(None, false), is_purge(None, true)), (Some(true), Some(false)));
        // Uninstalled: data is there.
        assert_eq!(is_purge(Some(&receipt), true), Some(false));
        receipt.bundle = "sha256:00".into();
        receipt.record(Step::LoadImages.id(), StepState::Failed, "b");
        assert_eq!(is_purge(Some(&receipt), true), Some(true));
        receipt.found_files = true;
        assert_eq!(is_purge(Some(&receipt), true), Some(false));
        // An upgrade that has failed.
        receipt.was_healthy = true;
        assert_eq!(is_purge(Some(&receipt), true), None);
    }
}
