//! How things are: health, links, what to do next.

use super::{Message, messages};

messages! {
    no_container() en "no container" zh "没有容器";
    healthy() en "healthy" zh "健康";
    running() en "running" zh "运行中";
    finished() en "finished (exit code 0)" zh "已正常结束（退出码 0）";
    out_of_memory() en "killed: out of memory" zh "因内存不足而终止";
    exited(code: i64, restarts: i64)
        en "ended with exit code {code}, restarted {restarts} time(s)"
        zh "已退出（退出码 {code}），重启过 {restarts} 次";
    not_yet(state: &str) en "not yet: {state}" zh "尚未就绪：{state}";
    wrong_status(url: &str, status: u16, wanted: u16)
        en "{url} answers {status} instead of {wanted}"
        zh "{url} 返回 {status}，应为 {wanted}";
    wrong_body(url: &str) en "{url} answers something unexpected" zh "{url} 返回的内容不符合预期";
    answers(url: &str, status: u16) en "{url} answers {status}" zh "{url} 返回 {status}";
    no_answer(url: &str, why: &str) en "{url}: {why}" zh "{url}：{why}";
    health_unknown() en "The engine does not say how the services are." zh "无法从引擎获知服务状态。";
    not_healthy()
        en "The application is installed, but not healthy."
        zh "应用已安装，但未达到健康状态。";
    look_at_logs(control: &impl std::fmt::Display)
        en "Look at the lines above and at `{control} logs`; after a correction run the same command again."
        zh "请查看上面的日志以及 `{control} logs`；修正后重新运行同一条命令。";
    manage(control: &str)
        en "Manage it with: {control} status | logs | start | stop | restart | uninstall"
        zh "日常管理：{control} status | logs | start | stop | restart | uninstall";
    not_back_after_reboot(control: &str)
        en "NOTE: it will not come back by itself. After a reboot run: {control} start"
        zh "注意：机器重启后应用不会自动恢复，届时请运行：{control} start";
    start_it(control: &impl std::fmt::Display) en "Start it with: {control} start" zh "请运行：{control} start";
    stopped(project: &str) en "{project} is stopped." zh "{project} 已停止。";
    started(project: &str) en "{project} is running and healthy." zh "{project} 正在运行，状态健康。";
    type_name(name: &str)
        en "This deletes all data of {name} for good. Type its name to confirm:"
        zh "此操作将永久删除 {name} 的全部数据。请输入应用名称以确认：";
    name_mismatch(name: &str)
        en "The name typed is not {name}; nothing has been removed."
        zh "输入的名称不是 {name}；未删除任何内容。";
    removing_project() en "Removing containers and networks" zh "正在删除容器和网络";
    removing_images() en "Removing images" zh "正在删除镜像";
    removing_engine() en "Removing the engine" zh "正在删除引擎";
    engine_kept()
        en "The engine stays: something else uses it, or data of this application is in it."
        zh "引擎已保留：仍有其他容器或镜像在使用，或其中存有本应用的数据。";
    uninstalled_with_data(dir: &str)
        en "Uninstalled. Data, .env and secrets are kept in {dir}; installing again uses them."
        zh "已卸载。数据、.env 和密钥保留在 {dir}，再次安装时会继续使用。";
    purged(name: &str) en "{name} is removed with all its data." zh "{name} 及其全部数据已删除。";
    verified(bytes: &str) en "The bundle is intact: {bytes} verified." zh "安装包完好：已校验 {bytes}。";
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
        zh: format!("{} {version}：一切就绪，状态健康（用时 {seconds:.1} 秒）。", title.zh),
    }
}

/// A link.
pub fn link(title: &Message, url: &str) -> Message {
    Message { en: format!("{}: {url}", title.en), zh: format!("{}：{url}", title.zh) }
}

/// One service that is not well.
pub fn service_line(name: &str, observed: &Message) -> Message {
    Message { en: format!("{name}: {}", observed.en), zh: format!("{name}：{}", observed.zh) }
}
