//! The installer with the feature `faults`: acts on files and processes fail as `INSTALLER_FAULTS` says
//! (`installer/src/host/fault.rs`). What is shipped is built without it.

fn main() -> std::process::ExitCode {
    installer::run()
}
