//! How this process came to be: from which bundle, and which copy of the stub to clean away.

use std::path::Path;

use crate::bundle::BundleFile;
use crate::host::file;
use crate::outcome::Outcome;

/// The launcher's word on where the bundle lies.
const BUNDLE: &str = "AIRLIFT_BUNDLE";
/// The launcher's word on the directory that it made for the copy of this program.
const STUB_DIR: &str = "AIRLIFT_STUB_DIR";

/// Removes the launcher's copy of this program: it runs on without its file. Only a file that really is this program,
/// and only an empty directory, are removed, whatever the variable says.
pub(super) fn clean_up() {
    let (Some(dir), Ok(own)) = (std::env::var_os(STUB_DIR), std::env::current_exe()) else { return };
    if own.parent() == Some(Path::new(&dir)) && file::remove(&own).is_ok() {
        file::remove_dir_if_empty(Path::new(&dir));
    }
}

/// The bundle, if this process was started from one.
///
/// # Errors
/// When it was, and the file is not usable.
pub(super) fn bundle() -> Outcome<Option<BundleFile>> {
    std::env::var_os(BUNDLE).map(|path| BundleFile::open(Path::new(&path))).transpose()
}
