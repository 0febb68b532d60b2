//! What to do when the system refuses to write: the cause says what is wrong, this what helps against it.

use std::fmt::Display;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::sudo::SUDO;
use super::{Message, messages};

messages! {
    disk_full(place: &impl Display)
        en "The disk with {place} is full; df -h {place} shows how full, df -i {place} whether it has room for more files. Free some room, then run the same command again: it goes on where this run ended."
        zh "{place} 所在磁盘已满；可用 df -h {place} 查看空间，用 df -i {place} 查看 inode 是否用尽。请腾出空间后重新运行同一条命令：会从中断处继续。";
    quota_used_up(place: &impl Display)
        en "A quota on the disk with {place} is used up (quota, repquota). Raise it or free some room, then run the same command again: it goes on where this run ended."
        zh "{place} 所在磁盘的配额已用尽（可用 quota、repquota 查看）。请提高配额或腾出空间，然后重新运行同一条命令：会从中断处继续。";
    read_only(place: &impl Display)
        en "The disk with {place} is mounted read-only. After an error the kernel does that by itself: look at dmesg. When it can be written to, run the same command again: it goes on where this run ended."
        zh "{place} 所在磁盘以只读方式挂载。磁盘出错后内核会自动这样做，请用 dmesg 查看。恢复可写后重新运行同一条命令：会从中断处继续。";
    disk_fails(place: &impl Display)
        en "The disk with {place} has reported an error: look at dmesg, and have the disk checked. When it is sound, run the same command again: it goes on where this run ended."
        zh "{place} 所在磁盘报告了错误：请用 dmesg 查看，并检查该磁盘。确认正常后重新运行同一条命令：会从中断处继续。";
    directory_in_the_way(path: &impl Display)
        en "A directory is where the file {path} belongs; Docker makes one where a file that a container mounts is missing. If nothing in it is needed: {SUDO}mv {path} {path}.old; then run the same command again: it goes on where this run ended."
        zh "{path} 本应是文件，现在却是目录。容器要挂载的文件不存在时，Docker 会创建同名目录。如果其中的内容不再需要，请运行 {SUDO}mv {path} {path}.old，然后重新运行同一条命令：会从中断处继续。";
    not_permitted(path: &impl Display, place: &impl Display)
        en "The system does not permit that on {path}, not even to root. Look for an attribute (lsattr -d {place} {path}; chattr -i takes it off), a mount option (findmnt -T {place}), SELinux or AppArmor (dmesg), a network disk whose server says no. When it is permitted, run the same command again: it goes on where this run ended."
        zh "系统不允许对 {path} 进行此操作，root 也不例外。请检查：不可修改属性（lsattr -d {place} {path} 查看，chattr -i 去除）、挂载选项（findmnt -T {place}）、SELinux 或 AppArmor（dmesg）、网络磁盘的服务器权限。解除限制后重新运行同一条命令：会从中断处继续。";
    too_much_runs()
        en "This machine has no memory or no process to spare (free -m, ps -e | wc -l). End what is not needed, then run the same command again: it goes on where this run ended."
        zh "本机内存不足或进程数已达上限（可用 free -m、ps -e | wc -l 查看）。请结束不需要的程序，然后重新运行同一条命令：会从中断处继续。";
}

/// What helps against a refusal to write at `path`, where that is known.
pub fn help(error: &io::Error, path: &Path) -> Option<Message> {
    // The file itself may not be there, and `df` would say only that.
    let place = path.parent().filter(|parent| *parent != Path::new("")).unwrap_or(path).display();
    match error.kind() {
        ErrorKind::StorageFull => Some(disk_full(&place)),
        ErrorKind::QuotaExceeded => Some(quota_used_up(&place)),
        ErrorKind::ReadOnlyFilesystem => Some(read_only(&place)),
        ErrorKind::IsADirectory => Some(directory_in_the_way(&path.display())),
        // Whoever is not root was refused by preflight.
        ErrorKind::PermissionDenied => Some(not_permitted(&path.display(), &place)),
        ErrorKind::OutOfMemory | ErrorKind::WouldBlock => Some(too_much_runs()),
        // It has no kind of its own that could be named.
        _ if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => Some(disk_fails(&place)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_reads_it_learns_where_and_what_to_do() {
        let path = Path::new("/opt/x/.env");
        for (errno, en, zh) in [
            (rustix::io::Errno::NOSPC, "df -h /opt/x ", "已满"),
            (rustix::io::Errno::DQUOT, "quota", "配额"),
            (rustix::io::Errno::ROFS, "read-only", "只读"),
            (rustix::io::Errno::IO, "dmesg", "dmesg"),
            (rustix::io::Errno::AGAIN, "memory", "内存"),
            (rustix::io::Errno::ISDIR, "mv /opt/x/.env /opt/x/.env.old", "目录"),
            (rustix::io::Errno::ACCESS, "lsattr -d /opt/x /opt/x/.env;", "不可修改属性"),
            (rustix::io::Errno::PERM, "lsattr", "lsattr"),
        ] {
            let message = help(&errno.into(), path).unwrap();
            assert!(message.en.contains(en) && message.zh.contains(zh), "{message:?}");
            assert!(message.en.contains("run the same command again"), "{message:?}");
        }
        assert_eq!(help(&rustix::io::Errno::NOENT.into(), path), None);
    }
}
