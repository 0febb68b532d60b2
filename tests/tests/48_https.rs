//! The example with HTTPS, which it has as `docs/definition.md` tells vendors to add it: with a certificate that the operator gives in
//! the wizard, and with one that is made on the machine, nginx serves with it.
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

/// What the document tells vendors is what the example has.
#[test]
fn the_example_has_what_the_document_says() {
    let read =
        |name: &str| fs::read_to_string(parts::checkout().join("examples/llm-chat").join(name)).unwrap();
    let (definition, nginx) = (read("airlift.toml"), read("nginx/default.conf"));
    let sections = documented("toml").replace("PAGE_URL", "FRONTEND_API_URL");
    for section in sections.split("\n\n").filter(|section| !section.starts_with("[[value]]")) {
        assert!(definition.contains(section.trim_end()), "the example has no\n{section}");
    }
    let block = documented("nginx");
    assert!(nginx.contains(block.trim_end().trim_end_matches("@end")), "the example has no\n{block}");
}

/// The example's file, on this engine, with a `/usr/local/bin` of its own.
fn command(engine: &Engine, dir: &Path) -> Command {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-c"])
        .arg("mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"")
        .arg(example::bundle().path)
        .arg("--dir")
        .arg(dir)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", "zh_CN.UTF-8")
        .env("TERM", "xterm-256color")
        .env("DOCKER_HOST", engine.address());
    command
}

/// Waits until the application answers by HTTPS, to one who trusts this certificate alone.
fn serves(host: &str, port: u16, certificate: &Path) {
    let ask = || {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--cacert"]).arg(certificate);
        curl.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
        Run::of(curl.arg(format!("https://{host}:{port}/api/health")))
    };
    let got = || {
        let got = ask();
        (got.code == Some(0) && got.stdout.contains("ok")).then_some(())
    };
    wait::until("nginx over HTTPS", Duration::from_secs(20), got, || ask().to_string());
}

/// Whoever has no certificate gets one that is made on the machine, and is told what to compare it with.
#[test]
fn nginx_serves_with_the_certificate_that_was_made_on_the_machine() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let folder = parts::scratch();
    let (dir, answers) = (folder.path().join("app"), folder.path().join("answers.toml"));
    let [model, page, backend, frontend, https] = [(); 5].map(|()| bundle::free_port());
    let given = format!(
        "llm_api_url = \"http://127.0.0.1:{model}/v1/chat/completions\"\nadmin_password = \"correct horse\"\n\
         server_host = \"chat.example\"\ntls = \"self-signed\"\nhttps_port = {https}\n\
         http_port = {page}\nbackend_port = {backend}\nfrontend_port = {frontend}\n"
    );
    fs::write(&answers, given).unwrap();
    let install = || Run::of(command(&engine, &dir).arg("--answers").arg(&answers));
    let installed = install().done().saying(&format!("https://chat.example:{https}/"));
    let certificate = dir.join("nginx/tls/server.crt");
    serves("chat.example", https, &certificate);
    let script = format!(
        "openssl s_client -connect 127.0.0.1:{https} </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    );
    let served = Run::of(Command::new("sh").args(["-c", &script])).done().stdout;
    let _ = installed.saying(served.trim().rsplit('=').next().unwrap());

    // Who comes by HTTP from elsewhere is sent on: the page could not call its server from there.
    let url = format!("http://127.0.0.1:{page}/x?y=z");
    let from = |address: &str| {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--interface", address, "--header", "Host: chat.example"]);
        Run::of(curl.args(["--output", "/dev/null", "--write-out", "%{http_code} %{redirect_url}", &url]))
            .done()
            .stdout
    };
    assert_eq!(from("127.0.0.2"), format!("301 https://chat.example:{https}/x?y=z"));
    assert_eq!(from("127.0.0.1"), "404 ");

    // Off again: nothing of it is left, and the page is where it was before.
    let off = fs::read_to_string(&answers).unwrap().replace("self-signed", "off");
    fs::write(&answers, off).unwrap();
    let _ = install().done().saying(&format!("http://chat.example:{page}/"));
    assert!(!certificate.exists());
    assert!(std::net::TcpStream::connect(("127.0.0.1", https)).is_err());
    assert!(!from("127.0.0.2").starts_with("301"));
}

#[test]
fn nginx_serves_with_the_certificate_that_was_given_in_the_wizard() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let folder = parts::scratch_for_screens();
    let (dir, file) =
        (folder.path().join("app"), |name: &str| folder.path().join(name).display().to_string());
    certificate::make(folder.path(), "mine", "chat.example");
    certificate::make(folder.path(), "other", "other.example");
    let [model, page, backend, frontend, https] = [(); 5].map(|()| bundle::free_port());
    let _stand_in = StandIn::start(model);
    let mut command = command(&engine, &dir);
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
    serves("chat.example", https, &folder.path().join("mine.crt"));
    let env = fs::read_to_string(dir.join(".env")).unwrap();
    assert!(env.contains(&format!("FRONTEND_API_URL=\"https://chat.example:{https}\"")), "{env}");
}
