//! What happens during a run, as data. Producers emit events; only the reporter shows them.

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// So many more bytes were worked through.
    Advanced(u64),
    /// The work announced by `Started` is over.
    Ended,
    /// A part is done.
    Finished {
        /// What it is.
        part: String,
        /// Its length before, in bytes.
        from: u64,
        /// Its length now, in bytes.
        to: u64,
    },
    /// A step that takes no countable time.
    Step(String),
    /// Countable work begins.
    Started {
        /// What it is.
        work: String,
        /// How many bytes it has.
        total: u64,
        /// What is counted there, for people: the same images have many sizes.
        of: &'static str,
    },
    /// The part that is worked on now.
    Working(String),
    /// Something to know that does not stop the run.
    Warning(String),
}

/// Where events go. Threads share it.
pub type Emit<'a> = &'a (dyn Fn(Event) + Sync);
