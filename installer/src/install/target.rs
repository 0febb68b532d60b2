//! Where an installation goes: the directory and what an earlier run left there.

use bundle_spec::index::Content;

use super::Options;
use crate::facts::EngineChoice;
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
}

impl Target {
    /// A place where nothing is yet.
    pub fn fresh(layout: Layout, choice: EngineChoice) -> Self {
        Self { layout, choice, receipt: None, doubts: Vec::new() }
    }

    /// `--dir`, else where it is installed already, else the default; likewise for the engine.
    pub fn of(content: &Content, options: &Options) -> Self {
        let app = &content.app.name;
        let installed = || {
            let control = std::fs::read_link(Layout::control_link(app)).ok()?;
            let dir = control.parent()?.parent()?.to_owned();
            Layout { dir: dir.clone() }.receipt().exists().then_some(dir)
        };
        let given = options.dir.as_ref().map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone()));
        let dir = given.or_else(installed).unwrap_or_else(|| Layout::default_dir(app));
        let layout = Layout { dir };
        let receipt = Receipt::read(&layout.receipt()).ok().flatten();
        let earlier = receipt.as_ref().filter(|receipt| receipt.app == *app).map(|receipt| receipt.choice);
        let choice = options.engine.or(earlier).unwrap_or(EngineChoice::Auto);
        Self { receipt, ..Self::fresh(layout, choice) }
    }
}
