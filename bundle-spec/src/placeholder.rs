//! `{question}` placeholders in URLs and ports: the one place that knows their syntax.

/// Replaces every `{id}` in `text` by what `lookup` gives for it.
///
/// # Errors
/// The first id that `lookup` does not know.
pub fn expand(text: &str, mut lookup: impl FnMut(&str) -> Option<String>) -> Result<String, String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((id, tail)) = after.split_once('}') else { break };
        expanded.push_str(before);
        expanded.push_str(&lookup(id).ok_or_else(|| id.to_owned())?);
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
}
