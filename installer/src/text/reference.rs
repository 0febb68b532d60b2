//! What is wrong with an answer that lies elsewhere.

use std::fmt::Display;

use super::cause::explained;
use super::sudo::SUDO;
use super::{Message, messages};

messages! {
    not_set(id: &str, name: &str)
        en "{id} refers to the environment variable {name}, which is not set. Run export {name}=... first; sudo drops variables: sudo --preserve-env={name} ..."
        zh "{id} 引用了环境变量 {name}，但它没有设置。请先运行 export {name}=…；sudo 默认不传递环境变量，请用 sudo --preserve-env={name} ...";
    set_empty(id: &str, name: &str)
        en "{id} refers to the environment variable {name}, which is empty."
        zh "{id} 引用了环境变量 {name}，但它的值为空。";
    variable_not_utf8(id: &str, name: &str)
        en "{id} refers to the environment variable {name}, which is not in UTF-8."
        zh "{id} 引用了环境变量 {name}，但它不是 UTF-8 编码。";
    not_found(id: &str, path: &impl Display)
        en "{id} refers to the file {path}, which does not exist."
        zh "{id} 引用了文件 {path}，但该文件不存在。";
    not_a_file(id: &str, path: &impl Display)
        en "{id} refers to {path}, which is not a regular file."
        zh "{id} 引用了 {path}，但它不是普通文件。";
    empty(id: &str, path: &impl Display)
        en "{id} refers to the file {path}, which is empty."
        zh "{id} 引用了文件 {path}，但该文件为空。";
    too_large(id: &str, path: &impl Display, limit: u64)
        en "{id} refers to the file {path}, which is larger than {limit} KiB: that is no key or password."
        zh "{id} 引用了文件 {path}，但它超过 {limit} KiB，不像是密钥或密码。";
    not_utf8(id: &str, path: &impl Display)
        en "{id} refers to the file {path}, which is not in UTF-8."
        zh "{id} 引用了文件 {path}，但它不是 UTF-8 编码。";
    is_open(id: &str, path: &impl Display)
        en "Other users of this machine can read the file {path}, which has {id} in it. Run: {SUDO}chmod 600 {path}"
        zh "文件 {path} 中有 {id}，但本机其他用户也能读取它。请运行：{SUDO}chmod 600 {path}";
    is_open_for_good(id: &str, path: &impl Display)
        en "Other users of this machine can read the file {path}, which has {id} in it, and chmod does nothing on its file system. Copy it ({SUDO}install -m 600 {path} /root/) and refer to the copy."
        zh "文件 {path} 中有 {id}，但本机其他用户也能读取它，且该文件系统不保存权限，chmod 不起作用。请复制到 /root（{SUDO}install -m 600 {path} /root/），并改为引用该副本。";
}

/// A file that cannot be read.
pub fn unreadable(id: &str, path: &impl Display, why: &str) -> Message {
    let why = explained(why);
    Message {
        en: format!("{id} refers to the file {path}, which cannot be read: {}", why.en),
        zh: format!("{id} 引用了文件 {path}，但无法读取：{}", why.zh),
    }
}
