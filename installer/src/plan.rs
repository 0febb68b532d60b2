//! Everything decided, as data: the plan is the dry run, the confirmation text and the order of execution. Pure.

use std::path::PathBuf;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;
use serde::Serialize;

use crate::engine::description::Quirks;
use crate::engine::{ContainerdAccess, Description, Store};
use crate::facts::{EngineChoice, EngineFacts, Facts};
use crate::layout::{EngineHome, Layout};
use crate::load::{self, LoadPlan, Trust};
use crate::project::compose;
use crate::step::{join_group, open_firewall, place_certificate, run_actions};
use crate::text::{Lang, Message, bytes, progress as text};
use crate::tls::Wanted;

/// What will be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the project goes.
    pub layout: Layout,
    /// `--engine`.
    pub choice: EngineChoice,
    /// The engine.
    pub engine: EnginePlan,
    /// The images.
    pub load: LoadPlan,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// Disk that will be needed.
    pub disk: Vec<DiskNeed>,
    /// Ports that will be open in the firewall.
    pub ports: Vec<u16>,
    /// Who will be in the engine's group.
    pub member: Option<String>,
    /// The certificate, once the files that answers name have been read.
    pub certificate: Option<Wanted>,
}

/// Which engine is used, and what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnginePlan {
    /// Its socket.
    pub socket: PathBuf,
    /// Ours to place and start, if so where.
    pub home: Option<EngineHome>,
    /// The Compose plugin that will be used.
    pub compose: PathBuf,
    /// Switch the containerd image store on in an engine of ours; off where images of an older engine would vanish.
    pub containerd_store: bool,
    /// Let an engine of ours write packet filter rules; off beside another engine, whose chains it would rewrite.
    pub packet_filter: bool,
    /// A service manager starts it and brings it back after a reboot.
    pub by_systemd: bool,
}

/// One step; also the unit of resuming and of reverting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Binaries of an engine of ours.
    PlaceEngine,
    /// Its group, configuration and unit.
    ConfigureEngine,
    /// Starts it.
    StartEngine,
    /// The Compose plugin beside an engine that is not ours.
    PlaceCompose,
    /// Images into the engine.
    LoadImages,
    /// Project files, directories, `.env`.
    WriteProject,
    /// Certificate and key.
    PlaceCertificate,
    /// `<app>ctl`.
    InstallControl,
    /// `docker compose up`.
    StartProject,
    /// Waits until everything is healthy.
    ProveHealthy,
    /// The vendor's commands inside services.
    RunActions,
    /// Public ports in the host's firewall.
    OpenFirewall,
    /// The caller into the engine's group.
    JoinGroup,
}

/// Disk that something needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DiskNeed {
    /// A path on the file system in question.
    pub path: PathBuf,
    /// Bytes at the peak.
    pub bytes: u64,
    /// Inodes.
    pub inodes: u64,
}

impl Step {
    /// Stable name for receipts.
    pub fn id(self) -> &'static str {
        match self {
            Self::PlaceEngine => "place-engine",
            Self::ConfigureEngine => "configure-engine",
            Self::StartEngine => "start-engine",
            Self::PlaceCompose => "place-compose",
            Self::LoadImages => "load-images",
            Self::WriteProject => "write-project",
            Self::PlaceCertificate => "place-certificate",
            Self::InstallControl => "install-control",
            Self::StartProject => "start-project",
            Self::ProveHealthy => "prove-healthy",
            Self::RunActions => "run-actions",
            Self::OpenFirewall => "open-firewall",
            Self::JoinGroup => "join-group",
        }
    }
}

/// Decides everything.
pub fn decide(
    layout: &Layout,
    choice: EngineChoice,
    content: &Content,
    facts: &Facts,
    answers: &Answers,
) -> Plan {
    let engine = decide_engine(layout, choice, content, facts);
    let expected = facts.engine.description().cloned().unwrap_or_else(|| expected(&engine, content, facts));
    let load = load::plan::plan(content, &facts.inventory, &expected, Trust::Usual);
    let mut steps = Vec::new();
    if engine.home.is_some() {
        steps.extend([Step::PlaceEngine, Step::ConfigureEngine, Step::StartEngine]);
    } else {
        steps.push(Step::PlaceCompose);
    }
    steps.extend([Step::LoadImages, Step::WriteProject]);
    let placed = facts.project.receipt.as_ref().map_or(&[][..], |receipt| &receipt.certificate);
    if place_certificate::is_needed(content, answers, placed) {
        steps.push(Step::PlaceCertificate);
    }
    steps.extend([Step::InstallControl, Step::StartProject, Step::ProveHealthy]);
    steps.extend(last_steps(choice, content, facts, answers));
    let disk = disk(layout, content, &engine, &expected, &load, facts);
    let ports = open_firewall::wanted(content, answers);
    let invoker = facts.access.invoker.as_ref().filter(|_| join_group::is_wanted(answers));
    let member = invoker.map(|invoker| invoker.name.clone());
    Plan { layout: layout.clone(), choice, engine, load, steps, disk, ports, member, certificate: None }
}

/// What comes once the application is healthy; what an earlier run did and is not wished any more is taken back.
fn last_steps(choice: EngineChoice, content: &Content, facts: &Facts, answers: &Answers) -> Vec<Step> {
    let receipt = facts.project.receipt.as_ref();
    let has_openings = receipt.is_some_and(|receipt| !receipt.openings.is_empty());
    let has_members = receipt.is_some_and(|receipt| !receipt.group_members.is_empty());
    let opens = facts.access.firewall.is_some() && !open_firewall::wanted(content, answers).is_empty();
    let joins =
        choice != EngineChoice::Private && facts.access.invoker.is_some() && join_group::is_wanted(answers);
    let steps = [
        (Step::RunActions, !content.actions.is_empty()),
        (Step::OpenFirewall, opens || has_openings),
        (Step::JoinGroup, joins || has_members),
    ];
    steps.into_iter().filter(|(_, is_needed)| *is_needed).map(|(step, _)| step).collect()
}

fn decide_engine(layout: &Layout, choice: EngineChoice, content: &Content, facts: &Facts) -> EnginePlan {
    // An intention to install is no installation: what runs since may be somebody else's.
    let earlier = facts.project.own_engine.clone();
    let home = match (choice, &facts.engine, earlier) {
        (EngineChoice::Private, _, _) => Some(EngineHome::private(layout)),
        (_, _, Some(EngineHome::System)) | (_, EngineFacts::Absent, _) => Some(EngineHome::System),
        _ => None,
    };
    let socket = match (&home, facts.engine.socket()) {
        (Some(home), _) => home.socket(),
        (None, Some(socket)) => socket.to_owned(),
        (None, None) => EngineHome::System.socket(),
    };
    let compose = match (&home, &content.engine, compose::best(&facts.compose)) {
        (Some(home), _, _) => home.compose(),
        (None, None, Some(plugin)) => plugin.path.clone(),
        (None, _, _) => layout.compose(),
    };
    // An engine that was here before us may have left images on a graph driver; the other store would hide them. Once
    // ours has started, what lies there is ours.
    let has_started =
        facts.project.receipt.as_ref().is_some_and(|receipt| receipt.is_done(Step::StartEngine.id()));
    let has_prior_images = home == Some(EngineHome::System) && !has_started && facts.project.has_prior_images;
    EnginePlan {
        socket,
        compose,
        containerd_store: !has_prior_images,
        packet_filter: choice != EngineChoice::Private || !facts.has_other_engine,
        by_systemd: home == Some(EngineHome::System) && facts.machine.has_systemd,
        home,
    }
}

/// What an engine that does not run yet will be like.
fn expected(engine: &EnginePlan, content: &Content, facts: &Facts) -> Description {
    let home = engine.home.clone().unwrap_or(EngineHome::System);
    let root = facts.project.data_root(&home);
    Description {
        flavour: crate::engine::Flavour::Docker,
        version: content
            .engine
            .as_ref()
            .and_then(|parts| parts.version.clone())
            .unwrap_or_else(|| "28.0".to_owned()),
        store: if engine.containerd_store {
            Store::Containerd
        } else {
            Store::GraphDriver("overlay2".to_owned())
        },
        staging: root.join("tmp"),
        rootless: false,
        is_in_swarm: false,
        quirks: Quirks::default(),
        containerd_root: root.join("containerd/daemon"),
        root,
        containerd: engine.containerd_store.then(|| ContainerdAccess {
            socket: home.containerd_socket(),
            namespace: "moby".to_owned(),
            snapshotter: "overlayfs".to_owned(),
        }),
    }
}

fn disk(
    layout: &Layout,
    content: &Content,
    engine: &EnginePlan,
    expected: &Description,
    load: &LoadPlan,
    facts: &Facts,
) -> Vec<DiskNeed> {
    let is_running = facts.engine.description().is_some();
    let has_own_engine = facts.project.own_engine.is_some();
    // An engine that does not run yet keeps everything below its data root, with a containerd of its own.
    let image_root = match &engine.home {
        Some(home) if !is_running => facts.project.data_root(home),
        _ => expected.image_root(),
    };
    let mut needs = vec![DiskNeed { path: image_root, bytes: load.kept_bytes, inodes: load.kept_inodes }];
    if load.staged_bytes > 0 {
        needs.push(DiskNeed { path: expected.staging.clone(), bytes: load.staged_bytes, inodes: 0 });
    }
    if let (Some(home), Some(parts)) = (&engine.home, &content.engine)
        && !has_own_engine
    {
        needs.push(DiskNeed {
            path: home.bin(),
            bytes: parts.archive_unpacked_len + parts.compose_len,
            inodes: 16,
        });
    }
    if let (None, Some(parts)) = (&engine.home, &content.engine) {
        needs.push(DiskNeed { path: layout.dir.clone(), bytes: parts.compose_len, inodes: 1 });
    }
    let files: u64 = content.project.files.iter().map(|file| file.len).sum();
    let own_data = content.requirements.disk.unwrap_or(0);
    let inodes = (content.project.files.len() + content.project.directories.len() + 32) as u64;
    // What the vendor asks for is for the years; an installation that is there has had its share.
    let own_data = if facts.project.receipt.is_some() { 0 } else { own_data };
    needs.push(DiskNeed { path: layout.dir.clone(), bytes: files + own_data, inodes });
    needs
}

impl Plan {
    /// What one step does.
    pub fn describe_step(&self, step: Step, content: &Content) -> Message {
        let dir = self.layout.dir.display().to_string();
        let home = self.engine.home.as_ref();
        let version = content.engine.as_ref().and_then(|parts| parts.version.as_deref()).unwrap_or("");
        match step {
            Step::PlaceEngine => {
                let bin = home.map(|home| home.bin().display().to_string()).unwrap_or_default();
                text::place_engine(version, &bin)
            }
            Step::ConfigureEngine => {
                let config = home.map(|home| home.config().display().to_string()).unwrap_or_default();
                if self.engine.by_systemd {
                    text::configure_engine_unit(&config)
                } else {
                    text::configure_engine(&config)
                }
            }
            Step::StartEngine => text::start_engine(&self.engine.socket.display().to_string()),
            Step::PlaceCompose => text::place_compose(&self.engine.compose.display().to_string()),
            Step::LoadImages => {
                let all = content.images.len();
                match self.load.images.len() {
                    0 => text::load_nothing(all),
                    missing => text::load_images(missing, all, &bytes(self.load.read_bytes)),
                }
            }
            Step::WriteProject => text::write_project(&dir),
            Step::PlaceCertificate => match &self.certificate {
                Some(Wanted::Own(_)) => text::place_certificate(),
                Some(Wanted::SelfSigned { hosts }) => text::make_certificate(&hosts.join(", ")),
                Some(Wanted::Off) | None => text::remove_certificate(),
            },
            Step::InstallControl => text::install_control(&content.app.name),
            Step::StartProject => text::start_project(&content.project.name),
            Step::ProveHealthy => text::prove_healthy(),
            Step::RunActions => {
                let titles: Vec<Message> = content.actions.iter().map(run_actions::title_of).collect();
                let join = |lang, sep: &str| {
                    titles.iter().map(|title| title.in_lang(lang)).collect::<Vec<_>>().join(sep)
                };
                text::run_actions(&Message { en: join(Lang::En, ", "), zh: join(Lang::Zh, "、") })
            }
            Step::OpenFirewall => match &self.ports[..] {
                [] => text::close_firewall(),
                ports => {
                    text::open_firewall(&ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", "))
                }
            },
            Step::JoinGroup => match &self.member {
                Some(member) => text::join_group(member),
                None => text::leave_group(),
            },
        }
    }
}
