//! `{question}` placeholders in URLs, ports and derived values: the one place that knows their syntax.

use std::net::Ipv6Addr;

/// Replaces every `{id}` in `text` by what `lookup` gives for it. An IPv6 address behind `://` gets the brackets that a URL
/// wants.
///
/// # Errors
/// The first id that `lookup` does not know.
pub fn expand(text: &str, mut lookup: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((id, tail)) = after.split_once('}') else { break };
        expanded.push_str(before);
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
    use super::expand;

    #[test]
    fn ids_are_replaced_and_unknown_ones_named() {
        let lookup = |id: &str| (id == "port").then(|| "8000".to_owned());
        assert_eq!(expand("http://h:{port}/x", lookup), Ok("http://h:8000/x".to_owned()));
        assert_eq!(expand("plain { text", lookup), Ok("plain { text".to_owned()));
        assert_eq!(expand("{other}", lookup), Err("other".to_owned()));
    }

    #[test]
    fn an_ipv6_address_is_bracketed_in_a_url_alone() {
        let lookup = |_: &str| Some("fd00::5".to_owned());
        assert_eq!(expand("http://{host}:8000/", lookup), Ok("http://[fd00::5]:8000/".to_owned()));
        assert_eq!(expand("http://[{host}]/?h={host}", lookup), Ok("http://[fd00::5]/?h=fd00::5".to_owned()));
        assert_eq!(expand("{host}", lookup), Ok("fd00::5".to_owned()));
    }
}
