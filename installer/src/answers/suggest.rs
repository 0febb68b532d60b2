//! What the machine itself suggests for questions: its own addresses, the most likely first. Pure.

use std::net::IpAddr;

use bundle_spec::question::{Question, Suggest};

use crate::facts::address::HostAddress;

/// Beginnings of interfaces' names that engines, hypervisors and networks of containers make for themselves.
const VIRTUAL: [&str; 11] =
    ["docker", "br-", "veth", "virbr", "vmnet", "cni", "flannel", "cali", "podman", "lxc", "tunl"];

/// The addresses under which others may reach this machine: network cards first, then by whether the way to everywhere else
/// leads there; IPv4 before IPv6. Link-local addresses, and those of bridges that engines made, are no use to anybody.
/// Loopback is suggested where there is nothing else.
#[must_use]
pub fn addresses(found: &[HostAddress]) -> Vec<IpAddr> {
    let is_of_use = |one: &&HostAddress| {
        let name = one.interface.as_deref().unwrap_or_default();
        !VIRTUAL.iter().any(|start| name.starts_with(start)) && !is_link_local(one.address)
    };
    let mut others: Vec<_> = found
        .iter()
        .filter(is_of_use)
        .filter(|one| !one.address.is_loopback() && !one.address.is_unspecified())
        .collect();
    others.sort_by_key(|one| (one.address.is_ipv6(), !one.is_physical, !one.is_default));
    let mut addresses: Vec<IpAddr> = others.into_iter().map(|one| one.address).collect();
    if addresses.is_empty() {
        addresses.extend(found.iter().map(|one| one.address).find(IpAddr::is_loopback));
    }
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    addresses
}

/// What an unattended run takes where nothing was given and the question wants a suggestion: the first address.
pub fn defaults(questions: &[Question], addresses: &[IpAddr]) -> Vec<(String, String)> {
    let wants = questions.iter().filter(|question| question.suggest == Some(Suggest::Addresses));
    wants.filter_map(|question| Some((question.id.to_string(), addresses.first()?.to_string()))).collect()
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Address, interface, whether that is physical, whether the default route leads there.
    type Row<'a> = (&'a str, &'a str, bool, bool);

    fn found(list: &[Row<'_>]) -> Vec<HostAddress> {
        let one = |(address, name, is_physical, is_default): &Row<'_>| HostAddress {
            address: address.parse().unwrap(),
            interface: Some((*name).to_owned()),
            is_physical: *is_physical,
            is_default: *is_default,
        };
        list.iter().map(one).collect()
    }

    #[test]
    fn network_cards_come_first_and_what_nobody_can_reach_not_at_all() {
        let table: &[(&[Row<'_>], &[&str])] = &[
            (
                &[
                    ("127.0.0.1", "lo", false, false),
                    ("172.17.0.1", "docker0", false, false),
                    ("172.18.0.1", "br-0a1b2c3d4e5f", false, false),
                    ("10.8.0.2", "tun0", false, true),
                    ("10.0.0.5", "eth1", true, false),
                    ("192.168.1.5", "eth0", true, true),
                    ("169.254.3.4", "eth2", true, false),
                    ("fe80::1", "eth0", true, true),
                    ("fd00::5", "eth0", true, true),
                ],
                &["192.168.1.5", "10.0.0.5", "10.8.0.2", "fd00::5"],
            ),
            // A bridge over the only card has the address; bond and VLAN look alike.
            (&[("192.168.1.5", "br0", false, true), ("127.0.0.1", "lo", false, false)], &["192.168.1.5"]),
            (&[("127.0.0.1", "lo", false, false), ("172.17.0.1", "docker0", false, false)], &["127.0.0.1"]),
            (&[("fd00::5", "eth0", true, true)], &["fd00::5"]),
            (&[], &[]),
        ];
        for (given, expected) in table {
            let shown: Vec<String> = addresses(&found(given)).iter().map(ToString::to_string).collect();
            assert_eq!(shown, *expected, "{given:?}");
        }
    }
}
