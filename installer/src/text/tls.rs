//! Certificates: what is wrong with one, and with which command it is put right.

use std::fmt::Display;

use super::cause::explained;
use super::sudo::SUDO;
use super::{Message, messages};

messages! {
    not_found(path: &impl Display) en "{path} does not exist." zh "{path} 不存在。";
    not_a_file(path: &impl Display) en "{path} is not a regular file." zh "{path} 不是普通文件。";
    too_large(path: &impl Display, limit: u64)
        en "{path} is larger than {limit} KiB: that is no certificate and no key."
        zh "{path} 超过 {limit} KiB，不像是证书或私钥。";
    pfx(path: &impl Display)
        en "{path} is a PFX (PKCS#12) archive, not PEM. Take both files out of it: openssl pkcs12 -in {path} -nokeys -out server.crt, then openssl pkcs12 -in {path} -nocerts -nodes -out server.key"
        zh "{path} 是 PFX（PKCS#12）文件，不是 PEM。请从中导出两个文件：openssl pkcs12 -in {path} -nokeys -out server.crt，再运行 openssl pkcs12 -in {path} -nocerts -nodes -out server.key";
    der_certificate(path: &impl Display)
        en "{path} is binary (DER), not PEM. Convert it: openssl x509 -inform DER -in {path} -out server.crt"
        zh "{path} 是二进制（DER）格式，不是 PEM。请转换：openssl x509 -inform DER -in {path} -out server.crt";
    der_key(path: &impl Display)
        en "{path} is binary (DER), not PEM. Convert it: openssl pkey -inform DER -in {path} -out server.key"
        zh "{path} 是二进制（DER）格式，不是 PEM。请转换：openssl pkey -inform DER -in {path} -out server.key";
    pkcs7(path: &impl Display)
        en "{path} is a PKCS#7 (P7B) file. Convert it: openssl pkcs7 -print_certs -in {path} -out server.crt"
        zh "{path} 是 PKCS#7（P7B）文件。请转换：openssl pkcs7 -print_certs -in {path} -out server.crt";
    request(path: &impl Display)
        en "{path} is the request (CSR). What is needed is the certificate that the issuer sent back for it."
        zh "{path} 是证书申请（CSR）。需要的是签发机构据此签发的证书。";
    no_certificate(path: &impl Display)
        en "There is no certificate in {path}: a line -----BEGIN CERTIFICATE----- is missing."
        zh "{path} 中没有证书：缺少 -----BEGIN CERTIFICATE----- 一行。";
    no_key(path: &impl Display)
        en "There is no private key in {path}: a line -----BEGIN PRIVATE KEY----- is missing."
        zh "{path} 中没有私钥：缺少 -----BEGIN PRIVATE KEY----- 一行。";
    exchanged()
        en "Certificate and key were exchanged: tls_certificate names the key, and tls_key the certificate."
        zh "证书和私钥填反了：tls_certificate 填的是私钥，tls_key 填的是证书。";
    malformed(path: &impl Display)
        en "{path} is damaged or incomplete. Copy it again; from BEGIN to END every line belongs to it."
        zh "{path} 已损坏或不完整。请重新复制：从 BEGIN 到 END 的每一行都不能少。";
    encrypted(path: &impl Display)
        en "The key {path} has a passphrase, and nobody is there to type it when the server starts. Take it off: openssl pkey -in {path} -out server.key"
        zh "私钥 {path} 设有口令，而服务启动时无人输入。请去掉口令：openssl pkey -in {path} -out server.key";
    open_ssh(path: &impl Display)
        en "The key {path} is in OpenSSH's form. Convert a copy: ssh-keygen -p -N '' -m PEM -f COPY"
        zh "私钥 {path} 是 OpenSSH 格式。请转换其副本：ssh-keygen -p -N '' -m PEM -f 副本";
    other_kind(path: &impl Display, kind: &str)
        en "The key {path} is of the kind {kind}, which is not supported. Get a certificate with an RSA (2048 to 4096), ECDSA P-256 or P-384 key."
        zh "私钥 {path} 的类型 {kind} 不受支持。请申请 RSA（2048 至 4096 位）或 ECDSA P-256、P-384 的证书。";
    not_stated(path: &impl Display)
        en "The key {path} does not say which certificate it belongs to. Write it anew: openssl ec -in {path} -out server.key"
        zh "私钥文件 {path} 中缺少公钥，无法判断与证书是否匹配。请运行以下命令补上公钥（私钥本身不变）：openssl ec -in {path} -out server.key";
    weak(path: &impl Display, bits: usize)
        en "The RSA key {path} has only {bits} bits, which browsers refuse. Get a certificate with at least 2048."
        zh "RSA 私钥 {path} 只有 {bits} 位，浏览器会拒绝。请申请 2048 位以上的证书。";
    mismatch(certificate: &impl Display, key: &impl Display)
        en "The key {key} does not belong to the certificate {certificate}. Look for the key that the certificate was requested with."
        zh "私钥 {key} 与证书 {certificate} 不匹配。请找到申请该证书时所用的私钥。";
    leaf_not_first(path: &impl Display)
        en "The certificates in {path} are in the wrong order: the server's own must be the first, then the one that issued it, and so on."
        zh "{path} 中证书的顺序不对：服务器证书应在最前，其后依次是签发它的证书。";
    chain_order(path: &impl Display, number: usize)
        en "Certificate {number} in {path} did not issue the one before it; some programs will not trust the server."
        zh "{path} 中第 {number} 个证书不是前一个证书的签发者，部分程序会不信任该服务器。";
    put_in_order()
        en "Put the server's certificate first, then the one that issued it, and so on; then run again."
        zh "请将服务器证书放在最前，其后依次为各级签发证书，然后重新运行。";
    expired(path: &impl Display, number: usize, since: &str, now: &str)
        en "Certificate {number} in {path} has expired: it was valid until {since}, and this machine's clock says {now}. Get a new one, or set the clock."
        zh "{path} 中第 {number} 个证书已过期：有效期至 {since}，本机时间为 {now}。请更换证书，或校正本机时间。";
    not_yet(path: &impl Display, number: usize, from: &str, now: &str)
        en "Certificate {number} in {path} is not valid yet: it is from {from} on, and this machine's clock says {now}. Set the clock, or get another one."
        zh "{path} 中第 {number} 个证书尚未生效：生效时间为 {from}，本机时间为 {now}。请校正本机时间，或更换证书。";
    ends_soon(path: &impl Display, number: usize, days: u64)
        en "Certificate {number} in {path} is valid for only {days} more day(s)."
        zh "{path} 中第 {number} 个证书将在 {days} 天后过期。";
    renew()
        en "Get a new one in time; put it in the same place and run the bundle again."
        zh "请及时更换：将新证书放到原位置后重新运行安装包。";
    other_host(path: &impl Display, host: &str, names: &str)
        en "The certificate {path} is not for {host}, so browsers would warn of it: it is for {names}. Give the host as it stands there, or get another certificate."
        zh "证书 {path} 不适用于 {host}，浏览器会发出警告：它签发给 {names}。请按证书填写主机，或更换证书。";
    no_names(path: &impl Display, host: &str)
        en "The certificate {path} is not for {host}: it has no subjectAltName, and browsers look at nothing else. Get another certificate."
        zh "证书 {path} 不适用于 {host}：其中没有 subjectAltName，而浏览器只看这一项。请更换证书。";
    not_certifiable(host: &str)
        en "No certificate can be made for \"{host}\": give a host name in ASCII letters, or an address."
        zh "无法为“{host}”生成证书：请填写英文字母的主机名，或 IP 地址。";
    key_is_open(path: &impl Display)
        en "Other users of this machine can read the private key {path}."
        zh "本机其他用户可以读取私钥 {path}。";
    close_key(path: &impl Display) en "Run: {SUDO}chmod 600 {path}" zh "请运行：{SUDO}chmod 600 {path}";
    move_key(path: &impl Display)
        en "Its file system keeps no permissions, so chmod does nothing there. Copy it ({SUDO}install -m 600 {path} /root/) and name the copy instead."
        zh "该文件所在的文件系统不保存权限，chmod 不起作用。请复制到 /root（{SUDO}install -m 600 {path} /root/），并改用该副本。";
    not_made(path: &impl Display) en "The certificate {path} could not be made." zh "无法生成证书 {path}。";
    fingerprint_follows(hosts: &str)
        en "Self-signed certificate for {hosts}. Browsers will warn once; go on only if they show this SHA-256 fingerprint:"
        zh "自签名证书，适用于 {hosts}。浏览器首次访问会告警；核对其显示的 SHA-256 指纹与下面一致后再继续：";
}

/// A file that cannot be read.
pub fn unreadable(path: &impl Display, why: &str) -> Message {
    let why = explained(why);
    Message {
        en: format!("{path} cannot be read: {}", why.en), zh: format!("{path} 无法读取：{}", why.zh)
    }
}

/// The names in a certificate, at most so many.
pub fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    let more = if names.len() > MOST { ", ..." } else { "" };
    let harmless = |name: &String| name.escape_debug().take(80).collect::<String>();
    names.iter().take(MOST).map(harmless).collect::<Vec<_>>().join(", ") + more
}

/// Several things that are wrong, in one.
pub fn together(messages: &[Message]) -> Option<Message> {
    let (first, rest) = messages.split_first()?;
    Some(rest.iter().fold(first.clone(), |all, one| Message {
        en: format!("{} {}", all.en, one.en),
        zh: format!("{}{}", all.zh, one.zh),
    }))
}
