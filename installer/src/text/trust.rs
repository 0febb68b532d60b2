//! Signatures: whose key, and whether it is the right one.

use std::fmt::Display;

use super::messages;

messages! {
    signed_as_demanded(key: &impl Display)
        en "Signed with the key that --trust names: {key}."
        zh "签名公钥与 --trust 指定的一致：{key}。";
    signed_as_before(key: &impl Display)
        en "Signed with the same key as what is installed: {key}."
        zh "签名公钥与已安装版本一致：{key}。";
    signed_by_somebody(key: &impl Display)
        en "Signed with the key {key}. Compare it with the one that the vendor has told you."
        zh "签名公钥：{key}。请与厂商告知的公钥核对。";
    is_signed_with(key: &impl Display) en "It is signed with {key}." zh "它的签名公钥是 {key}。";
    is_unsigned() en "It is not signed." zh "它没有签名。";
    not_as_demanded(path: &impl Display, key: &impl Display)
        en "{path} is not signed with the key {key}, which was asked for."
        zh "{path} 不是用指定的公钥 {key} 所对应的密钥签名的。";
    do_not_install()
        en "Do not install it. Ask the vendor, not whoever brought this file, which file and which key are right."
        zh "请勿安装。请直接向厂商（而不是送来文件的人）核实正确的安装包和签名公钥。";
    not_as_pinned(path: &impl Display)
        en "{path} is not signed with the key of what is installed here."
        zh "{path} 的签名公钥与本机已安装的版本不一致。";
    confirm_new_key()
        en "Do not install it before the vendor has confirmed the new key to you directly. Then name that key: --trust KEY"
        zh "请先直接向厂商确认新的签名公钥，确认之前不要安装。确认后用 --trust 公钥 指定。";
    get_signed()
        en "Ask the vendor for a signed bundle; this one may come from anybody."
        zh "请向厂商索取已签名的安装包；此文件可能来自任何人。";
    older_than_installed(version: &str, installed: &str)
        en "This bundle ({version}) was made before the one that is installed ({installed})."
        zh "此安装包（{version}）的制作时间早于已安装的版本（{installed}）。";
    is_older_wanted()
        en "Go on only if you want to go back: an old version may have faults that are mended since."
        zh "仅在确实要退回旧版本时继续：旧版本可能含有后来已修复的缺陷。";
    not_a_key(given: &str) en "{given} is not a public key." zh "{given} 不是公钥。";
    give_key()
        en "Give the line that begins with RW, or the .pub file with it."
        zh "请给出以 RW 开头的那一行，或含有该行的 .pub 文件。";
}
