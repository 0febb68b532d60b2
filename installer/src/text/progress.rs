//! What is being done: steps, transfers, waiting.

use super::{Message, messages};

messages! {
    verifying() en "Verifying the bundle" zh "正在校验安装包";
    plan_title() en "Plan:" zh "计划：";
    place_engine(version: &str, bin: &str) en "Place Docker {version} in {bin}" zh "将 Docker {version} 安装到 {bin}";
    configure_engine_unit(config: &str)
        en "Configure the engine: {config}, group docker, docker.service"
        zh "配置引擎：{config}、docker 用户组、docker.service";
    configure_engine(config: &str) en "Configure the engine: {config}" zh "配置引擎：{config}";
    start_engine(socket: &str) en "Start the engine ({socket})" zh "启动引擎（{socket}）";
    place_compose(path: &str) en "Place Docker Compose at {path}" zh "将 Docker Compose 安装到 {path}";
    load_nothing(all: usize) en "Images: all {all} are there" zh "镜像：{all} 个均已存在";
    load_images(missing: usize, all: usize, bytes: &str)
        en "Load {missing} of {all} images ({bytes} to send)"
        zh "导入镜像：共 {all} 个，需导入 {missing} 个（传输 {bytes}）";
    write_project(dir: &str) en "Write the project to {dir}" zh "将应用文件写入 {dir}";
    env_was_edited(path: &impl std::fmt::Display, names: &str)
        en "{path} was changed by hand ({names}); the recorded values are put back. To change them, run this file again with --set, or without arguments."
        zh "{path} 被手工修改过（{names}），已恢复为记录的值。需要修改时请重新运行安装程序，或使用 --set。";
    place_certificate() en "Place certificate and key" zh "写入证书和私钥";
    make_certificate(hosts: &str) en "Make a self-signed certificate for {hosts}" zh "为 {hosts} 生成自签名证书";
    remove_certificate() en "Remove the certificate" zh "移除证书";
    install_control(app: &str) en "Install the command {app}ctl" zh "安装管理命令 {app}ctl";
    start_project(project: &str) en "Start the project {project}" zh "启动应用 {project}";
    prove_healthy() en "Wait until everything is healthy" zh "等待所有服务进入健康状态";
    open_firewall(ports: &str) en "Open in the firewall: TCP {ports}" zh "在防火墙中放行：TCP {ports}";
    no_firewall_to_open()
        en "open_firewall = true, but neither firewalld nor ufw is active on this machine: nothing is opened."
        zh "open_firewall = true，但本机未启用 firewalld 或 ufw，因此不会放行任何端口。";
    close_firewall() en "Close in the firewall what was opened before" zh "关闭此前在防火墙中放行的端口";
    join_group(user: &str)
        en "Add the user {user} to the group docker, whose members have the power of root"
        zh "将用户 {user} 加入 docker 组（该组成员的权限等同于 root）";
    leave_group() en "Take the user out of the group docker again" zh "将用户移出 docker 组";
    step_done(seconds: f64) en "done in {seconds:.1} s" zh "完成，用时 {seconds:.1} 秒";
    step_skipped() en "in place already" zh "已就绪";
    mark_running() en "... " zh "进行";
    mark_done() en "done" zh "完成";
    mark_skipped() en "kept" zh "已有";
    mark_step_failed() en "FAIL" zh "失败";
    took(seconds: f64) en "{seconds:.1} s" zh "{seconds:.1} 秒";
    unpacking(image: &str) en "The engine unpacks {image}" zh "引擎正在解压 {image}";
    checking_images() en "Checking the images" zh "正在核对镜像";
    syncing() en "Writing everything to the disk" zh "正在将数据写入磁盘";
    waiting(seconds: u64) en "waiting for {seconds} s" zh "已等待 {seconds} 秒";
    waiting_at_most(seconds: u64, limit: u64)
        en "waiting for {seconds} s (at most {limit} s)"
        zh "已等待 {seconds} 秒（最长 {limit} 秒）";
    interrupted_in_step(number: usize, count: usize)
        en "Interrupted (step {number} of {count}). Run the same command again: it goes on."
        zh "已中断（第 {number} 步，共 {count} 步）。重新运行同一条命令即可继续。";
    interrupted()
        en "Interrupted. Run the same command again: it goes on."
        zh "已中断。重新运行同一条命令即可继续。";
    removing_replaced() en "Removing images that newer ones have replaced" zh "正在删除已被新版本取代的镜像";
    not_released()
        en "The containers that kept images during the installation could not be removed; the next run of this file removes them."
        zh "安装期间用于保留镜像的容器未能删除；下次运行本文件时会删除。";
    waiting_for_engine(app: &str, pid: &str)
        en "The installation of {app} (process {pid}) brings the engine; this one waits for it."
        zh "{app} 的安装程序（进程号 {pid}）正在安装引擎，等待其完成。";
    in_place() en "In place so far:" zh "目前已完成：";
    way_back(command: &str) en "To take all of it back: {command}" zh "如需全部撤销，请运行：{command}";
    exit_code(code: u8) en "Exit code {code}." zh "退出码：{code}。";
}

/// A step of the plan that has nothing left to do.
pub fn done_already(step: &Message) -> Message {
    Message {
        en: format!("{} (done already; will be skipped)", step.en),
        zh: format!("{}（已完成，不再重做）", step.zh),
    }
}

/// One of several lines below a title.
pub fn in_place_line(step: &Message) -> Message {
    Message { en: format!("  - {}", step.en), zh: format!("  - {}", step.zh) }
}

/// A step that was not finished.
pub fn begun(step: &Message) -> Message {
    Message { en: format!("{} (begun)", step.en), zh: format!("{}（未完成）", step.zh) }
}

/// How long something still takes, when it goes on like this.
pub fn time_left(seconds: u64) -> Message {
    let (minutes, rest) = (seconds / 60, seconds % 60);
    if minutes == 0 {
        Message { en: format!("{rest} s left"), zh: format!("剩余 {rest} 秒") }
    } else if minutes < 60 {
        Message { en: format!("{minutes} min {rest} s left"), zh: format!("剩余 {minutes} 分 {rest} 秒") }
    } else {
        let (hours, minutes) = (minutes / 60, minutes % 60);
        Message {
            en: format!("{hours} h {minutes} min left"), zh: format!("剩余 {hours} 小时 {minutes} 分")
        }
    }
}

/// Headline of an installation.
pub fn installing(title: &Message, version: &str) -> Message {
    Message {
        en: format!("Installer of {} {version}", title.en),
        zh: format!("{} {version} 安装程序", title.zh),
    }
}

/// Something did not work in the first way.
pub fn plain_way(what: &Message) -> Message {
    Message {
        en: format!("{} Trying once more in the plainest way: whole images, nothing left out.", what.en),
        zh: format!("{}改用最稳妥的方式重试：逐个完整导入镜像。", what.zh),
    }
}

/// What is there has another version.
pub fn of_another_version(line: &Message, earlier: &str, version: &str) -> Message {
    Message {
        en: format!("{} (version {earlier} becomes {version})", line.en),
        zh: format!("{}（版本 {earlier} → {version}）", line.zh),
    }
}

/// The vendor's actions.
pub fn run_actions(titles: &Message) -> Message {
    Message { en: format!("Run: {}", titles.en), zh: format!("执行：{}", titles.zh) }
}
