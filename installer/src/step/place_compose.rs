//! The Compose plugin beside an engine that is not ours: below the project directory, so that nothing of the host's changes.

use super::{Context, place_engine};
use crate::host::file::{self, Access};
use crate::outcome::Outcome;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let path = &context.plan.engine.compose;
    let wanted = context.content.engine.as_ref().map(|parts| parts.compose_len);
    path.metadata().is_ok_and(|found| wanted.is_none_or(|len| found.len() == len))
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    file::make_dir(&context.plan.layout.bin(), Access::EXECUTABLE)?;
    place_engine::place_compose_plugin(context, &context.plan.engine.compose)
}
