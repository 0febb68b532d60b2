//! Carries out a plan: under the lock, step by step, with the receipt written around each.

use std::path::Path;
use std::time::{Instant, SystemTime};

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;

use super::{Options, Prepared, Target, remains};
use crate::bundle::BundleFile;
use crate::detached::worker;
use crate::engine::{Description, Engine};
use crate::event::{Event, StepOutcome};
use crate::facts::EngineFacts;
use crate::host::file::{self, Access};
use crate::host::lock::{self, Holder, Lock};
use crate::layout::{ENGINE_LOCK, EngineHome};
use crate::load::{forgotten, leases, replaced};
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::{self, Plan, Step};
use crate::preflight::{self, Demand};
use crate::receipt::{Receipt, StepState};
use crate::report::Reporter;
use crate::step::{self, Context, write_project};
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
    let version = &content.app.version;
    let earlier = (receipt.version != *version).then(|| receipt.version.clone());
    let context = context(prepared, bundle, content, receipt, reporter);
    let line = |step: &Step| {
        let line = prepared.plan.describe_step(*step, content);
        let line = match (step, &earlier) {
            (Step::WriteProject, Some(earlier)) => progress::of_another_version(&line, earlier, version),
            _ => line,
        };
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
/// `known` is the receipt that everything was prepared from, if there was one. What was prepared changes if another installation
/// has brought the engine meanwhile.
///
/// # Errors
/// [`Code::Locked`] when another run is at work, or has been since; else the first step that failed.
pub(super) fn carry_out(
    bundle: &BundleFile,
    content: &Content,
    prepared: &mut Prepared,
    (known, mut receipt): (Option<Receipt>, Receipt),
    options: &Options,
    reporter: &Reporter,
) -> Outcome<Option<Lock>> {
    let begun = SystemTime::now();
    let layout = &prepared.plan.layout.clone();
    let way_back = remains::way_back(known.as_ref(), &prepared.facts, bundle, layout);
    file::make_dir(&layout.dir, Access::EXECUTABLE)?;
    file::make_dir(&layout.state(), Access { mode: 0o700, owner: None })?;
    let mut lock = Some(lock::take(&layout.lock())?);
    // Answers and plan were made before the lock was held; secrets of another run must not be replaced by ours.
    if Receipt::read(&layout.receipt()).ok().as_ref() != Some(&known) {
        return Err(Failure::new(Code::Locked, text::another_run_meanwhile()).todo(text::run_again()));
    }
    reporter.log_to(&layout.log());
    receipt.version.clone_from(&content.app.version);
    receipt.bundle = bundle.bundle.trailer.index_digest.to_string();
    receipt.created = content.created;
    // A bundle without a signature gets here only where none was pinned.
    receipt.signer = bundle.bundle.signer.as_ref().map(|signer| signer.key.base64());
    receipt.lang = reporter.lang().code().to_owned();
    receipt.choice = prepared.plan.choice;
    receipt.removal = None;
    receipt.was_healthy |= receipt.is_done(Step::ProveHealthy.id());
    receipt.found_files |= known.is_none() && prepared.facts.project.is_occupied;
    let is_shared = prepared.plan.engine.home == Some(EngineHome::System);
    // Whose the host's engine will be is known when nobody else installs one any more.
    if !is_shared {
        record_engine(&mut receipt, &prepared.plan);
    }
    receipt.write(&layout.receipt())?;
    write_project::keep_answers(&context(prepared, bundle, content, &mut receipt, reporter));
    if let Some(watch) = &options.worker
        && let Some(lock) = lock.take()
    {
        worker::leave(layout, &receipt, &prepared.resolved.answers, (lock, watch), reporter);
    }
    let mut engine_lock = None;
    if is_shared {
        let tell = |holder: &Holder| {
            let text = progress::waiting_for_engine(&holder.app, &holder.pid);
            reporter.emit(&Event::Note { text });
        };
        let wait = || lock::wait(Path::new(ENGINE_LOCK), &content.app.name, lock::FOR_ENGINE, tell);
        engine_lock = Some(reporter.while_waiting(Some(lock::FOR_ENGINE.longest), wait)?);
        look_again(bundle, content, prepared)?;
        record_engine(&mut receipt, &prepared.plan);
        receipt.write(&layout.receipt())?;
    }
    let count = prepared.plan.steps.len();
    for (position, step) in prepared.plan.steps.iter().enumerate() {
        if *step == Step::LoadImages {
            drop(engine_lock.take());
        }
        run_step(*step, (position + 1, count), prepared, bundle, content, &mut receipt, reporter).map_err(
            |failure| failure.leaving(remains::of(&prepared.plan, &receipt, content, way_back.clone())),
        )?;
    }
    if let Ok(engine) = context(prepared, bundle, content, &mut receipt, reporter).engine() {
        tidy_up(&engine, content, begun, &mut receipt, reporter);
        // Without it the next run looks in vain for what is gone.
        let _ = receipt.write(&layout.receipt());
    }
    Ok(lock)
}

/// What a run that was killed at its very end, or an image that was in use, has left to be removed. Everything is in place: who
/// cannot do it now leaves it to the next run.
pub(super) fn tidy_up_later(
    prepared: &Prepared,
    bundle: &BundleFile,
    content: &Content,
    receipt: &mut Receipt,
    reporter: &Reporter,
) {
    let layout = &prepared.plan.layout;
    if receipt.replaced.is_empty() {
        return;
    }
    let Ok(_lock) = lock::take(&layout.lock()) else { return };
    // Another run has been at work meanwhile: what it has written is not to be overwritten.
    if Receipt::read(&layout.receipt()).ok().flatten().as_ref() != Some(&*receipt) {
        return;
    }
    if let Ok(engine) = context(prepared, bundle, content, receipt, reporter).engine() {
        let left = replaced::remove(&engine, &receipt.replaced, || {});
        if left != receipt.replaced {
            receipt.replaced = left;
            // Without it the next run looks in vain for what is gone.
            let _ = receipt.write(&layout.receipt());
        }
    }
}

/// Removes what only the installation needed, and what the version before leaves without a name. All that was asked for is there;
/// what cannot be removed now, the next run looks for.
fn tidy_up(
    engine: &Engine,
    content: &Content,
    begun: SystemTime,
    receipt: &mut Receipt,
    reporter: &Reporter,
) {
    // The containers that held images while they were loaded go when the project starts; here, where it ran already.
    if engine.release_images(&content.app.name, |_| true).is_err() {
        reporter.emit(&Event::Note { text: progress::not_released() });
    }
    // A request that died before this run may have gone on in the engine while images were loaded; by now it has ended.
    if let Ok(Description { containerd: Some(access), .. }) = engine.describe() {
        drop(leases::release(&access, content, begun));
        drop(forgotten::let_go(&access, engine, content));
    }
    let tell = || reporter.emit(&Event::Phase { title: progress::removing_replaced() });
    receipt.replaced = replaced::remove(engine, &receipt.replaced, tell);
}

fn record_engine(receipt: &mut Receipt, plan: &Plan) {
    receipt.socket.clone_from(&plan.engine.socket);
    receipt.engine.clone_from(&plan.engine.home);
    receipt.compose.clone_from(&plan.engine.compose);
}

/// Two applications that come to a machine without an engine at the same time: one installs it, the other one, which has waited, finds
/// it and uses it as any engine that was there.
fn look_again(bundle: &BundleFile, content: &Content, prepared: &mut Prepared) -> Outcome<()> {
    let (layout, choice) = (prepared.plan.layout.clone(), prepared.plan.choice);
    if prepared.facts.engine != EngineFacts::Absent || prepared.facts.project.own_engine.is_some() {
        return Ok(());
    }
    let target = Target::fresh(layout.clone(), choice);
    let facts = super::look(bundle, &target);
    if facts.engine == EngineFacts::Absent {
        return Ok(());
    }
    let answers = &prepared.resolved.answers;
    let plan = plan::decide(&layout, choice, content, &facts, answers);
    let demand = Demand { content, layout: &layout, choice, answers, disk: &plan.disk };
    // The next run says what stands in the way, with the rest of preflight.
    if preflight::check(&facts, &demand).iter().any(|finding| finding.refuses) {
        return Err(Failure::new(Code::Locked, text::another_run_meanwhile()).todo(text::run_again()));
    }
    (prepared.plan, prepared.facts) = (plan, facts);
    Ok(())
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
    let title = match &result {
        // What is missing is known only once the engine runs.
        Ok(StepOutcome::Skipped) if step == Step::LoadImages => progress::load_nothing(content.images.len()),
        _ => title,
    };
    let (outcome, state) = match &result {
        Ok(outcome) => (*outcome, StepState::Done),
        Err(_) => (StepOutcome::Failed, StepState::Failed),
    };
    receipt.record(step.id(), state, boot_id);
    receipt.was_healthy |= step == Step::ProveHealthy && result.is_ok();
    let written = receipt.write(path);
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    reporter.emit(&Event::StepFinished { number, outcome, millis, title });
    // The step's own failure says more than a receipt that could not be written after it.
    result?;
    written
}
