//! Technical causes that an operator meets often, said in Chinese; all others are quoted as they are.

use super::Message;

/// What a cause means, in both languages. The English is the cause itself. What a service wrote is quoted as it is.
pub fn explained(cause: &str) -> Message {
    let is_quotation = cause.starts_with("--- ");
    let known = |line: &str| Some(line).filter(|_| !is_quotation).and_then(in_chinese);
    let zh = cause.lines().map(|line| known(line).unwrap_or_else(|| line.to_owned()));
    Message { en: cause.to_owned(), zh: zh.collect::<Vec<_>>().join("\n") }
}

/// Whole causes.
const EXACT: [(&str, &str); 41] = [
    ("not a regular file", "不是普通文件"),
    ("longer than such a file can be", "超过了此类文件的最大长度"),
    ("its folder is a symbolic link", "其所在目录是符号链接"),
    ("stream did not contain valid UTF-8", "文件不是 UTF-8 编码"),
    ("failed to fill whole buffer", "文件在中途结束，不完整"),
    ("unexpected end of file", "文件在中途结束，不完整"),
    ("incomplete frame", "压缩数据不完整"),
    ("cannot read the file", "无法读取文件"),
    ("there is no such socket", "该套接字不存在"),
    ("no answer in time", "超时未响应"),
    ("this file is not an Airlift bundle", "该文件不是 Airlift 安装包"),
    ("the archive is larger than the bundle says", "引擎压缩包的内容比安装包所记录的大"),
    ("the program is smaller than the bundle says", "程序文件比安装包所记录的小"),
    ("the program is larger than the bundle says", "程序文件比安装包所记录的大"),
    ("the layer's tar cannot be read", "无法读取镜像层中的 tar 数据"),
    ("replaces the whole layer", "替换了整个镜像层"),
    ("occurs twice", "重复出现"),
    ("leads outside", "指向镜像层之外"),
    ("lies behind something that is no directory", "其上级路径不是目录"),
    ("a kind of entry that is left to the engine", "条目类型特殊"),
    ("a link to the whole layer", "指向整个镜像层的链接"),
    ("a link target with NUL", "链接目标含有空字符"),
    ("a number that cannot be read", "含有无法识别的数字"),
    ("a sparse file", "稀疏文件"),
    ("an attribute of overlay file systems", "带有 overlay 文件系统的属性"),
    ("an owner beyond 32 bits", "属主编号超出 32 位"),
    ("the bundle cannot be read", "无法读取安装包"),
    ("something else has failed meanwhile", "同时进行的其他操作失败"),
    ("what was to be written broke off", "待写入的数据中断"),
    (
        "containerd keeps its snapshots where this process cannot see them",
        "安装程序无法访问 containerd 存放快照的目录",
    ),
    ("a thread ended early", "安装程序的一个线程意外结束"),
    ("a writing thread ended early", "安装程序的一个写入线程意外结束"),
    ("the reader ended early", "安装程序的一个读取线程意外结束"),
    ("decompressed length differs from the declared one", "解压后的长度与记录不符"),
    ("connection closed before message completed", "对方在应答完成前断开了连接"),
    ("transport error", "连接中断"),
    ("expected value", "此处缺少值"),
    ("trailing comma", "末尾多了一个逗号"),
    ("trailing characters", "末尾有多余的内容"),
    ("key must be a string", "键名必须用半角双引号括起来"),
    ("control character (\\u0000-\\u001F) found while parsing a string", "字符串中含有换行或其他控制字符"),
];

/// What a system call says; its number follows, or nothing.
const SYSTEM: [(&str, &str); 35] = [
    ("Operation not permitted", "操作不被允许"),
    ("No such file or directory", "文件或目录不存在"),
    ("Input/output error", "读写错误，存储介质可能有故障"),
    ("No such device or address", "设备不存在"),
    ("Exec format error", "程序文件的格式不适用于本机"),
    ("Resource temporarily unavailable", "资源暂时不足"),
    ("Cannot allocate memory", "内存不足"),
    ("Permission denied", "权限不足"),
    ("Device or resource busy", "设备或资源正被占用"),
    ("File exists", "文件已存在"),
    ("Invalid cross-device link", "不能跨文件系统移动"),
    ("No such device", "设备不存在"),
    ("Not a directory", "路径中的某一级不是目录"),
    ("Is a directory", "这是一个目录，不是文件"),
    ("Invalid argument", "参数无效"),
    ("Too many open files", "打开的文件过多"),
    ("Text file busy", "程序文件正在运行，无法改写"),
    ("File too large", "文件过大"),
    ("No space left on device", "磁盘空间不足"),
    ("Read-only file system", "文件系统只读"),
    ("Too many links", "链接过多"),
    ("Broken pipe", "管道已断开"),
    ("File name too long", "文件名过长"),
    ("Function not implemented", "系统不支持该功能"),
    ("Directory not empty", "目录不为空"),
    ("Too many levels of symbolic links", "符号链接层数过多，或不允许符号链接"),
    ("Operation not supported", "不支持该操作"),
    ("Network is unreachable", "网络不可达"),
    ("Connection reset by peer", "连接被对方断开"),
    ("Transport endpoint is not connected", "连接已断开"),
    ("Connection timed out", "连接超时"),
    ("Connection refused", "连接被拒绝"),
    ("No route to host", "没有到达该主机的路由"),
    ("Stale file handle", "文件句柄已失效，文件服务器上的文件已被更换"),
    ("Disk quota exceeded", "磁盘配额已用尽"),
];

/// How other causes begin; what follows is told already, or said otherwise.
const BEGINNING: [(&str, &str); 4] = [
    ("the trailer (", "文件尾已损坏"),
    ("the index (", "索引已损坏"),
    ("Socket not found", "套接字不存在"),
    ("Cannot connect to the Docker daemon", "无法连接 Docker 引擎"),
];

/// Causes with names and numbers in them: what stands before, between and behind those, and the same in Chinese
/// with a number for each.
const FORMED: [(&[&str], &str); 17] = [
    (&["`", "` in the layer"], "镜像层中的 {0}"),
    (&["`", "` in the layer: ", ""], "镜像层中的 {0} 需由引擎解压（{1}）"),
    (&["the engine at ", " did not answer as expected (", ")"], "{0} 上的引擎没有正常应答"),
    (&["the engine at ", " has taken no data for ", " seconds"], "{0} 上的引擎已有 {1} 秒没有接收数据"),
    (&["the engine refused (", "): ", ""], "引擎拒绝了请求（{0}）：{1}"),
    (&["containerd at ", " does not answer"], "{0} 上的 containerd 没有响应"),
    (&["containerd refused (", "): ", ""], "containerd 拒绝了请求（{0}）：{1}"),
    (&["containerd has not answered for ", " seconds (", ")"], "containerd 已有 {0} 秒没有响应（{1}）"),
    (&["", " is installed, and there is no socket"], "已安装 {0}，但没有套接字"),
    (&["unexpected entry ", ""], "引擎压缩包中含有不应有的条目 {0}"),
    (&["the unpacked layer has another digest than ", ""], "解压后的镜像层与摘要 {0} 不符"),
    (&["cannot write ", ""], "无法写入 {0}"),
    (&["receipt format ", " is not known"], "安装记录的格式 {0} 不受支持，可能由更新的版本写入"),
    (&["blob ", " is damaged"], "数据块 {0} 已损坏"),
    (&["the bundle has no blob ", ""], "安装包中没有数据块 {0}"),
    (&["the bundle has format ", "; this build reads ", ""], "安装包的格式为 {0}，本程序只支持 {1}"),
    (&["`", "` is not an IP address"], "“{0}”不是 IP 地址"),
];

fn in_chinese(cause: &str) -> Option<String> {
    let whole = |table: &[(&str, &str)], cause: &str| {
        table.iter().find(|(en, _)| *en == cause).map(|(_, zh)| (*zh).to_owned())
    };
    // The number behind is what a search finds.
    let (said, errno) = cause.find(" (os error").map_or((cause, ""), |at| cause.split_at(at));
    whole(&EXACT, cause)
        .or_else(|| whole(&SYSTEM, said).map(|zh| zh + errno))
        .or_else(|| BEGINNING.iter().find(|(en, _)| cause.starts_with(en)).map(|(_, zh)| (*zh).to_owned()))
        .or_else(|| FORMED.iter().find_map(|(parts, zh)| formed(cause, parts, zh)))
        .or_else(|| placed(cause))
}

/// A text that consists of these parts and what stands between them, put into the numbered places of another one.
fn formed(cause: &str, parts: &[&str], zh: &str) -> Option<String> {
    let (first, others) = parts.split_first()?;
    let mut rest = cause.strip_prefix(first)?;
    let mut values = Vec::new();
    for (position, part) in others.iter().enumerate() {
        let is_last = position + 1 == others.len();
        let (value, behind) = if is_last { (rest.strip_suffix(part)?, "") } else { rest.split_once(part)? };
        let known = EXACT.iter().find(|(en, _)| *en == value);
        values.push(known.map_or(value, |(_, zh)| zh));
        rest = behind;
    }
    let (before, places) = zh.split_once('{')?;
    places.split('{').try_fold(before.to_owned(), |filled, place| {
        let (number, behind) = place.split_once('}')?;
        Some(filled + values.get(number.parse::<usize>().ok()?)? + behind)
    })
}

/// A mistake in a JSON file, with its place.
fn placed(cause: &str) -> Option<String> {
    let (why, place) = cause.rsplit_once(" at line ")?;
    let (line, column) = place.split_once(" column ")?;
    let why = if why.starts_with("EOF while parsing") {
        "内容在中途结束，括号或引号没有成对".to_owned()
    } else if why.starts_with("expected `") {
        format!("此处缺少 {}", why.trim_start_matches("expected ").replace(" or ", " 或 "))
    } else {
        in_chinese(why).unwrap_or_else(|| why.to_owned())
    };
    Some(format!("第 {line} 行第 {column} 列：{why}"))
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

/// What a TOML parser says of a line, and which of its marks an input method has made full-width. Anything else is quoted.
pub fn toml(why: &str, line: &str) -> Message {
    let has = |part: &str| why.contains(part);
    let zh = if line.trim_end().ends_with('=') {
        "缺少值"
    } else if has_wide_digits(line) {
        "数字是全角字符，请切换到英文输入法重新输入"
    } else if has("string values must be quoted") || has("invalid float") || has("leading zero") {
        "值要用半角引号 \" 括起来"
    } else if has("invalid basic string") || has("invalid literal string") || has("unclosed") {
        "引号没有成对"
    } else if has("duplicate key") {
        "该项重复出现"
    } else if has("expected `=`") {
        "配置项与值之间缺少半角等号 ="
    } else if has("extra `=`") {
        "多了一个等号"
    } else if has("unexpected key or value") {
        "值的后面有多余的内容"
    } else if has("invalid unquoted key") {
        "配置项的名称只能由半角字母、数字、- 和 _ 组成"
    } else if has("invalid boolean") {
        "true 和 false 必须全部小写"
    } else if has("unicode value digits") || has("escape") {
        "双引号中的 \\ 有特殊含义，请改用单引号 '"
    } else {
        why
    };
    // A comma behind a value is one too many, however wide.
    let wide = full_width(line).filter(|(found, ..)| *found != '，' || !has("unexpected key or value"));
    let hint = wide.map(|(_, name, mark)| format!("；此行含有全角{name}，请使用半角{name} {mark}"));
    let hint_en =
        wide.map(|(found, _, mark)| format!("; this line has the full-width {found}: write {mark}"));
    let why = if has_wide_digits(line) {
        "the digits are full-width: type them with an English input method"
    } else {
        why
    };
    let (en, zh) = (why.to_owned(), zh.to_owned());
    Message { en: en + &hint_en.unwrap_or_default(), zh: zh + &hint.unwrap_or_default() }
}

/// The first mark in a line that only stands where a half-width one should: what it is, its name, and what to write. Quotation
/// marks are looked for everywhere, since one of them may be what is not closed; the others may well be in a value or a comment.
fn full_width(line: &str) -> Option<(char, &'static str, char)> {
    const QUOTES: &str = "“”„＂‘’＇「」";
    const OTHERS: [(char, &str, char); 4] =
        [('＝', "等号", '='), ('，', "逗号", ','), ('＃', "井号", '#'), ('\u{3000}', "空格", ' ')];
    let mut quoted_by = None;
    let bare = line.chars().take_while(|c| *c != '#').filter(|c| {
        match quoted_by {
            Some(quote) if quote == *c => quoted_by = None,
            None if matches!(c, '"' | '\'') => quoted_by = Some(*c),
            _ => return quoted_by.is_none(),
        }
        false
    });
    let mark = bare.filter_map(|c| OTHERS.into_iter().find(|(wide, ..)| *wide == c)).next();
    mark.or_else(|| line.chars().find(|c| QUOTES.contains(*c)).map(|found| (found, "引号", '"')))
}

/// Whether the value in a line is a number as a Chinese input method types it.
fn has_wide_digits(line: &str) -> bool {
    let value = line.split_once('=').map(|(_, value)| value.split('#').next().unwrap_or_default().trim());
    value.is_some_and(|value| {
        !value.is_empty() && value.chars().all(|character| matches!(character, '０'..='９'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_full_width_digits_is_called_one() {
        let why = "string values must be quoted, expected literal string";
        assert!(toml(why, "http_port = ８０８０").zh.contains("全角"));
        assert!(!toml(why, "http_port = x").zh.contains("全角"));
        assert!(!has_wide_digits("name = \"８号\""));
    }

    #[test]
    fn frequent_causes_are_said_in_chinese_and_others_quoted() {
        let table = [
            ("Not a directory (os error 20)", "路径中的某一级不是目录 (os error 20)"),
            // Others begin alike and say more.
            ("Permission denied: see /var/log/x", "Permission denied: see /var/log/x"),
            ("--- web ---\nConnection refused", "--- web ---\nConnection refused"),
            ("expected `,` or `}` at line 3 column 5", "第 3 行第 5 列：此处缺少 `,` 或 `}`"),
            (
                "EOF while parsing an object at line 1 column 1",
                "第 1 行第 1 列：内容在中途结束，括号或引号没有成对",
            ),
            ("missing field `app` at line 1 column 2", "第 1 行第 2 列：missing field `app`"),
            ("containerd refused (prepare): no {1} here", "containerd 拒绝了请求（prepare）：no {1} here"),
            ("`a/b` in the layer: occurs twice", "镜像层中的 a/b 需由引擎解压（重复出现）"),
            ("unexpected entry \"etc/passwd\"", "引擎压缩包中含有不应有的条目 \"etc/passwd\""),
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

    #[test]
    fn what_the_system_says_about_a_file_is_said_in_chinese() {
        use rustix::io::Errno;
        let errors =
            [Errno::NOENT, Errno::ACCESS, Errno::PERM, Errno::ISDIR, Errno::NOTDIR, Errno::IO, Errno::ROFS];
        for errno in errors.into_iter().chain([
            Errno::NOSPC,
            Errno::DQUOT,
            Errno::LOOP,
            Errno::STALE,
            Errno::NAMETOOLONG,
        ]) {
            let said = explained(&std::io::Error::from(errno).to_string()).zh;
            assert!(!said.starts_with(|c: char| c.is_ascii()), "{said}");
        }
    }

    #[test]
    fn what_serde_says_about_a_file_is_said_in_chinese() {
        for text in [
            "{",
            "{\"a\": }",
            "{\"a\": 1,}",
            "{a: 1}",
            "{\"a\": 1} x",
            "{\"a\" 1}",
            "{\"a\": \"x\n\"}",
            "{\"a\": 1 \"b\"}",
        ] {
            let why = serde_json::from_str::<serde_json::Value>(text).unwrap_err().to_string();
            let said = explained(&why).zh;
            assert!(
                said.starts_with("第 ") && !said.contains(|c: char| c.is_ascii_alphabetic()),
                "{why}: {said}"
            );
        }
    }
}
