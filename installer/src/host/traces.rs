//! What an engine leaves in the kernel's network when it has ended: chains and rules in the packet filter, its bridge, the switch for
//! forwarding. Nobody but the next boot would take them away. Noted before an engine of ours starts for the first time, and taken
//! back when it goes.
//!
//! Only what is an engine's by its name and place, and was not there before, is taken back; what somebody has put into the chain that
//! is there for it (`DOCKER-USER`) stays with that chain. Not here: the host's own firewall (`firewall`),
//! and what is to be taken back (`undo`).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::{fault, process};
use crate::outcome::{Failure, Outcome};
use crate::text::problem;

mod undo;

pub use undo::Before;
use undo::{BRIDGE, has_only_been_opened, network_in, to_undo};

/// The two packet filters, each with its tables that an engine writes to.
const FILTERS: [(&str, &[&str]); 2] =
    [("iptables", &["filter", "nat", "raw"]), ("ip6tables", &["filter", "nat", "raw"])];
/// How long another program may hold the packet filter, in seconds.
const LOCK_LIMIT: &str = "10";
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
const FORWARDING: &str = "/proc/sys/net/ipv4/ip_forward";
/// Set by the kernel to the opposite of whatever forwarding is switched to (`inet_forward_change`).
const REDIRECTS: &str = "/proc/sys/net/ipv4/conf/all/accept_redirects";

/// Notes what is there now.
pub fn note() -> Before {
    Before {
        boot_id: read(BOOT_ID).trim().to_owned(),
        rules: all_rules(),
        links: names_in("/sys/class/net"),
        is_forwarding: is_forwarding(),
        redirects: read(REDIRECTS),
    }
}

/// Takes back what has come since. What cannot be taken back now goes with the next boot. Where another engine runs, or something is
/// connected to the bridge, everything stays: it may use the same chains. Forwarding that the machine's own
/// files ask for stays on.
///
/// # Errors
/// What cannot be started or written, and why.
pub fn take_back(before: &Before, is_forwarding_wanted: bool) -> Outcome<()> {
    let is_in_use = !names_in(&format!("/sys/class/net/{BRIDGE}/brif")).is_empty();
    if is_in_use || process::is_any_named("dockerd") {
        return Ok(());
    }
    let subnet = subnet()?;
    for (name, old) in &before.rules {
        let Some((tool, table)) = name.split_once(' ') else { continue };
        let Some((tool, _)) = FILTERS.iter().find(|(known, _)| *known == tool) else { continue };
        for arguments in to_undo((table, subnet.as_deref()), old, &rules(tool, table)?.unwrap_or_default()) {
            filter(tool, table, &arguments)?;
        }
    }
    if !before.links.contains(BRIDGE) && Path::new("/sys/class/net").join(BRIDGE).exists() {
        run("ip", process::command("ip").args(["link", "delete", BRIDGE]))?;
    }
    if is_forwarding_wanted || !has_only_been_opened(before, &note()) {
        return Ok(());
    }
    // Closed before it is open to all: whoever is killed in between has a machine that passes nothing on.
    if is_forwarding() {
        write(FORWARDING, "0\n")?;
    }
    if !is_forwarding() {
        write(REDIRECTS, &before.redirects)?;
        filter("iptables", "filter", &["-P", "FORWARD", "ACCEPT"].map(str::to_owned))?;
    }
    Ok(())
}

fn rules(tool: &'static str, table: &str) -> Outcome<Option<Vec<String>>> {
    let listed = filter(tool, table, &["-S".to_owned()])?;
    Ok(listed.map(|listed| listed.lines().map(|line| line.trim_end().to_owned()).collect()))
}

/// What a packet filter's tool says; nothing where it says no.
fn filter(tool: &'static str, table: &str, arguments: &[String]) -> Outcome<Option<String>> {
    run(tool, process::command(tool).args(["-w", LOCK_LIMIT, "-t", table]).args(arguments))
}

/// What a program says; nothing where it says no, or is not there.
fn run(program: &'static str, command: &mut Command) -> Outcome<Option<String>> {
    if process::find(program).is_none() {
        return Ok(None);
    }
    let not_started =
        |error| Failure::midway(problem::not_started(&program)).because(&error).todo(problem::run_again());
    let finished = process::run(command).map_err(not_started)?;
    Ok(finished.status.success().then_some(finished.stdout))
}

/// The network behind the engine's bridge, as a packet filter writes it.
fn subnet() -> Outcome<Option<String>> {
    let shown = run("ip", process::command("ip").args(["-4", "-o", "address", "show", "dev", BRIDGE]))?;
    Ok(shown.as_deref().and_then(network_in))
}

fn all_rules() -> BTreeMap<String, Vec<String>> {
    let tables = FILTERS.iter().flat_map(|(tool, tables)| tables.iter().map(move |table| (*tool, *table)));
    tables.filter_map(|(tool, table)| Some((format!("{tool} {table}"), rules(tool, table).ok()??))).collect()
}

fn names_in(folder: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}

fn is_forwarding() -> bool {
    let links = names_in("/proc/sys/net/ipv4/conf");
    read(FORWARDING).trim() == "1"
        || links.iter().any(|link| read(&format!("/proc/sys/net/ipv4/conf/{link}/forwarding")).trim() == "1")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn write(path: &str, value: &str) -> Outcome<()> {
    let path = Path::new(path);
    fault::pass(fault::Act::Write, path)
        .and_then(|()| std::fs::write(path, value))
        .map_err(|error| Failure::midway(problem::cannot_write(&path.display())).refused(&error, path))
}
