//! Kill after kill on one installation, with what must hold after each, and how it ends.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::moment::{Moment, Pace};
use super::patient::{Patient, Victim, await_engine};
use super::state::{check_directory, missing_bytes, shape};
use super::table::Table;
use crate::run::Run;
use crate::running::is_loading;
use crate::site::INSTALL;
use crate::tree::Tree;

/// What comes after the last kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// The same command is run to its end.
    Finish,
    /// `uninstall`, which keeps data and answers; then it is installed again.
    Uninstall,
    /// `uninstall --purge`.
    Purge,
}

/// What is done to one installation.
#[derive(Clone, Debug)]
pub struct Script {
    /// What is killed and when, one run after the other.
    pub kills: Vec<(Victim, Moment)>,
    /// What comes then.
    pub end: End,
    /// Where `uninstall` is killed before it is run to its end, as a part of the time that it takes undisturbed.
    pub undo: Option<f64>,
}

/// What a patient is like before, and what an installation that nothing disturbed makes of it.
#[derive(Debug)]
pub struct Reference {
    /// How long everything takes.
    pub pace: Pace,
    /// How long taking everything back takes.
    pub undo: Duration,
    engine_before: String,
    engine_installed: String,
    around_before: Tree,
    around_installed: Tree,
    project: Tree,
}

/// Files that the system's own tools for groups leave beside the ones that they change.
const GROUP_COPIES: [&str; 2] = ["etc/group-", "etc/gshadow-"];

impl Reference {
    /// Installs without disturbance, looks, and takes everything back.
    ///
    /// # Panics
    /// When one of them fails.
    #[must_use]
    pub fn of(patient: &dyn Patient) -> Self {
        let (engine_before, around_before) = (patient.engine(), patient.surroundings());
        let run = install(patient).done();
        let receipt = std::fs::read_to_string(patient.dir().join(".airlift/receipt.json")).unwrap();
        let receipt: Value = serde_json::from_str(&receipt).unwrap();
        let mut reference = Self {
            undo: Duration::ZERO,
            pace: Pace::of(&run, &receipt),
            engine_installed: patient.engine(),
            around_installed: patient.surroundings(),
            project: shape(&patient.dir()),
            engine_before,
            around_before,
        };
        let started = Instant::now();
        let _ = patient.run(&["uninstall", "--purge"], "hello\n").done();
        reference.undo = started.elapsed();
        purge(patient, &reference, true).unwrap_or_else(|why| panic!("undisturbed: {why}"));
        reference
    }

    /// What the engine had before.
    #[must_use]
    pub fn engine_before(&self) -> &str {
        &self.engine_before
    }
}

/// Carries a script out and counts in `table` what came of it.
///
/// # Errors
/// What does not hold. The patient is then in any state.
pub fn carry_out(
    patient: &mut dyn Patient,
    reference: &Reference,
    script: &Script,
    table: &Table,
) -> Result<(), String> {
    let mut key = None;
    let mut missing = None;
    for (victim, moment) in &script.kills {
        let mut running = patient.begin();
        if !reference.pace.await_moment(*moment, &mut running) {
            // It was over before; that it is well is seen below.
            let run = running.end();
            if run.code != Some(0) {
                return Err(format!("it failed before it was killed\n{run}"));
            }
            continue;
        }
        let run = patient.strike(*victim, running);
        let place = reference.pace.place(&run);
        // Who cannot go on says so, with a code of its own; who was killed says nothing.
        let codes = [None, Some(0), Some(1), Some(4), Some(6), Some(137)];
        let is_known = *victim == Victim::Power || codes.contains(&run.code);
        if !is_known || run.stderr.contains("panicked") {
            return Err(format!("after a kill in {place}: that is no way to end\n{run}"));
        }
        // It was through before it was hit.
        if run.code != Some(0) || *victim != Victim::Installer {
            table.killed(&patient.name(), *victim, moment.is_boundary(), &place);
        }
        check_directory(&patient.dir(), &mut key)
            .map_err(|why| format!("after a kill in {place}: {why}\n{run}"))?;
        // What has arrived in the engine need not come again, unless it was not synced when the power went.
        missing = match victim {
            Victim::Power => None,
            Victim::Engine if patient.engine().is_empty() => None,
            _ => Some(missing_bytes(patient.bundle(), &patient.engine())),
        };
    }
    if let Some(part) = script.undo {
        let (args, typed): (&[&str], _) = match script.end {
            End::Purge => (&["uninstall", "--purge"], "hello\n"),
            _ => (&["uninstall", "--yes"], ""),
        };
        if patient.run_and_kill(args, typed, reference.undo.mul_f64(part)) {
            table.undo_killed(&patient.name());
        }
        check_directory(&patient.dir(), &mut key)
            .map_err(|why| format!("after {args:?} was killed: {why}"))?;
    }
    match script.end {
        End::Finish => finish(patient, reference, &mut key, missing)?,
        End::Uninstall => {
            uninstall(patient, reference)?;
            check_directory(&patient.dir(), &mut key)?;
            finish(patient, reference, &mut key, None)?;
        }
        End::Purge => {}
    }
    // A machine that boots writes some of its own files anew.
    let is_up = script.kills.iter().all(|(victim, _)| *victim != Victim::Power);
    purge(patient, reference, is_up)?;
    table.ended(&patient.name(), script.end);
    Ok(())
}

/// Installs, with what happens as events.
pub fn install(patient: &dyn Patient) -> Run {
    patient.run(&[&INSTALL[..], &["--json"]].concat(), "")
}

/// Runs the same command to its end, and looks whether all is as if nothing had happened. `missing` is what may be read of layers.
///
/// # Errors
/// What is not.
pub fn finish(
    patient: &dyn Patient,
    reference: &Reference,
    key: &mut Option<String>,
    missing: Option<u64>,
) -> Result<(), String> {
    let run = install(patient);
    if run.code != Some(0) {
        return Err(format!("the same command does not finish\n{run}"));
    }
    let events = run.events();
    let loading = events.iter().find(|event| event["event"] == "progress" && is_loading(event));
    let has_loaded = events
        .iter()
        .any(|event| event["event"] == "step-finished" && event["outcome"] == "done" && is_loading(event));
    if has_loaded && loading.is_none() {
        return Err(format!("it does not say what it read\n{run}"));
    }
    let read = loading.and_then(|event| event["total"].as_u64()).unwrap_or(0);
    if let Some(missing) = missing.filter(|missing| read > *missing) {
        return Err(format!("{read} bytes of layers were read and {missing} were missing\n{run}"));
    }
    check_directory(&patient.dir(), key)?;
    if !patient.is_served() {
        return Err(format!("nobody answers\n{run}"));
    }
    same("the project", &reference.project, &shape(&patient.dir()))?;
    await_engine(patient, &reference.engine_installed)
        .map_err(|why| format!("the engine differs:\n{why}\n{run}"))?;
    same_shape("the surroundings", &reference.around_installed, &patient.surroundings())
}

/// Takes back what can be installed again: data and answers stay.
fn uninstall(patient: &dyn Patient, reference: &Reference) -> Result<(), String> {
    let run = patient.run(&["uninstall", "--yes"], "");
    if run.code == Some(2) && run.stderr.contains("No installation") && !patient.dir().exists() {
        return Ok(());
    }
    if run.code != Some(0) {
        return Err(format!("uninstall fails\n{run}"));
    }
    let kept = shape(&patient.dir());
    let is_kept = |path: &Path| {
        let name = path.to_str().unwrap_or_default();
        let top = ["data", ".env", ".airlift", ".airlift/docker-config", ".airlift/index.json"];
        top.contains(&name)
            || reference.project.paths().any(|known| known == path) && name.starts_with(".airlift/")
    };
    if let Some(path) = kept.paths().find(|path| !is_kept(path)) {
        return Err(format!("uninstall leaves {}\n{run}", path.display()));
    }
    let engine = patient.engine();
    let left = engine.lines().filter(|line| line.contains("hello") || line.starts_with("container "));
    let left: Vec<_> = left.collect();
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("uninstall leaves on the engine:\n{}\n{run}", left.join("\n")))
    }
}

/// Takes everything back, and looks whether all is as it was before.
///
/// # Errors
/// What is not.
pub fn purge(patient: &dyn Patient, reference: &Reference, with_times: bool) -> Result<(), String> {
    let had_directory = patient.dir().exists();
    let run = patient.run(&["uninstall", "--purge"], "hello\n");
    if run.code != Some(0) && (had_directory || run.code != Some(2)) {
        return Err(format!("uninstall --purge fails\n{run}"));
    }
    if patient.dir().exists() {
        return Err(format!("the project directory is still there\n{run}"));
    }
    await_engine(patient, &reference.engine_before)
        .map_err(|why| format!("the engine is not as before:\n{why}\n{run}"))?;
    let scraps = patient.scraps();
    if !scraps.is_empty() {
        return Err(format!("left lying about: {scraps}\n{run}"));
    }
    let now = patient.surroundings();
    // Written anew by the system's own tools, with the same in them, which is compared below.
    let is_group =
        |line: &str| ["etc/group", "etc/gshadow", "etc/ufw/"].iter().any(|path| line[2..].starts_with(path));
    let changes = reference.around_before.changes(&now);
    let changes: Vec<_> = changes.into_iter().filter(|line| with_times && !is_group(line)).collect();
    if !changes.is_empty() {
        return Err(format!("not as before:\n{}\n{run}", changes.join("\n")));
    }
    same_shape("what was there before", &reference.around_before, &now)
}

fn same_shape(what: &str, wanted: &Tree, found: &Tree) -> Result<(), String> {
    same(what, &wanted.shape(&GROUP_COPIES), &found.shape(&GROUP_COPIES))
}

fn same(what: &str, wanted: &Tree, found: &Tree) -> Result<(), String> {
    let changes = wanted.changes(found);
    let is_copy = |line: &String| GROUP_COPIES.contains(&&line[2..]);
    let changes: Vec<_> = changes.into_iter().filter(|line| !is_copy(line)).collect();
    if changes.is_empty() {
        Ok(())
    } else {
        Err(format!("{what}, other than it should be:\n{}", changes.join("\n")))
    }
}
