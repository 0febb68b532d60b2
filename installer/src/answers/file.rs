//! The answers file: flat TOML, `id = value`; a value may be a reference. Text in, raw answers out.

use super::reference::Reference;
use crate::preflight::accept::Acceptance;
use crate::text::{Message, problem as text};

/// Reads the text of an answers file.
///
/// # Errors
/// Where it is not TOML: in words, with line and column.
pub fn parse(content: &str) -> Result<Given, Message> {
    let mut table: toml::Table = content.parse().map_err(|error: toml::de::Error| {
        let (line, column) = position(content, error.span().map_or(0, |span| span.start));
        let shown = content.lines().nth(line - 1).unwrap_or_default();
        text::answers_not_toml(line, column, error.message(), shown)
    })?;
    let mut given = Given::default();
    if let Some(value) = table.remove("accept_warnings") {
        match ids(&value) {
            Some(ids) => given.acceptance.ids = ids,
            None => given.misfits.push("accept_warnings".to_owned()),
        }
    }
    if let Some(value) = table.remove("strict") {
        match value.as_bool() {
            Some(strict) => given.acceptance.strict = strict,
            None => given.misfits.push("strict".to_owned()),
        }
    }
    for (id, value) in table {
        if let toml::Value::Table(table) = &value {
            match Reference::parse(table) {
                Some(reference) => given.references.push((id, reference)),
                None if is_cleared(table) => given.cleared.push(id),
                None => given.misfits.push(id),
            }
            continue;
        }
        match scalar(value) {
            Some(value) => given.values.push((id, value)),
            None => given.misfits.push(id),
        }
    }
    Ok(given)
}

/// What a file gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Ids and raw values.
    pub values: Vec<(String, String)>,
    /// Ids and where their values lie.
    pub references: Vec<(String, Reference)>,
    /// Ids that shall have no answer.
    pub cleared: Vec<String>,
    /// Ids whose value is no text, number or truth value, and no reference.
    pub misfits: Vec<String>,
    /// What it says about warnings of preflight: the two keys that are no answers.
    pub acceptance: Acceptance,
}

fn ids(value: &toml::Value) -> Option<Vec<String>> {
    value.as_array()?.iter().map(|id| id.as_str().map(str::to_owned)).collect()
}

/// `{ empty = true }`.
fn is_cleared(table: &toml::Table) -> bool {
    table.len() == 1 && table.get("empty").and_then(toml::Value::as_bool) == Some(true)
}

fn scalar(value: toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Boolean(truth) => Some(truth.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) | toml::Value::Datetime(_) => None,
    }
}

/// Line and column, from 1, of a byte offset.
fn position(content: &str, offset: usize) -> (usize, usize) {
    let before = content.get(..offset).unwrap_or(content);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_become_text() {
        let answers = parse("a = \"x\"\nb = 80\nc = true\n").unwrap().values;
        let expected = [("a", "x"), ("b", "80"), ("c", "true")].map(|(id, value)| (id.into(), value.into()));
        assert_eq!(answers, expected);
    }

    #[test]
    fn what_is_said_about_warnings_is_no_answer() {
        let given = parse("accept_warnings = [\"clock\", \"dns\"]\nstrict = true\na = 1\n").unwrap();
        assert_eq!(given.acceptance, Acceptance { ids: vec!["clock".into(), "dns".into()], strict: true });
        assert_eq!(given.values, [("a".to_owned(), "1".to_owned())]);
        let given = parse("accept_warnings = \"clock\"\nstrict = 1\n").unwrap();
        assert_eq!(given.misfits, ["accept_warnings", "strict"]);
        assert_eq!(given.acceptance, Acceptance::default());
    }

    #[test]
    fn errors_name_the_place() {
        let error = parse("a = 1\nb = \"open\nc = 2\n").unwrap_err();
        assert!(error.en.contains("line 2"), "{}", error.en);
    }

    #[test]
    fn a_value_of_the_wrong_kind_does_not_hide_the_others() {
        let given = parse("a = [1]\nb = 80\n[net]\nlist = 1\n").unwrap();
        assert_eq!(given.misfits, ["a", "net"]);
        assert_eq!(given.values, [("b".to_owned(), "80".to_owned())]);
    }

    #[test]
    fn references_are_told_from_tables_that_are_none() {
        let given = parse("a = { env = \"LLM_API_KEY\" }\nb = { file = \"/root/key\" }\nc = { empty = true }\nd = { env = \"A B\" }\ne = { file = \"\" }\nf = { env = \"A\", file = \"b\" }\ng = { empty = false }\nh = { evn = \"A\" }\ni = {}\n").unwrap();
        let references = [
            ("a".to_owned(), Reference::Environment("LLM_API_KEY".to_owned())),
            ("b".to_owned(), Reference::File("/root/key".into())),
        ];
        assert_eq!(given.references, references);
        assert_eq!(
            (given.cleared, given.misfits),
            (vec!["c".to_owned()], ["d", "e", "f", "g", "h", "i"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn frequent_mistakes_are_said_in_chinese() {
        let table = [
            ("a = hello\n", "第 1 行第 5 列：值要用半角引号 \" 括起来"),
            ("a = \"open\n", "第 1 行第 10 列：引号没有成对"),
            ("a = 1\na = 2\n", "第 2 行第 1 列：该项重复出现"),
            ("a = “x”\n", "值要用半角引号 \" 括起来；此行含有全角引号，请使用半角引号 \""),
            ("a =\n", "缺少值"),
            ("a ＝ 1\n", "配置项与值之间缺少半角等号 =；此行含有全角等号，请使用半角等号 ="),
            ("a: \"x\"\n", "配置项与值之间缺少半角等号 ="),
            ("a：\"x\"\n", "配置项与值之间缺少半角等号 ="),
            ("a \"x，y\" # ＝\n", "配置项与值之间缺少半角等号 ="),
            ("a = { env: \"X\" }\n", "配置项与值之间缺少半角等号 ="),
            ("a = \"x\"，\n", "值的后面有多余的内容"),
            ("a = 1，2\n", "值要用半角引号 \" 括起来；此行含有全角逗号"),
            ("a = ＂x＂\n", "值要用半角引号 \" 括起来；此行含有全角引号"),
            ("a = \"x”\n", "引号没有成对；此行含有全角引号"),
            ("a = 10.0.0.5\n", "值要用半角引号 \" 括起来"),
            ("a = True\n", "true 和 false 必须全部小写"),
            ("a = \"C:\\x\"\n", "双引号中的 \\ 有特殊含义"),
            ("a == 1\n", "多了一个等号"),
            ("密码 = 1\n", "配置项的名称只能由半角字母、数字、- 和 _ 组成"),
            ("\u{3000}a = 1\n", "此行含有全角空格"),
        ];
        for (content, expected) in table {
            let shown = parse(content).unwrap_err();
            assert!(!shown.en.contains("full-width") || shown.zh.contains("全角"), "{shown:?}");
            let shown = shown.zh;
            let is_whole = expected.contains("全角") || !shown.contains("全角");
            assert!(shown.contains(expected) && is_whole, "{content:?}: {shown}");
        }
    }
}
