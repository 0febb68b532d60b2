//! Preflight: what an engine that is there is like, and what an earlier one left.

use super::{Message, SUDO, messages};

messages! {
    engine_is_desktop(version: &str)
        en "Docker {version} is Docker Desktop: it runs in a virtual machine and does not see the directories of this machine."
        zh "Docker {version} 是 Docker Desktop：它运行在虚拟机中，看不到本机的目录。";
    engine_kills_new_programs(version: &str)
        en "Docker {version} is older than 20.10.10: programs in newer images may end with \"Operation not permitted\"."
        zh "Docker {version} 早于 20.10.10：较新镜像中的程序可能报错“Operation not permitted”。";
    update_engine_or_private()
        en "Update Docker, or use --engine private."
        zh "请升级 Docker，或改用 --engine private。";
    driver_is_slow(driver: &str)
        en "The engine stores images with {driver}, which copies every layer or is no longer maintained: much more disk, and slow."
        zh "引擎使用 {driver} 存储镜像：会逐层复制或已停止维护，占用磁盘多且速度慢。";
    change_driver()
        en "It works. For overlay2: an engine of its own (--engine private), or \"storage-driver\" in /etc/docker/daemon.json, which hides all present images."
        zh "可以使用。如需 overlay2，可改用独立引擎（--engine private），或在 /etc/docker/daemon.json 中设置 \"storage-driver\"（会使现有镜像不可见）。";
    users_are_remapped()
        en "The engine maps users (userns-remap): services may not write to the application's directories."
        zh "引擎启用了用户映射（userns-remap）：服务可能无法写入应用目录。";
    compose_is_broken(path: &str)
        en "The Compose plugin {path} fails when it is asked for its version: it cannot be run here, or is no Compose 2."
        zh "无法获取 Compose 插件 {path} 的版本：它在本机无法运行，或不是 Compose 2。";
    compose_is_unclear(path: &str)
        en "The Compose plugin {path} does not say its version. 2.8 or later is needed."
        zh "Compose 插件 {path} 没有给出版本号。需要 2.8 或更高版本。";
    compose_is_old(version: &str, path: &str)
        en "Compose {version} ({path}) is older than 2.8 and does not know --pull never, which an installation without a network needs."
        zh "Compose {version}（{path}）版本过低：离线安装要用的 --pull never 选项从 2.8 起才支持。";
    compose_will_be_used(version: &str, path: &str)
        en "Compose {version} ({path}) is there and will be used."
        zh "Compose {version}（{path}）已存在，将直接使用。";
    replace_compose(path: &str)
        en "Update {path} (package docker-compose-plugin, docker-compose-v2 or docker-compose), or ask the vendor for a bundle with an engine."
        zh "请更新 {path}（软件包 docker-compose-plugin、docker-compose-v2 或 docker-compose），或向厂商索取自带引擎的安装包。";
    engine_is_in_swarm()
        en "The engine belongs to a swarm. The application will run on this machine alone, not as a service of the swarm."
        zh "该引擎已加入 swarm 集群。应用将只在本机运行，不会作为 swarm 服务调度。";
    swarm_leaves_it()
        en "Nothing, if that is meant. Draining or losing this machine does not move the application to another one."
        zh "如果符合预期，无需处理。注意：本机排空（drain）或故障时，应用不会迁移到其他节点。";
    docker_is_podman(path: &str)
        en "{path} belongs to Podman and stays: the word docker will mean Podman here, not the engine of this application."
        zh "{path} 属于 Podman，将予以保留：在本机上输入 docker 调用的是 Podman，而不是本应用的引擎。";
    docker_stays(path: &str)
        en "{path} is there without an engine; it stays, and may be too old for the one installed now."
        zh "{path} 已存在（但没有引擎），将予以保留；它可能比即将安装的引擎旧。";
    manage_by_control(control: &impl std::fmt::Display)
        en "Manage the application with {control}."
        zh "请用 {control} 管理本应用。";
    data_of_earlier(root: &str)
        en "{root} has images of an engine that was here before; they and its containers will be there again."
        zh "{root} 中有以前的引擎留下的镜像，安装后这些镜像及其容器会重新出现。";
    move_data_away(root: &str)
        en "If nothing of it is needed: {SUDO}mv {root} {root}.old"
        zh "如果确认不再需要：{SUDO}mv {root} {root}.old";
    container_name_taken(name: &str, project: &str)
        en "A container named {name} is there already, of another project ({project})."
        zh "已存在名为 {name} 的容器，属于其他项目（{project}）。";
    remove_container(name: &str)
        en "If it is not needed any more: {SUDO}docker rm -f {name}; else rename it: {SUDO}docker rename {name} NEWNAME"
        zh "如果不再需要：{SUDO}docker rm -f {name}；否则请改名：{SUDO}docker rename {name} 新名称";
    ask_vendor_for_subnet()
        en "Ask the vendor for a bundle with another network (networks: ... ipam in the Compose file)."
        zh "请联系厂商更换网段（Compose 文件 networks 下的 ipam 配置）。";
    a_route(net: &str) en "the route to {net}" zh "通往 {net} 的路由";
}

/// A network that the Compose file fixes, and what is there already.
pub fn subnet_taken(net: &str, what: &Message) -> Message {
    Message {
        en: format!("The application's network {net} collides with {}.", what.en),
        zh: format!("应用使用的网段 {net} 与 {} 冲突。", what.zh),
    }
}
