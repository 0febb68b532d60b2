//! The `airlift` binary from outside: real files, real processes, no engine and no network.
//! Tests with real engines are in the crate `tests`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod damage;
mod definition;
mod demo;
mod engine;
mod hostile;
mod images;
mod lint;
mod pack;
mod sandbox;
mod sign;
mod verbs;
