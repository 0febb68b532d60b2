//! `airlift init`: a commented definition for an existing Compose file.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::compose::{outline, variables};
use crate::definition::FILE_NAME;
use crate::definition::template::{self, Mount, MountKind};
use crate::event::{Emit, Event};
use crate::files;
use crate::outcome::{Explain, Failure, Outcome};
use crate::output::write_new;
use crate::report;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The Compose file in it [default: the usual names]
    #[arg(long, value_name = "FILE")]
    compose: Option<String>,
}

pub fn run(args: &Args, emit: Emit<'_>) -> Outcome<ExitCode> {
    let compose_file = files::compose_file(&args.folder, args.compose.as_deref())?;
    let compose_path = args.folder.join(compose_file.as_str());
    let text =
        fs::read_to_string(&compose_path).explain(|| format!("cannot read {}", compose_path.display()))?;
    let name = fs::canonicalize(&args.folder)
        .ok()
        .and_then(|folder| folder.file_name().map(|name| name.to_string_lossy().into_owned()))
        .unwrap_or_default();
    let definition = template::render(
        &name,
        compose_file.as_str(),
        &variables::of(&text),
        &mounts(&args.folder, &text),
        &outline::services(&text),
    );
    let path = args.folder.join(FILE_NAME);
    if path.symlink_metadata().is_ok() {
        return Err(Failure::usage(format!("cannot write {}", path.display()))
            .because("it is there already")
            .hint("edit it, or move it away first; init overwrites nothing"));
    }
    write_new(&path, 0o644, definition.as_bytes())?;
    emit(Event::Step(format!("look through {}, then: airlift lint && airlift pack", path.display())));
    report::data(&path.display().to_string())?;
    Ok(ExitCode::SUCCESS)
}

/// What the services mount, and which of it has something to pack.
fn mounts(folder: &Path, compose: &str) -> Vec<Mount> {
    let look = |path: String| {
        let there = folder.join(&path);
        let has_content = fs::read_dir(&there).is_ok_and(|mut entries| entries.next().is_some());
        let kind = if there.is_file() || has_content {
            MountKind::Packed
        } else if !there.exists() && files::looks_like_file(&path) {
            MountKind::MissingFile
        } else {
            MountKind::Folder
        };
        Mount { kind, path: if has_content { format!("{path}/**") } else { path } }
    };
    template::mounted(compose).into_iter().map(look).collect()
}
