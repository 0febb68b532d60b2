//! `verify`: every byte of the file.

use super::{Session, key};
use crate::bundle::Extent;
use crate::event::Event;
use crate::outcome::Outcome;
use crate::text::{bytes, progress, summary};
use crate::trust;

pub(super) fn run(session: &Session<'_>) -> Outcome<()> {
    let bundle = session.bundle()?;
    let wanted = key::given(session, session.verb(), "key")?;
    let signer = bundle.bundle.signer.as_ref();
    // At once, before gigabytes are read.
    trust::judge(&bundle.path, signer, wanted.as_ref(), None)?;
    let title = progress::verifying();
    let total = bundle.len_of(Extent::Everything);
    let progress = |done| session.reporter.emit(&Event::Progress { title: title.clone(), done, total });
    bundle.verify(Extent::Everything, &progress)?;
    session.reporter.show_result();
    session.say(&summary::verified(&bytes(bundle.bundle.trailer.total_len)));
    session.say(&match (signer, wanted) {
        (Some(signer), Some(_)) => summary::signed_with_given(&signer.key),
        (Some(signer), None) => summary::signed_with(&signer.key),
        (None, _) => summary::not_signed(),
    });
    Ok(())
}
