//! What was done on this host, on disk: written before and after every step, so that a run can die anywhere and be run
//! again. Holds no secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::facts::EngineChoice;
use crate::host::file::{self, Access};
use crate::host::firewall::Opening;
use crate::host::traces::Before;
use crate::layout::EngineHome;
use crate::outcome::{Failure, Outcome};
use crate::plan::Step;
use crate::text::problem;

mod estate;

/// Written into every file of ours outside the project directory, to know it again.
pub const MARK: &str = "Installed by Airlift";

/// Version of the receipt's form.
const FORMAT: u32 = 1;

/// The record of one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of this form.
    pub format: u32,
    /// Application name.
    pub app: String,
    /// Application version.
    pub version: String,
    /// Compose project name.
    pub project: String,
    /// Digest of the bundle's index.
    pub bundle: String,
    /// When what is installed was made: the bundle's `created`.
    #[serde(default)]
    pub created: u64,
    /// The public key of whoever signed it: every later bundle must have it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<String>,
    /// The language that was spoken, for those who come later in a locale that asks for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub lang: String,
    /// What `--engine` was.
    pub choice: EngineChoice,
    /// Socket of the engine in use.
    pub socket: PathBuf,
    /// The engine that we installed, if we did.
    pub engine: Option<EngineHome>,
    /// The Compose plugin in use.
    pub compose: PathBuf,
    /// Everything that we made outside the project directory, in order.
    pub made: Vec<PathBuf>,
    /// Project files that we wrote, relative to the project directory.
    pub files: Vec<String>,
    /// What the kernel's network had before the engine that we installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Before>,
    /// References of images that we loaded and that were not there before.
    pub loaded: Vec<String>,
    /// Identifiers of the images that we sent under each name, those of earlier versions included.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub brought: BTreeMap<String, BTreeSet<String>>,
    /// What references of ours stood for before us: identifiers of images that get their names back.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub priors: BTreeMap<String, String>,
    /// References of images that were sent last, those included that stood for another image before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<String>,
    /// Identifiers of images of ours that have lost their names to newer ones, or may lose them: removed when the project has
    /// started, if nobody names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<String>,
    /// The boot in which images were last sent.
    pub load_begun_in: String,
    /// Whether they were synced to disk since.
    pub was_synced: bool,
    /// The operator's `daemon.json`, if we have completed it: SHA-256 of what we made of it. As it was before, it lies beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completed_config: Option<String>,
    /// We made the group `docker`.
    pub made_group: bool,
    /// Digest of what the containers were last started with.
    pub started_as: String,
    /// Salted digest of each project file as it was when the containers were last started.
    #[serde(default)]
    pub started_files: BTreeMap<String, String>,
    /// Services that Compose was asked to run no container of, when it was last asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resting: Vec<String>,
    /// Actions of the vendor's that were done, each with what it depends on as a salted digest.
    #[serde(default)]
    pub actions: BTreeMap<String, String>,
    /// What we opened in the firewall.
    #[serde(default)]
    pub openings: Vec<Opening>,
    /// Users whom we added to the group `docker`.
    #[serde(default)]
    pub group_members: Vec<String>,
    /// Certificate and key, relative to the project directory, if we wrote them.
    #[serde(default)]
    pub certificate: Vec<String>,
    /// SHA-256 fingerprint of that certificate, if we made it ourselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_certificate: Option<String>,
    /// The application was healthy once: what is in the directory may be worth keeping.
    #[serde(default)]
    pub was_healthy: bool,
    /// The project directory had something in it before the first run.
    #[serde(default)]
    pub found_files: bool,
    /// An uninstallation has begun and not come to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removal: Option<Removal>,
    /// Each step and how far it got.
    pub steps: Vec<StepRecord>,
}

/// What an uninstallation is to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Removal {
    /// Data, answers and secrets.
    KeepData,
    /// Nothing.
    Purge,
}

/// How far a step got.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step's stable name.
    pub id: String,
    /// How far.
    pub state: StepState,
    /// The boot in which this was written: what was not synced before another boot is not believed.
    pub boot_id: String,
}

/// How far a step got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StepState {
    /// Begun; whether it ended is not known.
    Begun,
    /// Ended well, and synced to disk.
    Done,
    /// Ended badly.
    Failed,
}

/// What the receipt says of the application as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Installed; whether it is healthy is another matter.
    Installed,
    /// A run has begun and not come to its end.
    Interrupted,
    /// An uninstallation has begun and not come to its end: any part of the application may be gone.
    HalfRemoved,
    /// Removed; its data is kept.
    Uninstalled,
}

impl Receipt {
    /// A receipt of nothing done yet.
    pub fn new(app: &str, version: &str, project: &str, choice: EngineChoice) -> Self {
        Self {
            format: FORMAT,
            app: app.to_owned(),
            version: version.to_owned(),
            project: project.to_owned(),
            bundle: String::new(),
            created: 0,
            signer: None,
            lang: String::new(),
            choice,
            socket: PathBuf::new(),
            engine: None,
            compose: PathBuf::new(),
            made: Vec::new(),
            files: Vec::new(),
            network: None,
            loaded: Vec::new(),
            brought: BTreeMap::new(),
            priors: BTreeMap::new(),
            sent: Vec::new(),
            replaced: Vec::new(),
            load_begun_in: String::new(),
            was_synced: false,
            completed_config: None,
            made_group: false,
            started_as: String::new(),
            started_files: BTreeMap::new(),
            resting: Vec::new(),
            actions: BTreeMap::new(),
            openings: Vec::new(),
            group_members: Vec::new(),
            certificate: Vec::new(),
            made_certificate: None,
            was_healthy: false,
            found_files: false,
            removal: None,
            steps: Vec::new(),
        }
    }

    /// Reads a receipt; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        let Some(text) = file::read_text(path)? else { return Ok(None) };
        let receipt: Self = serde_json::from_str(&text)?;
        if receipt.format != FORMAT {
            return Err(io::Error::other(format!("receipt format {} is not known", receipt.format)));
        }
        Ok(Some(receipt))
    }

    /// Writes the receipt durably, mode 0600.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Failure::midway(problem::cannot_write(&path.display())).because(&error))?;
        file::write(path, Access::PRIVATE, &text)
    }

    /// Records how far a step got.
    pub fn record(&mut self, id: &str, state: StepState, boot_id: &str) {
        self.forget(id);
        self.steps.push(StepRecord { id: id.to_owned(), state, boot_id: boot_id.to_owned() });
    }

    /// Whether it was settled which engine is used.
    pub fn has_engine(&self) -> bool {
        !self.socket.as_os_str().is_empty()
    }

    /// Whether images under this name have come from us.
    pub fn has_brought(&self, name: &str) -> bool {
        self.loaded.iter().any(|loaded| loaded == name) || self.priors.contains_key(name)
    }

    /// Whether this is one of the images that have come from us under this name.
    pub fn is_ours(&self, name: &str, id: &str) -> bool {
        self.brought.get(name).is_some_and(|ids| ids.contains(id))
    }

    /// Takes back that a step was done: something before it has changed.
    pub fn forget(&mut self, id: &str) {
        self.steps.retain(|step| step.id != id);
    }

    /// Records something made outside the project directory.
    pub fn record_made(&mut self, path: PathBuf) {
        if !self.made.contains(&path) {
            self.made.push(path);
        }
    }

    /// The engine that we installed, as far as it is really there: a run that died before placing it has recorded the
    /// intention only, and what was installed since is somebody else's.
    pub fn own_engine(&self) -> Option<&EngineHome> {
        self.engine.as_ref().filter(|home| home.mark().exists())
    }

    /// Whether this installation has brought the engine, or begun to. Nobody else puts programs into its directory.
    pub fn has_placed(&self, home: &EngineHome) -> bool {
        matches!(home, EngineHome::Private(_)) || self.made.contains(&home.bin())
    }

    /// Whether only a part of our engine is there: a run broke off while it placed it, or a purge while it removed it. The mark is
    /// written last and goes first.
    pub fn is_half(&self, home: &EngineHome) -> bool {
        self.has_placed(home) && !home.mark().exists()
    }

    /// How much of the application is there. Steps that look at the application itself may fail in one that is installed.
    pub fn extent(&self) -> Extent {
        let (start, prove) = (Step::StartProject.id(), Step::ProveHealthy.id());
        let is_over = |step: &StepRecord| {
            step.state == StepState::Done
                || step.id == prove
                || (step.id == start && step.state == StepState::Failed)
        };
        if self.removal.is_some() {
            Extent::HalfRemoved
        } else if self.bundle.is_empty() {
            Extent::Uninstalled
        } else if self.steps.iter().all(is_over) && self.steps.iter().any(|step| step.id == start) {
            Extent::Installed
        } else {
            Extent::Interrupted
        }
    }

    /// Whether a step is recorded as done.
    pub fn is_done(&self, id: &str) -> bool {
        self.steps.iter().any(|step| step.id == id && step.state == StepState::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extent_follows_from_the_steps() {
        let mut receipt = Receipt::new("shop", "1.0", "shop", EngineChoice::Auto);
        assert_eq!(receipt.extent(), Extent::Uninstalled);
        receipt.bundle = "sha256:00".into();
        receipt.record(Step::LoadImages.id(), StepState::Begun, "b");
        assert_eq!(receipt.extent(), Extent::Interrupted);
        receipt.record(Step::LoadImages.id(), StepState::Done, "b");
        assert_eq!(receipt.extent(), Extent::Interrupted);
        receipt.record(Step::StartProject.id(), StepState::Done, "b");
        receipt.record(Step::ProveHealthy.id(), StepState::Failed, "b");
        assert_eq!(receipt.extent(), Extent::Installed);
        // An upgrade that died halfway.
        receipt.record(Step::LoadImages.id(), StepState::Failed, "b");
        assert_eq!(receipt.extent(), Extent::Interrupted);
        receipt.removal = Some(Removal::Purge);
        assert_eq!(receipt.extent(), Extent::HalfRemoved);
    }

    /// It was written empty, and the next run knew of nothing.
    #[test]
    fn a_receipt_that_cannot_be_told_in_utf_8_is_not_written_empty() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("receipt.json");
        let mut receipt = Receipt::new("shop", "1.0", "shop", EngineChoice::Auto);
        receipt.write(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        receipt.compose = PathBuf::from(std::ffi::OsStr::from_bytes(b"/srv/\xff"));
        let failure = receipt.write(&path).unwrap_err();
        assert!(failure.what.en.contains("receipt.json"), "{failure:?}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }
}
