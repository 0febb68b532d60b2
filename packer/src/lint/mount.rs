//! Bind mounts whose sources are not in the bundle. The engine makes an empty folder of such a source, where a service may
//! want a file, or what is in a folder.

use std::fs;
use std::path::Path;

use crate::compose::model::Service;
use crate::files::looks_like_file;
use crate::finding::Finding;
use crate::project::Project;

/// What a source is here, where the bundle is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Here {
    /// A file.
    File,
    /// A folder with something in it.
    Filled,
    /// A folder without anything in it, or nothing with the name of a folder.
    Folder,
    /// Nothing; its name is one of a file.
    Nothing,
}

impl Here {
    fn at(root: &Path, source: &str) -> Self {
        let path = root.join(source);
        if path.is_file() {
            return Self::File;
        }
        match fs::read_dir(&path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => Self::Filled,
            Err(_) if looks_like_file(source) => Self::Nothing,
            _ => Self::Folder,
        }
    }

    fn hint(self, source: &str) -> String {
        let folder = format!("[[directory]] path = \"{source}\" with its mode and owner");
        let file = format!("[[file]] include = [\"{source}\"]");
        match self {
            Self::File => format!("pack it: {file}; the engine would make an empty folder of that name"),
            Self::Filled => {
                format!(
                    "pack what is in it: [[file]] include = [\"{source}/**\"]; or, if it is to be empty, add {folder}"
                )
            }
            Self::Folder => format!("add {folder}; the engine would make it for root"),
            Self::Nothing => format!(
                "if it is a file, put it there and pack it: {file}; the engine would make an empty folder of that name. If it is a folder, add {folder}"
            ),
        }
    }
}

/// Finds the mounts of one service that are neither packed nor made.
pub fn check(project: &Project, name: &str, service: &Service, found: &mut Vec<Finding>) {
    for mount in service.volumes.iter().filter(|mount| mount.kind == "bind" && !mount.source.starts_with('/'))
    {
        let source = mount.source.as_str();
        if is_there(project, source) {
            continue;
        }
        let message = format!(
            "service {name} mounts ./{source} at {}, which is neither packed nor a [[directory]]",
            mount.target
        );
        let here = Here::at(&project.root, source);
        found.push(match here {
            Here::File => Finding::error("mount-missing", message, here.hint(source)),
            _ => Finding::warning("mount-missing", message, here.hint(source)),
        });
    }
}

/// Whether the customer's machine has something at that path of the project.
fn is_there(project: &Project, source: &str) -> bool {
    let below =
        |path: &str| path == source || path.strip_prefix(source).is_some_and(|rest| rest.starts_with('/'));
    source.is_empty()
        || project.picked.files.iter().any(|file| below(file.path.as_str()))
        || project.definition.directories.iter().any(|directory| below(directory.path.as_str()))
        || project.definition.tls.iter().any(|tls| below(tls.certificate.as_str()) || below(tls.key.as_str()))
}
