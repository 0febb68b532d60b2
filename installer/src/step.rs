//! Carries out one step of a plan. Every step has the same skeleton: is it done already, do it, take it back.
//!
//! Steps never ask and never print; they return what came of them and emit progress.

use std::path::Path;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;

use crate::bundle::BundleFile;
use crate::engine::Engine;
use crate::event::Event;
use crate::facts::Facts;
use crate::health::Wanted;
use crate::outcome::{Failure, Outcome};
use crate::plan::{Plan, Step};
use crate::receipt::Receipt;
use crate::report::Reporter;
use crate::text::{Message, problem as text};

pub mod configure_engine;
pub mod install_control;
pub mod join_group;
pub mod load_images;
pub mod open_firewall;
pub mod place_certificate;
pub mod place_compose;
pub mod place_engine;
pub mod prove_healthy;
pub mod run_actions;
pub mod start_engine;
pub mod start_project;
pub mod write_project;

/// What a step works with.
#[derive(Debug)]
pub struct Context<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// The bundle's content.
    pub content: &'a Content,
    /// The file itself.
    pub bundle: &'a BundleFile,
    /// The answers.
    pub answers: &'a Answers,
    /// The host before the first step.
    pub facts: &'a Facts,
    /// What was done so far; a step adds what it makes outside the project directory.
    pub receipt: &'a mut Receipt,
    /// Where progress goes.
    pub reporter: &'a Reporter,
}

impl Context<'_> {
    /// The engine that the plan uses; it must run by now.
    ///
    /// # Errors
    /// When there is no socket.
    pub fn engine(&self) -> Outcome<Engine> {
        let socket = &self.plan.engine.socket;
        Engine::connect(socket)
            .map_err(|error| Failure::midway(text::engine_not_there(&socket.display())).because(&error))
    }

    /// What should be running.
    pub fn wanted(&self) -> Wanted<'_> {
        Wanted { content: self.content, answers: self.answers, resting: &self.receipt.resting }
    }

    /// Writes the receipt as it is now.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn save(&self) -> Outcome<()> {
        self.receipt.write(&self.plan.layout.receipt())
    }

    /// Records that something outside the project directory is about to be made by us: before, so that a kill in between
    /// leaves a record without a thing and never a thing without a record.
    ///
    /// # Errors
    /// When the receipt cannot be written.
    pub fn claim(&mut self, path: &Path) -> Outcome<()> {
        self.receipt.record_made(path.to_owned());
        self.save()
    }

    /// [`Context::claim`] for a directory and those of its parents that do not exist yet.
    ///
    /// # Errors
    /// When the receipt cannot be written.
    pub fn claim_dirs(&mut self, path: &Path) -> Outcome<()> {
        let missing: Vec<&Path> = path.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
        missing.into_iter().rev().try_for_each(|dir| self.claim(dir))
    }

    /// Says how many of how many bytes are done.
    pub fn progress(&self, title: &Message, done: u64, total: u64) {
        self.reporter.emit(&Event::Progress { title: title.clone(), done, total });
    }
}

/// Whether a step has nothing left to do. Looks at the host, not at the receipt: that may be older than a power cut.
pub fn is_done(step: Step, context: &Context<'_>) -> bool {
    match step {
        Step::PlaceEngine => place_engine::is_done(context),
        Step::ConfigureEngine => configure_engine::is_done(context),
        Step::StartEngine => start_engine::is_done(context),
        Step::PlaceCompose => place_compose::is_done(context),
        Step::LoadImages => load_images::is_done(context),
        Step::WriteProject => write_project::is_done(context),
        Step::PlaceCertificate => place_certificate::is_done(context),
        Step::InstallControl => install_control::is_done(context),
        Step::StartProject => start_project::is_done(context),
        Step::ProveHealthy => prove_healthy::is_done(context),
        Step::RunActions => run_actions::is_done(context),
        Step::OpenFirewall => open_firewall::is_done(context),
        Step::JoinGroup => join_group::is_done(context),
    }
}

/// Carries a step out.
///
/// # Errors
/// What failed, and what to do now.
pub fn execute(step: Step, context: &mut Context<'_>) -> Outcome<()> {
    match step {
        Step::PlaceEngine => place_engine::execute(context),
        Step::ConfigureEngine => configure_engine::execute(context),
        Step::StartEngine => start_engine::execute(context),
        Step::PlaceCompose => place_compose::execute(context),
        Step::LoadImages => load_images::execute(context),
        Step::WriteProject => write_project::execute(context),
        Step::PlaceCertificate => place_certificate::execute(context),
        Step::InstallControl => install_control::execute(context),
        Step::StartProject => start_project::execute(context),
        Step::ProveHealthy => prove_healthy::execute(context),
        Step::RunActions => run_actions::execute(context),
        Step::OpenFirewall => open_firewall::execute(context),
        Step::JoinGroup => join_group::execute(context),
    }
}
