//! The host's firewall: which one is active, and opening and closing TCP ports in it, for now and for after a reboot.
//!
//! Only ports that were closed are opened, and only what was opened is closed again.

pub mod ufw;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::process::{self, Finished};

/// The firewalls that distributions come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// firewalld.
    Firewalld,
    /// ufw.
    Ufw,
}

/// One thing that we open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    /// In which firewall.
    pub tool: Tool,
    /// firewalld's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// firewalld keeps what holds now apart from what holds after a reload; ufw does not.
    pub permanent: bool,
    /// TCP port.
    pub port: u16,
    /// The rule of ufw that this one takes the place of, as arguments that bring it back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// Where that rule stood, counted from one, if ours does not stand there: behind one that refused the port as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<usize>,
}

/// Zones that firewalld itself or an engine manages, and in which nothing has to be opened.
const OTHER_ZONES: [&str; 3] = ["docker", "libvirt", "trusted"];

/// The firewall that is active.
pub fn active() -> Option<Tool> {
    if process::find("firewall-cmd").is_some() && succeeds("firewall-cmd", &["--state"]) {
        return Some(Tool::Firewalld);
    }
    process::find("ufw")?;
    said("ufw", &["status"]).filter(|text| text.contains("Status: active")).map(|_| Tool::Ufw)
}

/// What has to be opened for a port of this application.
pub fn closed(tool: Tool, port: u16, app: &str) -> Vec<Opening> {
    let opening = |zone, permanent| Opening { tool, zone, permanent, port, replaced: vec![], place: None };
    let wanted = match tool {
        Tool::Ufw => {
            let (replaced, place) = ufw_rules().replaced(port, app);
            vec![Opening { replaced, place, ..opening(None, true) }]
        }
        Tool::Firewalld => {
            let both = |zone: String| [opening(Some(zone.clone()), true), opening(Some(zone), false)];
            zones().into_iter().flat_map(both).collect()
        }
    };
    wanted.into_iter().filter(|opening| !is_open(opening)).collect()
}

/// Whether an opening is there, or needless.
fn is_open(opening: &Opening) -> bool {
    let port = opening.port;
    match opening.tool {
        Tool::Firewalld => succeeds("firewall-cmd", &with_zone(opening, &format!("--query-port={port}/tcp"))),
        Tool::Ufw => ufw_rules().lets_through(port),
    }
}

/// Opens.
///
/// # Errors
/// What the tool said.
pub fn open(opening: &Opening, app: &str) -> Result<(), String> {
    let port = format!("{}/tcp", opening.port);
    match opening.tool {
        Tool::Firewalld => run("firewall-cmd", &with_zone(opening, &format!("--add-port={port}"))),
        Tool::Ufw => {
            let mut commands = ufw_rules().openers(opening.port);
            commands.last_mut().into_iter().for_each(|last| last.extend(["comment", app].map(str::to_owned)));
            commands.iter().try_for_each(|arguments| run("ufw", arguments))
        }
    }
}

/// Closes what we opened; what is closed already is fine, and so is a firewall that was removed.
///
/// # Errors
/// What the tool said.
pub fn close(opening: &Opening) -> Result<(), String> {
    let port = format!("{}/tcp", opening.port);
    match opening.tool {
        Tool::Ufw if process::find("ufw").is_none() => Ok(()),
        Tool::Ufw => close_ufw(opening),
        Tool::Firewalld if active() == Some(Tool::Firewalld) => {
            if !is_open(opening) {
                return Ok(());
            }
            run("firewall-cmd", &with_zone(opening, &format!("--remove-port={port}")))
        }
        // What holds for now went with the firewall itself.
        Tool::Firewalld if !opening.permanent || process::find("firewall-offline-cmd").is_none() => Ok(()),
        Tool::Firewalld => {
            let zone = opening.zone.as_ref().map(|zone| format!("--zone={zone}"));
            let arguments: Vec<String> = zone.into_iter().chain([format!("--remove-port={port}")]).collect();
            run("firewall-offline-cmd", &arguments)
        }
    }
}

/// Takes our rule out of ufw, and brings back the one that it took the place of.
fn close_ufw(opening: &Opening) -> Result<(), String> {
    let (rules, ours) = (ufw_rules(), ["allow".to_owned(), format!("{}/tcp", opening.port)]);
    let is_there = rules.has_own(opening.port);
    match opening.place {
        // It may have been cut off when the one was taken out and the other was not in yet.
        Some(place) if is_there || !rules.has_any(opening.port) => {
            if is_there {
                run("ufw", &[&["delete".to_owned()][..], &ours].concat())?;
            }
            // A place behind the last one is none that ufw knows.
            let insert = ["insert".to_owned(), place.to_string()];
            let insert = if place <= ufw_rules().count() { &insert[..] } else { &[] };
            run("ufw", &[insert, &opening.replaced].concat())
        }
        None if is_there && opening.replaced.is_empty() => {
            run("ufw", &[&["delete".to_owned()][..], &ours].concat())
        }
        None if is_there => run("ufw", &opening.replaced),
        _ => Ok(()),
    }
}

/// The rules that ufw has now. Without them, it has none.
fn ufw_rules() -> ufw::Rules {
    let [rules, settings] =
        ufw::FILES.map(|path| fs::read_to_string(Path::new("/").join(path)).unwrap_or_default());
    ufw::Rules::parse([&rules, &settings])
}

fn with_zone(opening: &Opening, what: &str) -> Vec<String> {
    let permanent = opening.permanent.then(|| "--permanent".to_owned());
    let zone = opening.zone.as_ref().map(|zone| format!("--zone={zone}"));
    permanent.into_iter().chain(zone).chain([what.to_owned()]).collect()
}

/// Whether firewalld has settings that are gone once it is reloaded; an engine that starts for the first time reloads it.
pub fn has_unsaved(tool: Tool) -> bool {
    let zones = |arguments: &[&str]| said("firewall-cmd", arguments);
    tool == Tool::Firewalld
        && match (zones(&["--list-all-zones"]), zones(&["--permanent", "--list-all-zones"])) {
            (Some(now), Some(kept)) => settings(&now) != settings(&kept),
            _ => false,
        }
}

/// Reads `firewall-cmd --list-all-zones`: the settings of each zone, in any order. Which interfaces are in it is left out: others
/// than firewalld say that again after a reload.
fn settings(zones: &str) -> BTreeMap<&str, BTreeSet<Vec<&str>>> {
    let (mut settings, mut zone) = (BTreeMap::new(), "");
    for line in zones.lines() {
        let mut words: Vec<_> = line.split_whitespace().collect();
        match words.first() {
            None | Some(&"interfaces:") => {}
            // ` (active)` or ` (default)` may stand behind the name.
            Some(name) if !line.starts_with(char::is_whitespace) => zone = name,
            Some(_) => {
                words.sort_unstable();
                settings.entry(zone).or_insert_with(BTreeSet::new).insert(words);
            }
        }
    }
    settings
}

/// The zones that other machines come in by: those with interfaces or sources, and the default one, which has all the others.
fn zones() -> Vec<String> {
    let active = said("firewall-cmd", &["--get-active-zones"]).unwrap_or_default();
    let default = said("firewall-cmd", &["--get-default-zone"]);
    let mut zones = active_zones(&active);
    zones.extend(default.filter(|zone| !zones.contains(zone) && !OTHER_ZONES.contains(&zone.as_str())));
    zones
}

/// Reads `firewall-cmd --get-active-zones`: a name on a line of its own (newer ones add ` (default)`), what belongs to it
/// indented below.
fn active_zones(text: &str) -> Vec<String> {
    let names = text.lines().filter(|line| !line.starts_with(char::is_whitespace));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| !OTHER_ZONES.contains(name)).map(str::to_owned).collect()
}

fn succeeds(program: &str, arguments: &[impl AsRef<std::ffi::OsStr>]) -> bool {
    finished(program, arguments).is_ok_and(|finished| finished.status.success())
}

fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let finished = finished(program, arguments).ok()?;
    finished.status.success().then(|| finished.stdout.trim().to_owned())
}

fn run(program: &str, arguments: &[String]) -> Result<(), String> {
    let finished = finished(program, arguments).map_err(|error| error.to_string())?;
    if finished.status.success() {
        return Ok(());
    }
    let text = if finished.stderr.trim().is_empty() { finished.stdout } else { finished.stderr };
    Err(text.trim().to_owned())
}

fn finished(program: &str, arguments: &[impl AsRef<std::ffi::OsStr>]) -> std::io::Result<Finished> {
    process::run(process::command(program).args(arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_of_engines_are_left_alone() {
        let old = "docker\n  interfaces: docker0\npublic\n  interfaces: eth0\n  sources: 10.0.0.0/8\n";
        assert_eq!(active_zones(old), ["public"]);
        assert_eq!(
            active_zones("internal\n  interfaces: eth1\npublic (default)\n  interfaces: eth0\n"),
            ["internal", "public"]
        );
        assert!(active_zones("").is_empty());
    }

    #[test]
    fn settings_that_a_reload_loses_are_seen_and_interfaces_are_none() {
        let kept = "block\n  target: %%REJECT%%\n\npublic (default)\n  interfaces: \n  ports: 7/tcp 5/tcp\n  rich rules: \n\trule a\n";
        let now = "block\n  target: %%REJECT%%\n\npublic (default, active)\n  interfaces: eth0\n  ports: 5/tcp 7/tcp\n  rich rules: \n\trule a\n";
        assert_eq!(settings(now), settings(kept));
        for (from, to) in [("5/tcp 7/tcp", "5/tcp"), ("\trule a\n", "\trule a\n\trule b\n")] {
            assert_ne!(settings(&now.replace(from, to)), settings(kept), "{to}");
        }
    }

    #[test]
    fn an_opening_is_written_as_firewalld_reads_it() {
        let opening = Opening {
            tool: Tool::Firewalld,
            zone: Some("public".into()),
            permanent: true,
            port: 80,
            replaced: vec![],
            place: None,
        };
        assert_eq!(
            with_zone(&opening, "--add-port=80/tcp"),
            ["--permanent", "--zone=public", "--add-port=80/tcp"]
        );
        assert_eq!(with_zone(&Opening { permanent: false, zone: None, ..opening }, "--x"), ["--x"]);
    }
}
