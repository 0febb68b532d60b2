//! What a part of a file system looks like, to show that nothing changed, or what did.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::parts;

/// Everything below a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tree(BTreeMap<PathBuf, Entry>);

/// What is known of one file. The time of a folder is not: a file that came and went changes it, and is none's damage.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    kind: &'static str,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    changed: Option<(i64, i64)>,
    content: String,
}

impl Tree {
    /// Looks at everything below `root`, following no links, leaving out the paths in `without` (relative to `root`; a `*` at
    /// the end stands for any name).
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn of(root: &Path, without: &[&str]) -> Self {
        let mut entries = BTreeMap::new();
        let mut open = vec![root.to_owned()];
        while let Some(folder) = open.pop() {
            let listing =
                fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
            for item in listing {
                let path = item.unwrap().path();
                let relative = path.strip_prefix(root).unwrap().to_owned();
                if without.iter().any(|out| is_left_out(&relative, out)) {
                    continue;
                }
                // What vanishes while one looks was never there.
                let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
                if metadata.is_dir() {
                    open.push(path.clone());
                }
                entries.insert(relative, entry(&path, &metadata));
            }
        }
        Self(entries)
    }

    /// What is different in `later`, one line for each path; empty if nothing is.
    #[must_use]
    pub fn changes(&self, later: &Self) -> Vec<String> {
        let mut changes = Vec::new();
        for (path, entry) in &self.0 {
            match later.0.get(path) {
                None => changes.push(format!("- {}", path.display())),
                Some(now) if now != entry => {
                    changes.push(format!("~ {}: {entry:?} became {now:?}", path.display()))
                }
                Some(_) => {}
            }
        }
        let added = later.0.keys().filter(|path| !self.0.contains_key(*path));
        changes.extend(added.map(|path| format!("+ {}", path.display())));
        changes
    }

    /// Stops the test if anything is different in `later`.
    ///
    /// # Panics
    /// When something is.
    #[track_caller]
    pub fn assert_unchanged(&self, later: &Self) {
        let changes = self.changes(later);
        assert!(changes.is_empty(), "{} paths changed:\n{}", changes.len(), changes.join("\n"));
    }

    /// The same without times, and without the content of these paths: what two installations have in common.
    #[must_use]
    pub fn shape(&self, but: &[&str]) -> Self {
        let plain = |(path, entry): (&PathBuf, &Entry)| {
            let mut entry = Entry { changed: None, ..entry.clone() };
            if but.iter().any(|out| is_left_out(path, out)) {
                entry.content.clear();
                entry.size = 0;
            }
            (path.clone(), entry)
        };
        Self(self.0.iter().map(plain).collect())
    }

    /// Its paths.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.keys().map(PathBuf::as_path)
    }

    /// Number of paths.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Mode and owner of a path.
    #[must_use]
    pub fn mode_and_owner(&self, path: &str) -> Option<(u32, (u32, u32))> {
        self.0.get(Path::new(path)).map(|entry| (entry.mode, entry.owner))
    }
}

fn is_left_out(path: &Path, out: &str) -> bool {
    match out.strip_suffix('*') {
        Some(beginning) => path.to_str().is_some_and(|path| path.starts_with(beginning)),
        None => path == Path::new(out),
    }
}

fn entry(path: &Path, metadata: &Metadata) -> Entry {
    let kind = metadata.file_type();
    let (kind, content) = if kind.is_dir() {
        ("folder", String::new())
    } else if kind.is_symlink() {
        ("link", fs::read_link(path).map(|to| to.display().to_string()).unwrap_or_default())
    } else if kind.is_file() {
        ("file", parts::sha256(path))
    } else if kind.is_socket() {
        ("socket", String::new())
    } else {
        ("device", String::new())
    };
    Entry {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        size: if kind == "folder" { 0 } else { metadata.size() },
        changed: (kind != "folder").then(|| (metadata.mtime(), metadata.mtime_nsec())),
        content,
    }
}
