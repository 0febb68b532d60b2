//! Carries out a load plan, several requests at a time. Which ones, `board` says.

use bundle_spec::digest::Digest;
use bundle_spec::index::Content;

use super::ahead::Ahead;
use super::board::{Board, Ending, Turn};
use super::plan::staged_limit;
use super::snapshot::Snapshots;
use super::{Form, LoadPlan, Request, docker};
use crate::bundle::BundleFile;
use crate::engine::Engine;
use crate::outcome::Outcome;
use crate::text::{Message, progress};

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
        let waits_for = |position: usize| {
            let image = &self.content.images[self.plan.requests[position].image];
            (self.phase)(progress::unpacking(image.reference.as_str()));
        };
        let board = Board::new(&self.plan.requests, staged_limit(self.content));
        std::thread::scope(|scope| {
            scope.spawn(|| ahead.read(self.bundle, &self.blobs(&board)));
            let workers: Vec<_> = (0..board.workers())
                .map(|_| {
                    scope.spawn(|| {
                        while let Some(position) = board.take() {
                            let turn = Turn { board: &board, position, count: &count, waits_for: &waits_for };
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
    fn blobs(&self, board: &Board<'_>) -> Vec<Digest> {
        let layers = |position: usize| {
            let request = &self.plan.requests[position];
            let image = &self.content.images[request.image];
            request.layers.iter().map(|layer| image.layers[*layer].blob).collect::<Vec<_>>()
        };
        board.order().into_iter().flat_map(layers).collect()
    }

    fn bring(&self, request: &Request, turn: &Turn<'_>) -> Outcome<()> {
        match (self.plan.form, self.snapshots) {
            (Form::Snapshots, Some(snapshots)) => snapshots.bring(self, request, turn),
            _ => docker::bring(self, request, turn),
        }
    }
}
