//! The plan: which acts fail, and how.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::Act;

/// Variable with the plan: one fault a line.
const PLAN: &str = "INSTALLER_FAULTS";
/// Variable with the path of the trace, which gets one line for each act.
const TRACE: &str = "INSTALLER_FAULTS_TRACE";

const ERRORS: [(&str, rustix::io::Errno); 7] = [
    ("EACCES", rustix::io::Errno::ACCESS),
    ("EAGAIN", rustix::io::Errno::AGAIN),
    ("EDQUOT", rustix::io::Errno::DQUOT),
    ("EINTR", rustix::io::Errno::INTR),
    ("EIO", rustix::io::Errno::IO),
    ("ENOSPC", rustix::io::Errno::NOSPC),
    ("EROFS", rustix::io::Errno::ROFS),
];

/// One fault: which act fails, and how. As text `ACT NUMBER KIND PATH`, as in `rename 1 EIO /opt/x/.env`; a number with `+` behind
/// it means that act and all after it, the path `*` all paths; the kind is an error, `SHORT`, a write that takes half of what
/// it is given, or `KILL`: the process is killed (SIGKILL) right before the act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    act: String,
    /// Counted from 1, for each act and path; for `*`, over all paths.
    number: usize,
    lasts: bool,
    kind: Kind,
    path: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Error(rustix::io::Errno),
    Short,
    Kill,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let wrong = || format!("`{line}` is no fault");
        let mut words = line.splitn(4, ' ');
        let mut word = || words.next().ok_or_else(wrong);
        let (act, number, kind, path) = (word()?, word()?, word()?, word()?);
        let kind = match ERRORS.iter().find(|(name, _)| *name == kind) {
            Some((_, error)) => Kind::Error(*error),
            None if kind == "SHORT" => Kind::Short,
            None if kind == "KILL" => Kind::Kill,
            None => return Err(wrong()),
        };
        Ok(Self {
            act: act.to_owned(),
            number: number.trim_end_matches('+').parse().map_err(|_| wrong())?,
            lasts: number.ends_with('+'),
            kind,
            path: (path != "*").then(|| PathBuf::from(path)),
        })
    }
}

/// Faults, and the acts so far.
#[derive(Debug, Default)]
pub struct Plan {
    faults: Vec<Fault>,
    trace: Option<File>,
    state: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    by_path: HashMap<(Act, PathBuf), usize>,
    by_act: HashMap<Act, usize>,
    acts: Vec<(Act, PathBuf)>,
}

impl Plan {
    /// A plan from its text.
    ///
    /// # Errors
    /// The line that is no fault.
    pub fn parse(text: &str) -> Result<Self, String> {
        let faults = text.lines().map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { faults, ..Self::default() })
    }

    /// What was done so far, or tried.
    pub fn acts(&self) -> Vec<(Act, PathBuf)> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).acts.clone()
    }

    /// Counts an act; how it fails, if it does.
    fn next(&self, act: Act, path: &Path) -> Option<Kind> {
        let mut counts = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let here = counts.by_path.entry((act, path.to_owned())).or_default();
        *here += 1;
        let here = *here;
        let anywhere = counts.by_act.entry(act).or_default();
        *anywhere += 1;
        let anywhere = *anywhere;
        counts.acts.push((act, path.to_owned()));
        if let Some(mut trace) = self.trace.as_ref() {
            // One call: lines of two processes do not mix.
            let _ = trace.write_all(format!("{act} {here} {}\n", path.display()).as_bytes());
        }
        let name = act.to_string();
        let is_it = |fault: &&Fault| {
            let number = if fault.path.is_some() { here } else { anywhere };
            (fault.act == name || fault.act == "*")
                && fault.path.as_deref().is_none_or(|wanted| wanted == path)
                && (number == fault.number || fault.lasts && number > fault.number)
        };
        self.faults.iter().find(is_it).map(|fault| fault.kind)
    }
}

/// The plan of the whole process.
fn global() -> &'static Plan {
    static GLOBAL: OnceLock<Plan> = OnceLock::new();
    GLOBAL.get_or_init(|| {
        let text = std::env::var(PLAN).unwrap_or_default();
        // A test whose plan is not understood would pass for nothing.
        let mut plan = Plan::parse(&text).unwrap_or_else(|_| std::process::abort());
        plan.trace = std::env::var_os(TRACE)
            .and_then(|path| File::options().create(true).append(true).open(path).ok());
        plan
    })
}

thread_local! {
    static LOCAL: RefCell<Option<&'static Plan>> = const { RefCell::new(None) };
}

/// Does something with a plan of its own, on this thread only; gives what was done so far, or tried, as well.
pub fn with<T>(plan: Plan, act: impl FnOnce() -> T) -> (T, Vec<(Act, PathBuf)>) {
    // Small, and only in tests.
    let plan: &'static Plan = Box::leak(Box::new(plan));
    LOCAL.set(Some(plan));
    let done = act();
    LOCAL.set(None);
    (done, plan.acts())
}

fn next(act: Act, path: &Path) -> Option<Kind> {
    let kind = LOCAL
        .with_borrow(|local| local.map_or_else(|| global().next(act, path), |plan| plan.next(act, path)));
    if kind == Some(Kind::Kill) {
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    }
    kind
}

/// Called before each act.
///
/// # Errors
/// When the plan says so.
pub fn pass(act: Act, path: &Path) -> io::Result<()> {
    match next(act, path) {
        Some(Kind::Error(error)) => Err(error.into()),
        _ => Ok(()),
    }
}

/// What the content of a file is written with.
pub fn writer<W: Write>(path: &Path, inner: W) -> impl Write {
    Writer { path: path.to_owned(), inner }
}

struct Writer<W> {
    path: PathBuf,
    inner: W,
}

impl<W: Write> Write for Writer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let half = &bytes[..bytes.len().div_ceil(2)];
        match next(Act::Write, &self.path) {
            None | Some(Kind::Kill) => self.inner.write(bytes),
            Some(Kind::Short) => self.inner.write(half),
            Some(Kind::Error(rustix::io::Errno::INTR)) => Err(io::ErrorKind::Interrupted.into()),
            // As a disk that gets full: what had room is there.
            Some(Kind::Error(error)) => {
                self.inner.write_all(half)?;
                Err(error.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
