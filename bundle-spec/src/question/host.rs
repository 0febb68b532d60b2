//! Host names and IP addresses, and what an input method makes of them.

use std::net::{IpAddr, Ipv6Addr};

use super::problem::HostProblem;

/// The half-width form of a character that an input method for Chinese typed full-width; nothing for any other.
pub(super) fn half_width(c: char) -> Option<char> {
    match c {
        // Full-width forms of ASCII lie in the order of ASCII.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0),
        '\u{3000}' => Some(' '),
        '\u{3002}' | '\u{ff61}' => Some('.'),
        '\u{3001}' => Some('/'),
        _ => None,
    }
}

/// `text` with full-width characters made half-width: for answers that can have no other.
#[must_use]
pub fn narrow(text: &str) -> String {
    text.chars().map(|c| half_width(c).unwrap_or(c)).collect()
}

/// A host in its one form: an IPv6 address without brackets.
pub(super) fn parse(text: &str) -> Result<String, HostProblem> {
    let text = narrow(text);
    let text = text.trim();
    if let Some(inner) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return if inner.parse::<Ipv6Addr>().is_ok() { Ok(inner.to_owned()) } else { Err(HostProblem::Name) };
    }
    check(text).map(|()| text.to_owned())
}

/// Whether `text` is a host, in half-width characters and without brackets.
pub(super) fn check(text: &str) -> Result<(), HostProblem> {
    if text.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    if text.contains("://") {
        return Err(HostProblem::Scheme);
    }
    if text.contains(char::is_whitespace) {
        return Err(HostProblem::Space);
    }
    if text.contains('/') {
        return Err(HostProblem::Path);
    }
    if let Some((host, port)) = text.rsplit_once(':')
        && !host.contains(':')
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(HostProblem::Port);
    }
    if !text.is_ascii() {
        return Err(HostProblem::NotAscii);
    }
    // All-numeric names are an IP address or nothing: `10.0.0.256` is no host name.
    if text.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return Err(HostProblem::Ipv4);
    }
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    if text.len() <= 253 && text.split('.').all(is_label) { Ok(()) } else { Err(HostProblem::Name) }
}
