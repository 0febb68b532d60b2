//! The host's firewall: which one is active, and opening and closing TCP ports in it, for now and for after a reboot.
//!
//! Only ports that were closed are opened, and only what was opened is closed again.

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
    let wanted = match tool {
        Tool::Ufw => vec![Opening { tool, zone: None, permanent: true, port }],
        Tool::Firewalld => {
            let opening =
                |zone: &String, permanent| Opening { tool, zone: Some(zone.clone()), permanent, port };
            zones().iter().flat_map(|zone| [opening(zone, true), opening(zone, false)]).collect()
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
        Tool::Ufw => run("ufw", &["delete", "allow", &port].map(str::to_owned)),
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

/// The zones that other machines come in by: those with interfaces, else the default one.
fn zones() -> Vec<String> {
    let active = said("firewall-cmd", &["--get-active-zones"]).unwrap_or_default();
    let zones = active_zones(&active);
    if zones.is_empty() { said("firewall-cmd", &["--get-default-zone"]).into_iter().collect() } else { zones }
}

/// Reads `firewall-cmd --get-active-zones`: a name on a line of its own (newer ones add ` (default)`), what belongs to it
/// indented below.
fn active_zones(text: &str) -> Vec<String> {
    let names = text.lines().filter(|line| !line.starts_with(char::is_whitespace));
    let names = names.filter_map(|line| line.split_whitespace().next());
    names.filter(|name| !OTHER_ZONES.contains(name)).map(str::to_owned).collect()
}

/// Reads `ufw show added`: the rules as they would be typed.
fn has_rule(rules: &str, port: &str) -> bool {
    rules.lines().any(|line| {
        let rule = line.trim().strip_prefix("ufw allow ").unwrap_or_default();
        let rule = rule.split(" comment ").next().unwrap_or_default().trim();
        // `ufw allow 80` is for UDP too.
        rule == port || Some(rule) == port.strip_suffix("/tcp")
    })
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
        let rules = "Added user rules (see 'ufw status' for running firewall):\nufw allow 22/tcp\nufw allow 8080\nufw allow 443/tcp comment 'web'\nufw deny 80/tcp\nufw allow from 10.0.0.0/8 to any port 81 proto tcp\n";
        for (port, expected) in [
            ("22/tcp", true),
            ("8080/tcp", true),
            ("443/tcp", true),
            ("80/tcp", false),
            ("81/tcp", false),
            ("2/tcp", false),
        ] {
            assert_eq!(has_rule(rules, port), expected, "{port}");
        }
    }

    #[test]
    fn an_opening_is_written_as_firewalld_reads_it() {
        let opening =
            Opening { tool: Tool::Firewalld, zone: Some("public".into()), permanent: true, port: 80 };
        assert_eq!(
            with_zone(&opening, "--add-port=80/tcp"),
            ["--permanent", "--zone=public", "--add-port=80/tcp"]
        );
        assert_eq!(with_zone(&Opening { permanent: false, zone: None, ..opening }, "--x"), ["--x"]);
    }
}
