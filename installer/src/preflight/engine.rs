//! Is there a usable engine, or can one be installed without touching what is not ours?

use std::iter;

use super::{Demand, Finding};
use crate::engine::{Description, Flavour, Store};
use crate::facts::compose::{Answer, HostCompose};
use crate::facts::{EngineChoice, EngineFacts, Facts, Family};
use crate::layout::{EngineHome, SOCKET_PATH_MAX};
use crate::project;
use crate::text::finding::{self as text, engine as more, host};
use crate::text::sudo::SUDO;

/// The oldest engine that is used: what Compose and current base images need.
const OLDEST: (u32, u32) = (20, 10);

/// Drivers that copy layers, or that nobody looks after any more.
const SLOW_DRIVERS: [&str; 4] = ["aufs", "devicemapper", "overlay", "vfs"];

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    match (&facts.engine, demand.choice) {
        (EngineFacts::Running { description, .. }, EngineChoice::Private) => {
            vec![Finding::pass("engine", text::private_engine_runs(&description.version))]
        }
        (EngineFacts::Running { description, .. }, _) => {
            let engine = if installed_by_us(facts) {
                iter::once(ours(description)).chain(broken_config(facts)).collect()
            } else {
                running(description, demand)
            };
            // Beside an engine of ours lies the Compose that came with it.
            let is_hosts = demand.content.engine.is_none() && !installed_by_us(facts);
            let compose = is_hosts.then(|| compose(&facts.compose));
            engine.into_iter().chain(compose).collect()
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

/// Whether an engine only refuses to speak to us, which says nothing of how it is.
pub(super) fn is_closed_to_us(facts: &Facts) -> bool {
    matches!(&facts.engine, EngineFacts::Silent { why, .. } if why.contains("os error 13"))
}

fn installed_by_us(facts: &Facts) -> bool {
    facts.project.own_engine == Some(EngineHome::System)
}

fn ours(description: &Description) -> Finding {
    Finding::pass("engine", text::own_engine_runs(&description.version))
}

/// The host's Compose, where the bundle carries none.
fn compose(plugins: &[HostCompose]) -> Finding {
    let Some(plugin) = project::compose::best(plugins) else {
        return Finding::fail("compose", text::no_compose_anywhere(), text::install_compose_first());
    };
    let path = plugin.path.display().to_string();
    match &plugin.answer {
        Answer::Fails => {
            Finding::fail("compose", more::compose_is_broken(&path), more::replace_compose(&path))
        }
        Answer::Unclear => {
            Finding::warn("compose", more::compose_is_unclear(&path), more::replace_compose(&path))
        }
        Answer::Version(version) => {
            let finding = if project::compose::is_new_enough(plugin) {
                Finding::pass("compose", more::compose_will_be_used(version, &path))
            } else {
                Finding::fail("compose", more::compose_is_old(version, &path), more::replace_compose(&path))
            };
            finding.with(&**version, "2.8")
        }
    }
}

fn running(description: &Description, demand: &Demand<'_>) -> Vec<Finding> {
    let version = &description.version;
    let engine = if description.flavour == Flavour::Podman {
        Finding::fail("engine", text::engine_is_podman(version), text::use_private_engine())
    } else if description.release() < OLDEST {
        Finding::fail("engine", text::engine_too_old(version), text::use_private_engine())
    } else if description.root.starts_with("/var/snap") {
        Finding::fail("engine", text::engine_is_snap(version), text::use_private_engine())
    } else if description.rootless {
        Finding::fail("engine", text::engine_is_rootless(version), text::use_private_engine())
    } else if description.quirks.is_desktop {
        Finding::fail("engine", more::engine_is_desktop(version), text::use_private_engine())
    } else if is_before_clone3(version) {
        Finding::warn("engine", more::engine_kills_new_programs(version), more::update_engine_or_private())
    } else {
        Finding::pass("engine", text::engine_usable(version))
    };
    let mut findings = vec![engine.with(&**version, "20.10")];
    if let Store::GraphDriver(driver) = &description.store
        && SLOW_DRIVERS.contains(&driver.as_str())
    {
        findings.push(
            Finding::warn("engine-driver", more::driver_is_slow(driver), more::change_driver())
                .with(&**driver, "overlay2"),
        );
    }
    let dir = demand.layout.dir.display().to_string();
    if description.quirks.remaps_users {
        findings.push(Finding::warn("engine-users", more::users_are_remapped(), text::use_private_engine()));
    }
    if description.is_in_swarm {
        findings.push(Finding::warn("swarm", more::engine_is_in_swarm(), more::swarm_leaves_it()));
    }
    if description.quirks.uses_selinux {
        findings.push(Finding::warn("selinux", host::selinux_confines(&dir), host::label_dir(&dir)));
    }
    findings
}

/// Its seccomp profile answers newer system calls with EPERM, which current C libraries take for a refusal (moby#42680).
fn is_before_clone3(version: &str) -> bool {
    let patch = version.strip_prefix("20.10.").map(|rest| rest.split(|c: char| !c.is_ascii_digit()));
    patch.and_then(|mut parts| parts.next()?.parse::<u32>().ok()).is_some_and(|patch| patch < 10)
}

/// The command that installs packages on this distribution.
pub(super) fn package_command(family: Family, packages: &[&str]) -> String {
    let packages = packages.join(" ");
    match family {
        Family::Debian => format!("{SUDO}apt-get install {packages}"),
        Family::RedHat => format!("{SUDO}yum install {packages}"),
        Family::Suse => format!("{SUDO}zypper install {packages}"),
        Family::Other => packages,
    }
}

/// Everything that speaks against installing the engine that the bundle carries.
fn install(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let Some(parts) = &demand.content.engine else {
        return vec![Finding::fail("engine", text::no_engine_anywhere(), text::install_docker_first())];
    };
    let version = parts.version.as_deref().unwrap_or("?");
    let is_private = demand.choice == EngineChoice::Private;
    let control = control_command(facts, demand);
    let mut findings = vec![Finding::pass(
        "engine",
        if is_private {
            text::private_engine_will_be_placed(version)
        } else {
            text::engine_will_be_installed(version)
        },
    )];
    findings.extend(super::kernel::check(facts, demand));
    findings.extend(commands(facts));
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
            text::start_after_reboot(&control),
        ));
    } else {
        if facts.machine.has_foreign_containerd {
            findings.push(Finding::fail(
                "containerd",
                text::foreign_containerd(),
                text::use_private_beside_containerd(),
            ));
        }
        findings.extend(broken_config(facts));
        if let Some(unit) = &facts.project.foreign_unit {
            let unit = unit.display().to_string();
            findings.push(Finding::fail(
                "unit",
                text::unit_is_foreign(&unit),
                text::remove_unit_or_private(&unit),
            ));
        }
        if !facts.machine.has_systemd {
            findings.push(Finding::warn("reboot", text::no_systemd(), text::start_after_reboot(&control)));
        }
        findings.extend(leftovers(facts, demand));
    }
    findings
}

/// How `<app>ctl` will be called once it is installed.
fn control_command(facts: &Facts, demand: &Demand<'_>) -> String {
    let is_linked = demand.choice != EngineChoice::Private && facts.project.other_command.is_none();
    demand.layout.control_command_if(&demand.content.app.name, is_linked)
}

/// A configuration that we would have to complete, and cannot understand.
fn broken_config(facts: &Facts) -> Option<Finding> {
    let why = facts.project.config_error.as_ref()?;
    let path = EngineHome::System.config().display().to_string();
    Some(Finding::fail("daemon-json", text::config_unreadable(&path, why), text::mend_config(&path)))
}

/// Commands that an engine calls.
fn commands(facts: &Facts) -> Option<Finding> {
    let missing = &facts.machine.missing_commands;
    if missing.is_empty() {
        return None;
    }
    // The package of modprobe has another name.
    let package = |name: &String| if name == "modprobe" { "kmod" } else { "iptables" };
    let command = package_command(facts.machine.family, &missing.iter().map(package).collect::<Vec<_>>());
    let (text, todo) = (text::commands_missing(&missing.join(", ")), text::install_commands(&command));
    // modprobe is only wanted; without iptables the daemon does not start.
    Some(if missing.iter().any(|name| name == "iptables") {
        Finding::fail("commands", text, todo)
    } else {
        Finding::warn("commands", text, todo)
    })
}

/// What an engine that was here before us has left behind.
fn leftovers(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    if facts.project.receipt.is_some() {
        return Vec::new();
    }
    let mut findings = Vec::new();
    if facts.project.has_prior_images {
        let root = facts.project.data_root(&EngineHome::System).display().to_string();
        findings.push(Finding::warn(
            "engine-data",
            more::data_of_earlier(&root),
            more::move_data_away(&root),
        ));
    }
    if let Some((path, is_podman)) = &facts.machine.docker_command {
        let path = path.display().to_string();
        let text = if *is_podman { more::docker_is_podman(&path) } else { more::docker_stays(&path) };
        let todo = more::manage_by_control(&control_command(facts, demand));
        findings.push(Finding::warn("docker-command", text, todo));
    }
    findings
}
