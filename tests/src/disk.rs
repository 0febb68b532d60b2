//! A disk of its own for one test: small enough to be filled, and easy to pull out.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::fs::{FallocateFlags, fallocate, statvfs};
use tempfile::TempDir;

use crate::parts;
use crate::run::Run;
use crate::wait;

/// What is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// What most machines have.
    Ext4,
    /// What large sticks have: no owners, no modes. It is mounted without the right to execute, as desktops do. The kernel of
    /// the test machine may not know any FAT, so a process of its own reads it.
    Exfat,
}

/// A file as a disk, mounted. Dropping it unmounts it and takes it away.
#[derive(Debug)]
pub struct Disk {
    folder: TempDir,
    format: Format,
    place: PathBuf,
}

impl Disk {
    /// Makes a disk of so many bytes and mounts it at `place`, which is made if it is not there.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn new(format: Format, size: u64, place: &Path) -> Self {
        let disk = Self { folder: parts::scratch(), format, place: place.to_owned() };
        fs::File::create(disk.file()).unwrap().set_len(size).unwrap();
        let mut make = match format {
            Format::Ext4 => {
                let mut make = Command::new("/usr/sbin/mkfs.ext4");
                // Without room kept back for root, so that full is full.
                make.args(["-q", "-F", "-m", "0"]);
                make
            }
            Format::Exfat => {
                parts::packages(&["exfatprogs", "exfat-fuse"]);
                Command::new("/usr/sbin/mkfs.exfat")
            }
        };
        let _ = Run::of(make.arg(disk.file())).done();
        disk.plug_in();
        disk
    }

    /// Where it is mounted.
    #[must_use]
    pub fn place(&self) -> &Path {
        &self.place
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("disk")
    }

    /// Mounts it.
    ///
    /// # Panics
    /// When that fails.
    pub fn plug_in(&self) {
        fs::create_dir_all(&self.place).unwrap();
        // Two devices on one file would not see what the other one writes.
        let attached = || Run::of(Command::new("losetup").arg("--associated").arg(self.file())).done().stdout;
        let is_free = || attached().is_empty().then_some(());
        wait::until("the disk's last device to be gone", Duration::from_secs(30), is_free, attached);
        let attach = Run::of(Command::new("losetup").args(["--find", "--show"]).arg(self.file())).done();
        let device = attach.stdout.trim();
        let mut mount = match self.format {
            Format::Ext4 => Command::new("mount"),
            Format::Exfat => {
                let mut mount = Command::new("mount.exfat-fuse");
                mount.args(["-o", "noexec"]);
                mount
            }
        };
        let mounted = Run::of(mount.arg(device).arg(&self.place));
        // From now on the device lives as long as it is mounted.
        let _ = Run::of(Command::new("losetup").arg("--detach").arg(device)).done();
        let _ = mounted.done();
    }

    /// Unmounts it, even while something on it is open.
    pub fn unplug(&self) {
        let _ = Command::new("umount").arg("-l").arg(&self.place).output();
    }

    /// What a power cut does: all that was not written to it yet is lost, and nothing can be written any more. What is mounted on it
    /// must be unmounted before it is plugged in again.
    ///
    /// # Panics
    /// When the file system cannot do that.
    pub fn lose_unwritten(&self) {
        // EXT4_IOC_SHUTDOWN without writing the journal out (EXT4_GOING_FLAGS_NOLOGFLUSH).
        let script = "open(my $disk, '<', $ARGV[0]) or die $!; my $how = pack('L', 2); ioctl($disk, 0x8004587D, $how) or die $!";
        let _ = Run::of(Command::new("perl").args(["-e", script]).arg(&self.place)).done();
    }

    /// Copies a file onto it and forgets what the memory still has of it. Gives its path.
    ///
    /// # Panics
    /// When that fails.
    #[must_use]
    pub fn take(&self, file: &Path) -> PathBuf {
        let to = self.place.join(file.file_name().unwrap());
        fs::copy(file, &to).unwrap();
        if self.format == Format::Ext4 {
            fs::set_permissions(&to, fs::Permissions::from_mode(0o755)).unwrap();
        }
        let _ = Run::of(Command::new("umount").arg(&self.place)).done();
        self.plug_in();
        to
    }

    /// Lets everything wait that touches it, as when a file server is away. The value brings it back. Only an exFAT disk can:
    /// a process of its own reads it.
    ///
    /// # Panics
    /// When that process is not found.
    #[must_use]
    pub fn hang(&self) -> Hang {
        let place = self.place.display().to_string();
        let is_reader = |pid: &u32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let mut words = line.split(|byte| *byte == 0);
            words.next().is_some_and(|word| word.ends_with(b"mount.exfat-fuse"))
                && words.any(|word| word == place.as_bytes())
        };
        let pids = fs::read_dir("/proc").unwrap().flatten();
        let mut pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let reader = Hang(pids.find(is_reader).expect("an exFAT disk has a process that reads it"));
        reader.signal("-STOP");
        reader
    }

    /// Lets every read fail that is not in memory, as when the stick is pulled out. The value brings it back.
    ///
    /// # Panics
    /// When the file behind it cannot be changed.
    pub fn pull(&self) -> Pulled<'_> {
        let kept = self.folder.path().join("kept");
        let _ = Run::of(Command::new("cp").arg("--sparse=always").arg(self.file()).arg(&kept)).done();
        fs::File::options().write(true).open(self.file()).unwrap().set_len(0).unwrap();
        Pulled { disk: self, kept }
    }

    /// Leaves no more than so many bytes free. The file that fills it is the value; remove it to have room again.
    ///
    /// # Panics
    /// When less is free already.
    #[must_use]
    pub fn fill(&self, but: u64) -> PathBuf {
        let path = self.place.join("filler");
        let filler = fs::File::create(&path).unwrap();
        // In steps: the file system needs some of the room for itself.
        let mut len = 0;
        loop {
            let free = free(&self.place);
            let Some(more) = free.checked_sub(but).filter(|more| *more > 1 << 20) else { break };
            fallocate(&filler, FallocateFlags::empty(), len, more).unwrap();
            len += more;
        }
        filler.sync_all().unwrap();
        path
    }
}

impl Disk {
    /// Fills it to the last byte, but for so many. The value is the file that fills it.
    ///
    /// # Panics
    /// When it cannot be filled.
    #[must_use]
    pub fn fill_up(&self, but: u64) -> PathBuf {
        let path = self.place.join("filler");
        let filler = fs::File::create(&path).unwrap();
        // The file system needs some of the room for itself, and how much shows only when there is none left.
        let (mut len, mut more) = (0, free(&self.place).max(1024));
        while more >= 1024 {
            match fallocate(&filler, FallocateFlags::empty(), len, more) {
                Ok(()) => len += more,
                Err(_) => more /= 2,
            }
        }
        filler.set_len(len.saturating_sub(but)).unwrap();
        let _ = filler.sync_all();
        path
    }
}

/// Bytes that are free on the file system of a path.
///
/// # Panics
/// When the path is not there.
#[must_use]
pub fn free(path: &Path) -> u64 {
    let status = statvfs(path).unwrap();
    status.f_bavail * status.f_frsize
}

/// A disk that keeps everybody waiting, until this is dropped.
#[derive(Debug)]
pub struct Hang(u32);

impl Hang {
    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([signal, &self.0.to_string()]).status();
    }
}

impl Drop for Hang {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        self.unplug();
    }
}

/// A disk that was pulled out.
#[derive(Debug)]
#[must_use = "the disk stays out until it is plugged in again"]
pub struct Pulled<'a> {
    disk: &'a Disk,
    kept: PathBuf,
}

impl Pulled<'_> {
    /// Plugs it in again, everything on it as it was.
    ///
    /// # Panics
    /// When that fails.
    pub fn back(self) {
        self.disk.unplug();
        fs::rename(&self.kept, self.disk.file()).unwrap();
        self.disk.plug_in();
    }
}
