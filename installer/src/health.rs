//! Is the application well? Decided from containers and checks, never from the exit code of `up`.

use std::time::{Duration, Instant, SystemTime};

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use bundle_spec::project::Check;
use bundle_spec::text::tame;
use serde::{Deserialize, Serialize};

use crate::answers::veil::Veil;
use crate::engine::{Container, Engine, EngineError, http};
use crate::layout::Layout;
use crate::outcome::{Code, Failure, Outcome};
use crate::project::compose::last_lines;
use crate::text::{Message, problem, summary as text};

/// How one service is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceHealth {
    /// Whether it is a service or a check.
    pub kind: Kind,
    /// Compose service, or the check's name.
    pub name: String,
    /// What people call it, where that is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Message>,
    /// Whether it is as it should be.
    pub verdict: Verdict,
    /// What was observed.
    pub text: Message,
    /// The beginning of what a check's URL answered instead of what was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<String>,
}

impl ServiceHealth {
    /// The verdict in one word, of the same width for all.
    pub fn mark(&self) -> Message {
        match self.verdict {
            Verdict::Well => text::mark_well(),
            Verdict::Waiting => text::mark_waiting(),
            Verdict::Failed => text::mark_failed(),
        }
    }

    /// Gives every text that is not a name to `change`.
    pub(crate) fn each_text(&mut self, change: &mut dyn FnMut(&mut String)) {
        let Self { kind: _, name: _, title, verdict: _, text, came } = self;
        title.iter_mut().chain([text]).for_each(|text| text.each_text(change));
        came.iter_mut().for_each(change);
    }

    /// What makes a difference to who is waiting. Not what came: it may hold the time of day.
    fn news(&self) -> (&str, Verdict, &Message) {
        (&self.name, self.verdict, &self.text)
    }

    /// Name and observation.
    pub fn line(&self) -> Message {
        let name = self.title.clone().unwrap_or_else(|| Message::verbatim(&self.name));
        text::service_line(&name, &self.text)
    }
}

/// What is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A check that asks a URL.
    Check,
    /// A service of the project.
    Service,
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// As it should be.
    Well,
    /// May still become so.
    Waiting,
    /// Not without help.
    Failed,
}

/// What should be there.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What the bundle brought: its services and checks.
    pub content: &'a Content,
    /// What checks' URLs depend on.
    pub answers: &'a Answers,
    /// Services that Compose was asked to run no container of, when the project was last started.
    pub resting: &'a [String],
}

/// Judges the containers of the services that should be there, while they may still be starting. Pure.
pub fn judge(services: &[String], resting: &[String], containers: &[Container]) -> Vec<ServiceHealth> {
    let of_service = |service: &String| {
        let mut of = containers.iter().filter(|container| container.service == *service).peekable();
        if of.peek().is_none() {
            return vec![if resting.contains(service) {
                health(service, Verdict::Well, text::none_wanted())
            } else {
                health(service, Verdict::Waiting, text::no_container())
            }];
        }
        of.map(|container| judge_container(service, container)).collect()
    };
    services.iter().flat_map(of_service).collect()
}

fn judge_container(service: &str, container: &Container) -> ServiceHealth {
    let state = &container.state;
    if container.is_well() {
        let observed = if container.health.is_some() { text::healthy() } else { text::running() };
        health(service, Verdict::Well, observed)
    } else if container.is_finished() {
        health(service, Verdict::Well, text::finished())
    } else if container.out_of_memory {
        health(service, Verdict::Failed, text::out_of_memory())
    } else if container.has_failed() {
        let verdict = if container.restarts_by_itself { Verdict::Waiting } else { Verdict::Failed };
        health(service, verdict, text::exited(container.exit_code, container.restarts))
    } else if state == "restarting" {
        health(service, Verdict::Waiting, text::exited(container.exit_code, container.restarts))
    } else {
        let observed = container.health.as_deref().filter(|_| state == "running").unwrap_or(state);
        health(service, Verdict::Waiting, text::not_yet(observed))
    }
}

fn health(name: &str, verdict: Verdict, text: Message) -> ServiceHealth {
    ServiceHealth { kind: Kind::Service, name: name.to_owned(), title: None, verdict, text, came: None }
}

/// Asks one check's URL.
pub fn ask(check: &Check, answers: &Answers) -> ServiceHealth {
    let title = check.title.as_ref().map(Message::from);
    ServiceHealth { kind: Kind::Check, title, ..ask_url(check, answers) }
}

fn ask_url(check: &Check, answers: &Answers) -> ServiceHealth {
    let url = answers.expand(&check.url).unwrap_or_else(|_| check.url.clone());
    match http::get(&url, Duration::from_secs(5)) {
        // Here, since the beginning of a secret is no longer known for one.
        Ok(reply) => {
            judge_reply(&with_answers(check, answers), &url, reply.status, &reply.body, &Veil::of(answers))
        }
        Err(why) => health(&check.name, Verdict::Waiting, text::no_answer(&url, &text::why_no_answer(&why))),
    }
}

/// A check as it is with these answers. What needs one that was not asked for stays as the vendor wrote it, and is seen.
fn with_answers(check: &Check, answers: &Answers) -> Check {
    let wanted = |text: &String| answers.expand_ids(text).unwrap_or_else(|_| text.clone());
    Check { contains: check.contains.as_ref().map(wanted), ..check.clone() }
}

/// Judges what a check's URL answered. Pure.
fn judge_reply(check: &Check, url: &str, status: u16, body: &str, veil: &Veil) -> ServiceHealth {
    let observed = match check.contains.as_deref().filter(|wanted| !body.contains(wanted)) {
        _ if status != check.status => text::wrong_status(url, status, check.status),
        Some(wanted) => text::wrong_body(url, &tame(wanted)),
        None => return health(&check.name, Verdict::Well, text::answers(url, status)),
    };
    let came = Some(beginning(&veil.mask(body)));
    ServiceHealth { came, ..health(&check.name, Verdict::Waiting, observed) }
}

/// Characters that are shown of what a URL answered.
const SHOWN: usize = 200;

/// The beginning of an answer on one line, with nothing in it that a terminal would obey.
fn beginning(body: &str) -> String {
    let line = body.split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = tame(&line.chars().take(SHOWN).collect::<String>());
    if line.chars().nth(SHOWN).is_some() { format!("{shown}…") } else { shown }
}

/// Everything as it is now: services, then checks.
///
/// # Errors
/// When the engine does not answer.
pub fn observe(wanted: Wanted<'_>, engine: &Engine) -> Result<Vec<ServiceHealth>, EngineError> {
    let content = wanted.content;
    let containers = engine.containers(&content.project.name)?;
    let mut all = judge(&services(content, &containers), wanted.resting, &containers);
    all.extend(content.checks.iter().map(|check| ask(check, wanted.answers)));
    Ok(all)
}

/// Whether everything is well at this moment, and what says nothing about its health has run long enough to be believed.
///
/// # Errors
/// When the engine does not answer.
pub fn is_proven(wanted: Wanted<'_>, engine: &Engine) -> Result<bool, EngineError> {
    let is_well = observe(wanted, engine)?.iter().all(|service| service.verdict == Verdict::Well);
    let containers = engine.containers(&wanted.content.project.name)?;
    Ok(is_well && mute(&containers).all(|container| is_steady(container, SystemTime::now())))
}

/// Everything as it is at this moment, when nothing has been started: what is not well now is not waited for.
///
/// # Errors
/// When the engine does not answer.
pub fn observe_at_rest(wanted: Wanted<'_>, engine: &Engine) -> Result<Vec<ServiceHealth>, EngineError> {
    let containers = engine.containers(&wanted.content.project.name)?;
    let mut all = observe(wanted, engine)?;
    all.iter_mut().for_each(|health| give_up(health, &containers));
    Ok(all)
}

/// Only a container that has just been started still has time.
fn give_up(health: &mut ServiceHealth, containers: &[Container]) {
    let is_starting = |container: &Container| {
        container.state == "running" && container.health.as_deref() == Some("starting")
    };
    let mut of = containers.iter().filter(|container| container.service == health.name);
    let has_time = health.kind == Kind::Service && of.any(is_starting);
    if health.verdict == Verdict::Waiting && !has_time {
        health.verdict = Verdict::Failed;
    }
}

/// Whether somebody has stopped the application: nothing runs, and what ended did so because it was told to. The engine
/// itself brings back what should stay up.
pub fn is_stopped(containers: &[Container]) -> bool {
    let is_at_rest = |container: &Container| matches!(container.state.as_str(), "created" | "exited");
    let was_told = |container: &Container| {
        container.stays_up || container.is_finished() || matches!(container.exit_code, 0 | 130 | 137 | 143)
    };
    containers
        .iter()
        .all(|container| is_at_rest(container) && was_told(container) && !container.out_of_memory)
        && !containers.is_empty()
}

/// The services that should be there: those the packer found, else those that have containers.
fn services(content: &Content, containers: &[Container]) -> Vec<String> {
    if !content.project.services.is_empty() {
        return content.project.services.clone();
    }
    let mut services: Vec<String> = containers.iter().map(|container| container.service.clone()).collect();
    services.dedup();
    services
}

/// The shortest time that services without any check of their own get.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often the state is looked at.
const INTERVAL: Duration = Duration::from_millis(500);

/// How long everything may take to become well.
pub fn longest_wait(content: &Content) -> Duration {
    let longest = content.checks.iter().map(|check| Duration::from_secs(check.timeout)).max();
    longest.unwrap_or_default().max(PATIENCE)
}

/// Waits until everything is well. `seen` is shown each change.
///
/// # Errors
/// [`Code::Unhealthy`] with what is wrong and the last lines of the logs concerned.
pub fn wait_until_well(
    wanted: Wanted<'_>,
    engine: &Engine,
    layout: &Layout,
    mut seen: impl FnMut(&[ServiceHealth]),
) -> Outcome<Vec<ServiceHealth>> {
    let content = wanted.content;
    let longest = longest_wait(content);
    let started = Instant::now();
    let mut last = Vec::new();
    let mut well_since: Option<(Instant, Vec<String>)> = None;
    loop {
        let mut now = patiently(|| observe(wanted, engine))?;
        give_up_late_checks(&mut now, &content.checks, started.elapsed());
        if now.iter().map(ServiceHealth::news).ne(last.iter().map(ServiceHealth::news)) {
            seen(&now);
        }
        last = now;
        let worst = last.iter().map(|service| service.verdict).max().unwrap_or(Verdict::Well);
        match worst {
            Verdict::Well => {
                let lives = lives(&patiently(|| engine.containers(&content.project.name))?);
                let is_steady = well_since
                    .as_ref()
                    .is_some_and(|(since, then)| *then == lives && since.elapsed() >= STEADY);
                if lives.is_empty() || is_steady {
                    return Ok(last);
                }
                if well_since.as_ref().is_none_or(|(_, then)| *then != lives) {
                    well_since = Some((Instant::now(), lives));
                }
                if started.elapsed() >= longest {
                    return Err(unwell(content, &last, engine, layout));
                }
                std::thread::sleep(INTERVAL);
            }
            Verdict::Waiting if started.elapsed() < longest => std::thread::sleep(INTERVAL),
            Verdict::Waiting | Verdict::Failed => return Err(unwell(content, &last, engine, layout)),
        }
    }
}

/// So many answers in a row may be lost. One says nothing about the services; an engine that goes on like that is given up.
const LOST_ANSWERS: usize = 4;

/// Asks the engine, and once more if the answer is lost.
fn patiently<T>(mut ask: impl FnMut() -> Result<T, EngineError>) -> Outcome<T> {
    let mut lost = 0;
    loop {
        match ask() {
            Ok(answer) => return Ok(answer),
            Err(_) if lost < LOST_ANSWERS => lost += 1,
            Err(error) => {
                let failure = Failure::new(Code::Unhealthy, text::health_unknown());
                return Err(failure.because(&error).todo(problem::start_engine_again()));
            }
        }
        std::thread::sleep(INTERVAL);
    }
}

/// How long containers without a health check must have run without a restart: one that crashes every few seconds is
/// "running" in most looks at it.
const STEADY: Duration = Duration::from_secs(5);

/// Containers that say nothing about their health. One that crashed since the last look is among them.
fn mute(containers: &[Container]) -> impl Iterator<Item = &Container> {
    containers.iter().filter(|container| container.health.is_none() && !container.is_finished())
}

/// Whether a container, if it runs, has done so for [`STEADY`] at least. The engine's clock is this machine's.
fn is_steady(container: &Container, now: SystemTime) -> bool {
    let started = || humantime::parse_rfc3339(&container.started_at).ok();
    let age = || now.duration_since(started()?).ok();
    match container.state.as_str() {
        "running" => age().is_some_and(|age| age >= STEADY),
        // Those that should not rest have been judged.
        state => state != "restarting",
    }
}

/// The present life of each container that says nothing about its health; another restart or start is another life.
fn lives(containers: &[Container]) -> Vec<String> {
    let life = |of: &Container| format!("{} {} {} {}", of.id, of.started_at, of.restarts, of.state);
    mute(containers).map(life).collect()
}

/// A check whose own time is up has failed; the checks come last, in the order of the bundle.
fn give_up_late_checks(observed: &mut [ServiceHealth], checks: &[Check], elapsed: Duration) {
    let first = observed.len().saturating_sub(checks.len());
    for (health, check) in observed[first..].iter_mut().zip(checks) {
        if health.verdict == Verdict::Waiting && elapsed >= Duration::from_secs(check.timeout) {
            health.verdict = Verdict::Failed;
        }
    }
}

/// Lines of log that are shown of each service that is not well.
const LOG_LINES: usize = 10;

/// Lines that are shown of what a health check wrote.
const HEALTH_LINES: usize = 3;

/// Installed, but not healthy: what is wrong, what checks got instead, and the last lines of the logs concerned.
pub fn unwell(
    content: &Content,
    services: &[ServiceHealth],
    engine: &Engine,
    layout: &Layout,
) -> Box<Failure> {
    let ill: Vec<&ServiceHealth> =
        services.iter().filter(|service| service.verdict != Verdict::Well).collect();
    let mut failure = Failure::new(Code::Unhealthy, text::not_healthy())
        .listing(ill.iter().map(|service| service.line()).collect())
        .todo(text::look_at_logs(&layout.control_command(&content.app.name)));
    for (health, came) in ill.iter().filter_map(|health| Some((health, health.came.as_ref()?))) {
        failure = failure.quoting(format!("--- {} ---\n{came}", health.name));
    }
    // Which service stands behind a check is not known: then all of them are shown.
    let is_check_ill = ill.iter().any(|health| health.kind == Kind::Check);
    for container in engine.containers(&content.project.name).unwrap_or_default() {
        if !container.is_finished() && (is_check_ill || !container.is_well()) {
            // A check whose program is not in the image is in no log of the service.
            if let Some(output) = container.health_output.as_deref().filter(|_| !container.is_well()) {
                let output = last_lines(output, HEALTH_LINES);
                failure = failure.quoting(format!("--- {}: healthcheck ---\n{output}", container.service));
            }
            let mut tail = engine.log_tail(&container.id, LOG_LINES);
            // What a program said right before it ended, the engine may still be writing down.
            if tail.is_empty() && container.has_failed() {
                std::thread::sleep(INTERVAL);
                tail = engine.log_tail(&container.id, LOG_LINES);
            }
            failure = failure.quoting(format!("--- {} ---\n{}", container.service, tail.join("\n")));
        }
    }
    failure
}

#[cfg(test)]
mod tests;
