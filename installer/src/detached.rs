//! Work that goes on without a terminal: a dropped line does not stop an installation.
//!
//! `install` is two processes from its first moment (`docs/adr/0009`). The *front* is what the operator started; it is small, keeps the
//! shell waiting and knows the way back. The *worker*, its child, does everything: asks, checks, confirms at the same terminal; then,
//! with the lock in its hand, it leaves terminal and session ([`worker`]), and what happens goes to whoever looks on ([`hub`]): the
//! front, and everybody who runs the same file again ([`attach`]). Answers never pass from one process to another.
//!
//! | file | what lives there |
//! |---|---|
//! | [`front`] | the process that the operator started, and what a viewer does with signals |
//! | [`worker`] | leaving the terminal, and the end of the work |
//! | [`hub`] | what has happened so far, for each viewer at its own pace |
//! | [`attach`] | finding work under way, and whether it is the same as what is asked for |
//! | [`last`] | how the last run ended, for those who come back later |
//!
//! Not here: what an installation does (`install`), how it looks (`report`), process and socket calls (`host`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Event;
use crate::outcome::Failure;
use crate::text::Message;

pub mod attach;
pub mod front;
pub mod hub;
pub mod last;
pub mod worker;

/// First argument of a worker. Not part of the grammar.
pub const WORKER: &str = "__worker";

/// Begins the last line of the worker's standard output as it was, which ends with the language in use: what follows are [`Word`]s.
/// No event looks like it.
pub const DETACHED: &str = "__detached";

/// What a worker says to those who look on, one JSON document a line. Both sides are the same program.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Word {
    /// The first word to everybody.
    Hello(Hello),
    /// Something happened.
    Event(Event),
    /// A line for people.
    Line(Message),
    /// The run failed.
    Failure(Box<Failure>),
    /// The run is being stopped.
    Stopped(Message),
    /// The run has ended with this exit code.
    Ended(u8),
}

/// What is being done, by whom, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Its process id.
    pub pid: u32,
    /// When the work began, in seconds since 1970.
    pub since: u64,
    /// Version of the application.
    pub version: String,
    /// Digest of the bundle's index.
    pub bundle: String,
    /// What `--engine` is.
    pub choice: crate::facts::EngineChoice,
    /// The step that is being carried out.
    pub step: Option<StepNow>,
    /// Random; digested together with each answer.
    pub salt: String,
    /// Digests of the answers, by question. Only root can come here, who can read the answers themselves.
    pub answers: BTreeMap<String, String>,
}

/// How far the work is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepNow {
    /// The step's number from 1.
    pub number: usize,
    /// Of how many.
    pub count: usize,
    /// What it does.
    pub title: Message,
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |now| now.as_secs())
}
