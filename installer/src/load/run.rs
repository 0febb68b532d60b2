//! Carries out a load plan: what may run runs, as many at a time as disk and memory allow.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};

use bundle_spec::index::Content;

use super::plan::staged_limit;
use super::snapshot::Snapshots;
use super::{Form, LoadPlan, PARALLEL, Request, WINDOWS, docker};
use crate::bundle::BundleFile;
use crate::engine::Engine;
use crate::outcome::{Failure, Outcome};
use crate::text::{Message, problem as text};

/// What requests are carried out with.
#[derive(Clone, Copy)]
pub struct Loader<'a> {
    /// The plan.
    pub plan: &'a LoadPlan,
    /// The bundle's content.
    pub content: &'a Content,
    /// The bundle.
    pub bundle: &'a BundleFile,
    /// The engine.
    pub engine: &'a Engine,
    /// The store below it, if the plan's form needs it.
    pub snapshots: Option<&'a Snapshots>,
    /// Told the bytes of stored layers that are done so far, from several threads.
    pub progress: &'a (dyn Fn(u64) + Sync),
    /// Told what goes on where no bytes move.
    pub phase: &'a (dyn Fn(Message) + Sync),
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loader").field("plan", &self.plan.form).finish_non_exhaustive()
    }
}

impl Loader<'_> {
    /// Carries out all requests.
    ///
    /// # Errors
    /// The first one that failed. Those that ran beside it were waited for; none goes on behind a reported failure.
    pub fn run(&self) -> Outcome<()> {
        let done_bytes = AtomicU64::new(0);
        let count = |bytes: u64| (self.progress)(done_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes);
        let board = Board::new(&self.plan.requests, staged_limit(self.content));
        std::thread::scope(|scope| {
            for _ in 0..PARALLEL.min(self.plan.requests.len()) {
                scope.spawn(|| {
                    while let Some(position) = board.take() {
                        let mut turn = Turn { board: &board, position, outcome: None };
                        turn.outcome = Some(self.bring(&self.plan.requests[position], &count));
                    }
                });
            }
        });
        board.outcome()
    }

    fn bring(&self, request: &Request, count: &(dyn Fn(u64) + Sync)) -> Outcome<()> {
        match (self.plan.form, self.snapshots) {
            (Form::Snapshots, Some(snapshots)) => snapshots.bring(self, request, count),
            _ => docker::bring(self, request, count),
        }
    }
}

/// A request that is under way; its end is noted whatever happens, even a panic.
struct Turn<'a> {
    board: &'a Board<'a>,
    position: usize,
    outcome: Option<Outcome<()>>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let ended_early = || Err(Failure::midway(text::internal("a loading thread ended early")));
        self.board.put(self.position, self.outcome.take().unwrap_or_else(ended_early));
    }
}

/// Which requests wait, run and are done.
struct Board<'a> {
    requests: &'a [Request],
    staged_limit: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<usize>,
    running: HashSet<usize>,
    done: HashSet<usize>,
    failure: Option<Box<Failure>>,
}

impl<'a> Board<'a> {
    fn new(requests: &'a [Request], staged_limit: u64) -> Self {
        let state = State { waiting: (0..requests.len()).collect(), ..State::default() };
        Self { requests, staged_limit, state: Mutex::new(state), changed: Condvar::new() }
    }

    /// The next request that may run; waits for one. `None` when there is nothing left to do, or something failed.
    fn take(&self) -> Option<usize> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.failure.is_some() || state.waiting.is_empty() {
                return None;
            }
            let next = state.waiting.iter().position(|position| self.may_run(*position, &state));
            if let Some(next) = next {
                let position = state.waiting.remove(next);
                state.running.insert(position);
                return Some(position);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn put(&self, position: usize, outcome: Outcome<()>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running.remove(&position);
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

    /// Whether everything before it is done, and there is room for it beside what runs.
    fn may_run(&self, position: usize, state: &State) -> bool {
        let request = &self.requests[position];
        let fits = |amount: fn(&Request) -> u64, limit: u64| {
            let running: u64 = state.running.iter().map(|running| amount(&self.requests[*running])).sum();
            // What alone is too large for the limit runs alone.
            running == 0 || running + amount(request) <= limit
        };
        request.after.iter().all(|before| state.done.contains(before))
            && fits(|request| request.staged_bytes, self.staged_limit)
            && fits(|request| request.memory_bytes, WINDOWS)
    }

    fn outcome(self) -> Outcome<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
