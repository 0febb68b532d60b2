//! Tests of reading static archives: the right ones pass whatever their order, hostile ones are named.

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::*;

fn elf(machine: u8, text: &str) -> Vec<u8> {
    let mut bytes = vec![0; 64];
    bytes[..4].copy_from_slice(b"\x7fELF");
    bytes[18] = machine;
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

fn programs() -> Vec<(String, Vec<u8>)> {
    REQUIRED.iter().map(|name| (format!("docker/{name}"), elf(0x3e, name))).collect()
}

/// An archive of plain files, and one raw entry of any kind and name.
fn archive(folder: &Path, files: &[(String, Vec<u8>)], odd: Option<(&str, EntryType)>) -> std::path::PathBuf {
    let path = folder.join("docker-27.1.2.tgz");
    let mut builder = tar::Builder::new(GzEncoder::new(File::create(&path).unwrap(), Compression::fast()));
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o4711);
        header.set_mtime(77);
        builder.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    if let Some((name, kind)) = odd {
        let mut header = Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        if kind != EntryType::Regular {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, io::empty()).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap();
    path
}

fn read(path: &Path) -> Result<StaticArchive, String> {
    let folder = path.parent().unwrap();
    StaticArchive::read(path, folder, "x86_64", &|_| {}).map_err(|failure| {
        let source = std::error::Error::source(&failure).map(ToString::to_string).unwrap_or_default();
        format!("{failure}: {source}")
    })
}

#[test]
fn the_result_does_not_depend_on_who_packed_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = programs();
    let first = read(&archive(folder.path(), &files, None)).unwrap();
    files.reverse();
    let second = read(&archive(folder.path(), &files, None)).unwrap();
    let bytes = |archive: &StaticArchive| {
        let mut bytes = Vec::new();
        archive.write(&mut bytes, &|_| {}).unwrap();
        assert_eq!(bytes.len() as u64, archive.tar_len());
        bytes
    };
    assert_eq!(bytes(&first), bytes(&second));
    assert_eq!(first.version.as_deref(), Some("27.1.2"));
    assert_eq!(first.unpacked_len(), files.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>());
    let modes: Vec<_> = tar::Archive::new(&bytes(&first)[..])
        .entries()
        .unwrap()
        .map(|entry| entry.unwrap().header().mode().unwrap())
        .collect();
    assert_eq!(modes, [0o755; 7]);
}

#[test]
fn hostile_entries_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (name, kind) in [
        ("/etc/cron.d/x", EntryType::Regular),
        ("../x", EntryType::Regular),
        ("docker/../../x", EntryType::Regular),
        ("docker/a/b", EntryType::Regular),
        ("docker/link", EntryType::Symlink),
        ("docker/hard", EntryType::Link),
        ("docker/dev", EntryType::Char),
        ("other/", EntryType::Directory),
        ("docker/dockerd", EntryType::Regular),
    ] {
        let error = read(&archive(folder.path(), &programs(), Some((name, kind)))).unwrap_err();
        assert!(error.contains(name.trim_end_matches('/')), "{name}: {error}");
    }
}

#[test]
fn incomplete_foreign_and_broken_archives_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = programs();
    files.remove(0);
    assert!(read(&archive(folder.path(), &files, None)).unwrap_err().contains("lacks docker/containerd"));
    let mut files = programs();
    for (_, bytes) in &mut files {
        bytes[18] = 0xb7;
    }
    assert!(read(&archive(folder.path(), &files, None)).unwrap_err().contains("for aarch64, not for x86_64"));
    let path = folder.path().join("broken.tgz");
    fs::write(&path, b"this is no archive, but long enough to look at").unwrap();
    assert!(read(&path).is_err());
}
