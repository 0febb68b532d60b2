//! What a person is asked beside the vendor's questions.

use super::sudo::SUDO;
use super::{Message, messages};

messages! {
    yes() en "yes" zh "是";
    no() en "no" zh "否";
    yes_or_no() en "(y/n)" zh "（y 是，n 否）";
    vendor(name: &str) en "  Vendor: {name}" zh "  厂商：{name}";
    file(name: &str, size: &str, images: usize)
        en "  File:   {name}, {size}, images: {images}"
        zh "  文件：{name}，{size}，镜像 {images} 个";
    opening(count: usize)
        en "Questions: {count}. Enter takes the value shown. Esc, or < and Enter, goes back to the question before. Ctrl-C leaves; nothing is changed before you confirm at the end."
        zh "共需填写 {count} 项。直接回车：采用给出的值；Esc，或输入 < 再回车：返回上一项；Ctrl-C：退出。最后确认之前不会改动系统。";
    opening_plain(count: usize)
        en "Questions: {count}. Enter takes the value shown. < and Enter goes back to the question before. Ctrl-C leaves; nothing is changed before you confirm at the end."
        zh "共需填写 {count} 项。直接回车：采用给出的值；输入 < 再回车：返回上一项；Ctrl-C：退出。最后确认之前不会改动系统。";
    planned_only()
        en "This was the plan only; nothing has been changed."
        zh "以上仅为计划，未做任何改动。";
    keys()
        en "Ctrl-C leaves; nothing is changed before you confirm."
        zh "按 Ctrl-C 可随时退出；确认之前不会改动系统。";
    is_required() en "this is required" zh "此项必填";
    enter_takes(value: &str) en "Enter alone: {value}" zh "直接回车：{value}";
    enter_takes_dash_empties(value: &str)
        en "Enter alone: {value}; a single - leaves it empty" zh "直接回车：{value}；只输入 - 表示留空";
    enter_takes_yes() en "y or n; Enter alone: yes" zh "y 是，n 否；直接回车：是";
    enter_takes_no() en "y or n; Enter alone: no" zh "y 是，n 否；直接回车：否";
    enter_leaves_empty() en "May stay empty: Enter alone" zh "可留空：直接回车";
    is_hidden() en "What you type stays hidden." zh "输入的内容不会以明文显示。";
    enter_generates() en "Enter alone: one is generated (recommended)" zh "直接回车：自动生成（推荐）";
    enter_keeps_earlier() en "Enter alone: the value of the earlier installation" zh "直接回车：沿用上次安装的值";
    enter_keeps_default()
        en "Enter alone: the value that the vendor has set (the same for every customer, so not secret)"
        zh "直接回车：使用厂商预设的默认值（每个客户都相同，不保密）";
    enter_keeps_typed() en "Enter alone: what was typed before" zh "直接回车：沿用刚才输入的值";
    dash_empties() en "A single -: leaves it empty" zh "只输入 -：留空";
    dash_generates() en "- alone: generate one" zh "只输入 -：改回自动生成";
    leave_empty() en "Leave it empty" zh "留空";
    something_else() en "Something else (type it)" zh "其他（自己输入）";
    back_item() en "< back" zh "< 返回上一项";
    number_wanted(count: usize) en "! A number from 1 to {count} is wanted." zh "! 请输入 1 到 {count} 的数字。";
    no_question_before() en "! There is no question before this one." zh "! 已经是第一项了。";
    again() en "The same again" zh "请再输入一次";
    mismatch() en "the two are not the same" zh "两次输入不一致";
    broken_off()
        en "Cancelled; nothing has been changed."
        zh "已取消，未做任何改动。";
    review() en "Answers:" zh "请核对以下配置：";
    commands(count: usize)
        en "y install | 1-{count} change that answer | s save an answers file | q leave"
        zh "y 开始安装 | 1-{count} 修改该项 | s 保存应答文件 | q 退出";
    commands_again(count: usize)
        en "y apply | 1-{count} change that answer | s save an answers file | q leave"
        zh "y 应用更改 | 1-{count} 修改该项 | s 保存应答文件 | q 退出";
    commands_refused()
        en "Not yet: correct the above. Number: change that answer | r look at the machine again | s save | q leave"
        zh "请先解决以上问题。数字：修改该项 | r 重新检查本机 | s 保存应答文件 | q 退出";
    command_wanted(count: usize)
        en "! Type y, s, q or a number from 1 to {count}"
        zh "! 请输入 y、s、q 或 1 到 {count} 的数字";
    command_wanted_refused(count: usize)
        en "! Type r, s, q or a number from 1 to {count}"
        zh "! 请输入 r、s、q 或 1 到 {count} 的数字";
    not_yet() en "this cannot be installed as it stands" zh "以上问题解决之前无法安装";
    given_elsewhere()
        en "! This one was given by --set or a variable AIRLIFT_...; to change it, leave with q and start again without it."
        zh "! 该项由 --set 或环境变量 AIRLIFT_… 给出；如需修改，请输入 q 退出，去掉后重新运行。";
    images_to_load() en "Images to load:" zh "待导入的镜像：";
    nothing_changed() en "Cancelled; nothing has been changed." zh "已取消，未做任何改动。";
    save_where() en "Save to which file? Secrets are not written into it." zh "保存到哪个文件？密码和密钥不会写入。";
    save_overwrite(path: &str) en "{path} is there already. Replace it? (y/n)" zh "{path} 已存在。要替换吗？（y 是，n 否）";
    saved(path: &str)
        en "Saved: {path} (readable by root only). Use it with: --answers {path}"
        zh "已保存：{path}（仅 root 可读）。用法：--answers {path}";
    not_a_file(path: &str) en "{path} is there already, and no file" zh "{path} 已存在，且不是普通文件";
    port_is_fixed(port: u16)
        en "port {port} is used by the application itself: choose another one"
        zh "端口 {port} 已被本应用的其他服务使用，请换一个";
    port_is_taken(port: u16, process: &str, pid: i32)
        en "port {port} is in use by {process} (process {pid}): choose another one, or stop that program"
        zh "端口 {port} 正被 {process}（进程号 {pid}）占用，请换一个，或先停止该程序";
    port_is_taken_by_somebody(port: u16)
        en "port {port} is in use: choose another one"
        zh "端口 {port} 已被占用，请换一个";
}

/// Why the answers could not be saved.
pub fn not_saved(path: &str, why: &Message) -> Message {
    Message {
        en: format!("{path} cannot be written: {}", why.en),
        zh: format!("无法写入 {path}：{}", why.zh),
    }
}

/// What has to be set before a saved answers file can be used.
pub fn set_before(variables: &[String], run: &str, path: &str) -> Message {
    let list = variables.iter().map(|name| format!("{name}=…")).collect::<Vec<_>>().join(" ");
    // Without this option sudo would drop them again.
    let keep = format!("--preserve-env={} ", variables.join(","));
    let keep = if SUDO.to_string().is_empty() { String::new() } else { keep };
    let command = format!("{SUDO}{keep}{run} --answers {path}");
    Message {
        en: format!("Before it is used: export {list}; then {command}"),
        zh: format!("使用前：export {list}；{command}"),
    }
}

/// A question with its number.
pub fn question(number: usize, count: usize, prompt: &Message) -> Message {
    Message {
        en: format!("\n[{number}/{count}] {}", prompt.en),
        zh: format!("\n[{number}/{count}] {}", prompt.zh),
    }
}

/// A port that an earlier answer has.
pub fn port_is_answer(port: u16, prompt: &Message) -> Message {
    Message {
        en: format!("port {port} is given to \"{}\" already: choose another one", prompt.en),
        zh: format!("端口 {port} 已用于“{}”，请换一个", prompt.zh),
    }
}

/// Something to know.
pub fn noted(note: &Message) -> Message {
    Message { en: format!("  * {}", note.en), zh: format!("  * {}", note.zh) }
}

/// Why something cannot be taken.
pub fn refused(why: &Message) -> Message {
    Message { en: format!("! {}", why.en), zh: format!("! {}", why.zh) }
}

/// One answer with its number.
pub fn numbered(number: usize, row: &Message) -> Message {
    Message { en: format!("  {number:>2}  {}", row.en), zh: format!("  {number:>2}  {}", row.zh) }
}

/// One answer for review.
pub fn answer_line(prompt: &Message, shown: &Message, origin: &Message) -> Message {
    Message {
        en: format!("{}: {} ({})", prompt.en, shown.en, origin.en),
        zh: format!("{}：{}（{}）", prompt.zh, shown.zh, origin.zh),
    }
}

/// One answer that was left empty.
pub fn answer_not_set(prompt: &Message) -> Message {
    Message { en: format!("{}: (not set)", prompt.en), zh: format!("{}：（未设置）", prompt.zh) }
}
