//! `airlift lint`: every finding about a definition and its Compose file.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::definition;
use crate::engine_parts::fetch;
use crate::event::{Emit, Event};
use crate::lint::{self, Finding, Level};
use crate::outcome::{Exit, Explain, Outcome};
use crate::project::{Asked, Project};
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The definition
    #[arg(short = 'f', long = "definition", value_name = "FILE", default_value = definition::FILE_NAME)]
    definition: PathBuf,
    /// A Compose plugin to ask, instead of the definition's
    #[arg(long, value_name = "FILE")]
    engine_compose: Option<PathBuf>,
    /// Print findings as JSON, one per line
    #[arg(long)]
    json: bool,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let project = Project::read(&args.definition)?;
    // Only a part that is a file is asked: linting downloads nothing.
    let defined = || fetch::local(&project.definition.engine.as_ref()?.compose, &project.root);
    let plugin = args.engine_compose.clone().or_else(defined);
    let asked = project.ask_compose(plugin.as_deref())?;
    let mut findings = match &asked {
        Asked::Answer(model) => lint::findings(&project, Some(model)),
        _ => lint::findings(&project, None),
    };
    match &asked {
        Asked::Answer(_) => {}
        Asked::NotAtHand => {
            emit(Event::Warning("Docker Compose is not at hand: services are not checked".to_owned()))
        }
        Asked::Refused(failure) => findings.insert(0, lint::refused(failure)),
    }
    for finding in &findings {
        report::data(&shown(finding, args.json)?)?;
    }
    let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
    // What could not be looked at is a warning too.
    let warnings = findings.len() - errors + usize::from(matches!(asked, Asked::NotAtHand));
    emit(Event::Step(format!("{errors} errors, {warnings} warnings")));
    Ok(if errors > 0 { ExitCode::from(Exit::Usage as u8) } else { ExitCode::SUCCESS })
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
