//! Whether a place for a certificate is acceptable, and what it is for is known in time.

use super::question::is_secret;
use crate::index::Content;
use crate::path::ProjectPath;
use crate::question::{Question, QuestionId, builtin};
use crate::value::Value;

pub(super) fn tls(content: &Content) -> Result<(), String> {
    let Some(tls) = &content.tls else { return Ok(()) };
    let is_taken = |path: &ProjectPath| content.project.files.iter().any(|file| file.path == *path);
    if tls.certificate == tls.key || is_taken(&tls.certificate) || is_taken(&tls.key) {
        return Err("the certificate or its key would replace another file".to_owned());
    }
    let id = &tls.host;
    let is_question = content.questions.iter().any(|question| question.id == *id && !question.is_secret());
    if is_question || content.values.iter().any(|value| value.id == *id && !is_secret(content, value)) {
        return certificate_order(id, &content.questions, &content.values);
    }
    Err(format!("tls.host names `{id}`, which is neither a question nor a value, or is secret"))
}

/// The question about the certificate comes before the first one that depends on it. What the certificate is for has to be known by
/// then: else a file is held against a host that nobody has confirmed.
///
/// # Errors
/// Which question to put where, in words.
pub fn certificate_order(host: &QuestionId, questions: &[Question], values: &[Value]) -> Result<(), String> {
    let depends =
        |question: &Question| question.when.0.iter().any(|clause| clause.question.as_str() == builtin::TLS);
    let Some(first) = questions.iter().position(depends) else { return Ok(()) };
    let sources = crate::value::sources(host, values);
    match questions[first..].iter().find(|question| sources.contains(question.id.as_str())) {
        Some(late) if late.id == questions[first].id => {
            Err(format!("tls.host needs `{}`, which must not depend on tls itself", late.id))
        }
        Some(late) => Err(format!(
            "tls.host needs `{}`, and the certificate is asked for before `{first}`, which depends on it: put the question `{}` before `{first}`",
            late.id,
            late.id,
            first = questions[first].id
        )),
        None => Ok(()),
    }
}
