//! What is made from answers besides `.env`: files with answers in them, and actions inside services.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tests::bundle::{GREETING, PASSWORD, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::secrets;
use tests::site::Site;

const TEMPLATE: &str = "port @{http_port};\n@if greeting\ngreeting = @{greeting:json}\n@end\nsecret = @{admin_password:json}\nlocation @named { return 200 $host; }\n";

const ACTION: &str = r#"
[[action]]
name = "admin-password"
title = { zh = "设置管理员密码", en = "Set the administrator's password" }
service = "web"
command = ["sh", "-c", "cat > /state/password; echo \"$EXTRA\" > /state/extra; echo x >> /state/count"]
user = "1000:1000"
stdin = "admin_password"
env = { EXTRA = "admin_password" }
run = "change"
timeout = "20s"
"#;

fn vendor(action: &str) -> Vendor {
    // It brings the Compose plugin.
    let vendor = Vendor::new().with_engine();
    vendor.write("conf/app.conf", TEMPLATE);
    vendor.edit("airlift.toml", "exclude = [\"conf/*.bak\"]", "exclude = [\"conf/*.bak\"]\ntemplate = true");
    let definition = fs::read_to_string(vendor.path("airlift.toml")).unwrap() + action;
    vendor.write("airlift.toml", definition);
    vendor
}

#[test]
fn answers_go_into_files_and_actions_and_are_seen_nowhere() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let vendor = vendor(ACTION);
    let bundle = vendor.pack();
    let looks = secrets::looks();
    let _ = site.install(&bundle).done().saying("Set the administrator's password");
    let looks = secrets::looks() - looks;
    assert!(looks > 3, "nobody watched: {looks} looks");

    let json = |value: &str| serde_json::Value::from(value).to_string().replace('<', "\\u003c");
    let expected = format!(
        "port {};\ngreeting = {}\nsecret = {}\nlocation @named {{ return 200 $host; }}\n",
        site.port,
        json(GREETING),
        json(PASSWORD)
    );
    let path = site.dir().join("conf/app.conf");
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let state = |name: &str| fs::read_to_string(site.dir().join("data").join(name)).unwrap();
    assert_eq!(state("password"), format!("{PASSWORD}\n"));
    assert_eq!(state("extra"), format!("{PASSWORD}\n"));
    for name in ["receipt.json", "install.log"] {
        let text = fs::read_to_string(site.dir().join(".airlift").join(name)).unwrap();
        assert!(!text.contains("s3cret"), "{name} has the secret");
    }

    // A second run finds it done; a new answer is an occasion, and the service that has the file mounted gets it.
    let _ = site.install(&bundle).done();
    assert_eq!(state("count"), "x\n");
    let _ = site.run(&bundle, &["install", "--yes", "--set", "admin_password=other pass"]).done();
    assert_eq!(state("password"), "other pass\n");
    assert_eq!(state("count"), "x\nx\n");
    let inside = site.engine.docker(["exec", "hello-web-1", "cat", "/etc/app.conf"]).done().stdout;
    assert!(inside.contains("\"other pass\""), "{inside}");
}

#[test]
fn no_shell_is_given_an_answer_to_interpret() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let vendor = vendor(ACTION);
    let bundle = vendor.pack();
    // On this machine, and in the container, where the same folder has another name.
    let traps = [site.dir().join("data/trap").display().to_string(), "/state/trap".to_owned()];
    let trap = |form: &str| traps.iter().map(|path| form.replace('T', path)).collect::<Vec<_>>().join(" ");
    let hostile = [
        ("greeting", format!("-rf {} @{{admin_password}} %n", trap("$(touch T) `touch T` ${X:-$(touch T)}"))),
        (
            "admin_password",
            format!("--privileged {} \\\\ '\"", trap("'; touch T; echo '\" && touch T || $(touch T)")),
        ),
    ];
    let mut args = vec!["install".to_owned(), "--yes".to_owned()];
    let values = hostile.iter().map(|(id, value)| format!("{id}={value}"));
    for set in values.chain([format!("http_port={}", site.port)]) {
        args.extend(["--set".to_owned(), set]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let _ = site.run(&bundle, &args).done();
    let state = |name: &str| fs::read_to_string(site.dir().join("data").join(name)).unwrap();
    assert_eq!(site.variable("GREETING"), hostile[0].1);
    assert_eq!(site.variable("ADMIN_PASSWORD"), hostile[1].1);
    assert_eq!(state("password"), format!("{}\n", hostile[1].1));
    assert_eq!(state("extra"), format!("{}\n", hostile[1].1));
    // The next run reads its own record of them; what manages the application reads `.env`.
    let _ = site.run(&bundle, &["install", "--yes"]).done().saying("everything is in place");
    for verb in ["status", "restart", "stop"] {
        let _ = site.run(&bundle, &[verb]).done();
    }
    assert!(!site.dir().join("data/trap").exists(), "something took an answer for a command");
    // More than one line is no answer, and a plain place in a file takes plain characters only.
    let lines = ["install", "--yes", "--set", "greeting=a\nX=b"];
    let _ = site.run(&bundle, &lines).expect(3).saying("greeting");
}

#[test]
fn a_failed_action_is_shown_without_secrets_and_goes_on() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let action = ACTION.replace(
        "cat > /state/password;",
        "cat >&2; [ -e /state/ready ] || exit 3; cat /dev/null > /state/password;",
    );
    let vendor = vendor(&action);
    let bundle = vendor.pack();
    let _ = site.install(&bundle).expect(1).saying("exit code 3").saying("******").never_saying("s3cret");
    fs::write(site.dir().join("data/ready"), "").unwrap();
    let _ = site.install(&bundle).done();
    assert!(site.dir().join("data/password").exists());
}

#[test]
fn an_action_that_hangs_is_ended() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let action = ACTION.replace("cat > /state/password;", "sleep 987;").replace("20s", "2s");
    let vendor = vendor(&action);
    let bundle = vendor.pack();
    let _ = site.install(&bundle).expect(1).saying("within 2 s").never_saying("s3cret");
}

/// A service that shows its password and dies, and one whose page shows it: on the way to the page's end it is cut in two.
#[test]
fn secrets_in_what_services_say_are_seen_nowhere() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let vendor = Vendor::new().with_engine();
    let says = "    image: hello/worker:1.0\n    environment:\n      ADMIN_PASSWORD: ${ADMIN_PASSWORD}\n    \
                command: [sh, -c, 'echo \"login as root/$$ADMIN_PASSWORD\"; exit 3']\n    restart: \"no\"\n    # ";
    vendor.edit(
        "docker-compose.yml",
        "    image: hello/worker:1.0\n    network_mode: none\n    restart",
        &format!("    network_mode: none\n{says}restart"),
    );
    let page = "    image: hello/web:1.0\n    command: [sh, -c, 'printf \"%0190d %s\" 0 \"$$ADMIN_PASSWORD\" > /www/health; \
                exec httpd -f -p $$HTTP_PORT -h /www']\n";
    vendor.edit("docker-compose.yml", "    image: hello/web:1.0\n", page);
    let bundle = vendor.pack();
    let secret_start = "s3c";
    let run = site.install_with_events(&bundle).expect(6).saying("root/******").saying("0 ******");
    let _ = run.never_saying(secret_start);
    let _ = site.install(&bundle).expect(6).saying("root/******").never_saying(secret_start);
    for verb in [&["status"][..], &["status", "--json"], &["restart"]] {
        let _ = site.run(&bundle, verb).expect(6).never_saying(secret_start);
    }
    let state = fs::read_dir(site.dir().join(".airlift")).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = state.filter(|path| path.is_file() && !path.ends_with("answers.json")).collect();
    for name in ["receipt.json", "install.log", "last-run.json"] {
        assert!(files.iter().any(|path| path.ends_with(name)), "no {name} in {files:?}");
    }
    for path in files {
        let text = fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&text).contains(secret_start), "{}", path.display());
    }
}

const API: &str = r#"
[[question]]
id = "api_url"
env = "API_URL"
kind = "url"
prompt = { zh = "接口地址", en = "Address of the interface" }

[[question]]
id = "api_host"
env = "API_HOST"
kind = "host"
prompt = { zh = "接口主机", en = "Host of the interface" }

[[check]]
name = "api"
url = "http://{api_host}:{http_port}/health?of={api_url}"
"#;

/// A check whose host is refused quotes the URL before anything is installed; a service says the password alone, as it is meant.
#[test]
fn a_password_in_a_url_is_seen_nowhere() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let vendor = vendor(API);
    let says = "    image: hello/worker:1.0\n    environment:\n      API_URL: ${API_URL}\n    \
                command: [sh, -c, 'echo \"login as robot with hunter!2 at $$API_URL\"; exit 3']\n    restart: \"no\"\n    # ";
    vendor.edit(
        "docker-compose.yml",
        "    image: hello/worker:1.0\n    network_mode: none\n    restart",
        &format!("    network_mode: none\n{says}restart"),
    );
    let bundle = vendor.pack();
    let password = "hunter";
    let given =
        ["--answers", "answers.toml", "--set", "api_url=http://robot:hunter%212@10.0.0.5/v1", "--set"];
    for verb in [&["preflight"][..], &["preflight", "--json"], &["install"], &["install", "--json"]] {
        let args = [verb, &given, &["api_host=name.example"]].concat();
        let _ = site.run(&bundle, &args).expect(4).saying("health?of=******").never_saying(password);
    }
    let run = site.run(&bundle, &[&["install"][..], &given, &["api_host=127.0.0.1"]].concat()).expect(6);
    let _ = run.saying("login as robot with ****** at ******").never_saying(password);
    let _ = site.run(&bundle, &["status", "--json"]).expect(6).never_saying(password);
    for name in ["receipt.json", "install.log", "last-run.json", "index.json"] {
        let text = fs::read_to_string(site.dir().join(".airlift").join(name)).unwrap();
        assert!(!text.contains(password), "{name}: {text}");
    }
}
