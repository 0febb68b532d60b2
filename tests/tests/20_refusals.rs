//! What the operator can get wrong: each with its exit code, a word on what to do, and a machine that is as it was before.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;

use tests::bundle::{self, Bundle};
use tests::machine::Machine;
use tests::parts;
use tests::run::Run;
use tests::tree::Tree;

/// A fresh machine with the bundle plugged in, and what it looked like.
struct Site {
    machine: Machine,
    bundle: Bundle,
    run: String,
    before: Tree,
}

impl Site {
    /// `prepare` is done before the machine is looked at.
    fn new(prepare: &str) -> Self {
        let machine = Machine::boot();
        let bundle = bundle::hello_with_engine();
        let run = machine.plug_in(&bundle.path);
        let _ = machine.write("answers.toml", &bundle::answers(18080));
        let _ = machine.write("only-port.toml", "http_port = 18080\n");
        let _ = machine.sh(prepare).done();
        let before = machine.tree();
        Self { machine, bundle, run, before }
    }

    /// Runs a script on the machine, `$RUN` being the bundle; it must end with this code, say all of this, and change nothing.
    #[track_caller]
    fn refuses(&self, script: &str, code: i32, texts: &[&str]) -> Run {
        let mut run = self.machine.sh(&format!("export RUN={}; {script}", self.run)).expect(code);
        for text in texts {
            run = run.saying(text);
        }
        let changes = self.before.changes(&self.machine.tree());
        assert!(changes.is_empty(), "the machine was changed:\n{}\nby\n{run}", changes.join("\n"));
        run
    }

    /// A copy of the bundle with changed bytes, plugged in.
    fn plug_in_changed(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) -> String {
        let folder = parts::scratch();
        let changed = self.bundle.changed(&folder.path().join(name), change);
        self.machine.plug_in(&changed.path)
    }
}

const INSTALL: &str = "$RUN install --answers /stick/answers.toml --yes";

#[test]
fn usage_and_answers() {
    let site = Site::new("printf 'http_port = ' >/root/broken.toml");
    let _ = site.refuses("$RUN frobnicate", 2, &["frobnicate"]);
    let _ = site.refuses("$RUN install --answrs x", 2, &["--answrs", "--answers", "--help"]);
    let _ = site.refuses("$RUN install --set http_port", 2, &["id=value"]);
    let _ = site.refuses("$RUN install --engine podman", 2, &["podman", "--engine", "private"]);
    let _ = site.refuses("$RUN status", 2, &["/opt/hello"]);
    let _ = site.refuses("$RUN --help", 0, &["install", "preflight", "uninstall"]);

    let _ = site.refuses("$RUN install --answers /root/none.toml", 3, &["/root/none.toml"]);
    let _ = site.refuses("$RUN install --answers /root/broken.toml", 3, &["/root/broken.toml", "line 1"]);
    let install = format!("{INSTALL} --set http_prt=1");
    let _ = site.refuses(&install, 3, &["http_prt", "http_port"]);
    // All at once: one invalid, one unknown, two missing.
    let all = "$RUN install --answers /stick/only-port.toml --yes --set http_port=70000 --set colour=blue";
    let _ = site.refuses(all, 3, &["http_port", "65535", "colour", "greeting", "admin_password"]);
    // A secret given wrongly is not repeated.
    let _ = site
        .refuses(&format!("{INSTALL} --set admin_password=\"$(printf 's3c\\nr3t')\""), 3, &["admin_password"])
        .never_saying("s3c");
    // Without a terminal nothing can be asked: the same as an answers file without answers.
    let _ = site.refuses("$RUN </dev/null", 3, &["greeting"]);
    let _ = site.refuses(
        "AIRLIFT_HTTP_PORT=x $RUN install --answers /stick/answers.toml --yes",
        3,
        &["http_port", "environment"],
    );
    let _ = site.refuses(&format!("{INSTALL} --set http_port=x --lang zh"), 3, &["不是端口号"]);
}

#[test]
fn reading_and_planning_change_nothing() {
    let site = Site::new("true");
    let _ = site.refuses("$RUN answers", 0, &["http_port", "greeting", "admin_password"]);
    let _ = site.refuses("$RUN inspect", 0, &["hello/web:1.0"]);
    let _ = site.refuses("$RUN verify", 0, &["intact"]);
    let _ = site.refuses("$RUN preflight --answers /stick/answers.toml", 0, &["18080"]);
    let dry = site.refuses(&format!("{INSTALL} --dry-run"), 0, &["/opt/hello", "3 images", "docker.service"]);
    let _ = dry.saying("hello/web:1.0").saying("******").never_saying(bundle::PASSWORD);
    let json = site.refuses(&format!("{INSTALL} --dry-run --json"), 0, &[]);
    assert!(json.events().iter().any(|event| event["event"] == "plan"), "{json}");
    // The same options may stand before the verb; once they were lost there, and a dry run installed.
    let before = "$RUN --dry-run --set greeting=hi install --answers /stick/answers.toml --yes";
    let _ = site.refuses(before, 0, &["docker.service", "hi (--set)"]);
    // A variable in another encoding is none of ours; once it ended the program with a backtrace.
    let _ =
        site.refuses(&format!("export STRANGE=$'\\xff\\xfe'; {INSTALL} --dry-run"), 0, &["docker.service"]);
    // The template of the answers file is one.
    let _ = site.refuses("$RUN answers >/dev/shm/a; $RUN install --answers /dev/shm/a --yes; code=$?; rm /dev/shm/a; exit $code", 3, &["greeting"]);
}

#[test]
fn a_machine_that_does_not_fit() {
    // A small file system for the project, an operator without rights, somebody else on the port.
    let site = Site::new("mkdir /small && mount -t tmpfs -o size=1m none /small && useradd -m alice");
    let busybox = site.machine.plug_in(&parts::busybox());
    let _ = site.refuses(
        &format!("runuser -u alice -- {INSTALL}").replace("$RUN", "sh $RUN"),
        4,
        &["root", "sudo"],
    );
    // What seems to be missing may be there, for root's eyes.
    let _ = site.refuses("runuser -u alice -- sh $RUN install --yes", 4, &["root", "sudo"]);
    let _ = site.refuses(&format!("setarch i686 sh {INSTALL}"), 4, &["x86_64", "i686"]);
    let _ = site.refuses(&format!("{INSTALL} --dir /small/app"), 4, &["/small", "missing"]);
    site.machine.start(&[&busybox, "httpd", "-f", "-p", "18080", "-h", "/etc"]);
    let _ = site.machine.sh("until curl -s -o /dev/null http://127.0.0.1:18080/; do sleep 0.1; done").done();
    let _ = site.refuses(INSTALL, 4, &["18080", "busybox"]);
    // Everything at once, and in Chinese.
    let all = format!("runuser -u alice -- sh {INSTALL} --dir /small/app --lang zh");
    let _ = site.refuses(&all, 4, &["root", "/small", "18080", "失败"]);
    let findings = site.refuses("$RUN preflight --json --answers /stick/answers.toml", 4, &[]).events();
    let failed = |event: &&serde_json::Value| event["event"] == "finding" && event["severity"] == "fail";
    assert_eq!(findings.iter().filter(failed).count(), 1, "{findings:?}");
}

/// Answers like an engine of another make until the test ends.
fn pretend_engine(socket: &Path, headers: &'static str, version: &'static str) {
    let _ = fs::remove_file(socket);
    let listener = UnixListener::bind(socket).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
            let request = lines.next().unwrap_or_default();
            lines.by_ref().find(String::is_empty);
            let body = if request.contains("/_ping") { "OK" } else { version };
            let length = body.len();
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\n{headers}Content-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
        }
    });
}

#[test]
fn engines_that_cannot_be_used() {
    let site = Site::new("true");
    let stick = |name: &str| site.machine.root().join("stick").join(name);
    // The stick is read-only for the machine alone: the socket is made from outside, in the folder behind it.
    let outside = |name: &str| site.machine.stick().join(name);
    pretend_engine(
        &outside("old.sock"),
        "Api-Version: 1.40\r\nServer: Docker/19.03.15 (linux)\r\n",
        r#"{"Version":"19.03.15","ApiVersion":"1.40","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64","Components":[{"Name":"Engine","Version":"19.03.15"}],"ServerVersion":"19.03.15","Driver":"overlay2","DriverStatus":[]}"#,
    );
    pretend_engine(
        &outside("podman.sock"),
        "Api-Version: 1.41\r\nLibpod-Api-Version: 4.3.1\r\nServer: Libpod/4.3.1 (linux)\r\n",
        r#"{"Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24","Os":"linux","Arch":"amd64","Components":[{"Name":"Podman Engine","Version":"4.3.1"}],"ServerVersion":"4.3.1","Driver":"overlay","DriverStatus":[]}"#,
    );
    assert!(stick("old.sock").exists());
    let with = |socket: &str| format!("DOCKER_HOST=unix:///stick/{socket} {INSTALL}");
    let _ = site.refuses(&with("old.sock"), 4, &["19.03.15", "20.10"]);
    let _ = site.refuses(&with("podman.sock"), 4, &["Podman"]);
    let _ = site.refuses(&with("none.sock"), 4, &["/stick/none.sock", "does not answer"]);
    let _ = site.refuses(&format!("DOCKER_HOST=tcp://192.0.2.1:2375 {INSTALL}"), 4, &["192.0.2.1"]);
}

/// A device never ends, a pipe keeps one waiting, and a link leads elsewhere: the memory ran out, runs hung, and a purge emptied what
/// was behind the link.
#[test]
fn what_stands_in_the_place_of_a_file_or_folder() {
    let site = Site::new(
        "mkdir -p /opt/hello /srv/victim && echo precious >/srv/victim/file && ln -s /srv/victim /opt/hello/.airlift",
    );
    let _ = site.refuses("$RUN install --answers /dev/zero --yes", 3, &["/dev/zero", "longer"]);
    let _ = site.refuses(INSTALL, 4, &["symbolic link"]);
    for verb in ["status", "uninstall --yes", "uninstall --purge"] {
        let _ =
            site.refuses(&format!("echo hello | $RUN {verb}"), 1, &["/opt/hello/.airlift", "symbolic link"]);
    }
    let _ = site.refuses("$RUN status --lang zh", 1, &["符号链接", "请删除该链接"]);

    let site = Site::new("mkdir -p -m 700 /opt/hello/.airlift && mkfifo /opt/hello/.airlift/receipt.json");
    let _ = site.refuses(INSTALL, 4, &["not a regular file"]);
    let damaged = ["/opt/hello/.airlift/receipt.json", "not a regular file", "docker compose -p hello down"];
    let _ = site.refuses("$RUN status", 1, &damaged);
    let _ = site.refuses("echo hello | $RUN uninstall --purge", 1, &damaged);
    let _ = site.refuses("$RUN status --lang zh", 1, &["无法读取安装记录", "不是普通文件"]);

    for dir in ["/opt/a:b", "$'/opt/a\\nb'", "$'/opt/\\xff'"] {
        let _ = site.refuses(&format!("{INSTALL} --dir {dir}"), 2, &["/opt/", "colons"]);
    }
    let _ = site.refuses(&format!("{INSTALL} --dir /etc/passwd"), 2, &["/etc/passwd", "not a directory"]);
    let _ = site.refuses("$RUN answers >/dev/full", 1, &["standard output", "No space left on device"]);
    let long = format!("{INSTALL} --set greeting=$(head -c 40000 /dev/zero | tr '\\0' x)");
    let _ = site.refuses(&long, 3, &["greeting", "32000"]);
}

#[test]
fn files_that_are_not_what_they_should_be() {
    let site = Site::new("true");
    let opened = site.bundle.open();
    let length = opened.trailer.total_len;
    let at = |offset: u64| usize::try_from(offset).unwrap();
    let install = |file: &str| format!("sh {file} install --answers /stick/answers.toml --yes");

    let cut = site.plug_in_changed("cut.run", |bytes| bytes.truncate(bytes.len() / 2));
    let _ = site.refuses(&install(&cut), 5, &[&length.to_string(), &(length / 2).to_string()]);
    let long = site.plug_in_changed("long.run", |bytes| bytes.push(b'\n'));
    let _ = site.refuses(&install(&long), 5, &[&length.to_string()]);

    let content = &opened.index.content;
    let blob = |digest| opened.index.blob(digest).unwrap().offset;
    let engine = content.engine.as_ref().unwrap();
    let flips = [
        ("comment", 40, "launcher"),
        ("stub", at(opened.index.place.stubs[0].offset) + 100_000, "installer"),
        ("layer", at(blob(&content.images[0].layers[0].blob)) + 77, "hello/"),
        ("engine", at(blob(&engine.archive)) + 1_000_000, "engine"),
        ("plugin", at(blob(&engine.compose)) + 1_000_000, "Compose plugin"),
        ("index", at(opened.trailer.index_offset) + 10, "damaged"),
        ("trailer", at(length) - 20, "damaged"),
    ];
    for (name, position, part) in flips {
        let flipped = site.plug_in_changed(&format!("{name}.run"), |bytes| bytes[position] ^= 1);
        let _ = site.refuses(&install(&flipped), 5, &[part]);
    }
}
