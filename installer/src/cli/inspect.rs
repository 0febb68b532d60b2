//! `inspect` and `answers`: what is in the file, as data on standard output.

use super::Session;
use crate::answers::template;
use crate::outcome::Outcome;
use crate::report::data;
use crate::text::{Message, bytes};

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let content = &bundle.bundle.index.content;
    if session.json {
        data(&serde_json::to_string(&*bundle.bundle.index).unwrap_or_default());
        return Ok(());
    }
    let title = Message::from(&content.app.title);
    data(&format!(
        "{} {} ({})",
        title.in_lang(session.reporter.lang()),
        content.app.version,
        content.app.name
    ));
    data(&format!("{}  {}", bundle.path.display(), bytes(bundle.bundle.trailer.total_len)));
    for image in &content.images {
        let unpacked: u64 = image.layers.iter().map(|layer| layer.unpacked_len).sum();
        data(&format!("  {}  {}  {}", image.reference, image.platform, bytes(unpacked)));
    }
    if let Some(engine) = &content.engine {
        data(&format!("  Docker {}", engine.version.as_deref().unwrap_or("?")));
    }
    Ok(())
}

pub(super) fn answers(session: &Session<'_>) -> Outcome<()> {
    data(template::render(&session.bundle()?.bundle.index.content).trim_end());
    Ok(())
}
