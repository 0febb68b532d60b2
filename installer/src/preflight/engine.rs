//! Is there a usable engine, or can one be installed without touching what is not ours?

use super::{Demand, Finding};
use crate::engine::{Description, Flavour};
use crate::facts::{EngineChoice, EngineFacts, Facts};
use crate::layout::{EngineHome, SOCKET_PATH_MAX};
use crate::text::finding as text;

/// The oldest engine that is used: what Compose and current base images need.
const OLDEST: (u32, u32) = (20, 10);

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    match (&facts.engine, demand.choice) {
        (EngineFacts::Running { description, .. }, EngineChoice::Private) => {
            vec![Finding::pass("engine", text::private_engine_runs(&description.version))]
        }
        (EngineFacts::Running { description, .. }, _) => {
            let compose = &facts.machine.compose_plugin;
            let no_compose = (demand.content.engine.is_none() && compose.is_none()).then(|| {
                Finding::fail("compose", text::no_compose_anywhere(), text::install_compose_first())
            });
            let engine = if installed_by_us(facts) { ours(description) } else { running(description) };
            std::iter::once(engine).chain(no_compose).collect()
        }
        (EngineFacts::Remote(host), _) => {
            vec![Finding::fail("engine", text::engine_is_remote(host), text::unset_docker_host())]
        }
        (EngineFacts::Silent { .. }, EngineChoice::Private) => install(facts, demand),
        // The engine that an earlier run installed is ours to start again.
        (EngineFacts::Silent { .. }, _) if installed_by_us(facts) => install(facts, demand),
        (EngineFacts::Silent { socket, why }, _) => {
            let socket = socket.display().to_string();
            vec![Finding::fail("engine", text::engine_silent(&socket, why), text::start_engine())]
        }
        (EngineFacts::Absent, _) => install(facts, demand),
    }
}

fn installed_by_us(facts: &Facts) -> bool {
    facts.project.own_engine == Some(EngineHome::System)
}

fn ours(description: &Description) -> Finding {
    Finding::pass("engine", text::own_engine_runs(&description.version))
}

fn running(description: &Description) -> Finding {
    let version = &description.version;
    if description.flavour == Flavour::Podman {
        Finding::fail("engine", text::engine_is_podman(version), text::use_private_engine())
    } else if description.release() < OLDEST {
        Finding::fail("engine", text::engine_too_old(version), text::use_private_engine())
    } else if description.root.starts_with("/var/snap") {
        Finding::fail("engine", text::engine_is_snap(version), text::use_private_engine())
    } else if description.rootless {
        Finding::fail("engine", text::engine_is_rootless(version), text::use_private_engine())
    } else {
        Finding::pass("engine", text::engine_usable(version))
    }
}

/// Everything that speaks against installing the engine that the bundle carries.
fn install(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let Some(parts) = &demand.content.engine else {
        return vec![Finding::fail("engine", text::no_engine_anywhere(), text::install_docker_first())];
    };
    let version = parts.version.as_deref().unwrap_or("?");
    let is_private = demand.choice == EngineChoice::Private;
    let control = demand.layout.control(&demand.content.app.name);
    let mut findings = vec![Finding::pass(
        "engine",
        if is_private {
            text::private_engine_will_be_placed(version)
        } else {
            text::engine_will_be_installed(version)
        },
    )];
    if !facts.machine.missing_commands.is_empty() {
        let missing = facts.machine.missing_commands.join(", ");
        // modprobe is only wanted; without iptables the daemon does not start.
        findings.push(if facts.machine.missing_commands.iter().any(|name| name == "iptables") {
            Finding::fail("commands", text::commands_missing(&missing), text::install_commands(&missing))
        } else {
            Finding::warn("commands", text::commands_missing(&missing), text::install_commands(&missing))
        });
    }
    if is_private {
        let home = EngineHome::private(demand.layout);
        if home.longest_socket() > SOCKET_PATH_MAX {
            let longest = SOCKET_PATH_MAX - (home.longest_socket() - demand.layout.dir.as_os_str().len());
            findings.push(Finding::fail(
                "dir-length",
                text::dir_too_long(longest),
                text::choose_shorter_dir(),
            ));
        }
        if facts.has_other_engine {
            findings.push(Finding::warn(
                "iptables",
                text::private_beside_other(),
                text::publish_through_proxy(),
            ));
        }
        findings.push(Finding::warn(
            "reboot",
            text::private_not_back_after_reboot(),
            text::start_after_reboot(&control.display()),
        ));
    } else {
        if facts.machine.has_foreign_containerd {
            findings.push(Finding::fail(
                "containerd",
                text::foreign_containerd(),
                text::use_private_beside_containerd(),
            ));
        }
        if let Some(why) = &facts.project.config_error {
            let path = EngineHome::System.config().display().to_string();
            findings.push(Finding::fail(
                "daemon-json",
                text::config_unreadable(&path, why),
                text::mend_config(&path),
            ));
        }
        if let Some(unit) = &facts.project.foreign_unit {
            let unit = unit.display().to_string();
            findings.push(Finding::fail(
                "unit",
                text::unit_is_foreign(&unit),
                text::remove_unit_or_private(&unit),
            ));
        }
        if !facts.machine.has_systemd {
            findings.push(Finding::warn(
                "systemd",
                text::no_systemd(),
                text::start_after_reboot(&control.display()),
            ));
        }
    }
    findings
}
