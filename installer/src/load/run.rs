//! Carries out a load plan: what may run runs, as many at a time as disk and memory allow.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};

use bundle_spec::digest::Digest;
use bundle_spec::index::Content;

use super::ahead::Ahead;
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
        let ahead = Ahead::default();
        let count = |bytes: u64| (self.progress)(ahead.count(bytes));
        let board = Board::new(&self.plan.requests, staged_limit(self.content));
        std::thread::scope(|scope| {
            scope.spawn(|| ahead.read(self.bundle, &self.blobs()));
            let workers: Vec<_> = (0..PARALLEL.min(self.plan.requests.len()))
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(position) = board.take() {
                            let turn = Turn { board: &board, position, count: &count };
                            let mut ending = Ending { board: &board, position, outcome: None };
                            ending.outcome = Some(self.bring(&self.plan.requests[position], &turn));
                        }
                    })
                })
                .collect();
            // A panic has been noted by the turn that it ended.
            workers.into_iter().for_each(|worker| drop(worker.join()));
            ahead.end();
        });
        board.outcome()
    }

    /// The stored layers in the order in which they will be needed.
    fn blobs(&self) -> Vec<Digest> {
        let layers = |request: &Request| {
            let image = &self.content.images[request.image];
            request.layers.iter().map(|layer| image.layers[*layer].blob).collect::<Vec<_>>()
        };
        self.plan.requests.iter().flat_map(layers).collect()
    }

    fn bring(&self, request: &Request, turn: &Turn<'_>) -> Outcome<()> {
        match (self.plan.form, self.snapshots) {
            (Form::Snapshots, Some(snapshots)) => snapshots.bring(self, request, turn),
            _ => docker::bring(self, request, turn.count),
        }
    }
}

/// A request that is under way.
#[derive(Clone, Copy)]
pub struct Turn<'a> {
    board: &'a Board<'a>,
    position: usize,
    /// Told the bytes of stored layers that are done.
    pub count: &'a (dyn Fn(u64) + Sync),
}

impl Turn<'_> {
    /// Says that the request needs no decompression window any more: another one may begin beside what is left of it.
    pub fn is_unpacked(&self) {
        self.board.free_memory(self.position);
    }
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("position", &self.position).finish_non_exhaustive()
    }
}

/// Notes the end of a request whatever happens, even a panic.
struct Ending<'a> {
    board: &'a Board<'a>,
    position: usize,
    outcome: Option<Outcome<()>>,
}

impl Drop for Ending<'_> {
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
    /// Those of them that need no decompression window any more.
    unpacked: HashSet<usize>,
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

    fn free_memory(&self, position: usize) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).unpacked.insert(position);
        self.changed.notify_all();
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
        // What alone is too large for a limit runs alone.
        let fits = |running: u64, amount: u64, limit: u64| running == 0 || running + amount <= limit;
        let staged = state.running.iter().map(|running| self.requests[*running].staged_bytes).sum();
        let unpacking = state.running.difference(&state.unpacked);
        let windows = unpacking.map(|running| self.requests[*running].memory_bytes).sum();
        request.after.iter().all(|before| state.done.contains(before))
            && fits(staged, request.staged_bytes, self.staged_limit)
            && fits(windows, request.memory_bytes, WINDOWS)
    }

    fn outcome(self) -> Outcome<()> {
        let state = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        state.failure.map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests;
