//! The operator at a terminal, from the language to the page in the browser, and what tired hands do in between. How every screen
//! looks is in `44_questions` and `44_screens`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tests::bundle::{self, Bundle, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::run::Run;
use tests::site::Site;
use tests::terminal::{Terminal, key};
use tests::wait;

const CHINESE: [(&str, &str); 2] = [("LANG", "zh_CN.UTF-8"), ("TERM", "xterm-256color")];
const ENGLISH: [(&str, &str); 2] = [("LANG", "en_US.UTF-8"), ("TERM", "xterm-256color")];
const PASSWORD: &str = "pa$$ 'word' 密";

fn bundle() -> Bundle {
    Vendor::new().with_engine().pack_once("wizard")
}

/// The wizard on a terminal of 80 columns and 24 rows.
fn start(site: &Site, bundle: &Bundle, env: &[(&str, &str)]) -> Terminal {
    let mut command = site.command(bundle, &[]);
    command.envs(env.iter().copied());
    Terminal::start(command)
}

/// Questions, each with what is typed.
type Answered<'a> = &'a [(&'a str, &'a str)];

/// The name of this program as the kernel has it.
fn this_program() -> String {
    fs::read_to_string("/proc/self/comm").unwrap().trim().to_owned()
}

/// A value of `.env`, without its quotes.
fn variable(site: &Site, name: &str) -> String {
    let env = fs::read_to_string(site.dir().join(".env")).unwrap();
    let line = env.lines().find_map(|line| line.strip_prefix(&format!("{name}="))).unwrap();
    line.trim_matches('"').to_owned()
}

#[test]
fn a_chinese_operator_installs_and_comes_back() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let taken = taken.local_addr().unwrap().port().to_string();
    let mut terminal = start(&site, &bundle, &CHINESE);
    terminal.wait_for("English");
    terminal.send(key::ENTER);

    terminal.wait_for("厂商：Example Ltd.");
    terminal.answer("[1/4] 网页端口", "八千");
    terminal.answer("! 不是端口号", &taken);
    terminal.wait_for("占用");
    terminal.answer("占用", &site.port.to_string());
    // A Chinese character is deleted as one, wherever it stands.
    terminal.wait_for("[2/4] 问候语");
    terminal.send("你好世介");
    terminal.send(key::BACKSPACE);
    terminal.send("界");
    terminal.wait_for("> 你好世界");
    let holder = format!("{}（进程号 {}）", this_program(), std::process::id());
    let screen = terminal.screen_from("[1/4]").replace(&taken, "TAKEN").replace(&holder, "HOLDER");
    insta::assert_snapshot!("zh_typing", site.shown(&screen));
    terminal.send(key::ENTER);
    terminal.answer("[3/4] 管理员密码", "short");
    terminal.answer("请再输入一次", "different");
    terminal.answer("! 两次输入不一致", "<");
    // Back, where Enter would take the default; here there is none, and the text is typed again.
    terminal.wait_for("直接回车：你好世界");
    terminal.send(key::UP);
    terminal.wait_for("> 你好世界");
    terminal.send("！");
    terminal.send(key::ENTER);
    terminal.answer("[3/4] 管理员密码", PASSWORD);
    terminal.answer("请再输入一次", PASSWORD);
    terminal.wait_for("自动生成（推荐）");
    terminal.send(key::ENTER);

    terminal.wait_for("y 开始安装");
    // Enter alone installs nothing.
    terminal.send(key::ENTER);
    terminal.answer("q 退出", "2");
    terminal.answer("问候语", "您好 $HOME");
    terminal.answer("您好 $HOME（手动输入）", "s");
    // There is one of that name, and it is not replaced unasked.
    let untouched = fs::read(site.path("answers.toml")).unwrap();
    terminal.answer("保存到哪个文件", "");
    terminal.answer("要替换吗", "");
    terminal.answer("q 退出", "s");
    terminal.answer("保存到哪个文件", "saved.toml");
    terminal.wait_for("已保存");
    assert_eq!(fs::read(site.path("answers.toml")).unwrap(), untouched);
    let saved = site.path("saved.toml");
    assert_eq!(fs::metadata(&saved).unwrap().permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&saved).unwrap();
    assert!(text.contains("您好 $HOME") && !text.contains(PASSWORD), "{text}");
    assert!(!site.dir().exists(), "something was changed before the operator said yes");

    terminal.answer("q 退出", "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let sent = terminal.sent();
    let key = variable(&site, "SESSION_KEY");
    assert!(!sent.contains(PASSWORD) && !sent.contains(&key), "a secret was on the screen");
    assert!(site.page().contains("hello"), "{}", site.page());
    assert_eq!(site.variable("GREETING"), "您好 $HOME");
    assert_eq!(site.variable("ADMIN_PASSWORD"), PASSWORD);

    // Started again, it asks nothing that it knows; everything is in place.
    let mut terminal = start(&site, &bundle, &CHINESE);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("q 退出", "y");
    assert_eq!(terminal.end(), 0);
    assert!(terminal.screen().contains("无需改动"), "{terminal:?}");
}

#[test]
fn what_is_typed_ahead_is_never_shown() {
    // A password that came between two questions was shown by the kernel once: the terminal echoed for a moment.
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    let terminal = start(&site, &bundle, &ENGLISH);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.wait_for("[1/4]");
    wait::until(
        "the first prompt",
        Duration::from_secs(10),
        || (!terminal.echoes()).then_some(()),
        String::new,
    );
    let is_over = AtomicBool::new(false);
    let has_echoed = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut has_echoed = false;
            while !is_over.load(Ordering::Relaxed) {
                has_echoed |= terminal.echoes();
            }
            has_echoed
        });
        terminal.answer("[1/4]", &site.port.to_string());
        for turn in 0..20 {
            terminal.answer("[2/4]", &format!("hi {turn}"));
            terminal.answer("[3/4]", "<");
        }
        terminal.answer("[2/4]", "hi");
        terminal.answer("[3/4]", PASSWORD);
        terminal.answer("The same again", PASSWORD);
        terminal.wait_for("one is generated");
        is_over.store(true, Ordering::Relaxed);
        watch.join().unwrap()
    });
    assert!(!has_echoed, "the terminal echoed between two questions");
    assert!(!terminal.sent().contains(PASSWORD), "{terminal:?}");
}

#[test]
fn an_english_operator_leaves_at_any_moment_and_nothing_has_been_changed() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    let untouched: Vec<_> =
        fs::read_dir(site.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let port = site.port.to_string();
    let moments: [(&str, Answered<'_>, &str); 6] = [
        ("the language", &[], "English"),
        ("a line", &[], "[1/4]"),
        ("a password", &[("[1/4]", &port), ("[2/4]", "hi")], "[3/4]"),
        ("a password again", &[("[1/4]", &port), ("[2/4]", "hi"), ("[3/4]", PASSWORD)], "The same again"),
        (
            "a secret",
            &[("[1/4]", &port), ("[2/4]", "hi"), ("[3/4]", PASSWORD), ("The same again", PASSWORD)],
            "one is generated",
        ),
        (
            "the review",
            &[("[1/4]", &port), ("[2/4]", "hi"), ("[3/4]", PASSWORD), ("The same again", PASSWORD)],
            "y install",
        ),
    ];
    for (moment, answers, last) in moments {
        let mut terminal = start(&site, &bundle, &ENGLISH);
        terminal.wait_for("English");
        if moment != "the language" {
            terminal.send(key::ENTER);
        }
        for (question, answer) in answers {
            terminal.answer(question, answer);
        }
        if moment == "the review" {
            terminal.wait_for("one is generated");
            terminal.send(key::ENTER);
        }
        terminal.wait_for(last);
        terminal.send(key::CTRL_C);
        assert_eq!(terminal.end(), 130, "{moment}: {terminal:?}");
        assert!(terminal.screen().contains("Cancelled; nothing has been changed."), "{moment}: {terminal:?}");
        assert!(terminal.is_itself_again(), "{moment}: the terminal is not as it was");
        assert!(!site.dir().exists(), "{moment}");
    }
    let left: Vec<_> = fs::read_dir(site.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    let ours = |name: &&std::ffi::OsString| name.to_str() != Some("bin");
    assert_eq!(
        left.iter().filter(ours).collect::<Vec<_>>(),
        untouched.iter().filter(ours).collect::<Vec<_>>()
    );
}

#[test]
fn every_terminal_is_served_as_it_is() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    // The Linux console has no Chinese letters, and a locale of another encoding would show none: both are told so.
    for env in [[("LANG", "zh_CN.UTF-8"), ("TERM", "linux")], [("LANG", "zh_CN.GBK"), ("TERM", "xterm")]] {
        let terminal = start(&site, &bundle, &env);
        terminal.wait_for("[1/4] Port of the web page");
        let screen = terminal.screen();
        assert!(screen.contains("--lang zh") && screen.is_ascii(), "{env:?}: {screen}");
        insta::assert_snapshot!(format!("note_{}", env[1].1), screen.lines().next().unwrap());
    }
    // Without any locale both languages are offered; nothing is coloured for those who want none.
    let terminal = start(&site, &bundle, &[("LANG", "C"), ("TERM", "xterm"), ("NO_COLOR", "1")]);
    terminal.wait_for("中文");
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    terminal.wait_for("[1/4] 网页端口");
    assert!(
        !terminal.sent().contains("\u{1b}[3") && !terminal.sent().contains("\u{1b}[1m"),
        "{:?}",
        terminal.sent()
    );
}

/// The rest of the installation was English: the process that shows it had not heard of the choice.
#[test]
fn the_language_that_was_chosen_is_spoken_to_the_end() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    // An installation that died while it loaded; what it was told is not asked again.
    let mut running = site.begin(&bundle);
    running.hold_at_loading();
    let _ = running.kill();
    let mut terminal = start(&site, &bundle, &[("LANG", "C.UTF-8"), ("TERM", "xterm-256color")]);
    terminal.wait_for("中文");
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    terminal.wait_for("y 开始安装");
    let review = terminal.screen_from("请核对");
    assert!(review.contains(&site.port.to_string()), "{review}");
    assert!(!terminal.sent().contains("[1/4]"), "{terminal:?}");
    terminal.answer("q 退出", "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let screen = terminal.screen();
    assert!(screen.contains("完成  [4/6]") && screen.contains("已安装，状态健康"), "{screen}");
    assert_eq!(site.variable("ADMIN_PASSWORD"), bundle::PASSWORD);
    // Who comes later in a locale that asks for no language is spoken to in the same; who asks for one gets that one.
    let _ = site.run(&bundle, &["status"]).done().saying("全部健康");
    let _ = site.run(&bundle, &["status", "--lang", "en"]).done().saying("all healthy");
    let _ =
        Run::of(site.command(&bundle, &["status"]).env("LANG", "en_US.UTF-8")).done().saying("all healthy");
}

#[test]
fn a_terminal_without_a_cursor_installs_as_well() {
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), bundle());
    let mut terminal = start(&site, &bundle, &[("LANG", "zh_CN.UTF-8"), ("TERM", "dumb")]);
    for (question, answer) in [
        // As an input method gives them that was not switched off.
        ("English", "１"),
        ("[1/4] 网页端口", site.port.to_string().as_str()),
        ("[2/4] 问候语", "《"),
        ("[1/4] 网页端口", ""),
        ("[2/4] 问候语", "你好"),
        ("[3/4] 管理员密码", PASSWORD),
        ("请再输入一次", PASSWORD),
        ("[4/4] 会话密钥", ""),
    ] {
        terminal.answer(question, answer);
    }
    terminal.wait_for("y 开始安装");
    insta::assert_snapshot!("dumb_review", site.shown(&terminal.screen_from("请核对")));
    terminal.answer("q 退出", "是");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let sent = terminal.sent();
    assert!(!sent.contains('\u{1b}'), "{sent:?}");
    assert!(!sent.contains(PASSWORD));
    assert_eq!(site.variable("GREETING"), "你好");
}

#[test]
fn a_failed_installation_is_taken_back_when_its_name_is_typed() {
    let vendor = Vendor::with_noise(40_000_000).with_engine();
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack_once("wizard-noise"));
    let before = site.engine.get("/images/json?all=1");
    let obstacle = site.dir().join(".env/x");
    let fail = |terminal: &Terminal| {
        terminal.wait_for("y install");
        terminal.send("y");
        terminal.send(key::ENTER);
        let begun = || site.dir().join(".airlift/receipt.json").exists().then_some(());
        wait::until("the work to begin", Duration::from_secs(30), begun, String::new);
        // Where a file belongs, somebody makes a directory.
        fs::create_dir_all(&obstacle).unwrap();
        terminal.wait_for("In place so far:");
        terminal.wait_for("To take all of it back:");
    };
    let failing = || {
        let terminal = start(&site, &bundle, &ENGLISH);
        terminal.wait_for("English");
        terminal.send(key::ENTER);
        terminal.answer("[1/4]", &site.port.to_string());
        terminal.answer("[2/4]", "x");
        terminal.answer("[3/4]", PASSWORD);
        terminal.answer("The same again", PASSWORD);
        terminal.wait_for("one is generated");
        terminal.send(key::ENTER);
        fail(&terminal);
        terminal
    };
    let mut terminal = failing();
    terminal.answer("type hello", "hello");
    assert_eq!(terminal.end(), 1, "{terminal:?}");
    assert!(!site.dir().exists(), "{terminal:?}");
    assert_eq!(site.engine.get("/images/json?all=1"), before);
    // Enter alone keeps everything.
    let mut terminal = failing();
    terminal.answer("type hello", "");
    assert_eq!(terminal.end(), 1, "{terminal:?}");
    assert!(terminal.screen().contains("stays as it is"), "{terminal:?}");
    assert!(site.dir().join(".airlift/receipt.json").exists());
}

#[test]
fn no_line_of_the_installation_is_wrapped_however_narrow_the_terminal() {
    let vendor = Vendor::with_noise(40_000_000).with_engine();
    let (site, bundle) = (Site::for_screens(Suite::Forky, Store::Overlay2), vendor.pack_once("wizard-noise"));
    let mut terminal = start(&site, &bundle, &CHINESE);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("[1/4]", &site.port.to_string());
    terminal.answer("[2/4]", "x");
    terminal.answer("[3/4]", PASSWORD);
    terminal.answer("请再输入一次", PASSWORD);
    terminal.wait_for("自动生成");
    terminal.send(key::ENTER);
    terminal.wait_for("y 开始安装");
    // The window is made narrow before, and wide again in the middle.
    terminal.resize(24, 50);
    terminal.send("y");
    terminal.send(key::ENTER);
    terminal.wait_for("导入镜像");
    terminal.resize(24, 72);
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    // A line that was too long would have left its pieces behind, and go on in the next row.
    let steps: Vec<String> = terminal.wrapped().into_iter().filter(|row| is_step(row)).collect();
    assert!(steps.is_empty(), "{steps:?}");
    let screen = terminal.screen();
    assert!(!screen.contains("进行") && screen.lines().filter(|row| is_step(row)).count() >= 5, "{screen}");
}

fn is_step(row: &str) -> bool {
    ["  完成  ", "  已有  ", "  进行  "].iter().any(|mark| row.starts_with(mark))
}
