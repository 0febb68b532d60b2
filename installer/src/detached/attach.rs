//! Finding work under way, and whether it is what is asked for.

use std::io::{BufRead, BufReader};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use bundle_spec::digest::Digest;
use bundle_spec::index::Content;

use super::{Hello, Word, now};
use crate::answers::{Origin, Sources};
use crate::facts::EngineChoice;
use crate::host::{file, lock, socket};
use crate::layout::Layout;
use crate::outcome::{Code, Failure, Outcome};
use crate::text::{Message, detached as text, problem};

/// How long a worker may take to greet: one that is held still does not.
const GREETING: Duration = Duration::from_secs(5);

/// Work under way.
#[derive(Debug)]
pub struct Live {
    /// What it is.
    pub hello: Hello,
    /// What it says.
    pub words: BufReader<UnixStream>,
}

/// The work under way on an installation. Without the right to know, there is none; nor is what somebody else shows in its place.
pub fn find(layout: &Layout) -> Option<Live> {
    let stream = socket::connect(&layout.live()).inspect_err(|_| clear(layout)).ok()?;
    if !socket::is_own_user(&stream) {
        return None;
    }
    socket::limit_reading(&stream, Some(GREETING)).ok()?;
    let mut words = BufReader::new(stream);
    let mut line = String::new();
    words.read_line(&mut line).ok()?;
    let Ok(Word::Hello(hello)) = serde_json::from_str(&line) else { return None };
    socket::limit_reading(words.get_ref(), None).ok()?;
    Some(Live { hello, words })
}

/// Removes the socket of a worker that was killed. One that is alive holds the lock.
pub fn clear(layout: &Layout) {
    let live = layout.live();
    if live.exists() && lock::take(&layout.lock()).is_ok() {
        let _ = file::remove(&live);
    }
}

/// What somebody asks for who runs a file while another run is at work.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// The content of that file.
    pub content: &'a Content,
    /// Digest of its index.
    pub bundle: &'a str,
    /// `--engine`.
    pub choice: Option<EngineChoice>,
    /// What is given this time.
    pub sources: &'a Sources,
}

impl Hello {
    /// How long the work has been going on.
    pub fn duration(&self) -> Message {
        text::duration(now().saturating_sub(self.since))
    }

    /// Ends the run if something else is asked for than what is being done.
    ///
    /// # Errors
    /// [`Code::Locked`], naming the process.
    pub fn refuse_other(&self, wish: &Wish<'_>) -> Outcome<()> {
        let why = if wish.bundle != self.bundle {
            text::other_bundle(&self.version)
        } else if wish.choice.is_some_and(|choice| choice != self.choice) {
            text::other_engine()
        } else if let Some(id) = self.other_answer(wish) {
            text::other_answer(&id)
        } else {
            return Ok(());
        };
        Err(Failure::new(Code::Locked, text::busy(self.pid, &self.duration()))
            .listing(vec![why])
            .todo(problem::wait_for_other_run()))
    }

    /// The first question that is answered otherwise now, if any is. What was not given this time agrees with everything.
    fn other_answer(&self, wish: &Wish<'_>) -> Option<String> {
        let differs = |question: &&bundle_spec::question::Question| {
            let Some((Origin::Set | Origin::Environment | Origin::File, raw)) = wish.sources.raw(question)
            else {
                return false;
            };
            // What cannot be an answer is none of theirs.
            let digest = question.parse(raw).ok().map(|answer| digest(&self.salt, answer.reveal()));
            // A question that the run does not ask, since another answer makes it pointless, decides nothing.
            self.answers.get(question.id.as_str()).is_some_and(|theirs| digest.as_ref() != Some(theirs))
        };
        wish.content.questions.iter().find(differs).map(|question| question.id.as_str().to_owned())
    }
}

/// The digest of an answer that is compared.
pub fn digest(salt: &str, answer: &str) -> String {
    Digest::of(format!("{salt}\n{answer}").as_bytes()).hex()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_socket_of_a_killed_worker_goes() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { dir: folder.path().to_owned() };
        std::fs::create_dir_all(layout.state()).unwrap();
        drop(UnixListener::bind(layout.live()).unwrap());
        let held = lock::take(&layout.lock()).unwrap();
        assert!(find(&layout).is_none());
        assert!(layout.live().exists(), "whoever holds the lock may be about to listen");
        drop(held);
        assert!(find(&layout).is_none());
        assert!(!layout.live().exists());
    }
}
