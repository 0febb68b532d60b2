//! Preflight: networks, firewall, name resolution.

use super::{Message, SUDO, messages};

messages! {
    firewall_lets_through(name: &str) en "{name} lets the application's ports through." zh "{name} 已放行应用的端口。";
    firewall_blocks(name: &str, ports: &str)
        en "{name} is active and does not let through: {ports}. Other machines may not reach these ports."
        zh "{name} 已启用且未放行端口：{ports}。其他机器可能无法访问这些端口。";
    open_firewall(command: &str)
        en "If other machines shall reach them: {command}"
        zh "如需供其他机器访问，请执行：{command}";
    let_open_firewall(command: &str)
        en "If other machines shall reach them, let the installer open them (y in the wizard, open_firewall = true in an answers file), or do it yourself: {command}"
        zh "如需供其他机器访问，可由安装程序放行（在向导中对该项选 y，或在应答文件中写 open_firewall = true），也可自行执行：{command}";
    firewall_will_be_opened(name: &str)
        en "{name} is active; the installation will open the application's ports in it."
        zh "{name} 已启用，安装时会放行应用的端口。";
    firewall_is_unsaved()
        en "firewalld has settings that hold only until it is reloaded, and Docker has it reloaded when it first starts: they would be lost."
        zh "firewalld 中有仅在重新加载前有效的临时规则。Docker 首次启动时会触发 firewalld 重新加载，这些规则将会丢失。";
    save_firewall()
        en "Keep them first: {SUDO}firewall-cmd --runtime-to-permanent. Compare beforehand: {SUDO}firewall-cmd --list-all-zones, and the same with --permanent."
        zh "如需保留，请先执行 {SUDO}firewall-cmd --runtime-to-permanent。可先对比 {SUDO}firewall-cmd --list-all-zones 与加上 --permanent 后的输出。";
    pools_fit() en "Docker's networks do not collide with those around this machine." zh "Docker 网络与现有网络不冲突。";
    pools_are_used_up()
        en "All networks that Docker could take for itself have routes on this machine: the engine would not start."
        zh "Docker 可用的网段在本机上都已有路由，引擎将无法启动。";
    choose_pool(net: &str, path: &str)
        en "Give Docker a network that is not used at this site, for instance {net}; in {path}: {{\"default-address-pools\":[{{\"base\":\"{net}\",\"size\":24}}]}}"
        zh "请为 Docker 指定本单位未使用的网段，例如 {net}。写入 {path}：{{\"default-address-pools\":[{{\"base\":\"{net}\",\"size\":24}}]}}";
    choose_pool_and_restart(net: &str, path: &str)
        en "Give Docker another network, for instance {net}, in {path} (\"default-address-pools\"), and restart it; this stops its containers for a moment."
        zh "请在 {path} 中用 \"default-address-pools\" 为 Docker 指定其他网段（例如 {net}）并重启 Docker；重启期间容器会短暂停止。";
    choose_bridge(net: &str, path: &str)
        en "In {path}, \"bip\" is the address of Docker's own bridge: give it one that is not used at this site, for instance from {net}, or remove it; restart Docker if it runs."
        zh "{path} 中的 \"bip\" 是 Docker 默认网桥的地址：请改为本单位未使用的地址（例如取自 {net}），或删除该项；如 Docker 正在运行，请重启 Docker（期间容器会短暂停止）。";
    your_ssh() en "your SSH connection" zh "当前的 SSH 连接";
    a_gateway() en "a router" zh "网关";
    a_nameserver() en "a name server" zh "DNS 服务器";
    the_answer(id: &str) en "the answer {id}" zh "配置项 {id}";
    names_cannot_resolve(names: &str)
        en "There is no name server in /etc/resolv.conf, and these answers name hosts: {names}."
        zh "/etc/resolv.conf 中没有 DNS 服务器，而以下配置项使用了主机名：{names}。";
    names_cannot_resolve_inside(names: &str)
        en "The only name server is on this machine itself, which containers cannot ask; these answers name hosts: {names}."
        zh "唯一的 DNS 服务器在本机上，容器无法使用；而以下配置项使用了主机名：{names}。";
    give_addresses()
        en "Give IP addresses instead, or a name server: \"dns\": [\"ADDRESS\"] in /etc/docker/daemon.json."
        zh "请改填 IP 地址，或在 /etc/docker/daemon.json 中指定 DNS 服务器：\"dns\": [\"地址\"]。";
    names_resolve() en "A name server is set." zh "已设置 DNS 服务器。";
    over_ssh(client: &str)
        en "Connected by SSH from {client}. If the line drops, run the same command again: it goes on."
        zh "当前通过 SSH 从 {client} 连接。如果连接中断，请重新运行同一条命令；已开始的安装不会因此停止。";
    in_multiplexer() en "Running in tmux or screen." zh "正在 tmux 或 screen 中运行。";
}

/// A network that is certain to be made, and what lies in it.
pub fn pool_covers(net: &str, what: &Message, address: &str) -> Message {
    Message {
        en: format!(
            "Docker will take the network {net} for itself, and {address} ({}) lies in it: it could no longer be reached.",
            what.en
        ),
        zh: format!("Docker 将占用网段 {net}，而 {address}（{}）位于其中：安装后将无法连通该地址。", what.zh),
    }
}

/// A network that may be made, and what lies in it.
pub fn pool_may_cover(net: &str, what: &Message, address: &str) -> Message {
    Message {
        en: format!(
            "Docker may take the network {net} for this application, and {address} ({}) lies in it: it could no longer be reached.",
            what.en
        ),
        zh: format!(
            "Docker 可能为本应用占用网段 {net}，而 {address}（{}）位于其中：届时将无法连通该地址。",
            what.zh
        ),
    }
}
