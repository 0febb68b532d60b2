//! A terminal line that somebody sits at, and that can drop.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::secrets::{self, Kind, Watch};
use crate::wait;

/// A command on a terminal of its own, which is its controlling terminal. Dropping it drops the line.
#[derive(Debug)]
pub struct Line {
    child: Child,
    near: Option<OwnedFd>,
    shown: Arc<Mutex<String>>,
    is_down: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
    watch: Option<Watch>,
}

impl Line {
    /// Starts a command.
    ///
    /// # Panics
    /// When it cannot be started.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let far = rustix::fs::open(name.as_c_str(), flags, Mode::empty()).unwrap();
        // `setsid` makes it the head of a session with this terminal, as a login does.
        let mut session = Command::new("setsid");
        session.arg("--ctty").arg(command.get_program()).args(command.get_args());
        session.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                session.env(name, value);
            }
        }
        if let Some(dir) = command.get_current_dir() {
            session.current_dir(dir);
        }
        let end = || far.try_clone().unwrap();
        let child = session.env("TERM", "xterm").stdin(end()).stdout(end()).stderr(far.try_clone().unwrap());
        let child = child.spawn().unwrap();
        let watch = Watch::over(Kind::of(&session), child.id());
        drop(session);
        drop(far);
        let shown = Arc::new(Mutex::new(String::new()));
        let (kept, mut source) = (Arc::clone(&shown), File::from(near.as_fd().try_clone_to_owned().unwrap()));
        let is_down = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_down);
        let moment = Timespec { tv_sec: 0, tv_nsec: 20_000_000 };
        let reader = std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while !stop.load(Ordering::Relaxed) {
                let ready = poll(&mut [PollFd::new(&source, PollFlags::IN)], Some(&moment)).unwrap();
                if ready == 0 {
                    continue;
                }
                // The line ends with an error when nobody is at the other end any more.
                let Ok(len @ 1..) = source.read(&mut piece) else { return };
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..len]));
            }
        });
        Self { child, near: Some(near), shown, is_down, reader: Some(reader), watch }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that has been shown so far.
    ///
    /// # Panics
    /// When the reader has.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Waits until this is shown.
    ///
    /// # Panics
    /// When it is not, with what is.
    pub fn wait_for(&self, text: &str) {
        let is_there = || self.shown().contains(text).then_some(());
        wait::until(text, Duration::from_secs(120), is_there, || self.shown());
    }

    /// Types something.
    ///
    /// # Panics
    /// When the line has dropped.
    pub fn type_keys(&self, keys: &str) {
        File::from(self.near.as_ref().unwrap().as_fd().try_clone_to_owned().unwrap())
            .write_all(keys.as_bytes())
            .unwrap();
    }

    /// The line drops: what hangs on it is told so by the kernel.
    ///
    /// # Panics
    /// When the reader does not let go of it.
    pub fn hang_up(&mut self) {
        // The reader has the same end open; only when both are closed is the line gone.
        self.is_down.store(true, Ordering::Relaxed);
        self.reader.take().unwrap().join().unwrap();
        self.near = None;
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// When it does not come.
    pub fn end(&mut self) -> ExitStatus {
        let child = &mut self.child;
        let over = || child.try_wait().unwrap();
        let shown = Arc::clone(&self.shown);
        let status = wait::until("the command's end", Duration::from_secs(180), over, || {
            shown.lock().unwrap().clone()
        });
        // All of it has been read when nobody has the other end open any more.
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        status
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.is_down.store(true, Ordering::Relaxed);
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
        if self.watch.take().is_some() {
            secrets::hear("what was shown on a line", &self.shown());
        }
    }
}
