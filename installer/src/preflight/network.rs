//! Do Docker's networks collide with those that are there, can names be resolved, does a firewall stand before our ports?

use std::net::{IpAddr, Ipv4Addr};

use bundle_spec::question::{Question, QuestionKind};

use super::{Demand, Finding};
use crate::facts::firewall::Firewall;
use crate::facts::route::Net;
use crate::facts::{EngineChoice, EngineFacts, Facts};
use crate::layout::EngineHome;
use crate::step::open_firewall;
use crate::text::finding::network as text;
use crate::text::sudo::SUDO;
use crate::text::{Message, finding, summary};

/// Networks that a project makes where the bundle does not say.
const USUAL_NETWORKS: usize = 1;

/// Where a network is looked for that Docker could have instead.
const SPARE: (Net, u8) = (Net::new(Ipv4Addr::new(10, 192, 0, 0), 10), 16);

pub(super) fn check(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    // The networks of an application that is there are made already.
    if facts.project.receipt.is_none() {
        findings.extend(pools(facts, demand));
    }
    findings.extend(names(facts, demand));
    findings.extend(firewall(facts, demand));
    if facts.access.is_unsaved {
        let (text, todo) = (text::firewall_is_unsaved(), text::save_firewall());
        findings.push(Finding::warn("firewall-unsaved", text, todo));
    }
    let surroundings = &facts.surroundings;
    if let Some(client) = surroundings.ssh_client {
        findings.push(Finding::pass(
            "ssh",
            if surroundings.in_multiplexer {
                text::in_multiplexer()
            } else {
                text::over_ssh(&client.to_string())
            },
        ));
    }
    findings
}

/// Docker leaves out networks that have a route here. It knows nothing of those that are reached through a router, and
/// whoever sits in one of them loses the connection.
fn pools(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    let routes = &facts.surroundings.routes;
    let is_free = |net: &Net| !routes.iter().any(|route| route.overlaps(*net));
    let is_absent = !matches!(facts.engine, EngineFacts::Running { .. });
    // A private engine has no default bridge.
    let makes_bridge = is_absent && demand.choice != EngineChoice::Private;
    let networks = demand.content.project.footprint.networks.map_or(USUAL_NETWORKS, |count| count as usize);
    let pools = &facts.project.address_pools;
    let configured = pools.nets.iter().flat_map(|(base, size)| base.split(*size));
    let defaults = (17..=31).map(|second| Net::new(Ipv4Addr::new(172, second, 0, 0), 16));
    let defaults = defaults.chain(Net::new(Ipv4Addr::new(192, 168, 0, 0), 16).split(20));
    let defaults = defaults.filter(|_| pools.nets.is_empty());
    let wanted = networks + usize::from(makes_bridge && pools.bridge.is_none());
    let mut taken: Vec<Net> = configured.chain(defaults).filter(is_free).take(wanted).collect();
    if taken.len() < wanted {
        let todo = choose_pool(facts, demand, is_absent);
        return vec![Finding::fail("address-pool", text::pools_are_used_up(), todo)];
    }
    if let Some(bridge) = pools.bridge.filter(|_| makes_bridge) {
        taken.insert(0, bridge);
    }
    let mut findings = Vec::new();
    for (what, address) in peers(facts, demand) {
        let Some(position) = taken.iter().position(|net| net.contains(address)) else { continue };
        let (net, shown) = (taken[position].to_string(), address.to_string());
        let todo = if pools.bridge.is_some() && makes_bridge && position == 0 {
            text::choose_bridge(&spare(facts, demand), &EngineHome::System.config().display().to_string())
        } else {
            choose_pool(facts, demand, is_absent)
        };
        // The bridge of a new engine is certain to come; what Compose will get is another engine's choice.
        findings.push(if makes_bridge && position == 0 {
            Finding::fail("address-pool", text::pool_covers(&net, &what, &shown), todo).with(net, None)
        } else {
            Finding::warn("address-pool", text::pool_may_cover(&net, &what, &shown), todo).with(net, None)
        });
    }
    findings.dedup();
    if findings.is_empty() {
        findings.push(Finding::pass("address-pool", text::pools_fit()));
    }
    findings
}

/// Addresses that must stay within reach, and what each is.
fn peers(facts: &Facts, demand: &Demand<'_>) -> Vec<(Message, Ipv4Addr)> {
    let surroundings = &facts.surroundings;
    let v4 = |address: IpAddr| match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(address) => address.to_ipv4_mapped(),
    };
    let ssh = surroundings.ssh_client.and_then(v4).map(|address| (text::your_ssh(), address));
    let gateways = surroundings.gateways.iter().map(|address| (text::a_gateway(), *address));
    let servers =
        surroundings.nameservers.iter().filter_map(|address| Some((text::a_nameserver(), v4(*address)?)));
    let answers = hosts(demand)
        .filter_map(|(question, host)| Some((text::the_answer(question.id.as_str()), host.parse().ok()?)));
    ssh.into_iter().chain(gateways).chain(servers).chain(answers).collect()
}

/// The hosts that answers name.
fn hosts<'a>(demand: &'a Demand<'_>) -> impl Iterator<Item = (&'a Question, String)> {
    demand.content.questions.iter().filter_map(|question| {
        let answer = demand.answers.of(question.id.as_str())?.reveal();
        let host = match question.kind {
            QuestionKind::Host => answer.to_owned(),
            QuestionKind::Url => answer.parse::<hyper::Uri>().ok()?.host()?.to_owned(),
            _ => return None,
        };
        Some((question, host.trim_matches(['[', ']']).to_owned())).filter(|(_, host)| !host.is_empty())
    })
}

/// A network that neither a route nor somebody who must stay within reach is in.
fn spare(facts: &Facts, demand: &Demand<'_>) -> String {
    let peers = peers(facts, demand);
    let is_free = |net: &Net| {
        !facts.surroundings.routes.iter().any(|route| route.overlaps(*net))
            && !peers.iter().any(|(_, address)| net.contains(*address))
    };
    SPARE.0.split(SPARE.1).find(is_free).unwrap_or(SPARE.0).to_string()
}

fn choose_pool(facts: &Facts, demand: &Demand<'_>, is_absent: bool) -> Message {
    let spare = spare(facts, demand);
    let path = EngineHome::System.config().display().to_string();
    if is_absent { text::choose_pool(&spare, &path) } else { text::choose_pool_and_restart(&spare, &path) }
}

/// A host without a name server is no fault on an island, unless an answer wants one.
fn names(facts: &Facts, demand: &Demand<'_>) -> Option<Finding> {
    let is_name = |host: &str| host.parse::<IpAddr>().is_err() && host != "localhost";
    let named: Vec<_> =
        hosts(demand).filter(|(_, host)| is_name(host)).map(|(question, _)| question.id.as_str()).collect();
    if named.is_empty() {
        return None;
    }
    let (named, servers) = (named.join(", "), &facts.surroundings.nameservers);
    Some(if servers.is_empty() {
        Finding::warn("dns", text::names_cannot_resolve(&named), text::give_addresses())
    } else if servers.iter().all(IpAddr::is_loopback) {
        Finding::warn("dns", text::names_cannot_resolve_inside(&named), text::give_addresses())
    } else {
        Finding::pass("dns", text::names_resolve())
    })
}

/// Ports that the active firewall keeps from other machines, and stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// The firewall.
    pub name: &'static str,
    /// The ports; none where it lets all of them through, or will.
    pub ports: Vec<u16>,
    /// It lets some through only once the installation has opened them.
    pub will_be_opened: bool,
    /// What opens the ports.
    pub command: String,
}

/// Where the vendor says which ports are for other machines, nobody misses the others.
pub fn blocked(facts: &Facts, demand: &Demand<'_>) -> Option<Blocked> {
    let firewall = facts.firewall.as_ref()?;
    let (content, answers) = (demand.content, demand.answers);
    let mut ports: Vec<u16> = if asks_to_open(demand) {
        open_firewall::public(content, answers)
    } else {
        super::port::wanted(demand).map(|(port, _)| port).collect()
    };
    ports.sort_unstable();
    ports.dedup();
    let mut blocked: Vec<_> = ports.into_iter().filter(|port| !firewall.lets_through(*port)).collect();
    let name = match firewall {
        Firewall::Firewalld { .. } => "firewalld",
        Firewall::Ufw(_) => "ufw",
    };
    let all = blocked.len();
    // What the step will open stands in nobody's way.
    let opened =
        if facts.access.firewall.is_some() { open_firewall::wanted(content, answers) } else { vec![] };
    blocked.retain(|port| !opened.contains(port));
    let command: String = match firewall {
        Firewall::Firewalld { .. } => {
            let ports = blocked.iter().map(|port| format!(" --add-port={port}/tcp"));
            format!(
                "{SUDO}firewall-cmd --permanent{} && {SUDO}firewall-cmd --reload",
                ports.collect::<String>()
            )
        }
        Firewall::Ufw(rules) => {
            let commands = blocked.iter().flat_map(|port| rules.openers(*port));
            commands.map(|words| format!("{SUDO}ufw {}", words.join(" "))).collect::<Vec<_>>().join(" && ")
        }
    };
    Some(Blocked { name, will_be_opened: blocked.len() < all, ports: blocked, command })
}

/// Whether the operator is asked if ports shall be opened.
fn asks_to_open(demand: &Demand<'_>) -> bool {
    !demand.content.public_ports.is_empty()
}

fn firewall(facts: &Facts, demand: &Demand<'_>) -> Option<Finding> {
    let Blocked { name, ports, will_be_opened, command } = blocked(facts, demand)?;
    if ports.is_empty() {
        let text = if will_be_opened {
            text::firewall_will_be_opened(name)
        } else {
            text::firewall_lets_through(name)
        };
        return Some(Finding::pass("firewall", text));
    }
    let todo =
        if asks_to_open(demand) { text::let_open_firewall(&command) } else { text::open_firewall(&command) };
    let list = listed(&ports);
    Some(Finding::warn("firewall", text::firewall_blocks(name, &list), todo).with(name, list))
}

/// Ports for people.
fn listed(ports: &[u16]) -> String {
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
}

/// What to know at the end: nobody but this machine reaches the page that was just praised.
pub fn still_shut(facts: &Facts, demand: &Demand<'_>) -> Option<Message> {
    let blocked = blocked(facts, demand).filter(|blocked| !blocked.ports.is_empty())?;
    Some(summary::still_shut(blocked.name, &listed(&blocked.ports), &blocked.command))
}

/// A subnet that the Compose file fixes, against the routes of this machine.
pub(super) fn subnets(facts: &Facts, demand: &Demand<'_>) -> Vec<Finding> {
    if facts.project.receipt.is_some() {
        return Vec::new();
    }
    let nets = demand.content.project.footprint.subnets.iter().filter_map(|text| Net::parse(text));
    let taken = |net: Net| {
        let peers = peers(facts, demand);
        let peer = peers.iter().find(|(_, address)| net.contains(*address));
        let peer = peer.map(|(what, address)| Message {
            en: format!("{address} ({})", what.en),
            zh: format!("{address}（{}）", what.zh),
        });
        let route = facts.surroundings.routes.iter().find(|route| route.overlaps(net));
        let what = peer.or_else(|| route.map(|route| finding::engine::a_route(&route.to_string())))?;
        let text = finding::engine::subnet_taken(&net.to_string(), &what);
        Some(Finding::fail("subnet", text, finding::engine::ask_vendor_for_subnet()))
    };
    nets.filter_map(taken).collect()
}
