//! Collects which firewall is active and which TCP ports it lets other machines reach, from its own files.

use std::ops::RangeInclusive;
use std::path::Path;

use super::bounded::text;
use crate::host::firewall::ufw::{FILES, Rules, range, setting};

/// The firewall that is active, of those that distributions come with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// firewalld.
    Firewalld {
        /// TCP ports that it lets through from everywhere.
        open: Vec<RangeInclusive<u16>>,
    },
    /// ufw.
    Ufw(Rules),
}

impl Firewall {
    /// Whether other machines reach this port.
    pub fn lets_through(&self, port: u16) -> bool {
        match self {
            Self::Firewalld { open } => open.iter().any(|range| range.contains(&port)),
            Self::Ufw(rules) => rules.lets_through(port),
        }
    }
}

/// The active firewall; `commands` are the names of all processes of this machine.
pub fn collect(root: &Path, commands: &[String]) -> Option<Firewall> {
    if commands.iter().any(|name| name == "firewalld") {
        return Some(Firewall::Firewalld { open: firewalld(root) });
    }
    let read = |path: &str| text(root.join(path)).unwrap_or_default();
    if setting(&read("etc/ufw/ufw.conf"), "ENABLED") != "yes" {
        return None;
    }
    let [rules, settings] = FILES.map(read);
    Some(Firewall::Ufw(Rules::parse([&rules, &settings])))
}

/// The ports of the default zone: which zone an interface is in otherwise, only the running daemon knows.
fn firewalld(root: &Path) -> Vec<RangeInclusive<u16>> {
    let read = |path: &str| {
        ["etc/firewalld", "usr/lib/firewalld"].iter().find_map(|base| text(root.join(base).join(path)))
    };
    let config = read("firewalld.conf").unwrap_or_default();
    let zone = config.lines().find_map(|line| line.trim().strip_prefix("DefaultZone=")).unwrap_or("public");
    let zone = without_rules(&read(&format!("zones/{}.xml", zone.trim())).unwrap_or_default());
    if elements(&zone, "zone").any(|element| attribute(element, "target") == Some("ACCEPT")) {
        return vec![0..=u16::MAX];
    }
    let services = elements(&zone, "service").filter_map(|element| attribute(element, "name"));
    let services = services.filter(|name| !name.contains('/'));
    let texts = services.filter_map(|name| read(&format!("services/{name}.xml"))).chain([zone.clone()]);
    texts.flat_map(|text| elements(&text, "port").filter_map(tcp_port).collect::<Vec<_>>()).collect()
}

/// A zone without its rich rules: each lets through, or refuses, only some.
fn without_rules(zone: &str) -> String {
    let (first, rest) = zone.split_once("<rule").unwrap_or((zone, ""));
    let behind = rest.split("<rule").filter_map(|rule| Some(rule.split_once("</rule>")?.1));
    std::iter::once(first).chain(behind).collect()
}

/// The insides of the tags of this name; those files are written by one program, in one form.
fn elements<'a>(xml: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let tags = xml.split('<').filter_map(|part| part.split('>').next());
    tags.filter_map(move |tag| tag.strip_prefix(name).filter(|rest| !rest.starts_with(char::is_alphanumeric)))
}

fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let start = element.find(&format!(" {name}=\""))? + name.len() + 3;
    element.get(start..)?.split('"').next()
}

fn tcp_port(element: &str) -> Option<RangeInclusive<u16>> {
    (attribute(element, "protocol") == Some("tcp")).then(|| range(attribute(element, "port")?, '-')).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, content) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        root
    }

    #[test]
    fn firewalld_opens_the_ports_and_services_of_its_default_zone() {
        let root = tree(&[
            ("etc/firewalld/firewalld.conf", "# comment\nDefaultZone=internal\n"),
            ("usr/lib/firewalld/zones/internal.xml", "<zone><port port=\"1\" protocol=\"tcp\"/></zone>"),
            (
                "etc/firewalld/zones/internal.xml",
                "<?xml version=\"1.0\"?>\n<zone>\n  <service name=\"web\"/>\n  <port port=\"8000-8010\" protocol=\"tcp\"/>\n  <port port=\"53\" protocol=\"udp\"/>\n  <rule family=\"ipv4\">\n    <source address=\"10.0.0.0/8\"/>\n    <port port=\"99\" protocol=\"tcp\"/>\n    <accept/>\n  </rule>\n  <port port=\"70\" protocol=\"tcp\"/>\n</zone>",
            ),
            ("usr/lib/firewalld/services/web.xml", "<service><port protocol=\"tcp\" port=\"80\"/></service>"),
        ]);
        assert_eq!(collect(root.path(), &["sshd".into()]), None);
        let firewall = collect(root.path(), &["firewalld".into()]).unwrap();
        assert_eq!(firewall, Firewall::Firewalld { open: vec![80..=80, 8000..=8010, 70..=70] });
        assert!(firewall.lets_through(8005) && !firewall.lets_through(53) && !firewall.lets_through(1));
    }

    #[test]
    fn a_zone_that_accepts_everything_blocks_nothing() {
        let root = tree(&[("usr/lib/firewalld/zones/public.xml", "<zone target=\"ACCEPT\">\n</zone>")]);
        assert!(collect(root.path(), &["firewalld".into()]).unwrap().lets_through(9));
    }

    #[test]
    fn ufw_is_read_from_its_own_rules() {
        let rules = "*filter\n### tuple ### deny any 80 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in\n";
        let root = tree(&[
            ("etc/ufw/ufw.conf", "ENABLED=yes\n"),
            ("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n"),
            ("etc/ufw/user.rules", rules),
        ]);
        let firewall = collect(root.path(), &[]).unwrap();
        assert!(matches!(firewall, Firewall::Ufw(_)));
        assert!(firewall.lets_through(443) && !firewall.lets_through(80) && !firewall.lets_through(81));
        std::fs::write(root.path().join("etc/default/ufw"), "DEFAULT_INPUT_POLICY=\"ACCEPT\"\n").unwrap();
        let firewall = collect(root.path(), &[]).unwrap();
        assert!(firewall.lets_through(81) && !firewall.lets_through(80));
        std::fs::write(root.path().join("etc/ufw/ufw.conf"), "ENABLED=no\n").unwrap();
        assert_eq!(collect(root.path(), &[]), None);
    }
}
