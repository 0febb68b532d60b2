//! The example by the wizard, in both languages, on a terminal of 80 columns and 24 rows: everything that is typed is what the
//! screen asks for, and the page is then where the screen says it is. Once on an engine that was there, once on a fresh machine.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tests::bundle;
use tests::engine::{Engine, Store};
use tests::example::{self, StandIn};
use tests::machine::Machine;
use tests::parts::{self, Suite};
use tests::terminal::{Terminal, key};

const PASSWORD: &str = "correct horse battery";

/// What is asked, and what the screen says where something is to be known from it.
struct Words {
    lang: &'static str,
    locale: &'static str,
    model: &'static str,
    name: &'static str,
    api_key: &'static str,
    host: &'static str,
    session: &'static str,
    password: &'static str,
    again: &'static str,
    page: &'static str,
    certificate: &'static str,
    backend: &'static str,
    frontend: &'static str,
    review: &'static str,
    commands: &'static str,
    link: &'static str,
    done: &'static str,
}

const CHINESE: Words = Words {
    lang: "zh",
    locale: "zh_CN.UTF-8",
    model: "大模型接口地址",
    name: "模型名称",
    api_key: "大模型接口密钥",
    host: "用户用哪个地址访问本机",
    session: "会话签名密钥",
    password: "管理员 admin 的密码",
    again: "请再输入一次",
    page: "网页端口",
    certificate: "HTTPS 使用的证书",
    backend: "后端端口",
    frontend: "前端端口",
    review: "请核对",
    commands: "q 退出",
    link: "打开网页",
    done: "已安装，状态健康",
};

const ENGLISH: Words = Words {
    lang: "en",
    locale: "en_US.UTF-8",
    model: "Address of the language model",
    name: "Name of the model",
    api_key: "Key for the language model",
    host: "Address or name by which people reach this machine",
    session: "Key that signs sessions",
    password: "Password of the user admin",
    again: "The same again",
    page: "Web port",
    certificate: "Certificate for HTTPS",
    backend: "Port of the backend",
    frontend: "Port of the frontend",
    review: "Answers:",
    commands: "q leave",
    link: "Open the page",
    done: "installed and healthy",
};

/// What differs from machine to machine and from run to run: places, times, sizes.
fn shown(screen: &str, varying: &[(String, &str)]) -> String {
    let screen = varying.iter().fold(screen.to_owned(), |screen, (from, to)| screen.replace(from, to));
    let is_unit = |word: &&str| ["s", "秒", "kB", "MB", "GB"].iter().any(|unit| word.starts_with(unit));
    let line = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let shown = words.iter().enumerate().map(|(number, word)| {
            let digits = word.trim_start_matches(|character: char| !character.is_ascii_digit());
            let is_measured = digits.parse::<f64>().is_ok() && words.get(number + 1).is_some_and(is_unit);
            if is_measured { word.replace(digits, "N") } else { (*word).to_owned() }
        });
        shown.collect::<Vec<_>>().join(" ")
    };
    screen.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// Where the newcomer sits.
enum Place {
    /// A machine that has Docker, with a folder for the application.
    Engine(Engine, TempDir),
    /// A fresh one, and the bundle on its stick.
    Machine(Box<Machine>, String),
}

impl Place {
    fn with_engine() -> Self {
        Self::Engine(Engine::start(Suite::Forky, Store::Containerd), parts::scratch_for_screens())
    }

    fn fresh() -> Self {
        let machine = Machine::boot();
        let run = machine.plug_in(&example::bundle().path);
        // It has a network, or there would be no address to choose.
        let _ = machine
            .sh("ip link add lan0 type veth peer name lan1 && ip address add 192.0.2.10/24 dev lan0 && ip link set lan0 up")
            .done();
        let _ = machine.sh("command -v docker").expect(1);
        Self::Machine(Box::new(machine), run)
    }

    fn start(&self, words: &Words) -> Terminal {
        match self {
            Self::Engine(engine, _) => start(engine, &self.dir(), words),
            Self::Machine(machine, run) => {
                let locale = format!("LANG={}", words.locale);
                Terminal::start(machine.command_on_terminal(&["env", &locale, run]))
            }
        }
    }

    fn dir(&self) -> PathBuf {
        match self {
            Self::Engine(_, folder) => folder.path().join("app"),
            Self::Machine(..) => PathBuf::from("/opt/llm-chat"),
        }
    }

    /// In three steps the engine is brought, and Compose with it, which else is one step.
    fn last_step(&self) -> &'static str {
        match self {
            Self::Engine(..) => "[7/7]",
            Self::Machine(..) => "[9/9]",
        }
    }

    fn is_served(&self, page: &str) -> bool {
        match self {
            Self::Engine(..) => {
                tests::http::get_local(page.parse().unwrap(), "/api/health").unwrap().0 == 200
            }
            Self::Machine(machine, _) => {
                machine.sh(&format!("curl -sf http://127.0.0.1:{page}/api/health")).code == Some(0)
            }
        }
    }
}

fn start(engine: &Engine, dir: &Path, words: &Words) -> Terminal {
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "--propagation", "private", "sh", "-c"])
        .arg("mount -t tmpfs none /usr/local/bin && exec \"$0\" \"$@\"")
        .arg(example::bundle().path)
        .arg("--dir")
        .arg(dir)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .env("LANG", words.locale)
        .env("TERM", "xterm-256color")
        .env("DOCKER_HOST", engine.address());
    Terminal::start(command)
}

fn by_the_screen_alone(words: &Words, place: &Place) {
    let dir = place.dir();
    let ports = [(); 4].map(|()| bundle::free_port());
    let [model, page, backend, frontend] = ports.map(|port| port.to_string());
    let _stand_in = StandIn::start(ports[0]);
    let mut terminal = place.start(words);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    // A slip, which is refused at once with the reason.
    terminal.answer(words.model, &format!("127.0.0.1:{model}"));
    terminal.answer("http://", &format!("http://127.0.0.1:{model}/v1/chat/completions"));
    terminal.answer(words.name, "stand-in");
    terminal.answer(words.api_key, "");
    // The addresses of this machine are a list; the last item of it is one's own text, the last but one the way back.
    terminal.wait_for(words.host);
    terminal.send(key::UP);
    terminal.send(key::UP);
    terminal.send(key::ENTER);
    terminal.answer(words.host, "127.0.0.1");
    terminal.answer(words.session, "");
    terminal.answer(words.password, PASSWORD);
    terminal.answer(words.again, PASSWORD);
    terminal.answer(words.page, &page);
    // None is the first of three.
    terminal.wait_for(words.certificate);
    terminal.send(key::ENTER);
    terminal.answer(words.backend, &backend);
    terminal.answer(words.frontend, &frontend);
    terminal.wait_for(words.commands);
    let varying = [
        (dir.display().to_string(), "/opt/llm-chat"),
        (model, "MODEL"),
        (page.clone(), "PAGE"),
        (backend, "BACKEND"),
        (frontend, "FRONTEND"),
    ];
    let review = terminal.screen_from(words.review);
    assert!(review.lines().count() <= 24, "the review does not fit on a screen:\n{review}");
    insta::assert_snapshot!(format!("{}_example_review", words.lang), shown(&review, &varying));
    terminal.answer(words.commands, "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let screen = terminal.screen();
    assert!(screen.contains(words.done), "{screen}");
    // Where the page is, is said as it is to be typed into a browser.
    assert!(screen.contains(&format!("http://127.0.0.1:{page}/")), "{screen}");
    // What the steps say on the way depends on how fast the services are.
    assert!(screen.contains(place.last_step()), "{screen}");
    insta::assert_snapshot!(
        format!("{}_example_done", words.lang),
        shown(&terminal.screen_from(words.link), &varying)
    );
    assert!(place.is_served(&page));
    assert!(!terminal.sent().contains(PASSWORD), "the password was on the screen");
}

#[test]
fn a_chinese_newcomer_installs_the_example_and_docker() {
    by_the_screen_alone(&CHINESE, &Place::fresh());
}

#[test]
fn an_english_newcomer_installs_the_example() {
    by_the_screen_alone(&ENGLISH, &Place::with_engine());
}
