//! `airlift lint`: every finding about a definition and its Compose file.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::definition;
use crate::engine_parts::{self, Plugin};
use crate::event::{Emit, Event};
use crate::finding::{self, Finding, Level};
use crate::image::library::Library;
use crate::launcher;
use crate::lint;
use crate::outcome::{Explain, Outcome};
use crate::plan::folder_of;
use crate::project::Project;
use crate::quantity::counted;
use crate::report;
use crate::stub;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition
    #[arg(short = 'f', long = "definition", value_name = "FILE", default_value = definition::FILE_NAME)]
    definition: PathBuf,
    /// A Compose plugin to ask, instead of the definition's
    #[arg(long, value_name = "FILE")]
    engine_compose: Option<PathBuf>,
    /// No engine is to be carried: do not look at the definition's, and do not warn of a bundle without one
    #[arg(long)]
    no_engine: bool,
    /// Print findings as JSON, one per line
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let project = Project::read(&args.definition)?;
    let definition = &project.definition;
    let machine = definition.requirements.arch.as_str();
    // What is compressed is unpacked where packing would do it.
    let spool = folder_of(Path::new(&launcher::file_name(&definition.app)));
    let mut problems = Vec::new();
    problems.extend(stub::for_arch(machine).err().map(|failure| Finding::of_failure("arch", &failure)));
    // Only parts that are at hand are looked at: linting downloads nothing.
    let source = definition.engine.as_ref().filter(|_| !args.no_engine);
    let plugin = match (&args.engine_compose, source) {
        (Some(plugin), _) => Plugin::AtHand(plugin.clone()),
        (None, Some(source)) => {
            let (plugin, failures) = engine_parts::check(source, &project.root, &spool, machine, emit);
            problems.extend(failures.iter().map(|failure| Finding::of_failure("engine-part", failure)));
            plugin
        }
        (None, None) => {
            if !args.no_engine {
                problems.push(lint::no_engine());
            }
            Plugin::NotNamed
        }
    };
    let asked = project.ask_compose(plugin)?;
    let library = Library { root: &project.root, spool: &spool, machine };
    problems.append(&mut library.survey(&definition.images, &asked.images()).problems);
    let findings = lint::findings(&project, &asked, problems);
    for finding in &findings {
        report::data(&shown(finding, args.json)?)?;
    }
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    let warnings = findings.len() - errors;
    emit(Event::Step(format!("{}, {}", counted(errors, "error"), counted(warnings, "warning"))));
    Ok(if errors > 0 { ExitCode::from(finding::exit(&findings) as u8) } else { ExitCode::SUCCESS })
}

fn shown(finding: &Finding, json: bool) -> Outcome<String> {
    if json {
        return serde_json::to_string(finding).explain(|| "cannot write JSON");
    }
    let level = match finding.level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    Ok(format!("{level}[{}]: {}\n  {}", finding.id, finding.message, finding.hint))
}
