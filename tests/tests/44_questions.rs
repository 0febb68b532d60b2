//! Every screen from the language to the page in the browser, whole and in both languages, kept as snapshots: each kind of question
//! with a slip, the way back, secrets, HTTPS, the review, the saved answers, the steps, the end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::{IpAddr, TcpListener};

use rustix::process::{Signal, kill_process};
use tests::bundle::{self, Bundle, Vendor};
use tests::certificate;
use tests::engine::Store;
use tests::images;
use tests::parts::Suite;
use tests::running::worker_of;
use tests::site::Site;
use tests::terminal::{Terminal, key};

const PASSWORD: &str = "correct horse";

/// One question of each kind that the usual application does not ask, and HTTPS.
const QUESTIONS: &str = r#"
[[question]]
id = "mode"
env = "MODE"
kind = "choice"
prompt = { zh = "运行模式", en = "Mode" }
choices = [
  { value = "fast", title = { zh = "速度优先", en = "Fast" } },
  { value = "safe", title = { zh = "稳妥优先", en = "Safe" } },
]
default = "fast"

[[question]]
id = "workers"
env = "WORKERS"
kind = "integer"
prompt = { zh = "并发数", en = "Workers" }
min = 1
max = 64

[[question]]
id = "mail"
env = "MAIL"
kind = "bool"
prompt = { zh = "是否发送邮件通知", en = "Send mail" }
default = "false"

[[question]]
id = "host"
env = "HOST"
kind = "host"
prompt = { zh = "用户用哪个地址访问本机", en = "Address of this machine" }
suggest = "addresses"

[tls]
certificate = "tls/server.crt"
key = "tls/server.key"
host = "host"

[[question]]
id = "https_port"
env = "HTTPS_PORT"
kind = "port"
prompt = { zh = "HTTPS 端口", en = "HTTPS port" }
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
title = { zh = "网页地址", en = "Address of the page" }
value = "https://{host}:{https_port}"
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
title = { zh = "网页地址", en = "Address of the page" }
value = "http://{host}:{http_port}"

[[question]]
id = "api"
env = "API"
kind = "url"
prompt = { zh = "接口地址", en = "Address of the interface" }
port = "forbid"
pattern_hint = { zh = "页面总是经由 nginx 访问接口，地址中不能有端口", en = "The page always goes through nginx: no port" }

[[question]]
id = "backup"
env = "BACKUP"
kind = "path"
prompt = { zh = "备份目录", en = "Folder for backups" }
required = false
"#;

/// What an operator of one language reads and types.
struct Operator {
    lang: &'static str,
    locale: &'static str,
    /// What is neither a number nor a yes.
    much: &'static str,
    maybe: &'static str,
    yes: &'static str,
    hello: &'static str,
    /// The prompts to wait for, and a reason.
    again: &'static str,
    mismatch: &'static str,
    back: &'static str,
    commands: &'static str,
    save_where: &'static str,
    loading: &'static str,
    /// A path with letters of the language.
    folder: &'static str,
}

const OPERATORS: [Operator; 2] = [
    Operator {
        lang: "en",
        locale: "en_US.UTF-8",
        much: "many",
        maybe: "perhaps",
        yes: "yes",
        hello: "Good morning",
        again: "The same again",
        mismatch: "! the two are not the same",
        back: "< back",
        commands: "q leave",
        save_where: "Save to which file?",
        loading: "] Load ",
        folder: "/data/backups",
    },
    Operator {
        lang: "zh",
        locale: "zh_CN.UTF-8",
        much: "很多",
        maybe: "也许",
        yes: "是",
        hello: "早上好",
        again: "请再输入一次",
        mismatch: "! 两次输入不一致",
        back: "< 返回上一项",
        commands: "q 退出",
        save_where: "保存到哪个文件？",
        loading: "] 导入镜像",
        folder: "/data/备份",
    },
];

fn bundle() -> Bundle {
    let vendor = Vendor::of(images::tall(40 << 20)).with_engine();
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap();
    vendor.write("airlift.toml", definition + QUESTIONS);
    let environment = "      SESSION_KEY: ${SESSION_KEY}\n";
    let names = ["MODE", "WORKERS", "MAIL", "HOST", "API", "BACKUP", "HTTPS_PORT", "PAGE_URL"];
    let more = names.map(|name| format!("      {name}: ${{{name}}}\n")).concat();
    vendor.edit("docker-compose.yml", environment, &format!("{environment}{more}"));
    let data = "      - ./data:/state\n";
    vendor.edit("docker-compose.yml", data, &format!("{data}      - ./tls:/tls:ro\n"));
    vendor.pack_once("questions")
}

/// The wizard on a terminal of 80 columns and 24 rows, and what has no place on a picture of it.
struct Wizard<'a> {
    operator: &'a Operator,
    site: Site,
    terminal: Terminal,
    replaced: Vec<(String, &'static str)>,
}

impl Wizard<'_> {
    /// Keeps the whole screen.
    fn keep(&self, name: &str) {
        let replaced: Vec<_> = self.replaced.iter().map(|(from, to)| (from.as_str(), *to)).collect();
        let screen = self.site.framed(&self.terminal, &replaced, &[]);
        insta::assert_snapshot!(format!("{}_{name}", self.operator.lang), screen);
    }

    fn answer(&self, question: &str, text: &str) {
        self.terminal.answer(question, text);
    }

    /// Takes an item of a list, so many from the one that is marked.
    fn choose(&self, steps: &[&str]) {
        steps.iter().for_each(|step| self.terminal.send(step));
        self.terminal.send(key::ENTER);
    }

    /// The usual questions, up to the key.
    fn usual(&mut self) {
        let taken = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = taken.local_addr().unwrap().port().to_string();
        let comm = fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned();
        self.replaced.extend([
            (port.clone(), "44444"),
            (comm, "another-program"),
            (format!("process {}", std::process::id()), "process PID"),
            (format!("进程号 {}", std::process::id()), "进程号 PID"),
        ]);
        let (own, operator) = (self.site.port.to_string(), self.operator);
        self.terminal.wait_for("English");
        self.keep("01_language");
        self.terminal.send(key::ENTER);
        self.terminal.wait_for_prompt("[1/");
        self.keep("02_what_it_is");
        self.answer("[1/", operator.much);
        self.answer(&format!("> {}", operator.much), &port);
        self.terminal.wait_for_prompt(&format!("> {port}"));
        self.keep("03_port_refused");
        self.answer(&format!("> {port}"), &own);
        self.answer("[2/", operator.hello);
        self.answer("[3/", "<");
        // What was answered there is offered again; the answer itself was on the screen before.
        let offer = if operator.lang == "en" { "Enter alone: " } else { "直接回车：" };
        self.terminal.wait_for_prompt(&format!("{offer}{}", operator.hello));
        self.keep("04_back");
        self.terminal.send(key::UP);
        self.terminal.wait_for(&format!("> {}", operator.hello));
        self.terminal.send(key::ENTER);
        self.answer("[3/", PASSWORD);
        self.answer(operator.again, "different");
        self.terminal.wait_for_prompt(operator.mismatch);
        self.keep("05_passwords_differ");
        self.answer(operator.mismatch, PASSWORD);
        self.answer(operator.again, PASSWORD);
        self.terminal.wait_for_prompt("[4/");
        self.keep("06_secret");
        self.terminal.send(key::ENTER);
    }

    fn kinds(&mut self) {
        let operator = self.operator;
        self.terminal.wait_for("[5/");
        self.terminal.wait_for(operator.back);
        self.keep("07_choice");
        self.choose(&[key::DOWN]);
        self.answer("[6/", operator.much);
        self.answer(&format!("> {}", operator.much), "65");
        self.answer("> 65", "8");
        self.answer("[7/", operator.maybe);
        self.terminal.wait_for_prompt(&format!("> {}", operator.maybe));
        self.keep("08_number_and_yes_or_no");
        self.answer(&format!("> {}", operator.maybe), operator.yes);
        self.terminal.wait_for("[8/");
        self.terminal.wait_for(operator.back);
        self.keep("09_addresses");
        let addresses = self.terminal.screen();
        let addresses = addresses.lines().map(|line| line.trim_start_matches(['>', ' ']));
        let addresses = addresses.filter(|text| text.parse::<IpAddr>().is_ok());
        let mut addresses: Vec<_> = addresses.map(|address| (address.to_owned(), "192.0.2.10")).collect();
        // One may begin another.
        addresses.sort_by_key(|(address, _)| std::cmp::Reverse(address.len()));
        self.replaced.extend(addresses);
        // The last one but the way back: something of one's own.
        self.choose(&[key::UP, key::UP]);
        self.answer("[8/", "http://203.0.113.5:80");
        self.terminal.wait_for_prompt("> http://203.0.113.5:80");
        self.keep("10_address_refused");
        self.answer("> http://203.0.113.5:80", "chat.example");
    }

    fn https(&mut self) {
        let https_port = bundle::free_port().to_string();
        self.replaced.push((https_port.clone(), "33333"));
        let file = |name: &str| self.site.path(name).display().to_string();
        self.terminal.wait_for("[9/");
        self.terminal.wait_for(self.operator.back);
        self.keep("11_https");
        self.choose(&[key::DOWN, key::DOWN]);
        self.answer("[10/", &file("none.crt"));
        self.answer("none.crt", &file("mine.crt"));
        self.answer("[11/", &file("other.key"));
        self.terminal.wait_for_prompt("other.key");
        self.keep("12_key_refused");
        self.answer("other.key", &file("mine.key"));
        self.answer("[12/", &https_port);
    }

    fn texts(&self) {
        self.answer("[13/", "203.0.113.5/api");
        self.answer("> 203.0.113.5/api", "http：//203.0.113.5/api");
        self.answer("> http：//203.0.113.5/api", "http://203.0.113.5:8000/api");
        self.answer("> http://203.0.113.5:8000/api", "http://203.0.113.5/api");
        self.answer("[14/", "backup");
        self.terminal.wait_for_prompt("> backup");
        self.keep("13_url_and_path_refused");
        self.answer("> backup", self.operator.folder);
    }

    fn review_and_install(&mut self) {
        let operator = self.operator;
        self.terminal.wait_for_prompt(operator.commands);
        self.keep("14_review");
        self.answer(operator.commands, "s");
        self.answer(operator.save_where, "saved.toml");
        self.terminal.wait_for_prompt("saved.toml");
        self.keep("15_saved");
        self.answer(operator.commands, "y");
        self.terminal.wait_for(operator.loading);
        let worker = worker_of(self.terminal.id());
        kill_process(worker, Signal::STOP).unwrap();
        self.keep("16_steps");
        kill_process(worker, Signal::CONT).unwrap();
        assert_eq!(self.terminal.end(), 0, "{:?}", self.terminal);
        self.keep("17_done");
    }
}

fn every_screen(operator: &Operator) {
    let site = Site::for_screens(Suite::Forky, Store::Overlay2);
    for name in ["mine", "other"] {
        certificate::make(&site.path(""), name, "chat.example");
    }
    let mut command = site.command(&site.bring(&bundle()), &[]);
    command.env("LANG", operator.locale).env("TERM", "xterm-256color");
    let terminal = Terminal::start(command);
    let mut wizard = Wizard { operator, site, terminal, replaced: Vec::new() };
    wizard.usual();
    wizard.kinds();
    wizard.https();
    wizard.texts();
    wizard.review_and_install();
    let answers = [
        ("MODE", "safe"),
        ("WORKERS", "8"),
        ("MAIL", "true"),
        ("HOST", "chat.example"),
        ("API", "http://203.0.113.5/api"),
        ("BACKUP", operator.folder),
        ("GREETING", operator.hello),
        ("ADMIN_PASSWORD", PASSWORD),
    ];
    for (name, value) in answers {
        assert_eq!(wizard.site.variable(name), value, "{name}");
    }
    assert!(wizard.site.page().contains("hello"));
}

#[test]
fn every_screen_in_english() {
    every_screen(&OPERATORS[0]);
}

#[test]
fn every_screen_in_chinese() {
    every_screen(&OPERATORS[1]);
}
