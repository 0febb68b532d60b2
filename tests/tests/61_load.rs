//! Much at once, and much in a row: a large application, many applications on one engine, many runs one after the other. What
//! runs with every test run is short; `make torture` runs the long form, which prints figures for `docs/reliability.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, reason = "who runs the long form wants figures")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use tests::bundle::{self, Bundle, Vendor};
use tests::engine::Store;
use tests::load::{Growth, Size, status, vendor};
use tests::parts::Suite;
use tests::run::Run;
use tests::running::Running;
use tests::site::Site;

/// Installs without a question, and with nothing but what the questions suggest.
const INSTALL: [&str; 2] = ["install", "--yes"];

/// Bytes of memory that an installer may have at most, however large the application is: where it passes layers through, and
/// where it unpacks them itself.
fn memory_max(store: Store) -> u64 {
    match store {
        Store::Overlay2 => 64_000_000,
        Store::Containerd => 192_000_000,
    }
}

fn mb(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// One large application.
fn large(size: Size, store: Store) {
    let vendor = vendor("large", "1.0.0", size);
    let bundle = vendor.pack();
    let site = Site::new(Suite::Forky, store).with_compose();
    let mut running = Running::start(site.command(&bundle, &INSTALL).arg("--json"));
    running.reach(|event| event["title"]["en"].as_str().is_some_and(|title| title.starts_with("Wait until")));
    let memory = status(running.worker().as_raw_nonzero().get().cast_unsigned(), "VmHWM:");
    let run = running.end().done();
    for number in 0..size.images {
        let reference = format!("large/s{number}:1");
        assert_eq!(site.engine.layers(&reference).unwrap(), bundle.layers(&reference), "{reference}");
    }
    let up = site.engine.docker(["ps", "-q", "--filter", "status=running"]).done();
    assert_eq!(up.stdout.lines().count(), size.images);
    for number in 0..size.files {
        let path = site.dir().join(format!("conf/{}/{number}.conf", number % 10));
        assert_eq!(std::fs::read_to_string(path).unwrap(), format!("file {number} of 1.0.0\n"));
    }
    let inside = site.engine.docker(["exec", "large-s0-1", "env"]).done().stdout;
    let answers = inside.lines().filter(|line| line.starts_with("Q_")).count();
    assert_eq!(answers, size.questions, "{inside}");
    assert!(memory > 0 && memory < memory_max(store), "{memory} bytes of memory");
    let again = site.run(&bundle, &INSTALL).done().saying("everything is in place");
    println!(
        "{store:?}: {} images, {} files, {} questions: {:.1} s, installed again {:.1} s, installer's memory {:.1} MB",
        size.images,
        size.files,
        size.questions,
        run.took.as_secs_f64(),
        again.took.as_secs_f64(),
        mb(memory)
    );
}

/// Different applications that are installed on one engine at the same moment, and taken back at the same moment.
fn side_by_side(count: usize, store: Store) {
    let size = Size { images: 2, files: 3, questions: 4 };
    let name = |number: usize| format!("app{number}");
    let vendors: Vec<Vendor> = (0..count).map(|number| vendor(&name(number), "1.0.0", size)).collect();
    let bundles: Vec<Bundle> = vendors.iter().map(Vendor::pack).collect();
    let site = Site::new(Suite::Forky, store).with_compose();
    let before = Growth::of(&site.engine, store, &site.path("nothing"));
    let dir = |number: usize| -> PathBuf { site.path(&name(number)) };
    let all = |args: &[&str]| -> (Vec<Run>, Duration) {
        let started = Instant::now();
        let run =
            |(number, bundle): (usize, &Bundle)| Run::of(&mut site.command_in(&dir(number), bundle, args));
        let runs = std::thread::scope(|scope| {
            let threads: Vec<_> =
                bundles.iter().enumerate().map(|one| scope.spawn(move || run(one))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        (runs, started.elapsed())
    };
    let (runs, took) = all(&INSTALL);
    let slowest = runs.into_iter().map(|run| run.done().took).max().unwrap();
    for (number, bundle) in bundles.iter().enumerate() {
        for image in 0..size.images {
            let reference = format!("{}/s{image}:1", name(number));
            assert_eq!(site.engine.layers(&reference).unwrap(), bundle.layers(&reference), "{reference}");
        }
    }
    let (runs, _) = all(&["status"]);
    runs.into_iter().for_each(|run| drop(run.done()));
    let there = Growth::of(&site.engine, store, &site.path("nothing"));
    assert_eq!(there.containers, count * size.images, "{there:?}");
    assert_eq!((there.images, there.dangling), (count * size.images, 0), "{there:?}");
    let (runs, _) = all(&["uninstall", "--yes"]);
    runs.into_iter().for_each(|run| drop(run.done()));
    let after = Growth::of(&site.engine, store, &site.path("nothing"));
    assert_eq!((after.images, after.containers, after.kept[0]), (0, 0, before.kept[0]), "{after:?}");
    println!(
        "{store:?}: {count} applications side by side: {:.1} s, the slowest {:.1} s, engine's memory {:.1} MB",
        took.as_secs_f64(),
        slowest.as_secs_f64(),
        mb(there.memory)
    );
}

/// Two versions of an application, under the same names of images, one after the other and again and again.
fn in_a_row(times: usize, store: Store) {
    let size = Size { images: 3, files: 20, questions: 10 };
    let vendors = ["1.0.0", "1.0.1"].map(|version| vendor("row", version, size));
    let bundles = vendors.each_ref().map(Vendor::pack);
    let site = Site::new(Suite::Forky, store).with_compose();
    let look = || Growth::of(&site.engine, store, &site.dir());
    // What is made once is made by now: databases, caches, the other version.
    for bundle in &bundles {
        let _ = site.run(bundle, &INSTALL).done();
    }
    let (first, started) = (look(), Instant::now());
    for number in 0..times {
        let _ = site.run(&bundles[number % 2], &INSTALL).done();
        // An odd number of runs ends with the other version, which may be larger.
        if number % 2 == 1 {
            let now = look();
            let counted = |at: Growth| (at.images, at.dangling, at.containers, at.kept, at.files);
            assert_eq!(counted(now), counted(first), "after {} runs", number + 1);
        }
    }
    let last = look();
    let took = started.elapsed().as_secs_f64() / times as f64;
    println!("{store:?}: {times} runs in a row, {took:.1} s each\n  first {first:?}\n  last  {last:?}");
    assert_eq!(first.dangling, 0, "images without a name are left: {first:?}");
    // Logs of the engine and of the installation grow; layers would be 100 times that.
    assert!(last.disk < first.disk + 4_000_000 + 50_000 * times as u64, "{first:?}\n{last:?}");
    assert!(last.project < first.project + 20_000 * times as u64, "{first:?}\n{last:?}");
    assert!(last.memory < first.memory + (64 << 20), "{first:?}\n{last:?}");
}

#[test]
fn a_large_application_is_installed() {
    large(Size { images: 10, files: 200, questions: 60 }, Store::Containerd);
}

#[test]
fn several_applications_are_installed_side_by_side() {
    side_by_side(3, Store::Containerd);
}

/// One is in the middle of a layer when the other one brings the same.
#[test]
fn a_layer_that_two_applications_bring_at_once_arrives_for_both() {
    let [hello, other] = ["hello", "other"].map(|name| {
        let vendor = Vendor::with_noise(40 << 20);
        vendor.edit("airlift.toml", "name = \"hello\"", &format!("name = \"{name}\""));
        vendor.edit("docker-compose.yml", "name: hello", &format!("name: {name}"));
        let bundle = vendor.pack();
        (vendor, bundle)
    });
    let port = format!("http_port={}", bundle::free_port());
    for store in [Store::Containerd, Store::Overlay2] {
        let site = Site::new(Suite::Forky, store).with_compose();
        let mut first = site.begin(&hello.1);
        first.hold_at_loading();
        first.hold_after_reading(20 << 20);
        let install = ["install", "--answers", "answers.toml", "--yes", "--set", &port];
        let _ = Run::of(&mut site.command_in(&site.path("other"), &other.1, &install)).done();
        let _ = first.end().done();
        for image in hello.0.images() {
            let reference = &image.reference;
            assert_eq!(site.engine.layers(reference).unwrap(), hello.1.layers(reference), "{reference}");
        }
    }
}

#[test]
fn runs_in_a_row_leave_nothing_behind() {
    in_a_row(2, Store::Containerd);
}

#[test]
fn an_image_that_somebody_else_names_or_uses_outlives_an_upgrade() {
    let size = Size { images: 3, files: 1, questions: 1 };
    let vendors = ["1.0.0", "1.0.1"].map(|version| vendor("row", version, size));
    let bundles = vendors.each_ref().map(Vendor::pack);
    for store in [Store::Containerd, Store::Overlay2] {
        let site = Site::new(Suite::Forky, store).with_compose();
        let docker = |args: &[&str]| site.engine.docker(args).done().stdout.trim().to_owned();
        let ids = || -> Vec<String> {
            docker(&["image", "ls", "-q", "--no-trunc"]).lines().map(str::to_owned).collect()
        };
        let id = |number: usize| docker(&["image", "inspect", "-f", "{{.Id}}", &format!("row/s{number}:1")]);
        let _ = site.run(&bundles[0], &INSTALL).done();
        let before = [0, 1, 2].map(id);
        let _ = docker(&["tag", "row/s0:1", "theirs:1"]);
        let container = docker(&["create", "row/s1:1"]);
        let _ = site.run(&bundles[1], &INSTALL).done().saying("(version 1.0.0 becomes 1.0.1)");
        let left = ids();
        assert!(left.contains(&before[0]), "{store:?}: what somebody else named is gone");
        assert!(left.contains(&before[1]), "{store:?}: what a container uses is gone");
        assert!(!left.contains(&before[2]), "{store:?}: what nobody can name is left");
        // Once nothing uses it, a run that finds everything in place takes it as well.
        let _ = docker(&["rm", &container]);
        let _ = site.run(&bundles[1], &INSTALL).done().saying("everything is in place");
        let left = ids();
        assert!(left.contains(&before[0]) && !left.contains(&before[1]), "{store:?}: {left:?}");
    }
}

#[test]
fn what_a_broken_off_upgrade_brought_goes_with_the_next_version() {
    let size = Size { images: 2, files: 1, questions: 1 };
    let vendors = ["1.0.0", "1.0.1", "1.0.2"].map(|version| vendor("row", version, size));
    let bundles = vendors.each_ref().map(Vendor::pack);
    let site = Site::new(Suite::Forky, Store::Overlay2).with_compose();
    let _ = site.run(&bundles[0], &INSTALL).done();
    let mut running = Running::start(site.command(&bundles[1], &INSTALL).arg("--json"));
    running.reach(|event| {
        event["title"]["en"].as_str().is_some_and(|title| title.starts_with("Write the project"))
    });
    let _ = running.kill();
    let _ = site.run(&bundles[2], &INSTALL).done();
    let now = Growth::of(&site.engine, Store::Overlay2, &site.dir());
    assert_eq!((now.images, now.dangling), (2, 0));
}

#[test]
#[ignore = "takes long; make torture"]
fn the_long_form() {
    for store in [Store::Containerd, Store::Overlay2] {
        large(Size { images: 40, files: 200, questions: 60 }, store);
        side_by_side(10, store);
        in_a_row(50, store);
    }
}
