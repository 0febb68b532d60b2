//! Waits until every service and every check is well, and says what is not.

use super::Context;
use crate::event::Event;
use crate::health;
use crate::outcome::Outcome;
use crate::plan::Step;

/// One look is enough only where health was waited for since the last start: what crashes again and again is "running" in
/// most looks at it.
pub(super) fn is_done(context: &Context<'_>) -> bool {
    let Ok(engine) = context.engine() else { return false };
    context.receipt.is_done(Step::ProveHealthy.id())
        && health::is_proven(context.wanted(), &engine).unwrap_or(false)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let engine = context.engine()?;
    let reporter = context.reporter;
    let seen =
        |services: &[health::ServiceHealth]| reporter.emit(&Event::Health { services: services.to_vec() });
    let (wanted, layout) = (context.wanted(), &context.plan.layout);
    let wait = || health::wait_until_well(wanted, &engine, layout, seen);
    reporter.while_waiting(Some(health::longest_wait(wanted.content)), wait).map(drop)
}
