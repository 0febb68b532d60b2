//! Whoever looks at the list of processes while an installation runs learns no secret, nor does who reads what it says.
//!
//! [`Watch`] looks at the command lines of everything that this test has started, and at the environments of all but the
//! application's containers, which get theirs by it. What other tests pass on in the same moment is not looked at: they may have
//! given the same password on purpose, as this one has where a command itself tells it, with `--set` or a variable.
//! What is generated is known only afterwards; so all that was seen and heard is kept until a place is dropped ([`told`]).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The beginnings of all passwords that tests give, up to where they look the same wherever they are quoted.
pub const SECRETS: [&str; 3] = ["s3cret $(i", "correct horse", "pa$$ 'word"];

/// What a command line tells where it is meant to.
const TELLING: [&str; 2] = ["admin_password=", "session_key="];

/// What a variable tells where it is meant to.
const VARIABLES: [&str; 4] =
    ["AIRLIFT_ADMIN_PASSWORD", "AIRLIFT_SESSION_KEY", "ADMIN_PASSWORD", "SESSION_KEY"];

/// Between two looks: as a rule they take at most a twentieth of one core.
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// What has been seen of processes, and heard from commands, by this test: each text once, with where it is from.
static KNOWN: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// The processes that were told a secret on purpose, as they were started.
static TOLD: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// The folders of this test's engines: what keeps a container for them is nobody's child, and has such a path in its command line.
static ENGINES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// How often all watches of this test have looked.
static LOOKS: AtomicUsize = AtomicUsize::new(0);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The containers of an engine with this folder are this test's.
pub fn are_ours(engine: &Path) {
    let _ = locked(&ENGINES).insert(format!("{}/", engine.display()));
}

/// How often all watches of this test have looked.
#[must_use]
pub fn looks() -> usize {
    LOOKS.load(Ordering::Relaxed)
}

/// Whether there is something to watch while a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It runs no bundle: something short.
    Beside,
    /// It runs a bundle and tells it a secret itself, for all to see.
    Told,
    /// It runs a bundle.
    Watched,
}

impl Kind {
    /// The kind of a command.
    #[must_use]
    pub fn of(command: &Command) -> Self {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let args: Vec<_> = words.filter_map(OsStr::to_str).collect();
        // What a machine is given begins with the bundle's path, whether it is used or not.
        let is_bundle = |arg: &&str| match arg.split_once("export RUN=") {
            Some((_, script)) => script.contains("$RUN"),
            None => arg.ends_with(".run") || arg.contains(".run "),
        };
        if !args.iter().any(is_bundle) {
            return Self::Beside;
        }
        let tells = |text: &str| secret_in(text).is_some() || TELLING.iter().any(|id| text.contains(id));
        let in_variable = |(name, value): (&OsStr, Option<&OsStr>)| {
            VARIABLES.iter().any(|variable| name == *variable)
                || value.and_then(OsStr::to_str).is_some_and(tells)
        };
        let is_told = args.iter().any(|arg| tells(arg)) || command.get_envs().any(in_variable);
        if is_told { Self::Told } else { Self::Watched }
    }
}

/// A thread that looks at processes while a command runs. Dropping it ends it, and the test if it has seen a secret.
#[derive(Debug)]
pub struct Watch {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
    found: Arc<Mutex<Option<String>>>,
    told: Option<u32>,
}

impl Watch {
    /// A watch while a command of this kind runs, which was just started as this process.
    #[must_use]
    pub fn over(kind: Kind, child: u32) -> Option<Self> {
        match kind {
            Kind::Beside => None,
            Kind::Told => {
                let _ = locked(&TOLD).insert(child);
                Some(Self { stop: None, thread: None, found: Arc::default(), told: Some(child) })
            }
            Kind::Watched => Some(Self::start()),
        }
    }

    /// A watch over everything that this test has started and starts.
    #[must_use]
    pub fn start() -> Self {
        let (stop, stopped) = channel();
        let found = Arc::new(Mutex::new(None));
        let finds = Arc::clone(&found);
        let thread = std::thread::spawn(move || {
            let mut ours = BTreeSet::from([(std::process::id(), 0)]);
            loop {
                let started = Instant::now();
                if let Some(leak) = look(&mut ours) {
                    let _ = locked(&finds).get_or_insert(leak);
                }
                let _ = LOOKS.fetch_add(1, Ordering::Relaxed);
                let pause = (started.elapsed() * 20).clamp(PAUSE, LONGEST_PAUSE);
                if !matches!(stopped.recv_timeout(pause), Err(RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        });
        Self { stop: Some(stop), thread: Some(thread), found, told: None }
    }

    /// Where it has seen a secret.
    #[must_use]
    pub fn found(&self) -> Option<String> {
        locked(&self.found).clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        if let Some(told) = self.told {
            let _ = locked(&TOLD).remove(&told);
        }
        let found = self.found();
        assert!(found.is_none() || std::thread::panicking(), "a secret was to be seen in {found:?}");
    }
}

/// One look at all processes that this test has started: where one of them tells a secret. Those that lose their parent stay known.
fn look(ours: &mut BTreeSet<(u32, u64)>) -> Option<String> {
    let processes: BTreeMap<u32, (u32, u64)> =
        fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| stat(&entry.path())).collect();
    let own = std::process::id();
    let told = locked(&TOLD).clone();
    let mut leak = None;
    for (&pid, &(_, since)) in &processes {
        // From a process up to its first ancestor, which is this test.
        let line = std::iter::successors(Some(pid), |pid| Some(processes.get(pid)?.0));
        let line: Vec<u32> = line.take_while(|pid| *pid > 1).take(64).collect();
        let is_known = |pid: &u32| {
            *pid == own || processes.get(pid).is_some_and(|(_, since)| ours.contains(&(*pid, *since)))
        };
        let is_keeper = |pid: &u32| processes.get(pid).is_some_and(|(parent, _)| *parent == 1) && keeps(*pid);
        let is_ours = line.iter().any(is_known) || line.last().is_some_and(is_keeper);
        if pid == own || !is_ours || line.iter().any(|pid| told.contains(pid)) {
            continue;
        }
        let _ = ours.insert((pid, since));
        leak = leak.or(read(pid));
    }
    leak
}

/// Whether a process keeps containers for an engine of this test.
fn keeps(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line);
    line.contains("containerd-shim") && locked(&ENGINES).iter().any(|engine| line.contains(engine))
}

/// A process with its parent and the time at which it was started.
fn stat(process: &Path) -> Option<(u32, (u32, u64))> {
    let pid = process.file_name()?.to_str()?.parse().ok()?;
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let parent = fields.nth(1)?.parse().ok()?;
    Some((pid, (parent, fields.nth(17)?.parse().ok()?)))
}

/// Keeps what a process shows; where it tells a secret.
fn read(pid: u32) -> Option<String> {
    let process = Path::new("/proc").join(pid.to_string());
    let mut leak = None;
    for name in ["cmdline", "environ"] {
        if name == "environ" && is_in_a_container(&process) {
            continue;
        }
        let bytes = fs::read(process.join(name)).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
        let comm = fs::read_to_string(process.join("comm")).unwrap_or_default();
        let place = format!("{name} of process {pid} ({})", comm.trim());
        leak = leak.or(secret_in(&text).map(|_| format!("{place}: {text}")));
        let _ = locked(&KNOWN).entry(text).or_insert(place);
    }
    leak
}

/// Whether a process is one of an application's: in a container, and not in a whole system like the machine of these tests.
fn is_in_a_container(process: &Path) -> bool {
    let space = |process: &Path| fs::read_link(process.join("ns/pid")).ok();
    space(process) != space(Path::new("/proc/self")) && !process.join("root/run/systemd/system").exists()
}

fn secret_in(text: &str) -> Option<&'static str> {
    SECRETS.into_iter().find(|secret| text.contains(secret))
}

/// Keeps what a command said, which has no password in it.
///
/// # Panics
/// When it has.
pub fn hear(place: &str, text: &str) {
    let secret = secret_in(text).filter(|_| !std::thread::panicking());
    assert!(secret.is_none(), "there is a secret in {place}:\n{text}");
    let _ = locked(&KNOWN).entry(text.to_owned()).or_insert_with(|| place.to_owned());
}

/// The key that an installation has generated, if it is there.
#[must_use]
pub fn generated(state: &Path) -> Option<String> {
    let answers = fs::read_to_string(state.join("answers.json")).ok()?;
    let answers: Value = serde_json::from_str(&answers).ok()?;
    answers["session_key"].as_str().filter(|key| key.len() == 64).map(str::to_owned)
}

/// A place's last look: where in what was written down there for people, in what processes showed, or in what was said, there is a
/// password or what was generated. The answers of an installation are for the next one, and for root alone.
#[must_use]
pub fn told(states: &[PathBuf], mut generated: BTreeSet<String>) -> Option<String> {
    generated.extend(states.iter().filter_map(|state| self::generated(state)));
    let secrets = || SECRETS.into_iter().chain(generated.iter().map(String::as_str));
    let entries = states.iter().filter_map(|state| fs::read_dir(state).ok()).flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()).into_owned();
        if !path.ends_with("answers.json") && secrets().any(|secret| text.contains(secret)) {
            return Some(format!("there is a secret in {}:\n{text}", path.display()));
        }
    }
    let known = locked(&KNOWN);
    let told = known.iter().find(|(text, _)| generated.iter().any(|secret| text.contains(secret)));
    told.map(|(text, place)| format!("what was generated is in {place}:\n{text}"))
}
