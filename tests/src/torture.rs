//! Installations that are killed at chosen moments, and what must be true after each kill, after the end, and when everything was
//! taken back.
//!
//! | file | what lives there |
//! |---|---|
//! | [`moment`] | when to kill: at a boundary of steps, within a step, anywhere; drawn with dice |
//! | [`patient`] | where it is installed: an engine that is there, or a whole machine with its power switch |
//! | [`state`] | what an engine has, as text; what lies in a project directory |
//! | [`chain`] | kill after kill on one installation, with what must hold after each, and its end |
//! | [`table`] | what was tried, how often, what came of it |

pub mod chain;
pub mod moment;
pub mod patient;
pub mod state;
pub mod table;
