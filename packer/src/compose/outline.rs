//! Services, images and published ports as a Compose file's text shows them, for `init`, which asks no Compose. What the text
//! does not show plainly (anchors, `extends`, braces over several lines) is not guessed at.

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

/// A line that counts: its indentation, and what stands there.
struct Line<'t> {
    indent: usize,
    text: &'t str,
}

/// The services of a Compose file, in their order.
pub fn services(text: &str) -> Vec<Service> {
    let lines: Vec<_> = text.lines().filter_map(line).collect();
    let Some(start) =
        lines.iter().position(|line| line.indent == 0 && value_of(line.text, "services") == Some(""))
    else {
        return Vec::new();
    };
    let mut services = Vec::new();
    for block in blocks(below(&lines[start..])) {
        let name = block[0].text.split(':').next().map(unquoted).unwrap_or_default();
        services.push(service(name, below(block)));
    }
    services
}

fn service(name: &str, lines: &[Line<'_>]) -> Service {
    let mut service = Service { name: name.to_owned(), ..Service::default() };
    for block in blocks(lines) {
        let key = block[0].text;
        if let Some(image) = value_of(key, "image") {
            service.image = Some(unquoted(image).to_owned()).filter(|image| !image.is_empty());
        } else if value_of(key, "build").is_some() {
            service.is_built = true;
        } else if value_of(key, "profiles").is_some() {
            service.in_profile = true;
        } else if let Some(list) = value_of(key, "ports") {
            service.ports = if list.is_empty() { listed(&block[1..]) } else { in_brackets(list) };
        }
    }
    service
}

/// Lines below the first one, deeper than it, or the items of a list beside it.
fn below<'l, 't>(lines: &'l [Line<'t>]) -> &'l [Line<'t>] {
    let Some((first, rest)) = lines.split_first() else { return &[] };
    let is_inside = |line: &Line<'_>| line.indent > first.indent || is_item_beside(line, first);
    let end = rest.iter().position(|line| !is_inside(line)).unwrap_or(rest.len());
    &rest[..end]
}

/// YAML lets the items of a list stand right below the key.
fn is_item_beside(line: &Line<'_>, key: &Line<'_>) -> bool {
    line.indent == key.indent && line.text.starts_with("- ") && !key.text.starts_with("- ")
}

/// One block for each line that stands as far left as the first.
fn blocks<'l, 't>(mut lines: &'l [Line<'t>]) -> Vec<&'l [Line<'t>]> {
    let mut blocks = Vec::new();
    while !lines.is_empty() {
        let (block, rest) = lines.split_at(1 + below(lines).len());
        blocks.push(block);
        lines = rest;
    }
    blocks
}

/// Items of `ports:`, each a text or keys of its own.
fn listed(lines: &[Line<'_>]) -> Vec<Port> {
    let port = |block: &[Line<'_>]| {
        let item = block[0].text.strip_prefix('-')?.trim();
        let keys: Vec<_> = std::iter::once(item).chain(block[1..].iter().map(|line| line.text)).collect();
        let key = |name| keys.iter().find_map(|text| value_of(text, name)).map(unquoted);
        if key("target").is_none() && key("published").is_none() {
            return short(unquoted(item));
        }
        let published = key("published").map_or(Published::Any, published);
        let text = format!("target: {}", key("target").unwrap_or("?"));
        let is_local = key("host_ip").is_some_and(is_loopback);
        (key("protocol") != Some("udp")).then_some(Port { text, published, is_local })
    };
    blocks(lines).into_iter().filter_map(port).collect()
}

/// `["80:80", "443:443"]`, on one line.
fn in_brackets(list: &str) -> Vec<Port> {
    match list.strip_prefix('[').and_then(|list| list.strip_suffix(']')) {
        Some(items) => items.split(',').map(|item| unquoted(item.trim())).filter_map(short).collect(),
        None => vec![Port { text: list.to_owned(), published: Published::Unclear, is_local: false }],
    }
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

/// The value of this key, if the line has it.
fn value_of<'t>(line: &'t str, key: &str) -> Option<&'t str> {
    let rest = line.strip_prefix("- ").unwrap_or(line).trim_start().strip_prefix(key)?.trim_start();
    let value = rest.strip_prefix(':')?;
    (value.is_empty() || value.starts_with(' ')).then(|| value.trim())
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inside = |quote| text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// A line without its comment; nothing where that is all.
fn line(text: &str) -> Option<Line<'_>> {
    let content = text.trim_start_matches(' ');
    let indent = text.len() - content.len();
    let content = if content.starts_with('#') { "" } else { content.split(" #").next().unwrap_or(content) };
    let content = content.trim_end();
    (!content.is_empty() && content != "---").then_some(Line { indent, text: content })
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
                ("old", None, false, false)
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
        assert_eq!(services("services:\n  a:\n    ports: [\n")[0].ports[0].published, Unclear);
    }

    #[test]
    fn what_the_text_does_not_show_is_not_guessed_at() {
        for text in ["", "services: {web: {image: a}}", "include: [x]", "\tservices:\n", "services:", "- a"] {
            assert_eq!(services(text), [], "{text}");
        }
        assert_eq!(services("services:\n  web: {image: a}\n")[0].image, None);
    }
}
