//! What services say is shown, and commands nothing: neither the terminal, nor whoever reads the log with `cat`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;

use tests::bundle::Vendor;
use tests::engine::Store;
use tests::parts::Suite;
use tests::site::Site;
use tests::terminal::Terminal;

/// A window's title, a cleared screen, a colour, a bell, and the same in the C1 form.
const COMMANDS: &str = r"\033]0;owned\007\033[2J\033[31mPWNED\033[0m\007\302\233H\302\2350;owned\302\234";
/// What is left of them.
const SHOWN: &str = "PWNED\\u{7}";

#[test]
fn what_services_say_commands_no_terminal() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let vendor = Vendor::new().with_engine();
    let says = format!(
        "    image: hello/worker:1.0\n    command: [sh, -c, 'printf \"{}\\n\"; exit 3']\n    restart: \"no\"\n    # ",
        COMMANDS
    );
    vendor.edit(
        "docker-compose.yml",
        "    image: hello/worker:1.0\n    network_mode: none\n    restart",
        &format!("    network_mode: none\n{says}restart"),
    );
    let page = format!(
        "    image: hello/web:1.0\n    command: [sh, -c, 'printf \"{COMMANDS}\" > /www/health; exec httpd -f -p $$HTTP_PORT -h /www']\n"
    );
    vendor.edit("docker-compose.yml", "    image: hello/web:1.0\n", &page);
    let bundle = vendor.pack();
    let is_tame = |text: &str, place: &str| {
        let obeyed = text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(obeyed, None, "{place}: {text:?}");
    };
    let events = site.install_with_events(&bundle).saying(&SHOWN.replace('\\', "\\\\"));
    for run in [site.install(&bundle).saying(SHOWN), events] {
        let run = run.expect(6);
        is_tame(&run.stdout, "stdout");
        is_tame(&run.stderr, "stderr");
    }
    is_tame(&fs::read_to_string(site.dir().join(".airlift/install.log")).unwrap(), "log");

    // Into a pipe goes what the service wrote.
    let raw = site.run(&bundle, &["logs", "worker"]).done();
    assert!(raw.stdout.contains("\u{1b}]0;owned\u{7}\u{1b}[2J"), "{raw}");
    let mut terminal = Terminal::start(site.command(&bundle, &["logs", "worker"]));
    assert_eq!(terminal.end(), 0);
    let sent = terminal.sent().replace("\r\n", "\n");
    assert!(sent.contains(SHOWN), "{sent:?}");
    is_tame(&sent, "terminal");
}
