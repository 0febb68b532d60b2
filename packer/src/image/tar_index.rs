//! Where the entries of a tar are, and whether the tar is as long as it says.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Symbolic links followed before giving up; the engine's archives have one at most.
const LINKS_MAX: usize = 8;

/// Length of a header, and of what contents are padded to.
const BLOCK: u64 = 512;

/// What a tar says of itself, at this place of its first header.
const MAGIC: (u64, &[u8; 5]) = (257, b"ustar");

/// The entries of a tar.
#[derive(Debug)]
pub struct Index {
    entries: HashMap<String, Entry>,
    /// Whether the empty block is there that ends a tar; few tools leave it out.
    pub has_end: bool,
}

/// Where an entry of a tar is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Entry {
    /// Somewhere else in the tar.
    Link(String),
    /// At these bytes.
    Range {
        /// First byte.
        offset: u64,
        /// Length in bytes.
        len: u64,
    },
}

/// Why there is no index.
#[derive(Debug)]
pub enum Unreadable {
    /// It is a tar that ends before its contents do.
    CutOff(String),
    /// It is no tar.
    NoTar(io::Error),
}

impl Index {
    /// First byte and length of a file, through links.
    pub fn find(&self, path: &str) -> Option<(u64, u64)> {
        let mut path = normal(path);
        for _ in 0..LINKS_MAX {
            match self.entries.get(&path)? {
                Entry::Link(target) => path.clone_from(target),
                Entry::Range { offset, len } => return Some((*offset, *len)),
            }
        }
        None
    }
}

/// Indexes an uncompressed tar.
pub fn of(file: &File) -> Result<Index, Unreadable> {
    let there = file.metadata().map_err(Unreadable::NoTar)?.len();
    let unreadable = |error| match is_tar(file) && !there.is_multiple_of(BLOCK) {
        true => Unreadable::CutOff(format!("it has {there} bytes, which is in the middle of an entry")),
        false => Unreadable::NoTar(error),
    };
    let mut archive = tar::Archive::new(file);
    let (mut entries, mut end) = (HashMap::new(), 0);
    for entry in archive.entries_with_seek().map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = normal(&String::from_utf8_lossy(&entry.path_bytes()));
        let target = entry.link_name_bytes().map(|name| String::from_utf8_lossy(&name).into_owned());
        let kind = entry.header().entry_type();
        let place = match target {
            // Targets of symbolic links are relative to the link, those of hard links to the archive.
            Some(target) if kind.is_symlink() => match path.rsplit_once('/') {
                Some((parent, _)) => Entry::Link(normal(&format!("{parent}/{target}"))),
                None => Entry::Link(normal(&target)),
            },
            Some(target) if kind.is_hard_link() => Entry::Link(normal(&target)),
            _ if kind.is_file() => {
                let (offset, len) = (entry.raw_file_position(), entry.size());
                let behind = offset.saturating_add(len);
                if behind > there {
                    return Err(Unreadable::CutOff(format!(
                        "it has {there} bytes, and {} in it goes on to byte {behind}",
                        path.escape_debug()
                    )));
                }
                end = behind.next_multiple_of(BLOCK);
                Entry::Range { offset, len }
            }
            _ => {
                end = entry.raw_file_position();
                continue;
            }
        };
        if matches!(place, Entry::Link(_)) {
            end = entry.raw_file_position();
        }
        entries.insert(path, place);
    }
    if entries.is_empty() {
        return Err(Unreadable::NoTar(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is not a tar, or an empty one",
        )));
    }
    let mut block = [1; BLOCK as usize];
    let has_end = file.read_exact_at(&mut block, end).is_ok() && block.iter().all(|byte| *byte == 0);
    Ok(Index { entries, has_end })
}

fn is_tar(file: &File) -> bool {
    let mut magic = [0; 5];
    file.read_exact_at(&mut magic, MAGIC.0).is_ok() && magic == *MAGIC.1
}

/// Resolves `.` and `..` by text alone.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
