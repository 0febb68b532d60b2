//! Tables: facts in, findings out.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use bundle_spec::digest::Digest;
use bundle_spec::project::{App, EngineParts, Localized, Project, Requirements};

use super::*;
use crate::engine::description::Quirks;
use crate::engine::{Container, Description, Flavour, Store};
use crate::facts::firewall::Firewall;
use crate::facts::kernel::{Cgroup, Kernel, Presence};
use crate::facts::network::{Listener, Owner};
use crate::facts::route::Surroundings;
use crate::facts::storage::{FileSystem, Storage};
use crate::facts::{EngineFacts, Family, Inventory, Machine, ProjectFacts};
use crate::host::firewall::ufw::Rules;
use crate::layout::EngineHome;
use crate::receipt::Receipt;

mod tables;

pub(crate) fn content() -> Content {
    let text = |text: &str| Localized { zh: text.to_owned(), en: text.to_owned() };
    let digest = Digest::of(b"");
    Content {
        packed_by: "airlift".into(),
        created: 1_790_000_000,
        app: App { name: "shop".into(), version: "1.0".into(), title: text("Shop"), vendor: None },
        project: Project {
            name: "shop".into(),
            compose_file: "compose.yaml".to_owned().try_into().unwrap(),
            profiles: vec![],
            services: vec![],
            files: vec![],
            directories: vec![],
            footprint: Default::default(),
        },
        images: vec![],
        engine: Some(EngineParts {
            version: Some("28.5.2".into()),
            archive: digest,
            archive_unpacked_len: 1,
            compose: digest,
            compose_len: 1,
        }),
        questions: vec![],
        values: vec![],
        requirements: Requirements {
            cores: Some(2),
            memory: Some(4_000_000_000),
            disk: None,
            ports: vec!["80".into(), "8000".into()],
            kernel: Some("3.10".into()),
            arch: "x86_64".into(),
            ..Requirements::default()
        },
        checks: vec![],
        links: vec![],
        actions: vec![],
        tls: None,
        public_ports: vec![],
        features: vec![],
    }
}

fn file_system(mount: &str, device: u64, free: u64) -> FileSystem {
    let mount_point = mount.into();
    FileSystem {
        mount_point,
        device,
        free,
        free_inodes: Some(1000),
        kind: "ext4".into(),
        ..FileSystem::default()
    }
}

pub(crate) fn facts() -> Facts {
    Facts {
        machine: Machine {
            is_root: true,
            arch: "x86_64".into(),
            kernel: "5.10.0-30-amd64".into(),
            memory: 3_900_000_000,
            cores: 4,
            has_systemd: true,
            missing_commands: vec![],
            os: "Debian".into(),
            boot_id: "b".into(),
            free_memory: 3_000_000_000,
            family: Family::Debian,
            cpu_flags: ["sse4_2", "avx2"].map(str::to_owned).to_vec(),
            clock: 1_800_000_000,
            open_files: 1_048_576,
            ..Machine::default()
        },
        kernel: Kernel {
            parts: [("overlay", Presence::There), ("veth", Presence::Unknown)].into(),
            cgroup: Cgroup::V2,
            controllers: ["cpu", "memory", "pids"].map(str::to_owned).to_vec(),
            ..Kernel::default()
        },
        firewall: None,
        surroundings: Surroundings::default(),
        storage: Storage::describe([
            (PathBuf::from("/opt/shop"), file_system("/", 1, 10_000)),
            (PathBuf::from("/var/lib/docker"), file_system("/var", 2, 10_000)),
        ]),
        listeners: vec![],
        engine: EngineFacts::Absent,
        has_other_engine: false,
        inventory: Inventory::default(),
        access: Default::default(),
        project: ProjectFacts::default(),
        compose: vec![],
    }
}

fn failures(facts: &Facts, choice: EngineChoice, disk: &[DiskNeed]) -> Vec<&'static str> {
    let (content, answers) = (content(), Answers::default());
    let layout = Layout { dir: "/opt/shop".into() };
    let demand = Demand { content: &content, layout: &layout, choice, answers: &answers, disk };
    let findings = check(facts, &demand);
    findings.iter().filter(|finding| finding.severity == Severity::Fail).map(|finding| finding.id).collect()
}

fn running(flavour: Flavour, version: &str) -> EngineFacts {
    EngineFacts::Running {
        socket: "/var/run/docker.sock".into(),
        description: Description {
            flavour,
            version: version.into(),
            store: Store::GraphDriver("overlay2".into()),
            root: "/var/lib/docker".into(),
            rootless: false,
            is_in_swarm: false,
            quirks: Quirks::default(),
            staging: "/var/lib/docker/tmp".into(),
            containerd_root: "/var/lib/containerd".into(),
            containerd: None,
        },
    }
}

#[test]
fn a_good_machine_has_no_failures() {
    assert_eq!(failures(&facts(), EngineChoice::Auto, &[]), Vec::<&str>::new());
}

#[test]
fn each_wrong_fact_is_one_failure() {
    type Change = fn(&mut Facts);
    let table: [(&str, Change); 14] = [
        ("root", |facts| facts.machine.is_root = false),
        ("arch", |facts| facts.machine.arch = "aarch64".into()),
        ("kernel", |facts| facts.machine.kernel = "3.2.0".into()),
        ("cores", |facts| facts.machine.cores = 1),
        ("memory", |facts| facts.machine.memory = 3_500_000_000),
        ("commands", |facts| facts.machine.missing_commands = vec!["iptables".into()]),
        ("engine", |facts| facts.engine = running(Flavour::Docker, "19.03.15")),
        ("engine", |facts| facts.engine = running(Flavour::Podman, "4.9.3")),
        ("engine", |facts| facts.engine = EngineFacts::Remote("tcp://10.0.0.9:2375".into())),
        ("engine", |facts| {
            facts.engine =
                EngineFacts::Silent { socket: "/var/run/docker.sock".into(), why: "refused".into() };
        }),
        ("unit", |facts| facts.project.foreign_unit = Some("/etc/systemd/system/docker.service".into())),
        ("containerd", |facts| facts.machine.has_foreign_containerd = true),
        ("daemon-json", |facts| facts.project.config_error = Some("line 1".into())),
        ("control", |facts| facts.project.other_command = Some("/usr/bin/shopctl".into())),
    ];
    for (expected, change) in table {
        let mut facts = facts();
        change(&mut facts);
        assert_eq!(failures(&facts, EngineChoice::Auto, &[]), [expected]);
    }
}

/// While an engine of ours ran, a mistake in its configuration was nobody's concern until the file was written anew.
#[test]
fn a_broken_configuration_is_told_while_our_own_engine_runs() {
    let mut facts = facts();
    facts.engine = running(Flavour::Docker, "28.5.2");
    facts.project.config_error = Some("line 1".into());
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), Vec::<&str>::new());
    facts.project.own_engine = Some(EngineHome::System);
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["daemon-json"]);
}

#[test]
fn all_failures_come_together() {
    let mut facts = facts();
    facts.machine.is_root = false;
    facts.machine.cores = 1;
    facts.machine.memory = 0;
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["root", "cores", "memory"]);
}

#[test]
fn an_old_engine_does_not_stand_in_the_way_of_a_private_one() {
    let mut facts = facts();
    facts.has_other_engine = true;
    assert_eq!(failures(&facts, EngineChoice::Private, &[]), Vec::<&str>::new());
}

#[test]
fn disk_is_summed_up_for_each_real_file_system() {
    let need = |path: &str, bytes| DiskNeed { path: path.into(), bytes, inodes: 1 };
    let fits = [need("/opt/shop", 9_000), need("/var/lib/docker", 9_000)];
    assert_eq!(failures(&facts(), EngineChoice::Auto, &fits), Vec::<&str>::new());
    let same_disk = [need("/opt/shop", 6_000), need("/opt/shop/x", 6_000)];
    assert_eq!(failures(&facts(), EngineChoice::Auto, &same_disk), ["disk"]);
    let many_files = [DiskNeed { path: "/opt/shop".into(), bytes: 1, inodes: 5_000 }];
    assert_eq!(failures(&facts(), EngineChoice::Auto, &many_files), ["inodes"]);
}

fn listener(port: u16, name: &str, pid: i32, cgroup: &str) -> Listener {
    let owner = Owner { name: name.into(), pid, cgroup: cgroup.into(), is_of_our_engine: false };
    Listener { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port, owner: Some(owner) }
}

fn own_container() -> Container {
    Container {
        id: "f00d".repeat(16),
        name: "nginx".into(),
        service: "nginx".into(),
        state: "running".into(),
        health: None,
        health_output: None,
        exit_code: 0,
        restarts: 0,
        out_of_memory: false,
        pid: 899,
        restarts_by_itself: true,
        stays_up: true,
        started_at: String::new(),
        working_dir: "/opt/shop".to_owned(),
        binds: vec![],
        published: vec![],
    }
}

#[test]
fn a_taken_port_names_its_process_and_our_own_is_no_conflict() {
    let mut facts = facts();
    facts.listeners = vec![listener(80, "apache2", 812, "0::/system.slice/apache2.service")];
    let (content, answers) = (content(), Answers::default());
    let layout = Layout { dir: "/opt/shop".into() };
    let demand = Demand {
        content: &content,
        layout: &layout,
        choice: EngineChoice::Auto,
        answers: &answers,
        disk: &[],
    };
    let findings = check(&facts, &demand);
    let taken = findings.iter().find(|finding| finding.severity == Severity::Fail).unwrap();
    assert!(taken.text.en.contains("apache2") && taken.text.en.contains("812"), "{}", taken.text.en);

    let id = "f00d".repeat(16);
    facts.listeners = vec![listener(80, "nginx", 900, &format!("0::/system.slice/docker-{id}.scope"))];
    let own = Container { id, ..own_container() };
    facts.inventory.containers = vec![own];
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), Vec::<&str>::new());
    // What the engine publishes for others is not ours, however many containers of ours run.
    facts.listeners = vec![listener(80, "docker-proxy", 7, "0::/system.slice/docker.service/x")];
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["port"]);
    facts.inventory.containers[0].published = vec![80];
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), Vec::<&str>::new());
    facts.inventory.containers[0].working_dir = "/home/alice/shop".into();
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["project-name"]);
}

/// An engine was killed and its container went on: the operator was told to kill the application.
#[test]
fn a_port_that_a_container_of_our_dead_engine_holds_is_no_conflict() {
    let mut facts = facts();
    facts.engine = EngineFacts::Absent;
    facts.project.own_engine = Some(EngineHome::System);
    let mut held = listener(80, "httpd", 900, "0::/");
    facts.listeners = vec![held.clone()];
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["port"]);
    held.owner.as_mut().unwrap().is_of_our_engine = true;
    facts.listeners = vec![held];
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), Vec::<&str>::new());
    // One that answers knows its containers.
    facts.engine = running(Flavour::Docker, "28.5.2");
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["port"]);
}

#[test]
fn a_directory_of_another_application_is_refused() {
    let mut facts = facts();
    facts.project.is_occupied = true;
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["project"]);
    facts.project.receipt = Some(Receipt::new("other", "1", "other", EngineChoice::Auto));
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["project"]);
    facts.project.receipt = Some(Receipt::new("shop", "0.9", "shop", EngineChoice::Auto));
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), Vec::<&str>::new());
    facts.project.control_link = Some(Path::new("/srv/shop/bin/shopctl").to_owned());
    assert_eq!(failures(&facts, EngineChoice::Auto, &[]), ["control"]);
}

#[test]
fn a_path_too_long_for_sockets_is_refused_for_a_private_engine() {
    let (content, answers, facts) = (content(), Answers::default(), facts());
    let layout = Layout { dir: Path::new("/").join("x".repeat(90)) };
    let demand = Demand {
        content: &content,
        layout: &layout,
        choice: EngineChoice::Private,
        answers: &answers,
        disk: &[],
    };
    assert!(check(&facts, &demand).iter().any(|finding| finding.id == "dir-length"));
}

#[test]
fn the_summary_ends_with_ports_that_the_firewall_keeps_from_others() {
    let (mut content, mut facts) = (content(), facts());
    let answers = Answers::default();
    let layout = Layout { dir: "/opt/shop".into() };
    content.public_ports = vec!["8080".into()];
    let said = |content: &Content, facts: &Facts| {
        let choice = EngineChoice::Auto;
        let demand = Demand { content, layout: &layout, choice, answers: &answers, disk: &[] };
        network::still_shut(facts, &demand)
    };
    assert_eq!(said(&content, &facts), None);
    let ufw = |tuple: &str| Some(Firewall::Ufw(Rules::parse([tuple, ""])));
    facts.firewall = ufw("### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n");
    let text = said(&content, &facts).unwrap();
    assert_eq!(text.zh, "注意：ufw 未放行 8080，其他机器暂时打不开。放行：sudo ufw allow 8080/tcp");
    assert!(text.en.ends_with("To open: sudo ufw allow 8080/tcp"), "{}", text.en);
    facts.firewall = Some(Firewall::Firewalld { open: vec![] });
    assert!(said(&content, &facts).unwrap().zh.contains("firewalld 未放行 8080"));
    facts.firewall = ufw("### tuple ### allow tcp 8000:9000 0.0.0.0/0 any 0.0.0.0/0 in\n");
    assert_eq!(said(&content, &facts), None);
}

/// What could not be looked at was told as wrong: an engine that runs "does not answer", a record is "unreadable".
#[test]
fn without_root_nothing_is_concluded_from_what_only_root_may_see() {
    let (content, answers) = (content(), Answers::default());
    let layout = Layout { dir: "/opt/shop".into() };
    let mut facts = facts();
    facts.machine.is_root = false;
    facts.project.receipt_error = Some("Permission denied (os error 13)".into());
    let why = "Permission denied (os error 13)".to_owned();
    facts.engine = EngineFacts::Silent { socket: "/var/run/docker.sock".into(), why };
    facts.listeners = vec![Listener { address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), port: 80, owner: None }];
    let demand = Demand {
        content: &content,
        layout: &layout,
        choice: EngineChoice::Auto,
        answers: &answers,
        disk: &[],
    };
    let findings = check(&facts, &demand);
    let bad: Vec<_> = findings.iter().filter(|finding| finding.severity != Severity::Pass).collect();
    assert_eq!(bad.iter().map(|finding| finding.id).collect::<Vec<_>>(), ["root"]);
    assert!(bad[0].text.zh.contains("未进行"), "{}", bad[0].text.zh);

    // Where nothing is installed, all that anybody may see is told at once.
    facts.project.receipt_error = None;
    let findings = check(&facts, &demand);
    let is_told =
        |id: &str| findings.iter().any(|finding| finding.id == id && finding.severity == Severity::Fail);
    assert!(is_told("root") && is_told("port") && !is_told("engine"), "{findings:?}");
}
