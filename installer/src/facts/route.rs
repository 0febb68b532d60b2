//! Collects which networks this machine reaches, and how the operator reaches this machine.

use std::net::{IpAddr, Ipv4Addr};

use super::bounded::text;

/// Networks around this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// Networks that have a route of their own; the default route is none of them.
    pub routes: Vec<Net>,
    /// Routers of all routes.
    pub gateways: Vec<Ipv4Addr>,
    /// Name servers.
    pub nameservers: Vec<IpAddr>,
    /// Where the operator is connected from by SSH.
    pub ssh_client: Option<IpAddr>,
    /// The session survives a dropped line: tmux or screen.
    pub in_multiplexer: bool,
}

/// An IPv4 network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Net {
    address: u32,
    len: u8,
}

impl Net {
    /// The network that an address with a prefix length lies in.
    pub const fn new(address: Ipv4Addr, len: u8) -> Self {
        Self { address: address.to_bits() & mask(len), len }
    }

    /// From `address/length`.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, len) = text.split_once('/')?;
        Some(Self::new(address.parse().ok()?, len.parse().ok().filter(|len| *len <= 32)?))
    }

    /// Whether an address lies in it.
    pub fn contains(self, address: Ipv4Addr) -> bool {
        u32::from(address) & mask(self.len) == self.address
    }

    /// Whether the two have an address in common.
    pub fn overlaps(self, other: Self) -> bool {
        let len = self.len.min(other.len);
        self.address & mask(len) == other.address & mask(len)
    }

    /// The networks of prefix length `len` in it.
    pub fn split(self, len: u8) -> impl Iterator<Item = Self> {
        let (first, count) = match u32::from(len).checked_sub(u32::from(self.len)) {
            Some(bits) if len <= 32 => (u64::from(self.address), 1_u64 << bits),
            _ => (0, 0),
        };
        let size = 1_u64 << 32_u8.saturating_sub(len);
        // In bounds: the address space ends where the networks do.
        (0..count).map(move |number| Self { address: u32::try_from(first + number * size).unwrap_or(0), len })
    }
}

impl std::fmt::Display for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.address), self.len)
    }
}

const fn mask(len: u8) -> u32 {
    match len {
        0 => 0,
        1..=31 => u32::MAX << (32 - len),
        _ => u32::MAX,
    }
}

/// Reads the surroundings.
pub fn collect() -> Surroundings {
    let (routes, gateways) = routes(&text("/proc/net/route").unwrap_or_default());
    let ancestors = ancestors();
    let variables = || ancestors.iter().flat_map(|environment| environment.split('\0'));
    let value = |name: &str| variables().find_map(|variable| variable.strip_prefix(name)?.strip_prefix('='));
    let ssh = value("SSH_CONNECTION").or_else(|| value("SSH_CLIENT"));
    Surroundings {
        routes,
        gateways,
        nameservers: reachable(nameservers(&text("/etc/resolv.conf").unwrap_or_default()), || {
            nameservers(&text("/run/systemd/resolve/resolv.conf").unwrap_or_default())
        }),
        ssh_client: ssh.and_then(|value| value.split(' ').next()?.parse().ok()),
        in_multiplexer: value("TMUX").is_some() || value("STY").is_some(),
    }
}

/// The environments of this process and those above it: sudo hands none of them on.
fn ancestors() -> Vec<String> {
    let mut found = Vec::new();
    let mut pid = std::process::id();
    // Deep enough for shells in shells; the first process is nobody's session.
    for _ in 0..32 {
        found.extend(text(format!("/proc/{pid}/environ")));
        let status = text(format!("/proc/{pid}/status")).unwrap_or_default();
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"));
        match parent.and_then(|parent| parent.trim().parse().ok()) {
            Some(parent) if parent > 1 => pid = parent,
            _ => break,
        }
    }
    found
}

/// Networks and routers of the kernel's table, whose numbers are hexadecimal in the machine's order of bytes.
fn routes(table: &str) -> (Vec<Net>, Vec<Ipv4Addr>) {
    let number = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::from_be);
    let (mut nets, mut gateways) = (Vec::new(), Vec::new());
    for line in table.lines().skip(1) {
        let words: Vec<_> = line.split_whitespace().collect();
        let [_, destination, gateway, _, _, _, _, mask, ..] = words[..] else { continue };
        let (Some(destination), Some(gateway), Some(mask)) =
            (number(destination), number(gateway), number(mask))
        else {
            continue;
        };
        if gateway != 0 {
            gateways.push(Ipv4Addr::from(gateway));
        }
        if mask != 0 {
            nets.push(Net::new(destination.into(), u8::try_from(mask.count_ones()).unwrap_or(32)));
        }
    }
    (nets, gateways)
}

/// The servers that containers are given: where systemd-resolved alone answers, engines hand on the ones that it asks itself
/// (moby `libnetwork/internal/resolvconf`, its path for 127.0.0.53).
fn reachable(servers: Vec<IpAddr>, resolved: impl FnOnce() -> Vec<IpAddr>) -> Vec<IpAddr> {
    if servers == [IpAddr::from([127, 0, 0, 53])] { resolved() } else { servers }
}

fn nameservers(resolv_conf: &str) -> Vec<IpAddr> {
    let lines = resolv_conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    lines.filter_map(|rest| rest.split('%').next()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_know_what_lies_in_them() {
        let net = Net::parse("172.16.0.0/12").unwrap();
        assert!(net.contains([172, 31, 255, 255].into()) && !net.contains([172, 32, 0, 0].into()));
        assert!(
            net.overlaps(Net::parse("172.17.4.0/24").unwrap())
                && net.overlaps(Net::parse("0.0.0.0/0").unwrap())
        );
        assert!(!net.overlaps(Net::parse("10.0.0.0/8").unwrap()));
        let parts: Vec<_> =
            Net::parse("192.168.0.0/18").unwrap().split(20).map(|net| net.to_string()).collect();
        assert_eq!(parts, ["192.168.0.0/20", "192.168.16.0/20", "192.168.32.0/20", "192.168.48.0/20"]);
        assert_eq!(Net::parse("255.0.0.0/8").unwrap().split(9).last().unwrap().to_string(), "255.128.0.0/9");
        assert_eq!(net.split(11).count(), 0);
        assert_eq!(Net::parse("10.0.0.0/33"), None);
    }

    #[test]
    fn the_kernels_table_and_resolv_conf_are_read() {
        let table = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
                     eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
                     eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n";
        let (nets, gateways) = routes(table);
        assert_eq!(nets.iter().map(ToString::to_string).collect::<Vec<_>>(), ["192.168.0.0/24"]);
        assert_eq!(gateways, [Ipv4Addr::new(192, 168, 0, 1)]);
        let servers = nameservers("# x\nsearch a\nnameserver 10.0.0.53\nnameserver fe80::1%eth0\n");
        assert_eq!(servers.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.53", "fe80::1"]);
        let behind = || nameservers("nameserver 10.0.0.53\n");
        assert_eq!(reachable(nameservers("nameserver 127.0.0.53\n"), behind), behind());
        let own = nameservers("nameserver 127.0.0.1\n");
        assert_eq!(reachable(own.clone(), behind), own, "nobody knows whom that one asks");
    }
}
