//! The example as a person uses it: the installed LLM Chat in a real browser, with a stand-in for the language model.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tests::browser::Browser;
use tests::bundle::{self, Bundle};
use tests::engine::{Engine, Store};
use tests::parts::{self, Suite};
use tests::run::Run;
use tests::wait;

/// The language model's stand-in; ends with the value.
struct StandIn(Child);

impl StandIn {
    fn start(port: u16) -> Self {
        let script = parts::checkout().join("examples/llm-chat/llm-stand-in/server.py");
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", "--", "python3"])
            .arg(script)
            .args(["--port", &port.to_string(), "--delay", "0"])
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let answers = || TcpStream::connect(("127.0.0.1", port)).ok();
        wait::until("the stand-in", Duration::from_secs(20), answers, String::new);
        Self(child)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The example's bundle: `LLM_CHAT_BUNDLE`, else what `make` packs.
fn example() -> Bundle {
    let packed = parts::target().join("demo/llm-chat-1.0.0.run");
    let path = std::env::var_os("LLM_CHAT_BUNDLE").map_or(packed, Into::into);
    assert!(path.exists(), "{} is not there; `make test` packs the example before the tests", path.display());
    Bundle { path }
}

#[test]
fn a_person_logs_in_and_gets_an_answer() {
    let engine = Engine::start(Suite::Forky, Store::Containerd);
    let folder = parts::scratch();
    let (model, page, backend, frontend) =
        (bundle::free_port(), bundle::free_port(), bundle::free_port(), bundle::free_port());
    let _stand_in = StandIn::start(model);
    let answers = format!(
        "llm_api_url = \"http://127.0.0.1:{model}/v1/chat/completions\"\nllm_model = \"stand-in\"\n\
         admin_password = \"correct horse battery\"\n\
         http_port = {page}\nbackend_port = {backend}\nfrontend_port = {frontend}\n"
    );
    let file = folder.path().join("answers.toml");
    fs::write(&file, answers).unwrap();
    let dir = folder.path().join("app");
    let script = "mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"";
    let install = Run::of(
        Command::new("unshare")
            .args(["--mount", "--propagation", "private", "sh", "-c", script])
            .arg(example().path)
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

    let browser = Browser::start();
    browser.open(&format!("http://127.0.0.1:{page}/"));
    browser.element("#username").write("admin");
    browser.element("#password").write("wrong horse battery");
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
    let back = || ureq::get(format!("http://127.0.0.1:{page}/api/health")).call().ok();
    wait::until("the backend", Duration::from_secs(60), back, String::new);
    browser.open(&format!("http://127.0.0.1:{page}/"));
    browser.wait_for("#conversations", "天空");
}
