//! Collects what the machine itself is like.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::bounded::text;
use super::{Family, Machine};
use crate::host::process;

/// Commands that the engine calls, or that installing it needs.
const NEEDED_COMMANDS: [&str; 2] = ["iptables", "modprobe"];

/// Where a host's containerd listens; dockerd uses it if it is there.
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// Reads the machine's facts; what cannot be read is left empty.
pub fn collect() -> Machine {
    let uname = rustix::system::uname();
    let own = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let read = |path: &str| text(path).unwrap_or_default();
    let (meminfo, os_release) = (read("/proc/meminfo"), read("/etc/os-release"));
    let missing = NEEDED_COMMANDS.iter().filter(|name| process::find(name).is_none());
    Machine {
        is_root: rustix::process::geteuid().is_root(),
        arch: own(uname.machine()),
        kernel: own(uname.release()),
        memory: kibibytes(&meminfo, "MemTotal:").min(memory_limit()),
        free_memory: kibibytes(&meminfo, "MemAvailable:"),
        cores: std::thread::available_parallelism()
            .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        missing_commands: missing.map(|name| (*name).to_owned()).collect(),
        os: os_name(&os_release),
        family: family(&os_release),
        boot_id: read("/proc/sys/kernel/random/boot_id").trim().to_owned(),
        has_foreign_containerd: std::os::unix::net::UnixStream::connect(CONTAINERD_SOCKET).is_ok(),
        cpu_flags: cpu_flags(&read("/proc/cpuinfo")),
        is_container: is_container(),
        clock: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        open_files: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.unwrap_or(u64::MAX),
        docker_command: docker_command(),
    }
}

/// Whether this machine is a container itself.
fn is_container() -> bool {
    ["/run/systemd/container", "/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|path| Path::new(path).exists())
}

/// The memory that a container of a machine may use; without a limit everything.
fn memory_limit() -> u64 {
    if !is_container() {
        // Elsewhere a limit would be that of a session, which does not hold for services.
        return u64::MAX;
    }
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    limits.iter().find_map(|path| text(path)?.trim().parse().ok()).unwrap_or(u64::MAX)
}

/// What the first processor says that it can do.
fn cpu_flags(cpuinfo: &str) -> Vec<String> {
    let line = cpuinfo.lines().find_map(|line| line.strip_prefix("flags")?.split_once(':'));
    line.map(|(_, flags)| flags.split_whitespace().map(str::to_owned).collect()).unwrap_or_default()
}

/// A `docker` command that is there, and whether it is Podman under another name.
fn docker_command() -> Option<(PathBuf, bool)> {
    let path = process::find("docker")?;
    let ours = crate::layout::EngineHome::System.bin();
    if path.canonicalize().is_ok_and(|real| real.starts_with(ours)) {
        return None;
    }
    // The package podman-docker brings a script of a few lines.
    let is_podman = path.metadata().is_ok_and(|metadata| metadata.len() < 4096)
        && text(&path).is_some_and(|script| script.contains("podman"));
    Some((path, is_podman))
}

/// A line of `/proc/meminfo` in bytes. A machine sold as "4 GB" has a little less, which preflight allows for.
fn kibibytes(meminfo: &str, name: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes =
        line.and_then(|rest| rest.trim().split(' ').next()).and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}

/// The distribution's family decides by which command a package is installed.
fn family(os_release: &str) -> Family {
    let values =
        os_release.lines().filter_map(|line| line.strip_prefix("ID_LIKE=").or(line.strip_prefix("ID=")));
    let words: Vec<_> = values.flat_map(|value| value.trim_matches(['"', '\'']).split(' ')).collect();
    let is = |names: &[&str]| words.iter().any(|word| names.contains(word));
    if is(&["debian", "ubuntu", "uos", "deepin"]) {
        Family::Debian
    } else if is(&["rhel", "fedora", "centos", "openeuler", "openEuler", "kylin", "anolis", "alinux", "ol"]) {
        Family::RedHat
    } else if is(&["suse", "opensuse", "sles"]) {
        Family::Suse
    } else {
        Family::Other
    }
}

fn os_name(os_release: &str) -> String {
    let line = os_release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="));
    line.unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_and_etc_files_are_read() {
        assert_eq!(kibibytes("MemTotal:       24689152 kB\nMemFree: 1 kB\n", "MemTotal:"), 24_689_152 * 1024);
        assert_eq!(kibibytes("", "MemTotal:"), 0);
        assert_eq!(os_name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"), "Debian GNU/Linux 12");
    }

    #[test]
    fn the_family_is_told_by_id_and_likeness() {
        let table = [
            ("ID=debian\n", Family::Debian),
            ("ID=ubuntu\nID_LIKE=debian\n", Family::Debian),
            ("ID=\"centos\"\nID_LIKE=\"rhel fedora\"\n", Family::RedHat),
            ("ID=\"kylin\"\n", Family::RedHat),
            ("ID=\"openEuler\"\n", Family::RedHat),
            ("ID=\"sles\"\nID_LIKE=\"suse\"\n", Family::Suse),
            ("ID=arch\n", Family::Other),
            ("", Family::Other),
        ];
        for (os_release, expected) in table {
            assert_eq!(family(os_release), expected, "{os_release}");
        }
    }

    #[test]
    fn the_processor_says_what_it_can_do() {
        let flags =
            cpu_flags("processor\t: 0\nflags\t\t: fpu sse4_2 avx2\nbogomips: 1\nprocessor: 1\nflags: x\n");
        assert_eq!(flags, ["fpu", "sse4_2", "avx2"]);
        assert!(cpu_flags("").is_empty());
    }
}
