//! Docker Compose at the vendor's side: which services, images and mounts a project has, as Compose itself says.
//! It is asked about a copy of the project as the customer's host will have it, so that what is not packed is missed here.

pub mod model;
pub mod outline;
pub mod refusal;
pub mod variables;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bundle_spec::placeholder;
use bundle_spec::question::{Question, QuestionKind};
use bundle_spec::value::Value;

use self::model::Model;
use crate::definition::ComposeSource;
use crate::files::PlannedFile;
use crate::outcome::{Explain, Failure, Outcome};

/// Files longer than this are linked into the copy; Compose reads none of them.
const COPIED_MAX: u64 = 1 << 20;

/// A Compose that can be run.
#[derive(Clone, Debug)]
pub struct Compose {
    program: OsString,
    leading: Vec<OsString>,
}

impl Compose {
    /// The plugin that will be packed, or else the one of the `docker` at hand.
    pub fn at_hand(plugin: Option<&Path>, scratch: &Path) -> Outcome<Option<Self>> {
        let mut candidates = Vec::new();
        if let Some(plugin) = plugin {
            // Downloads are not executable, and not ours to change.
            let copy = scratch.join("docker-compose");
            let failed = || format!("cannot copy {} to {}", plugin.display(), copy.display());
            fs::copy(plugin, &copy).explain(failed)?;
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o700)).explain(failed)?;
            candidates.push(Self { program: copy.into(), leading: Vec::new() });
        }
        candidates.push(Self { program: "docker".into(), leading: vec!["compose".into()] });
        Ok(candidates.into_iter().find(Self::answers))
    }

    fn answers(&self) -> bool {
        let output = self.command(Path::new("/")).arg("version").output();
        output.is_ok_and(|output| output.status.success())
    }

    /// Asks what the project in `copy` consists of.
    pub fn model(
        &self,
        copy: &Path,
        source: &ComposeSource,
        question: &refusal::Question<'_>,
    ) -> Outcome<Model> {
        let file = question.file;
        let mut command = self.command(copy);
        command
            .args(["--project-name", &source.project, "--project-directory"])
            .arg(copy)
            .arg("--file")
            .arg(copy.join(file));
        for profile in &source.profiles {
            command.args(["--profile", profile]);
        }
        let output = command
            .args(["config", "--format", "json"])
            .output()
            .explain(|| format!("cannot run {}", self.program.display()))?;
        if !output.status.success() {
            let reason = refusal::reason(&String::from_utf8_lossy(&output.stderr), &copy.to_string_lossy());
            let hint = question.hint(&reason);
            return Err(Failure::usage(format!("Docker Compose refuses {file}")).because(reason).hint(hint));
        }
        let mut model: Model = serde_json::from_slice(&output.stdout)
            .explain(|| format!("the answer of {} is not understood", self.program.display()))?;
        model.relate_to(copy, &source.project);
        Ok(model)
    }

    /// The variables of this shell must not decide what is packed: Compose gets none of them.
    fn command(&self, directory: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.leading).current_dir(directory).env_clear();
        for name in ["PATH", "HOME", "DOCKER_CONFIG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
    }
}

/// Makes a copy of the project with a `.env` that answers every question and has every value, in `scratch`.
pub fn copy_project(
    scratch: &Path,
    files: &[PlannedFile],
    (questions, values): (&[Question], &[Value]),
    also: &[String],
) -> Outcome<PathBuf> {
    let root = scratch.join("project");
    let failed = |path: &Path| format!("cannot write {}", path.display());
    fs::create_dir_all(&root).explain(|| failed(&root))?;
    for file in files {
        let target = root.join(file.path.as_str());
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).explain(|| failed(parent))?;
        }
        let source =
            fs::canonicalize(&file.source).explain(|| format!("cannot read {}", file.source.display()))?;
        if file.len <= COPIED_MAX {
            fs::copy(&source, &target).map(|_| ()).explain(|| failed(&target))?;
        } else {
            std::os::unix::fs::symlink(&source, &target).explain(|| failed(&target))?;
        }
    }
    let answers = questions.iter().filter_map(|question| Some((question.env.clone()?, example(question))));
    let answers = answers.chain(derived(questions, values));
    let others = also.iter().map(|name| (name.clone(), refusal::STAND_IN.to_owned()));
    let lines: String =
        answers.chain(others).map(|(name, value)| format!("{name}={}\n", quoted(&value))).collect();
    fs::write(root.join(".env"), lines).explain(|| failed(&root.join(".env")))?;
    Ok(root)
}

/// What the values' variables may look like; the first of several counts.
fn derived(questions: &[Question], values: &[Value]) -> BTreeMap<String, String> {
    let mut texts: BTreeMap<&str, String> =
        questions.iter().map(|question| (question.id.as_str(), example(question))).collect();
    let mut variables = BTreeMap::new();
    for value in values {
        let text = placeholder::expand(&value.value, |id| texts.get(id).cloned()).unwrap_or_default();
        if let Some(env) = &value.env {
            variables.entry(env.clone()).or_insert_with(|| text.clone());
        }
        texts.entry(value.id.as_str()).or_insert(text);
    }
    variables
}

/// The default, or something of the right kind.
fn example(question: &Question) -> String {
    if let Some(default) = question.default.as_ref().filter(|default| !default.is_empty()) {
        return default.clone();
    }
    match question.kind {
        QuestionKind::Bool => "true".to_owned(),
        QuestionKind::Choice => {
            question.choices.first().map(|choice| choice.value.clone()).unwrap_or_default()
        }
        QuestionKind::Host => "127.0.0.1".to_owned(),
        QuestionKind::Integer => question.min.unwrap_or(1).to_string(),
        QuestionKind::Path => "/airlift".to_owned(),
        QuestionKind::Port => "8000".to_owned(),
        QuestionKind::Url => "http://127.0.0.1".to_owned(),
        QuestionKind::Password | QuestionKind::Secret | QuestionKind::Text => "airlift".to_owned(),
    }
}

/// Quotes a value so that Compose reads it back unchanged.
fn quoted(value: &str) -> String {
    let escaped: String = value.chars().fold(String::new(), |mut text, c| {
        if matches!(c, '\\' | '"' | '$') {
            text.push('\\');
        }
        text.push(c);
        text
    });
    format!("\"{escaped}\"")
}
