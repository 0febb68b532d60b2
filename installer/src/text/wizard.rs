//! What a person is asked beside the vendor's questions.

use super::{Message, messages};

messages! {
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

/// One answer for review.
pub fn answer_line(prompt: &Message, shown: &str, origin: &Message) -> Message {
    Message {
        en: format!("  {}: {shown} [{}]", prompt.en, origin.en),
        zh: format!("  {}：{shown} [{}]", prompt.zh, origin.zh),
    }
}
