//! Reads the rules that ufw keeps, and judges them as it does: in order, and the first one that concerns a connection decides.
//!
//! Rules for some addresses or interfaces only never decide: what they are about is some machines' business, not everybody's.

use std::ops::RangeInclusive;

/// Where ufw keeps its rules and its settings, below the root of the file system.
pub const FILES: [&str; 2] = ["etc/ufw/user.rules", "etc/default/ufw"];

/// The rules of a ufw, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    rules: Vec<Rule>,
    /// What no rule is about is let in.
    is_lenient: bool,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    /// What is done, as arguments of ufw: `deny`, `log`.
    action: Vec<String>,
    /// The protocol and the ports as they are written.
    target: (String, String),
    /// From everywhere, to every address, by every interface.
    is_for_all: bool,
    /// The application profile that it comes from. Several rules may come from one, and ufw keeps those together.
    profile: Option<String>,
    comment: Option<String>,
}

impl Rules {
    /// Reads what is in [`FILES`].
    pub fn parse([rules, settings]: [&str; 2]) -> Self {
        let policy = setting(settings, "DEFAULT_INPUT_POLICY");
        Self { rules: rules.lines().filter_map(rule).collect(), is_lenient: policy == "accept" }
    }

    /// Whether other machines reach this port of TCP.
    pub fn lets_through(&self, port: u16) -> bool {
        self.decisive(port).map_or(self.is_lenient, |at| self.rules[at].lets_through())
    }

    /// Whether the rule for exactly this port lets it through, whatever stands before it.
    pub fn has_own(&self, port: u16) -> bool {
        self.exact(port).is_some_and(|at| self.rules[at].action == ["allow"])
    }

    /// Whether there is a rule for exactly this port.
    pub fn has_any(&self, port: u16) -> bool {
        self.exact(port).is_some()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rules.len()
    }

    /// What has to be said to ufw, word by word and one after the other, so that it lets this port through.
    ///
    /// It has one rule for the same port and protocol, and replaces that where it stands. Behind one that refuses the port
    /// such a rule would have no effect, so ours goes before that one; not to the very front, where it would undo what others
    /// refuse to single machines.
    pub fn openers(&self, port: u16) -> Vec<Vec<String>> {
        let allow = ["allow".to_owned(), format!("{port}/tcp")];
        let Some(place) = self.place(port) else { return vec![allow.to_vec()] };
        // One that stands behind would keep ours from being inserted.
        let behind = self.exact(port).map(|at| {
            std::iter::once("delete".to_owned()).chain(self.rules[at].words(port)).collect::<Vec<_>>()
        });
        let insert = ["insert".to_owned(), place.to_string()].into_iter().chain(allow).collect();
        behind.into_iter().chain([insert]).collect()
    }

    /// The rule for exactly this port that gives way to ours, as arguments that bring it back; and its place, counted from one,
    /// where ours will not stand there. One with our own comment is none of others'.
    pub fn replaced(&self, port: u16, app: &str) -> (Vec<String>, Option<usize>) {
        let Some(at) = self.exact(port).filter(|at| self.rules[*at].comment.as_deref() != Some(app)) else {
            return (Vec::new(), None);
        };
        let rule = &self.rules[at];
        let comment = rule.comment.iter().flat_map(|text| ["comment".to_owned(), text.clone()]);
        (rule.words(port).into_iter().chain(comment).collect(), self.place(port).map(|_| at + 1))
    }

    /// The place, counted from one, of the rule that refuses this port, unless it is the one that ours replaces.
    fn place(&self, port: u16) -> Option<usize> {
        let mut at = self.decisive(port).filter(|at| !self.rules[*at].lets_through())?;
        if self.exact(port) == Some(at) {
            return None;
        }
        // Nothing can be put between those of one profile.
        while at > 0
            && self.rules[at].profile.is_some()
            && self.rules[at - 1].profile == self.rules[at].profile
        {
            at -= 1;
        }
        Some(at + 1)
    }

    fn decisive(&self, port: u16) -> Option<usize> {
        self.rules.iter().position(|rule| rule.is_for_all && rule.concerns(port))
    }

    /// What ufw takes for the same rule as ours.
    fn exact(&self, port: u16) -> Option<usize> {
        let target = ("tcp".to_owned(), port.to_string());
        self.rules.iter().position(|rule| rule.is_for_all && rule.profile.is_none() && rule.target == target)
    }
}

impl Rule {
    fn lets_through(&self) -> bool {
        // What is limited is open to whoever does not come too often.
        matches!(self.action.first().map(String::as_str), Some("allow" | "limit"))
    }

    fn concerns(&self, port: u16) -> bool {
        let (protocol, ports) = &self.target;
        let is_in = |text: &str| range(text, ':').is_some_and(|range| range.contains(&port));
        matches!(protocol.as_str(), "any" | "tcp") && (ports == "any" || ports.split(',').any(is_in))
    }

    fn words(&self, port: u16) -> Vec<String> {
        self.action.iter().cloned().chain([format!("{port}/tcp")]).collect()
    }
}

/// A value of ufw's settings, in lower case.
pub fn setting(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
    line.unwrap_or_default().trim_matches(['"', '\'', ' ']).to_ascii_lowercase()
}

/// Reads a range of ports, or one port.
pub fn range(text: &str, separator: char) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once(separator).unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// Reads `### tuple ### deny_log tcp 80 0.0.0.0/0 any 0.0.0.0/0 in comment=6e6f`: action, protocol, ports, to, ports of the
/// sender, from; then the application profiles of both sides, if there are any; then the way.
fn rule(line: &str) -> Option<Rule> {
    let words: Vec<_> = line.strip_prefix("### tuple ### ")?.split_whitespace().collect();
    let [action, protocol, ports, to, sender, from, ref rest @ ..] = words[..] else { return None };
    let comment = rest.last().and_then(|word| word.strip_prefix("comment="));
    let rest = &rest[..rest.len() - usize::from(comment.is_some())];
    // The way is `in`, `out`, or either with an interface, as `in_eth0`; what is routed has another action.
    let (way, profiles) = rest.split_last()?;
    let profile = profiles.first().filter(|name| **name != "-").map(|name| (*name).to_owned());
    let action = action.split('_').map(str::to_owned).collect::<Vec<_>>();
    let is_known = ["allow", "deny", "limit", "reject"].contains(&action[0].as_str());
    Some(Rule {
        target: (protocol.to_owned(), ports.to_owned()),
        is_for_all: is_known && [to, from] == ["0.0.0.0/0"; 2] && sender == "any" && *way == "in",
        comment: comment.and_then(|text| String::from_utf8(hex::decode(text).ok()?).ok()),
        action,
        profile,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rules, as they stand between `### tuple ###` and the addresses; further words go behind those.
    fn rules(rules: &[(&str, &str)]) -> Rules {
        let line = |(rule, rest): &(&str, &str)| {
            format!("\n### tuple ### {rule} 0.0.0.0/0 any 0.0.0.0/0 {rest}\n-A x\n")
        };
        let text = rules.iter().map(line).collect::<String>();
        Rules::parse([&text, "DEFAULT_INPUT_POLICY=\"DROP\"\n"])
    }

    fn said(rules: &Rules, port: u16) -> Vec<String> {
        rules.openers(port).iter().map(|words| words.join(" ")).collect()
    }

    #[test]
    fn the_first_rule_that_is_for_everybody_decides() {
        let rules = Rules::parse([
            "### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### limit any 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow tcp 9000 0.0.0.0/0 any 10.0.0.0/8 in\n\
             ### tuple ### deny any any 0.0.0.0/0 any 10.0.0.0/8 in\n\
             ### tuple ### deny any any 0.0.0.0/0 any 0.0.0.0/0 in_eth1\n\
             ### tuple ### deny tcp 25 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow udp 53 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow tcp 90 0.0.0.0/0 any 0.0.0.0/0 out comment=78\n\
             ### tuple ### allow tcp 91 0.0.0.0/0 any 0.0.0.0/0 out_lo\n\
             ### tuple ### allow tcp 92 0.0.0.0/0 any 0.0.0.0/0 in_lo\n\
             ### tuple ### route:allow tcp 94 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow tcp 93 0.0.0.0/0 any 0.0.0.0/0 WWW - in\n\
             ### tuple ### deny any 8005 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### reject_log tcp 8006:8007 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow tcp 8000:8010 0.0.0.0/0 any 0.0.0.0/0 in comment=78\n\
             ### tuple ### deny any any 0.0.0.0/0 any 0.0.0.0/0 in\n\
             ### tuple ### allow tcp 70 0.0.0.0/0 any 0.0.0.0/0 in\n",
            "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n",
        ]);
        for port in [80, 443, 22, 93, 8000, 8004, 8010] {
            assert!(rules.lets_through(port), "{port}");
        }
        for port in [81, 9000, 25, 53, 90, 91, 92, 94, 8005, 8006, 8007, 8011, 70] {
            assert!(!rules.lets_through(port), "{port}");
        }
        let lenient = "IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\n";
        assert!(Rules::parse(["", lenient]).lets_through(9) && !Rules::parse(["", ""]).lets_through(9));
    }

    #[test]
    fn a_port_that_no_rule_is_about_is_added_and_a_refusal_of_the_very_port_gives_way_where_it_stands() {
        let rules = rules(&[("deny_log tcp 80", "in comment=6e6f20776562"), ("allow tcp 22", "in")]);
        for port in [80, 81] {
            assert_eq!(said(&rules, port), [format!("allow {port}/tcp")]);
        }
        let words = ["deny", "log", "80/tcp", "comment", "no web"].map(str::to_owned).to_vec();
        assert_eq!(rules.replaced(80, "hello"), (words, None));
        assert_eq!(rules.replaced(81, "hello"), (vec![], None));
    }

    #[test]
    fn a_refusal_of_more_than_the_port_is_come_before_and_what_is_refused_to_some_machines_is_not() {
        for refusal in ["deny any 80", "reject tcp 79:81", "deny tcp 25,80", "deny any any"] {
            let text = "### tuple ### deny any any 0.0.0.0/0 any 192.0.2.7 in\n### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n";
            let text = format!("{text}### tuple ### {refusal} 0.0.0.0/0 any 0.0.0.0/0 in\n");
            let rules = Rules::parse([&text, ""]);
            assert_eq!(said(&rules, 80), ["insert 3 allow 80/tcp"], "{refusal}");
            assert_eq!(rules.replaced(80, "hello"), (vec![], None), "{refusal}");
        }
    }

    #[test]
    fn a_rule_for_the_very_port_that_stands_behind_is_taken_out_first_and_its_place_is_known() {
        let rules = rules(&[("deny any 80", "in"), ("limit_log-all tcp 80", "in comment=78")]);
        assert_eq!(said(&rules, 80), ["delete limit log-all 80/tcp", "insert 1 allow 80/tcp"]);
        let words = ["limit", "log-all", "80/tcp", "comment", "x"].map(str::to_owned).to_vec();
        assert_eq!(rules.replaced(80, "hello"), (words, Some(2)));
        // Ours, before which somebody has put a refusal since.
        assert_eq!(rules.replaced(80, "x"), (vec![], None));
        assert!(!rules.has_own(80));
    }

    #[test]
    fn nothing_is_put_between_the_rules_of_one_profile() {
        let rules = rules(&[
            ("allow tcp 22", "in"),
            ("deny udp 137,138", "Samba - in"),
            ("deny tcp 139,445", "Samba - in"),
        ]);
        assert_eq!(said(&rules, 445), ["insert 2 allow 445/tcp"]);
    }
}
