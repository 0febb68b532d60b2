//! Acts that fail in the middle of an installation: on files and processes, on the way to the engine, and on disks that really are
//! full. After each, the message says what failed, where, why and what to do; no file is half there; and the same command, run
//! again, ends healthy with the same secrets. What runs with every test run is short; `make torture` is the long form.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "who runs the long form wants to see it go on")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::bundle::{self, Bundle, Vendor};
use tests::cut::Cut;
use tests::dice::Dice;
use tests::disk::{Disk, Format};
use tests::engine::Store;
use tests::faults::walk::{
    Outcomes, acts_of, all_acts, each_once, first_acts, is_in_share, killed, leftovers, walk, walk_back,
    walk_together,
};
use tests::faults::{Faulty, Point};
use tests::parts;
use tests::proxy::{Break, Proxy, Request};
use tests::run::Run;
use tests::site::{INSTALL, Site};
use tests::torture::chain::{Reference, finish, install};
use tests::torture::patient::{OnEngine, Patient as _, await_engine};
use tests::torture::state::check_directory;

const PROGRAM: &str = env!("CARGO_BIN_EXE_faulty-installer");

/// Each act in turn, with the kinds of faults in turn: as many as there is time for in every test run.
#[test]
fn acts_that_fail_one_after_the_other_end_in_a_healthy_installation() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let faults = first_acts(acts_of(&patient, &reference), EVERY);
    let mut outcomes = Outcomes::default();
    walk(&mut patient, &reference, &faults, &mut outcomes);
    outcomes.print("acts on files and processes");
    outcomes.assert_right();
}

#[test]
fn acts_that_fail_while_all_is_taken_back_end_with_all_as_before() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let mut outcomes = Outcomes::default();
    walk_back(&mut patient, &reference, |acts| first_acts(acts, EVERY_BACK), &mut outcomes);
    outcomes.print("acts that take everything back");
    outcomes.assert_right();
}

/// The same share of the acts of taking it back, which are fewer.
const EVERY_BACK: usize = 5;

/// Share of the acts that every test run lets fail.
const EVERY: usize = 9;

/// The long form: each act in every way.
#[test]
#[ignore = "takes long: make torture"]
fn every_act_fails_in_every_way() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let acts = acts_of(&patient, &reference);
    println!("{} acts", acts.len());
    let mut outcomes = Outcomes::default();
    for round in 0..6 {
        let kind = |point: &Point| point.kinds().get(round).copied();
        let all = acts.iter().filter_map(|point| Some((point.clone(), kind(point)?))).enumerate();
        let faults: Vec<_> = all.filter(|(number, _)| is_in_share(*number)).map(|(_, fault)| fault).collect();
        walk(&mut patient, &reference, &faults, &mut outcomes);
        outcomes.print("acts on files and processes");
    }
    outcomes.assert_right();
}

/// The long form: each act once, with the kinds of faults in turn.
#[test]
#[ignore = "takes long: make torture"]
fn each_act_fails_once() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let faults = each_once(acts_of(&patient, &reference));
    let mut outcomes = Outcomes::default();
    walk(&mut patient, &reference, &faults, &mut outcomes);
    outcomes.print("each act on files and processes");
    outcomes.assert_right();
}

/// The long form: the process is killed right before each act, of installing and of taking it back.
#[test]
#[ignore = "takes long: make torture"]
fn a_kill_before_each_act_is_finished_or_taken_back() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let faults = killed(acts_of(&patient, &reference));
    let (mut forth, mut back) = (Outcomes::default(), Outcomes::default());
    walk(&mut patient, &reference, &faults, &mut forth);
    forth.print("kills before acts of installing");
    walk_back(&mut patient, &reference, killed, &mut back);
    back.print("kills before acts of taking back");
    forth.assert_right();
    back.assert_right();
}

/// Three acts, drawn from all, fail in each of so many runs.
fn several_at_once(runs: usize) {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let acts = acts_of(&patient, &reference);
    let mut dice = Dice::new(7);
    let mut draw = || {
        let point = acts[dice.within(0..acts.len())].clone();
        let kinds = point.kinds();
        (point, kinds[dice.within(0..kinds.len())])
    };
    let groups: Vec<Vec<_>> = (0..runs).map(|_| (0..3).map(|_| draw()).collect()).collect();
    let mut outcomes = Outcomes::default();
    walk_together(&mut patient, &reference, &groups, &mut outcomes);
    outcomes.print("three faults in a run");
    outcomes.assert_right();
}

#[test]
fn several_acts_that_fail_in_one_run_end_in_a_healthy_installation() {
    several_at_once(5);
}

/// The long form of it.
#[test]
#[ignore = "takes long: make torture"]
fn many_times_several_acts_fail_in_one_run() {
    several_at_once(60);
}

/// The long form: each act of taking it back.
#[test]
#[ignore = "takes long: make torture"]
fn every_act_that_takes_back_fails() {
    let mut patient = Faulty::new(Store::Containerd, PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let mut outcomes = Outcomes::default();
    walk_back(&mut patient, &reference, all_acts, &mut outcomes);
    outcomes.print("acts that take everything back");
    outcomes.assert_right();
}

/// An installation that reaches its engine by way of a proxy.
fn install_through(proxy: &Proxy, site: &Site, bundle: &Bundle) -> Run {
    let address = format!("unix://{}", proxy.socket().display());
    Run::of(site.command(bundle, &[&INSTALL[..], &["--json"]].concat()).env("DOCKER_HOST", address))
}

/// Breaks one request after the other; the installation goes on where the one before it ended.
fn break_requests(store: Store, breaks: &[Break], is_chosen: impl Fn(usize) -> bool) {
    let site = Site::new(parts::Suite::Forky, store);
    let proxy = Proxy::before(&site.engine.socket());
    let bundle = bundle::hello_with_engine();
    let _ = install_through(&proxy, &site, &bundle).done();
    let requests: Vec<Request> = proxy.seen();
    let take_back = || {
        proxy.plan([], None);
        let address = format!("unix://{}", proxy.socket().display());
        let mut command = site.command(&bundle, &["uninstall", "--purge"]);
        let _ = Run::of_typing(command.env("DOCKER_HOST", address), "hello\n").done();
    };
    take_back();
    let mut key = None;
    let (mut ended, mut survived, mut wrong) = (0, 0, Vec::new());
    for (number, request) in requests.iter().enumerate().filter(|(number, _)| is_chosen(*number)) {
        let broken = breaks[number % breaks.len()];
        proxy.plan([(request.clone(), broken)], None);
        let run = install_through(&proxy, &site, &bundle);
        let was_reached = proxy.seen().contains(request);
        let mut check = || {
            check_directory(&site.dir(), &mut key)?;
            let text = format!("{}{}", run.stdout, run.stderr);
            match run.code {
                Some(0) => survived += usize::from(was_reached),
                // Before anything is changed, an engine that does not answer is a finding.
                Some(4) if text.contains("engine") => ended += 1,
                Some(1 | 6) if text.to_lowercase().contains("run the same command again") => ended += 1,
                _ => return Err("neither done nor a failure that says what to do".to_owned()),
            }
            Ok(())
        };
        if let Err(why) = check() {
            wrong.push(format!("{request:?} {broken:?}: {why}\n{run}"));
        }
        if run.code == Some(0) {
            if !site.page().contains("hello") {
                wrong.push(format!("{request:?} {broken:?}: done, and nobody answers\n{run}"));
            }
            take_back();
            key = None;
        }
    }
    proxy.plan([], None);
    let run = install_through(&proxy, &site, &bundle).done();
    check_directory(&site.dir(), &mut key).unwrap_or_else(|why| panic!("{why}\n{run}"));
    assert!(site.page().contains("hello"));
    take_back();
    println!("{store:?}: of {} requests, {ended} breaks ended the run, {survived} did not", requests.len());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
}

const BREAKS: [Break; 5] =
    [Break::BeforeAnswer, Break::InAnswer, Break::BeforeRequest, Break::Garbage, Break::ServerError];

#[test]
fn broken_connections_to_the_engine_end_in_a_healthy_installation() {
    break_requests(Store::Overlay2, &BREAKS, |number| number % 29 == 4);
}

/// The long form: each request, on either store.
#[test]
#[ignore = "takes long: make torture"]
fn every_request_is_broken_in_every_way() {
    for store in [Store::Overlay2, Store::Containerd] {
        for first in 0..BREAKS.len() {
            let mut breaks = BREAKS;
            breaks.rotate_left(first);
            break_requests(store, &breaks, is_in_share);
        }
    }
}

/// Cuts the connection to the engine's containerd off at these parts of all that is said on it.
fn cut_containerd(parts: impl IntoIterator<Item = f64>) {
    let patient = OnEngine::new(parts::Suite::Forky, Store::Containerd);
    let reference = Reference::of(&patient);
    let socket = patient.site().engine.folder().join("x/containerd/containerd.sock");
    let cut = Cut::in_place_of(&socket);
    let _ = install(&patient).done();
    let all = cut.passed();
    assert!(all > 10_000, "{all} bytes");
    let take_back = || {
        cut.plan(0);
        let _ = patient.run(&["uninstall", "--purge"], "hello\n").done();
    };
    take_back();
    let (mut ended, mut survived) = (0, 0);
    for part in parts {
        let mut key = None;
        let place = (all as f64 * part) as u64 + 1;
        cut.plan(place);
        let run = install(&patient);
        // The end of one run may be a little nearer than that of another.
        assert!(cut.passed() >= place || part > 0.9, "{part}: nothing was cut off\n{run}");
        check_directory(&patient.dir(), &mut key).unwrap_or_else(|why| panic!("{part}: {why}\n{run}"));
        match run.code {
            Some(0) => survived += 1,
            Some(1 | 4) if run.stdout.to_lowercase().contains("run the same command again") => ended += 1,
            _ => panic!("{part}: neither done nor a failure that says what to do\n{run}"),
        }
        cut.plan(0);
        finish(&patient, &reference, &mut key, None).unwrap_or_else(|why| panic!("{part}: {why}"));
        take_back();
        await_engine(&patient, reference.engine_before()).unwrap_or_else(|why| panic!("{part}: {why}"));
    }
    println!("containerd: of {all} bytes, {ended} cuts ended the run, {survived} did not");
}

#[test]
fn connections_to_containerd_that_are_cut_off_end_in_a_healthy_installation() {
    cut_containerd([0.001, 0.4, 0.8]);
}

/// The long form: at a hundred places.
#[test]
#[ignore = "takes long: make torture"]
fn connections_to_containerd_are_cut_off_everywhere() {
    cut_containerd((0..100).filter(|number| is_in_share(*number)).map(|number| number as f64 / 100.0));
}

#[test]
fn an_engine_that_is_slow_with_every_answer_is_waited_for() {
    let site = Site::new(parts::Suite::Forky, Store::Overlay2);
    let proxy = Proxy::before(&site.engine.socket());
    proxy.plan([], Some(Break::Delay(Duration::from_millis(20))));
    let _ = install_through(&proxy, &site, &bundle::hello_with_engine()).done();
    assert!(site.page().contains("hello"));
}

/// The disk of the project gets full after preflight found it large enough, with room for so many bytes.
fn full_with(sizes: impl IntoIterator<Item = u64>) {
    let site = Site::new(parts::Suite::Forky, Store::Containerd).with_dir("disk/app");
    let disk = Disk::new(Format::Ext4, 512 << 20, &site.path("disk"));
    let (dir, bundle) = (site.dir(), bundle::hello_with_engine());
    for but in sizes {
        let mut key = None;
        let mut running = site.begin(&bundle);
        running.hold_at_loading();
        let filler = disk.fill_up(but);
        let run = running.end();
        let code = run.code;
        if code != Some(0) {
            let run = run.expect(1).saying("No space left on device").saying("Free some room");
            let run = run.saying(&dir.display().to_string()).saying("磁盘空间不足").saying("腾出空间");
            assert!(!run.stdout.contains("\"code\":0"), "{run}");
        }
        assert!(leftovers(&dir).is_empty(), "{:?}", leftovers(&dir));
        check_directory(&dir, &mut key).unwrap_or_else(|why| panic!("{but} bytes: {why}"));
        fs::remove_file(filler).unwrap();
        let again = site.install(&bundle).done();
        check_directory(&dir, &mut key).unwrap_or_else(|why| panic!("{but} bytes: {why}\n{again}"));
        assert!(site.page().contains("hello"), "{but} bytes\n{again}");
        let _ = Run::of_typing(&mut site.command(&bundle, &["uninstall", "--purge"]), "hello\n").done();
        println!("a project's disk with {but} bytes left: exit code {code:?}");
    }
}

#[test]
fn a_project_on_a_disk_that_gets_full_is_finished_when_there_is_room() {
    full_with([0, 9 << 10]);
}

/// The long form: room for one block more each time, so that each write in turn is the one that does not fit.
#[test]
#[ignore = "takes long: make torture"]
fn a_project_on_a_disk_that_gets_full_at_each_block() {
    full_with((0..64).map(|blocks| blocks << 10));
    full_with((1..16).map(|blocks| blocks << 20));
}

/// Everything in a folder with its bytes, but for what fills the disk.
fn content(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    let files =
        entries.filter(|entry| !["filler", "lost+found"].contains(&&*entry.file_name().to_string_lossy()));
    files
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap_or_default()))
        .collect()
}

/// Runs the packer on a disk with ever more room, until it is enough. Each time before, nothing is changed; gives how often.
fn with_ever_more_room(disk: &Disk, steps: &[u64], act: impl Fn() -> Run, says: &str) -> usize {
    let mut refused = 0;
    for but in steps {
        let before = content(disk.place());
        let filler = disk.fill_up(*but);
        let run = act();
        fs::remove_file(filler).unwrap();
        if run.code == Some(0) {
            return refused;
        }
        let run = run.expect(1).saying(says).saying("No space left on device").saying("free some room");
        let after = content(disk.place());
        assert!(after == before, "{but} bytes: {:?} was {:?}\n{run}", after.keys(), before.keys());
        refused += 1;
    }
    let _ = act().done();
    refused
}

/// Powers of two: most files are written in the first few of them.
fn steps() -> Vec<u64> {
    (0..)
        .map(|power| if power == 0 { 0 } else { 512 << power })
        .take_while(|size| *size <= 64 << 20)
        .collect()
}

#[test]
fn what_the_packer_cannot_write_whole_is_not_there() {
    let vendor = Vendor::new();
    let disk = Disk::new(Format::Ext4, 256 << 20, &vendor.path("disk"));
    let path = |name: &str| disk.place().join(name).display().to_string();
    let _ = vendor.airlift(&["keygen", "vendor", "--no-password"]).done();
    let out = path("hello.run");
    let pack = || vendor.airlift(&["pack", "--quiet", "--level", "1", "--sign", "vendor.key", "-o", &out]);
    let packed = with_ever_more_room(&disk, &steps(), pack, "hello.run");
    // The signature beside it is written as well, and both are replaced together or not at all.
    assert!(Path::new(&format!("{out}.minisig")).exists());
    let replaced = with_ever_more_room(&disk, &steps(), pack, "hello.run");
    let sign = || vendor.airlift(&["sign", "--key", "vendor.key", &out]);
    let signed = with_ever_more_room(&disk, &steps(), sign, "hello.run");
    let key = path("other");
    let keygen = || vendor.airlift(&["keygen", &key, "--no-password"]);
    let made = with_ever_more_room(&disk, &[0, 1 << 10, 2 << 10], keygen, "other");
    let oci = path("oci");
    let export = || vendor.airlift(&["export", &out, "--oci", &oci]);
    let exported = with_ever_more_room(&disk, &steps(), export, "oci");
    println!(
        "full disks: pack {packed}, pack over an older file {replaced}, sign {signed}, keygen {made}, export {exported}"
    );
    assert!(packed > 5 && replaced > 5 && exported > 3 && made > 0, "the disk was never full");
    let _ = bundle::Bundle { path: out.into() }.run(&["verify"]).done();
}

/// A definition that was cut off by a full disk stood in the way of the next `init`.
#[test]
fn a_definition_that_cannot_be_written_whole_is_not_there() {
    let vendor = Vendor::new();
    let disk = Disk::new(Format::Ext4, 16 << 20, &vendor.path("disk"));
    fs::copy(vendor.path("docker-compose.yml"), disk.place().join("docker-compose.yml")).unwrap();
    let folder = disk.place().display().to_string();
    let init = || vendor.airlift(&["init", &folder]);
    assert!(with_ever_more_room(&disk, &[0, 1 << 10], init, "airlift.toml") > 0);
}

/// Places for the copy of the installer program: full ones are passed over and left as they were.
#[test]
fn a_full_place_for_the_installer_program_is_passed_over_and_all_full_ones_are_named() {
    let bundle = bundle::hello_with_engine();
    let folder = parts::scratch();
    let run = |script: &str| {
        let full = "for place in /run /dev/shm /tmp /var/tmp /mnt; do mount -n -t tmpfs -o size=64k tmpfs $place; done";
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c"]);
        command.arg(format!(
            "{full}; {script}; code=$?; find /run /dev/shm /tmp /var/tmp /mnt -mindepth 1; exit $code"
        ));
        command.arg(&bundle.path).arg(folder.path()).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        Run::of(&mut command)
    };
    let passed = run("HOME=$1 sh \"$0\" --version").done();
    assert_eq!(passed.stdout.lines().count(), 1, "{passed}");
    // The folder of the file itself is the last one that is tried.
    let refused =
        run("cp \"$0\" $1/x.run && mount -n --bind $1 $1 && mount -n -o remount,bind,ro $1 && HOME=/mnt sh $1/x.run --version").expect(1);
    let refused = refused.saying("Tried: /run /dev/shm /tmp /var/tmp /mnt").saying("AIRLIFT_TMPDIR");
    assert_eq!(refused.stdout, "", "{refused}");
}

/// What makes faults must not be in what is shipped.
#[test]
fn the_stub_that_is_shipped_knows_nothing_of_faults() {
    let has = |path: &Path| {
        let bytes = fs::read(path).unwrap();
        bytes.windows(16).any(|window| window == b"INSTALLER_FAULTS")
    };
    assert!(has(PROGRAM.as_ref()), "the installer with faults is not what it should be");
    let vendor = Vendor::new();
    let bundle = vendor.pack();
    assert!(!has(&bundle.path), "the stub has faults");
}
