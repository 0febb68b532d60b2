//! The example as a person uses it: the installed LLM Chat in a real browser, with a stand-in for the language model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::process::Command;
use std::time::Duration;

use tests::browser::Browser;
use tests::bundle;
use tests::engine::{Engine, Store};
use tests::example::{self, StandIn};
use tests::parts::{self, Suite};
use tests::run::Run;
use tests::wait;

#[test]
fn a_person_logs_in_and_gets_an_answer() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let folder = parts::scratch();
    let (model, page, backend, frontend) =
        (bundle::free_port(), bundle::free_port(), bundle::free_port(), bundle::free_port());
    let _stand_in = StandIn::start(model);
    let answers = format!(
        "llm_api_url = \"http://127.0.0.1:{model}/v1/chat/completions\"\nllm_model = \"stand-in\"\n\
         admin_password = \"correct horse battery\"\nserver_host = \"127.0.0.1\"\n\
         http_port = {page}\nbackend_port = {backend}\nfrontend_port = {frontend}\n"
    );
    let file = folder.path().join("answers.toml");
    fs::write(&file, answers).unwrap();
    let dir = folder.path().join("app");
    let install = Run::of(
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c"])
            .arg("mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"")
            .arg(example::bundle().path)
            .arg("install")
            .arg("--answers")
            .arg(&file)
            .arg("--dir")
            .arg(&dir)
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("DOCKER_HOST", engine.address()),
    );
    let _ = install.done();
    // The page calls its server where nginx listens, and the password has gone into the database alone.
    let (_, config) = tests::http::get_local(frontend, "/config.js").unwrap();
    assert_eq!(config, format!("window.API_URL = \"http://127.0.0.1:{page}\";\n"));
    let env = fs::read_to_string(dir.join(".env")).unwrap();
    assert!(!env.contains("correct horse battery"), "{env}");

    // What the database came with counts no more.
    let browser = Browser::start();
    browser.open(&format!("http://127.0.0.1:{page}/"));
    browser.element("#username").write("admin");
    browser.element("#password").write("Admin@2025");
    browser.element("#login").click();
    let refused = || (!browser.element("#login-error").text().is_empty()).then_some(());
    wait::until("a word on the wrong password", Duration::from_secs(20), refused, String::new);

    browser.open(&format!("http://127.0.0.1:{page}/"));
    browser.element("#username").write("admin");
    browser.element("#password").write("correct horse battery");
    browser.element("#login").click();
    browser.element("#message").write("天空为什么是蓝色的？ Why?");
    browser.element("#send").click();
    browser.wait_for("#answer", "天空为什么是蓝色的？ Why?");
    browser.wait_for("#answer", "stand-in");

    // Data outlives the containers.
    let _ = engine.docker(["restart", "--time=1", "llm-chat-backend"]).done();
    let back =
        || tests::http::get_local(page, "/api/health").is_ok_and(|(status, _)| status == 200).then_some(());
    wait::until("the backend", Duration::from_secs(60), back, String::new);
    browser.open(&format!("http://127.0.0.1:{page}/"));
    browser.wait_for("#conversations", "天空");
}
