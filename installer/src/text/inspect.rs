//! What `inspect` shows.

use std::fmt::Display;

use super::{Message, messages};

messages! {
    row_application() en "Application" zh "应用";
    row_file() en "File" zh "文件";
    row_signer() en "Signed with" zh "签名公钥";
    unsigned() en "not signed" zh "没有签名";
    row_images() en "Images" zh "镜像";
    row_engine() en "Engine" zh "引擎";
    file(path: &impl Display, size: &str) en "{path} ({size})" zh "{path}（{size}）";
    image(reference: &str, platform: &str, size: &str)
        en "{reference} ({platform}, {size} unpacked)"
        zh "{reference}（{platform}，解压后 {size}）";
}

/// Title, version and name.
pub fn application(title: &Message, version: &str, name: &str) -> Message {
    Message {
        en: format!("{} {version} ({name})", title.en),
        zh: format!("{} {version}（{name}）", title.zh),
    }
}
