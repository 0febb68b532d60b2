//! Which reports of progress are passed on: they come faster than anybody reads, and faster than a line takes them. The last of a
//! stretch always is, since one that takes no time would otherwise leave no trace. Pure.

use std::time::{Duration, Instant};

use crate::event::Event;
use crate::text::Message;

/// Least time between two that are passed on.
const INTERVAL: Duration = Duration::from_millis(200);

/// What was passed on last.
#[derive(Debug, Default)]
pub struct Pace {
    last: Option<Instant>,
    ended: Option<(Message, u64)>,
}

impl Pace {
    /// Whether this event is passed on now. Whatever is no progress is; so is all of it where `is_limited` is false.
    pub fn takes(&mut self, event: &Event, now: Instant, is_limited: bool) -> bool {
        if let Event::Progress { title, done, total } = event
            && done == total
        {
            let end = Some((title.clone(), *total));
            // It may be said again when the end of what is read is met.
            let is_new = self.ended != end;
            self.ended = end;
            self.last = Some(now);
            return is_new || !is_limited;
        }
        if !matches!(event, Event::Progress { .. } | Event::Waiting { .. }) {
            return true;
        }
        if is_limited && self.last.is_some_and(|last| now.saturating_duration_since(last) < INTERVAL) {
            return false;
        }
        self.last = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(title: &str, done: u64) -> Event {
        Event::Progress { title: Message::verbatim(title), done, total: 100 }
    }

    /// A step that was over before the pause was said nothing of what it had read.
    #[test]
    fn the_end_of_a_stretch_is_always_told_and_only_once() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert!(pace.takes(&progress("verify", 10), now, true));
        assert!(!pace.takes(&progress("verify", 20), now, true));
        for title in ["verify", "load"] {
            assert!(pace.takes(&progress(title, 100), now, true), "{title}");
            assert!(!pace.takes(&progress(title, 100), now, true), "{title}");
        }
        assert!(!pace.takes(&progress("load", 20), now, true));
        assert!(pace.takes(&progress("load", 20), now + INTERVAL, true));
    }

    #[test]
    fn what_is_no_progress_or_not_limited_passes() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        for _ in 0..2 {
            assert!(pace.takes(&Event::Note { text: Message::verbatim("x") }, now, true));
            assert!(pace.takes(&progress("verify", 10), now, false));
        }
        assert!(!pace.takes(&Event::Waiting { seconds: 3, limit: None }, now, true));
    }
}
