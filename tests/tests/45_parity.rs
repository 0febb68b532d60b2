//! The wizard and the answers file that it saved give the same files, byte for byte, with everything in them that is made from answers.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::path::Path;

use tests::bundle::{self, Bundle, Vendor};
use tests::certificate;
use tests::engine::Store;
use tests::parts::Suite;
use tests::run::Run;
use tests::site::Site;
use tests::terminal::{Terminal, key};
use tests::tree::Tree;

const PASSWORD: &str = "pa$$ 'word' 密";
/// What could be generated, but is given.
const SESSION_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A choice on which another question depends, the list of addresses, HTTPS, values that follow from others, and an action.
const DEFINITION: &str = r#"
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
id = "copies"
env = "COPIES"
kind = "integer"
prompt = { zh = "副本数", en = "Copies" }
min = 1
max = 9
when = { mode = "safe" }

[[question]]
id = "haste"
env = "HASTE"
kind = "text"
prompt = { zh = "加速级别", en = "Haste" }
when = { mode = "fast" }

[[question]]
id = "mail"
env = "MAIL"
kind = "bool"
prompt = { zh = "是否发送邮件通知", en = "Send mail" }
default = "false"

[[question]]
id = "lan"
env = "LAN"
kind = "host"
prompt = { zh = "内网地址", en = "Address inside" }
suggest = "addresses"

[[question]]
id = "server_host"
env = "SERVER_HOST"
kind = "host"
prompt = { zh = "对外主机名", en = "Name outside" }

[tls]
certificate = "tls/server.crt"
key = "tls/server.key"
host = "server_host"

[[question]]
id = "https_port"
kind = "port"
prompt = { zh = "HTTPS 端口", en = "HTTPS port" }
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
value = "https://{server_host}:{https_port}"
when = { tls = { not = "off" } }

[[value]]
id = "page"
env = "PAGE_URL"
value = "http://{server_host}:{http_port}"

[[action]]
name = "admin-password"
title = { zh = "设置管理员密码", en = "Set the administrator's password" }
service = "web"
command = ["sh", "-c", "cat > /state/password; echo \"$KEY\" > /state/key"]
user = "1000:1000"
stdin = "admin_password"
env = { KEY = "session_key" }
run = "change"
timeout = "20s"
"#;

const TEMPLATE: &str = "listen @{http_port};
@if tls != off
listen @{https_port} ssl;
@end
@if mode == safe
copies @{copies};
@else
haste @{haste:json};
@end
@if mail
mail on;
@end
allow @{lan};
greeting @{greeting:json};
password @{admin_password:json};
location @named { return 200 $host; }
";

/// What an installation writes down about itself and when, and the salt, which is random: these are there with the same mode
/// and owner, whatever is in them.
const OWN: [&str; 5] = ["receipt.json", "install.log", "last-run.json", "lock", "salt"];

fn vendor() -> Vendor {
    let vendor = Vendor::new().with_engine();
    vendor.write("conf/app.conf", TEMPLATE);
    vendor.edit("airlift.toml", "exclude = [\"conf/*.bak\"]", "exclude = [\"conf/*.bak\"]\ntemplate = true");
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap();
    vendor.write("airlift.toml", definition + DEFINITION);
    let environment = "      SESSION_KEY: ${SESSION_KEY}\n";
    let names = ["MODE", "COPIES", "HASTE", "MAIL", "LAN", "SERVER_HOST", "PAGE_URL"];
    let more = names.map(|name| format!("      {name}: ${{{name}}}\n")).concat();
    vendor.edit("docker-compose.yml", environment, &format!("{environment}{more}"));
    let data = "      - ./data:/state\n";
    vendor.edit("docker-compose.yml", data, &format!("{data}      - ./tls:/tls:ro\n"));
    vendor
}

/// Everything that the installation has made: bytes, modes, owners.
fn made(site: &Site) -> [Tree; 2] {
    let own = OWN.map(|name| format!(".airlift/{name}"));
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    [Tree::of(&site.dir(), &[]).shape(&own), Tree::of(&site.path("bin"), &[]).shape(&[])]
}

/// Answers every question at a terminal, saves the answers, and installs.
fn install_by_the_wizard(site: &Site, bundle: &Bundle, https_port: u16) {
    let mut command = site.command(bundle, &[]);
    command.env("LANG", "en_US.UTF-8").env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(command);
    terminal.wait_for("English");
    terminal.send(key::ENTER);
    terminal.answer("Port of the web page", &site.port.to_string());
    terminal.answer("Greeting", bundle::GREETING);
    terminal.answer("Password of the administrator", PASSWORD);
    terminal.answer("The same again", PASSWORD);
    terminal.answer("Session key", SESSION_KEY);
    // The second of two.
    terminal.wait_for("< back");
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    terminal.answer("Copies", "3");
    terminal.answer("Send mail", "y");
    // The first of the machine's addresses, whichever that is.
    terminal.wait_for("Address inside");
    terminal.wait_for("< back");
    terminal.send(key::ENTER);
    terminal.answer("Name outside", "chat.example");
    // None, one that is made on the spot, one's own.
    terminal.wait_for("HTTPS");
    terminal.wait_for("< back");
    terminal.send(key::DOWN);
    terminal.send(key::DOWN);
    terminal.send(key::ENTER);
    let file = |name: &str| site.path(name).display().to_string();
    terminal.answer("Certificate file", &file("mine.crt"));
    terminal.answer("Private key file", &file("mine.key"));
    terminal.answer("HTTPS port", &https_port.to_string());
    terminal.answer("q leave", "s");
    terminal.answer("Save to which file", "saved.toml");
    terminal.answer("q leave", "y");
    assert_eq!(terminal.end(), 0, "{terminal:?}");
    let sent = terminal.sent();
    assert!(!sent.contains(PASSWORD) && !sent.contains(SESSION_KEY), "a secret was on the screen");
}

/// Nothing was left out: what is compared has been made from the answers.
fn everything_was_made(dir: &Path, port: u16, https_port: u16) {
    let read = |name: &str| fs::read_to_string(dir.join(name)).unwrap();
    let (env, conf) = (read(".env"), read("conf/app.conf"));
    for line in
        ["MODE=\"safe\"", "COPIES=\"3\"", "HASTE=\"\"", "MAIL=\"true\"", "SERVER_HOST=\"chat.example\""]
    {
        assert!(env.contains(line), "no {line} in {env}");
    }
    assert!(env.contains(&format!("PAGE_URL=\"https://chat.example:{https_port}\"")), "{env}");
    assert!(env.contains(SESSION_KEY), "{env}");
    let wanted = format!("listen {port};\nlisten {https_port} ssl;\ncopies 3;\nmail on;\nallow ");
    assert!(conf.starts_with(&wanted) && !conf.contains("haste"), "{conf}");
    assert_eq!(read("data/password"), format!("{PASSWORD}\n"));
    assert_eq!(read("data/key"), format!("{SESSION_KEY}\n"));
    assert!(read("tls/server.key").contains("PRIVATE"));
}

#[test]
fn the_answers_that_the_wizard_saved_give_the_same_files_byte_for_byte() {
    let (site, vendor) = (Site::for_screens(Suite::Forky, Store::Containerd), vendor());
    let (bundle, https_port) = (vendor.pack(), bundle::free_port());
    certificate::make(&site.path(""), "mine", "chat.example");
    install_by_the_wizard(&site, &bundle, https_port);
    everything_was_made(&site.dir(), site.port, https_port);
    let by_hand = made(&site);

    let _ = site.run(&bundle, &["uninstall", "--yes"]).done();
    fs::remove_dir_all(site.dir()).unwrap();
    let saved = fs::read_to_string(site.path("saved.toml")).unwrap();
    assert!(!saved.contains(PASSWORD) && !saved.contains(SESSION_KEY), "{saved}");
    let mut unattended = site.command(&bundle, &["install", "--answers", "saved.toml"]);
    // The file names a variable for the password. What can be generated it leaves to the next machine, unless that is told.
    unattended.env("ADMIN_PASSWORD", PASSWORD).env("AIRLIFT_SESSION_KEY", SESSION_KEY);
    let _ = Run::of(&mut unattended).done();
    everything_was_made(&site.dir(), site.port, https_port);
    let by_itself = made(&site);
    for (by_hand, by_itself) in by_hand.iter().zip(&by_itself) {
        by_hand.assert_unchanged(by_itself);
    }
}
