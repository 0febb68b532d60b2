//! Where an installation goes: the directory, what an earlier run left there, and whether its file system answers at all.

use bundle_spec::index::Content;

use super::Options;
use crate::facts::{EngineChoice, bounded};
use crate::layout::Layout;
use crate::preflight::Finding;
use crate::receipt::Receipt;

/// Where an installation goes and which engine it uses.
#[derive(Debug)]
pub struct Target {
    /// The project directory.
    pub layout: Layout,
    /// The engine.
    pub choice: EngineChoice,
    /// The receipt of an earlier run there.
    pub receipt: Option<Receipt>,
    /// What speaks against installing this very bundle there; judged with everything else that preflight finds.
    pub doubts: Vec<Finding>,
    /// Its file system does not answer. Nothing of it is touched any more: who does hangs, and cannot be interrupted.
    pub is_silent: bool,
}

impl Target {
    /// A place where nothing is yet.
    pub fn fresh(layout: Layout, choice: EngineChoice) -> Self {
        Self { layout, choice, receipt: None, doubts: Vec::new(), is_silent: false }
    }

    /// `--dir`, else where it is installed already, else the default; likewise for the engine.
    pub fn of(content: &Content, options: &Options) -> Self {
        let app = &content.app.name;
        let installed = || {
            let control = std::fs::read_link(Layout::control_link(app)).ok()?;
            let layout = Layout { dir: control.parent()?.parent()?.to_owned() };
            let receipt = layout.receipt();
            // One whose file system does not answer is there all the same.
            bounded::one(move || receipt.exists()).unwrap_or(true).then_some(layout.dir)
        };
        let given = options.dir.as_ref().map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone()));
        let dir = given.or_else(installed).unwrap_or_else(|| Layout::default_dir(app));
        let layout = Layout { dir };
        let path = layout.receipt();
        let read = bounded::one(move || Receipt::read(&path).ok().flatten());
        let (is_silent, receipt) = (read.is_none(), read.flatten());
        let earlier = receipt.as_ref().filter(|receipt| receipt.app == *app).map(|receipt| receipt.choice);
        let choice = options.engine.or(earlier).unwrap_or(EngineChoice::Auto);
        Self { receipt, is_silent, ..Self::fresh(layout, choice) }
    }
}
