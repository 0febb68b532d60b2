//! Are the ports free, or held by this very application?

use super::{Demand, Finding};
use crate::facts::network::Listener;
use crate::facts::{Facts, Inventory};
use crate::text::{Message, finding as text};

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let number = |port: &str| demand.answers.expand(port).ok().and_then(|port| port.parse::<u16>().ok());
    let ports = &demand.content.requirements.ports;
    let mut wanted: Vec<(u16, &str)> =
        ports.iter().filter_map(|port| Some((number(port)?, port.as_str()))).collect();
    wanted.sort_unstable();
    let mut findings = Vec::new();
    for pair in wanted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        findings.push(Finding::fail("port-twice", text::port_twice(pair[0].0), text::choose_other_port()));
    }
    wanted.dedup_by_key(|(port, _)| *port);
    for (port, template) in wanted {
        let mut on_port = facts.listeners.iter().filter(|listener| listener.port == port).peekable();
        let is_held = on_port.peek().is_some();
        let foreign = on_port.find(|listener| !is_own(listener, &facts.inventory));
        findings.push(match foreign.map(|holder| &holder.owner) {
            None if is_held => Finding::pass("port", text::port_is_ours(port)),
            None => Finding::pass("port", text::port_free(port)),
            Some(Some(owner)) => {
                Finding::fail("port", text::port_taken_by(port, &owner.name, owner.pid), free(port, template))
            }
            Some(None) => Finding::fail("port", text::port_taken(port), free(port, template)),
        });
    }
    findings
}

/// What to do about a port that is taken: a `{question}` can be answered with another one.
fn free(port: u16, template: &str) -> Message {
    match template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(id) => text::free_port_or_set(port, id),
        None => text::free_port(port),
    }
}

/// A port that our own containers hold is no conflict: this is a second run, or an upgrade.
fn is_own(listener: &Listener, inventory: &Inventory) -> bool {
    let Some(owner) = &listener.owner else { return false };
    inventory.containers.iter().any(|container| {
        let is_inside = !container.id.is_empty() && owner.cgroup.contains(&container.id);
        // On cgroup v2 with a private namespace the path is relative; the first process at least is known by id.
        is_inside || i64::from(owner.pid) == container.pid
    }) || (owner.name == "docker-proxy"
        && inventory.containers.iter().any(|container| container.state == "running"))
}
