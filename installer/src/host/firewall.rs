//! The host's firewall: which one is active, and opening and closing TCP ports in it, for now and for after a reboot.
//!
//! Only ports that were closed are opened, and only what was opened is closed again.

use std::collections::{BTreeMap, BTreeSet};

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

/// What has to be opened for a port.
pub fn closed(tool: Tool, port: u16) -> Vec<Opening> {
    let opening = |zone, permanent| Opening { tool, zone, permanent, port, replaced: Vec::new() };
    let wanted = match tool {
        Tool::Ufw => {
            let rules = said("ufw", &["show", "added"]).unwrap_or_default();
            let replaced = rule_for(&rules, &format!("{port}/tcp"));
            vec![Opening { replaced, ..opening(None, true) }]
        }
        Tool::Firewalld => {
            let both = |zone: String| [opening(Some(zone.clone()), true), opening(Some(zone), false)];
            zones().into_iter().flat_map(both).collect()
        }
    };
    wanted.into_iter().filter(|opening| !is_open(opening)).collect()
}

/// Whether an opening is there.
pub fn is_open(opening: &Opening) -> bool {
    let port = format!("{}/tcp", opening.port);
    match opening.tool {
        Tool::Firewalld => succeeds("firewall-cmd", &with_zone(opening, &format!("--query-port={port}"))),
        Tool::Ufw => said("ufw", &["show", "added"]).is_some_and(|rules| has_rule(&rules, &port)),
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
            let arguments = ["allow", &port, "comment", app].map(str::to_owned);
            run("ufw", &arguments)
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
        Tool::Ufw if process::find("ufw").is_none() || !is_open(opening) => Ok(()),
        Tool::Ufw if opening.replaced.is_empty() => {
            run("ufw", &["delete", "allow", &port].map(str::to_owned))
        }
        Tool::Ufw => run("ufw", &opening.replaced),
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

/// Reads `ufw show added`, the rules as they would be typed: does one let a port of TCP through?
fn has_rule(rules: &str, port: &str) -> bool {
    // `ufw allow 80` is for UDP too, and what is limited is open to whoever does not come too often.
    let lets_through = |(action, target, _): &Rule<'_>| {
        ["allow", "limit"].contains(&first_word(action))
            && (*target == port || Some(*target) == port.strip_suffix("/tcp"))
    };
    rules.lines().filter_map(rule).any(|rule| lets_through(&rule))
}

/// The rule for exactly this port, as arguments of ufw: it is the one that ufw replaces by ours, whatever it says.
fn rule_for(rules: &str, port: &str) -> Vec<String> {
    let Some((action, _, comment)) = rules.lines().filter_map(rule).find(|(_, target, _)| *target == port)
    else {
        return Vec::new();
    };
    let comment = comment.map(|comment| ["comment", comment]);
    action.split(' ').chain([port]).chain(comment.into_iter().flatten()).map(str::to_owned).collect()
}

/// What is done, to what, and the comment.
type Rule<'a> = (&'a str, &'a str, Option<&'a str>);

/// Reads a line of `ufw show added`, as `ufw deny log 80/tcp comment 'web'`. Rules for some directions, interfaces or addresses have
/// more words, which end up in what is done.
fn rule(line: &str) -> Option<Rule<'_>> {
    let rule = line.trim().strip_prefix("ufw ")?;
    let (rule, comment) =
        rule.split_once(" comment ").map_or((rule, None), |(rule, text)| (rule, Some(text)));
    let (action, target) = rule.rsplit_once(' ')?;
    let is_simple = matches!(action.split(' ').nth(1), None | Some("log" | "log-all"));
    is_simple.then(|| (action, target, comment.map(|text| text.trim_matches('\''))))
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
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
    fn a_rule_that_is_there_is_known_however_it_was_written() {
        let rules = "Added user rules (see 'ufw status' for running firewall):\nufw allow 22/tcp\nufw allow 8080\nufw allow 443/tcp comment 'web'\nufw deny 80/tcp\nufw allow from 10.0.0.0/8 to any port 81 proto tcp\nufw limit 82/tcp\nufw allow out 83/tcp comment 'x'\nufw allow log 84/tcp\n";
        for (port, expected) in [
            ("22/tcp", true),
            ("8080/tcp", true),
            ("443/tcp", true),
            ("80/tcp", false),
            ("81/tcp", false),
            ("82/tcp", true),
            ("83/tcp", false),
            ("84/tcp", true),
            ("2/tcp", false),
        ] {
            assert_eq!(has_rule(rules, port), expected, "{port}");
        }
    }

    #[test]
    fn a_rule_that_is_replaced_is_known_in_full() {
        let rules =
            "ufw deny log 80/tcp comment 'no web'\nufw reject 81/tcp\nufw deny 82\nufw deny out 83/tcp\n";
        assert_eq!(rule_for(rules, "80/tcp"), ["deny", "log", "80/tcp", "comment", "no web"]);
        assert_eq!(rule_for(rules, "81/tcp"), ["reject", "81/tcp"]);
        for other in ["82/tcp", "83/tcp", "8/tcp"] {
            assert!(rule_for(rules, other).is_empty(), "{other}");
        }
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
        };
        assert_eq!(
            with_zone(&opening, "--add-port=80/tcp"),
            ["--permanent", "--zone=public", "--add-port=80/tcp"]
        );
        assert_eq!(with_zone(&Opening { permanent: false, zone: None, ..opening }, "--x"), ["--x"]);
    }
}
