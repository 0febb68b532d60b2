//! Tests of unpacking: against GNU tar for what both can do, by hand for what only layers have, and against hostile tars.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::Command;

use proptest::prelude::*;
use tar::{EntryType, Header};

use super::*;

/// A tar in the making.
struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Self(tar::Builder::new(Vec::new()))
    }

    fn entry(mut self, path: &str, kind: EntryType, mode: u32, content: &[u8], link: Option<&str>) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_600_000_000);
        header.set_size(content.len() as u64);
        // Written raw: the builder would refuse `..`.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        if let Some(link) = link {
            header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        }
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn dir(self, path: &str, mode: u32) -> Self {
        self.entry(path, EntryType::Directory, mode, b"", None)
    }

    fn file(self, path: &str, mode: u32, content: &[u8]) -> Self {
        self.entry(path, EntryType::Regular, mode, content, None)
    }

    fn link(self, path: &str, kind: EntryType, target: &str) -> Self {
        self.entry(path, kind, 0o777, b"", Some(target))
    }

    fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn unpack(tar: &[u8], lowers: &[PathBuf]) -> (tempfile::TempDir, Result<(), UnpackError>) {
    let dir = tempfile::tempdir().unwrap();
    let outcome = layer(tar, Target { dir: dir.path(), lowers }, 2);
    (dir, outcome)
}

fn unpacked(tar: Tar, lowers: &[PathBuf]) -> tempfile::TempDir {
    let (dir, outcome) = unpack(&tar.bytes(), lowers);
    outcome.unwrap();
    dir
}

/// Everything that can be told about a tree, sorted.
fn describe(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![root.to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let content = match meta.file_type() {
                kind if kind.is_file() => format!("{:?}", std::fs::read(&path).unwrap()),
                kind if kind.is_symlink() => format!("{:?}", std::fs::read_link(&path).unwrap()),
                _ => String::new(),
            };
            let name = path.strip_prefix(root).unwrap().as_os_str().as_bytes().escape_ascii().to_string();
            // A directory's own number of links tells about its entries, which are listed.
            let links = if meta.is_dir() { 0 } else { meta.nlink() };
            found.push(format!(
                "{name} {:o} {}:{} {} {links} {content}",
                meta.mode(),
                meta.uid(),
                meta.gid(),
                meta.mtime()
            ));
            if meta.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn modes_owners_times_links_and_large_files() {
    let large: Vec<u8> = (0..3 * PIECE + 5).map(|byte| byte as u8).collect();
    let tar = Tar::new()
        .dir("./", 0o711)
        .dir("bin/", 0o1777)
        .file("bin/su", 0o4755, b"#!")
        .link("bin/again", EntryType::Link, "bin/su")
        .link("bin/far", EntryType::Symlink, "../../etc/shadow")
        .file("large", 0o600, &large)
        .file("empty", 0o444, b"")
        .pax(&[("mtime", b"1500000000.250000000"), ("uid", b"70000"), ("gid", b"70001")])
        .file("owned", 0o640, b"x");
    let dir = unpacked(tar, &[]);
    let meta = |path: &str| dir.path().join(path).symlink_metadata().unwrap();
    assert_eq!(dir.path().metadata().unwrap().mode() & 0o7777, 0o711);
    assert_eq!(meta("bin").mode() & 0o7777, 0o1777);
    assert_eq!(meta("bin").mtime(), 1_600_000_000, "set after the files in it");
    assert_eq!(meta("bin/su").mode() & 0o7777, 0o4755);
    assert_eq!(meta("bin/su").ino(), meta("bin/again").ino());
    assert_eq!(std::fs::read_link(dir.path().join("bin/far")).unwrap(), Path::new("../../etc/shadow"));
    assert_eq!(std::fs::read(dir.path().join("large")).unwrap(), large);
    assert_eq!((meta("empty").len(), meta("empty").mode() & 0o7777), (0, 0o444));
    let owned = meta("owned");
    assert_eq!((owned.uid(), owned.gid()), (70_000, 70_001));
    assert_eq!((owned.mtime(), owned.mtime_nsec()), (1_500_000_000, 250_000_000));
}

#[test]
fn attributes_travel_and_those_of_overlay_are_refused() {
    let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let tar = Tar::new().pax(&[("SCHILY.xattr.security.capability", &capability)]).file("ping", 0o755, b"#!");
    let dir = unpacked(tar, &[]);
    let mut value = [0; 64];
    let len = rustix::fs::getxattr(dir.path().join("ping"), "security.capability", &mut value[..]).unwrap();
    assert_eq!(value[..len], capability);
    for name in ["SCHILY.xattr.trusted.overlay.redirect", "SCHILY.xattr.user.overlay.opaque"] {
        let (_dir, outcome) = unpack(&Tar::new().pax(&[(name, b"/etc")]).dir("x", 0o755).bytes(), &[]);
        assert!(matches!(outcome, Err(UnpackError::Unsupported { .. })), "{name}: {outcome:?}");
    }
}

#[test]
fn whiteouts_become_what_overlay_reads_and_mean_nothing_in_the_lowest_layer() {
    let tar = || {
        Tar::new()
            .dir("etc", 0o755)
            .file("etc/.wh.passwd", 0o600, b"")
            .dir("var", 0o755)
            .file("var/.wh..wh..opq", 0o600, b"")
            .file("var/new", 0o644, b"n")
            .dir(".wh..wh.plnk", 0o700)
    };
    let lower = tempfile::tempdir().unwrap();
    let dir = unpacked(tar(), &[lower.path().to_owned()]);
    let hidden = dir.path().join("etc/passwd").symlink_metadata().unwrap();
    assert!(hidden.file_type().is_char_device() && hidden.rdev() == 0);
    let mut value = [0; 8];
    assert_eq!(rustix::fs::getxattr(dir.path().join("var"), "trusted.overlay.opaque", &mut value[..]), Ok(1));
    assert_eq!(describe(dir.path()).len(), 4, "nothing else: {:?}", describe(dir.path()));
    let lowest = unpacked(tar(), &[]);
    assert_eq!(describe(lowest.path()).len(), 3);
}

#[test]
fn a_directory_that_the_tar_does_not_bring_looks_as_below() {
    let (nearest, lowest) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::create_dir_all(lowest.path().join("srv/data")).unwrap();
    std::fs::set_permissions(lowest.path().join("srv"), PermissionsExt::from_mode(0o2750)).unwrap();
    std::os::unix::fs::chown(lowest.path().join("srv/data"), Some(33), Some(34)).unwrap();
    std::fs::create_dir(nearest.path().join("srv")).unwrap();
    std::fs::set_permissions(nearest.path().join("srv"), PermissionsExt::from_mode(0o700)).unwrap();
    let lowers = [nearest.path().to_owned(), lowest.path().to_owned()];
    let dir = unpacked(Tar::new().file("srv/data/x", 0o644, b"x").file("brand/new", 0o644, b"y"), &lowers);
    let meta = |path: &str| dir.path().join(path).metadata().unwrap();
    assert_eq!(meta("srv").mode() & 0o7777, 0o700, "the nearest counts");
    assert_eq!((meta("srv/data").uid(), meta("srv/data").gid()), (33, 34));
    assert_eq!((meta("srv/data/x").uid(), meta("srv/data/x").gid()), (0, 0));
    assert_eq!(meta("brand").mode() & 0o7777, 0o755);
}

#[test]
fn files_in_a_set_group_directory_belong_to_whom_the_tar_says() {
    let mut value = Header::new_ustar();
    value.set_mode(0o755);
    let tar = Tar::new().pax(&[("gid", b"50")]).dir("shared", 0o2775).file("shared/file", 0o644, b"x").link(
        "shared/link",
        EntryType::Symlink,
        "file",
    );
    let dir = unpacked(tar, &[]);
    for name in ["shared/file", "shared/link"] {
        assert_eq!(dir.path().join(name).symlink_metadata().unwrap().gid(), 0, "{name}");
    }
}

#[test]
fn nothing_is_written_outside() {
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().to_str().unwrap();
    let tars = [
        Tar::new().file("../escape", 0o644, b"x"),
        Tar::new().file("a/../../escape", 0o644, b"x"),
        Tar::new().link("out", EntryType::Symlink, target).file("out/escape", 0o644, b"x"),
        Tar::new().link("out", EntryType::Symlink, target).dir("out", 0o777).file("out/escape", 0o644, b"x"),
        Tar::new().link("out", EntryType::Symlink, target).link("x", EntryType::Link, "out/secret"),
        Tar::new().link("x", EntryType::Link, "../secret"),
        Tar::new().link("out", EntryType::Symlink, target).file("out/.wh.secret", 0o644, b""),
        Tar::new().file("twice", 0o644, b"1").file("twice", 0o644, b"2"),
        Tar::new().file("was-file", 0o644, b"1").dir("was-file", 0o755),
        Tar::new().dir("was-dir", 0o755).file("was-dir", 0o644, b"1"),
    ];
    std::fs::write(outside.path().join("secret"), "s").unwrap();
    for (number, tar) in tars.into_iter().enumerate() {
        let lower = tempfile::tempdir().unwrap();
        let (_dir, outcome) = unpack(&tar.bytes(), &[lower.path().to_owned()]);
        assert!(matches!(outcome, Err(UnpackError::Unsupported { .. })), "{number}: {outcome:?}");
        assert_eq!(describe(outside.path()).len(), 1, "{number}");
    }
    // An absolute path means the layer's own root, as in every engine.
    let dir = unpacked(Tar::new().file("/etc/x", 0o644, b"x"), &[]);
    assert!(dir.path().join("etc/x").exists());
}

#[test]
fn a_tar_that_breaks_off_is_an_error() {
    let bytes = Tar::new().file("a", 0o644, &[7; 5000]).file("b", 0o644, &[8; 5000]).bytes();
    for len in [100, 512, 600, 5_700, 6_500] {
        let (_dir, outcome) = unpack(&bytes[..len], &[]);
        assert!(outcome.is_err(), "{len}");
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    // The one file system that is always full.
    let dir = tempfile::tempdir().unwrap();
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(dir.path()).status();
    assert!(mounted.unwrap().success());
    let tar = Tar::new().file("large", 0o644, &vec![1; 1 << 20]).bytes();
    let outcome = layer(tar.as_slice(), Target { dir: dir.path(), lowers: &[] }, 2);
    assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
    assert!(outcome.as_ref().is_err_and(UnpackError::is_disk_full), "{outcome:?}");
}

/// Trees with unique names: what both programs can unpack in one way only.
fn trees() -> impl Strategy<Value = Vec<(u8, u32, Vec<u8>)>> {
    let mode = prop::sample::select(vec![0o644, 0o755, 0o600, 0o4755, 0o2755, 0o1777, 0o444, 0o000]);
    prop::collection::vec((0..4_u8, mode, prop::collection::vec(any::<u8>(), 0..40)), 1..30)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// GNU tar, as root, is the yardstick.
    #[test]
    fn the_same_comes_out_as_from_gnu_tar(entries in trees()) {
        let mut tar = Tar::new().dir("d0", 0o755);
        let (mut dirs, mut files) = (vec!["d0".to_owned()], Vec::new());
        for (number, (kind, mode, content)) in entries.into_iter().enumerate() {
            let dir = dirs[content.len() % dirs.len()].clone();
            let path = format!("{dir}/n{number}");
            tar = match kind {
                0 if path.len() < 80 => {
                    dirs.push(path.clone());
                    tar.dir(&path, mode | 0o500)
                }
                1 => tar.link(&path, EntryType::Symlink, "../somewhere"),
                2 if !files.is_empty() => {
                    let target: &String = &files[content.len() % files.len()];
                    tar.link(&path, EntryType::Link, target)
                }
                _ => {
                    files.push(path.clone());
                    tar.file(&path, mode, &content)
                }
            };
        }
        let bytes = tar.bytes();
        let (ours, outcome) = unpack(&bytes, &[]);
        outcome.unwrap();
        let theirs = tempfile::tempdir().unwrap();
        let file = theirs.path().join("../").join(format!("{}.tar", uuid()));
        std::fs::write(&file, &bytes).unwrap();
        let status = Command::new("tar").args(["--numeric-owner", "--delay-directory-restore", "-xpf"]).arg(&file).arg("-C").arg(theirs.path()).status();
        std::fs::remove_file(&file).unwrap();
        prop_assert!(status.unwrap().success());
        prop_assert_eq!(describe(ours.path()), describe(theirs.path()));
    }

    /// Whatever the bytes: an error or a tree, never a panic, never anything outside.
    #[test]
    fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
        let (_dir, _outcome) = unpack(&bytes, &[]);
    }
}

fn uuid() -> String {
    tempfile::NamedTempFile::new().unwrap().path().file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn numbers_in_headers_are_read_as_the_engine_reads_them() {
    let minus_two = [&[0xff; 11][..], &[0xfe]].concat();
    let large = [&[0x80, 0, 0, 0][..], &[2, 0, 0, 0]].concat();
    for (field, expected) in [
        (&b"0000755\0"[..], Some(0o755)),
        (b"  755 \0 ", Some(0o755)),
        (b"\0\0\0\0\0\0\0\0", Some(0)),
        (b"        ", Some(0)),
        (b"12\09", Some(0o12)),
        (&large, Some(2 << 24)),
        (&minus_two, Some(-2)),
        (b"9", None),
        (b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", None),
    ] {
        assert_eq!(entry::number(field), expected, "{}", field.escape_ascii());
    }
}
