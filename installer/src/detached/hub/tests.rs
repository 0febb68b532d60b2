use std::io::{self, BufRead, BufReader};
use std::os::unix::net::UnixStream;

use super::*;
use crate::event::StepOutcome;
use crate::facts::EngineChoice;
use crate::outcome::{Code, Failure};
use crate::text::Message;
use std::collections::BTreeMap;

const LIMIT: Duration = Duration::from_secs(5);

fn hub() -> Arc<Hub> {
    Hub::new(Hello {
        pid: 7,
        since: 0,
        version: "1.0".into(),
        bundle: "sha256:00".into(),
        choice: EngineChoice::Auto,
        step: None,
        salt: String::new(),
        answers: BTreeMap::new(),
    })
}

fn progress(done: u64) -> Word {
    Word::Event(Event::Progress { title: Message::verbatim("Load"), done, total: 100 })
}

fn note(text: &str) -> Word {
    Word::Event(Event::Note { text: Message::verbatim(text) })
}

fn words(stream: UnixStream) -> Vec<Word> {
    BufReader::new(stream).lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect()
}

/// What a viewer shows, in short.
fn shown(words: &[Word]) -> Vec<String> {
    let short = |word: &Word| match word {
        Word::Hello(hello) => format!("hello {}", hello.step.as_ref().map_or(0, |step| step.number)),
        Word::Event(Event::Progress { done, .. }) => format!("progress {done}"),
        Word::Event(Event::Note { text }) => text.en.clone(),
        Word::Ended(code) => format!("ended {code}"),
        other => format!("{other:?}"),
    };
    words.iter().map(short).collect()
}

#[test]
fn who_comes_late_hears_everything_but_worn_out_progress() {
    let hub = hub();
    hub.say(&note("a"));
    (0..1000).for_each(|done| hub.say(&progress(done)));
    hub.say(&note("b"));
    let (near, far) = UnixStream::pair().unwrap();
    hub.serve(near);
    hub.say(&Word::Ended(0));
    hub.say(&note("too late"));
    assert!(hub.drain(LIMIT));
    hub.close();
    assert_eq!(shown(&words(far)), ["hello 0", "a", "progress 999", "b", "ended 0"]);
}

#[test]
fn who_stops_reading_holds_up_nobody() {
    let hub = hub();
    let (frozen, _kept_open) = UnixStream::pair().unwrap();
    let (near, far) = UnixStream::pair().unwrap();
    hub.serve(frozen);
    hub.serve(near);
    let reader = std::thread::spawn(move || words(far));
    let long = "x".repeat(10_000);
    (0..200).for_each(|_| hub.say(&note(&long)));
    hub.say(&Word::Ended(6));
    assert!(hub.drain(Duration::from_millis(200)), "the one who reads has heard all of it");
    hub.close();
    assert_eq!(reader.join().unwrap().len(), 202);
}

#[test]
fn the_last_word_was_heard_only_if_somebody_was_there() {
    struct Gone;
    impl io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let hub = hub();
    hub.serve(Gone);
    hub.say(&Word::Ended(0));
    assert!(!hub.drain(LIMIT));
}

#[test]
fn every_kind_of_word_comes_back_as_it_was() {
    let title = Message { en: "Load".into(), zh: "导入".into() };
    let failure =
        Failure::new(Code::Unhealthy, title.clone()).todo(title.clone()).listing(vec![title.clone()]);
    let words = [
        Word::Event(Event::StepStarted { number: 1, count: 2, title: title.clone() }),
        Word::Event(Event::StepFinished {
            number: 1,
            outcome: StepOutcome::Done,
            millis: 3,
            title: title.clone(),
        }),
        Word::Event(Event::Phase { title: title.clone() }),
        Word::Event(Event::Waiting { seconds: 1, limit: None }),
        Word::Event(Event::Plan { steps: vec![title.clone()] }),
        Word::Event(Event::Health { services: crate::health::judge(&["web".into()], &[], &[]) }),
        Word::Event(Event::Finished { code: 6, text: title.clone() }),
        Word::Line(title.clone()),
        Word::Stopped(title),
        Word::Failure(failure),
    ];
    for word in words {
        let line = serde_json::to_string(&word).unwrap();
        let back: Word = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(serde_json::to_string(&back).unwrap(), line);
    }
}
