//! The contract between packer and installer: what a bundle is, how it is written and how it is read.
//!
//! A bundle is an OCI image layout appended to an executable:
//!
//! ```text
//! launcher | stub … | blobs | index | trailer
//! ```
//!
//! [`layout`] has the constants, [`trailer`] the fixed record at the end, [`index`] the one document that says what
//! everything is, [`writer`] and [`reader`] the two directions. `docs/bundle-format.md` is the normative text.
//!
//! What does not live here: files, processes, terminals, clocks. Everything is handed in as `Read`, `Write`, `Seek`.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

pub mod answer;
mod census;
pub mod codec;
pub mod condition;
pub mod digest;
pub mod error;
pub mod feature;
pub mod index;
pub mod layout;
pub mod limits;
pub mod path;
pub mod placeholder;
pub mod project;
pub mod question;
pub mod reader;
pub mod reference;
pub mod signature;
pub mod suggest;
pub mod template;
pub mod text;
pub mod trailer;
pub mod validate;
pub mod value;
pub mod version;
pub mod writer;
