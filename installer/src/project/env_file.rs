//! Renders `.env` so that Compose reads back exactly what was given. Pure.
//!
//! Compose interpolates `$` in unquoted and double-quoted values and knows escapes only in the latter; single quotes
//! cannot hold every value. So every value is double-quoted, with the escapes that its parser undoes
//! (compose-go `dotenv/parser.go`); a test asks the real Compose.

use std::collections::HashSet;

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::index::Content;

/// Renders the whole file.
pub fn render(content: &Content, answers: &Answers) -> String {
    let project = &content.project;
    let mut text = format!(
        "# {} {}: written by Airlift from the answers of the installation.\n# To change a value run the bundle again with --set id=value: a change made here is lost with the next run.\n# 由安装程序生成；此处的改动会在下次运行安装包时丢失。修改请重新运行安装包并加 --set 配置项=值。\n",
        content.app.name, content.app.version
    );
    let mut put = |name: &str, value: &str| {
        text.push_str(name);
        text.push_str("=\"");
        text.push_str(&escape(value));
        text.push_str("\"\n");
    };
    // For people who call `docker compose` by hand in this directory.
    put("COMPOSE_PROJECT_NAME", &project.name);
    put("COMPOSE_FILE", project.compose_file.as_str());
    if !project.profiles.is_empty() {
        put("COMPOSE_PROFILES", &project.profiles.join(","));
    }
    let asked = content.questions.iter().map(|question| (&question.env, &question.id));
    let derived = content.values.iter().map(|value| (&value.env, &value.id));
    let mut written = HashSet::new();
    for (name, id) in asked.chain(derived).filter_map(|(env, id)| Some((env.as_ref()?, id))) {
        // Several values may set one variable. What has no answer is empty, so that Compose has no unset variable to warn of.
        if written.insert(name) {
            put(name, answers.of(id.as_str()).map_or("", Answer::reveal));
        }
    }
    text
}

/// Names of variables that are in `wanted` and are missing or other ones in `found`, in their order.
pub fn changed<'w>(found: &str, wanted: &'w str) -> Vec<&'w str> {
    let lines: HashSet<&str> = found.lines().collect();
    let new = wanted.lines().filter(|line| !line.starts_with('#') && !lines.contains(line));
    new.filter_map(|line| Some(line.split_once('=')?.0)).collect()
}

fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '$' => escaped.push_str("\\$"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_compose_would_interpret_is_escaped() {
        assert_eq!(escape(r#"p$a#s"s\w'o rd"#), r#"p\$a#s\"s\\w'o rd"#);
    }
}
