//! What stands before a command that only root may run. Written out, since the reader copies the command as it is printed.

use std::fmt;
use std::sync::OnceLock;

/// In a text: `{SUDO}systemctl start docker`.
pub static SUDO: Sudo = Sudo(OnceLock::new());

/// `sudo `, but nothing for whoever is root without it, or on a machine that has none.
#[derive(Debug)]
pub struct Sudo(OnceLock<bool>);

impl Sudo {
    /// Says once, at the start, whether whoever reads has to use the command `sudo`.
    pub fn settle(&self, is_wanted: bool) {
        let _ = self.0.set(is_wanted);
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
    fn sudo_is_left_out_only_where_nobody_needs_it() {
        for (is_wanted, expected) in [(None, "sudo x"), (Some(true), "sudo x"), (Some(false), "x")] {
            let sudo = Sudo(OnceLock::new());
            is_wanted.into_iter().for_each(|is_wanted| sudo.settle(is_wanted));
            assert_eq!(format!("{sudo}x"), expected);
        }
    }
}
