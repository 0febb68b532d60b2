//! Collects what the running kernel offers to an engine: modules, control groups, packet filter, security modules.

use std::collections::BTreeMap;
use std::path::Path;

use super::bounded::text;
use crate::host::process;

/// What the running kernel offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kernel {
    /// Parts that an engine needs, each as far as it can be known.
    pub parts: BTreeMap<&'static str, Presence>,
    /// Modules are in use, and there are none for the running kernel: it was updated, and the machine not rebooted.
    pub lacks_modules: bool,
    /// Control groups.
    pub cgroup: Cgroup,
    /// Controllers that are there.
    pub controllers: Vec<String>,
    /// What the `iptables` command writes to.
    pub iptables: Option<Backend>,
    /// The other of the two packet filters has rules as well.
    pub has_other_rules: bool,
    /// SELinux enforces its policy.
    pub selinux_enforces: bool,
    /// AppArmor is on, and the program that loads its profiles is not there.
    pub lacks_apparmor_parser: bool,
    /// A file that turns IPv4 forwarding off at every boot.
    pub forwarding_off: Option<String>,
    /// Kernel settings that the application asks for, as they are.
    pub settings: BTreeMap<String, String>,
}

/// Whether a part of the kernel is at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Built in, loaded, or there to be loaded.
    There,
    /// This file forbids to load it.
    Forbidden(String),
    /// Not there.
    Missing,
    /// Cannot be known: the kernel's modules are not to be seen from here.
    Unknown,
}

/// How control groups are mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cgroup {
    /// Not at all.
    #[default]
    None,
    /// Version 1, perhaps with an empty version 2 beside it.
    V1,
    /// Version 2 alone.
    V2,
}

/// Where packet filter rules go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// `ip_tables`.
    Legacy,
    /// `nf_tables`.
    Nft,
}

/// Parts that every engine needs: for images, containers, and bridge networks.
const PARTS: [&str; 6] = ["overlay", "veth", "bridge", "nf_nat", "xt_addrtype", "xt_conntrack"];

/// Reads what the kernel offers. `release` is its name, `is_container` says that its modules may lie elsewhere, and
/// `settings` are the names of settings that are wanted.
pub fn collect(release: &str, is_container: bool, settings: &[&str]) -> Kernel {
    let modules = Modules::read(release);
    let iptables = backend();
    let needed = PARTS.into_iter().chain((iptables == Some(Backend::Nft)).then_some("nft_compat"));
    let (cgroup, controllers) = control_groups();
    let has_rules_elsewhere = match iptables {
        // The names of the tables that somebody has filled through the older interface.
        Some(Backend::Nft) => text("/proc/net/ip_tables_names").is_some_and(|names| !names.trim().is_empty()),
        Some(Backend::Legacy) => modules.users("nf_tables") > 0,
        None => false,
    };
    let is_on = |path: &str, value: &str| text(path).is_some_and(|text| text.trim() == value);
    Kernel {
        parts: needed.map(|name| (name, modules.presence(name))).collect(),
        lacks_modules: !is_container && modules.loaded.is_some() && modules.tree.is_none(),
        cgroup,
        controllers,
        iptables,
        has_other_rules: has_rules_elsewhere,
        selinux_enforces: is_on("/sys/fs/selinux/enforce", "1"),
        lacks_apparmor_parser: is_on("/sys/module/apparmor/parameters/enabled", "Y")
            && process::find("apparmor_parser").is_none(),
        forwarding_off: forwarding_off(Path::new("/")),
        settings: settings.iter().filter_map(|name| Some(((*name).to_owned(), setting(name)?))).collect(),
    }
}

/// A kernel setting by its dotted name.
fn setting(name: &str) -> Option<String> {
    let path = name.replace('.', "/");
    if path.split('/').any(|part| part == ".." || part.is_empty()) {
        return None;
    }
    text(Path::new("/proc/sys").join(path)).map(|value| value.trim().to_owned())
}

/// What is known of the kernel's modules.
#[derive(Debug, Default)]
struct Modules {
    /// `/proc/modules`: those that are loaded; nothing where the kernel has no modules at all.
    loaded: Option<String>,
    /// `modules.builtin` and `modules.dep`: those that are built in or can be loaded.
    tree: Option<String>,
    /// `/proc/filesystems`.
    filesystems: String,
    /// `/sys/module`: those that are loaded, and those that are built in and have settings.
    active: Vec<String>,
    /// What `modprobe` is told not to load, with the file that says so.
    forbidden: BTreeMap<String, String>,
}

impl Modules {
    fn read(release: &str) -> Self {
        let roots = ["/lib/modules", "/usr/lib/modules"].map(|root| Path::new(root).join(release));
        let tree = roots.iter().find_map(|root| text(root.join("modules.dep")).map(|dep| (root, dep)));
        let built_in = |root: &Path| text(root.join("modules.builtin")).unwrap_or_default();
        Self {
            loaded: text("/proc/modules"),
            tree: tree.map(|(root, dep)| built_in(root) + &dep),
            filesystems: text("/proc/filesystems").unwrap_or_default(),
            active: std::fs::read_dir("/sys/module")
                .into_iter()
                .flatten()
                .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
                .collect(),
            forbidden: forbidden(Path::new("/")),
        }
    }

    fn presence(&self, name: &str) -> Presence {
        let loaded = self.loaded.as_deref().unwrap_or_default();
        let is_loaded = loaded.lines().any(|line| line.split(' ').next() == Some(name))
            || self.filesystems.split_whitespace().any(|known| known == name)
            || self.active.iter().any(|known| known == name);
        let is_in = |tree: &String| tree.contains(&format!("/{name}.ko"));
        match (&self.tree, self.forbidden.get(name)) {
            _ if is_loaded => Presence::There,
            (Some(tree), Some(file)) if is_in(tree) => Presence::Forbidden(file.clone()),
            (Some(tree), None) if is_in(tree) => Presence::There,
            (Some(_), _) => Presence::Missing,
            (None, _) => Presence::Unknown,
        }
    }

    /// How many others use a loaded module.
    fn users(&self, name: &str) -> u32 {
        let mut lines = self.loaded.as_deref().unwrap_or_default().lines().map(|line| line.split(' '));
        let users = lines.find_map(|mut words| (words.next() == Some(name)).then(|| words.nth(1)).flatten());
        users.and_then(|count| count.parse().ok()).unwrap_or(0)
    }
}

/// Lines `install NAME /bin/true` or `/bin/false`, as hardening guides ask for.
fn forbidden(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, content) in configurations(root, &["usr/lib/modprobe.d", "etc/modprobe.d", "run/modprobe.d"]) {
        for line in content.lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            if let ["install", name, command, ..] = words[..]
                && matches!(command.rsplit('/').next(), Some("true" | "false"))
            {
                found.insert(name.replace('-', "_"), path.clone());
            }
        }
    }
    found
}

/// The file whose word counts last, if it turns forwarding off.
fn forwarding_off(root: &Path) -> Option<String> {
    let mut settings = sysctls(root).into_iter().filter(|(_, name, _)| name == "net.ipv4.ip_forward");
    settings.next_back().filter(|(_, _, value)| value == "0").map(|(path, _, _)| path)
}

/// Whether any file lets the machine pass IPv4 packets on, from one network interface or all.
pub fn is_forwarding_configured(root: &Path) -> bool {
    let is_switch = |name: &str| name == "net.ipv4.ip_forward" || name.ends_with(".forwarding");
    sysctls(root).iter().any(|(_, name, value)| is_switch(name) && value == "1")
}

/// What files set for the kernel at every boot, in the order in which they count: path, name with dots, value.
fn sysctls(root: &Path) -> Vec<(String, String, String)> {
    let folders = ["usr/lib/sysctl.d", "usr/local/lib/sysctl.d", "etc/sysctl.d", "run/sysctl.d"];
    let mut files = configurations(root, &folders);
    // `sysctl --system` reads them by name whatever the folder, and this one last.
    files.sort_by(|(a, _), (b, _)| a.rsplit('/').next().cmp(&b.rsplit('/').next()));
    let last = root.join("etc/sysctl.conf");
    files.extend(text(&last).map(|content| (last.display().to_string(), content)));
    let words = files.iter().flat_map(|(path, content)| content.lines().map(move |line| (path, line)));
    let setting = |(path, line): (&String, &str)| {
        let (name, value) = line.trim().trim_start_matches('-').split_once('=')?;
        Some((path.clone(), name.trim().replace('/', "."), value.trim().to_owned()))
    };
    words.filter_map(setting).collect()
}

/// All `*.conf` of these folders with their text.
fn configurations(root: &Path, folders: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(root.join(folder)) else { continue };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        let files = paths.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "conf"));
        found.extend(files.filter_map(|path| Some((path.display().to_string(), text(&path)?))));
    }
    found
}

fn control_groups() -> (Cgroup, Vec<String>) {
    let mounts = text("/proc/self/mounts").unwrap_or_default();
    let kinds: Vec<_> = mounts.lines().filter_map(|line| line.split(' ').nth(2)).collect();
    if kinds.contains(&"cgroup") {
        // Name, hierarchy, number, enabled.
        let known = text("/proc/cgroups").unwrap_or_default();
        let enabled = known.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let enabled = enabled.filter(|words| words.get(3) == Some(&"1"));
        return (Cgroup::V1, enabled.map(|words| words[0].to_owned()).collect());
    }
    if kinds.contains(&"cgroup2") {
        let names = text("/sys/fs/cgroup/cgroup.controllers").unwrap_or_default();
        return (Cgroup::V2, names.split_whitespace().map(str::to_owned).collect());
    }
    (Cgroup::None, Vec::new())
}

/// What lies behind `iptables`: the alternatives of the distributions lead to one program for each interface.
fn backend() -> Option<Backend> {
    let program = process::find("iptables")?.canonicalize().ok()?;
    let name = program.file_name()?.to_string_lossy().into_owned();
    Some(if name.contains("nft") { Backend::Nft } else { Backend::Legacy })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules() -> Modules {
        Modules {
            loaded: Some("nf_tables 372736 12 nft_compat, Live 0x0\nveth 1 0 - Live 0x0\n".into()),
            tree: Some(
                "kernel/net/bridge/bridge.ko\nkernel/fs/overlayfs/overlay.ko.xz: kernel/x.ko\n".into(),
            ),
            filesystems: "nodev\tsysfs\n\text4\n".into(),
            active: vec!["nf_nat".into()],
            forbidden: BTreeMap::new(),
        }
    }

    #[test]
    fn a_module_is_loaded_built_in_loadable_forbidden_or_missing() {
        let mut modules = modules();
        assert_eq!(modules.presence("veth"), Presence::There);
        assert_eq!(modules.presence("bridge"), Presence::There);
        assert_eq!(modules.presence("nf_nat"), Presence::There);
        assert_eq!(modules.presence("overlay"), Presence::There);
        assert_eq!(modules.presence("no_such_module"), Presence::Missing);
        modules.forbidden.insert("overlay".into(), "/etc/modprobe.d/cis.conf".into());
        assert_eq!(modules.presence("overlay"), Presence::Forbidden("/etc/modprobe.d/cis.conf".into()));
        modules.filesystems.push_str("nodev\toverlay\n");
        assert_eq!(modules.presence("overlay"), Presence::There);
        modules.tree = None;
        assert_eq!(modules.presence("no_such_module"), Presence::Unknown);
        assert_eq!(modules.users("nf_tables"), 12);
        assert_eq!(modules.users("veth"), 0);
    }

    fn write(root: &Path, path: &str, content: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    #[test]
    fn hardening_is_read_from_its_files() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), "etc/modprobe.d/cis.conf", "# no\ninstall overlay /bin/false\nblacklist floppy\n");
        let forbidden = forbidden(root.path());
        assert_eq!(forbidden.keys().collect::<Vec<_>>(), ["overlay"]);
        assert_eq!(forwarding_off(root.path()), None);
        write(root.path(), "etc/sysctl.d/60-cis.conf", "net.ipv4.ip_forward = 0\n");
        assert!(forwarding_off(root.path()).unwrap().ends_with("60-cis.conf"));
        // What comes later wins, whatever the folder.
        write(root.path(), "usr/lib/sysctl.d/99-docker.conf", "net/ipv4/ip_forward=1\n");
        assert_eq!(forwarding_off(root.path()), None);
        write(root.path(), "etc/sysctl.conf", "#net.ipv4.ip_forward=1\nnet.ipv4.ip_forward=0\n");
        assert!(forwarding_off(root.path()).unwrap().ends_with("etc/sysctl.conf"));
    }

    /// It was switched off under a tunnel that was down at that moment.
    #[test]
    fn who_has_configured_forwarding_is_known() {
        let root = tempfile::tempdir().unwrap();
        assert!(!is_forwarding_configured(root.path()));
        for (text, is_configured) in [
            ("# net.ipv4.ip_forward = 1\n;net.ipv4.ip_forward=1\nnet.ipv4.ip_forward = 0\n", false),
            ("net.ipv4.ip_forward=1\n", true),
            (" -net/ipv4/conf/all/forwarding = 1", true),
        ] {
            write(root.path(), "etc/sysctl.d/50-vpn.conf", text);
            assert_eq!(is_forwarding_configured(root.path()), is_configured, "{text}");
        }
    }

    #[test]
    fn settings_are_read_by_their_dotted_names_and_nothing_else_is() {
        assert!(setting("kernel.ostype").is_some_and(|value| value == "Linux"));
        assert_eq!(setting("kernel.no_such_setting"), None);
        assert_eq!(setting("../../etc/hostname"), None);
    }
}
