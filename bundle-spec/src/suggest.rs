//! "Did you mean": the nearest known name to an unknown one.

/// The candidate nearest to `unknown`, if any is near enough to be a typing error of it.
pub fn nearest<'a>(unknown: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(unknown, candidate), candidate))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn typing_errors_find_their_name_and_strangers_do_not() {
        let known = ["llm_api_url", "http_port", "secret_key"];
        assert_eq!(nearest("llm_apiurl", known), Some("llm_api_url"));
        assert_eq!(nearest("htp_port", known), Some("http_port"));
        assert_eq!(nearest("zebra", known), None);
    }
}
