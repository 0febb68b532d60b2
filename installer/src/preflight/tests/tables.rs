//! Every finding that is no pass, each with the one fact that calls it forth.

use std::collections::BTreeSet;

use bundle_spec::project::Check;
use bundle_spec::question::builtin::OPEN_FIREWALL;
use bundle_spec::question::{Question, QuestionId, QuestionKind};

use super::*;
use crate::facts::compose::{Answer, HostCompose};
use crate::facts::firewall::Firewall;
use crate::facts::kernel::Backend;
use crate::facts::route::Net;
use crate::facts::writers::{Writable, Writer};
use crate::host::firewall::Tool;
use crate::host::firewall::ufw::Rules;

/// Everything that findings depend on.
struct Case {
    facts: Facts,
    content: Content,
    choice: EngineChoice,
    dir: PathBuf,
    disk: Vec<DiskNeed>,
    given: Vec<(&'static str, QuestionKind, &'static str)>,
}

impl Case {
    fn new() -> Self {
        let choice = EngineChoice::Auto;
        let (disk, given) = (vec![], vec![]);
        Self { facts: facts(), content: content(), choice, dir: "/opt/shop".into(), disk, given }
    }

    fn findings(mut self) -> Vec<Finding> {
        let mut answers = Answers::default();
        for (id, kind, value) in self.given {
            let json = serde_json::json!({"id": id, "kind": kind, "required": true, "secret": false, "prompt": {"zh": id, "en": id}});
            let question: Question = serde_json::from_value(json).unwrap();
            answers.insert(question.id.clone(), question.parse(value).unwrap());
            self.content.questions.push(question);
        }
        let layout = Layout { dir: self.dir };
        let (content, disk) = (&self.content, &self.disk);
        let demand = Demand { content, layout: &layout, choice: self.choice, answers: &answers, disk };
        check(&self.facts, &demand)
    }

    /// Puts a file system below a path.
    fn mount(&mut self, path: &str, change: impl FnOnce(&mut FileSystem)) {
        let mut system = file_system(path, 99, 10_000);
        change(&mut system);
        let root = file_system("/", 1, 10_000);
        self.facts.storage = Storage::describe([(PathBuf::from("/"), root), (path.into(), system)]);
    }

    fn writable(&mut self, is_project: bool, by: Writer) {
        let path = if is_project { self.dir.clone() } else { "/opt".into() };
        self.facts.project.writable = vec![Writable { path, is_project, by }];
    }

    fn quirk(&mut self, quirks: Quirks) {
        self.facts.engine = running(Flavour::Docker, "28.5.2");
        if let EngineFacts::Running { description, .. } = &mut self.facts.engine {
            description.quirks = quirks;
        }
    }

    /// A host with a Compose plugin, for a bundle without one.
    fn compose(&mut self, answer: Answer) {
        self.content.engine = None;
        self.facts.engine = running(Flavour::Docker, "28.5.2");
        let path = "/usr/libexec/docker/cli-plugins/docker-compose".into();
        self.facts.compose = vec![HostCompose { path, answer }];
    }

    fn root(&mut self, path: &str) {
        self.facts.engine = running(Flavour::Docker, "28.5.2");
        if let EngineFacts::Running { description, .. } = &mut self.facts.engine {
            description.root = path.into();
        }
    }
}

type Change = fn(&mut Case);

fn net(text: &str) -> Net {
    Net::parse(text).unwrap()
}

fn listening(port: u16) -> Listener {
    listener(port, "nginx", 812, "0::/system.slice/nginx.service")
}

/// The wrong fact; which finding it gives; what must be in its text or advice, so that it is of use.
const FAILURES: &[(&str, &str, Change)] = &[
    ("root", "sudo", |case| case.facts.machine.is_root = false),
    ("arch", "aarch64", |case| case.facts.machine.arch = "aarch64".into()),
    ("kernel", "3.10", |case| case.facts.machine.kernel = "3.2.0".into()),
    ("kernel", "3.10", |case| {
        case.content.requirements.kernel = None;
        case.facts.machine.kernel = "2.6.32-754.el6.x86_64".into();
    }),
    ("cores", "1", |case| case.facts.machine.cores = 1),
    ("memory", "3.5 GB", |case| case.facts.machine.memory = 3_500_000_000),
    ("cpu", "avx512f", |case| case.content.requirements.cpu = vec!["avx2".into(), "avx512f".into()]),
    ("cpu", "ssse3", |case| case.content.requirements.cpu = vec!["x86-64-v2".into()]),
    ("cpu", "movbe", |case| case.content.requirements.cpu = vec!["x86-64-v3".into()]),
    ("sysctl", "echo vm.max_map_count=262144", |case| {
        case.content.requirements.sysctls = vec!["vm.max_map_count=262144".into()];
        case.facts.kernel.settings = [("vm.max_map_count".into(), "65530".into())].into();
    }),
    ("sysctl", "fs.none", |case| case.content.requirements.sysctls = vec!["fs.none=1".into()]),
    ("kernel-modules", "kernel-modules-extra", |case| {
        case.facts.machine.family = Family::RedHat;
        case.facts.kernel.parts.insert("xt_addrtype", Presence::Missing);
    }),
    ("kernel-modules", "/etc/modprobe.d/cis.conf", |case| {
        let file = "/etc/modprobe.d/cis.conf".to_owned();
        case.facts.kernel.parts.insert("overlay", Presence::Forbidden(file));
    }),
    ("cgroup", "cgroup2", |case| case.facts.kernel.cgroup = Cgroup::None),
    ("cgroup", "unified_cgroup_hierarchy=0", |case| {
        case.content.engine.as_mut().unwrap().version = Some("19.03.15".into());
    }),
    ("commands", "sudo apt-get install iptables kmod", |case| {
        case.facts.machine.missing_commands = vec!["iptables".into(), "modprobe".into()];
    }),
    ("mount", "/srv/nfs", |case| case.facts.storage.add_silent("/srv/nfs".into())),
    ("filesystem", "nfs4", |case| case.mount("/var/lib/docker", |system| system.kind = "nfs4".into())),
    ("filesystem", "ftype=0", |case| case.mount("/var/lib/docker", |system| system.lacks_d_type = true)),
    ("filesystem", "--dir", |case| {
        case.choice = EngineChoice::Private;
        case.mount("/opt/shop/engine", |system| system.kind = "fuse.sshfs".into());
    }),
    ("noexec", "remount,exec /usr/local", |case| case.mount("/usr/local", |system| system.no_exec = true)),
    ("noexec", "--dir", |case| case.mount("/opt", |system| system.no_exec = true)),
    ("read-only", "/usr", |case| case.mount("/usr", |system| system.read_only = true)),
    ("read-only", "/etc", |case| case.mount("/etc", |system| system.read_only = true)),
    ("disk", "missing", |case| {
        case.disk.push(DiskNeed { path: "/opt/shop".into(), bytes: 20_000, inodes: 1 });
    }),
    ("disk", "read-only", |case| {
        case.mount("/opt/shop", |system| system.read_only = true);
        case.disk.push(DiskNeed { path: "/opt/shop".into(), bytes: 1, inodes: 1 });
    }),
    ("inodes", "5000", |case| {
        case.disk.push(DiskNeed { path: "/opt/shop".into(), bytes: 1, inodes: 5000 });
    }),
    ("port", "sudo systemctl disable --now nginx.service", |case| case.facts.listeners = vec![listening(80)]),
    ("port", "sudo kill 7", |case| {
        case.facts.listeners = vec![listener(80, "python3", 7, "0::/user.slice/x.scope")]
    }),
    ("port", "sudo docker stop $(sudo docker ps -q --filter publish=80)", |case| {
        case.facts.listeners = vec![listener(80, "docker-proxy", 7, "0::/system.slice/docker.service/x")];
    }),
    ("port", "ss -ltnp", |case| {
        case.facts.listeners = vec![Listener { owner: None, ..listening(80) }];
    }),
    ("port", "--set web=PORT", |case| {
        case.content.requirements.ports = vec!["{web}".into()];
        case.given.push(("web", QuestionKind::Port, "8080"));
        case.facts.listeners = vec![listening(8080)];
    }),
    ("port-twice", "80", |case| case.content.requirements.ports = vec!["80".into(), "80".into()]),
    ("address-pool", "10.192.0.0/16", |case| {
        case.facts.surroundings.ssh_client = Some([172, 17, 3, 4].into());
    }),
    // The first network is routed, so Docker takes the second one.
    ("address-pool", "172.18.0.0/16", |case| {
        case.facts.surroundings.routes = vec![net("172.17.0.0/16"), net("10.192.0.0/16")];
        case.facts.surroundings.gateways = vec![[172, 18, 0, 1].into()];
    }),
    ("address-pool", "10.9.0.0/24", |case| {
        case.facts.project.address_pools.bridge = Some(net("10.9.0.1/24"));
        case.given.push(("api", QuestionKind::Url, "http://10.9.0.77:8080/v1"));
    }),
    ("address-pool", "\"bip\"", |case| {
        case.facts.project.address_pools.bridge = Some(net("10.9.0.1/24"));
        case.facts.surroundings.ssh_client = Some([10, 9, 0, 4].into());
    }),
    // What is proposed must not be where the operator sits.
    ("address-pool", "10.193.0.0/16", |case| {
        case.facts.surroundings.ssh_client = Some([10, 192, 3, 4].into());
        case.facts.surroundings.gateways = vec![[172, 17, 0, 9].into()];
    }),
    ("address-pool", "would not start", |case| {
        case.facts.surroundings.routes = vec![net("172.16.0.0/12"), net("192.168.0.0/16")];
    }),
    ("subnet", "the route to 10.5.0.0/24", |case| {
        case.content.project.footprint.subnets = vec!["10.5.0.0/16".into()];
        case.facts.surroundings.routes = vec![net("10.5.0.0/24")];
    }),
    ("subnet", "10.5.7.7 (your SSH connection)", |case| {
        case.content.project.footprint.subnets = vec!["10.5.0.0/16".into()];
        case.facts.surroundings.ssh_client = Some([10, 5, 7, 7].into());
    }),
    ("engine", "20.10", |case| case.facts.engine = running(Flavour::Docker, "19.03.15")),
    ("engine", "Podman", |case| case.facts.engine = running(Flavour::Podman, "4.9.3")),
    ("engine", "10.0.0.9", |case| case.facts.engine = EngineFacts::Remote("tcp://10.0.0.9:2375".into())),
    ("engine", "sudo systemctl start docker", |case| {
        case.facts.engine = EngineFacts::Silent { socket: "/run/docker.sock".into(), why: "refused".into() };
    }),
    ("engine", "snap", |case| case.root("/var/snap/docker/common/var-lib-docker")),
    ("engine", "Desktop", |case| case.quirk(Quirks { is_desktop: true, ..Quirks::default() })),
    ("engine", "20.10", |case| case.content.engine = None),
    ("compose", "Compose plugin", |case| {
        case.content.engine = None;
        case.facts.engine = running(Flavour::Docker, "28.5.2");
    }),
    ("compose", "2.8", |case| case.compose(Answer::Version("2.6.1".into()))),
    ("compose", "/usr/libexec", |case| case.compose(Answer::Fails)),
    ("containerd", "--engine private", |case| case.facts.machine.has_foreign_containerd = true),
    ("daemon-json", "/etc/docker/daemon.json", |case| {
        case.facts.project.config_error = Some("line 1".into())
    }),
    ("unit", "/etc/systemd/system/docker.service", |case| {
        case.facts.project.foreign_unit = Some("/etc/systemd/system/docker.service".into());
    }),
    ("dir-length", "--dir", |case| {
        case.choice = EngineChoice::Private;
        case.dir = Path::new("/").join("x".repeat(90));
    }),
    ("control", "/usr/bin/shopctl", |case| {
        case.facts.project.other_command = Some("/usr/bin/shopctl".into())
    }),
    ("control", "/srv/shop", |case| {
        case.facts.project.control_link = Some("/srv/shop/bin/shopctl".into());
    }),
    ("project", "/opt/shop", |case| case.facts.project.is_occupied = true),
    ("dir-writers", "sudo chmod go-w /opt/shop", |case| case.writable(true, Writer::Everybody)),
    ("dir-writers", "staff", |case| case.writable(true, Writer::Group("staff".into()))),
    ("dir-writers", "--dir", |case| case.writable(false, Writer::Everybody)),
    ("project", "other", |case| {
        case.facts.project.receipt = Some(Receipt::new("other", "1", "other", EngineChoice::Auto));
    }),
    ("project", "line 1", |case| case.facts.project.receipt_error = Some("line 1".into())),
    ("container-name", "sudo docker rm -f shop-web", |case| {
        case.facts.engine = running(Flavour::Docker, "28.5.2");
        case.content.project.footprint.container_names = vec!["shop-web".into()];
        case.facts.inventory.names = vec![("shop-web".into(), String::new()), ("x".into(), "shop".into())];
    }),
    ("check-url", "http://backend:80/", |case| {
        let (name, url) = ("page".to_owned(), "http://backend:80/".to_owned());
        case.content.checks.push(Check { name, title: None, url, status: 200, contains: None, timeout: 1 });
    }),
];

const WARNINGS: &[(&str, &str, Change)] = &[
    ("free-memory", "1.5 GB", |case| case.facts.machine.free_memory = 1_500_000_000),
    ("clock", "timedatectl", |case| case.facts.machine.clock = 1_700_000_000),
    ("clock", "2060", |case| case.facts.machine.clock = 2_850_000_000),
    ("open-files", "ulimit -n 65536", |case| {
        case.choice = EngineChoice::Private;
        case.facts.machine.open_files = 4096;
    }),
    ("kernel-modules", "Reboot", |case| case.facts.kernel.lacks_modules = true),
    ("cgroup", "cgroup_enable=memory", |case| {
        case.facts.kernel.controllers = vec!["cpu".into(), "pids".into()]
    }),
    ("commands", "kmod", |case| case.facts.machine.missing_commands = vec!["modprobe".into()]),
    ("iptables-mix", "nftables", |case| {
        case.facts.kernel.iptables = Some(Backend::Legacy);
        case.facts.kernel.has_other_rules = true;
    }),
    ("forwarding", "/etc/sysctl.d/60-cis.conf", |case| {
        case.facts.kernel.forwarding_off = Some("/etc/sysctl.d/60-cis.conf".into());
    }),
    ("selinux", "sudo chcon -Rt container_file_t /opt/shop", |case| {
        case.quirk(Quirks { uses_selinux: true, ..Quirks::default() });
    }),
    ("apparmor", "sudo apt-get install apparmor", |case| case.facts.kernel.lacks_apparmor_parser = true),
    ("filesystem", "tmpfs", |case| case.mount("/var/lib/docker", |system| system.kind = "tmpfs".into())),
    ("dir-filesystem", "cifs", |case| case.mount("/opt/shop", |system| system.kind = "cifs".into())),
    ("dir-filesystem", "memory", |case| case.mount("/opt/shop", |system| system.kind = "tmpfs".into())),
    // What Compose will get is not certain.
    ("address-pool", "172.18.0.0/16", |case| {
        case.facts.surroundings.nameservers = vec!["172.18.0.53".parse().unwrap()];
    }),
    ("address-pool", "restart", |case| {
        case.facts.engine = running(Flavour::Docker, "28.5.2");
        case.facts.surroundings.routes = vec![net("172.17.0.0/16")];
        case.facts.surroundings.ssh_client = Some([172, 18, 3, 4].into());
    }),
    ("dir-writers", "staff", |case| case.writable(false, Writer::Group("staff".into()))),
    ("dir-writers", "chown root /opt/shop", |case| case.writable(true, Writer::Owner("alice".into()))),
    ("dns", "api", |case| case.given.push(("api", QuestionKind::Url, "http://llm.example.com/v1"))),
    ("dns", "on this machine itself", |case| {
        case.given.push(("api", QuestionKind::Host, "llm"));
        case.facts.surroundings.nameservers = vec!["127.0.0.1".parse().unwrap()];
    }),
    ("firewall", "sudo firewall-cmd --permanent --add-port=8000/tcp && sudo firewall-cmd --reload", |case| {
        case.facts.firewall = Some(Firewall::Firewalld { open: vec![22..=80] });
    }),
    ("firewall-unsaved", "--runtime-to-permanent", |case| case.facts.access.is_unsaved = true),
    ("firewall", "open_firewall = true", |case| {
        case.facts.firewall = Some(Firewall::Ufw(Rules::default()));
        case.facts.access.firewall = Some(Tool::Ufw);
        case.content.public_ports = vec!["80".into()];
        case.given.push((OPEN_FIREWALL, QuestionKind::Bool, "false"));
    }),
    // Consent opens nothing where the tool does not answer.
    ("firewall", "sudo ufw allow 80/tcp", |case| {
        case.facts.firewall = Some(Firewall::Ufw(Rules::default()));
        case.content.public_ports = vec!["80".into()];
        case.given.push((OPEN_FIREWALL, QuestionKind::Bool, "true"));
    }),
    ("firewall", "sudo ufw insert 1 allow 80/tcp", |case| {
        let refusal = "### tuple ### deny any 80 0.0.0.0/0 any 0.0.0.0/0 in\n";
        case.facts.firewall = Some(Firewall::Ufw(Rules::parse([refusal, ""])));
        case.content.public_ports = vec!["80".parse().unwrap()];
    }),
    ("firewall", "sudo ufw allow 80/tcp && sudo ufw allow 8000/tcp", |case| {
        case.facts.firewall = Some(Firewall::Ufw(Rules::default()));
    }),
    ("engine", "20.10.10", |case| case.facts.engine = running(Flavour::Docker, "20.10.7")),
    ("compose", "2.8", |case| case.compose(Answer::Unclear)),
    ("swarm", "swarm", |case| {
        case.root("/var/lib/docker");
        if let EngineFacts::Running { description, .. } = &mut case.facts.engine {
            description.is_in_swarm = true;
        }
    }),
    ("engine-driver", "vfs", |case| {
        case.facts.engine = running(Flavour::Docker, "28.5.2");
        if let EngineFacts::Running { description, .. } = &mut case.facts.engine {
            description.store = Store::GraphDriver("vfs".into());
        }
    }),
    ("engine-users", "userns-remap", |case| {
        case.quirk(Quirks { remaps_users: true, ..Quirks::default() });
    }),
    ("engine-data", "/var/lib/docker.old", |case| case.facts.project.has_prior_images = true),
    ("docker-command", "Podman", |case| {
        case.facts.machine.docker_command = Some(("/usr/bin/docker".into(), true));
    }),
    ("docker-command", "without an engine", |case| {
        case.facts.machine.docker_command = Some(("/usr/bin/docker".into(), false));
    }),
    ("reboot", "sudo shopctl start", |case| case.facts.machine.has_systemd = false),
    ("iptables", "packet filter", |case| {
        case.choice = EngineChoice::Private;
        case.facts.has_other_engine = true;
    }),
];

/// Ids that are only ever said as a pass, or elsewhere: with a test of their own.
const ELSEWHERE: [&str; 10] = [
    "answers-file",
    "certificate",
    "certificate-key",
    "image-name",
    "older-bundle",
    "project-name",
    "signature",
    "ssh",
    "system",
    "volumes",
];

/// Findings that are no pass; the warning about reboots, which every private engine has, aside.
fn problems(case: Case) -> Vec<Finding> {
    let is_private = case.choice == EngineChoice::Private;
    let findings = case.findings().into_iter().filter(|finding| finding.severity != Severity::Pass);
    findings.filter(|finding| !is_private || finding.id != "reboot").collect()
}

#[test]
fn a_good_machine_has_only_passes() {
    assert_eq!(problems(Case::new()), []);
}

#[test]
fn each_wrong_fact_gives_its_one_finding_with_advice() {
    let rows = FAILURES.iter().map(|row| (row, Severity::Fail));
    for ((id, word, change), severity) in rows.chain(WARNINGS.iter().map(|row| (row, Severity::Warn))) {
        let mut case = Case::new();
        change(&mut case);
        let found = problems(case);
        assert_eq!(found.iter().map(|finding| finding.id).collect::<Vec<_>>(), [*id], "{word}: {found:#?}");
        assert_eq!(found[0].severity, severity, "{id}");
        let todo = found[0].todo.as_ref().expect("whoever finds something says what to do");
        let english = format!("{} {}", found[0].text.en, todo.en);
        assert!(english.contains(word), "{id} does not say `{word}`: {english}");
        assert_ne!(found[0].text.zh, found[0].text.en, "{id}");
    }
}

#[test]
fn every_id_has_a_row() {
    let rows = FAILURES.iter().chain(WARNINGS).map(|(id, _, _)| *id);
    let covered: BTreeSet<_> = rows.chain(ELSEWHERE).collect();
    assert_eq!(covered, IDS.into_iter().collect());
}

#[test]
fn what_is_almost_wrong_is_right() {
    let table: [(&str, Change); 11] = [
        ("a level that the processor has", |case| {
            case.facts.machine.cpu_flags =
                "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3".split(' ').map(str::to_owned).collect();
            case.content.requirements.cpu = vec!["x86-64-v2".into()];
        }),
        ("a clock in another zone", |case| case.facts.machine.clock = 1_790_000_000 - 14 * 3600),
        ("images without a date", |case| {
            case.content.created = 0;
            case.facts.machine.clock = 1_000;
        }),
        ("an SSH client in a network with a route", |case| {
            case.facts.surroundings.routes = vec![net("172.17.0.0/16")];
            case.facts.surroundings.ssh_client = Some([172, 17, 3, 4].into());
        }),
        ("networks of the operator's choice", |case| {
            case.facts.project.address_pools.nets = vec![(net("10.192.0.0/16"), 24)];
            case.facts.surroundings.ssh_client = Some([172, 17, 3, 4].into());
        }),
        ("a project without networks beside an engine", |case| {
            case.facts.engine = running(Flavour::Docker, "28.5.2");
            case.content.project.footprint.networks = Some(0);
            case.facts.surroundings.ssh_client = Some([172, 17, 3, 4].into());
        }),
        ("an update of an application whose networks are there", |case| {
            case.facts.project.receipt = Some(Receipt::new("shop", "0.9", "shop", EngineChoice::Auto));
            case.content.project.footprint.subnets = vec!["10.5.0.0/16".into()];
            case.facts.surroundings.routes =
                vec![net("10.5.0.0/16"), net("172.16.0.0/12"), net("192.168.0.0/16")];
        }),
        ("a resolver that leads on, and addresses without one", |case| {
            case.given.push(("api", QuestionKind::Url, "http://llm/v1"));
            case.given.push(("address", QuestionKind::Host, "10.0.0.5"));
            case.facts.surroundings.nameservers =
                vec!["127.0.0.53".parse().unwrap(), "10.0.0.53".parse().unwrap()];
        }),
        ("a firewall that the operator lets us open", |case| {
            case.facts.firewall = Some(Firewall::Ufw(Rules::default()));
            case.facts.access.firewall = Some(Tool::Ufw);
            case.content.public_ports = vec!["80".into()];
            case.given.push((OPEN_FIREWALL, QuestionKind::Bool, "true"));
        }),
        ("a firewall before ports that are not for other machines", |case| {
            case.facts.firewall = Some(Firewall::Firewalld { open: vec![80..=80] });
            case.content.public_ports = vec!["80".into()];
        }),
        ("little free memory where the application runs", |case| {
            case.facts.machine.free_memory = 200_000_000;
            case.facts.engine = running(Flavour::Docker, "28.5.2");
            case.facts.inventory.containers = vec![own_container()];
        }),
    ];
    for (name, change) in table {
        let mut case = Case::new();
        change(&mut case);
        assert_eq!(problems(case), [], "{name}");
    }
}

#[test]
fn problems_come_first_and_the_worst_before_all() {
    let mut case = Case::new();
    case.facts.machine.cores = 1;
    case.facts.machine.clock = 1_700_000_000;
    case.facts.machine.is_root = false;
    let order: Vec<_> = case.findings().into_iter().map(|finding| (finding.severity, finding.id)).collect();
    let first = [(Severity::Fail, "root"), (Severity::Fail, "cores"), (Severity::Warn, "clock")];
    assert_eq!(order[..3], first);
    assert!(order[3..].iter().all(|(severity, _)| *severity == Severity::Pass));
}

#[test]
fn programs_get_bare_values() {
    let mut case = Case::new();
    case.facts.machine.memory = 1_000;
    case.facts.listeners = vec![listening(80)];
    let findings = case.findings();
    let of = |id: &str| findings.iter().find(|finding| finding.id == id).unwrap();
    let memory = serde_json::to_value(of("memory")).unwrap();
    assert_eq!((&memory["found"], &memory["needed"]), (&"1000".into(), &"4000000000".into()));
    assert_eq!(memory["severity"], "fail");
    let port = serde_json::to_value(of("port")).unwrap();
    assert_eq!((&port["found"], &port["needed"]), (&"nginx 812".into(), &"80".into()));
    assert_eq!(port["accepted"], serde_json::Value::Null);
}

/// Data that was made with secrets of which nothing is left: the database would refuse the new ones after the start.
#[test]
fn volumes_of_an_installation_that_is_gone_are_told_and_new_secrets_for_them_refused() {
    let ids = ["db_password", "salt"].map(|id| QuestionId::try_from(id.to_owned()).unwrap());
    let secrets: Vec<_> = ids.iter().collect();
    let of = |made_up: &[&QuestionId], change: Change| {
        let mut case = Case::new();
        case.facts.inventory.volumes = vec!["shop_db".into(), "shop_files".into()];
        change(&mut case);
        let (layout, answers) = (Layout { dir: case.dir }, Answers::default());
        let (content, choice) = (&case.content, case.choice);
        let demand = Demand { content, layout: &layout, choice, answers: &answers, disk: &[] };
        volume::check(&case.facts, &demand, made_up)
    };
    let lost = of(&secrets, |_| {}).unwrap();
    assert_eq!((lost.severity, lost.found.as_deref()), (Severity::Fail, Some("shop_db, shop_files")));
    let todo = lost.todo.unwrap();
    for text in [todo.en, todo.zh] {
        for word in
            ["--dir", "/opt/shop/.airlift", "db_password, salt", "docker volume rm shop_db shop_files"]
        {
            assert!(text.contains(word), "{word} is not in {text}");
        }
    }
    let given = of(&[], |_| {}).unwrap();
    assert_eq!((given.id, given.severity), ("volumes", Severity::Warn));
    let quiet: [(&str, Change); 3] = [
        ("no volumes", |case| case.facts.inventory.volumes.clear()),
        ("the installation that they belong to", |case| {
            case.facts.project.receipt = Some(Receipt::new("shop", "0.9", "shop", EngineChoice::Auto));
        }),
        ("a record that cannot be read", |case| {
            case.facts.project.receipt_error = Some("line 1".into());
        }),
    ];
    for (name, change) in quiet {
        assert_eq!(of(&secrets, change), None, "{name}");
    }
}

#[test]
fn the_first_plugin_that_is_new_enough_is_used() {
    let plugin = |path: &str, answer| HostCompose { path: path.into(), answer };
    let own = plugin("/usr/local/lib/docker/cli-plugins/docker-compose", Answer::Version("2.6.1".into()));
    let packaged = plugin("/usr/libexec/docker/cli-plugins/docker-compose", Answer::Version("2.40.3".into()));
    let of = |plugins: &[HostCompose]| {
        let mut case = Case::new();
        case.compose(Answer::Fails);
        case.facts.compose = plugins.to_vec();
        case.findings().into_iter().find(|finding| finding.id == "compose").unwrap()
    };
    let both = of(&[own.clone(), packaged.clone()]);
    assert_eq!((both.severity, both.found.as_deref()), (Severity::Pass, Some("2.40.3")));
    let old = of(&[own]);
    assert_eq!((old.severity, old.found.as_deref()), (Severity::Fail, Some("2.6.1")));
}

/// An upgrade without an engine uses the Compose that came with the engine.
#[test]
fn beside_an_engine_of_ours_no_plugin_of_the_hosts_is_needed() {
    let mut case = Case::new();
    case.compose(Answer::Fails);
    case.facts.compose.clear();
    case.facts.project.own_engine = Some(EngineHome::System);
    assert!(case.findings().iter().all(|finding| finding.id != "compose"));
}
