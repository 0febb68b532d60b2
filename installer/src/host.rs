//! Files and processes: the only place that changes files, opens them for writing, or spawns processes.

pub mod file;
pub mod lock;
pub mod process;
pub mod salt;
pub mod signal;
