//! Adds the user who called `sudo` to the engine's group, if the operator wished so.

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::question::builtin::DOCKER_GROUP;

use super::Context;
use crate::facts::access::ENGINE_GROUP;
use crate::host::group;
use crate::outcome::{Failure, Outcome};
use crate::receipt::Receipt;
use crate::text::problem as text;

pub(super) fn is_done(context: &Context<'_>) -> bool {
    match (is_wanted(context.answers), &context.facts.access.invoker) {
        (true, Some(invoker)) => group::has_member(ENGINE_GROUP, &invoker.name),
        (true, None) => true,
        (false, _) => context.receipt.group_members.is_empty(),
    }
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    if !is_wanted(context.answers) {
        take_back(context.receipt)?;
        context.receipt.group_members.clear();
        return context.save();
    }
    let Some(invoker) = &context.facts.access.invoker else { return Ok(()) };
    let name = invoker.name.clone();
    if group::has_member(ENGINE_GROUP, &name) {
        return Ok(());
    }
    if !context.receipt.group_members.contains(&name) {
        context.receipt.group_members.push(name.clone());
        context.save()?;
    }
    let todo = || text::join_group_yourself(&name);
    group::add_member(ENGINE_GROUP, &name)
        .map_err(|why| Failure::midway(text::group_not_joined(&name)).quoting(why).todo(todo()))
}

/// Whether the operator wished it.
pub fn is_wanted(answers: &Answers) -> bool {
    answers.of(DOCKER_GROUP).map(Answer::reveal) == Some("true")
}

/// Takes those out of the group whom we put in.
///
/// # Errors
/// When the system refuses.
pub fn take_back(receipt: &Receipt) -> Outcome<()> {
    receipt.group_members.iter().try_for_each(|name| {
        let todo = || text::leave_group_yourself(name);
        group::remove_member(ENGINE_GROUP, name)
            .map_err(|why| Failure::midway(text::group_not_left(name)).quoting(why).todo(todo()))
    })
}
