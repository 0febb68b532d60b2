//! Certificates: an operator's own, judged before anything is changed, or one that is made on the spot. Pure: bytes, names
//! and a time go in. What lies where is known to `install/certificate` and `step/place_certificate`.

use std::net::IpAddr;

pub mod fault;
pub mod judge;
pub mod key;
pub mod make;

/// A certificate, with its chain, and its key; both PEM.
#[derive(Clone, PartialEq, Eq)]
pub struct Pair {
    /// The server's certificate, then those that issued it.
    pub certificate: Vec<u8>,
    /// The private key.
    pub key: Vec<u8>,
}

/// A key is not for logs.
impl std::fmt::Debug for Pair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pair")
    }
}

/// Which certificate the application is to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// None.
    Off,
    /// The operator's own, that was judged.
    Own(Pair),
    /// One that is made on the spot.
    SelfSigned {
        /// The hosts that it is for.
        hosts: Vec<String>,
    },
}

/// The hosts that an answer names, without scheme, port and path; several are separated by commas or spaces.
pub fn hosts_of(answer: &str) -> Vec<String> {
    let mut hosts: Vec<String> = Vec::new();
    for part in answer.split(|c: char| c == ',' || c.is_whitespace()) {
        if let Some(host) = host_of(part).filter(|host| !hosts.contains(host)) {
            hosts.push(host);
        }
    }
    hosts
}

fn host_of(text: &str) -> Option<String> {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if let Ok(address) = authority.parse::<IpAddr>() {
        return Some(address.to_string());
    }
    let host = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next(),
        None => authority.split(':').next(),
    };
    // A name may end with the dot of the root; a certificate has it without.
    let host = host.map(|host| host.trim_end_matches('.')).filter(|host| !host.is_empty())?;
    Some(host.parse::<IpAddr>().map_or_else(|_| host.to_ascii_lowercase(), |address| address.to_string()))
}

#[cfg(test)]
pub(crate) mod tests;
