//! Does the project directory belong to this application, and is the name of its command free?

use super::{Demand, Finding};
use crate::engine::Container;
use crate::facts::writers::{Writable, Writer};
use crate::facts::{EngineChoice, Facts, ProjectFacts};
use crate::layout::Layout;
use crate::receipt::{Extent, Receipt};
use crate::text::{Message, finding as text};

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
        (Some(receipt), None)
            if is_private(receipt.choice) != is_private(demand.choice) && !receipt.steps.is_empty() =>
        {
            Finding::fail("project", text::other_engine_choice(&dir), text::same_engine_choice())
        }
        (Some(receipt), None) => Finding::pass("project", extent(receipt, &dir)),
        (None, None) if project.is_occupied => {
            Finding::fail("project", text::dir_is_occupied(&dir), text::choose_other_dir())
        }
        (None, None) => Finding::pass("project", text::dir_is_free(&dir)),
    });
    findings.extend(writers(project, &dir));
    // Containers of this project name that were made in another directory are somebody's hand-made project: `up` would
    // take them over, and uninstall would remove them with their volumes.
    let own_dir = demand.layout.dir.to_string_lossy();
    let is_foreign =
        |container: &&Container| !container.working_dir.is_empty() && container.working_dir != own_dir;
    if let Some(container) = facts.inventory.containers.iter().find(is_foreign) {
        let name = &demand.content.project.name;
        findings.push(Finding::fail(
            "project-name",
            text::project_is_foreign(name, &container.working_dir),
            text::take_project_down(name),
        ));
    }
    for name in &demand.content.project.footprint.container_names {
        let mut others =
            facts.inventory.names.iter().filter(|(_, project)| *project != demand.content.project.name);
        if let Some((_, project)) = others.find(|(taken, _)| taken == name) {
            let project = if project.is_empty() { "-" } else { project.as_str() };
            findings.push(Finding::fail(
                "container-name",
                text::engine::container_name_taken(name, project),
                text::engine::remove_container(name),
            ));
        }
    }
    if demand.choice == EngineChoice::Private {
        return findings;
    }
    let own = demand.layout.control(app);
    if let Some(target) = project.control_link.as_ref().filter(|target| **target != own) {
        let (link, target) = (Layout::control_link(app).display().to_string(), target.display().to_string());
        findings.push(Finding::fail(
            "control",
            text::control_is_foreign(&link, &target),
            text::uninstall_other_first(),
        ));
    }
    if let Some(path) = &project.other_command {
        let path = path.display().to_string();
        findings.push(Finding::fail("control", text::command_is_taken(&path), text::rename_command()));
    }
    findings
}

/// Whoever can write the project directory, or exchange it, decides what root runs at the next upgrade. A group of a parent is
/// often made of administrators, and whoever owns one is often the operator: that is for a person to know.
fn writers(project: &ProjectFacts, dir: &str) -> Vec<Finding> {
    let finding = |found: &Writable| {
        let path = found.path.display().to_string();
        match &found.by {
            Writer::Everybody => Finding::fail(
                "dir-writers",
                text::storage::everybody_writes(&path),
                text::storage::close_dir(&path),
            ),
            Writer::Group(group) if found.is_project => Finding::fail(
                "dir-writers",
                text::storage::group_writes(&path, group),
                text::storage::close_dir(&path),
            ),
            Writer::Group(group) => Finding::warn(
                "dir-writers",
                text::storage::group_writes(&path, group),
                text::storage::close_dir(&path),
            ),
            Writer::Owner(user) => Finding::warn(
                "dir-writers",
                text::storage::owner_writes(&path, user),
                text::storage::own_dir(&path, user),
            ),
        }
    };
    let findings: Vec<Finding> = project.writable.iter().map(finding).collect();
    if findings.is_empty() {
        return vec![Finding::pass("dir-writers", text::storage::root_alone_writes(dir))];
    }
    findings
}

/// What an earlier run has left here.
fn extent(receipt: &Receipt, dir: &str) -> Message {
    match receipt.extent() {
        Extent::Installed => text::dir_is_ours(dir, &receipt.version),
        Extent::Interrupted => text::dir_is_begun(dir),
        Extent::HalfRemoved => text::dir_is_half_removed(dir),
        Extent::Uninstalled => text::dir_has_data(dir),
    }
}

/// `auto` and `system` lead to the same engine.
fn is_private(choice: EngineChoice) -> bool {
    choice == EngineChoice::Private
}
