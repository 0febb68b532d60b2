//! A way to a socket that ends in the middle: it stands in the place of the socket of an engine's containerd, and cuts off the
//! connection on which that byte would pass. What is said on it is none of its concern (`proxy` knows requests of HTTP).

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The way. Dropping it puts the socket back where it was.
#[derive(Debug)]
pub struct Cut {
    place: PathBuf,
    moved: PathBuf,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    passed: AtomicU64,
    /// At so many bytes; never at 0.
    cut_at: AtomicU64,
}

impl Cut {
    /// Takes the place of a socket that somebody listens at. Who is connected by then stays so.
    ///
    /// # Panics
    /// When it cannot.
    #[must_use]
    pub fn in_place_of(place: &Path) -> Self {
        let moved = place.with_extension("moved");
        fs::rename(place, &moved).unwrap();
        let listener = UnixListener::bind(place).unwrap();
        let shared = Arc::new(Shared { passed: AtomicU64::new(0), cut_at: AtomicU64::new(0) });
        let (served, real) = (Arc::clone(&shared), moved.clone());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = UnixStream::connect(&real) {
                    join(&client, &server, &served);
                    join(&server, &client, &served);
                }
            }
        });
        Self { place: place.to_owned(), moved, shared }
    }

    /// Counts anew, and cuts once when so many bytes have passed in both directions; with 0 never.
    pub fn plan(&self, bytes: u64) {
        self.shared.passed.store(0, Ordering::SeqCst);
        self.shared.cut_at.store(bytes, Ordering::SeqCst);
    }

    /// How many bytes have passed since.
    #[must_use]
    pub fn passed(&self) -> u64 {
        self.shared.passed.load(Ordering::SeqCst)
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        let _ = fs::rename(&self.moved, &self.place);
    }
}

/// Passes on what comes from one to the other.
fn join(from: &UnixStream, to: &UnixStream, shared: &Arc<Shared>) {
    let (Ok(mut from), Ok(mut to)) = (from.try_clone(), to.try_clone()) else { return };
    let shared = Arc::clone(shared);
    std::thread::spawn(move || {
        let mut piece = vec![0; 16 << 10];
        while let Ok(len @ 1..) = from.read(&mut piece) {
            let before = shared.passed.fetch_add(len as u64, Ordering::SeqCst);
            let cut_at = shared.cut_at.load(Ordering::SeqCst);
            let is_cut = (before..before + len as u64).contains(&cut_at) && cut_at > 0;
            let passes = if is_cut { usize::try_from(cut_at - before).unwrap_or(0) } else { len };
            if to.write_all(&piece[..passes]).is_err() || is_cut {
                let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
