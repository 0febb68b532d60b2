//! Which requests wait, are staged, run and are done: decides what may go on beside what, within the limits of disk and memory.
//! Bytes do not pass through here.
//!
//! An engine with a graph driver writes a whole request to its temporary directory before it looks at it. So a request may be
//! sent while those that it depends on are still being unpacked, if only its end is held back (`docs/adr/0014`). What lies there is counted byte
//! by byte. One request is staged at a time, and only after those that it depends on: whatever lies there complete needs no more
//! room to end, so somebody always goes on.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::{PARALLEL, Request, WINDOWS};
use crate::outcome::{Failure, Outcome};
use crate::text::problem as text;

/// Most requests that are under way at the same time where the engine stages them: those that it works on, the one that is being
/// sent, and those that wait with their end held back.
pub const UNDER_WAY: usize = 2 * PARALLEL;

/// Which requests wait, are staged, run and are done.
pub struct Board<'a> {
    requests: &'a [Request],
    staged_limit: u64,
    state: Mutex<State>,
    changed: Condvar,
    /// Held while a request is sent a second time. Whoever does that waits for nothing else, not even for a window: those that
    /// have one may be waiting for this request.
    again: Mutex<()>,
}

#[derive(Default)]
struct State {
    /// In the order in which they should begin.
    waiting: Vec<usize>,
    /// Begun and not done.
    running: HashSet<usize>,
    /// The one of them that is being sent, if it is one that the engine stages.
    staging: Option<usize>,
    /// Those of them that are staged, but for their end, which waits.
    held: HashSet<usize>,
    /// Bytes of them in the engine's temporary directory.
    staged: HashMap<usize, u64>,
    /// Those of them that have a decompression window.
    windowed: HashSet<usize>,
    /// Those of them that wait for one, in the order in which they came.
    queue: Vec<usize>,
    /// Those of them that the engine has answered before they were sent.
    answered: HashSet<usize>,
    done: HashSet<usize>,
    failure: Option<Box<Failure>>,
}

impl State {
    /// Those that the engine works on. What is being staged or held costs it next to nothing.
    fn working(&self) -> impl Iterator<Item = usize> {
        let is_working = |position: &usize| !self.held.contains(position) && self.staging != Some(*position);
        self.running.iter().copied().filter(is_working)
    }

    fn is_staged(&self, position: usize) -> bool {
        let is_complete = self.staged.contains_key(&position) && self.staging != Some(position);
        self.done.contains(&position) || is_complete
    }
}

impl<'a> Board<'a> {
    pub fn new(requests: &'a [Request], staged_limit: u64) -> Self {
        let all: u64 = requests.iter().map(|request| request.staged_bytes).sum();
        // What takes most of the room lets others by that fit in beside each other; where all fit in, the longest way comes first.
        let is_put_off = |position: &usize| {
            all > staged_limit && requests[*position].staged_bytes > staged_limit.saturating_div(2)
        };
        let mut waiting: Vec<usize> = (0..requests.len()).collect();
        waiting.sort_by_key(is_put_off);
        let state = State { waiting, ..State::default() };
        Self {
            requests,
            staged_limit,
            state: Mutex::new(state),
            changed: Condvar::new(),
            again: Mutex::new(()),
        }
    }

    /// The requests that wait, in the order in which they should begin.
    pub fn order(&self) -> Vec<usize> {
        self.lock().waiting.clone()
    }

    /// How many threads can be of use.
    pub fn workers(&self) -> usize {
        let is_staged = self.requests.iter().any(|request| request.staged_bytes > 0);
        let at_once = if is_staged { UNDER_WAY } else { PARALLEL };
        at_once.min(self.requests.len())
    }

    /// The next request that may begin; waits for one. `None` when there is nothing left to do, or something failed.
    pub fn take(&self) -> Option<usize> {
        let mut state = self.lock();
        loop {
            if state.failure.is_some() || state.waiting.is_empty() {
                return None;
            }
            let next = state.waiting.iter().position(|position| self.may_begin(*position, &state));
            if let Some(next) = next {
                let position = state.waiting.remove(next);
                state.running.insert(position);
                if self.requests[position].staged_bytes > 0 {
                    state.staging = Some(position);
                    state.staged.insert(position, 0);
                    state.windowed.insert(position);
                }
                return Some(position);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, position: usize, outcome: Outcome<()>) {
        let mut state = self.lock();
        state.running.remove(&position);
        state.staged.remove(&position);
        state.held.remove(&position);
        state.answered.remove(&position);
        state.windowed.remove(&position);
        state.queue.retain(|waiting| *waiting != position);
        if state.staging == Some(position) {
            state.staging = None;
        }
        match outcome {
            Ok(()) => {
                state.done.insert(position);
            }
            // The first failure is the cause; what fails after it may be its consequence.
            Err(failure) => {
                state.failure.get_or_insert(failure);
            }
        }
        self.changed.notify_all();
    }

    fn may_begin(&self, position: usize, state: &State) -> bool {
        let request = &self.requests[position];
        if request.staged_bytes > 0 {
            state.staging.is_none()
                && request.after.iter().all(|before| state.is_staged(*before))
                && self.has_window(position, state)
        } else {
            self.may_work(position, state)
        }
    }

    /// Whether a decompression window of that size is free. What alone is too large for the limit runs alone.
    fn has_window(&self, position: usize, state: &State) -> bool {
        let windows: u64 = state.windowed.iter().map(|other| self.requests[*other].memory_bytes).sum();
        windows == 0 || windows + self.requests[position].memory_bytes <= WINDOWS
    }

    /// Whether everything before it is done, and the engine has a hand free.
    fn may_work(&self, position: usize, state: &State) -> bool {
        state.working().count() < PARALLEL
            && self.requests[position].after.iter().all(|before| state.done.contains(before))
    }

    /// Whether there is room for more of the one that is being staged.
    fn has_room(&self, position: usize, bytes: u64, state: &State) -> bool {
        let all: u64 = state.staged.values().sum();
        let is_alone = state.staged.iter().all(|(other, bytes)| *other == position || *bytes == 0);
        is_alone || all + bytes <= self.staged_limit
    }

    /// The first failure, if there was one.
    ///
    /// # Errors
    /// That failure.
    pub fn outcome(self) -> Outcome<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.failure.map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something is so; says first what it waits for. It may never come about once something has failed, and need
    /// not where the engine has said no already.
    fn wait_until<'s>(
        &self,
        turn: &Turn<'_>,
        mut state: MutexGuard<'s, State>,
        is_so: impl Fn(&State) -> bool,
    ) -> io::Result<MutexGuard<'s, State>> {
        let mut is_told = false;
        loop {
            if state.failure.is_some() || state.answered.contains(&turn.position) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            if is_so(&state) {
                return Ok(state);
            }
            if !is_told && let Some(working) = state.working().min() {
                (turn.waits_for)(working);
                is_told = true;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A request that is under way.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    pub(super) board: &'a Board<'a>,
    pub(super) position: usize,
    /// Told the bytes of stored layers that are done.
    pub count: &'a (dyn Fn(u64) + Sync),
    /// Told which request the engine works on, when this one waits and no bytes move.
    pub(super) waits_for: &'a (dyn Fn(usize) + Sync),
}

impl Turn<'_> {
    /// Waits for the decompression window of a request that is not staged. Whatever else it needs can be got ready before that, while
    /// others decompress. Who came first goes first; what fits in beside a larger one need not wait behind another large one.
    ///
    /// # Errors
    /// `BrokenPipe` when another request has failed meanwhile.
    pub fn wait_for_window(&self) -> io::Result<()> {
        let (board, position) = (self.board, self.position);
        let mut state = board.lock();
        if board.requests[position].memory_bytes == 0 || state.windowed.contains(&position) {
            return Ok(());
        }
        state.queue.push(position);
        let is_next = |state: &State| {
            state.queue.iter().find(|waiting| board.has_window(**waiting, state)) == Some(&position)
        };
        // Bytes move meanwhile: there is nothing to tell.
        let mut state = board.wait_until(&Turn { waits_for: &|_| {}, ..*self }, state, is_next)?;
        state.queue.retain(|waiting| *waiting != position);
        state.windowed.insert(position);
        board.changed.notify_all();
        Ok(())
    }

    /// Says that the request needs no decompression window any more: another one may begin beside what is left of it.
    pub fn set_unpacked(&self) {
        self.board.lock().windowed.remove(&self.position);
        self.board.changed.notify_all();
    }

    /// Waits until the engine's temporary directory has room for so many more bytes of this request.
    ///
    /// # Errors
    /// `BrokenPipe` when another request has failed meanwhile.
    pub fn wait_for_room(&self, bytes: u64) -> io::Result<()> {
        let state = self.board.lock();
        if state.staging != Some(self.position) {
            // Nothing of it is staged; or it is sent a second time, into the room of the first.
            return Ok(());
        }
        let has_room = |state: &State| self.board.has_room(self.position, bytes, state);
        let mut state = self.board.wait_until(self, state, has_room)?;
        *state.staged.entry(self.position).or_default() += bytes;
        Ok(())
    }

    /// Says that all but its end is sent, and waits until the end may follow.
    ///
    /// # Errors
    /// `BrokenPipe` when another request has failed meanwhile.
    pub fn wait_for_others(&self) -> io::Result<()> {
        if !self.hold() {
            return Ok(());
        }
        let state = self.board.lock();
        let mut state =
            self.board.wait_until(self, state, |state| self.board.may_work(self.position, state))?;
        state.held.remove(&self.position);
        Ok(())
    }

    /// Says that all but its end is sent; whether the end must wait at all.
    fn hold(&self) -> bool {
        let mut state = self.board.lock();
        let is_staging = state.staging == Some(self.position);
        if is_staging {
            state.staging = None;
            state.held.insert(self.position);
            state.windowed.remove(&self.position);
            self.board.changed.notify_all();
        }
        is_staging
    }

    /// Says that the engine has answered: nobody takes what is still to be sent.
    pub fn set_answered(&self) {
        self.board.lock().answered.insert(self.position);
        self.board.changed.notify_all();
    }

    /// Waits until no other request is sent a second time, and keeps others from that. It needs a decompression window that is
    /// not counted, so there is only one of them.
    pub fn again(&self) -> MutexGuard<'_, ()> {
        self.board.again.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Notes the end of a request whatever happens, even a panic.
pub struct Ending<'a> {
    pub(super) board: &'a Board<'a>,
    pub(super) position: usize,
    pub(super) outcome: Option<Outcome<()>>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let ended_early = || Err(Failure::midway(text::internal("a loading thread ended early")));
        self.board.put(self.position, self.outcome.take().unwrap_or_else(ended_early));
    }
}

#[cfg(test)]
mod tests;
