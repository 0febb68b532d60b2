//! An engine that its application has left behind, since something else was in it: the record of that application says what has to be
//! known to take it away later. It lies beside the engine's programs; whoever removes the last application takes it over.

use std::io;

use super::Receipt;
use crate::layout::{EngineHome, Layout};
use crate::outcome::Outcome;

impl Receipt {
    /// Leaves the engine to whoever comes last.
    ///
    /// # Errors
    /// Names the path and the reason.
    pub fn leave_engine(&self) -> Outcome<()> {
        let mut left = self.clone();
        // Its command goes with the application; another one may have that name when the engine goes.
        left.made.retain(|path| *path != Layout::control_link(&self.app));
        left.write(&EngineHome::System.estate())
    }

    /// The record of who has left an engine behind on this host.
    ///
    /// # Errors
    /// When it cannot be read or understood.
    pub fn of_engine_left() -> io::Result<Option<Self>> {
        Self::read(&EngineHome::System.estate())
    }

    /// Adds what was left behind: from now on the engine is this one's to take away.
    pub fn inherit(&mut self, former: Self) {
        let home = EngineHome::System;
        self.socket = home.socket();
        self.compose = home.compose();
        self.engine = Some(home);
        self.made_group |= former.made_group;
        self.completed_config = former.completed_config.or(self.completed_config.take());
        // The older note is of the time before the engine.
        self.network = former.network.or(self.network.take());
        let newer = std::mem::replace(&mut self.made, former.made);
        newer.into_iter().for_each(|path| self.record_made(path));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::EngineChoice;

    #[test]
    fn what_was_left_behind_and_what_came_later_are_taken_away_by_one() {
        let mut first = Receipt::new("shop", "1.0", "shop", EngineChoice::Auto);
        first.made_group = true;
        first.made = vec!["/usr/local/libexec/airlift".into(), "/usr/local/bin/shopctl".into()];
        let mut second = Receipt::new("wiki", "1.0", "wiki", EngineChoice::Auto);
        second.made = vec!["/usr/local/bin/wikictl".into()];
        second.inherit(first);
        let made: Vec<_> = second.made.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(made, ["/usr/local/libexec/airlift", "/usr/local/bin/shopctl", "/usr/local/bin/wikictl"]);
        assert!(second.made_group && second.engine == Some(EngineHome::System));
    }
}
