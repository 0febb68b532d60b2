//! The example with HTTPS as `docs/definition.md` tells vendors to add it: the operator gives a certificate of their own in the wizard,
//! and nginx serves with it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::bundle;
use tests::certificate;
use tests::engine::{Engine, Store};
use tests::example::{self, StandIn};
use tests::parts::{self, Suite};
use tests::run::Run;
use tests::terminal::{Terminal, key};
use tests::wait;

/// The first example in a language below the document's heading.
fn documented(language: &str) -> String {
    let document = fs::read_to_string(parts::checkout().join("docs/definition.md")).unwrap();
    let section = document.split("\n## `[tls]`").nth(1).unwrap().split("\n## ").next().unwrap();
    let block = section.split(&format!("```{language}\n")).nth(1).unwrap();
    block.split("```").next().unwrap().to_owned()
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{} has no `{from}`", path.display());
    fs::write(path, text.replacen(from, to, 1)).unwrap();
}

/// What a vendor does who follows the document.
fn add_https(vendor: &Path) {
    let definition = vendor.join("airlift.toml");
    let files = "include = [\"nginx/default.conf\", \"env.example\"]";
    let templates =
        "include = [\"nginx/default.conf\"]\ntemplate = true\n\n[[file]]\ninclude = [\"env.example\"]";
    edit(&definition, files, templates);
    let section = documented("toml").replace("PAGE_URL", "FRONTEND_API_URL");
    edit(&definition, "[[value]]\n", &format!("{section}\n[[value]]\n"));
    let listen = "  listen ${HTTP_PORT} default_server;\n";
    edit(&vendor.join("nginx/default.conf"), listen, &format!("{listen}{}", documented("nginx")));
    let mount = "      - ./nginx/default.conf:/etc/nginx/templates/default.conf:ro\n";
    let with_folder = format!("{mount}      - ./nginx/tls:/etc/nginx/tls:ro\n");
    edit(&vendor.join("docker-compose.yml"), mount, &with_folder);
}

#[test]
fn nginx_serves_with_the_certificate_that_was_given_in_the_wizard() {
    let (_vendor, bundle) = example::changed(add_https);
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let folder = parts::scratch_for_screens();
    let (dir, file) =
        (folder.path().join("app"), |name: &str| folder.path().join(name).display().to_string());
    certificate::make(folder.path(), "mine", "chat.example");
    certificate::make(folder.path(), "other", "other.example");
    let [model, page, backend, frontend, https] = [(); 5].map(|()| bundle::free_port());
    let _stand_in = StandIn::start(model);
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-c"])
        .arg("mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"")
        .arg(bundle.path)
        .arg("--dir")
        .arg(&dir)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "zh_CN.UTF-8")
        .env("TERM", "xterm-256color")
        .env("DOCKER_HOST", engine.address());
    for answer in [
        format!("llm_api_url=http://127.0.0.1:{model}/v1/chat/completions"),
        "llm_model=stand-in".to_owned(),
        "server_host=chat.example".to_owned(),
        format!("http_port={page}"),
        format!("backend_port={backend}"),
        format!("frontend_port={frontend}"),
    ] {
        command.arg("--set").arg(answer);
    }
    let mut terminal = Terminal::start(command);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("大模型接口密钥", "");
    terminal.answer("会话签名密钥", "");
    terminal.answer("管理员 admin 的密码", "correct horse");
    terminal.answer("请再输入一次", "correct horse");
    // None, one that is made on the spot, one's own.
    terminal.wait_for("HTTPS");
    terminal.wait_for("返回上一项");
    let shown = |screen: String| {
        screen.replace(&*folder.path().to_string_lossy(), "/srv").replace(&https.to_string(), "HTTPS")
    };
    insta::assert_snapshot!("zh_https_choice", shown(terminal.screen_from("使用的证书")));
    terminal.send(key::DOWN);
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    terminal.answer("证书文件", &file("none.crt"));
    terminal.answer("不存在", &file("mine.crt"));
    terminal.answer("私钥文件", &file("other.key"));
    terminal.answer("不匹配", &file("mine.key"));
    terminal.wait_for_prompt("HTTPS 端口");
    let screen = shown(terminal.screen_from("PEM 格式：服务器证书在前"));
    insta::assert_snapshot!("zh_https_files", screen);
    terminal.answer("HTTPS 端口", &https.to_string());
    terminal.answer("q 退出", "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    assert!(terminal.screen().contains(&format!("https://chat.example:{https}/")), "{terminal:?}");
    let got = || {
        let mut curl = Command::new("curl");
        curl.args([
            "-sS",
            "--cacert",
            &file("mine.crt"),
            "--resolve",
            &format!("chat.example:{https}:127.0.0.1"),
        ]);
        let got = Run::of(curl.arg(format!("https://chat.example:{https}/api/health")));
        (got.code == Some(0) && got.stdout.contains("ok")).then_some(())
    };
    wait::until("nginx over HTTPS", Duration::from_secs(20), got, String::new);
    let env = fs::read_to_string(dir.join(".env")).unwrap();
    assert!(env.contains(&format!("FRONTEND_API_URL=\"https://chat.example:{https}\"")), "{env}");
}
