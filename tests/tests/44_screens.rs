//! Screens in Chinese that a person meets only now and then, kept as snapshots: each kind of question with a slip, preflight that
//! refuses, an installation that fails, and a window that was closed and comes back.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use tests::bundle::{self, Bundle, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::running::worker_of;
use tests::site::{INSTALL, Site};
use tests::terminal::{Terminal, key};
use tests::wait;

/// One question of each kind that the usual application does not ask.
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

/// On a terminal of 80 columns and 24 rows.
fn start(site: &Site, bundle: &Bundle, args: &[&str]) -> Terminal {
    let mut command = site.command(bundle, args);
    command.env("LANG", "zh_CN.UTF-8").env("TERM", "xterm-256color");
    Terminal::start(command)
}

/// What the usual application asks.
fn answer_the_usual(terminal: &Terminal, site: &Site) {
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("网页端口", &site.port.to_string());
    terminal.answer("问候语", "你好");
    terminal.answer("管理员密码", "correct horse");
    terminal.answer("请再输入一次", "correct horse");
    terminal.answer("会话密钥", "");
}

#[test]
fn each_kind_of_question_says_at_once_what_is_wrong() {
    let vendor = Vendor::new().with_engine();
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap();
    vendor.write("airlift.toml", definition + QUESTIONS);
    let environment = "      SESSION_KEY: ${SESSION_KEY}\n";
    let more = "      MODE: ${MODE}\n      WORKERS: ${WORKERS}\n      MAIL: ${MAIL}\n      HOST: ${HOST}\n      API: ${API}\n      BACKUP: ${BACKUP}\n";
    vendor.edit("docker-compose.yml", environment, &format!("{environment}{more}"));
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack());
    let mut terminal = start(&site, &bundle, &[]);
    answer_the_usual(&terminal, &site);
    terminal.wait_for("运行模式");
    terminal.wait_for("返回上一项");
    insta::assert_snapshot!("zh_choice", site.shown(&terminal.screen_from("运行模式")));
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    for (question, answer) in [
        ("并发数", "很多"),
        ("! 不是整数", "65"),
        ("! 必须在 1 到 64 之间", "8"),
        ("是否发送邮件通知", "也许"),
    ] {
        terminal.answer(question, answer);
    }
    terminal.wait_for_prompt("! 请输入 y（是）");
    insta::assert_snapshot!("zh_integer_and_yes_or_no", site.shown(&terminal.screen_from("并发数")));
    terminal.answer("! 请输入 y（是）", "是");
    // The addresses of this machine are a list; something else can be typed.
    terminal.wait_for("返回上一项");
    terminal.send(key::UP);
    terminal.send(key::UP);
    terminal.send(key::ENTER);
    for (question, answer) in [
        ("用户用哪个地址访问本机", "http://10.0.0.5:80"),
        ("! 只填主机名或 IP 地址", "10.0.0.5"),
        ("接口地址", "10.0.0.5/api"),
        ("! 开头缺少 http://", "http：//10.0.0.5/api"),
        ("全角字符", "http://10.0.0.5:8000/api"),
        ("! 不能带端口", "http://10.0.0.5/api"),
        ("备份目录", "backup"),
    ] {
        terminal.answer(question, answer);
    }
    terminal.wait_for_prompt("! 不是绝对路径");
    insta::assert_snapshot!("zh_address_and_path", site.shown(&terminal.screen_from("[9/10]")));
    terminal.answer("! 不是绝对路径", "/data/备份");
    terminal.answer("q 退出", "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let answers = [
        ("MODE", "safe"),
        ("WORKERS", "8"),
        ("MAIL", "true"),
        ("HOST", "10.0.0.5"),
        ("API", "http://10.0.0.5/api"),
        ("BACKUP", "/data/备份"),
    ];
    for (name, value) in answers {
        assert_eq!(site.variable(name), value, "{name}");
    }
}

#[test]
fn preflight_that_refuses_says_what_to_do_and_asks_nothing() {
    let vendor = Vendor::new().with_engine();
    vendor.edit("airlift.toml", "memory = \"64 MB\"", "memory = \"64 TB\"");
    vendor.edit("airlift.toml", "kernel = \"3.10\"", "kernel = \"99.1\"");
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack());
    let mut terminal = start(&site, &bundle, &[]);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    assert_eq!(terminal.end(), 4, "{terminal:?}");
    // What else this machine has to say is not what this is about.
    let screen = terminal.screen();
    let (head, findings) = screen.split_once("  失败").unwrap();
    let (findings, end) = findings.split_once("\n\n").unwrap();
    assert!(head.contains("你好应用 1.0.0 安装程序"), "{screen}");
    let wanted = ["内核", "内存只有", "可用内存"];
    let findings = format!("  失败{findings}");
    let lines: Vec<_> = findings.lines().map(without_numbers).collect();
    // A finding begins two columns in; what belongs to it stands further in.
    let groups = lines.chunk_by(|_, next| next.starts_with("   "));
    let of_wanted = groups.filter(|group| wanted.iter().any(|word| group[0].contains(word)));
    let shown: Vec<_> = of_wanted.flatten().map(String::as_str).chain(["", end]).collect();
    insta::assert_snapshot!("zh_refused", shown.join("\n"));
    assert!(!site.dir().exists(), "{terminal:?}");
}

/// A machine has its own kernel and its own memory.
fn without_numbers(line: &str) -> String {
    let word = |word: &str| {
        let is_number = word.starts_with(|first: char| first.is_ascii_digit());
        if is_number { "N".to_owned() } else { word.to_owned() }
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_installation_that_fails_says_what_is_in_place() {
    let vendor = Vendor::with_noise(40_000_000).with_engine();
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack_once("wizard-noise"));
    let mut terminal = start(&site, &bundle, &[]);
    answer_the_usual(&terminal, &site);
    terminal.answer("q 退出", "y");
    let begun = || site.dir().join(".airlift/receipt.json").exists().then_some(());
    wait::until("the work to begin", Duration::from_secs(30), begun, String::new);
    // Where a file belongs, somebody makes a directory.
    fs::create_dir_all(site.dir().join(".env/x")).unwrap();
    terminal.wait_for_prompt("请输入 hello");
    // How the command that takes all back is broken into lines depends on the bundle's path.
    let screen = site.shown(&terminal.screen_from("失败"));
    let (before, after) = screen.split_once("如需全部撤销").unwrap();
    let after = after.split_once("退出码").unwrap().1;
    insta::assert_snapshot!("zh_failed", format!("{before}如需全部撤销 …\n退出码{after}"));
    terminal.send(key::ENTER);
    assert_eq!(terminal.end(), 1, "{terminal:?}");
}

#[test]
fn a_window_that_was_closed_comes_back_to_the_same_view() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Containerd), bundle::tall_with_engine());
    let terminal = start(&site, &bundle, &INSTALL);
    // By then the work has left the terminal.
    terminal.wait_for("完成  [1/6]");
    let worker = worker_of(terminal.id());
    kill_process(worker, Signal::STOP).unwrap();
    drop(terminal);
    // It has most of its images to load yet, and then to watch its services for some seconds.
    kill_process(worker, Signal::CONT).unwrap();
    let mut terminal = start(&site, &bundle, &[]);
    terminal.wait_for("安装正在进行");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let screen = site.shown(&terminal.screen());
    let screen = screen.replace(&format!("进程号 {}", worker.as_raw_nonzero()), "进程号 PID");
    let is_steady = |line: &&str| !line.starts_with("      ") && !line.contains("用时");
    let since = |line: &str| match line.split_once("已运行 ") {
        Some((before, after)) => format!("{before}已运行 N {}", after.split_once(' ').unwrap().1),
        None => line.to_owned(),
    };
    let lines: Vec<_> = screen.lines().filter(is_steady).map(since).collect();
    insta::assert_snapshot!("zh_back", lines.join("\n"));
    assert!(site.page().contains("hello"));
}
