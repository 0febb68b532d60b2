//! The stable names of all findings: scripts, answers files and `docs/preflight.md` depend on them.

/// Every id that a finding can have, in alphabetical order.
pub const IDS: [&str; 59] = [
    "address-pool",
    "answers-file",
    "apparmor",
    "arch",
    "certificate",
    "certificate-key",
    "cgroup",
    "check-url",
    "clock",
    "commands",
    "compose",
    "container-name",
    "containerd",
    "control",
    "cores",
    "cpu",
    "daemon-json",
    "dir-filesystem",
    "dir-length",
    "dir-writers",
    "disk",
    "dns",
    "docker-command",
    "engine",
    "engine-data",
    "engine-driver",
    "engine-users",
    "filesystem",
    "firewall",
    "firewall-unsaved",
    "forwarding",
    "free-memory",
    "image-name",
    "inodes",
    "iptables",
    "iptables-mix",
    "kernel",
    "kernel-modules",
    "memory",
    "mount",
    "noexec",
    "older-bundle",
    "open-files",
    "port",
    "port-twice",
    "project",
    "project-name",
    "read-only",
    "reboot",
    "root",
    "selinux",
    "signature",
    "ssh",
    "subnet",
    "swarm",
    "sysctl",
    "system",
    "unit",
    "volumes",
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::IDS;

    /// The ids that the code gives to findings: the first argument of their constructors.
    fn ids_in_code() -> BTreeSet<String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let folder = std::fs::read_dir(source.join("preflight")).unwrap().map(|entry| entry.unwrap().path());
        let files = folder
            .filter(|path| path.is_file() && !path.ends_with("tests.rs") && !path.ends_with("id.rs"))
            .chain([source.join("install.rs"), source.join("trust.rs")]);
        let mut ids = BTreeSet::new();
        for text in files.map(|path| std::fs::read_to_string(path).unwrap()) {
            for constructor in ["Finding::pass(", "Finding::warn(", "Finding::fail("] {
                for call in text.split(constructor).skip(1) {
                    let id = call.trim_start().strip_prefix('"').expect("an id is given as a literal");
                    ids.insert(id.split('"').next().unwrap().to_owned());
                }
            }
        }
        ids
    }

    #[test]
    fn ids_in_code_and_in_the_list_are_the_same() {
        let listed: BTreeSet<_> = IDS.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(ids_in_code(), listed);
        assert!(IDS.is_sorted());
    }

    #[test]
    fn the_document_describes_every_id() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/preflight.md");
        let text = std::fs::read_to_string(path).unwrap();
        let table = text.split("## All findings").nth(1).unwrap().split("\n## ").next().unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.collect::<Vec<_>>(), IDS);
    }
}
