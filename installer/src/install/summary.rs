//! What the operator reads at the end: what runs, where to look at it, what to do next.

use std::time::Duration;

use bundle_spec::index::Content;

use super::{Prepared, services};
use crate::event::Event;
use crate::facts::EngineChoice;
use crate::health::ServiceHealth;
use crate::layout::Layout;
use crate::outcome::Outcome;
use crate::report::Reporter;
use crate::text::{Message, summary as text};

/// After an installation.
///
/// # Errors
/// Never at present.
pub fn done(content: &Content, prepared: &Prepared, reporter: &Reporter, elapsed: Duration) -> Outcome<()> {
    let headline =
        text::installed(&Message::from(&content.app.title), &content.app.version, elapsed.as_secs());
    show(content, prepared, reporter, headline)
}

/// After a run that found everything in place.
///
/// # Errors
/// Never at present.
pub fn in_place(
    content: &Content,
    prepared: &Prepared,
    reporter: &Reporter,
    elapsed: Duration,
) -> Outcome<()> {
    let headline = text::everything_in_place(
        &Message::from(&content.app.title),
        &content.app.version,
        elapsed.as_secs_f64(),
    );
    show(content, prepared, reporter, headline)
}

fn show(content: &Content, prepared: &Prepared, reporter: &Reporter, headline: Message) -> Outcome<()> {
    let services: Vec<ServiceHealth> = services(content, prepared);
    reporter.emit(&Event::Health { services });
    for link in &content.links {
        if let Ok(url) = prepared.resolved.answers.expand(&link.url) {
            reporter.emit(&Event::Note { text: text::link(&Message::from(&link.title), &url) });
        }
    }
    let plan = &prepared.plan;
    let app = &content.app.name;
    let control = if plan.choice == EngineChoice::Private {
        plan.layout.control(app).display().to_string()
    } else {
        Layout::control_link(app)
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    reporter.emit(&Event::Note { text: text::manage(&control) });
    if plan.engine.home.is_some() && !plan.engine.by_systemd {
        reporter.emit(&Event::Note { text: text::not_back_after_reboot(&control) });
    }
    reporter.emit(&Event::Finished { code: 0, text: headline });
    Ok(())
}
