//! What stands before a command that only root may run. Written out, since the reader copies the command as it is printed.

use std::fmt;
use std::sync::OnceLock;

/// In a text: `{SUDO}systemctl start docker`.
pub static SUDO: Sudo = Sudo(OnceLock::new());

/// `sudo `, but nothing on a machine without it: whoever works there is root already.
#[derive(Debug)]
pub struct Sudo(OnceLock<bool>);

impl Sudo {
    /// Says once, at the start, whether this machine has the command `sudo`.
    pub fn settle(&self, is_installed: bool) {
        let _ = self.0.set(is_installed);
    }
}

impl fmt::Display for Sudo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self.0.get().unwrap_or(&true) { "sudo " } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudo_is_left_out_only_where_there_is_none() {
        for (is_installed, expected) in [(None, "sudo x"), (Some(true), "sudo x"), (Some(false), "x")] {
            let sudo = Sudo(OnceLock::new());
            is_installed.into_iter().for_each(|is_installed| sudo.settle(is_installed));
            assert_eq!(format!("{sudo}x"), expected);
        }
    }
}
