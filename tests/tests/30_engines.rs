//! Installing onto an engine that is already there, of every generation: it is used as it is, and proven afterwards.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tests::bundle::{self, GREETING, PASSWORD, Vendor};
use tests::engine::Store;
use tests::parts::Suite;
use tests::run::Run;
use tests::site::{INSTALL, Site};
use tests::wait;

fn mode_of(path: &Path) -> u32 {
    fs::metadata(path).unwrap_or_else(|error| panic!("{}: {error}", path.display())).permissions().mode()
        & 0o7777
}

/// No file in the project but those made for it has the secret, and those are for root alone.
fn assert_secret_is_kept(dir: &Path, secret: &str) {
    let mut open = vec![dir.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if fs::read(&path).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(secret)) {
                assert_eq!(mode_of(&path), 0o600, "{} has a secret", path.display());
                assert_ne!(path.file_name().unwrap(), "receipt.json");
            }
        }
    }
}

fn journey(suite: Suite, store: Store) {
    let site = Site::new(suite, store);
    let bundle = bundle::hello_with_engine();
    let info = site.engine.get("/info");

    let _ = site
        .install(&bundle)
        .done()
        .never_saying(PASSWORD)
        .never_saying("plainest way")
        .saying(&format!("http://127.0.0.1:{}/", site.port));
    let inspected = bundle.inspect();
    for image in inspected["content"]["images"].as_array().unwrap() {
        let layers: Vec<_> = image["layers"]
            .as_array()
            .unwrap()
            .iter()
            .map(|layer| layer["diff_id"].as_str().unwrap().to_owned())
            .collect();
        let reference = image["reference"].as_str().unwrap();
        assert_eq!(site.engine.layers(reference), Some(layers), "{reference}");
    }
    assert!(site.page().contains("hello 你好"));
    for (variable, value) in [("GREETING", GREETING), ("ADMIN_PASSWORD", PASSWORD)] {
        assert_eq!(site.variable(variable), value, "{variable} did not arrive as given");
    }
    let dir = site.dir();
    assert_eq!((mode_of(&dir.join(".env")), mode_of(&dir.join(".airlift/receipt.json"))), (0o600, 0o600));
    let data = fs::metadata(dir.join("data")).unwrap();
    assert_eq!((data.mode() & 0o7777, data.uid(), data.gid()), (0o750, 1000, 1000));
    assert!(dir.join("conf/app.conf").exists() && !dir.join("conf/app.conf.bak").exists());
    assert_secret_is_kept(&dir, PASSWORD);

    let key = || site.variable("SESSION_KEY");
    let (first_key, loads) = (key(), site.loads());
    assert!(first_key.len() == 64 && loads > 0, "key {first_key}, {loads} loads");
    let again = site.install(&bundle).done().saying("everything is in place");
    assert_eq!(site.loads(), loads, "the second run sent images again\n{again}");
    // Without the answers, too: what was answered stays.
    let _ = site.run(&bundle, &["install", "--yes"]).done().saying("everything is in place");
    assert_eq!(key(), first_key);

    // One layer is lost: the same command brings back what is missing, and no more.
    let _ = site.engine.docker(["rm", "--force", "hello-web-1"]).done();
    let _ = site.engine.docker(["rmi", "hello/web:1.0"]).done();
    let _ = site.install(&bundle).done();
    assert_eq!(site.engine.layers("hello/web:1.0"), Some(bundle.layers("hello/web:1.0")));

    fs::write(dir.join("data/precious"), "data").unwrap();
    let _ = site.run(&bundle, &["status"]).done();
    let _ = site.run(&bundle, &["uninstall", "--yes"]).done();
    assert_eq!(site.engine.get("/containers/json?all=1"), serde_json::json!([]));
    assert_eq!(fs::read_to_string(dir.join("data/precious")).unwrap(), "data");

    // An engine that is not ours: the same process, the same settings.
    assert_eq!(site.engine.get("/info")["DriverStatus"][0], info["DriverStatus"][0]);
    let log = fs::read_to_string(site.engine.folder().join("log")).unwrap();
    assert_eq!(log.matches("API listen on").count(), 1, "the engine was restarted");
}

#[test]
fn engine_20_overlay2() {
    journey(Suite::Bookworm, Store::Overlay2);
}

#[test]
fn engine_26_overlay2() {
    journey(Suite::Trixie, Store::Overlay2);
}

#[test]
fn engine_newest_overlay2() {
    journey(Suite::Forky, Store::Overlay2);
}

#[test]
fn engine_newest_containerd() {
    journey(Suite::Forky, Store::Containerd);
}

/// Somebody took the project down by hand and cleared its directory away. The volumes stay, and open with the old secrets alone.
#[test]
fn volumes_that_outlive_their_installation_are_not_given_new_secrets() {
    let site = Site::new(Suite::Forky, Store::Overlay2);
    let (bundle, engine, dir, lost) =
        (bundle::hello_with_engine(), &site.engine, site.dir(), site.path("lost"));
    let label = "--label=com.docker.compose.project=hello";
    let _ = engine.docker(["volume", "create", label, "hello_db"]).done();
    let _ = engine.docker(["volume", "create", "others"]).done();
    // Not even the first time are such volumes nobody's.
    let run = site.install(&bundle).expect(4).saying("hello_db").saying("session_key").never_saying("others");
    assert!(!dir.exists(), "{run}");
    let _ = engine.docker(["volume", "rm", "hello_db"]).done();
    let _ = site.install(&bundle).done();
    let key = site.variable("SESSION_KEY");

    let _ = engine.docker(["volume", "create", label, "hello_db"]).done();
    let take_down = || engine.docker(["rm", "--force", "hello-web-1", "hello-worker-1"]).done();
    let _ = take_down();
    fs::rename(&dir, &lost).unwrap();
    let _ = site.install(&bundle).expect(4).saying("docker volume rm hello_db");
    // Who knows the secrets goes on with the data.
    let known = format!("session_key={key}");
    let _ = site.run(&bundle, &[&INSTALL[..], &["--set", &known]].concat()).done().saying("hello_db");
    assert_eq!(site.variable("SESSION_KEY"), key);

    // The record of the earlier installation alone has them, too.
    let _ = take_down();
    fs::remove_dir_all(&dir).unwrap();
    fs::create_dir(&dir).unwrap();
    fs::rename(lost.join(".airlift"), dir.join(".airlift")).unwrap();
    let _ = site.install(&bundle).done().never_saying("hello_db");
    assert_eq!(site.variable("SESSION_KEY"), key);
    let _ = engine.docker(["volume", "inspect", "hello_db"]).done();
}

/// Kills the installer in the middle of each of its steps, then runs the same command to its end.
fn killed_in_every_step(store: Store) {
    let site = Site::new(Suite::Forky, store);
    let bundle = bundle::hello_with_engine();
    let mut key = None;
    for step in 1.. {
        let mut running = site.begin(&bundle);
        let was_reached = running.comes_to(|event| event["number"] == step);
        let run = if was_reached { running.kill() } else { running.end() };
        let env = fs::read_to_string(site.dir().join(".env")).unwrap_or_default();
        let line = env.lines().find(|line| line.starts_with("SESSION_KEY=")).map(str::to_owned);
        assert!(key.is_none() || key == line, "the generated secret changed in step {step}");
        key = line.or(key);
        if !was_reached {
            let _ = run.done();
            break;
        }
        assert!(step < 30, "there are more steps than can be");
    }
    let _ = site.install(&bundle).done().saying("everything is in place");
    assert!(site.page().contains("hello"));
}

#[test]
fn a_killed_run_is_finished_by_the_next_overlay2() {
    killed_in_every_step(Store::Overlay2);
}

#[test]
fn a_killed_run_is_finished_by_the_next_containerd() {
    killed_in_every_step(Store::Containerd);
}

#[test]
fn an_application_that_does_not_get_healthy_is_exit_code_6() {
    let vendor = Vendor::new().with_engine();
    let broken = "image: hello/worker:1.0\n    command: [sh, -c, 'echo the cause is here; exit 3']\n    restart: \"no\"\n    # ";
    vendor.edit(
        "docker-compose.yml",
        "image: hello/worker:1.0\n    network_mode: none\n    restart",
        &format!("network_mode: none\n    {broken}restart"),
    );
    let bundle = vendor.pack();
    let site = Site::new(Suite::Forky, Store::Containerd);
    let _ =
        site.install(&bundle).expect(6).saying("worker").saying("the cause is here").saying("exit code 3");
    let _ = site.run(&bundle, &["status"]).expect(6).saying("worker");
}

/// The service's log has no word of a check whose program is not in the image; only the engine knows why it fails.
#[test]
fn a_health_check_that_cannot_be_run_says_why() {
    let vendor = Vendor::new().with_engine();
    vendor.edit("docker-compose.yml", "test: [CMD, wget,", "test: [CMD, no-such-program,");
    vendor.edit("docker-compose.yml", "retries: 30", "retries: 2");
    let site = Site::new(Suite::Forky, Store::Containerd);
    let _ = site.install(&vendor.pack()).expect(6).saying("web: healthcheck").saying("no-such-program");
}

/// It may have been meant for an installation in another directory.
#[test]
fn a_value_alone_begins_no_installation() {
    let vendor = Vendor::new().with_engine();
    let (bundle, site) = (vendor.pack(), Site::new(Suite::Forky, Store::Overlay2));
    let change = ["--set", "greeting=x", "--set", "admin_password=pw"];
    let port = format!("http_port={}", site.port);
    let _ = site.run(&bundle, &[&change[..], &["--set", &port]].concat()).expect(2).saying("--yes");
    assert!(!site.dir().exists());
    let _ = site.install(&bundle).done();
    let _ = site.run(&bundle, &change).done();
    assert_eq!(site.variable("GREETING"), "x");
}

#[test]
fn a_second_run_beside_the_first_is_exit_code_7() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let bundle = bundle::hello_with_engine();
    let _ = site.install(&bundle).done();
    let lock = fs::File::options().write(true).open(site.dir().join(".airlift/lock")).unwrap();
    lock.lock().unwrap();
    // Something to do, so that the lock is asked for.
    let _ = site.engine.docker(["stop", "hello-worker-1"]).done();
    let run = site.run(&bundle, &["restart"]).expect(7);
    assert!(run.took < Duration::from_secs(20), "it waited\n{run}");
}

#[test]
fn what_another_run_has_done_meanwhile_is_not_overwritten() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let bundle = bundle::hello_with_engine();
    let _ = site.install(&bundle).done();
    let (answers, key) = (site.dir().join(".airlift/answers.json"), site.variable("SESSION_KEY"));
    // Answers that cannot be read: going on would make new secrets for old data.
    fs::write(&answers, "{\"session_").unwrap();
    let _ = site.install(&bundle).expect(4).saying("answers.json");
    assert_eq!(site.variable("SESSION_KEY"), key);
}

#[test]
fn a_project_of_the_same_name_made_by_hand_is_left_alone() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let bundle = bundle::hello_with_engine();
    let base = site.path("base.tar");
    fs::write(&base, tests::images::base()).unwrap();
    let image = site.engine.docker([Path::new("import"), &base]).done().stdout.trim().to_owned();
    let create = [
        "create",
        "--name",
        "theirs",
        "--label",
        "com.docker.compose.project=hello",
        "--label",
        "com.docker.compose.project.working_dir=/home/alice/hello",
        &image,
        "true",
    ];
    let _ = site.engine.docker(create).done();
    let _ = site.install(&bundle).expect(4).saying("/home/alice/hello");
    let _ = site.engine.docker(["inspect", "theirs"]).done();
}

#[test]
fn an_application_that_crashes_every_few_seconds_is_not_healthy() {
    let vendor = Vendor::new().with_engine();
    let broken =
        "image: hello/worker:1.0\n    command: [sh, -c, 'sleep 2; exit 3']\n    restart: always\n    # ";
    vendor.edit(
        "docker-compose.yml",
        "image: hello/worker:1.0\n    network_mode: none\n    restart",
        &format!("network_mode: none\n    {broken}restart"),
    );
    let bundle = vendor.pack();
    let site = Site::new(Suite::Forky, Store::Containerd);
    let _ = site.install(&bundle).expect(6).saying("worker");
}

/// Processes of Compose that work for a project directory.
fn composes(dir: &Path) -> usize {
    let dir = dir.display().to_string();
    let lines = fs::read_dir("/proc").unwrap().flatten();
    let lines = lines.map(|entry| fs::read(entry.path().join("cmdline")).unwrap_or_default());
    lines
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .filter(|line| line.contains(&dir) && line.contains("--project-directory"))
        .count()
}

/// It went on alone, and what it still made came between the next run's feet.
#[test]
fn compose_ends_with_the_run_that_called_it() {
    let site = Site::new(Suite::Forky, Store::Overlay2);
    let bundle = bundle::hello_with_engine();
    let mut running = site.begin(&bundle);
    running.reach(|event| {
        event["title"]["en"].as_str().is_some_and(|title| title.starts_with("Start the project"))
    });
    let is_called = wait::comes(Duration::from_secs(60), || composes(&site.dir()) > 0);
    // An engine that does not answer keeps Compose waiting.
    let engine = Pid::from_raw(i32::try_from(site.engine.pid()).unwrap()).unwrap();
    kill_process(engine, Signal::STOP).unwrap();
    let _ = running.kill();
    let is_gone = wait::comes(Duration::from_secs(10), || composes(&site.dir()) == 0);
    kill_process(engine, Signal::CONT).unwrap();
    assert!(is_called && is_gone, "called: {is_called}, gone: {is_gone}");
    let _ = site.install(&bundle).done();
}

/// Both are facts that only a real engine and a real plugin tell.
#[test]
fn a_swarm_and_the_compose_of_the_machine_are_told_of() {
    let site = Site::new(Suite::Forky, Store::Overlay2).with_compose();
    let listen = format!("127.0.0.1:{}", bundle::free_port());
    let init = ["swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", &listen];
    let _ = site.engine.docker(init).done();
    let run = site.run(&Vendor::new().pack(), &["preflight", "--json"]);
    // Its bridge would stay when the engine has ended.
    let _ = site.engine.docker(["swarm", "leave", "--force"]).done();
    let _ = site.engine.docker(["network", "rm", "docker_gwbridge"]).done();
    let findings = run.done().events();
    let one = |id: &str| findings.iter().find(|finding| finding["id"] == id).unwrap();
    assert_eq!(one("swarm")["severity"], "warn");
    assert_eq!(one("compose")["severity"], "pass");
    assert!(one("compose")["found"].as_str().unwrap().starts_with("2."), "{}", one("compose"));
}

/// `sudo` drops the variable: a second engine was to be brought beside the one that had the application. And who had pruned its images was
/// told to run a command again that could not help.
#[test]
fn the_engine_that_has_the_application_is_used_again_and_lost_images_come_back() {
    let site = Site::new(Suite::Forky, Store::Containerd);
    let bundle = bundle::hello_with_engine();
    let _ = site.install(&bundle).done();
    let without_variable = |args: &[&str]| Run::of(site.command(&bundle, args).env_remove("DOCKER_HOST"));
    let _ = without_variable(&INSTALL).done().saying("everything is in place");
    let _ = without_variable(&["stop"]).done();
    let _ = site.engine.docker(["system", "prune", "--all", "--force"]).done();
    let _ = without_variable(&["start"]).expect(1).saying("Run the application's .run file again");
    let _ = without_variable(&INSTALL).done();
    assert!(site.page().contains("hello"));
}
