//! The installer: **facts → preflight → answers → plan → steps → receipt**.
//!
//! | module | what lives there | effects |
//! |---|---|---|
//! | [`cli`] | command line, one file per verb | calls everything |
//! | [`bundle`] | the executable as a bundle | reads it |
//! | [`detached`] | work that goes on without a terminal, and those who look on | processes, a socket |
//! | [`facts`] | what this host is like, read once | reads the host |
//! | [`preflight`] | facts and requirements → findings | pure |
//! | [`answers`] | sources of answers → checked answers | pure (sources are handed in) |
//! | [`wizard`] | asks a person | terminal |
//! | [`plan`] | everything decided, as data | pure |
//! | [`step`] | carries out one step of a plan | host, engine |
//! | [`load`] | images into the engine | engine |
//! | [`engine`] | the Docker Engine API | the engine's socket |
//! | [`containerd`] | containerd's services, below a containerd image store | containerd's socket |
//! | [`unpack`] | the tar of a layer → a directory | files below one directory |
//! | [`project`] | the Compose project: `.env`, commands, health | host, engine |
//! | [`receipt`] | what was done, on disk | host |
//! | [`host`] | files and processes; nothing else opens or spawns | host |
//! | [`event`], [`report`] | what happens, and who prints it | terminal in `report` only |
//! | [`trust`] | whose signature a bundle must have | pure |
//! | [`tls`] | certificates: judged, and made | pure |
//! | [`text`] | every sentence an operator can see, in Chinese and English | none |
//!
//! Not here: how a bundle is laid out (crate `bundle-spec`), how it is made (crate `packer`).

pub mod answers;
pub mod bundle;
pub mod cli;
pub mod containerd;
pub mod detached;
pub mod engine;
pub mod event;
pub mod facts;
pub mod health;
pub mod host;
pub mod install;
pub mod layout;
pub mod load;
pub mod outcome;
pub mod plan;
pub mod preflight;
pub mod project;
pub mod receipt;
pub mod report;
pub mod step;
pub mod text;
pub mod tls;
pub mod trust;
pub mod unpack;
pub mod wizard;

pub use cli::run;
