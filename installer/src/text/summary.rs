//! How things are: health, links, what to do next.

use super::cause::explained;
use super::{Message, messages};

messages! {
    new_login_needed(user: &str)
        en "{user} may run docker without sudo from the next login on."
        zh "用户 {user} 重新登录后即可不用 sudo 运行 docker。";
    no_container() en "no container" zh "没有容器";
    none_wanted() en "not to run (scaled to 0)" zh "按配置不运行（副本数为 0）";
    healthy() en "healthy" zh "健康";
    running() en "running" zh "运行中";
    finished() en "finished (exit code 0)" zh "已正常结束（退出码 0）";
    out_of_memory() en "killed: out of memory" zh "因内存不足而终止";
    exited(code: i64, restarts: i64)
        en "ended with exit code {code}, restarted {restarts} time(s)"
        zh "已退出（退出码 {code}），重启过 {restarts} 次";
    starting() en "starting" zh "正在启动";
    created() en "created, not started yet" zh "已创建，尚未启动";
    unhealthy() en "its health check fails" zh "健康检查未通过";
    stopped_container() en "ended" zh "已退出";
    paused() en "paused" zh "已暂停";
    restarting() en "restarting" zh "正在重启";
    refused() en "connection refused (nothing listens on this port yet)" zh "连接被拒绝（服务尚未监听该端口）";
    timed_out() en "no answer in time" zh "超时未响应";
    mark_well() en "ok  " zh "正常";
    mark_waiting() en "... " zh "等待";
    mark_failed() en "FAIL" zh "异常";
    heading_services() en "Services" zh "服务";
    heading_checks() en "Checks" zh "访问检查";
    wrong_status(url: &str, status: u16, wanted: u16)
        en "{url} answers {status} instead of {wanted}"
        zh "{url} 返回 {status}，应为 {wanted}";
    wrong_body(url: &str, wanted: &str)
        en "{url} answers without the wanted text \"{wanted}\""
        zh "{url} 返回的内容中没有“{wanted}”";
    answers(url: &str, status: u16) en "{url} answers {status}" zh "{url} 返回 {status}";
    health_unknown() en "The engine does not say how the services are." zh "无法从引擎获知服务状态。";
    not_healthy()
        en "The application is installed, but not healthy."
        zh "应用已安装，但未达到健康状态。";
    not_well_now() en "Not everything is healthy." zh "部分服务或访问检查异常。";
    look_at_logs(control: &impl std::fmt::Display)
        en "Find the cause with `{control} logs SERVICE`; after a correction run the same command again."
        zh "用 {control} logs 服务名 查看原因；处理后重新运行刚才的安装命令。";
    look_and_restart(control: &str)
        en "Find the cause with `{control} logs SERVICE`; after a correction run {control} restart."
        zh "用 {control} logs 服务名 查看原因；处理后运行 {control} restart。";
    is_stopped(control: &str)
        en "The application is stopped. Start it with: {control} start"
        zh "应用已停止。启动：{control} start";
    is_uninstalled(dir: &str)
        en "The application is uninstalled; its data is kept in {dir}."
        zh "应用已卸载，数据保留在 {dir}。";
    install_or_purge(run: &str)
        en "To install it again: {run}; to delete everything: {run} uninstall --purge"
        zh "重新安装：{run}；彻底删除：{run} uninstall --purge";
    is_interrupted()
        en "The last installation did not come to its end."
        zh "上次安装未完成。";
    finish_installation(run: &str) en "Run {run} again: it goes on." zh "请重新运行 {run} 继续安装。";
    is_half_removed(name: &str)
        en "The uninstallation of {name} did not come to its end; a part of it is gone."
        zh "{name} 的卸载未完成，部分内容已被删除。";
    finish_removal(uninstall: &str, run: &str)
        en "To finish it: {uninstall}; to install it again, with what is left of the data: {run}"
        zh "完成卸载：{uninstall}；重新安装并沿用尚存的数据：{run}";
    no_such_service(name: &str) en "There is no service {name}." zh "没有名为 {name} 的服务。";
    services_are(names: &str) en "The services are: {names}" zh "可选：{names}";
    places(dir: &impl std::fmt::Display, log: &impl std::fmt::Display)
        en "Directory: {dir} (data, .env); log of the installation: {log}"
        zh "应用目录：{dir}（数据、.env）；安装日志：{log}";
    delete_answers(path: &impl std::fmt::Display)
        en "NOTE: {path} has passwords in it. Delete it when it is no longer needed."
        zh "注意：应答文件 {path} 含有密码，不再需要时请删除。";
    dead_link(url: &str)
        en "NOTE: nothing answers at {url}. If a port was changed, the address that was given must have it too: run again with --set."
        zh "注意：{url} 无法访问。如果修改过端口，访问地址也要带上该端口；请用 --set 更正后重新运行。";
    still_shut(name: &str, ports: &str, command: &str)
        en "Note: {name} does not let {ports} through; other machines cannot open the page yet. To open: {command}"
        zh "注意：{name} 未放行 {ports}，其他机器暂时打不开。放行：{command}";
    manage(control: &str)
        en "Manage it with: {control} status | logs | start | stop | restart | uninstall"
        zh "日常管理：{control} status | logs | start | stop | restart | uninstall";
    not_back_after_reboot(control: &str)
        en "NOTE: it will not come back by itself. After a reboot run: {control} start"
        zh "注意：机器重启后应用不会自动恢复，届时请运行：{control} start";
    start_it(control: &impl std::fmt::Display) en "Start it with: {control} start" zh "请运行：{control} start";
    stopped(project: &str) en "{project} is stopped." zh "{project} 已停止。";
    started(project: &str) en "{project} is running and healthy." zh "{project} 正在运行，状态健康。";
    type_name(name: &str, dir: &str)
        en "This deletes all data in {dir} for good (databases and keys too). Type {name} to confirm:"
        zh "将永久删除 {dir} 下的全部数据（含数据库和密钥），且无法恢复。请输入 {name} 确认：";
    name_mismatch(name: &str)
        en "The name typed is not {name}; nothing has been removed."
        zh "输入的名称不是 {name}；未删除任何内容。";
    type_it_exactly(name: &str)
        en "Run the command again and type {name} exactly."
        zh "如需删除，请重新运行该命令，并准确输入 {name}。";
    no_terminal_for_name() en "There is no terminal to confirm on." zh "当前没有终端，无法进行确认。";
    confirm_by_yes()
        en "Run it on a terminal, or with --yes: uninstall --yes"
        zh "请在终端上运行，或加上 --yes：uninstall --yes";
    pipe_name(name: &str)
        en "Run it on a terminal, or give the name on standard input: echo {name} | ... uninstall --purge"
        zh "请在终端上运行；或从标准输入给出应用名称：echo {name} | … uninstall --purge";
    what_is_removed(name: &str)
        en "The containers and images of {name} are stopped and removed; data is kept."
        zh "将停止并删除 {name} 的容器和镜像，数据保留。";
    go_on() en "Go on?" zh "继续吗？";
    offer_to_take_back(name: &str)
        en "To take all of it back now, type {name}. Enter leaves it as it is, and the same command goes on:"
        zh "如需立即撤销以上全部改动，请输入 {name}；直接按回车则保持现状，之后可用同一条命令继续：";
    kept_as_it_is() en "Everything stays as it is." zh "已保持现状。";
    beginning_removed(dir: &impl std::fmt::Display)
        en "Nothing was installed in {dir} yet; what the run that was broken off had made there is removed."
        zh "{dir} 中尚未安装任何内容；上次中断的安装所留下的文件已删除。";
    empty_removed(dir: &impl std::fmt::Display)
        en "Nothing is installed in {dir} any more; the empty directory is removed."
        zh "{dir} 中已没有任何安装内容；空目录已删除。";
    removing_project() en "Removing containers and networks" zh "正在删除容器和网络";
    removing_images() en "Removing images" zh "正在删除镜像";
    removing_engine() en "Removing the engine" zh "正在删除引擎";
    engine_goes_too()
        en "The Docker engine that came with it is deleted as well, if nothing else is in it."
        zh "随其安装的 Docker 引擎如无其他内容，也会一并删除。";
    engine_in_use(run: &str)
        en "The Docker engine stays: other containers, images or volumes are in it. It can be removed when they are gone: {run} uninstall --purge"
        zh "Docker 引擎已保留：其中仍有其他容器、镜像或数据卷。这些内容清除之后可再将其删除：{run} uninstall --purge";
    engine_is_left(name: &str)
        en "{name} is not installed. A Docker engine that came with such an application is still there; it is deleted now if nothing else is in it."
        zh "{name} 未安装，但随此类应用安装的 Docker 引擎仍在本机。如其中没有其他内容，现在将其删除。";
    type_name_for_engine(name: &str) en "Type {name} to confirm:" zh "请输入 {name} 确认：";
    engine_is_removed() en "The Docker engine is removed." zh "Docker 引擎已删除。";
    config_was_changed(config: &impl std::fmt::Display, former: &impl std::fmt::Display)
        en "{config} has been changed by hand since the installation and stays as it is. As it was before: {former}."
        zh "{config} 在安装后被手动修改过，已原样保留。安装前的版本见 {former}。";
    shared_with_another(data: &str)
        en "Another Docker engine has been installed on this machine since: it may use {data}, the socket, /etc/docker and the group docker, which stay."
        zh "本机后来安装了其他 Docker 引擎，它可能正在使用 {data}、套接字、/etc/docker 和 docker 用户组，因此予以保留。";
    private_engine_kept(dir: &str)
        en "The private engine is stopped; its programs and data stay in {dir} (only --purge removes them)."
        zh "独立引擎已停止；其程序和数据保留在 {dir}（只有 --purge 才会删除）。";
    engine_kept() en "The Docker engine stays (only --purge removes it)." zh "Docker 引擎已保留（只有 --purge 才会删除）。";
    uninstalled_with_data(dir: &str)
        en "Uninstalled. Data, .env and secrets are kept in {dir}; installing again uses them."
        zh "已卸载。数据、.env 和密钥保留在 {dir}，再次安装时会继续使用。";
    to_purge(run: &str)
        en "To delete the data as well: {run} uninstall --purge"
        zh "如需连同数据一起删除，请运行：{run} uninstall --purge";
    purged(name: &str) en "{name} is removed with all its data." zh "{name} 及其全部数据已删除。";
    verified(bytes: &str) en "The bundle is intact: {bytes} verified." zh "安装包完好：已校验 {bytes}。";
    signed_with_given(key: &impl std::fmt::Display)
        en "Signed with the given key {key}."
        zh "签名公钥与指定的一致：{key}。";
    signed_with(key: &impl std::fmt::Display)
        en "Signed with the key {key}. Compare it with the one that the vendor has told you."
        zh "签名公钥：{key}。请与厂商告知的公钥核对。";
    not_signed() en "Not signed: nothing says who made it." zh "没有签名，无法确认由谁制作。";
    preflight_passed() en "This machine meets the requirements." zh "本机满足要求。";
}

/// Headline after an installation.
pub fn installed(title: &Message, version: &str, seconds: u64) -> Message {
    Message {
        en: format!("{} {version} is installed and healthy ({seconds} s).", title.en),
        zh: format!("{} {version} 已安装，状态健康（用时 {seconds} 秒）。", title.zh),
    }
}

/// Headline of a run that had nothing to do.
pub fn everything_in_place(title: &Message, version: &str, seconds: f64) -> Message {
    Message {
        en: format!("{} {version}: everything is in place and healthy ({seconds:.1} s).", title.en),
        zh: format!("{} {version}：无需改动，所有服务健康（用时 {seconds:.1} 秒）。", title.zh),
    }
}

/// A link.
pub fn link(title: &Message, url: &str) -> Message {
    Message { en: format!("{}: {url}", title.en), zh: format!("{}：{url}", title.zh) }
}

/// A state that is not the wanted one, in the engine's own word where there is no better one.
pub fn not_yet(state: &str) -> Message {
    match state {
        "starting" => starting(),
        "created" => created(),
        "unhealthy" => unhealthy(),
        "exited" => stopped_container(),
        "paused" => paused(),
        "restarting" => restarting(),
        other => Message::verbatim(other),
    }
}

/// Why a URL did not answer: the frequent reasons in words.
pub fn why_no_answer(why: &str) -> Message {
    if why.contains("Connection refused") {
        refused()
    } else if why.contains("in time") {
        timed_out()
    } else {
        explained(why)
    }
}

/// A URL that did not answer.
pub fn no_answer(url: &str, why: &Message) -> Message {
    Message { en: format!("{url}: {}", why.en), zh: format!("{url}：{}", why.zh) }
}

/// How everything is, in one line: of services and of checks, how many are not well, and how many there are.
pub fn verdict(
    title: &Message,
    version: &str,
    (ill, services): (usize, usize),
    (failing, checks): (usize, usize),
) -> Message {
    let (en, zh) = match (ill, failing) {
        (0, 0) => (format!("{services} service(s), all healthy"), format!("{services} 个服务，全部健康")),
        (_, 0) => (
            format!("{ill} of {services} services are not well"),
            format!("{services} 个服务中 {ill} 个异常"),
        ),
        (0, _) => (
            format!("all {services} services are running, {failing} of {checks} checks are not well"),
            format!("{services} 个服务均正常；{checks} 项访问检查中 {failing} 项异常"),
        ),
        _ => (
            format!("{ill} of {services} services and {failing} of {checks} checks are not well"),
            format!("{services} 个服务中 {ill} 个异常；{checks} 项访问检查中 {failing} 项异常"),
        ),
    };
    Message { en: format!("{} {version}: {en}", title.en), zh: format!("{} {version}：{zh}", title.zh) }
}

/// The same for one that was stopped.
pub fn verdict_stopped(title: &Message, version: &str) -> Message {
    Message {
        en: format!("{} {version}: stopped", title.en), zh: format!("{} {version}：已停止", title.zh)
    }
}

/// A line behind its mark.
pub fn marked_line(mark: &Message, line: &Message) -> Message {
    Message { en: format!("  {}  {}", mark.en, line.en), zh: format!("  {}  {}", mark.zh, line.zh) }
}

/// Name and observation of a service or a check.
pub fn service_line(name: &Message, observed: &Message) -> Message {
    Message { en: format!("{}: {}", name.en, observed.en), zh: format!("{}：{}", name.zh, observed.zh) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_counted_where_it_is() {
        let said = |services, checks| verdict(&Message::verbatim("Chat"), "1", services, checks);
        let both = said((1, 3), (2, 5));
        assert_eq!(both.zh, "Chat 1：3 个服务中 1 个异常；5 项访问检查中 2 项异常");
        assert_eq!(both.en, "Chat 1: 1 of 3 services and 2 of 5 checks are not well");
        assert_eq!(said((0, 3), (0, 5)).zh, "Chat 1：3 个服务，全部健康");
        assert_eq!(said((1, 3), (0, 0)).zh, "Chat 1：3 个服务中 1 个异常");
        assert_eq!(said((0, 3), (1, 5)).zh, "Chat 1：3 个服务均正常；5 项访问检查中 1 项异常");
    }
}
