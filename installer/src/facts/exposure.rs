//! Whether other users of the machine can read a file with a secret in it, and what helps: on a stick there are no modes to change.

use std::fs::Metadata;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// How a file that everybody can read is kept from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Its mode is changed.
    Mode,
    /// It goes elsewhere: its file system keeps no modes.
    Place,
}

/// File systems that know no modes, or only those that they were mounted with, by their magic numbers: FAT, exFAT, NTFS in both
/// drivers and by FUSE, ISO 9660, UDF, CIFS and SMB.
const WITHOUT_MODES: [u64; 9] = [
    0x4d44,
    0x2011_bab0,
    0x5346_544e,
    0x7366_746e,
    0x6573_5546,
    0x9660,
    0x1501_3346,
    0xff53_4d42,
    0xfe53_4d42,
];

/// Looks at a file; nothing where it is its owner's alone.
pub fn of(path: &Path, metadata: &Metadata) -> Option<Exposure> {
    // Only the lower half is a magic number; where it is negative, the upper one is filled.
    let kind = rustix::fs::statfs(path).map_or(0, |stat| stat.f_type as u64 & u64::from(u32::MAX));
    judge(metadata.permissions().mode(), kind)
}

fn judge(mode: u32, kind: u64) -> Option<Exposure> {
    let way = if WITHOUT_MODES.contains(&kind) { Exposure::Place } else { Exposure::Mode };
    (mode & 0o044 != 0).then_some(way)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_changed_only_where_modes_are_kept() {
        let (ext4, btrfs, vfat, exfat, ntfs3, smb) =
            (0xef53, 0x9123_683e, 0x4d44, 0x2011_bab0, 0x7366_746e, 0xfe53_4d42);
        for (mode, kind, expected) in [
            (0o100_644, ext4, Some(Exposure::Mode)),
            (0o100_640, btrfs, Some(Exposure::Mode)),
            (0o100_600, ext4, None),
            (0o100_755, vfat, Some(Exposure::Place)),
            (0o100_777, exfat, Some(Exposure::Place)),
            (0o100_755, ntfs3, Some(Exposure::Place)),
            (0o100_755, smb, Some(Exposure::Place)),
            // Mounted for root alone.
            (0o100_700, vfat, None),
        ] {
            assert_eq!(judge(mode, kind), expected, "{mode:o} on {kind:x}");
        }
    }

    #[test]
    fn a_file_on_this_machine_is_closed_by_its_mode() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let look = || of(file.path(), &file.path().metadata().unwrap());
        assert_eq!(look(), None);
        std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(look(), Some(Exposure::Mode));
    }
}
