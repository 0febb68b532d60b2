//! Preflight: file systems and the places that are written to.

use super::{SUDO, messages};

messages! {
    mount_silent(path: &str)
        en "The file system of {path} does not answer: is its server away?"
        zh "{path} 所在的文件系统没有响应：文件服务器是否已断开？";
    mend_mount()
        en "Bring the server back or unmount it ({SUDO}umount -l), then run again."
        zh "请恢复该文件服务器的连接，或卸载对应的挂载点（{SUDO}umount -l），然后重新运行。";
    kind_fits(path: &str, kind: &str) en "{path} lies on {kind}." zh "{path} 位于 {kind} 文件系统。";
    kind_unusable(path: &str, kind: &str)
        en "{path} lies on {kind}, which cannot hold images and containers."
        zh "{path} 位于 {kind} 文件系统，无法存放镜像和容器。";
    lacks_d_type(mount: &str, kind: &str)
        en "{mount} ({kind}) was made without d_type (xfs: ftype=0), which images need."
        zh "{mount}（{kind}）创建时未启用 d_type（xfs 的 ftype=0），无法存放镜像。";
    use_local_disk(path: &str)
        en "Mount a local ext4 or xfs disk at {path}, or name another place: \"data-root\" in /etc/docker/daemon.json."
        zh "请在 {path} 挂载本地的 ext4 或 xfs 磁盘，或在 /etc/docker/daemon.json 中用 \"data-root\" 指定其他位置。";
    choose_local_dir() en "Choose a directory on a local ext4 or xfs disk with --dir." zh "请用 --dir 指定位于本地 ext4 或 xfs 磁盘上的目录。";
    kind_forgets(path: &str)
        en "{path} lies in memory (tmpfs): everything in it is gone after a reboot."
        zh "{path} 位于内存文件系统（tmpfs），重启后数据全部丢失。";
    kind_locks_badly(path: &str, kind: &str)
        en "{path} lies on {kind}: databases there lock badly, and owners of files may not hold."
        zh "{path} 位于 {kind} 文件系统：数据库文件锁可能失效，文件属主也可能无法保留。";
    place_read_only(path: &str)
        en "{path} is read-only, and something has to be written there."
        zh "{path} 是只读的，但安装时需要写入。";
    remount_or_private(mount: &str)
        en "Run: {SUDO}mount -o remount,rw {mount}. Where the system keeps it read-only for good, use --engine private."
        zh "请执行：{SUDO}mount -o remount,rw {mount}。如果系统设计为只读，请改用 --engine private。";
    no_exec(path: &str)
        en "{path} is mounted noexec: no program can be executed there."
        zh "{path} 以 noexec 方式挂载，其中的程序无法执行。";
    remount_exec(mount: &str)
        en "Run: {SUDO}mount -o remount,exec {mount} (and change /etc/fstab), or choose another directory with --dir."
        zh "请执行：{SUDO}mount -o remount,exec {mount}（并修改 /etc/fstab），或用 --dir 指定其他目录。";
    remount_exec_or_private(mount: &str)
        en "Run: {SUDO}mount -o remount,exec {mount} (and change /etc/fstab), or use --engine private."
        zh "请执行：{SUDO}mount -o remount,exec {mount}（并修改 /etc/fstab），或改用 --engine private。";
    root_alone_writes(dir: &str) en "Only root can change {dir}." zh "只有 root 能修改 {dir}。";
    everybody_writes(path: &str)
        en "Every user of this machine can write in {path}."
        zh "本机任何用户都可以在 {path} 中写入。";
    group_writes(path: &str, group: &str)
        en "The members of the group {group} can write in {path}."
        zh "{group} 组的成员可以在 {path} 中写入。";
    owner_writes(path: &str, user: &str)
        en "{path} belongs to the user {user}, who can exchange what lies in it."
        zh "{path} 属于用户 {user}，该用户可以替换其中的内容。";
    close_dir(path: &str)
        en "Whoever can do that gets root by the next upgrade. Run: {SUDO}chmod go-w {path}; or choose a directory below /opt with --dir."
        zh "能在此写入的人可借下一次升级获得 root 权限。请执行：{SUDO}chmod go-w {path}；或用 --dir 指定 /opt 下的目录。";
    own_dir(path: &str, user: &str)
        en "Whoever can act as {user} gets root by the next upgrade. If that must not be: {SUDO}chown root {path}; or choose a directory below /opt with --dir."
        zh "能以 {user} 身份操作的人可借下一次升级获得 root 权限。如不允许，请执行：{SUDO}chown root {path}；或用 --dir 指定 /opt 下的目录。";
}
