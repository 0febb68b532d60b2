//! Project files: which ones a definition picks, and what may not be picked. Contents are read by `assemble`.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bundle_spec::layout::LAUNCHER_FIRST_LINE;
use bundle_spec::path::{ProjectPath, STATE_DIR};
use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::definition::FileRule;
use crate::outcome::{Explain, Failure, Outcome};
use crate::quantity::bytes;

/// Names that Docker Compose looks for, in its order.
pub const COMPOSE_NAMES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Longest project file, in bytes: the installer holds one in memory, and promises to stay below 64 MB.
const FILE_MAX: u64 = 16 << 20;

/// One file that will be packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedFile {
    /// Where it goes.
    pub path: ProjectPath,
    /// Where it is.
    pub source: PathBuf,
    /// Its length in bytes.
    pub len: u64,
    /// Permission bits on the host: 0755 if anybody may execute it, else 0644.
    pub mode: u32,
    /// Answers are filled in.
    pub template: bool,
    /// Numeric user and group on the host; root where nothing is said.
    pub owner: Option<(u32, u32)>,
}

/// What was picked, and what is odd about it.
#[derive(Clone, Debug, Default)]
pub struct Picked {
    /// The files, sorted by path.
    pub files: Vec<PlannedFile>,
    /// What is wrong, for people.
    pub problems: Vec<String>,
}

/// Reads a glob. `*` stays within a folder, `**` does not; a folder stands for everything in it.
///
/// # Errors
/// What is wrong with it.
pub fn glob(text: &str) -> Result<Glob, String> {
    let inside = text.strip_prefix("./").unwrap_or(text);
    if inside.starts_with('/') || inside.split('/').any(|part| part == "..") {
        return Err(format!("`{text}` leaves the project's folder; only what is in it can be packed"));
    }
    let pattern = if inside.ends_with('/') { format!("{inside}**") } else { inside.to_owned() };
    GlobBuilder::new(&pattern)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("`{text}` is not a glob: {}", error.kind()))
}

/// The Compose file's name in `root`: the given one, or the first usual one that is there.
pub fn compose_file(root: &Path, given: Option<&str>) -> Outcome<ProjectPath> {
    let name = match given {
        Some(name) => root.join(name).is_file().then_some(name),
        None => COMPOSE_NAMES.into_iter().find(|name| root.join(name).is_file()),
    };
    let Some(name) = name else {
        let wanted = given.map_or_else(|| COMPOSE_NAMES.join(", "), str::to_owned);
        return Err(Failure::usage(format!(
            "there is no Compose file in {}: looked for {wanted}",
            root.display()
        ))
        .hint("set `file` in the section [compose]"));
    };
    ProjectPath::parse(name)
        .map_err(|error| Failure::usage("the Compose file cannot be packed").because(error))
}

/// Whether a name is one of a file, going by its ending: `nginx.conf`, but neither `data` nor `conf.d` nor `v1.0`.
pub fn looks_like_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').filter(|(before, _)| !before.is_empty()).map(|(_, ending)| ending);
    ending.is_some_and(|ending| {
        (1..=5).contains(&ending.len())
            && ending != "d"
            && ending.starts_with(|c: char| c.is_ascii_alphabetic())
            && ending.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

/// Picks the files of all rules, and the Compose file.
pub fn pick(root: &Path, rules: &[FileRule], compose_file: &ProjectPath) -> Outcome<Picked> {
    let there = walk(root)?;
    let inside = fs::canonicalize(root).explain(|| format!("cannot read {}", root.display()))?;
    let mut picked = Picked::default();
    let mut chosen: BTreeMap<ProjectPath, PlannedFile> = BTreeMap::new();
    let own = FileRule { include: vec![literal(compose_file.as_str())], ..FileRule::default() };
    for rule in rules.iter().chain([&own]) {
        let excluded = matchers(&rule.exclude)?;
        for include in &rule.include {
            let included = matchers(std::slice::from_ref(include))?;
            let mut count = 0;
            for path in &there {
                if !included.iter().any(|glob| glob.is_match(path)) {
                    continue;
                }
                count += 1;
                if excluded.iter().any(|glob| glob.is_match(path)) || path == ".env" && include != ".env" {
                    continue;
                }
                match planned(root, &inside, path) {
                    Ok(mut file) => {
                        // What one rule says of a file, another one that matches it too does not take away.
                        let earlier = chosen.get(&file.path);
                        file.template = rule.template || earlier.is_some_and(|earlier| earlier.template);
                        file.owner = rule.owner.or(earlier.and_then(|earlier| earlier.owner));
                        chosen.insert(file.path.clone(), file);
                    }
                    Err(problem) => picked.problems.push(problem),
                }
            }
            if count == 0 {
                picked
                    .problems
                    .push(format!("[[file]] include \"{include}\" matches nothing in {}", root.display()));
            }
        }
    }
    picked.files = chosen.into_values().collect();
    picked.problems.dedup();
    Ok(picked)
}

fn matchers(globs: &[String]) -> Outcome<Vec<GlobMatcher>> {
    globs.iter().map(|text| Ok(glob(text).map_err(Failure::usage)?.compile_matcher())).collect()
}

/// A glob that matches only this path.
fn literal(path: &str) -> String {
    path.chars().fold(String::new(), |mut glob, c| {
        if "*?[]{}\\!".contains(c) {
            glob.push('\\');
        }
        glob.push(c);
        glob
    })
}

/// Decides about one matched path.
fn planned(root: &Path, inside: &Path, path: &str) -> Result<PlannedFile, String> {
    if path == ".env" {
        return Err(".env cannot be packed: Airlift writes it on the host from the answers to the questions"
            .to_owned());
    }
    let source = root.join(path);
    let real = fs::canonicalize(&source).map_err(|error| format!("{path} cannot be read: {error}"))?;
    if !real.starts_with(inside) {
        return Err(format!("{path} is a link to {}, which is outside the project's folder", real.display()));
    }
    let metadata = fs::metadata(&source).map_err(|error| format!("{path} cannot be read: {error}"))?;
    if !metadata.is_file() {
        return Err(format!(
            "{path} is not a regular file; links to folders and special files cannot be packed"
        ));
    }
    if metadata.len() > FILE_MAX {
        let (len, most) = (bytes(metadata.len()), bytes(FILE_MAX));
        return Err(format!(
            "{path} has {len}; a project file has at most {most}: put large data into an image"
        ));
    }
    let mode = if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 };
    let path = ProjectPath::parse(path).map_err(|error| error.to_string())?;
    Ok(PlannedFile { path, source, len: metadata.len(), mode, template: false, owner: None })
}

/// All paths below `root` that are no folders, sorted. `.git` and bundles are never meant: `**` would pack the last bundle
/// into the next.
fn walk(root: &Path) -> Outcome<Vec<String>> {
    let mut paths = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let failed = || format!("cannot read {}", root.join(&folder).display());
        for entry in fs::read_dir(root.join(&folder)).explain(failed)? {
            let entry = entry.explain(failed)?;
            // Such a name cannot be written in a definition either.
            let Ok(name) = entry.file_name().into_string() else { continue };
            let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if entry.file_type().explain(failed)?.is_dir() {
                if ![".git", STATE_DIR].contains(&path.as_str()) {
                    folders.push(path);
                }
            } else if !is_bundle(&root.join(&path)) {
                paths.push(path);
            }
        }
    }
    paths.sort();
    Ok(paths)
}

fn is_bundle(path: &Path) -> bool {
    let mut head = [0; LAUNCHER_FIRST_LINE.len()];
    path.extension().is_some_and(|extension| extension == "run")
        && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && head == *LAUNCHER_FIRST_LINE.as_bytes()
}

#[cfg(test)]
mod tests;
