//! `answers`: a commented answers.toml made from the questions, ready to be filled in.

use bundle_spec::index::Content;
use bundle_spec::question::{Question, QuestionKind};

/// Renders the template. Optional and generated answers are commented out; required ones without default stand empty.
pub fn render(content: &Content) -> String {
    let app = &content.app;
    let run = format!("sudo ./{}-{}.run --answers answers.toml", app.name, app.version);
    let head = [
        format!("# {} {}", app.name, app.version),
        format!("# {} / {}", app.title.zh, app.title.en),
        "#".to_owned(),
        format!("# 用法：{run}"),
        format!("# Use: {run}"),
        "#".to_owned(),
        "# 本文件可能含有密码：请运行 chmod 600，安装后删除。".to_owned(),
        "# This file may hold passwords: give it mode 0600, and delete it after the installation.".to_owned(),
        "# 以 # 开头的行采用默认值，修改时请去掉行首的 #。文本请用半角引号括起来。".to_owned(),
        "# A line that begins with # stands for the default; take the # away to change it.".to_owned(),
    ];
    let entries = content.questions.iter().map(|question| format!("\n{}", entry(question)));
    head.iter().map(|line| format!("{line}\n")).chain(entries).collect()
}

fn entry(question: &Question) -> String {
    let is_needed = question.required && question.default.is_none() && question.generate.is_none();
    let (zh, en) = if is_needed { ("（必填）", " (required)") } else { ("", "") };
    let mut lines = vec![format!("# {}{zh}", question.prompt.zh), format!("# {}{en}", question.prompt.en)];
    if let Some(help) = &question.help {
        lines.extend([format!("# {}", help.zh), format!("# {}", help.en)]);
    }
    if !question.choices.is_empty() {
        lines.push(format!(
            "# {}",
            question.choices.iter().map(|choice| choice.value.as_str()).collect::<Vec<_>>().join(" | ")
        ));
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
    let mark = if is_needed { "" } else { "# " };
    lines.push(format!("{mark}{} = {value}", question.id));
    lines.join("\n") + "\n"
}
