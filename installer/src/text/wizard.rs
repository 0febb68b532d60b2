//! What a person is asked beside the vendor's questions.

use super::{Message, messages};

messages! {
    yes() en "yes" zh "是";
    no() en "no" zh "否";
    yes_or_no() en "(y/n)" zh "（y 是，n 否）";
    is_required() en "This is required." zh "此项必填。";
    opening(count: usize)
        en "{count} question(s). Enter takes what stands in brackets. Ctrl-C ends this at any time: nothing is changed before you confirm."
        zh "共 {count} 个问题；直接回车采用方括号中的值；按 Ctrl-C 可随时退出，确认之前不会改动系统。";
    empty_keeps() en "(Empty: keep the earlier value.)" zh "（留空：沿用之前的值。）";
    empty_generates() en "(Empty: one is generated.)" zh "（留空：自动生成。）";
    again() en "Again" zh "请再输入一次";
    mismatch() en "The two are not the same." zh "两次输入不一致。";
    broken_off()
        en "Cancelled; nothing has been changed."
        zh "已取消，未做任何改动。";
    review() en "Answers:" zh "请核对以下配置：";
    images_to_load() en "Images to load:" zh "待导入的镜像：";
    go_on() en "Install now?" zh "现在开始安装？";
    nothing_changed() en "Cancelled; nothing has been changed." zh "已取消，未做任何改动。";
}

/// A secret that was typed.
pub fn secret_given(prompt: &str) -> Message {
    Message::verbatim(format!("  {prompt} > ******"))
}

/// A secret that was not, and what becomes of it.
pub fn secret_left_empty(prompt: &str, has_earlier: bool, is_generated: bool) -> Message {
    let (en, zh) = match (has_earlier, is_generated) {
        (true, _) => ("(as before)", "（沿用之前的值）"),
        (false, true) => ("(generated)", "（自动生成）"),
        (false, false) => ("(not set)", "（未设置）"),
    };
    Message { en: format!("  {prompt} > {en}"), zh: format!("  {prompt} > {zh}") }
}

/// One answer for review.
pub fn answer_line(prompt: &Message, shown: &str, origin: &Message) -> Message {
    Message {
        en: format!("  {}: {shown} [{}]", prompt.en, origin.en),
        zh: format!("  {}：{shown}（{}）", prompt.zh, origin.zh),
    }
}

/// One answer that was left empty.
pub fn answer_not_set(prompt: &Message) -> Message {
    Message { en: format!("  {}: (not set)", prompt.en), zh: format!("  {}：（未设置）", prompt.zh) }
}
