//! The threads that write the content of files. Making a file costs several system calls; on two cores, two threads halve it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::{Scope, ScopedJoinHandle};

use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::tree::{Parent, apply};
use super::{Meta, TarPath, UnpackError};

/// Bytes that may wait for all threads together. Bytes and not pieces: a directory of a thousand small files goes to one thread,
/// and the others must have something to do meanwhile.
const WAITING: usize = 8 << 20;
/// What a piece takes beside its content.
const PIECE_OVERHEAD: usize = 512;

/// A file that is about to be written.
#[derive(Debug)]
pub struct NewFile {
    /// The directory that it is made in.
    pub parent: Parent,
    /// Where it lies in the layer.
    pub path: TarPath,
    /// With which mode, owner, time and attributes.
    pub meta: Meta,
}

/// The next piece of a file; the pieces of one file go to one thread.
#[derive(Debug)]
pub struct Job {
    /// With the first piece: the file.
    pub file: Option<NewFile>,
    /// Content.
    pub data: Vec<u8>,
    /// Whether the file ends here.
    pub is_last: bool,
}

/// The threads.
#[derive(Debug)]
pub struct Writers<'scope> {
    queues: Vec<Sender<Job>>,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
    next: usize,
    last: Option<Parent>,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    has_failed: AtomicBool,
    error: Mutex<Option<UnpackError>>,
    waiting: Mutex<usize>,
    written: Condvar,
}

impl State {
    /// Waits until there is room for so many bytes more.
    fn enter(&self, len: usize) {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = |waiting: &mut usize| *waiting > 0 && *waiting + len > WAITING;
        let mut waiting = self.written.wait_while(waiting, is_full).unwrap_or_else(PoisonError::into_inner);
        *waiting += len;
    }

    fn leave(&self, len: usize) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) -= len;
        self.written.notify_one();
    }

    fn fail(&self, error: UnpackError) {
        self.error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        self.has_failed.store(true, Ordering::Release);
    }
}

impl<'scope> Writers<'scope> {
    /// Starts `count` threads; they end when this is finished or dropped.
    pub fn start(scope: &'scope Scope<'scope, '_>, count: usize) -> Self {
        let state = Arc::new(State::default());
        let umask = umask();
        let (mut queues, mut threads) = (Vec::new(), Vec::new());
        for _ in 0..count.max(1) {
            let (queue, jobs) = channel();
            let state = Arc::clone(&state);
            queues.push(queue);
            threads.push(scope.spawn(move || work(&jobs, &state, umask)));
        }
        Self { queues, threads, next: 0, last: None, state }
    }

    /// The queue that the next file goes to. The files of one directory go to one thread as long as they come in a row:
    /// the kernel lets only one at a time make a file there, and others would wait for it.
    pub fn choose(&mut self, parent: &Parent) -> usize {
        if self.last.as_ref().is_none_or(|last| !Arc::ptr_eq(last, parent)) {
            self.next = (self.next + 1) % self.queues.len();
            self.last = Some(Arc::clone(parent));
        }
        self.next
    }

    /// Hands over a piece; waits while the thread is behind.
    pub fn send(&self, queue: usize, job: Job) {
        let len = job.data.len() + PIECE_OVERHEAD;
        self.state.enter(len);
        // A thread goes on taking jobs after an error; one that is gone has left its error, and nobody would make room.
        if self.queues[queue].send(job).is_err() {
            self.state.leave(len);
        }
    }

    /// Whether a file could not be written; [`Writers::finish`] says why.
    pub fn have_failed(&self) -> bool {
        self.state.has_failed.load(Ordering::Acquire)
    }

    /// Waits until everything is written.
    ///
    /// # Errors
    /// The first file that could not be written.
    pub fn finish(self) -> Result<(), UnpackError> {
        drop(self.queues);
        for thread in self.threads {
            if thread.join().is_err() {
                self.state.fail(UnpackError::Tar(std::io::Error::other("a writing thread ended early")));
            }
        }
        let error = self.state.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        error.map_or(Ok(()), Err)
    }
}

fn work(jobs: &Receiver<Job>, state: &State, umask: u32) {
    let mut open = None;
    for job in jobs {
        let len = job.data.len() + PIECE_OVERHEAD;
        // Whoever sends must not wait for ever, so jobs are taken and dropped.
        if !state.has_failed.load(Ordering::Relaxed)
            && let Err(error) = write(job, &mut open, umask)
        {
            state.fail(error);
        }
        state.leave(len);
    }
}

fn write(
    job: Job,
    open: &mut Option<(NewFile, std::os::fd::OwnedFd)>,
    umask: u32,
) -> Result<(), UnpackError> {
    if let Some(file) = job.file {
        let created = create(&file)?;
        *open = Some((file, created));
    }
    let Some((file, descriptor)) = open else { return Ok(()) };
    let failed = |error: Errno| UnpackError::io(&file.path.bytes(), error);
    let mut data = job.data.as_slice();
    while !data.is_empty() {
        match rustix::io::write(&descriptor, data) {
            Ok(len) => data = &data[len..],
            Err(Errno::INTR) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if job.is_last {
        apply(descriptor, &file.meta, file.meta.mode & (umask | 0o7000) != 0).map_err(failed)?;
        fs::futimens(&descriptor, &file.meta.times()).map_err(failed)?;
        *open = None;
    }
    Ok(())
}

fn create(file: &NewFile) -> Result<std::os::fd::OwnedFd, UnpackError> {
    let path = || file.path.bytes();
    let Some((_, name)) = file.path.split() else {
        return Err(UnpackError::unsupported(b"/", "replaces the whole layer"));
    };
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match fs::openat(&*file.parent, name, flags, Mode::from_raw_mode(file.meta.mode & 0o777)) {
        Ok(descriptor) => Ok(descriptor),
        Err(Errno::EXIST) => Err(UnpackError::unsupported(&path(), "occurs twice")),
        Err(error) => Err(UnpackError::io(&path(), error)),
    }
}

/// The bits that the kernel takes away from the mode of new files; all, where it does not tell (before 4.7).
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    line.and_then(|value| u32::from_str_radix(value.trim(), 8).ok()).unwrap_or(0o777)
}
