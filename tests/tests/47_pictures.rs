//! The pictures of the guides: screens of real installations, in both languages. `make pictures` draws them anew when the screens
//! have changed; that they still say the same is what `45_wizard` looks at.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use tests::bundle::Vendor;
use tests::engine::Store;
use tests::example;
use tests::images;
use tests::machine::Machine;
use tests::parts::Suite;
use tests::site::Site;
use tests::terminal::{Terminal, key};

/// What an operator sees and types in one language.
struct Operator {
    /// Ends the names of the pictures.
    language: &'static str,
    locale: &'static str,
    port: &'static str,
    /// What is no port, and how the reason begins.
    wrong: (&'static str, &'static str),
    greeting: &'static str,
    hello: &'static str,
    password: &'static str,
    again: &'static str,
    generated: &'static str,
    review: &'static str,
    prompt: &'static str,
}

const OPERATORS: [Operator; 2] = [
    Operator {
        language: "en",
        locale: "en_US.UTF-8",
        port: "[1/4] Port of the web page",
        wrong: ("80800", "! "),
        greeting: "[2/4] Greeting",
        hello: "Good morning",
        password: "[3/4]",
        again: "The same again",
        generated: "one is generated",
        review: "y install",
        prompt: "q leave",
    },
    Operator {
        language: "zh",
        locale: "zh_CN.UTF-8",
        port: "[1/4] 网页端口",
        wrong: ("八千", "! "),
        greeting: "[2/4] 问候语",
        hello: "早上好",
        password: "[3/4] 管理员密码",
        again: "请再输入一次",
        generated: "自动生成（推荐）",
        review: "y 开始安装",
        prompt: "q 退出",
    },
];

fn draw(operator: &Operator) {
    let vendor = Vendor::of(images::tall(40 << 20)).with_engine();
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack_once("pictures"));
    let (folder, port) = (site.path("").display().to_string(), site.port.to_string());
    let file_name = bundle.path.file_name().unwrap().to_str().unwrap().to_owned();
    let keep = |terminal: &Terminal, name: &str, from: &str| {
        // Where this was tried says nothing to anybody.
        let picture = terminal.picture_from(from).replace(folder.trim_end_matches('/'), "/opt");
        let picture = picture.replace(&file_name, "hello-1.0.0.run").replace(&port, "8080");
        let file = format!("../docs/pictures/{name}-{}.svg", operator.language);
        fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), picture).unwrap();
    };
    let mut command = site.command(&bundle, &[]);
    command.envs([("LANG", operator.locale), ("TERM", "xterm-256color")]);
    let mut terminal = Terminal::of_size(command, 40, 110);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer(operator.port, operator.wrong.0);
    terminal.answer(operator.wrong.1, &port);
    terminal.answer(operator.greeting, operator.hello);
    terminal.answer(operator.password, "correct horse");
    terminal.answer(operator.again, "correct horse");
    terminal.wait_for(operator.generated);
    keep(&terminal, "questions", "1.0.0");
    terminal.send(key::ENTER);
    terminal.wait_for(operator.review);
    keep(&terminal, "review", "1. ");
    terminal.answer(operator.prompt, "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    keep(&terminal, "done", "[1/6]");
}

#[test]
#[ignore = "writes docs/pictures: make pictures"]
fn pictures_of_the_guides() {
    OPERATORS.iter().for_each(draw);
}

/// The example on a machine without Docker, by an answers file.
fn draw_example(language: &str) {
    let machine = Machine::boot();
    let run = machine.plug_in(&example::bundle().path);
    let answers = "llm_api_url = \"http://192.168.1.20:11553/v1/chat/completions\"\n\
                   server_host = \"192.168.1.100\"\nadmin_password = \"correct horse\"\n";
    let answers = machine.write("answers.toml", answers);
    let command = machine.command_on_terminal(&[
        &run,
        "--lang",
        language,
        "--answers",
        &answers,
        "--yes",
        "--accept",
        "answers-file",
    ]);
    let mut terminal = Terminal::of_size(command, 48, 110);
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let picture = terminal.picture_from("1. ").replace("/stick/", "");
    let file = format!("../docs/pictures/install-{language}.svg");
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(file), picture).unwrap();
}

#[test]
#[ignore = "writes docs/pictures: make pictures"]
fn pictures_of_the_readmes() {
    ["en", "zh"].into_iter().for_each(draw_example);
}
