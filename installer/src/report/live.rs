//! The one line that lives: what is being done, how far it is, how fast, how long it still takes. Time and width go in, text
//! comes out; who draws it is `human`.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::event::StepOutcome;
use crate::text::{Lang, Message, bytes, columns, progress as text};

/// What the rate is taken from: long enough not to jump, short enough to tell of a stick that became slow.
const WINDOW: Duration = Duration::from_secs(6);
/// Before that, a rate is a guess.
const FIRST: Duration = Duration::from_millis(800);
/// What is left of a title at least.
const TITLE: usize = 16;

/// What is being done now.
#[derive(Debug)]
pub(super) struct Live {
    /// Number and count of the step; none for what comes before the steps.
    pub(super) step: Option<(usize, usize)>,
    pub(super) title: Message,
    tail: Tail,
    counted: Option<(u64, u64)>,
    samples: VecDeque<(Instant, u64)>,
}

#[derive(Debug)]
enum Tail {
    Nothing,
    Counted,
    Said(Message),
}

impl Live {
    pub(super) fn new(step: Option<(usize, usize)>, title: Message) -> Self {
        Self { step, title, tail: Tail::Nothing, counted: None, samples: VecDeque::new() }
    }

    /// Bytes have moved. What was said in words gives way only when they really have.
    pub(super) fn count(&mut self, now: Instant, done: u64, total: u64) {
        let moved = self.counted.is_none_or(|(before, of)| done != before || total != of);
        if self.counted.is_some_and(|(before, of)| done < before || total != of) {
            self.samples.clear();
        }
        self.counted = Some((done, total));
        self.samples.push_back((now, done));
        while self.samples.len() > 2 && self.samples.front().is_some_and(|(at, _)| now - *at > WINDOW) {
            self.samples.pop_front();
        }
        if moved {
            self.tail = Tail::Counted;
        }
    }

    /// Something that bytes do not tell.
    pub(super) fn say(&mut self, text: Message) {
        self.tail = Tail::Said(text);
    }

    /// Bytes a second, when it can be known.
    fn rate(&self) -> Option<f64> {
        let ((first, begun), (last, done)) = (self.samples.front()?, self.samples.back()?);
        let took = *last - *first;
        (took >= FIRST && done > begun).then(|| (done - begun) as f64 / took.as_secs_f64())
    }

    /// The line in at most `width` columns.
    pub(super) fn line(&self, lang: Lang, width: usize) -> String {
        compose(
            text::mark_running().in_lang(lang),
            self.step,
            self.title.in_lang(lang),
            &self.tails(lang),
            width,
        )
    }

    /// What stands behind the title, the most telling first.
    fn tails(&self, lang: Lang) -> Vec<String> {
        match (&self.tail, self.counted) {
            (Tail::Said(said), _) => vec![said.in_lang(lang).to_owned()],
            (Tail::Counted, Some((done, total))) => {
                let percent = format!("{:>3}%", done.saturating_mul(100).checked_div(total).unwrap_or(100));
                let amount = format!("{percent}  {} / {}", bytes(done), bytes(total));
                let Some(rate) = self.rate() else { return vec![amount, percent] };
                let fast = format!("{amount}  {}/s", bytes(rate as u64));
                let left = (total.saturating_sub(done) as f64 / rate).ceil() as u64;
                let left = text::time_left(left);
                vec![format!("{fast}  {}", left.in_lang(lang)), fast, amount, percent]
            }
            _ => Vec::new(),
        }
    }

    /// The line that stays when the step has ended.
    pub(super) fn ended(&self, lang: Lang, outcome: StepOutcome, millis: u64, width: usize) -> String {
        let (mark, tail) = match outcome {
            StepOutcome::Done => (text::mark_done(), Some(text::took(millis as f64 / 1000.0))),
            StepOutcome::Skipped => (text::mark_skipped(), Some(text::step_skipped())),
            StepOutcome::Failed => (text::mark_step_failed(), None),
        };
        let tails: Vec<String> = tail.map(|tail| tail.in_lang(lang).to_owned()).into_iter().collect();
        compose(mark.in_lang(lang), self.step, self.title.in_lang(lang), &tails, width)
    }
}

/// Mark, number, title and tail in `width` columns: the fullest tail beside which enough of the title is left, then as much of the
/// title as fits.
fn compose(mark: &str, step: Option<(usize, usize)>, title: &str, tails: &[String], width: usize) -> String {
    let number = step.map(|(number, count)| format!("[{number}/{count}] ")).unwrap_or_default();
    let head = format!("  {mark}  {number}");
    let room = width.saturating_sub(columns::width(&head));
    let wanted = TITLE.min(columns::width(title)) + 2;
    let tail = tails.iter().find(|tail| wanted + columns::width(tail) <= room).or(tails.last());
    match tail {
        Some(tail) => {
            let tail = columns::cut(tail, room.saturating_sub(wanted).max(8));
            let title = columns::cut(title, room.saturating_sub(columns::width(&tail) + 2));
            columns::cut(&format!("{head}{title}  {tail}"), width)
        }
        None => columns::cut(&format!("{head}{title}"), width),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title() -> Message {
        Message {
            en: "Load 3 of 3 images (129 MB to send)".into(),
            zh: "导入镜像：共 3 个，需导入 3 个（传输 129 MB）".into(),
        }
    }

    fn loading(seconds: u64, done: u64) -> Live {
        let mut live = Live::new(Some((5, 8)), title());
        let begin = Instant::now();
        live.count(begin, 0, 129_000_000);
        live.count(begin + Duration::from_secs(seconds), done, 129_000_000);
        live
    }

    #[test]
    fn it_says_how_far_how_fast_and_how_long() {
        let live = loading(2, 60_000_000);
        assert_eq!(
            live.line(Lang::En, 120),
            "  ...   [5/8] Load 3 of 3 images (129 MB to send)   46%  60.0 MB / 129 MB  30.0 MB/s  3 s left"
        );
        assert_eq!(
            live.line(Lang::Zh, 79),
            "  进行  [5/8] 导入镜像：共 3...   46%  60.0 MB / 129 MB  30.0 MB/s  剩余 3 秒"
        );
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut said = loading(2, 60_000_000);
        said.say(Message::verbatim(
            "引擎正在解压 registry.example.com/team/very-long-name-of-an-image:2026.11",
        ));
        for live in [loading(2, 60_000_000), loading(0, 0), loading(100, 1), said] {
            for width in 30..=132 {
                for lang in [Lang::En, Lang::Zh] {
                    for line in [live.line(lang, width), live.ended(lang, StepOutcome::Done, 61_500, width)] {
                        assert!(columns::width(&line) <= width, "{width}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn words_stay_until_bytes_move_again() {
        let mut live = loading(2, 60_000_000);
        live.say(Message::verbatim("unpacking"));
        let later = Instant::now() + Duration::from_secs(3);
        live.count(later, 60_000_000, 129_000_000);
        assert!(live.line(Lang::En, 100).ends_with("unpacking"));
        live.count(later, 61_000_000, 129_000_000);
        assert!(!live.line(Lang::En, 100).contains("unpacking"));
    }

    #[test]
    fn what_has_ended_keeps_its_mark_and_its_time() {
        let live = Live::new(Some((3, 8)), title());
        assert_eq!(
            live.ended(Lang::En, StepOutcome::Done, 2140, 79),
            "  done  [3/8] Load 3 of 3 images (129 MB to send)  2.1 s"
        );
        assert_eq!(
            live.ended(Lang::Zh, StepOutcome::Skipped, 0, 79),
            "  已有  [3/8] 导入镜像：共 3 个，需导入 3 个（传输 129 MB）  已就绪"
        );
    }
}
