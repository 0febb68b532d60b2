//! Files and processes: the only place that changes files, opens them for writing, or spawns processes. Also sockets that others
//! come in by.

pub mod below;
pub mod fault;
pub mod file;
pub mod firewall;
pub mod group;
pub mod leftover;
pub mod lock;
pub mod mount;
pub mod process;
pub mod salt;
pub mod signal;
pub mod socket;
pub mod traces;
