//! An image with everything that a layer can hold and that is easily lost on the way.

use tar::{Builder, EntryType, Header};

use crate::images::{self, Image};

/// `cap_net_bind_service=ep` as the kernel keeps it.
pub const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// The set of most tests; `web` has the odd layers, all below `/odd`.
#[must_use]
pub fn images() -> Vec<Image> {
    let mut images = images::set(1000);
    images[0].layers.insert(1, lower());
    images[0].layers.insert(2, upper());
    images
}

/// The set of most tests; a layer of `web` brings `/twice/file` first with the content "first", then with "second".
#[must_use]
pub fn images_with_a_path_twice() -> Vec<Image> {
    let mut layer = Builder::new(Vec::new());
    folder(&mut layer, "twice", 0o755, (0, 0));
    file(&mut layer, "twice/file", 0o644, (0, 0), b"first");
    file(&mut layer, "twice/file", 0o600, (0, 0), b"second");
    let mut images = images::set(1000);
    images[0].layers.push(layer.into_inner().unwrap());
    images
}

/// Whether a directory of these layers is used by one that does not bring it.
#[must_use]
pub fn is_touched(path: &[u8]) -> bool {
    let path = path.strip_suffix(b"/").unwrap_or(path);
    [&b"odd"[..], b"odd/group", b"odd/group/deep"].contains(&path) || path.starts_with(b"odd/ddd")
}

fn lower() -> Vec<u8> {
    let mut layer = Builder::new(Vec::new());
    let tar = &mut layer;
    folder(tar, "odd", 0o755, (0, 0));
    file(tar, "odd/gone", 0o644, (0, 0), b"gone");
    for name in ["gone-folder", "opaque", "folder-to-file"] {
        folder(tar, &format!("odd/{name}"), 0o755, (0, 0));
        file(tar, &format!("odd/{name}/below"), 0o644, (0, 0), b"below");
    }
    file(tar, "odd/file-to-folder", 0o644, (0, 0), b"a file");
    // The upper layer puts a file into these, and does not bring them.
    folder(tar, "odd/group", 0o2750, (33, 33));
    pax(tar, &[("SCHILY.xattr.user.colour", b"green")]);
    folder(tar, "odd/group/deep", 0o3711, (33, 34));
    folder(tar, "odd/sticky", 0o1777, (0, 0));
    file(tar, "odd/set-user", 0o4755, (0, 0), b"set-user");
    file(tar, "odd/set-group", 0o2755, (1000, 42), b"set-group");
    file(tar, "odd/none", 0o000, (200_000, 200_001), b"for nobody");
    file(tar, "odd/empty", 0o644, (0, 0), b"");
    pax(tar, &[("SCHILY.xattr.security.capability", &CAPABILITY)]);
    file(tar, "odd/capable", 0o755, (0, 0), b"capable");
    pax(tar, &[("SCHILY.xattr.user.colour", b"blue"), ("mtime", b"1600000000.123456789")]);
    file(tar, "odd/coloured", 0o644, (1000, 1000), b"coloured");
    file(tar, "odd/original", 0o640, (1000, 1000), b"three names");
    link(tar, EntryType::Link, "odd/second-name", "odd/original");
    link(tar, EntryType::Link, "odd/group/third-name", "odd/original");
    link(tar, EntryType::Symlink, "odd/symbolic", "../etc/passwd");
    link(tar, EntryType::Symlink, "odd/dangling", "/no/where\nelse");
    device(tar, EntryType::Char, "odd/null", (1, 3));
    device(tar, EntryType::Block, "odd/disk", (7, 99));
    device(tar, EntryType::Fifo, "odd/pipe", (0, 0));
    times_and_names(tar);
    layer.into_inner().unwrap()
}

fn times_and_names(tar: &mut Builder<Vec<u8>>) {
    for (name, time) in [("odd/early", 1), ("odd/late", 8_000_000_000)] {
        let mut header = header(EntryType::Regular, 0o644, (0, 0), 0);
        header.set_mtime(time);
        append(tar, header, name.as_bytes(), b"", b"");
    }
    // As GNU tar writes what octal digits cannot: two days before 1970. Then, as PAX does, one day.
    let mut early = header(EntryType::Regular, 0o644, (0, 0), 0);
    early.as_old_mut().mtime = *b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfd\x5d\x00";
    append(tar, early, b"odd/long-before-1970", b"", b"");
    pax(tar, &[("mtime", b"-86400")]);
    file(tar, "odd/before-1970", 0o644, (0, 0), b"");
    for name in [&b"odd/new\nline"[..], b"odd/bytes-\xff\xfe", b"odd/ space and *", "odd/中文".as_bytes()] {
        append(tar, header(EntryType::Regular, 0o644, (0, 0), 4), name, b"", b"name");
    }
    let long = format!("odd/{}/{}", "d".repeat(120), "f".repeat(200));
    pax(tar, &[("path", long.as_bytes())]);
    file(tar, "odd/short", 0o644, (0, 0), b"a long name");
}

fn upper() -> Vec<u8> {
    let mut layer = Builder::new(Vec::new());
    let tar = &mut layer;
    for name in ["odd/.wh.gone", "odd/.wh.gone-folder", "odd/.wh.never-there"] {
        file(tar, name, 0o644, (0, 0), b"");
    }
    folder(tar, "odd/opaque", 0o700, (5, 6));
    file(tar, "odd/opaque/.wh..wh..opq", 0o644, (0, 0), b"");
    file(tar, "odd/opaque/above", 0o644, (0, 0), b"above");
    file(tar, "odd/group/deep/above", 0o644, (0, 0), b"above");
    file(tar, "odd/folder-to-file", 0o644, (0, 0), b"a file now");
    folder(tar, "odd/file-to-folder", 0o755, (0, 0));
    file(tar, "odd/file-to-folder/above", 0o644, (0, 0), b"above");
    // A new file where three names were one file: the other two stay.
    file(tar, "odd/second-name", 0o600, (0, 0), b"on its own");
    layer.into_inner().unwrap()
}

fn pax(tar: &mut Builder<Vec<u8>>, records: &[(&str, &[u8])]) {
    tar.append_pax_extensions(records.iter().copied()).unwrap();
}

fn folder(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, owner: (u64, u64)) {
    append(tar, header(EntryType::Directory, mode, owner, 0), format!("{path}/").as_bytes(), b"", b"");
}

fn file(tar: &mut Builder<Vec<u8>>, path: &str, mode: u32, owner: (u64, u64), content: &[u8]) {
    append(tar, header(EntryType::Regular, mode, owner, content.len()), path.as_bytes(), b"", content);
}

fn link(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, to: &str) {
    // As with all who write tars, a link to a file says the same as the file: engines take the last word.
    let mode = if kind == EntryType::Link { 0o640 } else { 0o777 };
    append(tar, header(kind, mode, (1000, 1000), 0), path.as_bytes(), to.as_bytes(), b"");
}

fn device(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, (major, minor): (u32, u32)) {
    let mut header = header(kind, 0o660, (0, 6), 0);
    header.set_device_major(major).unwrap();
    header.set_device_minor(minor).unwrap();
    append(tar, header, path.as_bytes(), b"", b"");
}

fn header(kind: EntryType, mode: u32, (user, group): (u64, u64), len: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(user);
    header.set_gid(group);
    header.set_size(len as u64);
    header.set_mtime(1_500_000_000);
    header
}

/// Writes names as they are: no library that is meant for names of files takes all of these.
fn append(tar: &mut Builder<Vec<u8>>, mut header: Header, path: &[u8], link: &[u8], content: &[u8]) {
    let fields = header.as_ustar_mut().unwrap();
    fields.name[..path.len()].copy_from_slice(path);
    fields.linkname[..link.len()].copy_from_slice(link);
    header.set_cksum();
    tar.append(&header, content).unwrap();
}
