//! Acts that fail while an engine is brought to a machine that has none. What is looked for after each is the same as where an
//! engine was there: `62_faults`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::time::Duration;

use tests::faults::walk::{Outcomes, acts_of, all_acts, first_acts, killed, walk, walk_back};
use tests::faults::{Breakable, FaultyMachine, Point};
use tests::parts;
use tests::torture::chain::{Reference, install, purge};
use tests::wait;

const PROGRAM: &str = env!("CARGO_BIN_EXE_faulty-installer");

/// Share of the acts that every test run lets fail.
const EVERY: usize = 4;

/// Whether it belongs to what is brought, and not to the project.
fn is_of_the_engine(point: &Point) -> bool {
    !point.path.starts_with("/opt/hello")
}

fn break_acts(every: usize) {
    let mut patient = FaultyMachine::new(PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let mut acts = acts_of(&patient, &reference);
    acts.retain(is_of_the_engine);
    let faults = first_acts(acts, every);
    let mut outcomes = Outcomes::default();
    walk(&mut patient, &reference, &faults, &mut outcomes);
    outcomes.print("acts that bring an engine");
    outcomes.assert_right();
}

#[test]
fn acts_that_fail_while_an_engine_is_brought_end_in_a_healthy_installation() {
    break_acts(EVERY);
}

/// The long form: each of them.
#[test]
#[ignore = "takes long: make torture"]
fn every_act_that_brings_an_engine_fails() {
    break_acts(1);
}

/// The long form: the process is killed right before each of them, and of those that take the engine away.
#[test]
#[ignore = "takes long: make torture"]
fn a_kill_before_each_act_that_brings_or_takes_an_engine_is_finished_or_taken_back() {
    let mut patient = FaultyMachine::new(PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let mut acts = acts_of(&patient, &reference);
    acts.retain(is_of_the_engine);
    let (mut forth, mut back) = (Outcomes::default(), Outcomes::default());
    walk(&mut patient, &reference, &killed(acts), &mut forth);
    forth.print("kills before acts that bring an engine");
    walk_back(&mut patient, &reference, killed, &mut back);
    back.print("kills before acts that take an engine away");
    forth.assert_right();
    back.assert_right();
}

fn break_acts_of_taking_back(choose: impl FnOnce(Vec<Point>) -> Vec<(Point, &'static str)>) {
    let mut patient = FaultyMachine::new(PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let mut outcomes = Outcomes::default();
    walk_back(&mut patient, &reference, choose, &mut outcomes);
    outcomes.print("acts that take an engine away");
    outcomes.assert_right();
}

#[test]
fn acts_that_fail_while_an_engine_is_taken_away_end_with_all_as_before() {
    // The last call of the packet filter opens it again, after forwarding was switched off: a second run took that for somebody
    // else's doing.
    break_acts_of_taking_back(|acts| {
        let is_filter = |point: &&Point| point.act == "spawn" && point.path.ends_with("iptables");
        let last = acts.iter().rfind(is_filter).cloned();
        first_acts(acts, 11).into_iter().chain(last.map(|point| (point, "EAGAIN"))).collect()
    });
}

/// The long form: each of them.
#[test]
#[ignore = "takes long: make torture"]
fn every_act_that_takes_an_engine_away_fails() {
    break_acts_of_taking_back(all_acts);
}

/// An engine whose programs are there, and not yet the mark that says that they are whole, was nobody's to a purge, and stayed.
#[test]
fn an_engine_that_was_placed_by_half_is_taken_back() {
    let mut patient = FaultyMachine::new(PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let acts = acts_of(&patient, &reference);
    let is_mark = |point: &&Point| point.act == "rename" && point.path.ends_with(".airlift-engine");
    let fault = acts.iter().find(is_mark).unwrap().fault("EIO", false);
    patient.plan(&fault);
    let _ = install(&patient).expect(1);
    patient.plan("");
    // An engine that keeps its data elsewhere, as a private one does, is no reason to leave ours.
    let folder = parts::scratch();
    let program = folder.path().join("dockerd");
    std::fs::copy("/bin/bash", &program).unwrap();
    let program = patient.machine().plug_in(&program);
    patient.machine().start(&[&program, "-c", "while :; do sleep 1; done", "--data-root=/srv/x"]);
    let runs = || patient.machine().sh("pgrep -x dockerd").code == Some(0);
    assert!(wait::comes(Duration::from_secs(20), runs));
    purge(&patient, &reference, true).unwrap();
    assert!(runs());
}
