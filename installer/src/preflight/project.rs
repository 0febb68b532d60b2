//! Does the project directory belong to this application, and is the name of its command free?

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::layout::Layout;
use crate::text::finding as text;

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let dir = demand.layout.dir.display().to_string();
    let app = &demand.content.app.name;
    let project = &facts.project;
    let mut findings = Vec::new();
    findings.push(match (&project.receipt, &project.receipt_error) {
        (_, Some(error)) => {
            Finding::fail("project", text::receipt_unreadable(&dir, error), text::choose_other_dir())
        }
        (Some(receipt), None) if receipt.app != *app => {
            Finding::fail("project", text::dir_belongs_to(&dir, &receipt.app), text::choose_other_dir())
        }
        (Some(receipt), None) if receipt.choice != demand.choice && !receipt.steps.is_empty() => {
            Finding::fail("project", text::other_engine_choice(&dir), text::same_engine_choice())
        }
        (Some(receipt), None) => Finding::pass("project", text::dir_is_ours(&dir, &receipt.version)),
        (None, None) if project.is_occupied => {
            Finding::fail("project", text::dir_is_occupied(&dir), text::choose_other_dir())
        }
        (None, None) => Finding::pass("project", text::dir_is_free(&dir)),
    });
    let own = demand.layout.control(app);
    if let Some(target) = project.control_link.as_ref().filter(|target| **target != own) {
        let (link, target) = (Layout::control_link(app).display().to_string(), target.display().to_string());
        findings.push(Finding::fail(
            "control",
            text::control_is_foreign(&link, &target),
            text::uninstall_other_first(),
        ));
    }
    findings
}
