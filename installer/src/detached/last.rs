//! How the last run ended that changed anything, for an operator who comes back when it is over.

use serde::{Deserialize, Serialize};

use super::now;
use crate::host::file::{self, Access};
use crate::layout::Layout;
use crate::outcome::Code;
use crate::report::Reporter;
use crate::text::{Message, detached as text};

/// The record in the state directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastRun {
    /// When it began, in seconds since 1970.
    pub since: u64,
    /// How it ended; nothing while it is at work, and after a power cut.
    pub end: Option<End>,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Exit code; none if it was stopped.
    pub code: Option<u8>,
    /// Its last word.
    pub text: Message,
    /// Somebody was there to hear it.
    pub was_heard: bool,
}

impl LastRun {
    /// Writes the record; one that cannot be written must not end an installation.
    pub fn write(&self, layout: &Layout) {
        if let Ok(text) = serde_json::to_vec(self) {
            let _ = file::write(&layout.last_run(), Access::PRIVATE, &text);
        }
    }

    fn read(layout: &Layout) -> Option<Self> {
        serde_json::from_str(&file::read_text(&layout.last_run()).ok().flatten()?).ok()
    }

    /// The record once the application is well; nothing where that changes nothing.
    fn settled(mut self) -> Option<Self> {
        let end = self.end.as_mut().filter(|end| end.code == Some(Code::Unhealthy as u8))?;
        (end.code, end.was_heard) = (Some(0), true);
        Some(self)
    }

    /// What an operator should know of it. What ended well before somebody's eyes is no news.
    fn news(&self, now: u64) -> Option<Message> {
        let ago = text::duration(now.saturating_sub(self.since));
        match &self.end {
            None => Some(text::last_was_broken_off(&ago)),
            Some(End { code: Some(0), was_heard: true, .. }) => None,
            Some(End { code: Some(0), text, .. }) => Some(text::last_ended_well(&ago, text)),
            Some(End { code: Some(_), text, .. }) => Some(text::last_failed(&ago, text)),
            Some(End { code: None, .. }) => Some(text::last_was_stopped(&ago)),
        }
    }
}

/// The application has become well since: a run that failed only because it was not is no news any more.
pub fn is_well(layout: &Layout) {
    if let Some(last) = LastRun::read(layout).and_then(LastRun::settled) {
        last.write(layout);
    }
}

/// Says how the last run ended. Said once, if the run that says it may change anything.
pub fn tell(layout: &Layout, may_change: bool, reporter: &Reporter) {
    let Some(mut last) = LastRun::read(layout) else { return };
    let Some(news) = last.news(now()) else { return };
    reporter.line(&news);
    if let Some(end) = last.end.as_mut().filter(|end| may_change && end.code == Some(0)) {
        end.was_heard = true;
        last.write(layout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_unhealthy_is_no_news_once_it_is_well() {
        let settled = |code| {
            let end = End { code: Some(code), text: Message::verbatim("x"), was_heard: true };
            LastRun { since: 100, end: Some(end) }.settled()
        };
        assert_eq!(settled(Code::Unhealthy as u8).unwrap().news(200), None);
        assert_eq!(settled(Code::Failed as u8), None);
    }

    #[test]
    fn only_what_ended_well_before_somebodys_eyes_is_no_news() {
        let news = |end: Option<(Option<u8>, bool)>| {
            let text = Message::verbatim("The disk is full.");
            let end = end.map(|(code, was_heard)| End { code, text: text.clone(), was_heard });
            LastRun { since: 100, end }.news(100 + 3 * 60).map(|news| news.en)
        };
        assert_eq!(news(Some((Some(0), true))), None);
        for (end, part) in [
            (None, "before its end"),
            (Some((Some(0), false)), "ended well"),
            (Some((Some(1), true)), "failed: The disk is full."),
            (Some((None, false)), "stopped"),
        ] {
            let news = news(end).unwrap();
            assert!(news.contains(part) && news.contains("3 min"), "{news}");
        }
    }
}
