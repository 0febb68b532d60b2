//! `{question}` placeholders in URLs, ports and derived values: the one place that knows their syntax.

use std::net::Ipv6Addr;

use crate::question::QuestionId;

/// Replaces every `{id}` in `text` by what `lookup` gives for it. An IPv6 address behind `://` gets the brackets that a URL
/// wants.
///
/// # Errors
/// The first id that `lookup` does not know.
pub fn expand(text: &str, lookup: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    expand_those(text, |_| true, lookup)
}

/// As [`expand`], in a text that may have braces of its own, as JSON has: what cannot be an id stays as it is.
///
/// # Errors
/// The first id that `lookup` does not know.
pub fn expand_ids(text: &str, lookup: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    expand_those(text, |id| QuestionId::parse(id).is_ok(), lookup)
}

/// The ids that [`expand`] would look up.
pub fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0))
}

fn expand_those(
    text: &str,
    is_meant: impl Fn(&str) -> bool,
    mut lookup: impl FnMut(&str) -> Option<String>,
) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((id, tail)) = after.split_once('}') else { break };
        expanded.push_str(before);
        if !is_meant(id) {
            expanded.push('{');
            rest = after;
            continue;
        }
        let value = lookup(id).ok_or_else(|| id.to_owned())?;
        if expanded.ends_with("://") && value.parse::<Ipv6Addr>().is_ok() {
            expanded.extend(["[", &value, "]"]);
        } else {
            expanded.push_str(&value);
        }
        rest = tail;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::{expand, expand_ids};

    #[test]
    fn ids_are_replaced_and_unknown_ones_named() {
        let lookup = |id: &str| (id == "port").then(|| "8000".to_owned());
        assert_eq!(expand("http://h:{port}/x", lookup), Ok("http://h:8000/x".to_owned()));
        assert_eq!(expand("plain { text", lookup), Ok("plain { text".to_owned()));
        assert_eq!(expand("{other}", lookup), Err("other".to_owned()));
    }

    #[test]
    fn braces_around_what_is_no_id_stay_where_a_text_may_have_them() {
        let lookup = |id: &str| (id == "port").then(|| "8000".to_owned());
        for (text, expected) in [
            ("{\"port\":{port}}", "{\"port\":8000}"),
            ("{ port } {{port}} {}", "{ port } {8000} {}"),
            ("a { b", "a { b"),
        ] {
            assert_eq!(expand_ids(text, lookup), Ok(expected.to_owned()), "{text}");
        }
        assert_eq!(expand_ids("{ok}", lookup), Err("ok".to_owned()));
    }

    #[test]
    fn an_ipv6_address_is_bracketed_in_a_url_alone() {
        let lookup = |_: &str| Some("fd00::5".to_owned());
        assert_eq!(expand("http://{host}:8000/", lookup), Ok("http://[fd00::5]:8000/".to_owned()));
        assert_eq!(expand("http://[{host}]/?h={host}", lookup), Ok("http://[fd00::5]/?h=fd00::5".to_owned()));
        assert_eq!(expand("{host}", lookup), Ok("fd00::5".to_owned()));
    }
}
