//! `answers`: a commented answers.toml made from the questions, ready to be filled in.

use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};

/// Renders the template. Optional and generated answers are commented out; required ones without default stand empty.
pub fn render(content: &Content) -> String {
    let mut text = format!(
        "# {} {}\n# {} / {}\n#\n# Use: sudo ./{}-{}.run --answers answers.toml\n# 用法：sudo ./{}-{}.run --answers answers.toml\n",
        content.app.name,
        content.app.version,
        content.app.title.en,
        content.app.title.zh,
        content.app.name,
        content.app.version,
        content.app.name,
        content.app.version,
    );
    for question in &content.questions {
        text.push('\n');
        text.push_str(&entry(question));
    }
    text
}

fn entry(question: &Question) -> String {
    let mut lines = vec![format!("# {}", question.prompt.zh), format!("# {}", question.prompt.en)];
    if let Some(help) = &question.help {
        lines.extend([format!("# {}", help.zh), format!("# {}", help.en)]);
    }
    if !question.choices.is_empty() {
        lines.push(format!("# {}", question.choices.join(" | ")));
    }
    let bare = matches!(question.kind, QuestionKind::Bool | QuestionKind::Integer | QuestionKind::Port);
    let value = match &question.default {
        Some(default) if bare => default.clone(),
        Some(default) => toml::Value::String(default.clone()).to_string(),
        None => "\"\"".to_owned(),
    };
    if question.generate.is_some() {
        lines.push("# 留空则自动生成 / generated when left out".to_owned());
    }
    let is_needed = question.required && question.default.is_none() && question.generate.is_none();
    let mark = if is_needed { "" } else { "# " };
    lines.push(format!("{mark}{} = {value}", question.id));
    lines.join("\n") + "\n"
}
