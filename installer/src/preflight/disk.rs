//! Is there room, on each real file system, for everything that the plan will write there?

use std::collections::BTreeMap;

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::text::{bytes, finding as text};

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    // Several paths may lie on one file system; what counts is the sum.
    let mut by_mount = BTreeMap::new();
    for need in demand.disk {
        let Some(system) = facts.storage.of(&need.path) else { continue };
        let entry = by_mount.entry(system.mount_point.clone()).or_insert((system, 0_u64, 0_u64));
        entry.1 = entry.1.saturating_add(need.bytes);
        entry.2 = entry.2.saturating_add(need.inodes);
    }
    let mut findings = Vec::new();
    for (mount, (system, needed, inodes)) in by_mount {
        let mount = mount.display().to_string();
        let (free, wanted) = (bytes(system.free), bytes(needed));
        findings.push(if system.read_only {
            Finding::fail("disk", text::read_only(&mount), text::remount_or_other_dir())
        } else if system.free < needed {
            let missing = bytes(needed - system.free);
            Finding::fail(
                "disk",
                text::disk_too_small(&mount, &free, &wanted, &missing),
                text::free_disk(&mount, &missing),
            )
            .with(system.free, needed)
        } else {
            Finding::pass("disk", text::disk_fits(&mount, &free, &wanted)).with(system.free, needed)
        });
        if let Some(free_inodes) = system.free_inodes.filter(|free| *free < inodes) {
            let text = text::inodes_too_few(&mount, free_inodes, inodes);
            findings.push(Finding::fail("inodes", text, text::free_inodes(&mount)).with(free_inodes, inodes));
        }
    }
    findings
}
