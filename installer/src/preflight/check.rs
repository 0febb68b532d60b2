//! Can the checks be asked at all? They know addresses, and `localhost`, but no resolver.

use std::net::IpAddr;

use super::{Demand, Finding};
use crate::text::finding as text;

pub(super) fn check(demand: &Demand<'_>) -> Vec<Finding> {
    let expanded = demand.content.checks.iter().filter_map(|check| demand.answers.expand(&check.url).ok());
    let unusable = expanded.filter(|url| !is_usable(url));
    unusable
        .map(|url| Finding::fail("check-url", text::check_not_askable(&url), text::use_addresses()))
        .collect()
}

fn is_usable(url: &str) -> bool {
    let uri = url.parse::<hyper::Uri>();
    uri.is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        host == "localhost" || host.parse::<IpAddr>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::is_usable;

    #[test]
    fn addresses_can_be_asked_and_names_cannot() {
        assert!(
            is_usable("http://127.0.0.1:80/x")
                && is_usable("http://localhost/")
                && is_usable("http://[::1]:8/")
        );
        assert!(!is_usable("http://backend:80/") && !is_usable("http://"));
    }
}
