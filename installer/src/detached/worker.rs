//! The process that does the work, from the moment at which it leaves the terminal.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bundle_spec::answer::Answers;
use bundle_spec::question::{Generate, GenerateFormat};

use super::attach::digest;
use super::hub::Hub;
use super::last::{End, LastRun};
use super::{DETACHED, Hello, Word, now};
use crate::answers::generate;
use crate::event::Event;
use crate::host::lock::Lock;
use crate::host::signal::{HANG_UP, Reaction, Watch};
use crate::host::{file, process, socket};
use crate::layout::Layout;
use crate::receipt::Receipt;
use crate::report::Reporter;
use crate::text::Message;
use crate::text::cause::explained;

/// How long somebody may take to hear the last word.
const FAREWELL: Duration = Duration::from_secs(3);

/// Work that goes on whoever looks on.
#[derive(Debug)]
pub struct Work {
    hub: Arc<Hub>,
    layout: Layout,
    since: u64,
    /// The last word so far, if the run has one.
    outcome: Mutex<Option<Message>>,
    lock: Mutex<Option<Lock>>,
}

/// Leaves the terminal; from here on nothing is asked. What the reporter is given goes to those who look on: the front, which gets
/// it by our standard output, and everybody who comes by the socket. The lock is held to the end.
pub fn leave(
    layout: &Layout,
    receipt: &Receipt,
    answers: &Answers,
    (lock, watch): (Lock, &Watch),
    reporter: &Reporter,
) {
    watch.decide(|signal| {
        if signal == HANG_UP {
            return Reaction::GoOn;
        }
        // A command of ours would go on alone.
        process::terminate_group();
        Reaction::End
    });
    let salt = generate::secret(Generate { format: GenerateFormat::Hex, bytes: 16 }).unwrap_or_default();
    let digests = answers.iter().map(|(id, answer)| (id.as_str().to_owned(), digest(&salt, answer.reveal())));
    let since = now();
    let hub = Hub::new(Hello {
        pid: std::process::id(),
        since,
        version: receipt.version.clone(),
        bundle: receipt.bundle.clone(),
        choice: receipt.choice,
        step: None,
        answers: digests.collect(),
        salt,
    });
    LastRun { since, end: None }.write(layout);
    // The person has chosen a language here; who shows the rest does not know it.
    crate::report::data(&format!("{DETACHED} {}", reporter.lang().code()));
    // A worker that cannot leave works all the same, and ends with its terminal.
    if let Ok(front) = process::leave_terminal(&layout.log()) {
        hub.serve(front);
    }
    if process::is_in_login_session()
        && let Err(error) = process::leave_login_session(&receipt.app)
    {
        reporter.log_only(&Event::Note { text: explained(&error.to_string()) });
    }
    if let Ok(listener) = socket::listen(&layout.live()) {
        let hub = Arc::clone(&hub);
        let _ = std::thread::Builder::new().name("viewers".to_owned()).spawn(move || {
            for viewer in listener.incoming().flatten().filter(socket::is_own_user) {
                hub.serve(viewer);
            }
        });
    }
    let (outcome, lock) = (Mutex::new(None), Mutex::new(Some(lock)));
    reporter.hand_over(Work { hub, layout: layout.clone(), since, outcome, lock });
}

impl Work {
    /// Says something to everybody.
    pub fn say(&self, word: &Word) {
        let last = match word {
            Word::Event(Event::Finished { text, .. }) | Word::Stopped(text) => Some(text),
            Word::Failure(failure) => Some(&failure.what),
            _ => None,
        };
        if let (Some(text), Ok(mut outcome)) = (last, self.outcome.lock()) {
            *outcome = Some(text.clone());
        }
        self.hub.say(word);
    }

    /// The run is over: the last word to everybody, and to those who come later.
    pub fn end(&self, code: u8) {
        self.say(&Word::Ended(code));
        self.record(Some(code));
        let _ = file::remove(&self.layout.live());
        if let Ok(mut lock) = self.lock.lock() {
            drop(lock.take());
        }
        self.hub.close();
    }

    /// The run is being stopped, in the middle of whatever it does: the lock stays until the process is gone.
    pub fn stopped(&self, text: &Message) {
        self.say(&Word::Stopped(text.clone()));
        self.record(None);
        let _ = file::remove(&self.layout.live());
    }

    fn record(&self, code: Option<u8>) {
        let was_heard = self.hub.drain(FAREWELL);
        let text = self.outcome.lock().ok().and_then(|outcome| outcome.clone());
        let text = text.unwrap_or_else(|| Message::verbatim(""));
        LastRun { since: self.since, end: Some(End { code, text, was_heard }) }.write(&self.layout);
    }
}
