//! Collects who listens on which TCP port.

use std::collections::HashMap;
use std::net::IpAddr;

use procfs::process::FDTarget;

/// A listening TCP socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Address that it is bound to.
    pub address: IpAddr,
    /// Port.
    pub port: u16,
    /// Process that holds it: name and id, where it can be seen.
    pub owner: Option<Owner>,
}

/// A process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Command name.
    pub name: String,
    /// Process id.
    pub pid: i32,
    /// Its control group, which for a container names the container.
    pub cgroup: String,
    /// It descends from a program of the engine that we have installed: from the one that watches over a container.
    pub is_of_our_engine: bool,
}

impl Owner {
    /// The service of systemd that it belongs to.
    pub fn unit(&self) -> Option<&str> {
        let names = self.cgroup.lines().filter_map(|line| line.rsplit('/').next());
        let mut units = names.filter(|name| name.ends_with(".service"));
        // A user's own services are none that `systemctl` of the system knows.
        units.find(|_| !self.cgroup.contains("/user.slice/"))
    }
}

/// Reads the listening sockets of this network namespace; `of_our_engine` are the processes of an engine of ours.
pub fn listeners(of_our_engine: &[i32]) -> Vec<Listener> {
    let entries = [procfs::net::tcp().unwrap_or_default(), procfs::net::tcp6().unwrap_or_default()].concat();
    let listening: Vec<_> =
        entries.into_iter().filter(|entry| entry.state == procfs::net::TcpState::Listen).collect();
    let owners = if listening.is_empty() { HashMap::new() } else { owners(of_our_engine) };
    let describe = |entry: procfs::net::TcpNetEntry| Listener {
        address: entry.local_address.ip(),
        port: entry.local_address.port(),
        owner: owners.get(&entry.inode).cloned(),
    };
    listening.into_iter().map(describe).collect()
}

/// Sockets by inode. Processes that end meanwhile, or that we may not look at, are passed over.
fn owners(of_our_engine: &[i32]) -> HashMap<u64, Owner> {
    let mut owners = HashMap::new();
    for process in procfs::process::all_processes().into_iter().flatten().flatten() {
        let Ok(descriptors) = process.fd() else { continue };
        let mut owner = None;
        for descriptor in descriptors.flatten() {
            let FDTarget::Socket(inode) = descriptor.target else { continue };
            let owner = owner.get_or_insert_with(|| Owner {
                name: process.stat().map(|stat| stat.comm).unwrap_or_default(),
                pid: process.pid,
                cgroup: std::fs::read_to_string(format!("/proc/{}/cgroup", process.pid)).unwrap_or_default(),
                is_of_our_engine: of_our_engine.contains(&process.pid),
            });
            owners.insert(inode, owner.clone());
        }
    }
    owners
}
