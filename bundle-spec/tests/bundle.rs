//! The format's tests: what is written is read back, what is damaged is found, what is hostile is refused, what was
//! released stays readable, and what the document says is what the code does.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on has failed")]

mod corruption;
mod document;
mod golden;
mod hostile;
mod oversize;
mod roundtrip;
mod sample;
mod signature;
