//! Who this program is: the installer in a bundle, or the `<app>ctl` that an installation left.

use std::path::{Path, PathBuf};

use bundle_spec::index::Content;
use bundle_spec::project::App;

use crate::bundle::BundleFile;
use crate::host::file;
use crate::layout::Layout;
use crate::text::{Lang, Message, command as text};

/// Who this program is.
#[derive(Debug)]
pub(super) enum Identity {
    /// Neither: the stub by itself.
    Bare,
    /// The installer in a bundle.
    Bundle(App),
    /// `<app>ctl` in a project directory. Its application is known to root only: the record is for nobody else's eyes.
    Control { dir: PathBuf, name: String, app: Option<App> },
}

impl Identity {
    pub(super) fn of(bundle: Option<&BundleFile>) -> Self {
        if let Some(bundle) = bundle {
            return Self::Bundle(bundle.bundle.index.content.app.clone());
        }
        std::env::current_exe().ok().and_then(|own| Self::control(&own)).unwrap_or(Self::Bare)
    }

    /// `DIR/bin/<app>ctl` beside the state of an installation.
    fn control(own: &Path) -> Option<Self> {
        let name = own.file_name()?.to_str()?.strip_suffix("ctl")?.to_owned();
        let dir = own.parent()?.parent()?.to_owned();
        let layout = Layout { dir: dir.clone() };
        layout.state().symlink_metadata().ok()?;
        let index = file::read_text(&layout.index()).ok().flatten();
        let app =
            index.and_then(|text| serde_json::from_str::<Content>(&text).ok()).map(|content| content.app);
        Some(Self::Control { dir, name, app })
    }

    /// This is `<app>ctl`.
    pub(super) fn is_control(&self) -> bool {
        matches!(self, Self::Control { .. })
    }

    /// The project directory that this program was installed into.
    pub(super) fn installed_dir(&self) -> Option<PathBuf> {
        match self {
            Self::Control { dir, .. } => Some(dir.clone()),
            Self::Bare | Self::Bundle(_) => None,
        }
    }

    /// How this program is called.
    pub(super) fn program(&self) -> String {
        match self {
            Self::Bare => "airlift".to_owned(),
            Self::Bundle(app) => format!("{}-{}.run", app.name, app.version),
            Self::Control { name, .. } => format!("{name}ctl"),
        }
    }

    /// Where the application is, or goes, when `--dir` does not say.
    pub(super) fn default_dir(&self) -> String {
        let dir = match self {
            Self::Bare => PathBuf::from("."),
            Self::Bundle(app) => Layout::default_dir(&app.name),
            Self::Control { dir, .. } => dir.clone(),
        };
        dir.display().to_string()
    }

    /// Name and version, in the form of any `--version`.
    pub(super) fn version(&self) -> String {
        match self {
            Self::Bare => format!("airlift {}", env!("CARGO_PKG_VERSION")),
            Self::Bundle(app) | Self::Control { app: Some(app), .. } => {
                format!("{} {}", app.name, app.version)
            }
            Self::Control { name, app: None, .. } => name.clone(),
        }
    }

    /// The first line of the help.
    pub(super) fn about(&self, lang: Lang) -> String {
        let title = |app: &App| Message::from(&app.title).in_lang(lang).to_owned();
        let about = match self {
            Self::Bare => text::about("Airlift", env!("CARGO_PKG_VERSION")),
            Self::Bundle(app) => text::about(&title(app), &app.version),
            Self::Control { app: Some(app), .. } => text::about_control(&title(app), &app.name, &app.version),
            Self::Control { name, app: None, .. } => text::about_control_name(name),
        };
        about.in_lang(lang).to_owned()
    }
}
