//! What of an engine's traces is to be taken back, going by what was there before and what is there now. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

/// The engine's own bridge.
pub(super) const BRIDGE: &str = "docker0";
/// The chains that engines make (moby `daemon/libnetwork`, of all releases since 20.10).
const CHAINS: [&str; 10] = [
    "DOCKER",
    FOR_OTHERS,
    "DOCKER-FORWARD",
    "DOCKER-BRIDGE",
    "DOCKER-CT",
    "DOCKER-INTERNAL",
    "DOCKER-INGRESS",
    "DOCKER-ISOLATION",
    "DOCKER-ISOLATION-STAGE-1",
    "DOCKER-ISOLATION-STAGE-2",
];
/// The chain that is there for others to put rules into.
const FOR_OTHERS: &str = "DOCKER-USER";
/// What engines write for their bridge outside chains of their own. Any other rule that names the bridge is somebody's who keeps it
/// from something.
const OF_BRIDGE: [(&str, &str); 5] = [
    ("filter", "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT"),
    ("filter", "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT"),
    ("filter", "-A FORWARD -i docker0 -o docker0 -j ACCEPT"),
    ("filter", "-A FORWARD -i docker0 -o docker0 -j DROP"),
    ("nat", "-A POSTROUTING -o docker0 -m addrtype --src-type LOCAL -j MASQUERADE"),
];
/// Where engines put rules that lead into their chains.
const PLACES: [(&str, &str); 6] = [
    ("filter", "FORWARD"),
    ("nat", "PREROUTING"),
    ("nat", "OUTPUT"),
    ("nat", "POSTROUTING"),
    ("raw", "PREROUTING"),
    ("raw", "OUTPUT"),
];

/// What was there before an engine of ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// The boot in which this was noted.
    pub(super) boot_id: String,
    /// The rules of each table, as `iptables -S` prints them, by `iptables filter` and so on. What could not be asked is not there.
    pub(super) rules: BTreeMap<String, Vec<String>>,
    /// Network interfaces.
    pub(super) links: BTreeSet<String>,
    /// Whether the machine passed IPv4 packets on, from any of them.
    pub(super) is_forwarding: bool,
    /// Whether it let others redirect its routes, as the kernel says it.
    pub(super) redirects: String,
}

/// Whether the machine is as it was, but for what an engine does that has to switch forwarding on itself: it closes the way for all
/// others. Who came after it may count on forwarding, so nothing else may have changed, and no boot have passed.
pub(super) fn has_only_been_opened(before: &Before, now: &Before) -> bool {
    let policy = |before: &Before| before.rules.get("iptables filter").is_some_and(|rules| is_closed(rules));
    let others = |rules: &BTreeMap<String, Vec<String>>| {
        let mut rules = rules.clone();
        rules
            .entry("iptables filter".to_owned())
            .or_default()
            .retain(|rule| !rule.starts_with("-P FORWARD "));
        rules
    };
    !before.boot_id.is_empty()
        && before.boot_id == now.boot_id
        // It may be off already: a purge may have been killed right then.
        && !before.is_forwarding
        && (!policy(before) && policy(now))
        && before.links == now.links
        && others(&before.rules) == others(&now.rules)
}

/// What takes an engine's rules and chains in a table away, each as arguments: first what leads into the chains, then what is in
/// them, then they themselves.
pub(super) fn to_undo(
    (table, subnet): (&str, Option<&str>),
    before: &[String],
    now: &[String],
) -> Vec<Vec<String>> {
    let new = || now.iter().filter(|line| !before.contains(line));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let is_used = now.iter().any(|line| {
        line.starts_with(&format!("-A {FOR_OTHERS} ")) && *line != format!("-A {FOR_OTHERS} -j RETURN")
    });
    let chains: Vec<&str> = new()
        .filter_map(|line| line.strip_prefix("-N "))
        .filter(|chain| CHAINS.contains(chain) && !(is_used && *chain == FOR_OTHERS))
        .collect();
    let is_engines = |rule: &&String| {
        let words = words(rule);
        let is_in_place = words.get(1).is_some_and(|chain| PLACES.contains(&(table, chain.as_str())));
        let leads = words.windows(2).any(|pair| pair[0] == "-j" && chains.contains(&pair[1].as_str()));
        let own = subnet.map(|subnet| format!("-A POSTROUTING -s {subnet} ! -o {BRIDGE} -j MASQUERADE"));
        let is_of_bridge = OF_BRIDGE.contains(&(table, rule.as_str()));
        rule.starts_with("-A ") && is_in_place && (leads || is_of_bridge || own.as_ref() == Some(*rule))
    };
    let rules = new().filter(is_engines).map(|rule| words(&rule.replacen("-A ", "-D ", 1)));
    let of_chains =
        |option: &'static str| chains.iter().map(move |chain| vec![option.to_owned(), (*chain).to_owned()]);
    rules.chain(of_chains("-F")).chain(of_chains("-X")).collect()
}

/// Whether packets that are passed on are dropped unless a rule says otherwise.
fn is_closed(rules: &[String]) -> bool {
    rules.iter().any(|rule| rule == "-P FORWARD DROP")
}

/// The network of the first address that `ip -o address` shows.
pub(super) fn network_in(shown: &str) -> Option<String> {
    let (address, bits) =
        shown.split_whitespace().skip_while(|word| *word != "inet").nth(1)?.split_once('/')?;
    let (address, bits): (Ipv4Addr, u32) = (address.parse().ok()?, bits.parse().ok()?);
    let mask = u32::MAX.checked_shl(32_u32.checked_sub(bits)?).unwrap_or(0);
    Some(format!("{}/{bits}", Ipv4Addr::from_bits(address.to_bits() & mask)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect()
    }

    fn undone(table: &str, before: &str, now: &str) -> Vec<String> {
        to_undo((table, Some("172.17.0.0/16")), &lines(before), &lines(now))
            .iter()
            .map(|arguments| arguments.join(" "))
            .collect()
    }

    /// As 28.5 leaves them.
    const FILTER: &str = "
        -P INPUT ACCEPT
        -P FORWARD DROP
        -P OUTPUT ACCEPT
        -N DOCKER
        -N DOCKER-FORWARD
        -N DOCKER-USER
        -N theirs
        -A FORWARD -j DOCKER-USER
        -A FORWARD -j DOCKER-FORWARD
        -A FORWARD -i eth0 -j theirs
        -A DOCKER ! -i docker0 -o docker0 -j DROP
        -A DOCKER-FORWARD -i docker0 -j ACCEPT
        -A DOCKER-USER -j RETURN";

    #[test]
    fn what_is_an_engines_goes_and_nothing_else() {
        let before = "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT";
        assert_eq!(
            undone("filter", before, FILTER),
            [
                "-D FORWARD -j DOCKER-USER",
                "-D FORWARD -j DOCKER-FORWARD",
                "-F DOCKER",
                "-F DOCKER-FORWARD",
                "-F DOCKER-USER",
                "-X DOCKER",
                "-X DOCKER-FORWARD",
                "-X DOCKER-USER",
            ]
        );
        let nat = "-P POSTROUTING ACCEPT\n-N DOCKER\n-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
            -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE\n-A POSTROUTING -s 10.0.0.0/8 -o eth0 -j MASQUERADE";
        assert_eq!(
            undone("nat", "-P POSTROUTING ACCEPT", nat),
            [
                "-D PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
                "-D POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE",
                "-F DOCKER",
                "-X DOCKER",
            ]
        );
    }

    /// As 20.10 and 26 leave them, outside their chains.
    #[test]
    fn rules_of_older_engines_go() {
        let now = "-N DOCKER\n-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
            -A FORWARD -o docker0 -j DOCKER\n-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
            -A FORWARD -i docker0 -o docker0 -j ACCEPT";
        assert_eq!(
            undone("filter", "", now),
            [
                "-D FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
                "-D FORWARD -o docker0 -j DOCKER",
                "-D FORWARD -i docker0 ! -o docker0 -j ACCEPT",
                "-D FORWARD -i docker0 -o docker0 -j ACCEPT",
                "-F DOCKER",
                "-X DOCKER",
            ]
        );
    }

    #[test]
    fn what_was_there_before_stays() {
        assert_eq!(undone("filter", FILTER, FILTER), Vec::<String>::new());
        assert_eq!(undone("filter", FILTER, "-P FORWARD ACCEPT"), Vec::<String>::new());
    }

    #[test]
    fn rules_that_somebody_put_into_the_chain_for_them_stay() {
        let used = FILTER.replace("-A DOCKER-USER -j RETURN", "-A DOCKER-USER -s 10.0.0.0/8 -j DROP");
        let undone = undone("filter", "-P FORWARD ACCEPT", &used);
        assert!(!undone.iter().any(|arguments| arguments.contains("DOCKER-USER")), "{undone:?}");
        assert!(undone.contains(&"-X DOCKER-FORWARD".to_owned()));
    }

    /// The first form took away what kept others from a port, and chains that were only called alike.
    #[test]
    fn what_keeps_the_bridge_from_something_stays() {
        let now = "-P INPUT ACCEPT\n-N DOCKER-WHITELIST\n-A INPUT ! -i docker0 -p tcp --dport 5432 -j DROP
            -A INPUT -j DOCKER-WHITELIST\n-A DOCKER-WHITELIST -s 10.0.0.1/32 -j ACCEPT";
        assert_eq!(undone("filter", "-P INPUT ACCEPT", now), Vec::<String>::new());
        let now = "-A FORWARD -i wg0 ! -o docker0 -j ACCEPT\n-A FORWARD -i eth0 ! -o docker0 -j DROP";
        assert_eq!(undone("filter", "", now), Vec::<String>::new());
        let now = "-A FORWARD -i eth0 -o docker0 -s 10.0.0.0/8 -j DROP\n-A FORWARD -i docker0 -d 10.0.0.1/32 -j REJECT";
        assert_eq!(undone("filter", "", now), Vec::<String>::new());
        let now = "-A POSTROUTING -s 10.8.0.0/24 ! -o docker0 -j MASQUERADE";
        assert_eq!(undone("nat", "", now), Vec::<String>::new());
    }

    #[test]
    fn the_network_of_the_bridge_is_read_as_rules_write_it() {
        let shown =
            "5: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\ valid_lft forever";
        assert_eq!(network_in(shown).unwrap(), "172.17.0.0/16");
        assert_eq!(network_in("5: docker0    inet 10.1.2.3/27 scope global").unwrap(), "10.1.2.0/27");
        for wrong in ["", "inet", "inet x/16", "inet 10.0.0.1/33", "inet 10.0.0.1"] {
            assert_eq!(network_in(wrong), None, "{wrong}");
        }
    }

    /// Switching forwarding off under a router that came later would cut off everybody behind it.
    #[test]
    fn forwarding_is_switched_off_only_where_nothing_else_has_changed() {
        let state = |policy: &str, is_forwarding| Before {
            boot_id: "b".into(),
            rules: [("iptables filter".to_owned(), lines(&format!("-P INPUT ACCEPT\n-P FORWARD {policy}")))]
                .into(),
            links: ["lo".to_owned(), "eth0".to_owned()].into(),
            is_forwarding,
            redirects: "0\n".into(),
        };
        let (before, now) = (state("ACCEPT", false), state("DROP", true));
        assert!(has_only_been_opened(&before, &now));
        assert!(has_only_been_opened(&before, &state("DROP", false)), "a purge was killed on the way");
        let with_link = Before { links: ["lo", "eth0", "wg0"].map(str::to_owned).into(), ..now.clone() };
        let mut with_rule = now.clone();
        with_rule.rules.insert("iptables nat".into(), lines("-A POSTROUTING -o eth0 -j MASQUERADE"));
        let rebooted = Before { boot_id: "c".into(), ..now.clone() };
        for changed in [with_link, with_rule, rebooted, state("ACCEPT", true), state("ACCEPT", false)] {
            assert!(!has_only_been_opened(&before, &changed), "{changed:?}");
        }
        assert!(!has_only_been_opened(&state("ACCEPT", true), &now), "it was a router before");
        assert!(!has_only_been_opened(&state("DROP", false), &now), "it was closed before");
    }
}
