//! A definition together with what it refers to: its folder, its Compose file, its project files, and what Compose says.
//! `lint` judges it, `plan` packs it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bundle_spec::path::ProjectPath;
use bundle_spec::reference::ImageReference;

use crate::compose::model::{Model, Service};
use crate::compose::variables::{self, Variable};
use crate::compose::{self, Compose, refusal};
use crate::definition::{self, Definition};
use crate::engine_parts::Plugin;
use crate::files::{self, Picked};
use crate::finding::Finding;
use crate::outcome::{Explain, Failure, Outcome};
use crate::templates;

/// Everything that is known about a project before images are looked for.
#[derive(Debug)]
pub struct Project {
    /// The definition.
    pub definition: Definition,
    /// The folder that its paths are relative to.
    pub root: PathBuf,
    /// The Compose file.
    pub compose_file: ProjectPath,
    /// Its text.
    pub compose_text: String,
    /// The project files.
    pub picked: Picked,
    /// Variables that the Compose file asks for.
    pub variables: BTreeMap<String, Variable>,
    /// What is wrong with templates.
    pub templates: Vec<Finding>,
}

/// What Compose says, or why it could not be asked.
#[derive(Debug)]
pub enum Asked {
    /// Its answer.
    Answer(Model),
    /// There is no Compose here: neither this plugin could be run, nor that of the `docker` at hand.
    NotAtHand(Plugin),
    /// It refuses the project.
    Refused(Failure),
}

impl Project {
    /// Reads a definition and what it refers to.
    pub fn read(path: &Path) -> Outcome<Self> {
        let text = fs::read_to_string(path).map_err(|error| {
            Failure::usage(format!("cannot read the definition {}", path.display()))
                .because(error)
                .hint("run `airlift init` beside your Compose file, or name the definition with -f")
        })?;
        let mut definition = definition::parse(&text).map_err(|problems| {
            let list: Vec<_> =
                problems.iter().map(|problem| format!("\n  {}:{problem}", path.display())).collect();
            Failure::usage(format!("the definition is not valid:{}", list.concat()))
                .hint("correct these places; docs/definition.md says what may stand where")
        })?;
        let root = definition::directory_of(path);
        let compose_file = files::compose_file(&root, definition.compose.file.as_deref())?;
        let compose_path = root.join(compose_file.as_str());
        let compose_text = fs::read_to_string(&compose_path)
            .explain(|| format!("cannot read {}", compose_path.display()))?;
        let picked = files::pick(&root, &definition.files, &compose_file)?;
        let variables = variables::of(&compose_text);
        let tls = definition.tls.as_ref();
        let templates = templates::check(
            &picked.files,
            &compose_file,
            &mut definition.questions,
            &definition.values,
            tls,
        );
        Ok(Self { definition, root, compose_file, compose_text, picked, variables, templates })
    }

    /// Asks Compose about the project, in a temporary copy of it. The plugin is preferred to an installed Compose.
    pub fn ask_compose(&self, plugin: Plugin) -> Outcome<Asked> {
        let scratch = tempfile::tempdir().explain(|| "cannot make a temporary folder")?;
        let scratch = scratch.path();
        let path = match &plugin {
            Plugin::AtHand(path) => Some(path.as_path()),
            _ => None,
        };
        let Some(compose) = Compose::at_hand(path, scratch)? else { return Ok(Asked::NotAtHand(plugin)) };
        // What lint reports by itself should not keep Compose from telling the rest.
        let unanswered: Vec<_> = self
            .variables
            .iter()
            .filter(|(name, variable)| variable.required && !self.answers(name))
            .map(|(name, _)| name.clone())
            .collect();
        let Definition { questions, values, .. } = &self.definition;
        let copy = compose::copy_project(scratch, &self.picked.files, (questions, values), &unanswered)?;
        let question = refusal::Question {
            file: self.compose_file.as_str(),
            text: &self.compose_text,
            unset: &unanswered,
            is_there: &|path| self.root.join(path).is_file(),
        };
        Ok(match compose.model(&copy, &self.definition.compose, &question) {
            Ok(model) => Asked::Answer(model),
            Err(failure) => Asked::Refused(failure),
        })
    }

    /// Whether a question or value sets this variable.
    pub fn answers(&self, variable: &str) -> bool {
        self.definition.variables().any(|known| known == variable)
    }
}

impl Asked {
    /// The images that the project needs, as far as Compose could say; names that cannot be packed are left to `lint`.
    pub fn images(&self) -> Vec<ImageReference> {
        let Self::Answer(model) = self else { return Vec::new() };
        let parsed = |service: &Service| ImageReference::parse(&service.image).ok();
        let mut images: Vec<_> = model.services.values().filter_map(parsed).collect();
        images.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        images.dedup();
        images
    }
}
