//! The harness itself: if this fails, no other journey says anything about Airlift.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::time::Duration;

use bundle_spec::digest::Digest;
use tests::browser::Browser;
use tests::engine::{Engine, Store};
use tests::images;
use tests::machine::Machine;
use tests::parts::{self, Suite};
use tests::run::{Run, redact};
use tests::tree::Tree;
use tests::wait;

/// Starts an engine, loads the small images, runs one of them, restarts the engine, stops it; and nothing is left.
fn engine_lives(suite: Suite, store: Store) {
    let mut engine = Engine::start(suite, store);
    let version = engine.get("/version")["Version"].as_str().unwrap().to_owned();
    assert!(version.starts_with(suite.version_prefix()), "{version}");
    let info = engine.get("/info");
    let status = info["DriverStatus"].to_string();
    assert_eq!(status.contains("io.containerd.snapshotter"), store == Store::Containerd, "{status}");
    assert_eq!(
        info["Driver"].as_str().unwrap(),
        if store == Store::Containerd { "overlayfs" } else { "overlay2" }
    );

    let images = images::set(1 << 20);
    let archive = engine.folder().join("images.tar");
    images::save(&images, &archive);
    assert_eq!(engine.layers("hello/web:1.0"), None);
    let _ = engine.docker(["load".as_ref(), "--input".as_ref(), archive.as_os_str()]).done();
    for image in &images {
        assert_eq!(engine.layers(&image.reference), Some(image.diff_ids()), "{}", image.reference);
    }
    let _ = engine
        .docker(["run", "--rm", "--network=host", "hello/web:1.0", "cat", "/www/index.html"])
        .done()
        .saying("hello 你好");

    engine.restart(store, &["--bridge=none", "--iptables=false"]);
    assert_eq!(engine.layers("hello/worker:1.0"), Some(images[1].diff_ids()));
    let (folder, pid) = (engine.folder().to_owned(), engine.pid());
    drop(engine);
    assert!(!folder.exists(), "{} is left", folder.display());
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap(), "the engine still runs");
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    assert!(!mounts.contains(folder.to_str().unwrap()), "something is still mounted");
}

#[test]
fn engine_20_overlay2() {
    engine_lives(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn engine_26_overlay2() {
    engine_lives(Suite::Trixie, Store::Overlay2);
}

#[test]
fn engine_newest_overlay2() {
    engine_lives(Suite::Forky, Store::Overlay2);
}

#[test]
fn engine_newest_containerd() {
    engine_lives(Suite::Forky, Store::Containerd);
}

#[test]
fn engines_run_side_by_side() {
    let (old, new) =
        (Engine::start(Suite::Bookworm, Store::Overlay2), Engine::start(Suite::Forky, Store::Containerd));
    drop(old);
    assert_eq!(new.get("/containers/json"), serde_json::json!([]));
}

#[test]
fn machine_boots_and_survives_a_power_cut() {
    let machine = Machine::boot();
    assert_eq!(machine.sh("command -v docker dockerd").code, Some(1), "the fresh machine has a Docker");
    let note = machine.write("note.txt", "from outside");
    assert_eq!(machine.exec(&["cat", &note]).done().stdout, "from outside");
    assert_ne!(machine.sh("touch /stick/x").code, Some(0), "the stick can be written");
    let _ = machine.sh("ip route get 192.0.2.1 2>&1").expect(2);

    let before = machine.tree();
    assert!(before.len() > 3_000, "{} paths", before.len());
    before.assert_unchanged(&machine.tree());
    let _ = machine.sh("echo x >/etc/new; chmod 600 /etc/hostname; rm /etc/debian_version").done();
    let changes = before.changes(&machine.tree());
    assert_eq!(changes.len(), 3, "{changes:?}");

    let boot = machine.sh("systemctl show --property=UserspaceTimestampMonotonic").done().stdout;
    machine.start(&["sleep", "1000"]);
    machine.cut_power();
    machine.power_on();
    assert_ne!(machine.sh("systemctl show --property=UserspaceTimestampMonotonic").done().stdout, boot);
    assert_eq!(machine.sh("cat /etc/new").done().stdout, "x\n", "the disk did not survive");
    assert_ne!(machine.sh("pgrep sleep").code, Some(0), "a process survived");
}

#[test]
fn machine_can_run_an_engine_of_its_own() {
    let machine = Machine::boot();
    let archive = machine.plug_in(&parts::engine(Suite::Forky).archive());
    let busybox = machine.plug_in(&parts::busybox());
    let unit = "[Service]\nType=notify\nExecStart=/usr/bin/dockerd\nDelegate=yes\nKillMode=process\n\n[Install]\nWantedBy=multi-user.target\n";
    let unit = machine.write("docker.service", unit);
    let setup = format!(
        "set -e
        tar -C /usr/bin --strip-components=1 -xzf {archive}
        install -D -m 644 {unit} /etc/systemd/system/docker.service
        mkdir /etc/docker; echo '{{\"features\":{{\"containerd-snapshotter\":true}}}}' >/etc/docker/daemon.json
        systemctl daemon-reload; systemctl enable --now docker
        tar -C $(dirname {busybox}) -c busybox | docker import - box:1
        docker run --rm box:1 /busybox echo over a bridge
        docker run -d --restart unless-stopped --network host --name web box:1 /busybox httpd -f -p 8080"
    );
    let _ = machine.sh(&setup).done().saying("over a bridge");
    let boot = || machine.sh("cat /proc/sys/kernel/random/boot_id").done().stdout;
    let first = boot();
    machine.cut_power();
    machine.power_on();
    assert_ne!(boot(), first, "a machine that was switched off has booted");
    let back = || {
        (machine.sh("curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/").stdout == "404")
            .then_some(())
    };
    wait::until("the container to come back by itself", Duration::from_secs(60), back, String::new);
}

#[test]
fn images_are_the_same_bytes_on_every_run() {
    let folder = parts::scratch();
    for name in ["one.tar", "two.tar"] {
        images::save(&images::set(100_000), &folder.path().join(name));
    }
    assert_eq!(parts::sha256(&folder.path().join("one.tar")), parts::sha256(&folder.path().join("two.tar")));
    let set = images::set(10);
    assert_eq!(set[1].diff_ids(), set[2].diff_ids());
    assert_eq!(set[0].diff_ids()[..2], set[1].diff_ids()[..]);
}

#[test]
fn trees_see_every_change() {
    let folder = parts::scratch();
    let file = folder.path().join("file");
    fs::write(&file, "a").unwrap();
    let before = Tree::of(folder.path(), &[]);
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    before.assert_unchanged(&Tree::of(folder.path(), &[]));
    // The same size and time, other content.
    fs::write(&file, "b").unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
    assert_eq!(before.changes(&Tree::of(folder.path(), &[])).len(), 1);
    assert!(Tree::of(folder.path(), &["file"]).is_empty());
}

#[test]
fn runs_keep_what_was_said_and_hide_what_varies() {
    let run =
        Run::of(std::process::Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).expect(3);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("out\n", "err\n"));
    let digest = Digest::of(b"");
    let text = format!("layer {digest} took 1.5s, image {}.", digest.short());
    assert_eq!(redact(&text), "layer [DIGEST] took [TIME], image [SHORT].");
}

#[test]
fn a_browser_opens_types_clicks_and_reads() {
    let folder = parts::scratch();
    let script = "document.title; function say() { setTimeout(() => { \
        document.getElementById('out').textContent = 'said ' + document.getElementById('in').value }, 100) }";
    let page = format!(
        "<p id=out>nothing</p><input id=in><button id=go onclick=say()>go</button><script>{script}</script>"
    );
    fs::write(folder.path().join("index.html"), page).unwrap();
    let port = tests::bundle::free_port();
    let mut server = std::process::Command::new(parts::busybox())
        .args(["httpd", "-f", "-p", &format!("127.0.0.1:{port}"), "-h"])
        .arg(folder.path())
        .spawn()
        .unwrap();
    let browser = Browser::start();
    browser.open(&format!("http://127.0.0.1:{port}/"));
    assert_eq!(browser.element("#out").text(), "nothing");
    browser.element("#in").write("hello 你好");
    browser.element("#go").click();
    browser.wait_for("#out", "said hello 你好");
    server.kill().unwrap();
    server.wait().unwrap();
}
