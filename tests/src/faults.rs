//! Installations in which chosen acts on files and processes fail. The program is the installer with the feature `faults`
//! (`installer/src/host/fault.rs`), which reads from its environment what fails; everything else is as shipped.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::bundle::Bundle;
use crate::engine::Store;
use crate::machine::Machine;
use crate::parts::{self, Suite};
use crate::run::Run;
use crate::running::Running;
use crate::torture::patient::{OnEngine, OnMachine, Patient, Victim};
use crate::tree::Tree;

pub mod walk;

/// One act of an installation: the so-manieth of its kind on this path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What is done, as the installer's trace calls it.
    pub act: String,
    /// Counted from 1.
    pub number: usize,
    /// On which path.
    pub path: PathBuf,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.act, self.number, self.path.display())
    }
}

impl Point {
    /// The fault of this kind at this act; if `lasts`, at all later ones on this path as well.
    #[must_use]
    pub fn fault(&self, kind: &str, lasts: bool) -> String {
        let lasts = if lasts { "+" } else { "" };
        format!("{} {}{lasts} {kind} {}", self.act, self.number, self.path.display())
    }

    /// The kinds of faults that such an act can have.
    #[must_use]
    pub fn kinds(&self) -> &'static [&'static str] {
        match self.act.as_str() {
            // What is interrupted is tried again by whoever calls, and what is short is continued: neither may be noticed.
            "write" => &["ENOSPC", "EIO", "EDQUOT", "EINTR", "SHORT", KILL],
            "spawn" => &["EAGAIN", KILL],
            "sync" | "syncdir" | "syncfs" => &["EIO", "ENOSPC", KILL],
            "remove" | "own" | "lock" | "bind" | "open" => &["EIO", "EROFS", KILL],
            _ => &["ENOSPC", "EIO", "EROFS", KILL],
        }
    }
}

/// The acts of a trace in their order. Of many pieces of one file only the first, one in the middle and the last.
///
/// # Panics
/// When a line is none.
#[must_use]
pub fn points(trace: &str) -> Vec<Point> {
    let point = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (act, number, path) = (words.next()?, words.next()?, words.next()?);
        Some(Point { act: act.to_owned(), number: number.parse().ok()?, path: path.into() })
    };
    let all: Vec<Point> =
        trace.lines().map(|line| point(line).unwrap_or_else(|| panic!("no act: {line}"))).collect();
    let mut pieces = BTreeMap::<&Path, usize>::new();
    for point in all.iter().filter(|point| point.act == "write") {
        *pieces.entry(&point.path).or_default() += 1;
    }
    let is_wanted = |point: &&Point| {
        let count = pieces.get(point.path.as_path()).copied().unwrap_or_default();
        point.act != "write" || count <= MANY || [1, count / 2, count].contains(&point.number)
    };
    all.iter().filter(is_wanted).cloned().collect()
}

/// The process is killed right before the act.
pub const KILL: &str = "KILL";

/// Files with more pieces than this are large.
const MANY: usize = 40;

/// A patient whose installer's acts fail as told.
pub trait Breakable: Patient {
    /// Lets the next runs fail so: one fault a line.
    fn plan(&mut self, faults: &str);
    /// What was done in the last run, or tried.
    fn trace(&self) -> String;
    /// Where it writes.
    fn places(&self) -> Vec<PathBuf> {
        vec![self.dir()]
    }
}

/// An engine that was there before, and an installer whose acts fail as told.
#[derive(Debug)]
pub struct Faulty {
    inner: OnEngine,
    folder: TempDir,
    plan: String,
}

impl Faulty {
    /// A new engine; nothing fails yet. `program` is the installer with faults.
    ///
    /// # Panics
    /// When the engine does not come up, or the program cannot be copied.
    #[must_use]
    pub fn new(store: Store, program: &Path) -> Self {
        let folder = parts::scratch();
        let this = Self { inner: OnEngine::new(Suite::Forky, store), folder, plan: String::new() };
        // It is copied into each installation, and its debugging information is many times its size.
        let _ = Run::of(Command::new("strip").arg("-o").arg(this.program().path).arg(program)).done();
        this
    }

    /// The engine and its place.
    #[must_use]
    pub fn inner(&self) -> &OnEngine {
        &self.inner
    }

    fn program(&self) -> Bundle {
        Bundle { path: self.folder.path().join("installer") }
    }

    fn command(&self, args: &[&str]) -> Command {
        let trace = self.folder.path().join("trace");
        let _ = fs::remove_file(&trace);
        let mut command = self.inner.site().command(&self.program(), args);
        command
            .env("AIRLIFT_BUNDLE", &self.inner.bundle().path)
            .env("INSTALLER_FAULTS", &self.plan)
            .env("INSTALLER_FAULTS_TRACE", trace);
        command
    }
}

impl Patient for Faulty {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn bundle(&self) -> &Bundle {
        self.inner.bundle()
    }

    fn run(&self, args: &[&str], typed: &str) -> Run {
        Run::of_typing(&mut self.command(args), typed)
    }

    fn begin(&self) -> Running {
        Running::start(self.command(&crate::site::INSTALL).arg("--json"))
    }

    fn strike(&mut self, victim: Victim, running: Running) -> Run {
        self.inner.strike(victim, running)
    }

    fn dir(&self) -> PathBuf {
        self.inner.dir()
    }

    fn ask(&self, script: &str) -> Option<String> {
        self.inner.ask(script)
    }

    fn engine(&self) -> String {
        self.inner.engine()
    }

    fn surroundings(&self) -> Tree {
        self.inner.surroundings()
    }

    fn is_served(&self) -> bool {
        self.inner.is_served()
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

impl Breakable for Faulty {
    fn plan(&mut self, faults: &str) {
        faults.clone_into(&mut self.plan);
    }

    fn trace(&self) -> String {
        fs::read_to_string(self.folder.path().join("trace")).unwrap_or_default()
    }
}

/// A fresh machine with systemd and without an engine, and an installer whose acts fail as told.
#[derive(Debug)]
pub struct FaultyMachine {
    inner: OnMachine,
    program: String,
    plan: String,
}

/// Where the installer writes down what it does; it is gone after a boot.
const TRACE: &str = "/run/trace";

impl FaultyMachine {
    /// A new machine; nothing fails yet. `program` is the installer with faults.
    ///
    /// # Panics
    /// When the machine does not come up, or the program cannot be copied.
    #[must_use]
    pub fn new(program: &Path) -> Self {
        let inner = OnMachine::new(Machine::boot());
        let folder = parts::scratch();
        let stripped = folder.path().join("installer");
        let _ = Run::of(Command::new("strip").arg("-o").arg(&stripped).arg(program)).done();
        let program = inner.machine().plug_in(&stripped);
        Self { inner, program, plan: String::new() }
    }

    /// The machine.
    #[must_use]
    pub fn machine(&self) -> &Machine {
        self.inner.machine()
    }
}

impl Patient for FaultyMachine {
    fn name(&self) -> String {
        self.inner.name()
    }

    fn bundle(&self) -> &Bundle {
        self.inner.bundle()
    }

    fn run(&self, args: &[&str], typed: &str) -> Run {
        let args = args.join(" ").replace("answers.toml", "/stick/answers.toml");
        let (bundle, program, plan) = (self.inner.plugged(), &self.program, &self.plan);
        self.inner.machine().sh(&format!(
            "rm -f {TRACE}; export AIRLIFT_BUNDLE={bundle} INSTALLER_FAULTS='{plan}' INSTALLER_FAULTS_TRACE={TRACE}; \
             printf '%s' '{typed}' | {program} {args}"
        ))
    }

    fn begin(&self) -> Running {
        self.inner.begin()
    }

    fn strike(&mut self, victim: Victim, running: Running) -> Run {
        self.inner.strike(victim, running)
    }

    fn dir(&self) -> PathBuf {
        self.inner.dir()
    }

    fn ask(&self, script: &str) -> Option<String> {
        self.inner.ask(script)
    }

    fn surroundings(&self) -> Tree {
        self.inner.surroundings()
    }

    fn is_served(&self) -> bool {
        self.inner.is_served()
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

impl Breakable for FaultyMachine {
    fn plan(&mut self, faults: &str) {
        faults.clone_into(&mut self.plan);
    }

    fn trace(&self) -> String {
        self.inner.machine().sh(&format!("cat {TRACE}")).stdout
    }

    fn places(&self) -> Vec<PathBuf> {
        let places = ["opt/hello", "usr/local", "usr/bin", "etc"];
        places.map(|place| self.inner.machine().root().join(place)).to_vec()
    }
}
