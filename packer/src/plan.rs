//! The plan: everything that will be in a bundle, decided and checked before a byte of it is written.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use bundle_spec::project::Footprint;

use crate::definition::{EngineSource, Part, PartPlace};
use crate::engine_parts::{self, EngineFiles, Obtained, Plugin};
use crate::event::{Emit, Event};
use crate::finding::{self, Finding, Level};
use crate::image::layer::Effort;
use crate::image::library::Library;
use crate::image::{SourceImage, SourceLayer};
use crate::launcher::{self, Stub};
use crate::lint;
use crate::outcome::{Explain, Failure, Outcome};
use crate::project::{Asked, Project};
use crate::quantity::{bytes, counted, parse_time};
use crate::stub;

/// What `airlift pack` was asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The definition.
    pub definition: PathBuf,
    /// The bundle; named after the application where it is not given.
    pub output: Option<PathBuf>,
    /// How hard to compress.
    pub effort: Effort,
    /// Which engine to carry.
    pub engine: EngineChoice,
}

/// Which engine to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineChoice {
    /// What the definition says.
    Defined,
    /// These files.
    Files {
        /// Docker's static archive.
        docker: PathBuf,
        /// The Compose plugin.
        compose: PathBuf,
    },
    /// None.
    None,
}

/// A bundle to be written.
#[derive(Debug)]
pub struct Plan {
    /// Definition, project files and what belongs to them.
    pub project: Project,
    /// Service names, if Compose could be asked.
    pub services: Vec<String>,
    /// What the project will take up in an engine, as far as Compose could say.
    pub footprint: Footprint,
    /// All images.
    pub images: Vec<SourceImage>,
    /// The engine, if one is carried.
    pub engine: Option<EngineFiles>,
    /// The installer.
    pub stub: Stub,
    /// How hard to compress.
    pub effort: Effort,
    /// Seconds since 1970 that the bundle says it was made at.
    pub created: u64,
    /// Where the bundle goes.
    pub output: PathBuf,
}

/// Decides everything.
///
/// # Errors
/// Everything that is wrong with the project, at once.
pub fn make(request: &Request, emit: Emit<'_>) -> Outcome<Plan> {
    let project = Project::read(&request.definition)?;
    let machine = project.definition.requirements.arch.clone();
    let output =
        request.output.clone().unwrap_or_else(|| launcher::file_name(&project.definition.app).into());
    let spool = folder_of(&output);
    if !spool.is_dir() {
        return Err(Failure::usage(format!("{} is not a folder", spool.display()))
            .hint("give -o a path in a folder that is there"));
    }
    let mut problems = Vec::new();
    let stub = stub::for_arch(&machine);
    problems.extend(stub.as_ref().err().map(|failure| Finding::of_failure("arch", failure)));
    if request.engine == EngineChoice::Defined && project.definition.engine.is_none() {
        problems.push(lint::no_engine());
    }
    let engine = engine_source(request, &project)?.map(|(source, root)| {
        emit(Event::Step("checking the engine's parts".to_owned()));
        engine_parts::obtain(&source, &root, &spool, &machine, emit)
    });
    let failures = engine.iter().flat_map(Obtained::failures);
    problems.extend(failures.map(|failure| Finding::of_failure("engine-part", failure)));
    let asked = project.ask_compose(engine.as_ref().map_or(Plugin::NotNamed, Obtained::plugin))?;
    let library = Library { root: &project.root, spool: &spool, machine: &machine };
    let mut survey = library.survey(&project.definition.images, &asked.images());
    problems.append(&mut survey.problems);
    accept(lint::findings(&project, &asked, problems), emit)?;
    let (services, footprint) = match &asked {
        Asked::Answer(model) => (model.service_names(&project.compose_text), model.footprint()),
        _ => (Vec::new(), Footprint::default()),
    };
    let engine = engine.map(Obtained::files).transpose()?;
    let images = library.fetch(survey, emit)?;
    let created = created(&images)?;
    Ok(Plan {
        services,
        footprint,
        images,
        engine,
        stub: stub?,
        effort: request.effort,
        created,
        output,
        project,
    })
}

/// Stops at errors of `lint`, all of them, and mentions its warnings.
fn accept(findings: Vec<Finding>, emit: Emit<'_>) -> Outcome<()> {
    let (errors, warnings): (Vec<_>, Vec<_>) =
        findings.into_iter().partition(|finding| finding.level == Level::Error);
    if !errors.is_empty() {
        let list: String = errors.iter().map(|finding| format!("\n  {}", finding.shown())).collect();
        let failure = Failure::new(format!("the project cannot be packed:{list}"));
        return Err(failure.ending(finding::exit(&errors)));
    }
    let (no_compose, others): (Vec<_>, Vec<_>) =
        warnings.into_iter().partition(|finding| finding.id == lint::NO_COMPOSE);
    for finding in no_compose {
        emit(Event::Warning(finding.message));
    }
    if !others.is_empty() {
        let count = counted(others.len(), "warning");
        emit(Event::Step(format!("{count} about the project: `airlift lint` shows what to do")));
    }
    Ok(())
}

/// The engine's parts and the folder that their paths are relative to.
fn engine_source(request: &Request, project: &Project) -> Outcome<Option<(EngineSource, PathBuf)>> {
    let file = |path: &Path| Part { place: PartPlace::Path(path.to_owned()), digest: None };
    Ok(match &request.engine {
        EngineChoice::None => None,
        EngineChoice::Files { docker, compose } => {
            let here = std::env::current_dir().explain(|| "cannot read the current folder")?;
            Some((EngineSource { docker: file(docker), compose: file(compose) }, here))
        }
        EngineChoice::Defined => {
            project.definition.engine.clone().map(|source| (source, project.root.clone()))
        }
    })
}

/// The folder that a file lies in.
pub fn folder_of(path: &Path) -> PathBuf {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .map_or_else(|| PathBuf::from("."), Path::to_owned)
}

/// `SOURCE_DATE_EPOCH`, or when the newest image was made: never the clock, so that the same inputs make the same bytes.
fn created(images: &[SourceImage]) -> Outcome<u64> {
    if let Some(epoch) = std::env::var_os("SOURCE_DATE_EPOCH").filter(|epoch| !epoch.is_empty()) {
        return epoch
            .to_str()
            .and_then(|epoch| epoch.parse().ok())
            .ok_or_else(|| Failure::usage("SOURCE_DATE_EPOCH is not a number of seconds since 1970"));
    }
    Ok(images.iter().filter_map(|image| parse_time(image.facts.created.as_deref()?)).max().unwrap_or(0))
}

impl Plan {
    /// Every layer once, in the order of the images.
    pub fn distinct_layers(&self) -> Vec<(&SourceImage, &SourceLayer)> {
        let mut seen = HashSet::new();
        let all = self.images.iter().flat_map(|image| image.layers.iter().map(move |layer| (image, layer)));
        all.filter(|(_, layer)| seen.insert(layer.diff_id)).collect()
    }

    /// Bytes that have to be worked through.
    pub fn work(&self) -> u64 {
        let layers: u64 = self.distinct_layers().iter().map(|(_, layer)| layer.stored_len).sum();
        layers + self.engine.as_ref().map_or(0, EngineFiles::len)
    }

    /// What [`Plan::work`] counts, for people.
    pub fn work_is(&self) -> &'static str {
        match self.engine {
            Some(_) => "of layers and engine",
            None => "of layers",
        }
    }

    /// What will be packed, for people.
    pub fn description(&self) -> String {
        let app = &self.project.definition.app;
        let mut lines = vec![format!("packing {} {} into {}", app.name, app.version, self.output.display())];
        let distinct = self.distinct_layers();
        for image in &self.images {
            let own = distinct.iter().filter(|(owner, _)| owner.reference == image.reference).count();
            let len = image.layers.iter().map(|layer| layer.stored_len).sum();
            let shared = image.layers.len() - own;
            lines.push(format!(
                "  image {} ({}, {} of which {shared} shared) from {}",
                image.reference,
                bytes(len),
                counted(image.layers.len(), "layer"),
                image.origin
            ));
        }
        match &self.engine {
            Some(engine) => lines.push(format!(
                "  engine {} with Compose ({})",
                engine.archive.version.as_deref().unwrap_or("of unknown version"),
                bytes(engine.len())
            )),
            None => lines.push("  no engine: the customer's machine must have one".to_owned()),
        }
        lines.push(format!("  {}", counted(self.project.picked.files.len(), "project file")));
        lines.join("\n")
    }
}
