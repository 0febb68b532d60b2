//! Preflight: what was found, what is needed, what to do.

use super::cause::explained;
use super::sudo::SUDO;
use super::{Message, messages};

pub mod engine;
pub mod host;
pub mod network;
pub mod storage;

messages! {
    warning_unknown_nearest(id: &str, nearest: &str)
        en "No warning is called {id}; did you mean {nearest}?"
        zh "没有名为 {id} 的警告，是否应为 {nearest}？";
    warning_unknown(id: &str)
        en "No warning is called {id}; ./x.run preflight --json shows the ids."
        zh "没有名为 {id} 的警告；可用 ./x.run preflight --json 查看各项的 id。";
    accepting_unknown() en "These warnings cannot be accepted." zh "--accept（或应答文件）中有以下无效的 id。";
    correct_ids() en "Correct the ids, or leave them out." zh "请更正 id，或将其删除。";
    failure_not_accepted(id: &str)
        en "{id} is a failure this time: it cannot be accepted like a warning."
        zh "{id} 本次为失败项，不能像警告那样接受。";
    checks_passed(count: usize) en "{count} checks passed." zh "{count} 项检查无问题。";
    is_accepted() en " (accepted)" zh "（已接受）";
    is_root() en "Running as root." zh "以 root 身份运行。";
    not_root() en "Not running as root." zh "当前不是 root 用户。";
    not_root_unchecked()
        en "Not running as root: checks that need root were not made."
        zh "当前不是 root 用户：需要 root 权限的检查未进行。";
    use_sudo() en "Run the same command with sudo." zh "请在同一条命令前加 sudo 后重新运行。";
    arch_fits(arch: &str) en "Architecture {arch}." zh "处理器架构：{arch}。";
    wrong_arch(has: &str, needs: &str)
        en "This machine is {has}; the application is built for {needs}."
        zh "本机架构为 {has}，而应用是为 {needs} 构建的。";
    get_other_bundle() en "Ask the vendor for a bundle for this architecture." zh "请向厂商索取适用于本机架构的安装包。";
    kernel_too_old(has: &str, needs: &str)
        en "Kernel {has} is too old: {needs} or later is needed."
        zh "内核 {has} 过旧，需要 {needs} 或更高版本。";
    use_newer_system()
        en "Install on a newer system, or update the kernel and reboot."
        zh "请换用较新版本的操作系统，或升级内核并重启机器。";
    cores_fit(has: u32) en "Processors: {has}." zh "处理器核数：{has}。";
    too_few_cores(has: u32, needs: u32)
        en "{has} processor(s); {needs} are needed."
        zh "处理器只有 {has} 核，需要 {needs} 核。";
    give_more_cores() en "Give this machine more processors." zh "请为本机增加处理器核数。";
    memory_fits(has: &str) en "Memory: {has}." zh "内存：{has}。";
    too_little_memory(has: &str, needs: &str)
        en "{has} of memory; {needs} are needed."
        zh "内存只有 {has}，需要 {needs}。";
    give_more_memory() en "Give this machine more memory." zh "请为本机增加内存。";
    private_engine_runs(version: &str)
        en "The private engine {version} is running."
        zh "独立 Docker 引擎 {version} 正在运行。";
    engine_is_remote(host: &str)
        en "DOCKER_HOST points to {host}, which is not on this machine."
        zh "DOCKER_HOST 指向 {host}，不是本机上的引擎。";
    unset_docker_host()
        en "Unset DOCKER_HOST and run again: the installer works with the engine of this machine only."
        zh "请取消 DOCKER_HOST 环境变量后重新运行：安装程序只使用本机的 Docker 引擎。";
    start_engine()
        en "Start it ({SUDO}systemctl start docker; {SUDO}journalctl -u docker says why it fails) and run again, or use --engine private."
        zh "请先启动它（{SUDO}systemctl start docker；失败原因见 {SUDO}journalctl -u docker）再重新运行，或者改用 --engine private。";
    engine_is_podman(version: &str)
        en "The engine is Podman {version} in Docker's place; it cannot be used."
        zh "当前的“Docker”其实是 Podman {version}，无法使用。";
    engine_too_old(version: &str)
        en "Docker {version} is too old: 20.10 or later is needed. It has not been touched."
        zh "Docker {version} 过旧，需要 20.10 或更高版本。现有的 Docker 未做任何改动。";
    engine_is_rootless(version: &str)
        en "Docker {version} runs rootless, which is not supported."
        zh "Docker {version} 以 rootless 方式运行，暂不支持。";
    use_private_engine()
        en "Use --engine private: the bundled engine then runs beside it and leaves it alone. Or update Docker yourself and run again."
        zh "可加 --engine private：使用安装包自带的引擎，与现有引擎并存、互不影响；也可以自行升级 Docker 后重新运行。";
    engine_is_snap(version: &str)
        en "Docker {version} was installed as a snap: containers cannot see the project directory."
        zh "Docker {version} 是以 snap 方式安装的，容器无法访问应用目录。";
    mend_config(path: &str)
        en "Correct {path}, or move it away if nothing needs it."
        zh "请修正 {path}；如果不再需要，请将其移走。";
    project_is_foreign(name: &str, dir: &str)
        en "The engine already has a Compose project {name}, made in {dir}."
        zh "引擎中已有名为 {name} 的 Compose 项目，位于 {dir}。";
    take_project_down(name: &str)
        en "Save its data, take it down there ({SUDO}docker compose --project-name {name} down), then run again."
        zh "请先备份其数据，并在原目录将其停止并移除（{SUDO}docker compose --project-name {name} down），然后重新运行。";
    volumes_with_lost_secrets(volumes: &str, dir: &str, ids: &str)
        en "The engine has volumes of an earlier installation ({volumes}), of which nothing is left in {dir}. Their data was made with its secrets; new ones ({ids}) would not open it."
        zh "引擎中有此前安装留下的数据卷（{volumes}），但 {dir} 中没有该安装的记录。其中的数据使用原来的密钥；改用新生成的密钥（{ids}）将无法访问这些数据。";
    find_secrets_of_volumes(dir: &str, volumes: &str, ids: &str)
        en "Install into the directory of the earlier installation (--dir), or bring its .airlift folder back to {dir}/.airlift from a backup; or give the old secrets in an answers file: {ids}. If nobody needs the data: {SUDO}docker volume rm {volumes}"
        zh "请安装到原来的目录（--dir），或从备份中将原来的 .airlift 目录恢复到 {dir}/.airlift；也可在应答文件中填写原来的密钥：{ids}。如果不再需要这些数据，请执行：{SUDO}docker volume rm {volumes}";
    volumes_without_installation(volumes: &str, dir: &str)
        en "The engine has volumes of an earlier installation ({volumes}), of which nothing is left in {dir}: the application goes on with the data in them."
        zh "引擎中有此前安装留下的数据卷（{volumes}），但 {dir} 中没有该安装的记录：应用将继续使用其中的数据。";
    mind_volumes(volumes: &str)
        en "Passwords must be those that the data was made with. To begin anew instead: {SUDO}docker volume rm {volumes}"
        zh "所填密码必须与这些数据原来使用的密码一致。如需从头开始，请执行：{SUDO}docker volume rm {volumes}";
    command_is_taken(path: &str)
        en "{path} exists and is not ours: the management command cannot have this name."
        zh "{path} 已存在，且不属于本应用：管理命令无法使用这个名称。";
    rename_command()
        en "Move it away if it is a leftover; else ask the vendor for another application name."
        zh "如果是残留文件，请将其移走；否则请联系厂商更换应用名称。";
    port_twice(port: u16) en "Port {port} is given for two purposes." zh "端口 {port} 被重复指定。";
    choose_other_port() en "Give each purpose a port of its own." zh "请为每个用途指定不同的端口。";
    check_not_askable(url: &str)
        en "The check {url} names a host that is no IP address; names are not resolved."
        zh "检查地址 {url} 使用了主机名，而安装程序不解析主机名，只支持 IP 地址或 localhost。";
    use_addresses()
        en "Give an IP address or localhost where the host is asked for, or ask the vendor."
        zh "请在相应的配置项中填写 IP 地址或 localhost，或联系厂商。";
    image_will_move(name: &str)
        en "{name} is there and is another image; the name will mean the new one."
        zh "镜像 {name} 已存在但内容不同；安装后该名称将指向新镜像。";
    tag_image_first(name: &str)
        en "If something else uses it, give it another name first: {SUDO}docker tag {name} ..."
        zh "如果其他应用仍在使用它，请先为它另设名称：{SUDO}docker tag {name} ...";
    engine_usable(version: &str)
        en "Docker {version} is running and will be used as it is."
        zh "Docker {version} 正在运行，将直接使用，不做改动。";
    own_engine_runs(version: &str)
        en "Docker {version}, installed by this installer, is running."
        zh "Docker {version}（由本安装程序安装）正在运行。";
    no_engine_anywhere()
        en "There is no Docker engine on this machine, and the bundle carries none."
        zh "本机没有 Docker 引擎，安装包中也没有自带。";
    install_docker_first()
        en "Install Docker 20.10 or later first, or ask the vendor for a bundle with an engine."
        zh "请先安装 Docker 20.10 或更高版本，或向厂商索取自带引擎的安装包。";
    no_compose_anywhere()
        en "There is no Compose plugin on this machine, and the bundle carries none."
        zh "本机没有 Compose 插件，安装包中也没有自带。";
    install_compose_first()
        en "Install Docker's Compose plugin first, or ask the vendor for a bundle with an engine."
        zh "请先安装 Docker Compose 插件，或向厂商索取自带引擎的安装包。";
    engine_will_be_installed(version: &str)
        en "No Docker engine here; Docker {version} will be installed."
        zh "本机没有 Docker 引擎，将安装 Docker {version}。";
    private_engine_will_be_placed(version: &str)
        en "Docker {version} will run privately, below the project directory."
        zh "Docker {version} 将安装在应用目录内，独立运行。";
    foreign_containerd()
        en "A containerd that is not ours is running (Kubernetes?); installing Docker would share it."
        zh "本机正在运行其他软件的 containerd（例如 Kubernetes）；在此安装 Docker 会与其共用同一个 containerd。";
    use_private_beside_containerd()
        en "Use --engine private: that engine brings a containerd of its own and leaves the other alone."
        zh "请加 --engine private：独立引擎使用自己的 containerd，不影响现有的。";
    commands_missing(names: &str) en "The engine needs commands that are missing: {names}." zh "缺少引擎需要的命令：{names}。";
    install_commands(command: &str)
        en "Install them from the system's installation media: {command}"
        zh "请从系统安装光盘或内网软件源安装：{command}";
    dir_too_long(longest: usize)
        en "The path of the project directory is too long for the engine's sockets: at most {longest} bytes."
        zh "应用目录路径过长，超出套接字路径的长度限制：最多 {longest} 字节。";
    choose_shorter_dir() en "Choose a shorter path with --dir." zh "请用 --dir 指定更短的路径。";
    private_beside_other()
        en "Another Docker engine runs here, so the private one writes no packet filter rules."
        zh "本机另有 Docker 引擎在运行，因此独立引擎不会写入 iptables 规则。";
    publish_through_proxy()
        en "Published ports still work; containers on bridge networks cannot reach other machines."
        zh "端口映射仍然可用，但桥接网络中的容器无法访问其他机器。";
    private_not_back_after_reboot()
        en "A private engine does not start by itself after a reboot."
        zh "独立引擎在重启机器后不会自动启动。";
    start_after_reboot(control: &impl std::fmt::Display)
        en "After a reboot run: {control} start"
        zh "机器重启后请运行：{control} start";
    unit_is_foreign(unit: &str)
        en "{unit} exists and was not written by Airlift."
        zh "{unit} 已存在，且不是由本安装程序写入的。";
    remove_unit_or_private(unit: &str)
        en "If it is a leftover, remove {unit} and run again; else use --engine private."
        zh "如果它是残留文件，请删除 {unit} 后重新运行；否则请加 --engine private。";
    no_systemd()
        en "systemd does not run here: the engine will not start by itself after a reboot."
        zh "本机没有运行 systemd：重启机器后引擎不会自动启动。";
    read_only(mount: &str) en "The file system at {mount} is mounted read-only." zh "{mount} 所在的文件系统是只读的。";
    remount_or_other_dir()
        en "Mount it writable, or choose another directory with --dir."
        zh "请以读写方式重新挂载，或用 --dir 指定其他目录。";
    disk_too_small(mount: &str, free: &str, needed: &str, missing: &str)
        en "Not enough room on {mount}: {free} free, {needed} needed, {missing} missing."
        zh "{mount} 空间不足：可用 {free}，需要 {needed}，还差 {missing}。";
    free_disk(mount: &str, missing: &str)
        en "Free at least {missing} on {mount}, or enlarge it."
        zh "请在 {mount} 上至少腾出 {missing}，或扩容。";
    disk_fits(mount: &str, free: &str, needed: &str)
        en "Disk {mount}: {free} free, {needed} needed."
        zh "磁盘 {mount}：可用 {free}，需要 {needed}。";
    inodes_too_few(mount: &str, free: u64, needed: u64)
        en "Not enough inodes on {mount}: {free} free, {needed} needed."
        zh "{mount} 的 inode 不足：可用 {free}，需要 {needed}。";
    free_inodes(mount: &str)
        en "Remove directories with very many small files from {mount}."
        zh "请清理 {mount} 上含有大量小文件的目录。";
    port_free(port: u16) en "Port {port} is free." zh "端口 {port} 未被占用。";
    port_is_ours(port: u16)
        en "Port {port} is held by this application itself."
        zh "端口 {port} 由本应用自身使用。";
    port_taken_by(port: u16, name: &str, pid: i32)
        en "Port {port} is taken by {name} (process {pid})."
        zh "端口 {port} 已被 {name}（进程号 {pid}）占用。";
    port_taken_by_unit(port: u16, name: &str, pid: i32, unit: &str)
        en "Port {port} is taken by {name} (process {pid}, {unit})."
        zh "端口 {port} 已被 {name}（进程号 {pid}，{unit}）占用。";
    port_taken(port: u16)
        en "Port {port} is taken by a process that cannot be seen from here."
        zh "端口 {port} 已被占用，但无法确定是哪个进程。";
    free_port(stop: &str)
        en "If it is not needed, stop it: {stop}"
        zh "如果不再需要，请停止该程序：{stop}";
    find_port(look: &str)
        en "Find out which program it is ({look}) and, if it is not needed, stop it."
        zh "请先查明是哪个程序（{look}），如果不再需要，请停止该程序。";
    find_port_or_set(look: &str, id: &str)
        en "Find out which program it is ({look}) and stop it, or give another port: --set {id}=PORT, or {id} in the answers file."
        zh "请先查明是哪个程序（{look}）并停止，或改用其他端口：--set {id}=端口号，或在应答文件中修改 {id}。";
    free_port_or_set(stop: &str, id: &str)
        en "Stop it ({stop}), or give another port: --set {id}=PORT, or {id} in the answers file."
        zh "请停止该程序（{stop}），或改用其他端口：--set {id}=端口号，或在应答文件中修改 {id}。";
    dir_belongs_to(dir: &str, app: &str)
        en "{dir} belongs to another application: {app}."
        zh "{dir} 属于另一个应用：{app}。";
    choose_other_dir() en "Choose another directory with --dir." zh "请用 --dir 指定其他目录。";
    other_engine_choice(dir: &str)
        en "The application in {dir} was installed with another --engine."
        zh "{dir} 中的应用安装时使用了不同的 --engine 选项。";
    same_engine_choice()
        en "Leave --engine out, or uninstall first."
        zh "请去掉 --engine 选项，或先卸载。";
    dir_is_ours(dir: &str, version: &str)
        en "{dir} has this application, version {version}."
        zh "{dir} 中已有本应用，版本 {version}。";
    dir_is_begun(dir: &str)
        en "An installation in {dir} has not come to its end; it goes on."
        zh "{dir} 中上次的安装未完成，将继续。";
    dir_is_half_removed(dir: &str)
        en "An uninstallation in {dir} has not come to its end; what is gone is installed again."
        zh "{dir} 中上次的卸载未完成；已删除的部分将重新安装。";
    dir_has_data(dir: &str)
        en "The application was uninstalled; its data in {dir} is used again."
        zh "应用已卸载，{dir} 中保留有数据，将继续使用。";
    dir_is_occupied(dir: &str)
        en "{dir} is not empty and was not made by Airlift."
        zh "{dir} 不为空，且不是由本安装程序创建的。";
    dir_is_free(dir: &str) en "{dir} is free." zh "应用目录 {dir} 可用。";
    control_is_foreign(link: &str, target: &str)
        en "{link} leads to {target}: this application is installed elsewhere."
        zh "{link} 指向 {target}：本应用已安装在别处。";
    uninstall_other_first()
        en "Use that installation's directory with --dir, or uninstall it first."
        zh "请用 --dir 指定该应用目录，或先将其卸载。";
}

/// A configuration of the engine that its owner has to correct.
pub fn config_unreadable(path: &str, why: &str) -> Message {
    let why = explained(why);
    Message {
        en: format!("{path} is there and is not valid JSON: {}", why.en),
        zh: format!("{path} 已存在，但不是有效的 JSON：{}", why.zh),
    }
}

/// A record of an installation that says nothing.
pub fn receipt_unreadable(dir: &str, why: &str) -> Message {
    let why = explained(why);
    Message {
        en: format!("The record of the installation in {dir} cannot be read: {}", why.en),
        zh: format!("无法读取 {dir} 中的安装记录：{}", why.zh),
    }
}

/// An engine that is installed and does not answer, and what was found instead.
pub fn engine_silent(socket: &str, why: &str) -> Message {
    let why = explained(why);
    Message {
        en: format!("A Docker engine is installed, but does not answer at {socket} ({}).", why.en),
        zh: format!("已安装 Docker 引擎，但 {socket} 没有响应（{}）。", why.zh),
    }
}
