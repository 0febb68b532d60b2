//! Comments in answers files.

use super::{Message, messages};

messages! {
    how_to_use(file: &str)
        en "Use: sudo ./{file} --answers answers.toml    (add --dry-run to see the plan first)"
        zh "用法：sudo ./{file} --answers answers.toml（加 --dry-run 可先查看计划）";
    how_to_fill_in()
        en "A line that begins with # stands for what is taken without it; take the # away to change it. Text stands in straight quotes."
        zh "以 # 开头的行表示采用默认值；要修改，请去掉行首的 #。文本须用半角引号括起来。";
    how_to_give_secrets()
        en "This file may hold passwords: chmod 600, and delete it after the installation. Or refer to them: {{ env = \"NAME\" }}, with sudo --preserve-env=NAME, or {{ file = \"/path\" }}."
        zh "本文件可能含有密码：请运行 chmod 600 限制权限，安装后删除。也可不写密码而改为引用：{{ env = \"变量名\" }}（用 sudo --preserve-env=变量名 运行）或 {{ file = \"/路径\" }}。";
    how_to_check(file: &str)
        en "Editors can check it: ./{file} answers --schema > answers.schema.json, and as the first line here: #:schema ./answers.schema.json"
        zh "编辑器可检查本文件：./{file} answers --schema > answers.schema.json，并在首行写入 #:schema ./answers.schema.json";
    group_needed() en "== To be filled in ==" zh "== 必须填写 ==";
    group_others() en "== Filled in already, or not needed everywhere ==" zh "== 已有默认值，或视情况填写 ==";
    required() en "required" zh "必填";
    optional() en "may be empty" zh "可不填";
    generated() en "generated when left out" zh "不填则自动生成";
    suggested() en "default: the first address of the machine" zh "默认：本机的第一个地址";
    default(value: &str) en "default {value}" zh "默认 {value}";
    kind_bool() en "true or false" zh "true（是）或 false（否）";
    kind_host() en "host name or IP address" zh "主机名或 IP 地址";
    kind_integer(min: &str, max: &str) en "whole number, {min} to {max}" zh "整数，{min} 到 {max}";
    kind_path() en "absolute path on the machine" zh "本机上的绝对路径";
    kind_port() en "port, 1 to 65535" zh "端口，1 到 65535";
    kind_url() en "URL with http:// or https://" zh "以 http:// 或 https:// 开头的网址";
    kind_secret() en "secret" zh "密码或密钥";
    kind_text() en "text" zh "文本";
}

/// What is taken, in brackets.
pub fn bracketed(facts: &[Message]) -> Message {
    let joined =
        |pick: fn(&Message) -> &str, between: &str| facts.iter().map(pick).collect::<Vec<_>>().join(between);
    Message {
        en: format!("[{}]", joined(|fact| &fact.en, "; ")),
        zh: format!("［{}］", joined(|fact| &fact.zh, "；")),
    }
}

/// One value of a choice.
pub fn choice(value: &str, title: &Message) -> Message {
    Message { en: format!("  {value}: {}", title.en), zh: format!("  {value}：{}", title.zh) }
}

/// The answer to a question is one of these.
pub fn is_one_of(id: &str, values: &[String]) -> Message {
    Message {
        en: format!("{id} is {}", shown(values, " or ")),
        zh: format!("{id} 为 {}", shown(values, " 或 ")),
    }
}

/// The answer to a question is none of these.
pub fn is_none_of(id: &str, values: &[String]) -> Message {
    Message {
        en: format!("{id} is not {}", shown(values, " or ")),
        zh: format!("{id} 不为 {}", shown(values, " 或 ")),
    }
}

fn shown(values: &[String], between: &str) -> String {
    let shown = values.iter().map(|value| if value.is_empty() { "\"\"" } else { value });
    shown.collect::<Vec<_>>().join(between)
}

/// When a question is asked.
pub fn only_if(clauses: &[Message]) -> Message {
    let joined = |pick: fn(&Message) -> &str, between: &str| {
        clauses.iter().map(pick).collect::<Vec<_>>().join(between)
    };
    Message {
        en: format!("Only if {}.", joined(|clause| &clause.en, " and ")),
        zh: format!("仅当 {} 时需要。", joined(|clause| &clause.zh, " 且 ")),
    }
}
