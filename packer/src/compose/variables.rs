//! Variables that a Compose file asks for, found in its text: `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}`.

use std::collections::BTreeMap;

use bundle_spec::validate::is_env_name;

/// How a variable is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// The default, if there is one.
    pub default: Option<String>,
    /// Whether Compose refuses to go on without it.
    pub required: bool,
}

/// All variables of a Compose file by name. Comment lines do not count.
pub fn of(text: &str) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
        scan(line, &mut variables);
    }
    variables
}

fn scan(text: &str, variables: &mut BTreeMap<String, Variable>) {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('$') {
        rest = after;
        if let Some(escaped) = rest.strip_prefix('$') {
            rest = escaped;
        } else if let Some(braced) = rest.strip_prefix('{') {
            let end = closing(braced);
            note(&braced[..end], variables);
            rest = &braced[end..];
        } else {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            note(&rest[..end], variables);
            rest = &rest[end..];
        }
    }
}

/// Where the brace that is open closes; defaults can contain variables themselves.
fn closing(text: &str) -> usize {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn note(expression: &str, variables: &mut BTreeMap<String, Variable>) {
    let end = expression.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(expression.len());
    let (name, operator) = expression.split_at(end);
    if !is_env_name(name) {
        return;
    }
    let operator = operator.strip_prefix(':').unwrap_or(operator);
    let variable: &mut Variable = variables.entry(name.to_owned()).or_default();
    match operator.split_at_checked(1) {
        Some(("-", default)) => {
            variable.default.get_or_insert_with(|| default.to_owned());
            scan(default, variables);
        }
        Some(("?", _)) => variable.required = true,
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_found() {
        let text = "a: $A\nb: ${B}\nc: ${C:-x y}\nd: ${D-}\ne: ${E:?tell me}\nf: ${F:-${G:-7}}\n# ${H}\ni: $$I ${J:+set}\n";
        let found = of(text);
        assert_eq!(
            found.keys().map(String::as_str).collect::<Vec<_>>(),
            ["A", "B", "C", "D", "E", "F", "G", "J"]
        );
        assert_eq!(found["C"].default.as_deref(), Some("x y"));
        assert_eq!(found["D"].default.as_deref(), Some(""));
        assert_eq!(found["G"].default.as_deref(), Some("7"));
        assert!(found["E"].required && !found["B"].required);
    }
}
