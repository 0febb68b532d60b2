//! Processes: run to the end with captured output, or detached from this session. No shell is ever involved, and no
//! child inherits our environment: a stray variable of the operator's would override `.env`.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, IsTerminal, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, SystemTime};

use procfs::Current as _;

use super::fault::{self, Act};

/// Directories searched for system commands, whatever the operator's `PATH` is; under sudo it is often shortened.
pub const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// This program, also when its file is gone.
const OWN: &str = "/proc/self/exe";

/// What a finished process left.
#[derive(Debug)]
pub struct Finished {
    /// Exit status.
    pub status: ExitStatus,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// A command with a clean environment.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", SYSTEM_PATH).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// The same, for a program that must not outlive us: what it still did would come between the next run's feet.
///
/// The kernel is told so in the new process, by this executable under the hidden verb `__follow` ([`become_follower`]).
pub fn following_command(program: impl AsRef<OsStr>) -> Command {
    let mut command = command(OWN);
    command.arg("__follow").arg(program);
    command
}

/// The other half of [`following_command`]: asks to be killed when the parent is gone, and becomes the program. Returns only when
/// that fails; the reason goes to standard error, where that of a program would be.
pub fn become_follower(command: &[std::ffi::OsString]) {
    let Some((program, arguments)) = command.split_first() else { return };
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let error = Command::new(program).args(arguments).exec();
    // Nobody may listen.
    let _ = writeln!(io::stderr(), "{}: {error}", Path::new(program).display());
}

/// Runs a command to its end, with no input.
///
/// # Errors
/// When it cannot be started.
pub fn run(command: &mut Command) -> io::Result<Finished> {
    fault::pass(Act::Spawn, Path::new(command.get_program()))?;
    let output = command.output()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok(Finished { status: output.status, stdout: text(output.stdout), stderr: text(output.stderr) })
}

/// Runs a command to its end. What it writes goes where ours goes, but where that is a terminal, through `output` and `errors`.
///
/// # Errors
/// When it cannot be started.
pub fn run_attached(
    command: &mut Command,
    output: impl FnOnce(ChildStdout) + Send,
    errors: impl FnOnce(ChildStderr) + Send,
) -> io::Result<ExitStatus> {
    fault::pass(Act::Spawn, Path::new(command.get_program()))?;
    if io::stdout().is_terminal() {
        command.stdout(Stdio::piped());
    }
    if io::stderr().is_terminal() {
        command.stderr(Stdio::piped());
    }
    let mut child = command.spawn()?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        scope.spawn(|| stdout.map(output));
        scope.spawn(|| stderr.map(errors));
        child.wait()
    })
}

/// Where a system command is, if it is installed.
pub fn find(name: &str) -> Option<PathBuf> {
    SYSTEM_PATH.split(':').map(|dir| Path::new(dir).join(name)).find(|path| path.is_file())
}

/// Starts a program in a session of its own, with its output in a log file, and returns its process id.
///
/// `setsid` must be called in the new process; that is done by this executable under the hidden verb `__detach`
/// ([`become_detached`]), since running code between fork and exec needs `unsafe`.
///
/// # Errors
/// When it cannot be started.
pub fn spawn_detached(command: &[&OsStr], environment: &[(&str, &OsStr)], log: &Path) -> io::Result<u32> {
    fault::pass(Act::Open, log)?;
    let log = std::fs::File::options().create(true).append(true).open(log)?;
    let mut detacher = self::command(OWN);
    detacher.arg("__detach").args(command).envs(environment.iter().copied());
    fault::pass(Act::Spawn, Path::new(detacher.get_program()))?;
    let child = detacher.stdout(log.try_clone()?).stderr(log).current_dir("/").spawn()?;
    Ok(child.id())
}

/// The other half of [`spawn_detached`]: leaves the session and becomes the program.
///
/// Returns only when that fails, with the reason.
pub fn become_detached(command: &[std::ffi::OsString]) -> io::Error {
    let Some((program, arguments)) = command.split_first() else {
        return io::ErrorKind::InvalidInput.into();
    };
    if let Err(error) = rustix::process::setsid() {
        return error.into();
    }
    Command::new(program).args(arguments).exec()
}

/// Starts this program once more, with the first argument `mark`. It shares the terminal and the environment; its standard output
/// comes to us. Until it has left ([`leave_terminal`]) it ends with us.
///
/// # Errors
/// When it cannot be started.
pub fn spawn_self(mark: &str, arguments: &[std::ffi::OsString]) -> io::Result<Child> {
    let (name, rest) = arguments.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // The launcher's copy of this file is gone by now.
    fault::pass(Act::Spawn, Path::new(OWN))?;
    Command::new(OWN).arg0(name).arg(mark).args(rest).stdout(Stdio::piped()).spawn()
}

/// What a process that [`spawn_self`] started does first: it is told to end when we end without a word.
pub fn follow_parent() {
    // Without it, a wizard whose terminal is gone ends when it next reads.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}

/// Leaves terminal, session and parent: whatever becomes of them, this process goes on. Its errors go to `log`. Returns what was
/// its standard output.
///
/// # Errors
/// As the system says; the process may then still hang on its terminal.
pub fn leave_terminal(log: &Path) -> io::Result<File> {
    rustix::process::set_parent_process_death_signal(None)?;
    // Only one who is at the head of a group already cannot leave: somebody has started the hidden verb by hand.
    let _ = rustix::process::setsid();
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let nothing = File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&nothing)?;
    rustix::stdio::dup2_stdout(&nothing)?;
    match super::file::append_private(log) {
        Ok(log) => rustix::stdio::dup2_stderr(log)?,
        Err(_) => rustix::stdio::dup2_stderr(&nothing)?,
    }
    Ok(output)
}

/// Asks this process's group, its children that have no session of their own, to end.
pub fn terminate_group() {
    let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TERM);
}

/// Sends a signal on to a process.
pub fn forward(pid: u32, number: i32) {
    if let (Some(sent), Ok(pid)) = (rustix::process::Signal::from_named_raw(number), i32::try_from(pid)) {
        // Who is gone has no need of it.
        let _ = signal(pid, sent);
    }
}

/// Whether a login session would take this process with it when it ends, where the host is set up so.
pub fn is_in_login_session() -> bool {
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    Path::new("/run/systemd/system").is_dir() && groups.contains("/user.slice/")
}

/// Asks systemd for a scope of its own for this process, outside any login session.
///
/// # Errors
/// When systemd cannot be asked or refuses.
pub fn leave_login_session(name: &str) -> io::Result<()> {
    let pid = std::process::id().to_string();
    let busctl = find("busctl").ok_or(io::ErrorKind::NotFound)?;
    let manager =
        ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
    let scope = format!("airlift-{pid}.scope");
    let mut call = command(busctl);
    call.arg("call").args(manager).args(["StartTransientUnit", "ssa(sv)a(sa(sv))", &scope, "fail", "2"]);
    call.args(["Description", "s", name, "PIDs", "au", "1", &pid, "0"]);
    let finished = run(&mut call)?;
    if finished.status.success() { Ok(()) } else { Err(io::Error::other(finished.stderr.trim().to_owned())) }
}

/// Whether a process with this id runs `program`, also when the program's file has been removed; ids are reused, so the id
/// alone proves nothing.
pub fn is_running(pid: i32, program: &Path) -> bool {
    let program = real(program);
    let removed = format!("{} (deleted)", program.display());
    let is_zombie = |process: &procfs::process::Process| process.stat().is_ok_and(|stat| stat.state == 'Z');
    procfs::process::Process::new(pid).is_ok_and(|process| {
        process.exe().is_ok_and(|exe| exe == program || exe == Path::new(&removed)) && !is_zombie(&process)
    })
}

/// A path as the kernel names it, without links; of what is gone as far as it is still there.
fn real(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|ancestor| Some((ancestor, ancestor.canonicalize().ok()?)));
    existing
        .and_then(|(ancestor, real)| Some(real.join(path.strip_prefix(ancestor).ok()?)))
        .unwrap_or_else(|| path.to_owned())
}

/// Whether there is such a process. One that has ended and that nobody has asked about yet is none.
pub fn is_alive(pid: i32) -> bool {
    procfs::process::Process::new(pid)
        .and_then(|process| process.stat())
        .is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X'))
}

/// The process that runs `program`, if any does.
pub fn find_running(program: &Path) -> Option<i32> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    processes.map(|process| process.pid).find(|pid| is_running(*pid, program) && is_beside_us(*pid))
}

/// Whether any process lives whose name begins so.
pub fn is_any_named(name: &str) -> bool {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let mut stats = processes.filter_map(|process| process.stat().ok());
    stats.any(|stat| stat.comm.starts_with(name) && !matches!(stat.state, 'Z' | 'X'))
}

/// Whether a process sees the same processes as we do: those in containers do not, and their programs only seem to lie where ours do.
fn is_beside_us(pid: i32) -> bool {
    let space = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    match (space(&pid.to_string()), space("self")) {
        (Some(its), Some(ours)) => its == ours,
        // Only root may ask after somebody else's name space; how deep it lies, everybody may know.
        _ => depth(pid) == depth(rustix::process::getpid().as_raw_nonzero().get()),
    }
}

/// In how many name spaces of processes this one has a number. Kernels before 4.1 do not say.
fn depth(pid: i32) -> Option<usize> {
    procfs::process::Process::new(pid).ok()?.status().ok()?.nspid.map(|numbers| numbers.len())
}

/// The names of all processes that see the same processes as we do: not those in containers. The kernel keeps 15 bytes of a name.
pub fn names() -> Vec<String> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let beside_us = processes.filter(|process| is_beside_us(process.pid));
    beside_us.filter_map(|process| Some(process.stat().ok()?.comm)).collect()
}

/// The command lines of all processes of this name that see the same processes as we do: not those in containers.
pub fn command_lines(name: &str) -> Vec<Vec<String>> {
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let alive = processes.filter(|process| {
        process.stat().is_ok_and(|stat| stat.comm.starts_with(name) && !matches!(stat.state, 'Z' | 'X'))
    });
    alive.filter(|process| is_beside_us(process.pid)).filter_map(|process| process.cmdline().ok()).collect()
}

/// When the program was started that listens at a socket; for a socket that systemd has handed over, the youngest of the programs whose
/// name begins so. Nothing where it is in a container.
pub fn listener_started(socket: &Path, name: &str) -> Option<SystemTime> {
    let stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
    let listener = rustix::net::sockopt::socket_peercred(stream.as_fd()).ok()?.pid.as_raw_nonzero().get();
    if listener != 1 {
        return started(&procfs::process::Process::new(listener).ok()?.stat().ok()?);
    }
    let processes = procfs::process::all_processes().into_iter().flatten().flatten();
    let beside_us = processes.filter(|process| is_beside_us(process.pid));
    let named =
        beside_us.filter_map(|process| process.stat().ok()).filter(|stat| stat.comm.starts_with(name));
    named.filter_map(|stat| started(&stat)).max()
}

fn started(stat: &procfs::process::Stat) -> Option<SystemTime> {
    let since_boot = stat.starttime as f64 / procfs::ticks_per_second() as f64;
    let age = procfs::Uptime::current().ok()?.uptime - since_boot;
    SystemTime::now().checked_sub(Duration::try_from_secs_f64(age).ok()?)
}

/// All processes whose program lies in this directory, or did, and all that descend from them.
pub fn all_below(dir: &Path) -> Vec<i32> {
    let dir = real(dir);
    let processes: Vec<_> = procfs::process::all_processes().into_iter().flatten().flatten().collect();
    let stats: Vec<_> = processes.iter().filter_map(|process| process.stat().ok()).collect();
    let is_alive = |pid: i32| stats.iter().any(|stat| stat.pid == pid && !matches!(stat.state, 'Z' | 'X'));
    let is_below = |process: &&procfs::process::Process| {
        process.exe().is_ok_and(|exe| exe.starts_with(&dir))
            && is_alive(process.pid)
            && is_beside_us(process.pid)
    };
    let mut found: Vec<i32> = processes.iter().filter(is_below).map(|process| process.pid).collect();
    let mut position = 0;
    while let Some(parent) = found.get(position).copied() {
        let children =
            stats.iter().filter(|stat| stat.ppid == parent && is_alive(stat.pid)).map(|stat| stat.pid);
        let new: Vec<i32> = children.filter(|child| !found.contains(child)).collect();
        found.extend(new);
        position += 1;
    }
    found
}

/// How much a process has read, written and computed so far: two looks that differ prove that it does something. Nothing where
/// there is no such process.
pub fn doings(pid: &str) -> Option<(u64, u64, u64)> {
    let process = procfs::process::Process::new(pid.parse().ok()?).ok()?;
    let (io, stat) = (process.io().ok()?, process.stat().ok()?);
    Some((io.rchar, io.wchar, stat.utime + stat.stime))
}

/// Asks a process to end.
///
/// # Errors
/// When there is no such process.
pub fn terminate(pid: i32) -> io::Result<()> {
    signal(pid, rustix::process::Signal::TERM)
}

/// Ends a process at once.
///
/// # Errors
/// When there is no such process.
pub fn kill(pid: i32) -> io::Result<()> {
    signal(pid, rustix::process::Signal::KILL)
}

fn signal(pid: i32, signal: rustix::process::Signal) -> io::Result<()> {
    let pid = rustix::process::Pid::from_raw(pid).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(rustix::process::kill_process(pid, signal)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of `cat` under another name, started by `starter`; it ends when its standard input does.
    fn waiting(dir: &Path, name: &str, starter: &[&str]) -> Child {
        let program = dir.join(name);
        std::fs::copy("/usr/bin/cat", &program).unwrap();
        let (first, rest) =
            starter.split_first().map_or((None, &[][..]), |(first, rest)| (Some(first), rest));
        let mut command = first.map_or_else(|| Command::new(&program), Command::new);
        if first.is_some() {
            command.args(rest).arg(&program);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        // It has begun to be what it is called once it gives back what it gets.
        child.stdin.as_mut().unwrap().write_all(b"x").unwrap();
        let mut back = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut back).unwrap();
        child
    }

    #[test]
    fn processes_of_containers_are_none_of_this_machine() {
        let dir = tempfile::tempdir().unwrap();
        let mut here = waiting(dir.path(), "wall-here", &[]);
        let mut inside = waiting(dir.path(), "wall-inside", &["unshare", "--fork", "--pid"]);
        let found = names();
        assert!(is_any_named("wall-here") && is_any_named("wall-inside"));
        assert!(
            found.iter().any(|name| name == "wall-here") && !found.iter().any(|name| name == "wall-inside")
        );
        for child in [&mut here, &mut inside] {
            drop(child.stdin.take());
            child.wait().unwrap();
        }
    }
}
