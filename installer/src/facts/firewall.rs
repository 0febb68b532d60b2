//! Collects which firewall is active and which TCP ports it lets other machines reach, from its own files.

use std::ops::RangeInclusive;
use std::path::Path;

use super::bounded::text;

/// A firewall that is active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firewall {
    /// Which.
    pub kind: FirewallKind,
    /// TCP ports that it lets through from everywhere.
    pub open: Vec<RangeInclusive<u16>>,
}

/// The firewalls that distributions come with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallKind {
    /// firewalld.
    Firewalld,
    /// ufw.
    Ufw,
}

impl Firewall {
    /// Whether other machines reach this port.
    pub fn lets_through(&self, port: u16) -> bool {
        self.open.iter().any(|range| range.contains(&port))
    }
}

/// The active firewall; `commands` are the names of all processes.
pub fn collect(root: &Path, commands: &[String]) -> Option<Firewall> {
    if commands.iter().any(|name| name == "firewalld") {
        return Some(Firewall { kind: FirewallKind::Firewalld, open: firewalld(root) });
    }
    let setting = |path: &str, key: &str| {
        let text = text(root.join(path)).unwrap_or_default();
        let line = text.lines().find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_default().trim_matches(['"', '\'', ' ']).to_ascii_lowercase()
    };
    if setting("etc/ufw/ufw.conf", "ENABLED") != "yes" {
        return None;
    }
    let open = match setting("etc/default/ufw", "DEFAULT_INPUT_POLICY").as_str() {
        "accept" => vec![0..=u16::MAX],
        _ => ufw(&text(root.join("etc/ufw/user.rules")).unwrap_or_default()),
    };
    Some(Firewall { kind: FirewallKind::Ufw, open })
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

/// The rules that ufw keeps: `### tuple ### allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in`.
fn ufw(rules: &str) -> Vec<RangeInclusive<u16>> {
    let mut open = Vec::new();
    for line in rules.lines() {
        let Some(tuple) = line.strip_prefix("### tuple ### ") else { continue };
        let words: Vec<_> = tuple.split_whitespace().collect();
        let [action, protocol, ports, _, _, source, ..] = words[..] else { continue };
        let lets = action.starts_with("allow") || action.starts_with("limit");
        // The way comes last, behind the names of applications: `in`, `out`, or either with an interface, as `in_eth0`.
        let way = words[6..].iter().rfind(|word| !word.starts_with("comment="));
        if !lets || protocol == "udp" || source != "0.0.0.0/0" || way != Some(&"in") {
            continue;
        }
        match ports {
            "any" => open.push(0..=u16::MAX),
            list => open.extend(list.split(',').filter_map(|port| range(port, ':'))),
        }
    }
    open
}

fn range(text: &str, separator: char) -> Option<RangeInclusive<u16>> {
    let (first, last) = text.split_once(separator).unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
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
        assert_eq!(firewall.open, [80..=80, 8000..=8010, 70..=70]);
        assert!(firewall.lets_through(8005) && !firewall.lets_through(53) && !firewall.lets_through(1));
    }

    #[test]
    fn a_zone_that_accepts_everything_blocks_nothing() {
        let root = tree(&[("usr/lib/firewalld/zones/public.xml", "<zone target=\"ACCEPT\">\n</zone>")]);
        assert!(collect(root.path(), &["firewalld".into()]).unwrap().lets_through(9));
    }

    #[test]
    fn ufw_is_read_from_its_own_rules() {
        let rules = "*filter\n### tuple ### allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### limit any 22 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### allow tcp 9000 0.0.0.0/0 any 10.0.0.0/8 in\n\
                     ### tuple ### deny tcp 25 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### allow udp 53 0.0.0.0/0 any 0.0.0.0/0 in\n\
                     ### tuple ### allow tcp 90 0.0.0.0/0 any 0.0.0.0/0 out comment=78\n\
                     ### tuple ### allow tcp 91 0.0.0.0/0 any 0.0.0.0/0 out_lo\n\
                     ### tuple ### allow tcp 92 0.0.0.0/0 any 0.0.0.0/0 in_lo\n\
                     ### tuple ### allow tcp 93 0.0.0.0/0 any 0.0.0.0/0 WWW - in\n\
                     ### tuple ### allow tcp 8000:8010 0.0.0.0/0 any 0.0.0.0/0 in comment=78\n";
        let root = tree(&[
            ("etc/ufw/ufw.conf", "ENABLED=yes\n"),
            ("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n"),
            ("etc/ufw/user.rules", rules),
        ]);
        let firewall = collect(root.path(), &[]).unwrap();
        assert_eq!(firewall.kind, FirewallKind::Ufw);
        assert_eq!(firewall.open, [80..=80, 443..=443, 22..=22, 93..=93, 8000..=8010]);
        std::fs::write(root.path().join("etc/ufw/ufw.conf"), "ENABLED=no\n").unwrap();
        assert_eq!(collect(root.path(), &[]), None);
    }
}
