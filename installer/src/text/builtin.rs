//! The questions that the installer asks by itself.

use super::messages;

messages! {
    tls() en "Certificate for HTTPS" zh "HTTPS 使用的证书";
    tls_help()
        en "Browsers warn once of a self-signed certificate; passwords travel encrypted all the same."
        zh "自签名证书会让浏览器在首次访问时提示风险，但密码等数据同样会加密传输。";
    tls_off() en "no HTTPS" zh "不启用 HTTPS";
    tls_self_signed() en "self-signed, made on this machine" zh "自签名，在本机生成";
    tls_own() en "your own certificate and key, as files" zh "使用已有的证书和私钥文件";
    tls_certificate() en "Certificate file" zh "证书文件";
    tls_certificate_help()
        en "PEM, the server's certificate first, then those that issued it"
        zh "PEM 格式：服务器证书在前，其后为签发它的中间证书";
    tls_key() en "Private key file" zh "私钥文件";
    tls_key_help() en "PEM, without a passphrase" zh "PEM 格式，不带口令";
    open_firewall()
        en "Open the application's ports in this machine's firewall"
        zh "在本机防火墙中放行应用端口";
    open_firewall_help()
        en "Without that other machines may not reach it. uninstall closes them again."
        zh "不放行时，其他机器可能无法访问。卸载应用时会重新关闭这些端口。";
    docker_group()
        en "Let your own user run docker without sudo (group docker)"
        zh "将您登录所用的用户加入 docker 组（不用 sudo 即可运行 docker）";
    docker_group_help()
        en "Members of this group have the power of root. It counts from the next login."
        zh "该组成员的权限等同于 root。重新登录后生效。";
}
