//! The Compose project on the host: what goes into `.env`, and how Compose is called.

pub mod compose;
pub mod env_file;
pub mod rendered;
