//! Screens that a person meets only now and then, whole and in both languages, kept as snapshots: preflight that refuses, an
//! installation that fails, and a window that was closed and comes back. The others are in `44_questions`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::time::Duration;

use rustix::process::{Signal, kill_process};
use tests::bundle::{self, Bundle, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::running::worker_of;
use tests::screen::Replaced;
use tests::site::{INSTALL, Site};
use tests::terminal::{Terminal, key};
use tests::wait;

/// What an operator of one language reads.
struct Operator {
    lang: &'static str,
    locale: &'static str,
    /// Words of the findings that are provoked here.
    findings: [&'static str; 3],
    again: &'static str,
    commands: &'static str,
    /// The prompt behind an installation that has failed.
    take_back: &'static str,
    first_done: &'static str,
    under_way: &'static str,
}

const ENGLISH: Operator = Operator {
    lang: "en",
    locale: "en_US.UTF-8",
    findings: ["Kernel", "memory", "available"],
    again: "The same again",
    commands: "q leave",
    take_back: "type hello",
    first_done: "done  [1/6]",
    under_way: "is under way",
};

const CHINESE: Operator = Operator {
    lang: "zh",
    locale: "zh_CN.UTF-8",
    findings: ["内核", "内存只有", "可用内存"],
    again: "请再输入一次",
    commands: "q 退出",
    take_back: "请输入 hello",
    first_done: "完成  [1/6]",
    under_way: "安装正在进行",
};

/// On a terminal of 80 columns and 24 rows.
fn start(operator: &Operator, site: &Site, bundle: &Bundle, args: &[&str]) -> Terminal {
    let mut command = site.command(bundle, args);
    command.env("LANG", operator.locale).env("TERM", "xterm-256color");
    Terminal::start(command)
}

/// Keeps the whole screen.
fn keep(operator: &Operator, name: &str, site: &Site, terminal: &Terminal, replaced: &Replaced<'_>) {
    let screen = site.framed(terminal, replaced, &operator.findings);
    insta::assert_snapshot!(format!("{}_{name}", operator.lang), screen);
}

fn refused(operator: &Operator, bundle: &Bundle) {
    let site = Site::for_screens(Suite::Forky, Store::Overlay2);
    let mut terminal = start(operator, &site, &site.bring(bundle), &[]);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    assert_eq!(terminal.end(), 4, "{terminal:?}");
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    keep(operator, "refused", &site, &terminal, &[(kernel.trim(), "5.10.0")]);
    assert!(!site.dir().exists(), "{terminal:?}");
}

#[test]
fn preflight_that_refuses_says_what_to_do_and_asks_nothing() {
    let vendor = Vendor::new().with_engine();
    vendor.edit("airlift.toml", "memory = \"64 MB\"", "memory = \"64 TB\"");
    vendor.edit("airlift.toml", "kernel = \"3.10\"", "kernel = \"99.1\"");
    let bundle = vendor.pack();
    refused(&ENGLISH, &bundle);
    refused(&CHINESE, &bundle);
}

fn failed(operator: &Operator) {
    let vendor = Vendor::with_noise(40_000_000).with_engine();
    let site = Site::for_screens(Suite::Forky, Store::Overlay2);
    let bundle = site.bring(&vendor.pack_once("wizard-noise"));
    let mut terminal = start(operator, &site, &bundle, &[]);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("[1/4]", &site.port.to_string());
    terminal.answer("[2/4]", "x");
    terminal.answer("[3/4]", "correct horse");
    terminal.answer(operator.again, "correct horse");
    terminal.answer("[4/4]", "");
    terminal.answer(operator.commands, "y");
    let begun = || site.dir().join(".airlift/receipt.json").exists().then_some(());
    wait::until("the work to begin", Duration::from_secs(30), begun, String::new);
    // Where a file belongs, somebody makes a directory.
    fs::create_dir_all(site.dir().join(".env/x")).unwrap();
    terminal.wait_for_prompt(operator.take_back);
    keep(operator, "failed", &site, &terminal, &[]);
    terminal.send(key::ENTER);
    assert_eq!(terminal.end(), 1, "{terminal:?}");
}

#[test]
fn an_installation_that_fails_says_what_is_in_place() {
    failed(&ENGLISH);
    failed(&CHINESE);
}

fn came_back(operator: &Operator) {
    let site = Site::for_screens(Suite::Forky, Store::Containerd);
    let bundle = site.bring(&bundle::tall_with_engine());
    let terminal = start(operator, &site, &bundle, &INSTALL);
    // By then the work has left the terminal.
    terminal.wait_for(operator.first_done);
    let worker = worker_of(terminal.id());
    kill_process(worker, Signal::STOP).unwrap();
    drop(terminal);
    // It has most of its images to load yet, and then to watch its services for some seconds.
    kill_process(worker, Signal::CONT).unwrap();
    let mut terminal = start(operator, &site, &bundle, &[]);
    terminal.wait_for(operator.under_way);
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let [zh, en] = ["进程号", "process"].map(|word| format!("{word} {}", worker.as_raw_nonzero()));
    keep(operator, "back", &site, &terminal, &[(&zh, "进程号 PID"), (&en, "process PID")]);
    assert!(site.page().contains("hello"));
}

#[test]
fn a_window_that_was_closed_comes_back_to_the_same_view() {
    came_back(&ENGLISH);
    came_back(&CHINESE);
}
