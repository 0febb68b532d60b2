//! What the operator reads at the end: what runs, where to look at it, what to do next.

use std::path::Path;
use std::time::Duration;

use bundle_spec::answer::Answer;
use bundle_spec::index::Content;
use bundle_spec::question::QuestionId;

use super::{Options, Prepared, services};
use crate::answers::{Origin, Resolved};
use crate::engine::{Engine, http};
use crate::event::Event;
use crate::facts::EngineChoice;
use crate::health::{self, ServiceHealth, Verdict};
use crate::host::below::Folder;
use crate::outcome::{Code, Failure, Outcome};
use crate::preflight::{Demand, network};
use crate::report::Reporter;
use crate::text::{Message, problem, summary as text, tls as tls_text};
use crate::tls::{Wanted, judge};

/// After an installation.
///
/// # Errors
/// [`Code::Unhealthy`] when it is not well any more at this very moment.
pub fn done(
    content: &Content,
    prepared: &Prepared,
    options: &Options,
    reporter: &Reporter,
    elapsed: Duration,
) -> Outcome<()> {
    let headline =
        text::installed(&Message::from(&content.app.title), &content.app.version, elapsed.as_secs());
    show(content, prepared, options, reporter, headline)
}

/// After a run that found everything in place.
///
/// # Errors
/// [`Code::Unhealthy`] when it is not well any more at this very moment.
pub fn in_place(
    content: &Content,
    prepared: &Prepared,
    options: &Options,
    reporter: &Reporter,
    elapsed: Duration,
) -> Outcome<()> {
    let headline = text::everything_in_place(
        &Message::from(&content.app.title),
        &content.app.version,
        elapsed.as_secs_f64(),
    );
    show(content, prepared, options, reporter, headline)
}

/// How long a link may take to answer.
const LINK_LIMIT: Duration = Duration::from_secs(3);

/// Nobody listens where a link leads: a port was changed, and the address that was given still has the old one. Names
/// cannot be asked from here, and what comes in over TLS cannot be read.
fn is_dead(url: &str) -> bool {
    http::reach(url, LINK_LIMIT).is_err_and(|why| why.contains("Connection refused"))
}

/// Whether the answers file had a password in it that was used; a URL may have one, too.
pub(super) fn has_secret_from_file(resolved: &Resolved) -> bool {
    let is_secret = |id: &QuestionId| resolved.answers.of(id.as_str()).is_some_and(Answer::is_secret);
    resolved.origins.iter().any(|(id, origin)| *origin == Origin::File && is_secret(id))
}

/// Bytes of a certificate file at most.
const PEM_MAX: u64 = 1 << 20;

/// With it whoever opens the page can see that it is this machine's certificate which the browser warns of.
fn show_fingerprint(content: &Content, prepared: &Prepared, reporter: &Reporter) {
    let (Some(tls), Some(Wanted::SelfSigned { hosts })) = (&content.tls, &prepared.plan.certificate) else {
        return;
    };
    let folder = Folder::open(&prepared.plan.layout.dir);
    let placed = folder.and_then(|folder| folder.read(Path::new(tls.certificate.as_str()), PEM_MAX));
    if let Some(fingerprint) = placed.ok().and_then(|placed| judge::fingerprint(&placed)) {
        reporter.emit(&Event::Note { text: tls_text::fingerprint_follows(&hosts.join(", ")) });
        reporter.emit(&Event::Note { text: Message::verbatim(fingerprint) });
    }
}

fn show(
    content: &Content,
    prepared: &Prepared,
    options: &Options,
    reporter: &Reporter,
    headline: Message,
) -> Outcome<()> {
    let services: Vec<ServiceHealth> = services(content, prepared);
    let is_well = !services.is_empty() && services.iter().all(|service| service.verdict == Verdict::Well);
    reporter.emit(&Event::Health { services: services.clone() });
    if !is_well {
        let engine = Engine::connect(&prepared.plan.engine.socket);
        let unknown = |error| {
            Failure::new(Code::Unhealthy, text::health_unknown())
                .because(&error)
                .todo(problem::start_engine_again())
        };
        return Err(health::unwell(content, &services, &engine.map_err(unknown)?, &prepared.plan.layout));
    }
    for link in &content.links {
        if let Ok(url) = prepared.resolved.answers.expand(&link.url) {
            reporter.emit(&Event::Note { text: text::link(&Message::from(&link.title), &url) });
            if is_dead(&url) {
                reporter.emit(&Event::Note { text: text::dead_link(&url) });
            }
        }
    }
    show_fingerprint(content, prepared, reporter);
    let plan = &prepared.plan;
    let app = &content.app.name;
    let control = plan.layout.control_command(app);
    let log = plan.layout.log();
    reporter.emit(&Event::Note { text: text::places(&plan.layout.dir.display(), &log.display()) });
    reporter.emit(&Event::Note { text: text::manage(&control) });
    // Said as long as that login has not been seen: what counts is this very session.
    if let Some(user) = plan.member.as_ref().filter(|_| plan.choice != EngineChoice::Private) {
        reporter.emit(&Event::Note { text: text::new_login_needed(user) });
    }
    if let Some(path) = options.answers.as_ref().filter(|_| has_secret_from_file(&prepared.resolved)) {
        reporter.emit(&Event::Note { text: text::delete_answers(&path.display()) });
    }
    if plan.engine.home.is_some() && !plan.engine.by_systemd {
        reporter.emit(&Event::Note { text: text::not_back_after_reboot(&control) });
    }
    let demand = Demand {
        content,
        layout: &plan.layout,
        choice: plan.choice,
        answers: &prepared.resolved.answers,
        disk: &plan.disk,
    };
    if let Some(text) = network::still_shut(&prepared.facts, &demand) {
        reporter.emit(&Event::Note { text });
    }
    reporter.emit(&Event::Finished { code: 0, text: headline });
    Ok(())
}
