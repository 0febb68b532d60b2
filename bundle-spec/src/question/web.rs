//! URLs as people type them: everything that goes wrong has a reason of its own.

use super::Question;
use super::host::{self, half_width};
use super::problem::{HostProblem, UrlProblem};
use super::{Presence, QuestionKind};

/// Full-width marks that belong into no URL, wherever they stand. Letters and digits among them count in the host alone.
fn misplaced(text: &str) -> Option<(char, char)> {
    let mark = |c: char| half_width(c).filter(|half| !half.is_ascii_alphanumeric()).map(|half| (c, half));
    text.chars().find_map(mark)
}

/// Checks a URL and gives it as it was, without a `/` alone where no path is allowed.
pub(super) fn parse(question: &Question, text: &str) -> Result<String, UrlProblem> {
    debug_assert!(question.kind == QuestionKind::Url);
    if let Some((found, instead)) = misplaced(text) {
        return Err(if instead == ' ' {
            UrlProblem::Space
        } else {
            UrlProblem::FullWidth { found, instead }
        });
    }
    if text.contains(char::is_whitespace) {
        return Err(UrlProblem::Space);
    }
    let rest = after_scheme(text)?;
    if text.contains('\\') {
        return Err(UrlProblem::Slashes);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let port = authority_port(authority)?;
    if !is_what_it_seems(text, authority) {
        return Err(UrlProblem::Host(HostProblem::Name));
    }
    let hint = || question.pattern_hint.clone();
    let is_path = !matches!(path, "" | "/");
    match (question.port, port) {
        (Presence::Forbid, Some(port)) => return Err(UrlProblem::PortForbidden { port, hint: hint() }),
        (Presence::Require, None) => return Err(UrlProblem::PortMissing { hint: hint() }),
        _ => {}
    }
    match (question.path, is_path) {
        (Presence::Forbid, true) => Err(UrlProblem::PathForbidden { hint: hint() }),
        (Presence::Require, false) => Err(UrlProblem::PathMissing { hint: hint() }),
        (Presence::Forbid, false) => Ok(text.strip_suffix('/').unwrap_or(text).to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Whether a name or password stands in front of the host.
pub(super) fn has_credentials(text: &str) -> bool {
    after_scheme(text)
        .is_ok_and(|rest| rest.split(['/', '?', '#']).next().is_some_and(|host| host.contains('@')))
}

/// What stands behind `http://` or `https://`.
fn after_scheme(text: &str) -> Result<&str, UrlProblem> {
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .filter(|start| start.eq_ignore_ascii_case(prefix))
            .map(|_| &text[prefix.len()..])
    };
    if let Some(rest) = starts("http://").or_else(|| starts("https://")) {
        return Ok(rest);
    }
    let is_scheme = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    match text.split_once(':') {
        Some((word, _)) if matches!(word.to_ascii_lowercase().as_str(), "http" | "https") => {
            Err(UrlProblem::Slashes)
        }
        Some((word, rest)) if rest.starts_with("//") && is_scheme(word) => {
            Err(UrlProblem::OtherScheme(word.chars().take(20).collect()))
        }
        _ => Err(UrlProblem::NoScheme),
    }
}

/// The port of `host:port`, once the host holds.
fn authority_port(authority: &str) -> Result<Option<u16>, UrlProblem> {
    let is_bracketed = authority.starts_with('[');
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or(UrlProblem::Port)?)),
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err(UrlProblem::NoHost);
    }
    if let Some(c) = host.chars().find(|c| half_width(*c).is_some()) {
        return Err(UrlProblem::FullWidth { found: c, instead: half_width(c).unwrap_or(c) });
    }
    if is_bracketed {
        let is_address = host.parse::<std::net::Ipv6Addr>().is_ok();
        if !is_address {
            return Err(UrlProblem::Host(HostProblem::Name));
        }
    } else {
        host::check(host).map_err(UrlProblem::Host)?;
    }
    let Some(port) = port else { return Ok(None) };
    let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if is_number && port > 0 => Ok(Some(port)),
        _ => Err(UrlProblem::Port),
    }
}

/// Whether whoever opens the URL goes to the host that stands there: `http://0x7f000001` looks like a name and is an address.
fn is_what_it_seems(text: &str, authority: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    let Some(host) = url.host_str() else { return false };
    let is_ipv6 = authority.starts_with('[');
    is_ipv6 || authority.split(':').next().is_some_and(|given| given.eq_ignore_ascii_case(host))
}
