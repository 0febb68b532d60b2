//! An installation as it was left: where it is, what its record says, and how its engine and Compose are reached. What is done
//! with it is `day2`'s and `uninstall`'s.

use std::io;
use std::path::PathBuf;

use bundle_spec::answer::Answers;
use bundle_spec::index::Content;

use super::Session;
use crate::answers::{Origin, Sources, resolve};
use crate::engine::Engine;
use crate::health::Wanted;
use crate::host::{file, process};
use crate::install::{Options, Target};
use crate::layout::{EngineHome, Layout};
use crate::outcome::{Code, Failure, Outcome};
use crate::plan::EnginePlan;
use crate::project::compose::Compose;
use crate::receipt::{Extent, Receipt, Removal};
use crate::step::start_engine;
use crate::text::{finding, problem, summary as text};

/// An installation as it was left.
pub(super) struct Installed {
    pub(super) layout: Layout,
    pub(super) receipt: Receipt,
    pub(super) content: Content,
    pub(super) answers: Answers,
}

/// The installation that is meant: `--dir`, else where this program lies, else where the bundle's application is installed.
pub(super) fn find(session: &Session<'_>, own: Option<PathBuf>) -> Outcome<Installed> {
    // The receipt is for root's eyes; without them it looks as if nothing were installed.
    if !rustix::process::geteuid().is_root() {
        return Err(Failure::new(Code::Preflight, finding::not_root()).todo(finding::use_sudo()));
    }
    let layout = place(session, own);
    let absent = || is_absent(session, &layout);
    let damaged = |path: PathBuf, project: &str| {
        let (dir, old) = (layout.dir.display().to_string(), layout.dir.display());
        let todo = problem::without_record(project, &dir, &format!("{old}.old/.env"));
        Failure::midway(problem::record_damaged(&path.display())).todo(todo)
    };
    if layout.state().is_symlink() {
        let folder = layout.state();
        return Err(
            Failure::midway(problem::folder_is_a_link(&folder.display())).todo(problem::remove_that_link())
        );
    }
    let project = session.bundle.as_ref().map_or("NAME", |bundle| &bundle.bundle.index.content.project.name);
    let receipt = Receipt::read(&layout.receipt())
        .map_err(|error| damaged(layout.receipt(), project).because(&error))?
        .ok_or_else(absent)?;
    if let Some(lang) = session.unsettled_lang(&receipt) {
        session.reporter.speak(lang);
    }
    let content = content_of(&layout, &receipt, session)
        .map_err(|error| damaged(layout.index(), &receipt.project).because(&error))?
        .ok_or_else(absent)?;
    let earlier = file::read_text(&layout.answers()).ok().flatten().unwrap_or_default();
    let mut sources = Sources::default();
    let values: std::collections::BTreeMap<String, String> =
        serde_json::from_str(&earlier).unwrap_or_default();
    sources.add(Origin::Earlier, values);
    let (resolved, _) = resolve(&content.questions, &content.values, &sources, &mut |_| String::new());
    session.reporter.hide(sources.secrets(&content.questions));
    session.reporter.hide_answers(&resolved.answers);
    Ok(Installed { layout, receipt, content, answers: resolved.answers })
}

/// Where the installation that is meant would be.
pub(super) fn place(session: &Session<'_>, own: Option<PathBuf>) -> Layout {
    let by_bundle = || {
        let content = &session.bundle.as_ref()?.bundle.index.content;
        Some(Target::of(content, &Options::default()).layout.dir)
    };
    let dir = session.dir().or(own).or_else(by_bundle).unwrap_or_else(|| PathBuf::from("."));
    Layout { dir: std::path::absolute(&dir).unwrap_or(dir) }
}

/// Where there should be an installation, there is none.
fn is_absent(session: &Session<'_>, layout: &Layout) -> Box<Failure> {
    let todo = match session.dir() {
        Some(_) => problem::name_another_installation(),
        None => problem::name_installation(),
    };
    Failure::new(Code::Usage, problem::no_installation(&layout.dir.display())).todo(todo)
}

/// What was installed. A run that died before it wrote the project left no index; the bundle itself says the same.
fn content_of(layout: &Layout, receipt: &Receipt, session: &Session<'_>) -> io::Result<Option<Content>> {
    let from_bundle = session.bundle.as_ref().map(|bundle| &bundle.bundle.index.content);
    match file::read_text(&layout.index())? {
        Some(text) => Ok(Some(serde_json::from_str(&text)?)),
        None => Ok(from_bundle.filter(|content| content.app.name == receipt.app).cloned()),
    }
}

impl Installed {
    /// What should be running.
    pub(super) fn wanted(&self) -> Wanted<'_> {
        Wanted { content: &self.content, answers: &self.answers, resting: &self.receipt.resting }
    }

    /// The engine, if it answers.
    pub(super) fn engine(&self) -> Outcome<Engine> {
        let socket = &self.receipt.socket;
        let silent = || {
            let todo = match &self.receipt.engine {
                // It cannot be started: either way goes on from here.
                Some(home) if self.receipt.is_half(home) => {
                    text::finish_installation(&self.own_bundle_command())
                }
                Some(_) => text::start_it(&self.control()),
                None => problem::start_docker(),
            };
            Failure::new(Code::Unhealthy, problem::engine_not_running()).todo(todo)
        };
        let engine = Engine::connect(socket).map_err(|error| silent().because(&error))?;
        if engine.is_answering() { Ok(engine) } else { Err(silent()) }
    }

    /// The engine; one of ours is started first.
    pub(super) fn started_engine(&self) -> Outcome<Engine> {
        let is_whole =
            |home: &&EngineHome| home.bin().join("dockerd").exists() && !self.receipt.is_half(home);
        if let Some(home) = self.receipt.engine.as_ref().filter(is_whole) {
            start_engine::start(&EnginePlan {
                socket: self.receipt.socket.clone(),
                compose: self.receipt.compose.clone(),
                by_systemd: is_by_systemd(home),
                home: Some(home.clone()),
                containerd_store: true,
                packet_filter: true,
            })?;
        }
        self.engine()
    }

    /// How to call `<app>ctl` of this installation.
    pub(super) fn control(&self) -> String {
        self.layout.control_command(&self.content.app.name)
    }

    /// How to call the bundle again; by now the stick may be elsewhere.
    pub(super) fn bundle_command(&self, session: &Session<'_>) -> String {
        match &session.bundle {
            Some(bundle) => {
                self.layout.bundle_command(&self.content.app.name, &bundle.path.display().to_string())
            }
            None => self.own_bundle_command(),
        }
    }

    /// The same for one who has no bundle at hand.
    fn own_bundle_command(&self) -> String {
        let app = &self.content.app;
        self.layout.bundle_command(&app.name, &format!("./{}-{}.run", app.name, app.version))
    }

    /// Ends the run when there is no application to work with.
    pub(super) fn refuse_if_gone(&self, session: &Session<'_>) -> Outcome<()> {
        let run = self.bundle_command(session);
        match self.receipt.extent() {
            Extent::Uninstalled => {
                let gone = text::is_uninstalled(&self.layout.dir.display().to_string());
                Err(Failure::new(Code::Usage, gone).todo(text::install_or_purge(&run)))
            }
            Extent::HalfRemoved => Err(self.half_removed(session)),
            // An upgrade that was broken off has left the version before, which can be used.
            Extent::Interrupted if self.compose().is_present() => {
                session.say(&text::is_interrupted());
                session.say(&text::finish_installation(&run));
                Ok(())
            }
            Extent::Interrupted => {
                Err(Failure::midway(text::is_interrupted()).todo(text::finish_installation(&run)))
            }
            Extent::Installed => Ok(()),
        }
    }

    /// What is said where an uninstallation was broken off.
    pub(super) fn half_removed(&self, session: &Session<'_>) -> Box<Failure> {
        let run = self.bundle_command(session);
        // The program in the project directory may be gone, too.
        let is_there = self.layout.control(&self.content.app.name).exists();
        let command = if is_there { self.control() } else { run.clone() };
        let option = if self.receipt.removal == Some(Removal::Purge) { " --purge" } else { "" };
        Failure::midway(text::is_half_removed(&self.content.app.name))
            .todo(text::finish_removal(&format!("{command} uninstall{option}"), &run))
    }

    /// A private engine runs for this application alone: where it does not, the application was stopped, or the machine
    /// started anew.
    pub(super) fn is_private_engine_off(&self) -> bool {
        matches!(&self.receipt.engine, Some(home @ EngineHome::Private(_))
            if !self.receipt.is_half(home) && process::find_running(&home.bin().join("dockerd")).is_none())
    }

    /// Compose for this project.
    pub(super) fn compose(&self) -> Compose {
        Compose::new(&self.receipt.compose, &self.layout, &self.receipt.socket, &self.content)
    }
}

pub(super) fn is_by_systemd(home: &EngineHome) -> bool {
    *home == EngineHome::System && std::path::Path::new("/run/systemd/system").is_dir()
}
