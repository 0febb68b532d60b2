//! Carries out a plan: under the lock, step by step, with the receipt written around each.

use std::path::Path;
use std::time::Instant;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;

use super::{Options, Prepared};
use crate::bundle::BundleFile;
use crate::detached::worker;
use crate::event::{Event, StepOutcome};
use crate::host::file::{self, Access};
use crate::host::lock::{self, Lock};
use crate::layout::{ENGINE_LOCK, EngineHome};
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::Step;
use crate::receipt::{Receipt, StepState};
use crate::report::Reporter;
use crate::step::{self, Context};
use crate::text::{Message, problem as text, progress};

/// Whether every step finds its work done; looks at the host each time.
pub(super) fn all_done(
    prepared: &Prepared,
    bundle: &BundleFile,
    content: &Content,
    receipt: &mut Receipt,
    reporter: &Reporter,
) -> bool {
    let context = context(prepared, bundle, content, receipt, reporter);
    prepared.plan.steps.iter().all(|step| step::is_done(*step, &context))
}

/// The plan for people: what is done already is marked. Health is not asked for, which takes its time and may change.
pub(super) fn plan_lines(
    prepared: &Prepared,
    bundle: &BundleFile,
    content: &Content,
    receipt: &mut Receipt,
    reporter: &Reporter,
) -> Vec<Message> {
    let context = context(prepared, bundle, content, receipt, reporter);
    let line = |step: &Step| {
        let line = prepared.plan.describe_step(*step, content);
        let is_done = *step != Step::ProveHealthy && step::is_done(*step, &context);
        if is_done { progress::done_already(&line) } else { line }
    };
    prepared.plan.steps.iter().map(line).collect()
}

fn context<'a>(
    prepared: &'a Prepared,
    bundle: &'a BundleFile,
    content: &'a Content,
    receipt: &'a mut Receipt,
    reporter: &'a Reporter,
) -> Context<'a> {
    let answers: &Answers = &prepared.resolved.answers;
    Context { plan: &prepared.plan, content, bundle, answers, facts: &prepared.facts, receipt, reporter }
}

/// Takes the lock, leaves the terminal where that is wanted, and carries out the steps, with the receipt written around each.
/// Returns the lock, if it is not held to the end of the process.
///
/// `known` is the receipt that everything was prepared from, if there was one.
///
/// # Errors
/// [`Code::Locked`] when another run is at work, or has been since; else the first step that failed.
pub(super) fn carry_out(
    bundle: &BundleFile,
    content: &Content,
    prepared: &Prepared,
    (known, mut receipt): (Option<Receipt>, Receipt),
    options: &Options,
    reporter: &Reporter,
) -> Outcome<Option<Lock>> {
    let layout = &prepared.plan.layout;
    file::make_dir(&layout.dir, Access::EXECUTABLE)?;
    file::make_dir(&layout.state(), Access { mode: 0o700, owner: None })?;
    let mut lock = Some(lock::take(&layout.lock())?);
    // Answers and plan were made before the lock was held; secrets of another run must not be replaced by ours.
    if Receipt::read(&layout.receipt()).ok() != Some(known) {
        return Err(Failure::new(Code::Locked, text::another_run_meanwhile()).todo(text::run_again()));
    }
    reporter.log_to(&layout.log());
    receipt.version.clone_from(&content.app.version);
    receipt.bundle = bundle.bundle.trailer.index_digest.to_string();
    receipt.created = content.created;
    // A bundle without a signature gets here only where none was pinned.
    receipt.signer = bundle.bundle.signer.as_ref().map(|signer| signer.key.base64());
    receipt.choice = prepared.plan.choice;
    receipt.socket.clone_from(&prepared.plan.engine.socket);
    receipt.engine.clone_from(&prepared.plan.engine.home);
    receipt.compose.clone_from(&prepared.plan.engine.compose);
    receipt.write(&layout.receipt())?;
    if let Some(watch) = &options.worker
        && let Some(lock) = lock.take()
    {
        worker::leave(layout, &receipt, &prepared.resolved.answers, (lock, watch), reporter);
    }
    let count = prepared.plan.steps.len();
    // Two applications that come to a machine without an engine at the same time: one installs it, the other one finds it.
    let is_shared = prepared.plan.engine.home == Some(EngineHome::System);
    let mut engine_lock = if is_shared { Some(lock::wait(Path::new(ENGINE_LOCK))?) } else { None };
    for (position, step) in prepared.plan.steps.iter().enumerate() {
        if *step == Step::LoadImages {
            drop(engine_lock.take());
        }
        run_step(*step, (position + 1, count), prepared, bundle, content, &mut receipt, reporter)?;
    }
    Ok(lock)
}

fn run_step(
    step: Step,
    (number, count): (usize, usize),
    prepared: &Prepared,
    bundle: &BundleFile,
    content: &Content,
    receipt: &mut Receipt,
    reporter: &Reporter,
) -> Outcome<()> {
    let path: &Path = &prepared.plan.layout.receipt();
    let boot_id = &prepared.facts.machine.boot_id;
    let title = prepared.plan.describe_step(step, content);
    let started = Instant::now();
    reporter.emit(&Event::StepStarted { number, count, title: title.clone() });
    let is_done = step::is_done(step, &context(prepared, bundle, content, receipt, reporter));
    let result = if is_done {
        Ok(StepOutcome::Skipped)
    } else {
        receipt.record(step.id(), StepState::Begun, boot_id);
        receipt.write(path)?;
        step::execute(step, &mut context(prepared, bundle, content, receipt, reporter))
            .map(|()| StepOutcome::Done)
    };
    let (outcome, state) = match &result {
        Ok(outcome) => (*outcome, StepState::Done),
        Err(_) => (StepOutcome::Failed, StepState::Failed),
    };
    receipt.record(step.id(), state, boot_id);
    let written = receipt.write(path);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    reporter.emit(&Event::StepFinished { number, outcome, millis, title });
    // The step's own failure says more than a receipt that could not be written after it.
    result?;
    written
}
