//! What launchers that were killed have left in places for temporary files, where others can write as well.

use std::io;
use std::path::Path;

use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::fault::{self, Act};

/// Removes a directory as a launcher makes it: ours, for us alone, with nothing but a file in it. Others can write in these places, so
/// it is looked at by its descriptor, no link is followed, and nothing is removed by way of directories.
///
/// # Errors
/// When it is not such a directory, or the system refuses.
pub fn remove(dir: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fault::pass(Act::Remove, dir)?;
    let opened = fs::open(dir, flags, Mode::empty())?;
    let stat = fs::fstat(&opened)?;
    let is_ours = stat.st_uid == rustix::process::geteuid().as_raw();
    if !is_ours || Mode::from_raw_mode(stat.st_mode) != Mode::RWXU {
        return Err(Errno::PERM.into());
    }
    let names = fs::Dir::read_from(&opened)?.collect::<Result<Vec<_>, _>>()?;
    let names: Vec<_> = names
        .iter()
        .map(fs::DirEntry::file_name)
        .filter(|name| !matches!(name.to_bytes(), b"." | b".."))
        .collect();
    if names.len() > 1 {
        return Err(Errno::NOTEMPTY.into());
    }
    names.iter().try_for_each(|name| fs::unlinkat(&opened, *name, AtFlags::empty()))?;
    Ok(fs::rmdir(dir)?)
}
