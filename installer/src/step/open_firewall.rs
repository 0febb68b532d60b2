//! Opens the application's public ports in the host's firewall, if the operator consented. Comes last: what is not healthy,
//! or still has its first password, is not for other machines.

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::index::Content;
use bundle_spec::question::builtin::OPEN_FIREWALL;

use super::Context;
use crate::host::firewall::{self, Opening};
use crate::outcome::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let wanted = wanted(context.content, context.answers);
    let is_wanted = |opening: &Opening| wanted.contains(&opening.port);
    context.receipt.openings.iter().all(is_wanted)
        && context
            .facts
            .access
            .firewall
            .is_none_or(|tool| wanted.iter().all(|port| firewall::closed(tool, *port).is_empty()))
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let wanted = wanted(context.content, context.answers);
    let (kept, stale): (Vec<Opening>, Vec<Opening>) =
        context.receipt.openings.clone().into_iter().partition(|opening| wanted.contains(&opening.port));
    close_all(&stale)?;
    context.receipt.openings = kept;
    context.save()?;
    let Some(tool) = context.facts.access.firewall else { return Ok(()) };
    for port in wanted {
        for opening in firewall::closed(tool, port) {
            // Before it is opened: a kill in between leaves a record without an opening, never the other way round.
            if !context.receipt.openings.contains(&opening) {
                context.receipt.openings.push(opening.clone());
                context.save()?;
            }
            firewall::open(&opening, &context.content.app.name)
                .map_err(|why| Failure::midway(text::port_not_opened(port)).quoting(why))?;
        }
    }
    Ok(())
}

/// The ports that shall be open.
pub fn wanted(content: &Content, answers: &Answers) -> Vec<u16> {
    if answers.of(OPEN_FIREWALL).map(Answer::reveal) != Some("true") {
        return Vec::new();
    }
    public(content, answers)
}

/// The ports that are for other machines. One that depends on a question that was not asked is not in use.
pub fn public(content: &Content, answers: &Answers) -> Vec<u16> {
    let ports = content.public_ports.iter().filter_map(|port| answers.expand(port).ok()?.parse().ok());
    let mut ports: Vec<u16> = ports.collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

/// Closes everything that was opened.
///
/// # Errors
/// When the firewall refuses.
pub fn take_back(receipt: &Receipt) -> Outcome<()> {
    close_all(&receipt.openings)
}

fn close_all(openings: &[Opening]) -> Outcome<()> {
    openings.iter().try_for_each(|opening| {
        firewall::close(opening)
            .map_err(|why| Failure::midway(text::port_not_closed(opening.port)).quoting(why))
    })
}
