//! Acts that fail while an engine is brought to a machine that has none. What is looked for after each is the same as where an
//! engine was there: `62_faults`.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

use std::collections::BTreeSet;

use tests::faults::walk::{Outcomes, acts_of, walk};
use tests::faults::{FaultyMachine, Point};
use tests::torture::chain::Reference;

const PROGRAM: &str = env!("CARGO_BIN_EXE_faulty-installer");

/// Share of the acts that every test run lets fail.
const EVERY: usize = 4;

/// Whether it belongs to what is brought, and not to the project.
fn is_of_the_engine(point: &Point) -> bool {
    !point.path.starts_with("/opt/hello")
}

/// The first act of each kind on each path of the engine, every so-manieth, with the kinds of faults in turn.
fn first_acts(acts: Vec<Point>, every: usize) -> Vec<(Point, &'static str)> {
    let mut seen = BTreeSet::new();
    let of_engine = acts.into_iter().filter(is_of_the_engine);
    let first = of_engine.filter(|point| seen.insert((point.path.clone(), point.act.clone())));
    let chosen = first.enumerate().filter(|(number, _)| number % every == 0);
    let with_kind = |(number, point): (usize, Point)| {
        let kinds = point.kinds();
        let kind = kinds[(number / every) % kinds.len()];
        (point, kind)
    };
    chosen.map(with_kind).collect()
}

fn break_acts(every: usize) {
    let mut patient = FaultyMachine::new(PROGRAM.as_ref());
    let reference = Reference::of(&patient);
    let faults = first_acts(acts_of(&patient, &reference), every);
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
