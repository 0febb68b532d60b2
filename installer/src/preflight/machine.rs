//! User, architecture, kernel, processors, memory, clock, kernel settings.

use std::time::{Duration, UNIX_EPOCH};

use super::{Demand, Finding, release};
use crate::facts::{EngineChoice, EngineFacts, Facts, Machine};
use crate::text::finding::host;
use crate::text::{bytes, finding as text};

/// A machine sold with some memory reports less: the kernel and firmware keep a part.
const MEMORY_TOLERANCE_PERCENT: u64 = 10;

/// Memory in bytes that an installation itself wants, engine included.
const OWN_MEMORY: u64 = 300_000_000;

/// The oldest kernel that any engine of ours starts on.
const OLDEST_KERNEL: &str = "3.10";

/// Open files that an engine and its containers should be able to have.
const OPEN_FILES: u64 = 65_536;

const DAY: u64 = 24 * 3600;

/// Images without a real date say 1970 or 1980.
const REAL_DATES_BEGIN: u64 = 45 * 365 * DAY;

/// No bundle is installed for the first time that long after it was made.
const AHEAD: u64 = 10 * 365 * DAY;

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let machine = &facts.machine;
    let requirements = &demand.content.requirements;
    let mut findings =
        vec![Finding::pass("system", host::system(&machine.os, &machine.kernel)).with(&*machine.os, None)];
    findings.push(if machine.is_root {
        Finding::pass("root", text::is_root())
    } else if facts.project.receipt_error.is_some() || super::engine::is_closed_to_us(facts) {
        Finding::fail("root", text::not_root_unchecked(), text::use_sudo())
    } else {
        Finding::fail("root", text::not_root(), text::use_sudo())
    });
    findings.push(if machine.arch == requirements.arch {
        Finding::pass("arch", text::arch_fits(&machine.arch))
    } else {
        Finding::fail("arch", text::wrong_arch(&machine.arch, &requirements.arch), text::get_other_bundle())
            .with(&*machine.arch, &*requirements.arch)
    });
    let is_absent = !matches!(facts.engine, EngineFacts::Running { .. });
    let needed = requirements.kernel.as_deref().unwrap_or(OLDEST_KERNEL);
    let needed = if is_absent && release(needed) < release(OLDEST_KERNEL) { OLDEST_KERNEL } else { needed };
    if release(&machine.kernel) < release(needed) {
        let text = text::kernel_too_old(&machine.kernel, needed);
        findings.push(Finding::fail("kernel", text, text::use_newer_system()).with(&*machine.kernel, needed));
    }
    if let Some(needed) = requirements.cores {
        let (found, wanted) = (u64::from(machine.cores), u64::from(needed));
        findings.push(
            if machine.cores >= needed {
                Finding::pass("cores", text::cores_fit(machine.cores))
            } else {
                Finding::fail("cores", text::too_few_cores(machine.cores, needed), text::give_more_cores())
            }
            .with(found, wanted),
        );
    }
    if !requirements.cpu.is_empty() {
        findings.push(cpu(machine, &requirements.cpu));
    }
    findings.extend(memory(facts, demand));
    findings.extend(clock(machine.clock, demand.content.created));
    for (name, needed) in requirements.settings() {
        // A setting with several numbers, or none that is known here, is below everything.
        let value = facts.kernel.settings.get(name).map_or("-", String::as_str);
        let fits = value.parse::<u64>().is_ok_and(|value| value >= needed);
        findings.push(
            if fits {
                Finding::pass("sysctl", host::setting_fits(name, value))
            } else {
                let todo = host::raise_setting(name, needed);
                Finding::fail("sysctl", host::setting_too_low(name, value, needed), todo)
            }
            .with(value, needed),
        );
    }
    // Under systemd, the unit has no limit.
    let starts_here = is_absent && (demand.choice == EngineChoice::Private || !machine.has_systemd);
    if starts_here && machine.open_files < OPEN_FILES {
        let text = host::few_open_files(machine.open_files);
        findings.push(
            Finding::warn("open-files", text, host::raise_open_files()).with(machine.open_files, OPEN_FILES),
        );
    }
    findings
}

fn memory(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let machine = &facts.machine;
    let mut findings = Vec::new();
    let needed = demand.content.requirements.memory;
    if let Some(needed) = needed {
        let enough = machine.memory >= needed / 100 * (100 - MEMORY_TOLERANCE_PERCENT);
        let (has, needs) = (bytes(machine.memory), bytes(needed));
        findings.push(
            if enough {
                Finding::pass("memory", text::memory_fits(&has))
            } else {
                Finding::fail("memory", text::too_little_memory(&has, &needs), text::give_more_memory())
            }
            .with(machine.memory, needed),
        );
    }
    // An application that runs already has its part.
    let runs = facts.inventory.containers.iter().any(|container| container.state == "running");
    let wanted = OWN_MEMORY.max(needed.unwrap_or(0) / 2);
    if machine.free_memory > 0 && machine.free_memory < wanted && !runs {
        let text = host::memory_is_used(&bytes(machine.free_memory), &bytes(wanted));
        findings.push(
            Finding::warn("free-memory", text, host::stop_other_programs()).with(machine.free_memory, wanted),
        );
    }
    findings
}

/// What the levels of x86-64 stand for, as the kernel names it.
const LEVELS: [(&str, &str); 3] = [
    ("x86-64-v2", "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"),
    ("x86-64-v3", "abm avx avx2 bmi1 bmi2 f16c fma movbe"),
    ("x86-64-v4", "avx512bw avx512cd avx512dq avx512f avx512vl"),
];

fn cpu(machine: &Machine, wanted: &[String]) -> Finding {
    let highest = LEVELS.iter().rposition(|(level, _)| wanted.iter().any(|name| name == level));
    let levels = LEVELS[..highest.map_or(0, |highest| highest + 1)].iter();
    let flags = levels.flat_map(|(_, flags)| flags.split(' '));
    let flags = flags.chain(wanted.iter().map(String::as_str).filter(|name| !name.starts_with("x86-64-")));
    let mut missing: Vec<_> =
        flags.filter(|flag| !machine.cpu_flags.iter().any(|known| known == flag)).collect();
    missing.dedup();
    if missing.is_empty() {
        return Finding::pass("cpu", host::cpu_fits());
    }
    let missing = missing.join(", ");
    Finding::fail("cpu", host::cpu_lacks(&missing), host::get_newer_cpu()).with(None, wanted.join(", "))
}

/// A file from the future means a clock in the past. Zones do not matter: both count from 1970 in UTC.
fn clock(now: u64, created: u64) -> Option<Finding> {
    if created < REAL_DATES_BEGIN {
        return None;
    }
    let date = |seconds: u64| {
        let time = UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        let shown = time.map(|time| humantime::format_rfc3339_seconds(time).to_string());
        shown.and_then(|text| text.get(..10).map(str::to_owned)).unwrap_or_default()
    };
    let (shown, made) = (date(now), date(created));
    Some(if now.saturating_add(DAY) < created {
        Finding::warn("clock", host::clock_behind(&shown, &made), host::set_clock()).with(shown, made)
    } else if now > created.saturating_add(AHEAD) {
        Finding::warn("clock", host::clock_ahead(&shown, &made), host::set_clock()).with(shown, made)
    } else {
        Finding::pass("clock", host::clock_plausible())
    })
}
