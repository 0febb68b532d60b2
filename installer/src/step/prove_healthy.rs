//! Waits until every service and every check is well, and says what is not.

use super::Context;
use crate::event::Event;
use crate::health::{self, Verdict};
use crate::outcome::Outcome;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let Ok(engine) = context.engine() else { return false };
    health::observe(context.wanted(), &engine)
        .is_ok_and(|services| services.iter().all(|service| service.verdict == Verdict::Well))
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
