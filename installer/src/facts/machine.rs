//! Collects what the machine itself is like.

use std::path::{Path, PathBuf};

use super::Machine;
use crate::host::process;

/// Commands that the engine calls, or that installing it needs.
const NEEDED_COMMANDS: [&str; 2] = ["iptables", "modprobe"];

/// Where distributions and Docker's packages put the Compose plugin.
const COMPOSE_PLUGINS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins/docker-compose",
    "/usr/local/libexec/docker/cli-plugins/docker-compose",
    "/usr/lib/docker/cli-plugins/docker-compose",
    "/usr/libexec/docker/cli-plugins/docker-compose",
];

/// Where a host's containerd listens; dockerd uses it if it is there.
const CONTAINERD_SOCKET: &str = "/run/containerd/containerd.sock";

/// Reads the machine's facts; what cannot be read is left empty.
pub fn collect() -> Machine {
    let uname = rustix::system::uname();
    let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let missing = NEEDED_COMMANDS.iter().filter(|name| process::find(name).is_none());
    Machine {
        is_root: rustix::process::geteuid().is_root(),
        arch: text(uname.machine()),
        kernel: text(uname.release()),
        memory: memory(&read("/proc/meminfo")),
        cores: std::thread::available_parallelism()
            .map_or(1, |cores| u32::try_from(cores.get()).unwrap_or(u32::MAX)),
        has_systemd: Path::new("/run/systemd/system").is_dir(),
        missing_commands: missing.map(|name| (*name).to_owned()).collect(),
        os: os_name(&read("/etc/os-release")),
        boot_id: read("/proc/sys/kernel/random/boot_id").trim().to_owned(),
        compose_plugin: COMPOSE_PLUGINS.into_iter().map(PathBuf::from).find(|path| path.is_file()),
        has_foreign_containerd: std::os::unix::net::UnixStream::connect(CONTAINERD_SOCKET).is_ok(),
    }
}

/// `MemTotal` in bytes. A machine sold as "4 GB" reports a little less, which preflight allows for.
fn memory(meminfo: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kibibytes =
        line.and_then(|rest| rest.trim().split(' ').next()).and_then(|number| number.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
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
        assert_eq!(memory("MemTotal:       24689152 kB\nMemFree: 1 kB\n"), 24_689_152 * 1024);
        assert_eq!(memory(""), 0);
        assert_eq!(os_name("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"), "Debian GNU/Linux 12");
    }
}
