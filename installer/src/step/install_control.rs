//! `<app>ctl`: this executable without payload, for the day after.

use std::fs::File;
use std::io;
use std::path::Path;

use super::Context;
use crate::host::file::{self, Access};
use crate::layout::Layout;
use crate::outcome::{Failure, Outcome};
use crate::text::problem as text;

/// This executable; readable even when the launcher's copy of it is gone.
const OWN_EXECUTABLE: &str = "/proc/self/exe";

pub(super) fn is_done(context: &Context<'_>) -> bool {
    let app = &context.content.app.name;
    let path = context.plan.layout.control(app);
    let is_linked = !wants_link(context)
        || std::fs::read_link(Layout::control_link(app)).is_ok_and(|target| target == path);
    is_linked && same_content(Path::new(OWN_EXECUTABLE), &path).unwrap_or(false)
}

pub(super) fn execute(context: &mut Context<'_>) -> Outcome<()> {
    let app = context.content.app.name.clone();
    let path = context.plan.layout.control(&app);
    file::make_dir(&context.plan.layout.bin(), Access::EXECUTABLE)?;
    let mut own = File::open(OWN_EXECUTABLE)
        .map_err(|error| Failure::midway(text::cannot_write(&path.display())).because(&error))?;
    file::write_atomic(&path, Access::EXECUTABLE, &mut own)?;
    if wants_link(context) {
        let link = Layout::control_link(&app);
        if let Some(parent) = link.parent() {
            context.claim_dirs(parent)?;
            file::make_dir(parent, Access::EXECUTABLE)?;
        }
        context.claim(&link)?;
        file::link(&link, &path)?;
    }
    Ok(())
}

/// A private installation leaves no trace outside its directory.
fn wants_link(context: &Context<'_>) -> bool {
    context.plan.choice != crate::facts::EngineChoice::Private
}

fn same_content(a: &Path, b: &Path) -> io::Result<bool> {
    Ok(a.metadata()?.len() == b.metadata()?.len() && std::fs::read(a)? == std::fs::read(b)?)
}
