//! The pictures of the guides: screens of real installations, in both languages. `make pictures` draws them anew when the screens
//! have changed; here they are drawn as well, and must say what those in `docs/pictures` say.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::PathBuf;

use tests::bundle::Vendor;
use tests::engine::Store;
use tests::example;
use tests::images;
use tests::machine::Machine;
use tests::parts::{self, Suite};
use tests::screen;
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

/// A picture with the end of its name and the text that it says, which does not tell when and where it was drawn.
struct Picture {
    name: String,
    svg: String,
}

impl Picture {
    fn path(&self) -> PathBuf {
        parts::checkout().join(format!("docs/pictures/{}.svg", self.name))
    }

    fn write(&self) {
        fs::write(self.path(), &self.svg).unwrap();
    }

    fn says_what_the_one_in_the_documents_says(&self) {
        let path = self.path();
        let kept = fs::read_to_string(&path).unwrap();
        let (kept, drawn) = (text(&kept).join("\n"), text(&self.svg).join("\n"));
        assert!(!kept.trim().is_empty(), "{} says nothing", path.display());
        assert!(kept == drawn, "{} says\n{kept}\nand would say (make pictures)\n{drawn}", path.display());
    }
}

/// What stands in a picture, a row each.
fn text(svg: &str) -> Vec<String> {
    let rows = svg.split("<tspan x=\"10px\"").skip(1).map(|row| {
        let row = row.lines().next().unwrap_or_default();
        let pieces = row.split('<').map(|piece| piece.split_once('>').map_or("", |(_, text)| text));
        let row = pieces.collect::<String>();
        let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        let row = entities.iter().fold(row, |row, (entity, letter)| row.replace(entity, letter));
        row.trim_end().to_owned()
    });
    screen::steady(&rows.collect::<Vec<_>>().join("\n"), &[])
}

fn draw(operator: &Operator) -> Vec<Picture> {
    let vendor = Vendor::of(images::tall(40 << 20)).with_engine();
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack_once("pictures"));
    let (folder, port) = (site.path("").display().to_string(), site.port.to_string());
    let file_name = bundle.path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut pictures = Vec::new();
    let mut keep = |terminal: &Terminal, name: &str, from: &str| {
        // Where this was tried says nothing to anybody.
        let svg = terminal.picture_from(from).replace(folder.trim_end_matches('/'), "/opt");
        let svg = svg.replace(&file_name, "hello-1.0.0.run").replace(&port, "8080");
        pictures.push(Picture { name: format!("{name}-{}", operator.language), svg });
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
    pictures
}

/// The example on a machine without Docker, by an answers file.
fn draw_example(language: &str) -> Picture {
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
    let svg = terminal.picture_from("1. ").replace("/stick/", "");
    Picture { name: format!("install-{language}"), svg }
}

#[test]
#[ignore = "writes docs/pictures: make pictures"]
fn pictures_of_the_guides() {
    OPERATORS.iter().flat_map(draw).for_each(|picture| picture.write());
}

#[test]
#[ignore = "writes docs/pictures: make pictures"]
fn pictures_of_the_readmes() {
    ["en", "zh"].map(draw_example).iter().for_each(Picture::write);
}

#[test]
fn english_pictures_of_the_guide_say_what_the_screens_say() {
    draw(&OPERATORS[0]).iter().for_each(Picture::says_what_the_one_in_the_documents_says);
}

#[test]
fn chinese_pictures_of_the_guide_say_what_the_screens_say() {
    draw(&OPERATORS[1]).iter().for_each(Picture::says_what_the_one_in_the_documents_says);
}

#[test]
fn english_picture_of_the_readme_says_what_the_screens_say() {
    draw_example("en").says_what_the_one_in_the_documents_says();
}

#[test]
fn chinese_picture_of_the_readme_says_what_the_screens_say() {
    draw_example("zh").says_what_the_one_in_the_documents_says();
}
