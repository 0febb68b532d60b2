//! What has happened so far, for those who look on. Each viewer gets everything from the beginning at its own pace, on a thread of
//! its own: one that has stopped reading holds up nobody.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Hello, StepNow, Word};
use crate::event::Event;

/// More than anybody opens windows.
const MOST_VIEWERS: usize = 16;

/// Everything said so far, and who has heard how much of it.
#[derive(Debug)]
pub struct Hub {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    hello: Hello,
    said: Vec<Said>,
    /// Number of the newest word.
    newest: u64,
    /// Nothing more will be said.
    is_over: bool,
    /// And nothing more will be done: viewers may go.
    is_closed: bool,
    next_viewer: u64,
    /// Those who look on, each with the newest word that it has got.
    viewers: Vec<Viewer>,
    /// Somebody has got the last word.
    was_heard: bool,
}

#[derive(Debug)]
struct Viewer {
    id: u64,
    heard: u64,
}

#[derive(Debug)]
struct Said {
    number: u64,
    line: Arc<str>,
    /// Worth nothing once a newer one of its kind is there.
    is_passing: bool,
}

impl Hub {
    /// Nothing said yet.
    pub fn new(hello: Hello) -> Arc<Self> {
        let state = State {
            hello,
            said: Vec::new(),
            newest: 0,
            is_over: false,
            is_closed: false,
            next_viewer: 0,
            viewers: Vec::new(),
            was_heard: false,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says something to everybody, those who come later included. Never waits.
    pub fn say(&self, word: &Word) {
        let Some(line) = line_of(word) else { return };
        let mut state = self.state();
        if state.is_over {
            return;
        }
        if let Word::Event(Event::StepStarted { number, count, title }) = word {
            state.hello.step = Some(StepNow { number: *number, count: *count, title: title.clone() });
        }
        let is_passing = matches!(word, Word::Event(Event::Progress { .. } | Event::Waiting { .. }));
        // Hours of progress must not fill the memory.
        if is_passing && state.said.last().is_some_and(|last| last.is_passing) {
            state.said.pop();
        }
        state.newest += 1;
        let number = state.newest;
        state.said.push(Said { number, line, is_passing });
        state.is_over = matches!(word, Word::Ended(_) | Word::Stopped(_));
        drop(state);
        self.changed.notify_all();
    }

    /// Serves one viewer until it goes away or everything is said.
    pub fn serve(self: &Arc<Self>, mut viewer: impl Write + Send + 'static) {
        let mut state = self.state();
        if state.viewers.len() >= MOST_VIEWERS {
            return;
        }
        let id = state.next_viewer;
        state.next_viewer += 1;
        state.viewers.push(Viewer { id, heard: 0 });
        drop(state);
        let hub = Arc::clone(self);
        let served = std::thread::Builder::new().name("viewer".to_owned()).spawn(move || {
            hub.tell(id, &mut viewer);
            hub.forget(id);
            hub.changed.notify_all();
        });
        if served.is_err() {
            self.forget(id);
        }
    }

    fn forget(&self, id: u64) {
        self.state().viewers.retain(|viewer| viewer.id != id);
    }

    fn tell(&self, id: u64, viewer: &mut impl Write) {
        let hello = line_of(&Word::Hello(self.state().hello.clone()));
        if hello.is_none_or(|line| viewer.write_all(line.as_bytes()).is_err()) {
            return;
        }
        let mut heard = 0;
        loop {
            let mut state = self.state();
            while state.newest == heard && !state.is_over {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.newest == heard {
                state.was_heard = true;
                self.changed.notify_all();
                // The end of the line is the end of the work: whoever sees it may start the next one.
                while !state.is_closed {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                return;
            }
            let first = state.said.partition_point(|said| said.number <= heard);
            let news: Vec<Arc<str>> = state.said[first..].iter().map(|said| Arc::clone(&said.line)).collect();
            heard = state.newest;
            drop(state);
            if news.iter().any(|line| viewer.write_all(line.as_bytes()).is_err()) {
                return;
            }
            if let Some(viewer) = self.state().viewers.iter_mut().find(|viewer| viewer.id == id) {
                viewer.heard = heard;
            }
            self.changed.notify_all();
        }
    }

    /// Lets the viewers go.
    pub fn close(&self) {
        self.state().is_closed = true;
        self.changed.notify_all();
    }

    /// Waits until everybody has got the last word, but no longer than `limit`: somebody's terminal may stand still. Returns
    /// whether anybody has.
    pub fn drain(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.state();
        while state.viewers.iter().any(|viewer| viewer.heard < state.newest) {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { break };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let newest = state.newest;
        state.was_heard || state.viewers.iter().any(|viewer| viewer.heard == newest)
    }
}

fn line_of(word: &Word) -> Option<Arc<str>> {
    serde_json::to_string(word).ok().map(|line| format!("{line}\n").into())
}

#[cfg(test)]
mod tests;
