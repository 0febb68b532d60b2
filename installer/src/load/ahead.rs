//! Has the kernel read layers shortly before they are needed, so that a slow stick is busy while layers are unpacked. Nothing
//! depends on it: what is not there yet is read when it is asked for.

use std::sync::{Condvar, Mutex, PoisonError};

use bundle_spec::digest::Digest;
use rustix::fs::{Advice, fadvise};

use crate::bundle::BundleFile;

/// Bytes that may have been asked for and not used yet.
const DISTANCE: u64 = 64 << 20;
/// Bytes that are asked for at a time.
const PIECE: u64 = 4 << 20;

/// How far loading has come, for whoever reads ahead of it.
#[derive(Debug, Default)]
pub struct Ahead {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    used: u64,
    has_ended: bool,
}

impl Ahead {
    /// Notes that so many more bytes have been used; gives the sum.
    pub fn count(&self, bytes: u64) -> u64 {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used += bytes;
        self.moved.notify_one();
        state.used
    }

    /// Notes that nothing will be used any more.
    pub fn end(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).has_ended = true;
        self.moved.notify_one();
    }

    /// Asks for one blob after the other, never more than [`DISTANCE`] ahead of what has been used.
    pub fn read(&self, bundle: &BundleFile, blobs: &[Digest]) {
        let Ok(file) = bundle.handle() else { return };
        let mut asked = 0;
        for blob in blobs.iter().filter_map(|digest| bundle.bundle.index.blob(digest)) {
            let end = blob.offset + blob.len;
            let mut offset = blob.offset;
            while offset < end {
                if self.wait(asked) {
                    return;
                }
                let len = PIECE.min(end - offset);
                // Advice may be refused; reading will say what is wrong.
                let _ = fadvise(&file, offset, std::num::NonZero::new(len), Advice::WillNeed);
                asked += len;
                offset += len;
            }
        }
    }

    /// Waits until more may be asked for; whether there is no need any more.
    fn wait(&self, asked: u64) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_far = |state: &mut State| !state.has_ended && asked >= state.used + DISTANCE;
        self.moved.wait_while(state, is_far).unwrap_or_else(PoisonError::into_inner).has_ended
    }
}
