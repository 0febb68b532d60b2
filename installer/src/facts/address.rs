//! Collects the addresses of this machine, with what tells a network card from a bridge of some engine.

use std::collections::BTreeMap;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

/// One address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostAddress {
    /// The address.
    pub address: IpAddr,
    /// The interface that has it, where that is known.
    pub interface: Option<String>,
    /// The interface is hardware, or a bond or bridge whose place among hardware an operator chose.
    pub is_physical: bool,
    /// The way to everywhere else leads through this interface.
    pub is_default: bool,
}

/// Reads them from the kernel's own tables. What cannot be read is not there.
pub fn collect() -> Vec<HostAddress> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let is_physical = |name: &str| Path::new("/sys/class/net").join(name).join("device").exists();
    parse(&read("/proc/net/fib_trie"), &read("/proc/net/route"), &read("/proc/net/if_inet6"), is_physical)
}

fn parse(trie: &str, route: &str, inet6: &str, is_physical: impl Fn(&str) -> bool) -> Vec<HostAddress> {
    let routes: Vec<Route> = route.lines().skip(1).filter_map(Route::parse).collect();
    let describe = |address: IpAddr, interface: Option<String>| HostAddress {
        is_physical: interface.as_deref().is_some_and(&is_physical),
        is_default: routes
            .iter()
            .any(|route| route.mask == 0 && Some(&route.interface) == interface.as_ref()),
        address,
        interface,
    };
    let v4 = local_v4(trie).into_iter().map(|address| {
        let bits = u32::from(address);
        let near = routes
            .iter()
            .filter(|route| route.mask != 0 && !route.has_gateway && bits & route.mask == route.network);
        let interface = near.max_by_key(|route| route.mask).map(|route| route.interface.clone());
        describe(IpAddr::V4(address), interface)
    });
    let v6 = inet6.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let bits = u128::from_str_radix(words.next()?, 16).ok()?;
        let interface = words.nth(4)?.to_owned();
        Some(describe(IpAddr::V6(Ipv6Addr::from(bits)), Some(interface)))
    });
    v4.chain(v6).collect()
}

/// `|-- 192.168.1.5` followed by `/32 host LOCAL`, in the order of first mention; each stands there for several tables.
fn local_v4(trie: &str) -> Vec<Ipv4Addr> {
    let mut found = BTreeMap::new();
    let mut last = None;
    for (number, line) in trie.lines().enumerate() {
        let line = line.trim();
        if let Some(leaf) = line.strip_prefix("|-- ") {
            last = leaf.parse::<Ipv4Addr>().ok();
        } else if line == "/32 host LOCAL"
            && let Some(address) = last
        {
            found.entry(address).or_insert(number);
        }
    }
    let mut found: Vec<_> = found.into_iter().collect();
    found.sort_by_key(|(_, number)| *number);
    found.into_iter().map(|(address, _)| address).collect()
}

/// One line of the routing table, in host byte order.
struct Route {
    interface: String,
    network: u32,
    mask: u32,
    has_gateway: bool,
}

impl Route {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| u32::from_str_radix(words.get(at)?, 16).ok().map(u32::from_be);
        Some(Self {
            interface: (*words.first()?).to_owned(),
            network: number(1)?,
            mask: number(7)?,
            has_gateway: number(2)? != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIE: &str = "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n     +-- 127.0.0.0/8 2 0 2\n           |-- 127.0.0.1\n              /32 host LOCAL\n     +-- 172.17.0.0/16 2 0 2\n           |-- 172.17.0.1\n              /32 host LOCAL\n     +-- 192.168.1.0/24 2 0 1\n        |-- 192.168.1.0\n           /24 link UNICAST\n        |-- 192.168.1.5\n           /32 host LOCAL\n        |-- 192.168.1.255\n           /32 link BROADCAST\nLocal:\n        |-- 192.168.1.5\n           /32 host LOCAL\n";
    const ROUTE: &str = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\neth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\ndocker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\neth0\t0001A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n";
    const INET6: &str = "00000000000000000000000000000001 01 80 10 80       lo\nfe80000000000000021122fffe334455 02 40 20 80     eth0\nfd000000000000000000000000000005 02 40 00 80     eth0\n";

    #[test]
    fn the_kernels_tables_are_read() {
        let found = parse(TRIE, ROUTE, INET6, |name| name == "eth0");
        let shown: Vec<_> = found
            .iter()
            .map(|one| {
                (
                    one.address.to_string(),
                    one.interface.as_deref().unwrap_or("-"),
                    one.is_physical,
                    one.is_default,
                )
            })
            .collect();
        let expected = [
            ("127.0.0.1", "-", false, false),
            ("172.17.0.1", "docker0", false, false),
            ("192.168.1.5", "eth0", true, true),
            ("::1", "lo", false, false),
            ("fe80::211:22ff:fe33:4455", "eth0", true, true),
            ("fd00::5", "eth0", true, true),
        ];
        assert_eq!(shown, expected.map(|(address, name, a, b)| (address.to_owned(), name, a, b)));
        assert_eq!(parse("", "", "", |_| true), []);
    }

    #[test]
    fn this_machine_has_an_address() {
        assert!(collect().iter().any(|one| one.address.is_loopback()));
    }
}
