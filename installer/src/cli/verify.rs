//! `verify`: every byte of the file.

use super::Session;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::text::{bytes, progress, summary};

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let total = bundle.bundle.trailer.index_offset;
    let title = progress::verifying();
    bundle.verify(&|done| session.reporter.emit(&Event::Progress { title: title.clone(), done, total }))?;
    session.say(&summary::verified(&bytes(bundle.bundle.trailer.total_len)));
    Ok(())
}
