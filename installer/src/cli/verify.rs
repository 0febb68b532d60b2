//! `verify`: every byte of the file.

use super::Session;
use crate::bundle::Extent;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::text::{bytes, progress, summary};

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let title = progress::verifying();
    let total = bundle.len_of(Extent::Everything);
    let progress = |done| session.reporter.emit(&Event::Progress { title: title.clone(), done, total });
    bundle.verify(Extent::Everything, &progress)?;
    session.reporter.show_result();
    session.say(&summary::verified(&bytes(bundle.bundle.trailer.total_len)));
    Ok(())
}
