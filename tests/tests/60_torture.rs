//! Installations that are killed, cut off and taken back. What runs with every test run is short; `make torture` is the long form,
//! and writes the table of `docs/reliability.md`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "who runs the long form wants to see it go on")]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::Stdio;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tests::bundle::{self, Bundle, Vendor};
use tests::dice::Dice;
use tests::engine::{APART, Engine, Store};
use tests::machine::Machine;
use tests::parts::{Debian, Suite};
use tests::run::Run;
use tests::site::INSTALL;
use tests::torture::chain::{End, Reference, Script, carry_out};
use tests::torture::moment::Pace;
use tests::torture::patient::{OnEngine, OnMachine, Patient, Victim};
use tests::torture::state::check_directory;
use tests::torture::table::Table;

/// Another number draws other moments.
fn seed() -> u64 {
    std::env::var("TORTURE_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20)
}

/// Share of the long form that is carried out, for those who have less time.
fn share(times: usize) -> usize {
    let part = std::env::var("TORTURE_PART").ok().and_then(|part| part.parse().ok()).unwrap_or(1.0);
    ((times as f64 * part).ceil() as usize).max(1)
}

/// Whether a part of the long form is carried out: all are, unless `TORTURE_ONLY` names some, with commas between them: `containerd`,
/// `overlay2`, `machine`, `power`, `two-at-once`. The document is written only when it was all of them.
fn is_wanted(part: &str) -> bool {
    std::env::var("TORTURE_ONLY").map_or(true, |parts| parts.split(',').any(|wanted| wanted == part))
}

/// After so much time no further installation is begun.
fn limit() -> Duration {
    let minutes = std::env::var("TORTURE_MINUTES").ok().and_then(|minutes| minutes.parse().ok());
    Duration::from_secs(60 * minutes.unwrap_or(25))
}

/// What went wrong, with what was done before.
#[derive(Default)]
struct Failures(Mutex<Vec<String>>);

impl Failures {
    fn add(&self, what: String) {
        eprintln!("{what}");
        self.0.lock().unwrap().push(what);
    }

    fn assert_none(&self) {
        let failures = self.0.lock().unwrap();
        assert!(
            failures.is_empty(),
            "{} failures, seed {}:\n{}",
            failures.len(),
            seed(),
            failures.join("\n\n")
        );
    }
}

/// Carries out one script after the other; a patient that was harmed is replaced.
fn run(patient: &mut dyn Patient, scripts: &[Draw], dice: &mut Dice, table: &Table, failures: &Failures) {
    let until = Instant::now() + limit();
    let mut reference = Reference::of(patient);
    for draw in scripts {
        if Instant::now() > until {
            println!("{}: the time is up", patient.name());
            return;
        }
        let script = draw(&reference.pace, dice);
        let tried = catch_unwind(AssertUnwindSafe(|| carry_out(patient, &reference, &script, table)));
        let tried = tried.unwrap_or_else(|_| Err("it panicked, see above".to_owned()));
        match tried {
            Ok(()) => eprintln!(
                "{}: {} kills of the installer so far",
                patient.name(),
                table.kills(Victim::Installer)
            ),
            Err(why) => {
                failures.add(format!("{}, {script:?}: {why}", patient.name()));
                patient.reset();
                reference = Reference::of(patient);
            }
        }
    }
}

type Draw = Box<dyn Fn(&Pace, &mut Dice) -> Script + Send>;

/// One installation that is killed at each boundary of its steps in turn.
fn each_boundary() -> Draw {
    let kills =
        |pace: &Pace| pace.boundaries().into_iter().map(|moment| (Victim::Installer, moment)).collect();
    Box::new(move |pace, _| Script { kills: kills(pace), end: End::Finish, undo: None })
}

/// An installation that is killed at one boundary.
fn one_boundary(number: usize) -> Draw {
    Box::new(move |pace, _| {
        let boundaries = pace.boundaries();
        let moment = boundaries[number % boundaries.len()];
        Script { kills: vec![(Victim::Installer, moment)], end: End::Finish, undo: None }
    })
}

/// An installation that is killed so often at random moments.
fn random(victim: Victim, times: usize, end: End) -> Draw {
    Box::new(move |pace, dice| {
        let kills = (0..times).map(|_| (victim, pace.draw(dice))).collect();
        let is_undone = end != End::Finish && victim != Victim::Power;
        Script { kills, end, undo: is_undone.then(|| dice.fraction()) }
    })
}

/// Installations with so many kills at random moments in all: one to seven each, most of them finished, some taken back.
fn many(victim: Victim, times: usize, dice: &mut Dice) -> Vec<Draw> {
    let mut left = times;
    let mut draws = Vec::new();
    while left > 0 {
        let kills = (1 + dice.within(0..7)).min(left);
        left -= kills;
        let end = [End::Finish, End::Finish, End::Uninstall, End::Purge][draws.len() % 4];
        draws.push(random(victim, kills, end));
    }
    draws
}

#[test]
fn kills_at_each_boundary_and_at_some_moments_are_finished_or_taken_back() {
    let (table, failures) = (Table::default(), Failures::default());
    let mut patient = OnEngine::new(Suite::Forky, Store::Containerd);
    let draws = [
        each_boundary(),
        random(Victim::Installer, 2, End::Finish),
        random(Victim::Installer, 2, End::Uninstall),
        random(Victim::Installer, 1, End::Purge),
    ];
    run(&mut patient, &draws, &mut Dice::new(seed()), &table, &failures);
    println!("{}", table.render());
    failures.assert_none();
}

/// Starts two copies of the file in the same second, as often as said: one installs, the other one looks on or is refused.
fn two_at_once(times: usize) {
    let patient = OnEngine::new(Suite::Forky, Store::Containerd);
    let site = patient.site();
    let first = patient.bundle().clone();
    let second = first.changed(&site.path("copy.run"), |_| {});
    for _ in 0..times {
        let start = |bundle: &Bundle| {
            let mut command = site.command(bundle, &INSTALL);
            std::thread::spawn(move || Run::of(&mut command))
        };
        let runs = [start(&first), start(&second)].map(|run| run.join().unwrap());
        let codes = runs.each_ref().map(|run| run.code);
        assert!(codes.contains(&Some(0)), "{}{}", runs[0], runs[1]);
        assert!(codes.iter().all(|code| [Some(0), Some(7)].contains(code)), "{}{}", runs[0], runs[1]);
        assert!(patient.is_served(), "{}{}", runs[0], runs[1]);
        check_directory(&site.dir(), &mut None).unwrap();
        let _ = site.install(&first).done().saying("everything is in place");
        let _ = patient.run(&["uninstall", "--purge"], "hello\n").done();
        assert!(!site.dir().exists());
    }
}

#[test]
fn two_copies_started_in_the_same_second_never_damage() {
    two_at_once(2);
}

#[test]
fn a_failed_installation_says_what_is_in_place_and_is_taken_back() {
    let patient = OnEngine::new(Suite::Forky, Store::Containerd);
    let site = patient.site();
    let mut running = patient.begin();
    running.hold_at_loading();
    // Where the last file of the project belongs, somebody has made a directory.
    std::fs::create_dir_all(site.dir().join(".env/x")).unwrap();
    let run = running.end().expect(1).saying("In place so far").saying("Load ").saying("(begun)");
    let (bundle, dir) = (patient.bundle().path.display(), site.dir());
    // With sudo in between, where this machine has it.
    let run = run.saying("echo hello | ");
    let _ = run.saying(&format!("{bundle} --dir {} uninstall --purge", dir.display()));
    std::fs::remove_dir_all(dir.join(".env")).unwrap();
    let _ = site.install(patient.bundle()).done();
    // Files are recorded before they are written; that record is what takes them away.
    let _ = site.run(patient.bundle(), &["uninstall", "--yes"]).done();
    assert!(!dir.join("docker-compose.yml").exists() && !dir.join("conf").exists());
    let _ = patient.run(&["uninstall", "--purge"], "hello\n").done();
    assert!(!dir.exists());
}

#[test]
fn what_a_run_left_that_died_before_its_record_is_taken_away() {
    let folder = tests::parts::scratch();
    let dir = folder.path().join("app");
    for purge in [false, true] {
        std::fs::create_dir_all(dir.join(".airlift")).unwrap();
        for file in ["lock", "install.log", ".airlift-receipt.json.abc123"] {
            std::fs::write(dir.join(".airlift").join(file), "").unwrap();
        }
        let verb = if purge { &["uninstall", "--purge"][..] } else { &["uninstall", "--yes"] };
        let args = [verb, &["--dir", dir.to_str().unwrap()]].concat();
        let _ = bundle::hello_with_engine().run(&args).done().saying("Nothing was installed");
        assert!(!dir.exists());
    }
    // The same right before the last act of a purge: what is empty by then goes.
    std::fs::create_dir(&dir).unwrap();
    let _ =
        bundle::hello_with_engine().run(&["uninstall", "--yes", "--dir", dir.to_str().unwrap()]).expect(2);
    assert!(dir.exists());
    let _ = bundle::hello_with_engine().run(&["uninstall", "--purge", "--dir", dir.to_str().unwrap()]).done();
    assert!(!dir.exists());
}

/// Both would have installed it, each over the other.
#[test]
fn two_applications_that_bring_an_engine_at_the_same_time_share_one() {
    let patient = OnMachine::new(Machine::boot());
    let machine = patient.machine();
    let vendor = Vendor::with_noise(4 << 20).with_engine();
    vendor.edit("airlift.toml", "name = \"hello\"", "name = \"other\"");
    vendor.edit("docker-compose.yml", "name: hello", "name: other");
    let other = machine.plug_in(&vendor.pack().path);
    let before = patient.surroundings();
    let script = format!("{other} install --answers /stick/answers.toml --yes --set http_port=18081");
    let mut command = machine.command(&["bash", "-c", &script]);
    let second = std::thread::spawn(move || Run::of(&mut command));
    let first = patient.run(&INSTALL, "");
    let second = second.join().unwrap().done();
    let waited =
        [first.done(), second].iter().filter(|run| run.stderr.contains("this one waits for it")).count();
    assert_eq!(waited, 1);
    assert!(patient.is_served());
    let _ = machine.sh("curl -sf http://127.0.0.1:18081/health && test $(pgrep -xc dockerd) = 1").done();
    // Who has found the engine leaves it; who has brought it takes it away.
    let owner = machine.sh("grep -l '\"engine\": \"system\"' /opt/*/.airlift/receipt.json").done().stdout;
    let owner = owner.trim().trim_start_matches("/opt/").split('/').next().unwrap().to_owned();
    let guest = if owner == "hello" { "other" } else { "hello" };
    for app in [guest, owner.as_str()] {
        let _ = machine.sh(&format!("echo {app} | {app}ctl uninstall --purge")).done();
    }
    let group = |line: &String| line[2..].starts_with("etc/group") || line[2..].starts_with("etc/gshadow");
    let changes: Vec<_> =
        before.changes(&patient.surroundings()).into_iter().filter(|line| !group(line)).collect();
    assert!(changes.is_empty(), "{}", changes.join("\n"));
}

/// Why a note, directories and layers of an engine that was killed are not counted as ours: without us it leaves the same, and neither its
/// next start, nor the same images once more, nor `prune` takes them away.
#[test]
#[ignore = "says something of the engine, and nothing of us: make torture"]
fn an_engine_that_dies_forgets_a_layer_and_a_container_whoever_wanted_them() {
    let vendor = Vendor::with_noise(60_000_000);
    let folder = tests::parts::scratch();
    let archive = folder.path().join("images.tar");
    tests::images::save(vendor.images(), &archive);
    let mut engine = Engine::start(Suite::Forky, Store::Overlay2);
    let notes = engine.data().join("image/overlay2/layerdb/tmp");
    let left = || {
        let entries = std::fs::read_dir(&notes).into_iter().flatten().flatten();
        entries.filter(|entry| entry.file_name().to_string_lossy().starts_with("write-set-")).count()
    };
    let mut load = engine.command();
    load.args(["load", "--input"]).arg(&archive).stdout(Stdio::null()).stderr(Stdio::null());
    let mut load = load.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while left() == 0 && Instant::now() < deadline {}
    engine.kill();
    let _ = load.wait();
    assert_eq!(left(), 1);
    engine.restart(Store::Overlay2, &APART);
    let _ = engine.docker(["load".as_ref(), "--input".as_ref(), archive.as_os_str()]).done();
    let _ = engine.docker(["system", "prune", "--all", "--force", "--volumes"]).done();
    assert_eq!(left(), 1);
    // As if it had died before it wrote the container down.
    let _ = engine.docker(["load".as_ref(), "--input".as_ref(), archive.as_os_str()]).done();
    let id = engine.docker(["create", "hello/web:1.0"]).done().stdout;
    engine.kill();
    std::fs::remove_dir_all(engine.data().join("containers").join(id.trim())).unwrap();
    engine.restart(Store::Overlay2, &APART);
    let _ = engine.docker(["system", "prune", "--all", "--force", "--volumes"]).done();
    assert_eq!(engine.docker(["images", "--quiet"]).done().stdout, "");
    let layers = std::fs::read_dir(engine.data().join("image/overlay2/layerdb/sha256")).unwrap().count();
    assert!(layers > 0);
}

/// The long form: `make torture`.
#[test]
#[ignore = "takes 25 minutes: make torture"]
fn torture() {
    let (table, failures) = (Table::default(), Failures::default());
    println!("seed {}", seed());
    let on_engine = |store, number: u64, times: usize| {
        let mut dice = Dice::new(seed() + number);
        // What there may be no time for comes last: the boundaries one by one, which the first one has all of.
        let mut draws = vec![each_boundary()];
        draws.extend(many(Victim::Engine, share(12), &mut dice));
        draws.extend(many(Victim::Installer, share(times), &mut dice));
        draws.extend((0..share(12)).map(one_boundary));
        run(&mut OnEngine::new(Suite::Forky, store), &draws, &mut dice, &table, &failures);
    };
    // Two of them: one machine waits for its services most of the time.
    let on_machine = |number: u64| {
        let mut dice = Dice::new(seed() + 100 + number);
        let mut draws = vec![each_boundary()];
        draws.extend(many(Victim::Engine, share(4), &mut dice));
        draws.extend(many(Victim::Installer, share(100), &mut dice));
        let machine = Machine::boot_debian(Debian::Trixie);
        run(&mut OnMachine::with_every_step(machine), &draws, &mut dice, &table, &failures);
    };
    let without_power = || {
        let mut dice = Dice::new(seed() + 200);
        let draws = many(Victim::Power, share(12), &mut dice);
        let machine = Machine::boot_with_disk(Debian::Trixie);
        run(&mut OnMachine::with_every_step(machine), &draws, &mut dice, &table, &failures);
    };
    let if_wanted = |part: &str, carry_out: &dyn Fn()| {
        if is_wanted(part) {
            carry_out();
        }
    };
    std::thread::scope(|scope| {
        let _ = scope.spawn(|| if_wanted("containerd", &|| on_engine(Store::Containerd, 0, 80)));
        let _ = scope.spawn(|| if_wanted("overlay2", &|| on_engine(Store::Overlay2, 1, 60)));
        let _ = scope.spawn(|| {
            if_wanted("machine", &|| on_machine(0));
        });
        let _ = scope.spawn(|| {
            if_wanted("power", &without_power);
            if_wanted("machine", &|| on_machine(1));
        });
    });
    if_wanted("two-at-once", &|| {
        let races = share(20);
        two_at_once(races);
        table.line(
            "two copies of one file started in the same second",
            races,
            "one installs; the other one looks on or ends with 7; healthy, one set of secrets",
        );
    });
    println!("{}", table.render());
    failures.assert_none();
    if std::env::var_os("TORTURE_ONLY").is_some() {
        return;
    }
    assert!(
        table.kills(Victim::Installer) >= 200,
        "too few kills for the document: give it more TORTURE_MINUTES"
    );
    table.write(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reliability.md"));
}
