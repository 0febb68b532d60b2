//! User, architecture, kernel, processors, memory.

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::text::{bytes, finding as text};

/// A machine sold with some memory reports less: the kernel and firmware keep a part.
const MEMORY_TOLERANCE_PERCENT: u64 = 10;

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let machine = &facts.machine;
    let requirements = &demand.content.requirements;
    let mut findings = Vec::new();
    findings.push(if machine.is_root {
        Finding::pass("root", text::is_root())
    } else {
        Finding::fail("root", text::not_root(), text::use_sudo())
    });
    findings.push(if machine.arch == requirements.arch {
        Finding::pass("arch", text::arch_fits(&machine.arch))
    } else {
        Finding::fail("arch", text::wrong_arch(&machine.arch, &requirements.arch), text::get_other_bundle())
    });
    if let Some(needed) = &requirements.kernel {
        findings.push(if release(&machine.kernel) >= release(needed) {
            Finding::pass("kernel", text::kernel_fits(&machine.kernel))
        } else {
            Finding::fail("kernel", text::kernel_too_old(&machine.kernel, needed), text::use_newer_system())
        });
    }
    if let Some(needed) = requirements.cores {
        findings.push(if machine.cores >= needed {
            Finding::pass("cores", text::cores_fit(machine.cores))
        } else {
            Finding::fail("cores", text::too_few_cores(machine.cores, needed), text::give_more_cores())
        });
    }
    if let Some(needed) = requirements.memory {
        let enough = machine.memory >= needed / 100 * (100 - MEMORY_TOLERANCE_PERCENT);
        let (has, needs) = (bytes(machine.memory), bytes(needed));
        findings.push(if enough {
            Finding::pass("memory", text::memory_fits(&has))
        } else {
            Finding::fail("memory", text::too_little_memory(&has, &needs), text::give_more_memory())
        });
    }
    findings
}

/// Major and minor number of a kernel release such as `5.10.0-30-amd64`.
fn release(version: &str) -> (u32, u32) {
    crate::engine::description::release(version)
}
