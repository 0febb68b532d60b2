//! Reading that ends: a file is read only if it is one and only up to a length, and whatever a dead file server could hold
//! up runs beside us, with a time limit.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

/// How long a file system may take to say what it is.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// Longest file of facts that is read, in bytes: a kernel's list of modules has less than one million.
const LEN_MAX: u64 = 8 << 20;

/// The text of a regular file, as far as it is text; nothing where there is none, or where it is something that would
/// block.
pub fn text(path: impl AsRef<Path>) -> Option<String> {
    // A fifo in a file's place would keep us waiting for its writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path.as_ref(), flags, Mode::empty()).ok()?);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(LEN_MAX).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The result of each piece of work that ends within `limit`, in their order. What does not end stays behind as a thread
/// that ends with us.
pub fn all<T: Send + 'static>(limit: Duration, work: Vec<Box<dyn FnOnce() -> T + Send>>) -> Vec<Option<T>> {
    let deadline = Instant::now() + limit;
    let begin = |work: Box<dyn FnOnce() -> T + Send>| {
        let (sender, receiver) = mpsc::channel();
        // Nobody may be listening any more; then nobody wants to know.
        let thread = std::thread::Builder::new().spawn(move || drop(sender.send(work())));
        thread.ok().map(|_| receiver)
    };
    let begun: Vec<_> = work.into_iter().map(begin).collect();
    let end = |receiver: mpsc::Receiver<T>| {
        receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    };
    begun.into_iter().map(|receiver| end(receiver?)).collect()
}

/// One piece of work with the usual limit.
pub fn one<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    all(PATIENCE, vec![Box::new(work)]).pop().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifo_and_a_directory_are_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, Mode::from(0o600), 0)
            .unwrap();
        assert_eq!(text(&fifo), None);
        assert_eq!(text(folder.path()), None);
        assert_eq!(text(folder.path().join("none")), None);
        std::fs::write(folder.path().join("file"), b"a\xffb").unwrap();
        assert_eq!(text(folder.path().join("file")).as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn what_hangs_is_left_behind_and_the_rest_is_kept() {
        let (hold, held) = mpsc::channel::<()>();
        let hangs = Box::new(move || {
            let _ = held.recv();
            1
        });
        let results = all(Duration::from_millis(200), vec![hangs, Box::new(|| 2)]);
        assert_eq!(results, [None, Some(2)]);
        drop(hold);
    }
}
