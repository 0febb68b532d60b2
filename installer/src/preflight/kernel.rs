//! Can an engine work on this kernel? Asked only where one is to be installed: one that runs has shown it.

use super::engine::package_command;
use super::{Demand, Finding};
use crate::facts::kernel::{Backend, Cgroup, Presence};
use crate::facts::{Facts, Family};
use crate::text::finding::host as text;

/// Controllers that limits of services are made with.
const CONTROLLERS: [&str; 3] = ["cpu", "memory", "pids"];

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let mut findings = modules(facts);
    findings.push(cgroup(facts, demand));
    let kernel = &facts.kernel;
    if let (Some(used), true) = (kernel.iptables, kernel.has_other_rules) {
        let (used, other) = match used {
            Backend::Legacy => ("iptables-legacy", "nftables"),
            Backend::Nft => ("nftables", "iptables-legacy"),
        };
        findings.push(Finding::warn(
            "iptables-mix",
            text::rules_in_both(used, other),
            text::use_one_filter(),
        ));
    }
    if let Some(path) = &kernel.forwarding_off {
        findings.push(Finding::warn(
            "forwarding",
            text::forwarding_is_off(path),
            text::turn_forwarding_on(path),
        ));
    }
    if kernel.selinux_enforces {
        findings.push(Finding::pass("selinux", text::selinux_enforces()));
    }
    if kernel.lacks_apparmor_parser {
        let command = package_command(facts.machine.family, &["apparmor"]);
        findings.push(Finding::warn(
            "apparmor",
            text::apparmor_cannot_load(),
            text::install_apparmor(&command),
        ));
    }
    findings
}

fn modules(facts: &Facts) -> Vec<Finding> {
    let kernel = &facts.kernel;
    let release = &facts.machine.kernel;
    let mut findings = Vec::new();
    for (name, presence) in &kernel.parts {
        if let Presence::Forbidden(path) = presence {
            findings.push(Finding::fail(
                "kernel-modules",
                text::module_forbidden(name, path),
                text::allow_module(name, path),
            ));
        }
    }
    let with = |wanted: Presence| {
        let parts = kernel.parts.iter().filter(move |(_, presence)| **presence == wanted);
        parts.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
    };
    let missing = with(Presence::Missing);
    if !missing.is_empty() {
        let todo = match facts.machine.family {
            Family::Debian => text::install_modules_debian(release),
            Family::RedHat => text::install_modules_redhat(release),
            Family::Suse | Family::Other => text::install_modules(),
        };
        findings
            .push(Finding::fail("kernel-modules", text::modules_missing(&missing), todo).with(None, missing));
    }
    // What is not loaded yet cannot be loaded until the machine runs the kernel that it has modules for.
    if kernel.lacks_modules && !with(Presence::Unknown).is_empty() {
        findings.push(Finding::warn("kernel-modules", text::kernel_updated(release), text::reboot_first()));
    }
    if findings.is_empty() {
        findings.push(Finding::pass("kernel-modules", text::modules_there()));
    }
    findings
}

fn cgroup(facts: &Facts, demand: &Demand<'_>) -> Finding {
    let kernel = &facts.kernel;
    let version = match kernel.cgroup {
        Cgroup::None => return Finding::fail("cgroup", text::cgroups_none(), text::mount_cgroups()),
        Cgroup::V1 => 1,
        Cgroup::V2 => 2,
    };
    let engine = demand.content.engine.as_ref().and_then(|engine| engine.version.as_deref());
    if let Some(engine) = engine.filter(|engine| version == 2 && super::release(engine) < (20, 10)) {
        return Finding::fail("cgroup", text::cgroups_too_new(engine), text::switch_cgroups());
    }
    let is_missing = |name: &&str| !kernel.controllers.iter().any(|known| known == name);
    let missing: Vec<_> = CONTROLLERS.into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Finding::pass("cgroup", text::cgroups_fit(version)).with(u64::from(version), None);
    }
    Finding::warn("cgroup", text::controllers_missing(&missing.join(", ")), text::enable_controllers())
}
