//! Reads what one tar entry asks for. Pure, but for reading the entry's headers.

use std::ffi::CString;
use std::io::Read;

use rustix::fs::Timespec;
use tar::EntryType;

use super::UnpackError;

/// Where PAX headers carry extended attributes.
const XATTR: &[u8] = b"SCHILY.xattr.";
/// Attributes that only an overlay file system itself may set.
const OVERLAY_XATTRS: [&[u8]; 2] = [b"trusted.overlay.", b"user.overlay."];

/// One thing to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Where.
    pub path: TarPath,
    /// What.
    pub kind: Kind,
    /// With which mode, owner, time and attributes.
    pub meta: Meta,
    /// Bytes of content.
    pub len: u64,
}

/// What an entry makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A directory.
    Directory,
    /// A regular file; its content follows in the tar.
    File,
    /// A symbolic link to this target.
    Symlink(CString),
    /// Another name for a file of the same layer.
    HardLink(TarPath),
    /// A device or a named pipe.
    Node(rustix::fs::FileType, u32, u32),
    /// Hides what the layers below have under [`Item::path`].
    Whiteout,
    /// Hides everything that the layers below have in the directory [`Item::path`].
    Opaque,
}

/// Mode, owner, time, attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Permission bits, with set-id and sticky bits.
    pub mode: u32,
    /// Numeric user.
    pub uid: u32,
    /// Numeric group.
    pub gid: u32,
    /// Time of modification.
    pub mtime: (i64, i64),
    /// Extended attributes.
    pub xattrs: Vec<(CString, Vec<u8>)>,
}

impl Meta {
    /// The time of modification, twice: nobody has read the file yet.
    pub fn times(&self) -> rustix::fs::Timestamps {
        let time = Timespec { tv_sec: self.mtime.0, tv_nsec: self.mtime.1 };
        rustix::fs::Timestamps { last_access: time, last_modification: time }
    }
}

/// A relative path of plain names; the layer's own directory is the empty path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TarPath(Vec<Vec<u8>>);

impl TarPath {
    /// From a path in a tar: `./`, a leading `/` and doubled slashes mean nothing.
    ///
    /// # Errors
    /// On `..` and on NUL.
    pub fn parse(path: &[u8]) -> Result<Self, UnpackError> {
        let names = path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".");
        let names: Vec<Vec<u8>> = names.map(<[u8]>::to_vec).collect();
        if names.iter().any(|name| name == b".." || name.contains(&0)) {
            return Err(UnpackError::unsupported(path, "leads outside"));
        }
        Ok(Self(names))
    }

    /// The names from the root.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.0
    }

    /// Directory and name; `None` for the layer's own directory.
    pub fn split(&self) -> Option<(&[Vec<u8>], &[u8])> {
        self.0.split_last().map(|(name, parents)| (parents, name.as_slice()))
    }

    /// As bytes, for messages and system calls.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.join(&b'/')
    }

    fn sibling(&self, name: &[u8]) -> Self {
        let mut names = self.0.clone();
        names.pop();
        names.push(name.to_vec());
        Self(names)
    }

    fn parent(&self) -> Self {
        let mut names = self.0.clone();
        names.pop();
        Self(names)
    }
}

/// What an entry makes; `None` when it makes nothing.
///
/// # Errors
/// When the entry is something that is left to the engine, or its headers cannot be read.
pub fn read<R: Read>(entry: &mut tar::Entry<'_, R>) -> Result<Option<Item>, UnpackError> {
    let raw_path = entry.path_bytes().into_owned();
    let header = entry.header();
    let fields = header.as_old();
    let number = |field| {
        number(field).ok_or_else(|| UnpackError::unsupported(&raw_path, "a number that cannot be read"))
    };
    let mut meta = Meta {
        mode: u32::try_from(number(&fields.mode)? & 0o7777).unwrap_or(0),
        uid: id(number(&fields.uid)?, &raw_path)?,
        gid: id(number(&fields.gid)?, &raw_path)?,
        mtime: (number(&fields.mtime)?, 0),
        xattrs: Vec::new(),
    };
    let device = (header.device_major().ok().flatten(), header.device_minor().ok().flatten());
    let kind = header.entry_type();
    if matches!(kind, EntryType::XGlobalHeader) {
        return Ok(None);
    }
    let path = TarPath::parse(&raw_path)?;
    read_pax(entry, &raw_path, &mut meta)?;
    meta.mtime = bound(meta.mtime);
    let link = |entry: &tar::Entry<'_, R>| entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    let node = |file_type| {
        let (major, minor) = (device.0.unwrap_or(0), device.1.unwrap_or(0));
        Kind::Node(file_type, major, minor)
    };
    let kind = match kind {
        EntryType::Directory => Kind::Directory,
        EntryType::Regular | EntryType::Continuous => Kind::File,
        EntryType::Symlink => {
            let target = link(entry).unwrap_or_default();
            let bad = |_| UnpackError::unsupported(&raw_path, "a link target with NUL");
            Kind::Symlink(CString::new(target).map_err(bad)?)
        }
        EntryType::Link => Kind::HardLink(TarPath::parse(&link(entry).unwrap_or_default())?),
        EntryType::Char => node(rustix::fs::FileType::CharacterDevice),
        EntryType::Block => node(rustix::fs::FileType::BlockDevice),
        EntryType::Fifo => node(rustix::fs::FileType::Fifo),
        _ => return Err(UnpackError::unsupported(&raw_path, "a kind of entry that is left to the engine")),
    };
    let len = if kind == Kind::File { entry.size() } else { 0 };
    Ok(resolve_whiteout(Item { path, kind, meta, len }))
}

/// Whiteouts travel as empty files with a prefix (OCI image specification, "Whiteouts").
fn resolve_whiteout(item: Item) -> Option<Item> {
    let Some((_, name)) = item.path.split() else { return Some(item) };
    let Some(hidden) = name.strip_prefix(b".wh.") else { return Some(item) };
    match hidden {
        b".wh..opq" => Some(Item { path: item.path.parent(), kind: Kind::Opaque, len: 0, ..item }),
        // Book-keeping of AUFS, which means nothing elsewhere.
        _ if hidden.starts_with(b".wh.") => None,
        _ => Some(Item { path: item.path.sibling(hidden), kind: Kind::Whiteout, len: 0, ..item }),
    }
}

fn read_pax<R: Read>(entry: &mut tar::Entry<'_, R>, path: &[u8], meta: &mut Meta) -> Result<(), UnpackError> {
    let Some(extensions) = entry.pax_extensions().map_err(UnpackError::Tar)? else { return Ok(()) };
    for extension in extensions {
        let extension = extension.map_err(UnpackError::Tar)?;
        let (key, value) = (extension.key_bytes(), extension.value_bytes());
        let number = || std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        match key {
            b"uid" => meta.uid = id(number().unwrap_or(-1), path)?,
            b"gid" => meta.gid = id(number().unwrap_or(-1), path)?,
            b"mtime" => meta.mtime = time(value).unwrap_or(meta.mtime),
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(UnpackError::unsupported(path, "a sparse file"));
            }
            _ => {
                let Some(name) = key.strip_prefix(XATTR) else { continue };
                if OVERLAY_XATTRS.iter().any(|own| name.starts_with(own)) {
                    return Err(UnpackError::unsupported(path, "an attribute of overlay file systems"));
                }
                let name = CString::new(name).map_err(|error| UnpackError::io(path, error))?;
                meta.xattrs.push((name, value.to_vec()));
            }
        }
    }
    Ok(())
}

/// A number in a header as Go's `archive/tar` reads it, and so the engine: octal, where nothing at all is zero, or binary with
/// a sign when the first bit is set.
pub(super) fn number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
        let digits = text.split('\0').next().unwrap_or_default();
        return if digits.is_empty() { Some(0) } else { i64::from_str_radix(digits, 8).ok() };
    }
    // The second bit is the sign; it fills what is left of it.
    let is_negative = first & 0x40 != 0;
    let start = i128::from(first & 0x3f) - if is_negative { 0x40 } else { 0 };
    let append = |value: i128, byte: &u8| value.checked_mul(256).map(|value| value + i128::from(*byte));
    i64::try_from(rest.iter().try_fold(start, append)?).ok()
}

fn id(value: i64, path: &[u8]) -> Result<u32, UnpackError> {
    // The last number means "leave it" to chown.
    u32::try_from(value)
        .ok()
        .filter(|id| *id != u32::MAX)
        .ok_or_else(|| UnpackError::unsupported(path, "an owner beyond 32 bits"))
}

/// The engine sets times before 1970, and those that 64 bits of nanoseconds cannot hold, to the beginning of 1970 (containerd
/// `pkg/archive/time.go`): the same file must have the same time, whichever way it came.
fn bound((seconds, nanos): (i64, i64)) -> (i64, i64) {
    let is_in_range =
        seconds >= 0 && i128::from(seconds) * 1_000_000_000 + i128::from(nanos) <= i64::MAX.into();
    if is_in_range { (seconds, nanos) } else { (0, 0) }
}

/// Seconds and nanoseconds of a PAX time such as `1700000000.25`.
fn time(value: &[u8]) -> Option<(i64, i64)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let (whole, nanos): (i64, i64) = (seconds.parse().ok()?, digits.parse().ok()?);
    // A time before 1970 counts its fraction downwards.
    Some(if seconds.starts_with('-') && nanos > 0 {
        (whole - 1, 1_000_000_000 - nanos)
    } else {
        (whole, nanos)
    })
}
