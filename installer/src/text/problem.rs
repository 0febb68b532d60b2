//! Failures and wrong answers: what failed, on what, and what to do now.

use std::fmt::Display;

use super::sudo::SUDO;
use super::{Message, messages};

messages! {
    internal(what: &str) en "Internal error: {what}." zh "内部错误：{what}。";
    cannot_write(path: &impl Display) en "Cannot write {path}." zh "无法写入 {path}。";
    cannot_make_directory(path: &impl Display) en "Cannot make the directory {path}." zh "无法创建目录 {path}。";
    content_not_read(path: &impl Display)
        en "What belongs at {path} cannot be read."
        zh "无法读取应写入 {path} 的内容。";
    cannot_remove(path: &impl Display) en "Cannot remove {path}." zh "无法删除 {path}。";
    not_started(program: &impl Display) en "{program} could not be started." zh "无法启动 {program}。";
    still_mounted(path: &impl Display)
        en "{path} is still mounted; what lies below it has not been removed."
        zh "{path} 仍处于挂载状态，其下的内容未删除。";
    mounted_in_project(paths: &str)
        en "Something is mounted in the directory of the application: {paths}. Deleting the directory would delete what lies there."
        zh "应用目录中挂载了其他内容：{paths}。删除该目录会连同其中的内容一起删除。";
    unmount_first(paths: &str)
        en "Nothing has been removed. Unmount it first: umount {paths}; then run the same command again."
        zh "未删除任何内容。请先卸载挂载点：umount {paths}，然后重新运行同一条命令。";
    folder_is_a_link(path: &impl Display)
        en "{path} is a symbolic link. Nothing is written or deleted behind it."
        zh "{path} 是符号链接。安装程序不会通过它写入或删除任何内容。";
    remove_that_link()
        en "Remove the link, then run the same command again."
        zh "请删除该链接，然后重新运行同一条命令。";
    record_damaged(path: &impl Display)
        en "The record of the installation cannot be read: {path}."
        zh "无法读取安装记录：{path}。";
    without_record(project: &str, dir: &impl Display, settings: &impl Display)
        en "Put it back from a backup of the machine if there is one. Without it: stop the application (docker compose -p {project} down), move its directory away (mv {dir} {dir}.old), and run the .run file again with the old values, passwords and keys, which are in {settings}. Its files are in {dir}.old, its volumes stay in the engine. With an engine of its own, restart the machine before."
        zh "如有整机备份，请从中恢复该文件。如没有：停止应用（docker compose -p {project} down），移走其目录（mv {dir} {dir}.old），再运行 .run 文件重新安装，并填写 {settings} 中原有的配置、密码和密钥。应用的文件在 {dir}.old 中，数据卷仍在引擎中。如应用使用独立引擎，请先重启机器。";
    directory_unusable(path: &impl Display)
        en "{path} cannot be the directory of an application: Docker takes no colons, line breaks or bytes that are not UTF-8 there."
        zh "{path} 不能用作应用目录：Docker 不接受含有半角冒号、换行或非 UTF-8 字节的路径。";
    choose_plain_directory()
        en "Choose a path without ':' and control characters, in UTF-8."
        zh "请选用不含半角冒号和控制字符、采用 UTF-8 编码的路径。";
    output_lost()
        en "The result could not be written to standard output."
        zh "结果未能写入标准输出。";
    mend_engine()
        en "Nothing has been removed: containers, images or volumes are in the engine, which has to run for that. Let it start, then run the same command again."
        zh "未删除任何内容：引擎中仍有容器、镜像或数据卷，引擎运行时才能删除。请先让引擎恢复启动，然后重新运行同一条命令。";
    mend_engine_first(data: &impl Display)
        en "Nothing has been removed: containers, images or volumes are in the engine, which has to run for that. Let it start, then run the same command again. If nothing in it is needed any more: rm -rf {data}, then the same command again."
        zh "未删除任何内容：引擎中仍有容器、镜像或数据卷，引擎运行时才能删除。请先让引擎恢复启动，然后重新运行同一条命令。如果其中的内容都不再需要：先运行 rm -rf {data}，再重新运行同一条命令。";
    namesake_runs(name: &str, dir: &str)
        en "There are containers of another project with the same name {name}, from {dir}: they would be removed as well. Nothing has been removed."
        zh "存在同名项目 {name} 的容器（来自 {dir}），卸载会将其一并删除。未删除任何内容。";
    remove_namesake(dir: &str, name: &str)
        en "Give that project another name, or end it if it is not needed: cd {dir} && docker compose -p {name} down; then run the same command again."
        zh "请为该项目改用其他名称；如不再需要，请先停止并删除：cd {dir} && docker compose -p {name} down，然后重新运行同一条命令。";
    env_is_missing(path: &impl Display) en "{path} is missing." zh "缺少 {path}。";
    write_env_again(run: &str)
        en "Run {run} again: it writes the file from the recorded answers."
        zh "请重新运行 {run}，会用记录的配置重新生成该文件。";
    cannot_read(path: &impl Display) en "Cannot read {path}." zh "无法读取 {path}。";
    group_not_removed() en "The group docker could not be removed." zh "无法删除 docker 用户组。";
    cannot_sync(path: &impl Display)
        en "Cannot make the images on {path} safe against a power cut."
        zh "无法将 {path} 上的镜像数据同步到磁盘，此时断电可能造成损坏。";
    wait_for_other_run() en "Wait until it has ended, then run again." zh "请等它结束后再运行。";
    run_again()
        en "Run the same command again: it goes on where this run ended."
        zh "请重新运行同一条命令：会从中断处继续。";
    disk_is_full()
        en "The engine's disk is full. Free some room, then run the same command again."
        zh "引擎所在磁盘已满。请腾出空间后重新运行同一条命令。";
    bundle_unreadable(path: &impl Display) en "Cannot read {path}." zh "无法读取 {path}。";
    check_medium()
        en "Is the stick still plugged in? Copy the file to a local disk and run it there."
        zh "请确认 U 盘仍已连接；也可将文件复制到本地磁盘后再运行。";
    not_a_bundle(path: &impl Display)
        en "{path} is not an Airlift bundle."
        zh "{path} 不是 Airlift 安装包。";
    run_the_right_file() en "Run the .run file that the vendor gave you." zh "请运行厂商提供的 .run 文件。";
    bundle_truncated(path: &impl Display, actual: &str, expected: &str, missing: u64)
        en "{path} is incomplete: {actual} of {expected} ({missing} bytes are missing)."
        zh "{path} 不完整：只有 {actual}，应为 {expected}（缺少 {missing} 字节）。";
    bundle_too_long(path: &impl Display, extra: u64)
        en "{path} has {extra} bytes too many."
        zh "{path} 多出 {extra} 字节。";
    copy_again() en "Copy the file again." zh "请重新复制该文件。";
    bundle_version(path: &impl Display)
        en "{path} has a format that this installer does not know."
        zh "此安装程序不支持 {path} 的格式。";
    bundle_unacceptable(path: &impl Display)
        en "{path} contains something that no packer writes; it is not used."
        zh "{path} 含有打包工具不会写入的内容，拒绝使用。";
    link_in_the_way(path: &impl Display)
        en "{path} is a symbolic link; nothing is written through it."
        zh "{path} 是符号链接，安装程序不会经由它写入文件。";
    remove_link_in_the_way()
        en "See who has made it (a container can), move it away, and run the same command again."
        zh "请查明它由谁创建（可能是容器），将其移走后重新运行同一条命令。";
    bundle_forged(path: &impl Display)
        en "{path} has a signature that does not belong to it: somebody has changed the file."
        zh "{path} 的签名与内容不符：文件已被人改动。";
    ask_vendor() en "Ask the vendor for a correct bundle." zh "请向厂商索取正确的安装包。";
    bundle_damaged(path: &impl Display) en "{path} is damaged." zh "{path} 已损坏。";
    no_bundle()
        en "This program carries no application."
        zh "此程序不含任何应用。";
    no_installation(path: &impl Display)
        en "There is no installation at {path}."
        zh "{path} 中没有已安装的应用。";
    name_installation()
        en "Name the project directory with --dir."
        zh "请用 --dir 指定应用目录。";
    name_another_installation()
        en "Check what stands behind --dir: an installation is a directory with .airlift in it, usually /opt/<application>."
        zh "请检查 --dir 的值：应用目录中有名为 .airlift 的子目录，通常是 /opt/<应用名>。";
    no_random_numbers()
        en "The kernel cannot provide random numbers for secrets."
        zh "内核无法提供用于生成密钥的随机数。";
    answers_incomplete(count: usize)
        en "{count} answer(s) are missing or wrong; nothing has been changed."
        zh "有 {count} 项配置缺失或有误；尚未做任何改动。";
    complete_answers(file: &str)
        en "`./{file} answers > answers.toml` writes a file to fill in; then run with --answers answers.toml."
        zh "运行 `./{file} answers > answers.toml` 可生成待填写的文件；填好后加 --answers answers.toml 运行。";
    mend_set() en "Correct --set and run again." zh "请改正 --set 后重新运行。";
    give_differently()
        en "Correct them on the command line or in the environment, then run again."
        zh "请更正命令行参数或环境变量，然后重新运行。";
    preflight_refused(count: usize)
        en "This machine does not meet the requirements yet: {count} problem(s), marked FAIL above. Nothing has been changed."
        zh "本机暂不满足要求：上面有 {count} 项标为“失败”。尚未做任何改动。";
    preflight_refused_strictly(count: usize)
        en "{count} finding(s) above stand in the way: with --strict a warning does as well. Nothing has been changed."
        zh "上面有 {count} 项检查未通过（--strict 下警告也视为未通过）。尚未做任何改动。";
    fix_and_run_again() en "Fix them and run the same command again." zh "请逐项解决后重新运行同一条命令。";
    answers_unreadable(path: &impl Display) en "Cannot read the answers file {path}." zh "无法读取应答文件 {path}。";
    answers_not_found(path: &impl Display) en "There is no answers file {path}." zh "找不到应答文件 {path}。";
    make_answers_file()
        en "Check the path; the verb `answers` prints a file to fill in."
        zh "请检查路径；命令 `answers` 可输出待填写的文件。";
    answers_not_understood(path: &impl Display)
        en "The answers file {path} cannot be understood."
        zh "应答文件 {path} 的格式有误。";
    answers_not_utf8(path: &impl Display)
        en "The answers file {path} is not in UTF-8."
        zh "应答文件 {path} 不是 UTF-8 编码。";
    convert_answers()
        en "Save it as UTF-8, or convert it: iconv -f GBK -t UTF-8 OLD > NEW"
        zh "请另存为 UTF-8，或运行：iconv -f GBK -t UTF-8 旧文件 > 新文件";
    answers_is_directory(path: &impl Display)
        en "{path} is a directory, not an answers file."
        zh "{path} 是目录，不是应答文件。";
    mend_answers(path: &impl Display)
        en "Correct the above in {path} and run the same command again."
        zh "请修改 {path} 中的上述项，然后重新运行同一条命令。";
    give_set()
        en "For instance: --set http_port=8080"
        zh "例如：--set http_port=8080";
    answers_file_is_open(path: &impl Display)
        en "Other users of this machine can read the answers file {path}, which has passwords in it."
        zh "应答文件 {path} 含有密码，但本机其他用户也能读取。";
    close_answers_file(path: &impl Display)
        en "Run: {SUDO}chmod 600 {path}; and delete it after the installation."
        zh "请运行：{SUDO}chmod 600 {path}；安装完成后请删除该文件。";
    move_answers_file(path: &impl Display)
        en "Its file system keeps no permissions, so chmod does nothing there. Copy it ({SUDO}install -m 600 {path} /root/) and give the copy with --answers; delete both after the installation."
        zh "该文件所在的文件系统不保存权限，chmod 不起作用。请复制到 /root（{SUDO}install -m 600 {path} /root/），用 --answers 指定该副本；安装完成后请删除两个文件。";
    answers_form() en "Each line must be: id = \"value\"" zh "每行的格式应为：配置项 = \"值\"（使用半角引号）";
    answer_not_scalar(id: &str)
        en "{id} must be a text, a number, true or false, {{ env = \"NAME\" }} or {{ file = \"/path\" }}."
        zh "{id} 必须是文本、数字、true、false，或 {{ env = \"变量名\" }}、{{ file = \"/路径\" }}。";
    answer_missing(id: &str, upper: &str)
        en "{id} is missing. Give it in the answers file ({id} = \"...\"), with --set {id}=..., or in AIRLIFT_{upper}."
        zh "缺少 {id}。可写入应答文件（{id} = \"...\"）、用 --set {id}=... 或环境变量 AIRLIFT_{upper} 给出。";
    secret_missing(id: &str, upper: &str)
        en "{id} is missing. Give it in the answers file ({id} = '...') or in AIRLIFT_{upper}."
        zh "缺少 {id}。可写入应答文件（{id} = '...'），或用环境变量 AIRLIFT_{upper} 给出。";
    image_not_read(reference: &str)
        en "The image {reference} could not be read from the bundle."
        zh "无法从安装包中读取镜像 {reference}。";
    image_refused(reference: &str)
        en "The engine did not take the image {reference}."
        zh "引擎拒绝了镜像 {reference}。";
    restart_engine()
        en "An earlier load that broke off may hold the engine. Restart it when that suits ({SUDO}systemctl restart docker; its containers stop meanwhile), then run the same command again."
        zh "可能是之前中断的导入占住了引擎。请在方便时重启引擎（{SUDO}systemctl restart docker，期间容器会停止），然后重新运行同一条命令。";
    start_engine_again()
        en "The engine no longer answers. Start it again ({SUDO}systemctl start docker), then run the same command again: it goes on where this run ended."
        zh "引擎已无响应。请重新启动引擎（{SUDO}systemctl start docker），然后重新运行同一条命令：会从中断处继续。";
    containerd_refused()
        en "containerd, below the engine, did not do what was asked."
        zh "引擎底层的 containerd 未能完成所请求的操作。";
    restart_containerd()
        en "containerd, below the engine, may hang, or its disk may. See {SUDO}systemctl status containerd docker and {SUDO}dmesg. Restart both when that suits ({SUDO}systemctl restart containerd docker; containers stop meanwhile), then run the same command again: it goes on where this run ended."
        zh "引擎底层的 containerd 或其磁盘可能已无响应。请用 {SUDO}systemctl status containerd docker 和 {SUDO}dmesg 查看；在方便时重启两者（{SUDO}systemctl restart containerd docker，期间容器会停止），然后重新运行同一条命令：会从中断处继续。";
    look_at_lock_holder(pid: &str)
        en "See what it does: ps -fp {pid}. When it has ended, or if it hangs and you have ended it ({SUDO}kill {pid}), run the same command again."
        zh "请查看它在做什么：ps -fp {pid}。等它结束，或确认其已卡死并终止（{SUDO}kill {pid}）后，重新运行同一条命令。";
    image_not_there(reference: &str)
        en "The engine took the image {reference}, but it is not completely there."
        zh "引擎已接收镜像 {reference}，但核对发现并不完整。";
    compose_failed(verb: &str) en "docker compose {verb} failed." zh "docker compose {verb} 失败。";
    engine_not_there(socket: &impl Display) en "The engine at {socket} does not answer." zh "{socket} 上的引擎没有响应。";
    engine_not_running() en "The Docker engine does not run." zh "Docker 引擎未运行。";
    start_docker()
        en "Start it ({SUDO}systemctl start docker; {SUDO}journalctl -u docker says why it fails), then run the same command again."
        zh "请先启动它（{SUDO}systemctl start docker；失败原因见 {SUDO}journalctl -u docker），再重新运行同一条命令。";
    engine_not_unpacked(path: &impl Display)
        en "The engine could not be unpacked to {path}."
        zh "无法将引擎解压到 {path}。";
    engine_did_not_start(log: &impl Display)
        en "The engine did not start (log: {log})."
        zh "引擎未能启动（日志：{log}）。";
    engine_did_not_stop(pid: i32) en "The engine (process {pid}) did not stop." zh "引擎（进程号 {pid}）未能停止。";
    systemctl_failed(what: &str) en "systemctl {what} failed." zh "systemctl {what} 失败。";
    image_is_gone()
        en "An image of the application is no longer in the engine. Run the application's .run file again: it puts back what is missing."
        zh "应用的镜像已不在引擎中。请重新运行该应用的 .run 安装包，会补回缺少的镜像。";
    not_a_directory(path: &impl Display)
        en "{path} is not a directory." zh "{path} 不是目录。";
    name_a_directory()
        en "Give the directory of the application, or a new one: --dir DIR."
        zh "请用 --dir 指定应用所在的目录，或一个新目录。";
    group_failed() en "The group docker could not be made." zh "无法创建 docker 用户组。";
    file_not_read(path: &str)
        en "The project file {path} could not be read from the bundle."
        zh "无法从安装包中读取应用文件 {path}。";
    port_not_opened(port: u16)
        en "The firewall did not open port {port}."
        zh "无法在防火墙中放行端口 {port}。";
    open_port_yourself(command: &str)
        en "Everything before is in place. Open the port yourself ({command}) and run the same command again; or run it with --set open_firewall=false, which leaves the firewall alone."
        zh "此前的步骤均已完成。请手动放行该端口（{command}）后重新运行同一条命令；或加上 --set open_firewall=false 运行，不更改防火墙。";
    close_port_yourself(command: &str)
        en "Close the port yourself ({command}), then run the same command again."
        zh "请手动关闭该端口（{command}），然后重新运行同一条命令。";
    join_group_yourself(user: &str)
        en "Add the user yourself (usermod -aG docker {user}) and run the same command again; or run it with --set docker_group=false, which leaves the group alone."
        zh "请手动添加该用户（usermod -aG docker {user}）后重新运行同一条命令；或加上 --set docker_group=false 运行，不更改用户组。";
    leave_group_yourself(user: &str)
        en "Take the user out yourself (gpasswd -d {user} docker), then run the same command again."
        zh "请手动移出该用户（gpasswd -d {user} docker），然后重新运行同一条命令。";
    look_at_engine_unit()
        en "See why: systemctl status docker.service, and journalctl -u docker.service -e. When that is mended, run the same command again: it goes on where this run ended."
        zh "请用 systemctl status docker.service 和 journalctl -u docker.service -e 查看原因；解决后重新运行同一条命令，会从中断处继续。";
    port_not_closed(port: u16)
        en "The firewall did not close port {port}, which the installation had opened."
        zh "无法关闭安装时在防火墙中放行的端口 {port}。";
    group_not_joined(user: &str)
        en "The user {user} could not be added to the group docker."
        zh "无法将用户 {user} 加入 docker 组。";
    group_not_left(user: &str)
        en "The user {user} could not be taken out of the group docker."
        zh "无法将用户 {user} 移出 docker 组。";
    file_not_rendered(path: &str)
        en "The answers could not be filled into the project file {path}."
        zh "无法将配置填入应用文件 {path}。";
    images_not_carried(names: &str)
        en "The Compose file needs images that the bundle does not carry: {names}"
        zh "Compose 文件需要安装包中没有的镜像：{names}";
    set_not_understood() en "The form is --set id=value." zh "格式应为 --set id=值。";
    another_run_meanwhile()
        en "Another run has worked on this installation meanwhile; this one knows only how it was before."
        zh "在此期间另一个操作已更改了此安装，本次运行所依据的状态已过时。";
    answers_lost(path: &impl Display)
        en "The answers of the earlier installation in {path} cannot be read; going on would make new secrets."
        zh "无法读取 {path} 中上次安装的配置；继续安装会生成新的密钥。";
    restore_answers(env: &impl Display)
        en "The values in use are in {env}: give them with --answers, and move the unreadable file away."
        zh "正在使用的值保存在 {env} 中：请用 --answers 给出这些值，并移走无法读取的文件。";
    consent_missing()
        en "There is no terminal to confirm on."
        zh "当前没有终端，无法进行确认。";
    say_yes()
        en "Say --yes, or give --answers FILE; --dry-run shows the plan first. If an installation in another directory was meant, name it: --dir."
        zh "请加 --yes，或用 --answers 指定文件；可先用 --dry-run 查看计划。如果要修改的是其他目录中的安装，请用 --dir 指定。";
}

/// A place in the bundle that is damaged, and what lies there.
pub fn stretch_damaged(start: f64, end: f64, total: &str, parts: &str) -> Message {
    let zh: Vec<String> = parts.split(", ").map(super::cause::part_of_bundle).collect();
    let (en, zh) = (parts, zh.join("、"));
    Message {
        en: format!("{start}-{end} MB of {total} are damaged: {en}"),
        zh: format!("第 {start}–{end} MB（共 {total}）已损坏（{zh}）"),
    }
}

/// Where an answers file is no TOML.
pub fn answers_not_toml(line: usize, column: usize, why: &str, content: &str) -> Message {
    let why = super::cause::toml(why, content);
    Message {
        en: format!("line {line}, column {column}: {}", why.en),
        zh: format!("第 {line} 行第 {column} 列：{}", why.zh),
    }
}

/// An unknown id with the name that was probably meant.
pub fn answer_unknown_nearest(id: &str, nearest: &str, origin: &Message) -> Message {
    Message {
        en: format!("{id} ({}) is not a setting of this application. Did you mean {nearest}?", origin.en),
        zh: format!("没有名为 {id} 的配置项（来源：{}）。是否应为 {nearest}？", origin.zh),
    }
}

/// An unknown id.
pub fn answer_unknown(id: &str, origin: &Message) -> Message {
    Message {
        en: format!("{id} ({}) is not a setting of this application.", origin.en),
        zh: format!("本应用没有名为 {id} 的配置项（来源：{}）。", origin.zh),
    }
}

/// A refused answer. The value itself is not shown: it may be a secret.
pub fn answer_invalid(id: &str, why: &Message, origin: &Message) -> Message {
    Message {
        en: format!("{id} ({}): {}.", origin.en, why.en),
        zh: format!("{id}（{}）：{}。", origin.zh, why.zh),
    }
}

/// Somebody else holds the lock.
pub fn another_run(path: &impl Display, process: &str, held: &Message) -> Message {
    Message {
        en: format!(
            "Another run is working on this installation (process {process}, for {}, lock {path}).",
            held.en
        ),
        zh: format!("另一个操作正在处理此应用（进程号 {process}，已运行 {}，锁文件 {path}）。", held.zh),
    }
}

/// Somebody else installs the host's engine, and does not come to an end.
pub fn engine_is_being_installed(app: &str, pid: &str, held: &Message, path: &impl Display) -> Message {
    Message {
        en: format!(
            "The installation of {app} (process {pid}) has been bringing the engine for {} and does not come to an end (lock {path}).",
            held.en
        ),
        zh: format!(
            "{app} 的安装程序（进程号 {pid}）正在安装引擎，已持续 {}，仍未结束（锁文件 {path}）。",
            held.zh
        ),
    }
}

/// An action of the vendor's whose service does not run.
pub fn action_without_service(title: &Message, service: &str) -> Message {
    Message {
        en: format!("\"{}\" could not be done: the service {service} does not run.", title.en),
        zh: format!("“{}”无法执行：服务 {service} 未运行。", title.zh),
    }
}

/// An action that could not be started.
pub fn action_failed(title: &Message) -> Message {
    Message {
        en: format!("\"{}\" could not be done.", title.en), zh: format!("“{}”无法执行。", title.zh)
    }
}

/// An action that ended badly.
pub fn action_exited(title: &Message, code: i64) -> Message {
    Message {
        en: format!("\"{}\" failed (exit code {code}).", title.en),
        zh: format!("“{}”失败（退出码 {code}）。", title.zh),
    }
}

/// An action that took too long.
pub fn action_timed_out(title: &Message, seconds: u64) -> Message {
    Message {
        en: format!("\"{}\" was not done within {seconds} s and has been stopped.", title.en),
        zh: format!("“{}”未在 {seconds} 秒内完成，已终止。", title.zh),
    }
}
