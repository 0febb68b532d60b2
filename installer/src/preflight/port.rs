//! Are the ports free, or held by this very application?

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;

use super::{Demand, Finding};
use crate::facts::Facts;
use crate::facts::network::{Listener, Owner};
use crate::text::sudo::SUDO;
use crate::text::{Message, finding as text, wizard};

/// The ports that are needed, as far as answers say which, each with how the definition names it.
pub(super) fn wanted<'a>(demand: &'a Demand<'_>) -> impl Iterator<Item = (u16, &'a str)> {
    let number = |port: &str| demand.answers.expand(port).ok().and_then(|port| port.parse::<u16>().ok());
    demand.content.requirements.ports.iter().filter_map(move |port| Some((number(port)?, port.as_str())))
}

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let mut wanted: Vec<(u16, &str)> = wanted(demand).collect();
    wanted.sort_unstable();
    let mut findings = Vec::new();
    for pair in wanted.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
        findings.push(
            Finding::fail("port-twice", text::port_twice(pair[0].0), text::choose_other_port())
                .with(u64::from(pair[0].0), None),
        );
    }
    wanted.dedup_by_key(|(port, _)| *port);
    for (port, template) in wanted {
        let mut on_port = facts.listeners.iter().filter(|listener| listener.port == port).peekable();
        let is_held = on_port.peek().is_some();
        let foreign = on_port.find(|listener| !is_own(listener, facts));
        let finding = match foreign.map(|holder| &holder.owner) {
            None if is_held => Finding::pass("port", text::port_is_ours(port)),
            None => Finding::pass("port", text::port_free(port)),
            Some(owner) => taken(port, template, owner.as_ref()),
        };
        findings.push(Finding { needed: Some(port.to_string()), ..finding });
    }
    findings
}

/// A port that somebody else holds, and how that program is stopped.
fn taken(port: u16, template: &str, owner: Option<&Owner>) -> Finding {
    let unit = owner.and_then(Owner::unit);
    let stop = match (owner, unit) {
        (_, Some(unit)) => format!("{SUDO}systemctl disable --now {unit}"),
        (Some(owner), None) if owner.name == "docker-proxy" => {
            format!("{SUDO}docker stop $({SUDO}docker ps -q --filter publish={port})")
        }
        // systemd holds it for a program that it starts when somebody calls: a socket unit.
        (Some(owner), None) if owner.pid == 1 => {
            format!("systemctl list-sockets; {SUDO}systemctl disable --now NAME.socket")
        }
        (Some(owner), None) => format!("{SUDO}kill {}", owner.pid),
        (None, None) => format!("{SUDO}ss -ltnp 'sport = :{port}'"),
    };
    let text = match (owner, unit) {
        (Some(owner), Some(unit)) => text::port_taken_by_unit(port, &owner.name, owner.pid, unit),
        (Some(owner), None) => text::port_taken_by(port, &owner.name, owner.pid),
        (None, _) => text::port_taken(port),
    };
    // A `{question}` can be answered with another port.
    let todo = match template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(id) if owner.is_none() => text::find_port_or_set(&stop, id),
        Some(id) => text::free_port_or_set(&stop, id),
        None if owner.is_none() => text::find_port(&stop),
        None => text::free_port(&stop),
    };
    let found = owner.map(|owner| format!("{} {}", owner.name, owner.pid));
    Finding { found, ..Finding::fail("port", text, todo) }
}

/// What speaks against the answer to the question `id`, at the moment when it is given: its port is held by another
/// program, is one of the application's own, or was given to a question that `is_settled`.
pub(super) fn against(
    facts: &Facts,
    content: &Content,
    answers: &Answers,
    id: &str,
    is_settled: impl Fn(&str) -> bool,
) -> Option<Message> {
    let number = |port: &str| answers.expand(port).ok().and_then(|port| port.parse::<u16>().ok());
    let name = format!("{{{id}}}");
    let ports = &content.requirements.ports;
    let own = ports.iter().find(|port| **port == name)?;
    let port = number(own)?;
    for other in ports.iter().filter(|other| *other != own && number(other) == Some(port)) {
        match other.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None => return Some(wizard::port_is_fixed(port)),
            Some(other) if is_settled(other) => {
                let other = content.questions.iter().find(|question| question.id.as_str() == other)?;
                return Some(wizard::port_is_answer(port, &Message::from(&other.prompt)));
            }
            Some(_) => {}
        }
    }
    let mut on_port = facts.listeners.iter().filter(|listener| listener.port == port);
    let holder = on_port.find(|listener| !is_own(listener, facts))?;
    Some(match &holder.owner {
        Some(owner) => wizard::port_is_taken(port, &owner.name, owner.pid),
        None => wizard::port_is_taken_by_somebody(port),
    })
}

/// A port that our own containers hold is no conflict: this is a second run, or an upgrade. Containers outlive an engine that was killed;
/// one of ours takes them over when it starts, and until then it cannot be asked whose they are.
fn is_own(listener: &Listener, facts: &Facts) -> bool {
    let Some(owner) = &listener.owner else { return false };
    if facts.engine.description().is_none() && owner.is_of_our_engine {
        return true;
    }
    facts.inventory.containers.iter().any(|container| {
        let is_inside = !container.id.is_empty() && owner.cgroup.contains(&container.id);
        // On cgroup v2 with a private namespace the path is relative; the first process at least is known by id.
        is_inside
            || i64::from(owner.pid) == container.pid
            || (owner.name == "docker-proxy"
                && container.state == "running"
                && container.published.contains(&listener.port))
    })
}
