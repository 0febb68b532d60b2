//! The main job, in order: bundle → facts → answers → plan → preflight → confirmation → steps → summary. Nothing is changed
//! before everything is known.

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use bundle_spec::index::Content;
use bundle_spec::signature::PublicKey;

use crate::answers::{Origin, Problem, Resolved, Sources, builtin, generate, resolve, suggest};
use crate::bundle::{BundleFile, Extent};
use crate::detached::last;
use crate::event::{Event, SCHEMA};
use crate::facts::exposure::Exposure;
use crate::facts::{self, EngineChoice, Facts, Scope, address};
use crate::host::signal::Watch;
use crate::layout::EngineHome;
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::{self, Plan, Step};
use crate::preflight::{self, Demand, Finding, Severity};
use crate::receipt::{Extent as State, Receipt};
use crate::report::Reporter;
use crate::step::open_firewall;
use crate::text::{Message, finding as finding_text, problem as problem_text, progress as text};
use crate::{health, trust, wizard};

pub mod certificate;
pub mod execute;
pub mod references;
pub mod remains;
pub mod sources;
pub mod summary;
mod target;
#[cfg(test)]
mod tests;

pub use target::Target;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// `--answers FILE`.
    pub answers: Option<PathBuf>,
    /// `--set id=value`.
    pub set: Vec<(String, String)>,
    /// `--yes`: no confirmation.
    pub yes: bool,
    /// `--accept ID`: warnings that are accepted.
    pub accept: Vec<String>,
    /// `--strict`: other warnings refuse the run.
    pub strict: bool,
    /// `--dry-run`: show the plan, change nothing.
    pub dry_run: bool,
    /// `--verify-first`: every byte is verified before anything is changed.
    pub verify_first: bool,
    /// `--trust KEY`: the bundle must be signed with it.
    pub trust: Option<PublicKey>,
    /// `--dir DIR`.
    pub dir: Option<PathBuf>,
    /// `--engine auto|system|private`; an earlier installation's choice is kept where nothing is said.
    pub engine: Option<EngineChoice>,
    /// This process leaves the terminal when the work begins; signals are then its own affair.
    pub worker: Option<Watch>,
    /// Somebody sits at a terminal and may be asked.
    pub interactive: bool,
    /// The language is settled: `--lang`, or a terminal that can show one only.
    pub language_is_settled: bool,
}

/// Everything known before anything is changed.
#[derive(Debug)]
pub struct Prepared {
    /// The answers and where they came from.
    pub resolved: Resolved,
    /// What is wrong with them.
    pub problems: Vec<Problem>,
    /// The host.
    pub facts: Facts,
    /// The plan.
    pub plan: Plan,
    /// Preflight.
    pub findings: Vec<Finding>,
}

/// Installs, or finds everything in place.
///
/// # Errors
/// Whatever ended the run early, with its exit code.
pub fn install(bundle: &BundleFile, options: &Options, reporter: &Reporter) -> Outcome<()> {
    let content = &bundle.bundle.index.content;
    let mut started = Instant::now();
    if options.dry_run {
        reporter.show_result();
    }
    if options.interactive && !options.language_is_settled {
        wizard::choose_language(reporter)?;
    }
    announce(content, reporter);
    if options.interactive {
        wizard::introduce(bundle, reporter);
        started = Instant::now();
    }
    let mut target = Target::of(content, options);
    target.doubts = show_origin(bundle, options, &target, reporter)?;
    if !target.is_silent {
        last::tell(&target.layout, !options.dry_run, reporter);
    }
    // A bundle that was verified and installed here before is read only if something has to be done again.
    let is_known = target.receipt.as_ref().is_some_and(|receipt| is_complete(receipt, bundle));
    if !is_known || options.verify_first {
        verify(bundle, options, reporter)?;
    }
    let sources = sources::collect(options, &target, &content.questions)?;
    reporter.hide(sources.secrets(&content.questions));
    let facts = look(bundle, &target);
    let mut receipt = target.receipt.clone().unwrap_or_else(|| {
        Receipt::new(&content.app.name, &content.app.version, &content.project.name, target.choice)
    });
    let mut prepared = if options.interactive {
        let plan = |prepared: &Prepared| {
            execute::plan_lines(prepared, bundle, content, &mut receipt.clone(), reporter)
        };
        let look = || look(bundle, &target);
        let prepared = talk(content, &target, (sources, facts), (&plan, &look), options.dry_run, reporter)?;
        // The time that a person took to answer is not the installation's.
        started = Instant::now();
        prepared
    } else {
        let prepared = prepare(content, &target, &sources, facts, reporter)?;
        refuse_by_answers(&prepared, content, options)?;
        refuse_by_findings(&prepared.findings)?;
        prepared
    };
    if options.dry_run {
        let lines = execute::plan_lines(&prepared, bundle, content, &mut receipt, reporter);
        wizard::review(content, &prepared, &lines, reporter);
        reporter.line(&crate::text::wizard::planned_only());
        return Ok(());
    }
    // A value alone changes an installation that is there; without one it may have been meant for another directory.
    let is_told = options.yes || options.answers.is_some();
    if !options.interactive && !is_told && target.receipt.is_none() {
        return Err(Failure::new(Code::Usage, problem_text::consent_missing()).todo(problem_text::say_yes()));
    }
    if is_known && execute::all_done(&prepared, bundle, content, &mut receipt, reporter) {
        execute::tidy_up_later(&prepared, bundle, content, &mut receipt, reporter);
        let elapsed = started.elapsed();
        return summary::in_place(content, &prepared, options, reporter, elapsed);
    }
    if is_known && !options.verify_first {
        verify(bundle, options, reporter)?;
    }
    if !options.interactive {
        let lines = execute::plan_lines(&prepared, bundle, content, &mut receipt, reporter);
        reporter.emit(&Event::Plan { steps: lines });
    }
    let _lock =
        execute::carry_out(bundle, content, &mut prepared, (target.receipt, receipt), options, reporter)?;
    summary::done(content, &prepared, options, reporter, started.elapsed())
}

/// Says what is about to be installed.
pub fn announce(content: &Content, reporter: &Reporter) {
    reporter.emit(&Event::Started {
        schema: SCHEMA,
        app: content.app.name.clone(),
        version: content.app.version.clone(),
        title: text::installing(&Message::from(&content.app.title), &content.app.version),
    });
}

/// What a person is asked, after what they could not change by any answer has been told: nobody answers nine questions only to
/// learn that the machine does not fit.
fn talk(
    content: &Content,
    target: &Target,
    (sources, facts): (Sources, Facts),
    (plan, look): (wizard::Describe<'_>, wizard::Look<'_>),
    is_rehearsal: bool,
    reporter: &Reporter,
) -> Outcome<Prepared> {
    let first = prepare_quietly(content, target, &sources, facts.clone(), reporter)?;
    let settled: Vec<_> =
        first.findings.iter().filter(|finding| !is_open_port(finding, content, &first)).cloned().collect();
    show_findings(&settled, &sources, reporter);
    // What an answer may still change is judged again before anything is installed.
    let is_settled =
        |finding: &&Finding| finding.severity == Severity::Fail || !DEPEND_ON_ANSWERS.contains(&finding.id);
    refuse_by_findings(&settled.iter().filter(is_settled).cloned().collect::<Vec<_>>())?;
    let forced = |problem: &Problem| !problem.can_be_asked();
    refuse(first.problems.iter().filter(|problem| forced(problem)), problem_text::give_differently())?;
    let mut asked = content.clone();
    asked.questions.retain(|question| builtin::is_worth_asking(&question.id, &first.facts, target.choice));
    let prepare =
        |sources: &Sources, facts: &Facts| prepare_quietly(content, target, sources, facts.clone(), reporter);
    let addresses = suggest::addresses(&address::collect());
    let addresses = addresses.iter().map(ToString::to_string).collect();
    let matter = wizard::Matter {
        content: &asked,
        sources,
        facts,
        prepare: &prepare,
        plan,
        look,
        addresses,
        is_installed: target.receipt.as_ref().is_some_and(|receipt| receipt.extent() == State::Installed),
        is_rehearsal,
    };
    wizard::converse(matter, reporter)
}

/// Warnings that an answer may take away: that ports are opened, another address, another host.
const DEPEND_ON_ANSWERS: [&str; 4] = ["firewall", "address-pool", "check-url", "dns"];

/// Whether a port that is taken can still be answered with another one.
fn is_open_port(finding: &Finding, content: &Content, prepared: &Prepared) -> bool {
    let resolved = &prepared.resolved;
    let port = finding.needed.as_ref().or(finding.found.as_ref());
    let is_asked = |template: &&String| {
        let id = template.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let origin = resolved.origins.iter().find(|(known, _)| id == Some(known.as_str()));
        origin.is_some_and(|(_, origin)| *origin > Origin::File)
            && resolved.answers.expand(template).ok().as_ref() == port
    };
    finding.id.starts_with("port") && content.requirements.ports.iter().any(|port| is_asked(&port))
}

fn is_complete(receipt: &Receipt, bundle: &BundleFile) -> bool {
    receipt.bundle == bundle.bundle.trailer.index_digest.to_string()
        && receipt.is_done(Step::ProveHealthy.id())
        && receipt.removal.is_none()
}

/// Refuses a bundle that has not the signature that it must have, and says whose it is. What else is odd about it is returned:
/// it may have been accepted, which is not known before the answers file is read.
///
/// # Errors
/// [`Code::Bundle`], before anything else is looked at.
pub fn show_origin(
    bundle: &BundleFile,
    options: &Options,
    target: &Target,
    reporter: &Reporter,
) -> Outcome<Vec<Finding>> {
    let (signer, receipt) = (bundle.bundle.signer.as_ref(), target.receipt.as_ref());
    let basis = trust::judge(&bundle.path, signer, options.trust.as_ref(), receipt)?;
    let findings = trust::findings(basis, signer, &bundle.bundle.index.content, receipt);
    let (told, doubts): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.severity == Severity::Pass);
    told.into_iter().for_each(|finding| reporter.emit(&Event::Finding(finding)));
    Ok(doubts)
}

/// Layers are verified while they are loaded, unless the operator wants it otherwise.
fn verify(bundle: &BundleFile, options: &Options, reporter: &Reporter) -> Outcome<()> {
    let extent = if options.verify_first { Extent::Everything } else { Extent::WithoutLayers };
    let title = text::verifying();
    let total = bundle.len_of(extent);
    let progress = |done| reporter.emit(&Event::Progress { title: title.clone(), done, total });
    bundle.verify(extent, &progress)
}

/// The engine that is meant: the caller's, else the one that the application is on. `sudo` drops the variable, and a second engine would
/// be brought beside the one that has the application.
fn docker_host(target: &Target) -> Option<String> {
    let given = std::env::var("DOCKER_HOST").ok().filter(|given| !given.is_empty());
    let real = |socket: &Path| socket.canonicalize().ok();
    let is_elsewhere = |receipt: &&Receipt| {
        target.choice == EngineChoice::Auto
            && receipt.engine.is_none()
            && receipt.extent() != State::Uninstalled
            && receipt.socket.exists()
            && real(&receipt.socket) != real(&EngineHome::System.socket())
    };
    let known = target.receipt.as_ref().filter(is_elsewhere);
    given.or_else(|| known.map(|receipt| format!("unix://{}", receipt.socket.display())))
}

/// Reads what the host is like. Changes nothing.
pub fn look(bundle: &BundleFile, target: &Target) -> Facts {
    let content = &bundle.bundle.index.content;
    let scope = Scope {
        layout: &target.layout,
        is_silent: target.is_silent,
        choice: target.choice,
        docker_host: docker_host(target),
        app: &content.app.name,
        project: &content.project.name,
    };
    facts::collect(&scope, &bundle.bundle.index)
}

/// Checks answers, decides the plan, looks for what speaks against it, and shows that.
///
/// # Errors
/// When the kernel gives no random numbers.
pub fn prepare(
    content: &Content,
    target: &Target,
    sources: &Sources,
    facts: Facts,
    reporter: &Reporter,
) -> Outcome<Prepared> {
    let prepared = prepare_quietly(content, target, sources, facts, reporter)?;
    for note in &prepared.resolved.notes {
        reporter.emit(&Event::Note { text: note.message() });
    }
    let has_firewall = prepared.facts.firewall.is_some() || prepared.facts.access.firewall.is_some();
    if !has_firewall && !open_firewall::wanted(content, &prepared.resolved.answers).is_empty() {
        reporter.emit(&Event::Note { text: text::no_firewall_to_open() });
    }
    show_findings(&prepared.findings, sources, reporter);
    Ok(prepared)
}

fn show_findings(findings: &[Finding], sources: &Sources, reporter: &Reporter) {
    for finding in findings {
        reporter.emit(&Event::Finding(finding.clone()));
    }
    reporter.emit(&Event::checked(findings));
    for id in sources.acceptance().in_vain(findings) {
        reporter.emit(&Event::Note { text: finding_text::failure_not_accepted(id) });
    }
}

/// [`prepare`] without a word. What is found here may quote an answer, so the reporter learns first which of them nobody may see.
pub(crate) fn prepare_quietly(
    content: &Content,
    target: &Target,
    sources: &Sources,
    facts: Facts,
    reporter: &Reporter,
) -> Outcome<Prepared> {
    let mut random_error = None;
    let mut make = |recipe| {
        generate::secret(recipe).unwrap_or_else(|error| {
            random_error = Some(error);
            String::new()
        })
    };
    let (resolved, mut problems) = resolve(&content.questions, &content.values, sources, &mut make);
    reporter.hide_answers(&resolved.answers);
    if let Some(error) = random_error {
        return Err(Failure::new(Code::Preflight, problem_text::no_random_numbers()).because(&error));
    }
    let mut plan = plan::decide(&target.layout, target.choice, content, &facts, &resolved.answers);
    let certificate = certificate::examine(content, &target.layout, &resolved, SystemTime::now());
    plan.certificate = certificate.wanted;
    problems.extend(certificate.problems);
    let demand = Demand {
        content,
        layout: &target.layout,
        choice: target.choice,
        answers: &resolved.answers,
        disk: &plan.disk,
    };
    let mut findings = preflight::check(&facts, &demand);
    let secrets =
        content.questions.iter().filter(|question| question.is_secret()).map(|question| &question.id);
    let made_up: Vec<_> =
        secrets.filter(|id| resolved.origins.get(*id) == Some(&Origin::Generated)).collect();
    findings.extend(preflight::volume::check(&facts, &demand, &made_up));
    findings.extend(certificate.findings);
    findings.extend(target.doubts.iter().cloned());
    findings.extend(sources.open_file().and_then(|open| open_answers(&resolved, open)));
    preflight::order(&mut findings);
    sources.acceptance().apply(&mut findings);
    Ok(Prepared { resolved, problems, facts, plan, findings })
}

/// Passwords in a file that everybody may read.
fn open_answers(resolved: &Resolved, (path, exposure): (&Path, Exposure)) -> Option<Finding> {
    let shown = path.display();
    let todo = match exposure {
        Exposure::Mode => problem_text::close_answers_file(&shown),
        Exposure::Place => problem_text::move_answers_file(&shown),
    };
    let text = problem_text::answers_file_is_open(&shown);
    summary::has_secret_from_file(resolved).then(|| Finding::warn("answers-file", text, todo))
}

/// Ends the run with everything that is wrong with the answers. They come before findings: ports depend on them.
fn refuse_by_answers(prepared: &Prepared, content: &Content, options: &Options) -> Outcome<()> {
    let todo = match &options.answers {
        Some(path) => problem_text::mend_answers(&path.display()),
        None => problem_text::complete_answers(&format!("{}-{}.run", content.app.name, content.app.version)),
    };
    refuse(prepared.problems.iter(), todo)
}

/// The same for what was given and is wrong; what is missing may still come.
///
/// # Errors
/// [`Code::Answers`] with all of it.
pub fn refuse_wrong_answers(prepared: &Prepared, options: &Options) -> Outcome<()> {
    let wrong = prepared
        .problems
        .iter()
        .filter(|problem| !matches!(problem, Problem::Missing(_) | Problem::MissingSecret(_)));
    let todo = match &options.answers {
        Some(path) => problem_text::mend_answers(&path.display()),
        None => problem_text::give_differently(),
    };
    refuse(wrong, todo)
}

fn refuse<'a>(problems: impl Iterator<Item = &'a Problem>, todo: Message) -> Outcome<()> {
    let problems: Vec<&Problem> = problems.collect();
    if problems.is_empty() {
        return Ok(());
    }
    // An answers file has nothing to do with what stands on the command line alone.
    let is_set = problems.iter().all(|problem| problem.origin() == Some(Origin::Set));
    let todo = if is_set { problem_text::mend_set() } else { todo };
    let details: Vec<Message> = problems.into_iter().map(Problem::message).collect();
    Err(Failure::new(Code::Answers, problem_text::answers_incomplete(details.len()))
        .listing(details)
        .todo(todo))
}

/// Ends the run when preflight forbids it; the findings themselves have been shown.
///
/// # Errors
/// [`Code::Preflight`] when any finding is a failure, or a warning that is taken strictly.
pub fn refuse_by_findings(findings: &[Finding]) -> Outcome<()> {
    let failed = findings.iter().filter(|finding| finding.refuses).count();
    if failed == 0 {
        return Ok(());
    }
    let is_strict = findings.iter().any(|finding| finding.refuses && finding.severity != Severity::Fail);
    let what = if is_strict {
        problem_text::preflight_refused_strictly(failed)
    } else {
        problem_text::preflight_refused(failed)
    };
    Err(Failure::new(Code::Preflight, what).todo(problem_text::fix_and_run_again()))
}

/// What is running now, for summaries.
pub fn services(content: &Content, prepared: &Prepared) -> Vec<health::ServiceHealth> {
    let engine = crate::engine::Engine::connect(&prepared.plan.engine.socket);
    let receipt = Receipt::read(&prepared.plan.layout.receipt()).ok().flatten();
    let resting = receipt.map(|receipt| receipt.resting).unwrap_or_default();
    let wanted = health::Wanted { content, answers: &prepared.resolved.answers, resting: &resting };
    let observe = |engine| health::observe(wanted, &engine).ok();
    engine.ok().and_then(observe).unwrap_or_default()
}
