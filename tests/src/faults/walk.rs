//! Lets one act of an installation, or of taking it back, after the other fail, and looks after each whether the message is right and nothing half is left.
#![allow(clippy::print_stdout, reason = "who runs the long form wants to see what came of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use super::{Breakable, KILL, Point, points};
use crate::run::Run;
use crate::torture::chain::{Reference, finish, install, purge};
use crate::torture::state::check_directory;

/// Takes everything back.
const UNDO: [&str; 3] = ["uninstall", "--purge", "--lang=en"];

/// What the system says for each kind of fault.
const WHY: [(&str, &str); 5] = [
    ("EAGAIN", "Resource temporarily unavailable"),
    ("EDQUOT", "Disk quota exceeded"),
    ("EIO", "Input/output error"),
    ("ENOSPC", "No space left on device"),
    ("EROFS", "Read-only file system"),
];

/// Whether a run that failed says what, where, why, and what to do, in either language.
fn check_message(run: &Run, point: &Point, kind: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}\n{run}"));
    if kind == KILL {
        // Who is killed says nothing more; who looks on says that it is gone.
        return if [None, Some(1), Some(137)].contains(&run.code) {
            Ok(())
        } else {
            wrong("that is no way to end")
        };
    }
    if run.code != Some(1) {
        return wrong("the exit code is not 1");
    }
    let (_, why) = WHY.iter().find(|(name, _)| *name == kind).unwrap();
    let events = run.events();
    let Some(end) = events.iter().position(|event| event["event"] == "finished") else {
        return wrong("there is no last word");
    };
    // What goes before and after it: causes, and what to do.
    let notes: Vec<_> = events.iter().filter(|event| event["event"] == "note").collect();
    let said = |lang: &str| {
        let notes = notes.iter().map(|note| note["text"][lang].as_str().unwrap_or_default());
        [events[end]["text"][lang].as_str().unwrap_or_default()]
            .into_iter()
            .chain(notes)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let (en, zh) = (said("en"), said("zh"));
    let path = point.path.display().to_string();
    if point.act != "spawn" && (!en.contains(&path) || !zh.contains(&path)) {
        return wrong("the message does not name the path");
    }
    if !en.contains(why) || zh.contains(why) {
        return wrong("the message does not say why, in both languages");
    }
    if !en.to_lowercase().contains("run the same command again") || !zh.contains("重新运行同一条命令")
    {
        return wrong("the message does not say what to do");
    }
    Ok(())
}

/// The file that says whose an engine is; it belongs there.
const ENGINE_MARK: &str = ".airlift-engine";

/// Temporary files that nobody will clear away any more.
#[must_use]
pub fn leftovers(dir: &Path) -> Vec<String> {
    if !dir.exists() {
        return Vec::new();
    }
    let found =
        Run::of(Command::new("find").arg(dir).args(["-name", ".airlift-*", "!", "-name", ENGINE_MARK]));
    found.stdout.lines().map(str::to_owned).collect()
}

/// What came of faults, counted.
#[derive(Debug, Default)]
pub struct Outcomes {
    failed: BTreeMap<String, usize>,
    unnoticed: BTreeMap<String, usize>,
    wrong: Vec<String>,
}

impl Outcomes {
    /// Says how many of each kind ended a run, and how many did not.
    pub fn print(&self, what: &str) {
        let sum = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
        println!("{what}: {} faults ended the run: {:?}", sum(&self.failed), self.failed);
        println!("{what}: {} faults did not: {:?}", sum(&self.unnoticed), self.unnoticed);
    }

    /// Asserts that some have ended a run, and that none was handled wrongly.
    ///
    /// # Panics
    /// When it is not so.
    pub fn assert_right(&self) {
        assert!(!self.failed.is_empty(), "no fault has ended a run: none has bitten");
        assert!(self.wrong.is_empty(), "{} wrong:\n{}", self.wrong.len(), self.wrong.join("\n\n"));
    }
}

/// The acts of an undisturbed installation.
/// # Panics
/// When it does not come to its end.
#[must_use]
pub fn acts_of(patient: &dyn Breakable, reference: &Reference) -> Vec<Point> {
    let _ = install(patient).done();
    let acts = points(&patient.trace());
    purge(patient, reference, true).unwrap();
    acts
}

/// The first act of each kind on each path, every so-manieth, with the kinds of faults in turn.
#[must_use]
pub fn first_acts(acts: Vec<Point>, every: usize) -> Vec<(Point, &'static str)> {
    let mut seen = BTreeSet::new();
    let first = acts.into_iter().filter(|point| seen.insert((point.path.clone(), point.act.clone())));
    let chosen = first.enumerate().filter(|(number, _)| number % every == 0);
    let with_kind = |(number, point): (usize, Point)| {
        let kinds = point.kinds();
        let kind = kinds[(number / every) % kinds.len()];
        (point, kind)
    };
    chosen.map(with_kind).collect()
}

/// Lets one act after the other fail, each in a run that goes on where the one before it ended; then nothing fails. A fault that
/// ends no run lets the installation come to its end: it is taken back then, and the next one begins anew.
pub fn walk(
    patient: &mut dyn Breakable,
    reference: &Reference,
    faults: &[(Point, &str)],
    outcomes: &mut Outcomes,
) {
    let mut key = None;
    for (point, kind) in faults {
        let fault = point.fault(kind, false);
        patient.plan(&fault);
        let run = install(patient);
        patient.plan("");
        let was_reached = patient.trace().lines().any(|line| line == point.to_string());
        let is_failure = run.code != Some(0);
        if was_reached {
            let counts = if is_failure { &mut outcomes.failed } else { &mut outcomes.unnoticed };
            *counts.entry(format!("{} {kind}", point.act)).or_default() += 1;
        }
        let mut check = || {
            if is_failure {
                check_message(&run, point, kind)?;
            } else if !patient.is_served() {
                return Err(format!("nobody answers\n{run}"));
            }
            let left: Vec<_> = patient.places().iter().flat_map(|place| leftovers(place)).collect();
            // What a killed run has left, the next one clears away; that is looked at when it is done.
            if !(left.is_empty() || is_failure && *kind == KILL) {
                return Err(format!("left over: {left:?}\n{run}"));
            }
            check_directory(&patient.dir(), &mut key).map_err(|why| format!("{why}\n{run}"))
        };
        if let Err(why) = check() {
            outcomes.wrong.push(format!("{fault}: {why}"));
        }
        if !is_failure {
            purge(patient, reference, true)
                .unwrap_or_else(|why| outcomes.wrong.push(format!("{fault}: {why}")));
            key = None;
        }
    }
    finish(patient, reference, &mut key, None).unwrap_or_else(|why| outcomes.wrong.push(why));
    purge(patient, reference, true).unwrap_or_else(|why| outcomes.wrong.push(why));
}

/// Lets several acts fail in one run, each group in a run that goes on where the one before it ended; then nothing fails.
pub fn walk_together(
    patient: &mut dyn Breakable,
    reference: &Reference,
    groups: &[Vec<(Point, &'static str)>],
    outcomes: &mut Outcomes,
) {
    let mut key = None;
    for group in groups {
        let faults: Vec<String> = group.iter().map(|(point, kind)| point.fault(kind, false)).collect();
        patient.plan(&faults.join("\n"));
        let run = install(patient);
        patient.plan("");
        let is_failure = run.code != Some(0);
        let counts = if is_failure { &mut outcomes.failed } else { &mut outcomes.unnoticed };
        *counts.entry("several at once".to_owned()).or_default() += 1;
        let may_be_killed = group.iter().any(|(_, kind)| *kind == KILL);
        let mut check = || {
            let says_what_to_do = run.stdout.to_lowercase().contains("run the same command again");
            match run.code {
                Some(0) if patient.is_served() => {}
                Some(1) if says_what_to_do || may_be_killed => {}
                None | Some(137) if may_be_killed => {}
                _ => return Err(format!("neither done nor a failure that says what to do\n{run}")),
            }
            let left: Vec<_> = patient.places().iter().flat_map(|place| leftovers(place)).collect();
            if !(left.is_empty() || is_failure && may_be_killed) {
                return Err(format!("left over: {left:?}\n{run}"));
            }
            check_directory(&patient.dir(), &mut key).map_err(|why| format!("{why}\n{run}"))
        };
        if let Err(why) = check() {
            outcomes.wrong.push(format!("{faults:?}: {why}"));
        }
        if !is_failure {
            purge(patient, reference, true)
                .unwrap_or_else(|why| outcomes.wrong.push(format!("{faults:?}: {why}")));
            key = None;
        }
    }
    finish(patient, reference, &mut key, None).unwrap_or_else(|why| outcomes.wrong.push(why));
    purge(patient, reference, true).unwrap_or_else(|why| outcomes.wrong.push(why));
}

/// After a purge that broke off, nothing speaks as if the application were whole, or as if its data were kept.
/// Returns whether there was an occasion to say so.
fn check_half_removed(patient: &dyn Breakable) -> Result<bool, String> {
    let receipt = patient.dir().join(".airlift/receipt.json");
    let is_recorded =
        std::fs::read_to_string(receipt).is_ok_and(|text| text.contains("\"removal\": \"purge\""));
    for verb in ["status", "start", "stop", "restart", "logs", "uninstall"].iter().filter(|_| is_recorded) {
        let run = patient.run(&[verb, "--lang=en"], "");
        let words =
            ["The uninstallation of hello did not come to its end", "uninstall --purge; to install it again"];
        let said: String = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        if run.code != Some(1) || !words.iter().all(|word| said.contains(word)) {
            return Err(format!("{verb} does not say that a purge broke off\n{run}"));
        }
    }
    Ok(is_recorded)
}

/// All acts, with the kinds of faults in turn; of them the share that the environment asks for (`TORTURE_PART`).
#[must_use]
pub fn all_acts(acts: Vec<Point>) -> Vec<(Point, &'static str)> {
    let with_kind = |(number, point): (usize, Point)| {
        let kinds = point.kinds();
        (point, kinds[number % kinds.len()])
    };
    acts.into_iter().enumerate().filter(|(number, _)| is_in_share(*number)).map(with_kind).collect()
}

/// The first act of each kind on each path, and at each the process is killed; of them the share that the environment asks for.
#[must_use]
pub fn killed(acts: Vec<Point>) -> Vec<(Point, &'static str)> {
    let all = first_acts(acts, 1).into_iter().enumerate();
    all.filter(|(number, _)| is_in_share(*number)).map(|(_, (point, _))| (point, KILL)).collect()
}

/// The first act of each kind on each path, with the kinds of faults in turn; of them the share that the environment asks for.
#[must_use]
pub fn each_once(acts: Vec<Point>) -> Vec<(Point, &'static str)> {
    let all = first_acts(acts, 1).into_iter().enumerate();
    all.filter(|(number, _)| is_in_share(*number)).map(|(_, fault)| fault).collect()
}

/// Whether the long form has this one: `TORTURE_PART` is the share of it that is carried out, for those who have less time.
#[must_use]
pub fn is_in_share(number: usize) -> bool {
    let part = std::env::var("TORTURE_PART").ok().and_then(|part| part.parse().ok()).unwrap_or(1.0);
    let count = |number: usize| (number as f64 * part).ceil() as usize;
    count(number + 1) > count(number)
}

/// Lets acts of an uninstallation fail, one in each: it says what and why, and the same command, run again, ends
/// it, with all as it was before. A fault that ends nothing leaves nothing either.
///
/// # Panics
/// When an installation does not come to its end while nothing fails.
pub fn walk_back(
    patient: &mut dyn Breakable,
    reference: &Reference,
    choose: impl FnOnce(Vec<Point>) -> Vec<(Point, &'static str)>,
    outcomes: &mut Outcomes,
) {
    let _ = install(patient).done();
    let _ = patient.run(&UNDO, "hello\n").done();
    let faults = choose(points(&patient.trace()));
    let mut half_removed = 0;
    for (point, kind) in &faults {
        let _ = install(patient).done();
        let fault = point.fault(kind, false);
        patient.plan(&fault);
        let run = patient.run(&UNDO, "hello\n");
        patient.plan("");
        let was_reached = patient.trace().lines().any(|line| line == point.to_string());
        let is_failure = run.code != Some(0);
        if was_reached {
            let counts = if is_failure { &mut outcomes.failed } else { &mut outcomes.unnoticed };
            *counts.entry(format!("{} {kind}", point.act)).or_default() += 1;
        }
        if is_failure
            && *kind != KILL
            && let Err(why) = check_refusal(&run, point, kind)
        {
            outcomes.wrong.push(format!("{fault}: {why}"));
        }
        match is_failure.then(|| check_half_removed(patient)) {
            Some(Ok(is_recorded)) => half_removed += usize::from(is_recorded),
            Some(Err(why)) => outcomes.wrong.push(format!("{fault}: {why}")),
            None => {}
        }
        if let Err(why) = purge(patient, reference, true) {
            outcomes.wrong.push(format!("{fault}: {why}"));
            return;
        }
    }
    assert!(half_removed > 0, "no fault has left an application that is removed by half");
}

fn check_refusal(run: &Run, point: &Point, kind: &str) -> Result<(), String> {
    let (_, why) = WHY.iter().find(|(name, _)| *name == kind).unwrap();
    let path = point.path.display().to_string();
    // Lines are broken between words.
    let said: String = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    if run.code != Some(1) {
        Err(format!("the exit code is not 1\n{run}"))
    } else if point.act != "spawn" && !said.contains(&path) {
        Err(format!("the message does not name the path\n{run}"))
    } else if !said.contains(why) {
        Err(format!("the message does not say why\n{run}"))
    } else {
        Ok(())
    }
}
