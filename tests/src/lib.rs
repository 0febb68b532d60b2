//! What the journeys stand on: real engines, a fresh machine, small real images, a vendor's folder, a browser.
//!
//! Everything is real and belongs to the test that made it: engines with their own data, machines of their own, all below
//! `target/`, all gone when the value is dropped. Nothing here waits for a time; [`wait`] waits for conditions. Nothing is
//! skipped: what is missing is made by the scripts in `parts/`, and what cannot be made fails with a word on what to do.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that cannot go on has failed its test, and says so in the test's own words"
)]

pub mod browser;
pub mod bundle;
pub mod certificate;
pub mod cut;
pub mod dice;
pub mod disk;
pub mod engine;
pub mod example;
pub mod faults;
pub mod http;
pub mod images;
pub mod line;
pub mod load;
pub mod machine;
pub mod odd;
pub mod parts;
pub mod proxy;
pub mod run;
pub mod running;
pub mod screen;
pub mod secrets;
pub mod site;
pub mod terminal;
pub mod torture;
pub mod tree;
pub mod wait;
