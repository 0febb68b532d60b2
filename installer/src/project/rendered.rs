//! What a project file holds on this host: its content, or its template with the answers filled in. Pure.

use bundle_spec::answer::{Answer, Answers};
use bundle_spec::project::ProjectFile;
use bundle_spec::template::{NotPlain, Template, UseKind};

use crate::host::file::Access;

/// Permission bits that leave a file with secrets to its owner.
const OWNER_BITS: u32 = 0o700;

/// A template that cannot be filled in.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The packer lets none of these through.
    #[error("{0}")]
    Malformed(String),
    /// An answer does not fit; the question's parser lets none of these through.
    #[error(transparent)]
    NotPlain(#[from] NotPlain),
}

/// Content and access of a file whose stored content is `stored`. A secret in it leaves it to its owner alone.
///
/// # Errors
/// When the template does not hold, or an answer does not fit into it.
pub fn render(
    file: &ProjectFile,
    stored: Vec<u8>,
    answers: &Answers,
) -> Result<(Access, Vec<u8>), RenderError> {
    let access = Access { mode: file.mode, owner: file.owner };
    if !file.template {
        return Ok((access, stored));
    }
    let text = String::from_utf8(stored).map_err(|error| RenderError::Malformed(error.to_string()))?;
    let template = Template::parse(&text).map_err(|errors| {
        RenderError::Malformed(errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    })?;
    let is_secret = |id: &str| answers.of(id).is_some_and(Answer::is_secret);
    let has_secret = template.uses().iter().any(|found| match &found.kind {
        UseKind::Plain(id) | UseKind::Json(id) => is_secret(id.as_str()),
        UseKind::Condition(_) => false,
    });
    let text = template.render(|id| answers.of(id).map(Answer::reveal))?;
    let mode = if has_secret { file.mode & OWNER_BITS } else { file.mode };
    Ok((Access { mode, ..access }, text.into_bytes()))
}

#[cfg(test)]
mod tests {
    use bundle_spec::digest::Digest;
    use bundle_spec::project::Localized;
    use bundle_spec::question::{Question, QuestionId, QuestionKind};

    use super::*;

    fn file(template: bool) -> ProjectFile {
        let path = "nginx/default.conf".to_owned().try_into().unwrap();
        ProjectFile { path, blob: Digest::of(b""), len: 0, mode: 0o644, template, owner: Some((101, 101)) }
    }

    fn answers() -> Answers {
        let mut answers = Answers::default();
        for (id, kind, value) in
            [("host", QuestionKind::Text, "chat.example"), ("key", QuestionKind::Secret, "s3cret")]
        {
            let id = QuestionId::parse(id).unwrap();
            let prompt = Localized { zh: "x".into(), en: "x".into() };
            let question = Question::new(id.clone(), kind, prompt);
            answers.insert(id, question.parse(value).unwrap());
        }
        answers
    }

    fn rendered(template: bool, text: &str) -> (u32, String) {
        let (access, bytes) = render(&file(template), text.into(), &answers()).unwrap();
        assert_eq!(access.owner, Some((101, 101)));
        (access.mode, String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn a_file_is_a_template_only_where_the_vendor_says_so() {
        assert_eq!(rendered(false, "server_name @{host};"), (0o644, "server_name @{host};".to_owned()));
        assert_eq!(rendered(true, "server_name @{host};"), (0o644, "server_name chat.example;".to_owned()));
    }

    #[test]
    fn a_secret_leaves_the_file_to_its_owner() {
        assert_eq!(rendered(true, "key @{key};"), (0o600, "key s3cret;".to_owned()));
        // Whether there is one is no secret.
        assert_eq!(rendered(true, "@if key\non\n@end\n"), (0o644, "on\n".to_owned()));
    }
}
