//! The definition: the vendor's `airlift.toml` as types. Reading it reports every problem at once, with line and column.
//! Nothing here looks at files, images or Compose: see `lint` and `plan`.

pub mod answered;
mod condition;
pub mod document;
mod expected;
mod host;
mod question;
mod slips;
mod source;
pub mod template;
mod value;

use std::path::{Path, PathBuf};

use bundle_spec::project::{Action, App, Check, Directory, Link, Requirements, Tls};
use bundle_spec::question::{Question, QuestionId};
use bundle_spec::reference::ImageReference;
use bundle_spec::validate;
use bundle_spec::value::Value;

use self::document::{Document, Problem, Table};

/// File name of the definition.
pub const FILE_NAME: &str = "airlift.toml";

/// A definition whose every value holds by itself.
#[derive(Clone, Debug)]
pub struct Definition {
    /// Which application this is.
    pub app: App,
    /// The Compose project.
    pub compose: ComposeSource,
    /// Images and whence they come.
    pub images: Vec<ImageSource>,
    /// Which project files are packed.
    pub files: Vec<FileRule>,
    /// Whence the engine comes, if one is carried.
    pub engine: Option<EngineSource>,
    /// What the operator is asked.
    pub questions: Vec<Question>,
    /// What follows from the answers.
    pub values: Vec<Value>,
    /// Directories that are made on the host.
    pub directories: Vec<Directory>,
    /// What the host must offer.
    pub requirements: Requirements,
    /// What proves the application healthy.
    pub checks: Vec<Check>,
    /// What to show at the end.
    pub links: Vec<Link>,
    /// What runs inside services once they are healthy.
    pub actions: Vec<Action>,
    /// Where a certificate goes.
    pub tls: Option<Tls>,
    /// Ports that other machines use.
    pub public_ports: Vec<String>,
}

impl Definition {
    /// The variables of `.env` that questions and values set.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        let questions = self.questions.iter().filter_map(|question| question.env.as_deref());
        questions.chain(self.values.iter().filter_map(|value| value.env.as_deref()))
    }
}

/// `[compose]`.
#[derive(Clone, Debug)]
pub struct ComposeSource {
    /// The Compose file, relative to the definition; found by its usual names where none is given.
    pub file: Option<String>,
    /// Profiles that are switched on.
    pub profiles: Vec<String>,
    /// Compose project name.
    pub project: String,
}

/// One `[[image]]`.
#[derive(Clone, Debug)]
pub struct ImageSource {
    /// The name under which it is packed.
    pub reference: ImageReference,
    /// Where its layers are.
    pub place: ImagePlace,
}

/// Where the layers of an image are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImagePlace {
    /// A `docker save` tar, an OCI archive or an OCI layout directory, relative to the definition.
    Archive(PathBuf),
    /// A running engine.
    Engine,
}

/// One `[[file]]`: globs relative to the definition's directory.
#[derive(Clone, Debug, Default)]
pub struct FileRule {
    /// What is packed.
    pub include: Vec<String>,
    /// What is left out of it.
    pub exclude: Vec<String>,
    /// Answers are filled in.
    pub template: bool,
    /// Numeric user and group on the host.
    pub owner: Option<(u32, u32)>,
}

/// `[engine]`.
#[derive(Clone, Debug)]
pub struct EngineSource {
    /// Docker's static archive.
    pub docker: Part,
    /// The Compose plugin.
    pub compose: Part,
}

/// A file that is not in the project: an engine part.
#[derive(Clone, Debug)]
pub struct Part {
    /// Where it is.
    pub place: PartPlace,
    /// What its SHA-256 must be. Only files given on the command line have none.
    pub digest: Option<bundle_spec::digest::Digest>,
}

/// Where an engine part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartPlace {
    /// A file, relative to the definition.
    Path(PathBuf),
    /// To be downloaded into the cache.
    Url(String),
}

/// Reads a definition.
///
/// # Errors
/// All problems of the text, in the order of its lines.
pub fn parse(text: &str) -> Result<Definition, Vec<Problem>> {
    let (root, document) = Document::parse(text);
    if document.has_problems() {
        // What a broken line seems to say is not worth a report of its own.
        return Err(document.problems());
    }
    let definition = {
        let root = document.root(&root);
        let definition = sections(&root);
        root.report_unknown();
        definition
    };
    let problems = document.problems();
    match definition {
        Some(definition) if problems.is_empty() => Ok(definition),
        _ => Err(problems),
    }
}

/// Reads all sections, so that each of them reports its problems, before giving up on any.
fn sections(root: &Table<'_>) -> Option<Definition> {
    let app = app(root);
    let compose = compose(root, app.as_ref().map_or("", |app| &app.name));
    let images = root.tables("image").iter().map(source::image).collect::<Vec<_>>();
    let files = root.tables("file").iter().map(source::files).collect();
    let engine = root.table("engine").map(|table| source::engine(&table));
    let (questions, ids) = question::all(root);
    let directories = root.tables("directory").iter().map(host::directory).collect::<Vec<_>>();
    let (values, value_ids) = value::all(root, &questions, &ids);
    let known: Vec<&str> = ids.iter().chain(&value_ids).map(QuestionId::as_str).collect();
    let requirements = host::requirements(root.table("requirements"), &known);
    let checks = root.tables("check").iter().map(|table| host::check(table, &known)).collect::<Vec<_>>();
    let links = root.tables("link").iter().map(|table| host::link(table, &known)).collect::<Vec<_>>();
    let scope = answered::Scope { questions: &questions, ids: &known, has_tls: root.has("tls") };
    let actions =
        root.tables("action").iter().map(|table| answered::action(table, &scope)).collect::<Vec<_>>();
    answered::refuse_twins(root);
    let tls = root.table("tls").map(|table| answered::tls(&table, &scope, &values));
    let public_ports = root.table("firewall").map(|table| host::firewall(&table, &known)).unwrap_or_default();
    Some(Definition {
        app: app?,
        compose: compose?,
        images: images.into_iter().collect::<Option<_>>()?,
        files,
        engine: match engine {
            Some(engine) => Some(engine?),
            None => None,
        },
        questions: questions.into_iter().collect::<Option<_>>()?,
        values: values.into_iter().collect::<Option<_>>()?,
        directories: directories.into_iter().collect::<Option<_>>()?,
        requirements: requirements?,
        checks: checks.into_iter().collect::<Option<_>>()?,
        links: links.into_iter().collect::<Option<_>>()?,
        actions: actions.into_iter().collect::<Option<_>>()?,
        tls: match tls {
            Some(tls) => Some(tls?),
            None => None,
        },
        public_ports,
    })
}

fn app(root: &Table<'_>) -> Option<App> {
    let Some(table) = root.table("app") else {
        if !root.has("app") {
            root.problem("the section [app] is missing: it gives name, version and title");
        }
        return None;
    };
    let name = table.required("name", |text| validate::name(text).map(|()| text.to_owned()));
    let version = table.required("version", |text| validate::version(text).map(|()| text.to_owned()));
    let title = table.required_localized("title");
    let vendor = table.optional("vendor", |text| validate::text(text).map(|()| text.to_owned()));
    table.report_unknown();
    Some(App { name: name?, version: version?, title: title?, vendor })
}

fn compose(root: &Table<'_>, app: &str) -> Option<ComposeSource> {
    let Some(table) = root.table("compose") else {
        return Some(ComposeSource { file: None, profiles: Vec::new(), project: app.to_owned() });
    };
    let file = table.optional("file", |text| project_path(text).map(|path| path.to_string()));
    let profiles = table.texts("profiles");
    let project = table.optional("project", |text| validate::name(text).map(|()| text.to_owned()));
    table.report_unknown();
    Some(ComposeSource { file, profiles, project: project.unwrap_or_else(|| app.to_owned()) })
}

/// Reads a project path; a leading `./` is how people write them.
fn project_path(text: &str) -> Result<bundle_spec::path::ProjectPath, String> {
    let relative = text.strip_prefix("./").unwrap_or(text);
    bundle_spec::path::ProjectPath::parse(relative.trim_end_matches('/')).map_err(|error| error.to_string())
}

/// The directory that paths of a definition are relative to.
#[must_use]
pub fn directory_of(definition: &Path) -> PathBuf {
    match definition.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests;
