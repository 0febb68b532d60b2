//! The answers file: flat TOML, `id = value`. Text in, raw answers out.

use crate::text::{Message, problem as text};

/// Reads the text of an answers file.
///
/// # Errors
/// Where it is not TOML, or a value is no text, number or truth value; in words, with line and column.
pub fn parse(content: &str) -> Result<Vec<(String, String)>, Message> {
    let table: toml::Table = content.parse().map_err(|error: toml::de::Error| {
        let (line, column) = position(content, error.span().map_or(0, |span| span.start));
        text::answers_not_toml(line, column, error.message())
    })?;
    table.into_iter().map(|(id, value)| Ok((id.clone(), scalar(&id, value)?))).collect()
}

fn scalar(id: &str, value: toml::Value) -> Result<String, Message> {
    match value {
        toml::Value::String(text) => Ok(text),
        toml::Value::Integer(number) => Ok(number.to_string()),
        toml::Value::Boolean(truth) => Ok(truth.to_string()),
        toml::Value::Float(number) => Ok(number.to_string()),
        toml::Value::Array(_) | toml::Value::Table(_) | toml::Value::Datetime(_) => {
            Err(text::answer_not_scalar(&id.escape_debug().to_string()))
        }
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
        let answers = parse("a = \"x\"\nb = 80\nc = true\n").unwrap();
        let expected = [("a", "x"), ("b", "80"), ("c", "true")].map(|(id, value)| (id.into(), value.into()));
        assert_eq!(answers, expected);
    }

    #[test]
    fn errors_name_the_place() {
        let error = parse("a = 1\nb = \"open\nc = 2\n").unwrap_err();
        assert!(error.en.contains("line 2"), "{}", error.en);
        assert!(parse("[net]\nlist = [1]\n").unwrap_err().en.contains("net"));
    }
}
