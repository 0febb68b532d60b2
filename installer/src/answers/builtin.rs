//! Questions that the installer asks by itself. They stand among the vendor's, so that the wizard, answers files and `--set`
//! treat them alike; their ids are reserved (`bundle_spec::question::builtin`). Pure.

use bundle_spec::condition::{Clause, Condition};
use bundle_spec::index::Content;
use bundle_spec::project::Localized;
use bundle_spec::question::builtin::{
    self, DOCKER_GROUP, OPEN_FIREWALL, TLS, TLS_CERTIFICATE, TLS_CHOICES, TLS_KEY, TLS_OWN,
};
use bundle_spec::question::{Choice, Question, QuestionId, QuestionKind};

use crate::facts::{EngineChoice, Facts};
use crate::text::{Message, builtin as text};

/// Adds the questions that this content gives reason to. Whether the host gives reason as well is no matter here: one
/// answers file serves a fleet of different hosts.
pub fn add(content: &mut Content) {
    if content.tls.is_some() && content.questions.iter().all(|question| question.id.as_str() != TLS) {
        let names_it = |clause: &Clause| clause.question.as_str() == TLS;
        let first = content.questions.iter().position(|question| question.when.0.iter().any(names_it));
        let at = first.unwrap_or(content.questions.len());
        content.questions.splice(at..at, certificate());
    }
    let mut questions = Vec::new();
    if !content.public_ports.is_empty() {
        questions.extend(consent(OPEN_FIREWALL, text::open_firewall(), text::open_firewall_help()));
    }
    questions.extend(consent(DOCKER_GROUP, text::docker_group(), text::docker_group_help()));
    let is_new = |question: &Question| !content.questions.iter().any(|known| known.id == question.id);
    let new: Vec<Question> = questions.into_iter().filter(is_new).collect();
    content.questions.extend(new);
}

/// The certificate: asked before what depends on it, else behind everything that the vendor asks.
fn certificate() -> Vec<Question> {
    let (tls, prompt) = (builtin::tls(), both(text::tls()));
    let mut questions =
        vec![Question { prompt, help: Some(both(text::tls_help())), choices: choices(), ..tls }];
    for (id, prompt, help) in [
        (TLS_CERTIFICATE, text::tls_certificate(), text::tls_certificate_help()),
        (TLS_KEY, text::tls_key(), text::tls_key_help()),
    ] {
        let file = question(id, QuestionKind::Path, both(prompt), Some(both(help)));
        questions.extend(file.map(|file| Question { when: is_own(), ..file }));
    }
    questions
}

/// Whether a person on this host should be asked. Whoever knows the answer beforehand may give it all the same.
pub fn is_worth_asking(id: &QuestionId, facts: &Facts, choice: EngineChoice) -> bool {
    match id.as_str() {
        OPEN_FIREWALL => facts.access.firewall.is_some(),
        DOCKER_GROUP => {
            choice != EngineChoice::Private
                && facts.access.invoker.as_ref().is_some_and(|invoker| !invoker.is_in_group)
        }
        _ => true,
    }
}

fn choices() -> Vec<Choice> {
    let titles = [text::tls_off(), text::tls_self_signed(), text::tls_own()];
    let choice =
        |(value, title): (&str, Message)| Choice { value: value.to_owned(), title: Some(both(title)) };
    TLS_CHOICES.into_iter().zip(titles).map(choice).collect()
}

/// Files are asked for only by whom has some.
fn is_own() -> Condition {
    let clause = |question| Clause { question, any: vec![TLS_OWN.to_owned()], none: Vec::new() };
    Condition(QuestionId::parse(TLS).map(clause).into_iter().collect())
}

fn consent(id: &str, prompt: Message, help: Message) -> Option<Question> {
    let question = question(id, QuestionKind::Bool, both(prompt), Some(both(help)))?;
    Some(Question { default: Some("false".to_owned()), ..question })
}

/// A required question without a default. Nothing only for an id that is none, and ours are.
pub(crate) fn question(
    id: &str,
    kind: QuestionKind,
    prompt: Localized,
    help: Option<Localized>,
) -> Option<Question> {
    Some(Question { help, ..Question::new(QuestionId::parse(id).ok()?, kind, prompt) })
}

fn both(message: Message) -> Localized {
    Localized { zh: message.zh, en: message.en }
}
