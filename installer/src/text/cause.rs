//! Technical causes that an operator meets often, said in Chinese; all others are quoted as they are.

use super::Message;

/// What a cause means, in both languages. The English is the cause itself.
pub fn explained(cause: &str) -> Message {
    let zh = cause.lines().map(|line| in_chinese(line).unwrap_or_else(|| line.to_owned()));
    Message { en: cause.to_owned(), zh: zh.collect::<Vec<_>>().join("\n") }
}

fn in_chinese(cause: &str) -> Option<String> {
    const EXACT: [(&str, &str); 4] = [
        ("stream did not contain valid UTF-8", "文件不是 UTF-8 编码"),
        ("cannot read the file", "无法读取文件"),
        ("there is no such socket", "该套接字不存在"),
        ("no answer in time", "超时未响应"),
    ];
    const BEGINNING: [(&str, &str); 14] = [
        ("the trailer (", "文件尾已损坏"),
        ("the index (", "索引已损坏"),
        ("Connection refused", "连接被拒绝"),
        ("Permission denied", "权限不足"),
        ("No such file or directory", "文件或目录不存在"),
        ("No space left on device", "磁盘空间不足"),
        ("Read-only file system", "文件系统只读"),
        ("Disk quota exceeded", "磁盘配额已用尽"),
        ("Resource temporarily unavailable", "资源暂时不足"),
        ("Cannot allocate memory", "内存不足"),
        ("Is a directory", "这是一个目录，不是文件"),
        ("Input/output error", "读写错误，存储介质可能有故障"),
        ("Socket not found", "套接字不存在"),
        ("Cannot connect to the Docker daemon", "无法连接 Docker 引擎"),
    ];
    if let Some((_, zh)) = EXACT.iter().find(|(en, _)| cause == *en) {
        return Some((*zh).to_owned());
    }
    if let Some(rest) = cause.strip_prefix("the engine at ")
        && let Some((socket, _)) = rest.split_once(" did not answer")
    {
        return Some(format!("{socket} 上的引擎没有正常应答"));
    }
    if let Some(program) = cause.strip_suffix(" is installed, and there is no socket") {
        return Some(format!("已安装 {program}，但没有套接字"));
    }
    let (_, zh) = BEGINNING.iter().find(|(en, _)| cause.starts_with(en))?;
    // The number behind is what a search finds.
    let errno = cause.rfind("(os error").map_or("", |at| &cause[at..]);
    Some(format!("{zh}{}{errno}", if errno.is_empty() { "" } else { " " }))
}

/// A part of a bundle, as `bundle-spec` names it.
pub fn part_of_bundle(part: &str) -> String {
    match part {
        "launcher" => "启动脚本".to_owned(),
        "the engine" => "Docker 引擎".to_owned(),
        "the Compose plugin" => "Compose 插件".to_owned(),
        _ => named_part(part).unwrap_or_else(|| part.to_owned()),
    }
}

fn named_part(part: &str) -> Option<String> {
    if let Some(more) = part.strip_prefix("and ").and_then(|rest| rest.strip_suffix(" more")) {
        return Some(format!("另有 {more} 项"));
    }
    const KINDS: [(&str, &str); 5] = [
        ("a layer of ", "的镜像层"),
        ("the description of ", "的镜像描述"),
        ("installer for ", "安装程序"),
        ("project file ", "应用文件"),
        ("blob ", "数据块"),
    ];
    KINDS.iter().find_map(|(kind, zh)| {
        let name = part.strip_prefix(kind)?;
        Some(if zh.starts_with('的') { format!("{name} {zh}") } else { format!("{zh} {name}") })
    })
}

/// What a TOML parser says; anything else is quoted.
pub fn toml(why: &str, line: &str) -> String {
    let known = if line.trim_end().ends_with('=') {
        "缺少值"
    } else if why.contains("string values must be quoted") {
        "值要用半角引号 \" 括起来"
    } else if why.contains("invalid basic string")
        || why.contains("invalid literal string")
        || why.contains("unclosed")
    {
        "引号没有成对"
    } else if why.contains("duplicate key") {
        "该项重复出现"
    } else {
        why
    };
    let has_wide_quotes = line.contains(['“', '”', '‘', '’', '＂']);
    let hint = if has_wide_quotes { "；此行含有全角引号，请使用半角引号 \"" } else { "" };
    format!("{known}{hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequent_causes_are_said_in_chinese_and_others_quoted() {
        let table = [
            ("Connection refused (os error 111)", "连接被拒绝 (os error 111)"),
            (
                "the engine at /var/run/docker.sock did not answer as expected (connect)",
                "/var/run/docker.sock 上的引擎没有正常应答",
            ),
            ("the trailer (the last 160 bytes) is damaged", "文件尾已损坏"),
            ("--- web ---\nlistening", "--- web ---\nlistening"),
        ];
        for (cause, expected) in table {
            assert_eq!(explained(cause).zh, expected);
        }
    }
}
