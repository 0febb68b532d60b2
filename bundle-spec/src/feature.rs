//! Features: what a reader must know to use one file. A reader that ignored them would ask or write something wrong, so it
//! refuses the file instead, and says which feature it does not know.

use crate::index::Content;
use crate::placeholder;

/// Commands that run inside services.
pub const ACTIONS: &str = "actions";
/// Files with answers in them.
pub const TEMPLATES: &str = "templates";
/// Answers in what a check wants to find.
pub const CHECK_PLACEHOLDERS: &str = "check-placeholders";
/// Certificates.
pub const TLS: &str = "tls";
/// Questions and values that count only under conditions (`when`).
pub const CONDITIONS: &str = "conditions";
/// Choices whose values have titles.
pub const CHOICE_TITLES: &str = "choice-titles";
/// Derived values.
pub const VALUES: &str = "values";

/// The features that this version knows.
pub const KNOWN: [&str; 7] = [ACTIONS, CHECK_PLACEHOLDERS, CHOICE_TITLES, CONDITIONS, TEMPLATES, TLS, VALUES];

/// The features that are needed to use what `content` says, in alphabetical order.
#[must_use]
pub fn needed_by(content: &Content) -> Vec<String> {
    let questions = &content.questions;
    let has_conditions = questions.iter().any(|question| !question.when.is_empty())
        || content.values.iter().any(|value| !value.when.is_empty());
    let has_titles =
        questions.iter().flat_map(|question| &question.choices).any(|choice| choice.title.is_some());
    let mut wanted = content.checks.iter().filter_map(|check| check.contains.as_deref());
    let has_placeholders = wanted.any(|text| placeholder::expand_ids(text, |_| None).is_err());
    let needed = [
        (!content.actions.is_empty(), ACTIONS),
        (has_placeholders, CHECK_PLACEHOLDERS),
        (has_titles, CHOICE_TITLES),
        (has_conditions, CONDITIONS),
        (content.project.files.iter().any(|file| file.template), TEMPLATES),
        (content.tls.is_some(), TLS),
        (!content.values.is_empty(), VALUES),
    ];
    needed.into_iter().filter(|(is_needed, _)| *is_needed).map(|(_, name)| name.to_owned()).collect()
}
