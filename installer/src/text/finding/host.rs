//! Preflight: the machine and its kernel.

use super::{SUDO, messages};

messages! {
    system(os: &str, kernel: &str) en "{os}, kernel {kernel}." zh "{os}，内核 {kernel}。";
    cpu_fits() en "The processor can do what the application needs." zh "处理器满足应用要求。";
    cpu_lacks(names: &str) en "The processor lacks: {names}." zh "处理器缺少：{names}。";
    get_newer_cpu()
        en "Use another machine. In a virtual machine, let it have the host's processor type (host-passthrough)."
        zh "请换用其他机器；如果是虚拟机，请将 CPU 类型改为与宿主机一致（host-passthrough）。";
    memory_is_used(free: &str, wanted: &str)
        en "Only {free} of memory is not in use; {wanted} should be."
        zh "可用内存只有 {free}，建议不少于 {wanted}。";
    stop_other_programs()
        en "Stop programs that are not needed: ps aux --sort=-rss | head"
        zh "请停止不需要的程序：ps aux --sort=-rss | head";
    clock_plausible() en "The clock is plausible." zh "系统时间正常。";
    clock_behind(now: &str, made: &str)
        en "The clock says {now}, but this file was made on {made}: it is slow."
        zh "系统时间是 {now}，而安装包制作于 {made}：系统时间偏慢。";
    clock_ahead(now: &str, made: &str)
        en "The clock says {now}, years after this file was made ({made})."
        zh "系统时间是 {now}，比安装包的制作时间（{made}）晚了许多年。";
    set_clock()
        en "Set it: {SUDO}timedatectl set-ntp false; {SUDO}timedatectl set-time 'YYYY-MM-DD hh:mm:ss'. Logins and certificates depend on it."
        zh "请校准：{SUDO}timedatectl set-ntp false; {SUDO}timedatectl set-time 'YYYY-MM-DD hh:mm:ss'。登录和证书都依赖系统时间。";
    setting_fits(name: &str, value: &str) en "{name} is {value}." zh "{name} 为 {value}。";
    setting_too_low(name: &str, value: &str, needed: u64)
        en "{name} is {value}; at least {needed} is needed."
        zh "{name} 为 {value}，至少需要 {needed}。";
    raise_setting(name: &str, needed: u64)
        en "Run: echo {name}={needed} | {SUDO}tee /etc/sysctl.d/60-{name}.conf && {SUDO}sysctl --system"
        zh "请执行：echo {name}={needed} | {SUDO}tee /etc/sysctl.d/60-{name}.conf && {SUDO}sysctl --system";
    few_open_files(limit: u64)
        en "Programs started here may open {limit} files at most, and so may the containers of an engine started here."
        zh "在此启动的程序最多只能打开 {limit} 个文件，由此启动的引擎及其容器也受此限制。";
    raise_open_files()
        en "Run: ulimit -n 65536, then this command again in the same shell."
        zh "请先执行：ulimit -n 65536，再在同一终端中重新运行本命令。";
    modules_there() en "The kernel has what an engine needs." zh "内核满足引擎要求。";
    modules_missing(names: &str)
        en "The kernel has no modules that an engine needs: {names}."
        zh "内核缺少引擎需要的模块：{names}。";
    install_modules_debian(kernel: &str)
        en "Install the kernel's whole package (linux-image-{kernel}, linux-modules-extra-{kernel}), or use a standard kernel."
        zh "请安装完整的内核软件包（linux-image-{kernel}、linux-modules-extra-{kernel}），或换用标准内核。";
    install_modules_redhat(kernel: &str)
        en "Install the rest of the kernel's modules: {SUDO}dnf install kernel-modules-{kernel} kernel-modules-extra-{kernel}"
        zh "请安装其余的内核模块：{SUDO}dnf install kernel-modules-{kernel} kernel-modules-extra-{kernel}";
    install_modules() en "Install all modules of this kernel, or use a standard one." zh "请安装该内核的全部模块，或换用标准内核。";
    module_forbidden(name: &str, path: &str)
        en "{path} forbids loading the module {name}, which an engine needs."
        zh "{path} 禁止加载引擎需要的内核模块 {name}。";
    allow_module(name: &str, path: &str)
        en "Remove the line \"install {name}\" from {path}, if the rules of this site allow it."
        zh "如安全规定允许，请从 {path} 中删除“install {name}”一行。";
    kernel_updated(kernel: &str)
        en "There are no modules for the running kernel {kernel}: probably it was updated since the last boot."
        zh "找不到当前内核 {kernel} 的模块：可能升级内核后尚未重启。";
    reboot_first() en "Reboot, then run again." zh "请先重启机器，再重新运行。";
    cgroups_fit(version: u8) en "Control groups version {version}." zh "cgroup 版本：v{version}。";
    cgroups_none() en "No control groups are mounted: no engine can start." zh "未挂载 cgroup，引擎无法启动。";
    mount_cgroups()
        en "Boot with systemd, or mount them: {SUDO}mount -t cgroup2 none /sys/fs/cgroup"
        zh "请使用 systemd 启动系统，或手动挂载：{SUDO}mount -t cgroup2 none /sys/fs/cgroup";
    cgroups_too_new(version: &str)
        en "This machine has control groups version 2 alone; the bundled Docker {version} cannot use them."
        zh "本机只有 cgroup v2，安装包自带的 Docker {version} 不支持。";
    switch_cgroups()
        en "Add systemd.unified_cgroup_hierarchy=0 to the kernel's command line and reboot, or ask the vendor for Docker 20.10 or later."
        zh "请在内核启动参数中加入 systemd.unified_cgroup_hierarchy=0 并重启机器，或向厂商索取自带 Docker 20.10 及以上版本的安装包。";
    controllers_missing(names: &str) en "Control groups lack: {names}." zh "cgroup 缺少控制器：{names}。";
    enable_controllers()
        en "Enable them on the kernel's command line (cgroup_enable=memory for memory) and reboot; limits of services do not hold without."
        zh "请在内核启动参数中启用（内存控制器为 cgroup_enable=memory）并重启机器；否则服务的资源限制不生效。";
    rules_in_both(used: &str, other: &str)
        en "iptables writes to {used} here, and {other} has rules as well: one may block what the other allows."
        zh "本机的 iptables 使用 {used}，而 {other} 中也有规则：一边放行的流量可能被另一边拦截。";
    use_one_filter()
        en "Keep one: look with {SUDO}iptables-legacy-save and {SUDO}nft list ruleset, and remove the rules of the one not meant."
        zh "请只保留一种：用 {SUDO}iptables-legacy-save 和 {SUDO}nft list ruleset 查看，并清除不需要的那一边的规则。";
    forwarding_is_off(path: &str)
        en "{path} turns IPv4 forwarding off: whenever it is applied again, containers lose the network."
        zh "{path} 关闭了 IPv4 转发：该设置一旦重新生效，容器将断网。";
    turn_forwarding_on(path: &str)
        en "Set net.ipv4.ip_forward=1 in {path}."
        zh "请在 {path} 中设置 net.ipv4.ip_forward=1。";
    selinux_enforces()
        en "SELinux is enforcing; it does not confine the containers of the engine installed here."
        zh "SELinux 处于强制模式，但不限制此处安装的引擎中的容器。";
    selinux_confines(dir: &str)
        en "SELinux confines this engine's containers: they may not read the project files in {dir}."
        zh "SELinux 会限制该引擎的容器：容器可能无法读取 {dir} 中的应用文件。";
    label_dir(dir: &str)
        en "If a service is denied its files: {SUDO}chcon -Rt container_file_t {dir}, then run again."
        zh "如果服务无权访问文件，请执行 {SUDO}chcon -Rt container_file_t {dir}，再重新运行。";
    apparmor_cannot_load()
        en "AppArmor is on, and its program apparmor_parser is missing: containers run without its protection."
        zh "AppArmor 已启用，但缺少 apparmor_parser：容器将不受其保护。";
    install_apparmor(command: &str)
        en "Install it from the system's installation media: {command}"
        zh "请从系统安装光盘或内网软件源安装：{command}";
}
