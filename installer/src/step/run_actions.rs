//! The vendor's actions: commands inside services that are healthy by now, with answers that nobody else gets to see.

use std::time::Duration;

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::project::{Action, ActionRun};

use super::Context;
use crate::answers::veil::Veil;
use crate::engine::exec::Exec;
use crate::host::salt::Salt;
use crate::outcome::{Failure, Outcome};
use crate::project::compose::last_lines;
use crate::text::{Message, problem as text};

/// What the receipt has for an action that runs once.
const DONE: &str = "done";

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let Some(salt) = Salt::read(&context.plan.layout.salt()) else {
        return due(context).next().is_none();
    };
    due(context).all(|action| {
        let key =
            key(action, context.answers, &context.bundle.bundle.trailer.index_digest.to_string(), &salt);
        context.receipt.actions.get(&action.name) == Some(&key)
    })
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let salt = Salt::obtain(&context.plan.layout.salt())?;
    let bundle = context.bundle.bundle.trailer.index_digest.to_string();
    let content = context.content;
    for action in content.actions.iter().filter(|action| has_answers(action, context.answers)) {
        let key = key(action, context.answers, &bundle, &salt);
        if context.receipt.actions.get(&action.name) == Some(&key) {
            continue;
        }
        run(action, context)?;
        // A kill before this runs the action once more, and none is ever taken for done that was not.
        context.receipt.actions.insert(action.name.clone(), key);
        context.save()?;
    }
    Ok(())
}

/// The actions that concern this installation.
fn due<'c>(context: &'c Context<'_>) -> impl Iterator<Item = &'c Action> {
    context.content.actions.iter().filter(|action| has_answers(action, context.answers))
}

/// An action whose questions were not asked is not wanted.
fn has_answers(action: &Action, answers: &Answers) -> bool {
    action.stdin.iter().chain(action.env.values()).all(|id| answers.of(id.as_str()).is_some())
}

/// What is recorded when the action is done; while the record says the same, there is nothing to do.
fn key(action: &Action, answers: &Answers, bundle: &str, salt: &Salt) -> String {
    match action.run {
        ActionRun::Once => DONE.to_owned(),
        ActionRun::Bundle => bundle.to_owned(),
        ActionRun::Change => {
            let value =
                |id: &bundle_spec::question::QuestionId| answers.of(id.as_str()).map_or("", Answer::reveal);
            let stdin = action.stdin.iter().map(value);
            let env = action.env.iter().flat_map(|(name, id)| [name.as_str(), value(id)]);
            salt.digest(stdin.chain(env).map(str::as_bytes))
        }
    }
}

fn run(action: &Action, context: &Context<'_>) -> Outcome<()> {
    let title = title_of(action);
    let engine = context.engine()?;
    let silent = |error| Failure::midway(text::engine_not_there(&engine.socket().display())).because(&error);
    let containers = engine.containers(&context.content.project.name).map_err(silent)?;
    let container =
        containers.iter().find(|container| container.service == action.service && container.is_well());
    let Some(container) = container else {
        return Err(Failure::midway(text::action_without_service(&title, &action.service)));
    };
    let answer = |id: &bundle_spec::question::QuestionId| {
        context.answers.of(id.as_str()).map(|answer| answer.reveal().to_owned()).unwrap_or_default()
    };
    let exec = Exec {
        command: action.command.clone(),
        user: action.user.clone(),
        env: action.env.iter().map(|(name, id)| format!("{name}={}", answer(id))).collect(),
        stdin: action.stdin.as_ref().map(|id| format!("{}\n", answer(id))),
        limit: Duration::from_secs(action.timeout),
    };
    let executed = context
        .reporter
        .while_waiting(Some(exec.limit), || engine.exec(&container.id, &exec))
        .map_err(|error| Failure::midway(text::action_failed(&title)).because(&error))?;
    let output = Veil::of(context.answers).mask(&last_lines(&executed.output, 12)).into_owned();
    match executed.code {
        Some(0) => Ok(()),
        Some(code) => Err(Failure::midway(text::action_exited(&title, code)).quoting(output)),
        None => Err(Failure::midway(text::action_timed_out(&title, action.timeout)).quoting(output)),
    }
}

/// What people call an action.
pub(crate) fn title_of(action: &Action) -> Message {
    action.title.as_ref().map_or_else(|| Message::verbatim(&action.name), Message::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use bundle_spec::project::Localized;
    use bundle_spec::question::{QuestionId, QuestionKind};

    use super::*;
    use crate::answers::builtin;

    fn answers(values: &[(&str, &str)]) -> Answers {
        let mut answers = Answers::default();
        for (id, value) in values {
            let prompt = Localized { zh: "x".into(), en: "x".into() };
            let question = builtin::question(id, QuestionKind::Password, prompt, None).unwrap();
            answers.insert(question.id.clone(), question.parse(value).unwrap());
        }
        answers
    }

    fn action(run: ActionRun) -> Action {
        let id = QuestionId::parse("password").unwrap();
        Action {
            name: "a".into(),
            title: None,
            service: "web".into(),
            command: vec!["x".into()],
            user: None,
            stdin: Some(id.clone()),
            env: BTreeMap::from([("PASSWORD".to_owned(), id)]),
            run,
            timeout: 5,
        }
    }

    #[test]
    fn an_action_is_due_again_as_its_vendor_says() {
        let dir = tempfile::tempdir().unwrap();
        let salt = Salt::obtain(&dir.path().join("salt")).unwrap();
        let (old, new) = (answers(&[("password", "one")]), answers(&[("password", "two")]));
        for (run, again_for_answer, again_for_bundle) in [
            (ActionRun::Once, false, false),
            (ActionRun::Change, true, false),
            (ActionRun::Bundle, false, true),
        ] {
            let action = action(run);
            let first = key(&action, &old, "b1", &salt);
            assert_eq!(key(&action, &new, "b1", &salt) != first, again_for_answer, "{run:?}");
            assert_eq!(key(&action, &old, "b2", &salt) != first, again_for_bundle, "{run:?}");
            assert!(!first.contains("one") || first == DONE);
        }
        assert!(has_answers(&action(ActionRun::Once), &old));
        assert!(!has_answers(&action(ActionRun::Once), &answers(&[])));
    }
}
