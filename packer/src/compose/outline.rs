//! Services, images and published ports as a Compose file says them, for `init`, which asks no Compose. Variables, `include` and
//! `extends` are not followed, and nothing is guessed at.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Its image, as it is written.
    pub image: Option<String>,
    /// Whether it is built.
    pub is_built: bool,
    /// Whether it is there only with a profile.
    pub in_profile: bool,
    /// The TCP ports that it publishes.
    pub ports: Vec<Port>,
}

/// One published port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// How it is written.
    pub text: String,
    /// Which port of the machine it is.
    pub published: Published,
    /// Whether only the machine itself reaches it.
    pub is_local: bool,
}

/// Which port of the machine is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// Docker chooses one.
    Any,
    /// This one.
    Fixed(u16),
    /// Several, or what cannot be read.
    Unclear,
    /// The one that this variable says.
    Variable(String),
}

/// A Compose file, as far as it matters here.
#[derive(Deserialize)]
struct File {
    services: Option<Services>,
}

/// Services in their order.
struct Services(Vec<(String, Option<Keys>)>);

/// Keys of a service.
#[derive(Deserialize)]
struct Keys {
    image: Option<String>,
    #[serde(default, deserialize_with = "is_there")]
    build: bool,
    #[serde(default, deserialize_with = "is_there")]
    profiles: bool,
    ports: Option<Ports>,
}

/// What stands below `ports`.
struct Ports(Vec<Port>);

/// An item of `ports` that has keys of its own.
#[derive(Deserialize)]
struct Long {
    target: Option<String>,
    published: Option<String>,
    host_ip: Option<String>,
    protocol: Option<String>,
}

/// An item of `ports`; nothing for UDP.
struct Item(Option<Port>);

/// The services of a Compose file, in their order; none where it is no YAML, or no Compose file.
pub fn services(text: &str) -> Vec<Service> {
    let services = serde_saphyr::from_str::<File>(text).ok().and_then(|file| file.services);
    let service = |(name, keys): (String, Option<Keys>)| match keys {
        None => Service { name, ..Service::default() },
        Some(keys) => Service {
            name,
            image: keys.image.filter(|image| !image.is_empty()),
            is_built: keys.build,
            in_profile: keys.profiles,
            ports: keys.ports.map_or_else(Vec::new, |ports| ports.0),
        },
    };
    services.map_or_else(Vec::new, |services| services.0.into_iter().map(service).collect())
}

/// Of a key that is there, whatever its value.
fn is_there<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}

impl<'de> Deserialize<'de> for Services {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Services;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("services by their names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Services, A::Error> {
                let mut services = Vec::new();
                while let Some(service) = map.next_entry()? {
                    services.push(service);
                }
                Ok(Services(services))
            }
        }
        value.deserialize_map(InOrder)
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Ports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of ports")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Ports, A::Error> {
                let mut ports = Vec::new();
                while let Some(Item(port)) = list.next_element()? {
                    ports.extend(port);
                }
                Ok(Ports(ports))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Ports, E> {
                Ok(Ports(vec![Port {
                    text: text.to_owned(),
                    published: Published::Unclear,
                    is_local: false,
                }]))
            }
        }
        value.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Item;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port, or its keys")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Item, E> {
                Ok(Item(short(text)))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Item, E> {
                Ok(Item(short(&number.to_string())))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Item, E> {
                Ok(Item(short(&number.to_string())))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Item, A::Error> {
                Long::deserialize(MapAccessDeserializer::new(map)).map(|keys| Item(long(&keys)))
            }
        }
        value.deserialize_any(Either)
    }
}

fn long(keys: &Long) -> Option<Port> {
    let published = keys.published.as_deref().map_or(Published::Any, published);
    let text = format!("target: {}", keys.target.as_deref().unwrap_or("?"));
    let is_local = keys.host_ip.as_deref().is_some_and(is_loopback);
    (keys.protocol.as_deref() != Some("udp")).then_some(Port { text, published, is_local })
}

/// `[[address:]published:]target[/protocol]`; nothing for UDP.
fn short(text: &str) -> Option<Port> {
    let (ports, protocol) = text.rsplit_once('/').unwrap_or((text, "tcp"));
    if protocol == "udp" || ports.is_empty() {
        return None;
    }
    let mut parts = parts(ports);
    parts.pop();
    let published = parts.pop().map_or(Published::Any, published);
    let is_local = parts.pop().is_some_and(is_loopback);
    Some(Port { text: text.to_owned(), published, is_local })
}

/// What stands between colons, save those in `${…}` and `[…]`.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_u32);
    for (at, c) in text.char_indices() {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ':' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn published(text: &str) -> Published {
    if text.is_empty() || text == "0" {
        return Published::Any;
    }
    if let Ok(port) = text.parse() {
        return Published::Fixed(port);
    }
    let inner = match text.strip_prefix("${") {
        Some(braced) => braced.strip_suffix('}').filter(|inner| !inner.contains(['{', '}'])),
        None => text.strip_prefix('$'),
    };
    let name = |inner: &str| {
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
        let is_whole = end == inner.len() || inner[end..].starts_with([':', '-', '?']);
        (end > 0 && is_whole).then(|| inner[..end].to_owned())
    };
    inner.and_then(name).map_or(Published::Unclear, Published::Variable)
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("127.") || matches!(address, "localhost" | "[::1]" | "::1")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ports(written: &str) -> Vec<(Published, bool)> {
        let text = format!("services:\n  web:\n    image: a\n    ports:\n{written}    restart: always\n");
        services(&text)[0].ports.iter().map(|port| (port.published.clone(), port.is_local)).collect()
    }

    #[test]
    fn images_and_what_is_built_are_seen() {
        let text = "# services:\nversion: \"3\"\nx-base: &base\n  image: not-a-service\nservices:\n\n  # the page\n  web:   # first\n    image: 'nginx:1.25'  # pinned\n    build:\n      context: .\n      image: inner\n  \"api\":\n      image: foo\n      environment:\n        image: other\n  job:\n    build: ./job\n    profiles: [x]\n  old: &old\n    <<: *base\n\nvolumes:\n  data:\n    image: no\n";
        let seen = services(text);
        let seen: Vec<_> =
            seen.iter().map(|s| (s.name.as_str(), s.image.as_deref(), s.is_built, s.in_profile)).collect();
        assert_eq!(
            seen,
            [
                ("web", Some("nginx:1.25"), true, false),
                ("api", Some("foo"), false, false),
                ("job", None, true, true),
                ("old", Some("not-a-service"), false, false)
            ]
        );
    }

    #[test]
    fn ports_of_every_form_are_seen() {
        use Published::{Any, Fixed, Unclear, Variable};
        let variable = |name: &str| Variable(name.to_owned());
        for (item, published, is_local) in [
            ("\"8080:80\"", Fixed(8080), false),
            ("8080:80", Fixed(8080), false),
            ("'8080:80/tcp'", Fixed(8080), false),
            ("\"127.0.0.1:9000:9000\"", Fixed(9000), true),
            ("\"[::1]:9000:9000\"", Fixed(9000), true),
            ("0.0.0.0:9000:9000", Fixed(9000), false),
            ("\"127.0.0.1::9000\"", Any, true),
            ("\"3000\"", Any, false),
            ("\"${PORT:-3000}:3000\"", variable("PORT"), false),
            ("\"${PORT:?}:3000\"", variable("PORT"), false),
            ("$PORT:3000", variable("PORT"), false),
            ("\"${BIND:-0.0.0.0}:${PORT}:3000\"", variable("PORT"), false),
            ("\"80${X}:3000\"", Unclear, false),
            ("\"${A:-${B}}:3000\"", Unclear, false),
            ("\"3000-3005:3000-3005\"", Unclear, false),
        ] {
            for indent in ["      - ", "    - "] {
                assert_eq!(ports(&format!("{indent}{item}\n")), [(published.clone(), is_local)], "{item}");
            }
            let text = format!("services:\n  web:\n    ports: [{item}, 1:1]\n");
            assert_eq!(services(&text)[0].ports[0].published, published, "{item}");
        }
        assert_eq!(ports("      - 53:53/udp\n"), []);
        let long = "      - target: 80\n        published: \"8080\"\n        host_ip: 127.0.0.1\n      - published: ${P:-1}\n        target: 81\n        protocol: tcp\n      - target: 82\n      - target: 53\n        published: 53\n        protocol: udp\n";
        assert_eq!(ports(long), [(Fixed(8080), true), (variable("P"), false), (Any, false)]);
        assert_eq!(services("services:\n  a:\n    ports: ${PORTS}\n")[0].ports[0].published, Unclear);
    }

    #[test]
    fn what_the_text_does_not_show_is_not_guessed_at() {
        for text in
            ["", "include: [x]", "\tservices:\n", "services:", "- a", "services:\n  a:\n    ports: [\n"]
        {
            assert_eq!(services(text), [], "{text}");
        }
    }

    #[test]
    fn services_in_braces_are_seen_in_their_order() {
        let seen = services("services: {web: {image: b, ports: [\"1:1\"]}, api: {image: a}, none: }\n");
        let seen: Vec<_> =
            seen.iter().map(|s| (s.name.as_str(), s.image.as_deref(), s.ports.len())).collect();
        assert_eq!(seen, [("web", Some("b"), 1), ("api", Some("a"), 0), ("none", None, 0)]);
    }
}
