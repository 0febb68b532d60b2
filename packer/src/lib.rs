//! The packer: turns a Docker Compose application into one installer file for machines without a network.
//!
//! The way of a bundle: `definition` reads what the vendor wrote, `project` adds what it refers to, `lint` judges it,
//! `plan` decides everything, `assemble` writes. Each verb of the command line has its file in `cli`.
#![forbid(unsafe_code)]

mod assemble;
mod bundle_file;
mod cli;
mod compose;
pub mod definition;
mod engine_parts;
mod event;
mod files;
mod finding;
pub mod image;
mod key;
mod launcher;
mod lint;
mod manifest;
mod outcome;
mod output;
mod plan;
mod project;
mod quantity;
mod range;
mod report;
mod stub;
mod templates;

pub use cli::run;
