//! When to kill.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::dice::Dice;
use crate::run::Run;
use crate::running::Running;

/// A moment of an installation. Steps are counted from 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Moment {
    /// As soon as a step says that it begins.
    Begin(usize),
    /// As soon as a step says that it has ended.
    End(usize),
    /// So far into a step, as a part of the time that it takes undisturbed.
    Within(usize, f64),
    /// So far into the whole, from the first process on.
    Anywhere(f64),
}

impl Moment {
    /// Whether it is a boundary between steps; all others are random.
    #[must_use]
    pub fn is_boundary(self) -> bool {
        matches!(self, Self::Begin(_) | Self::End(_))
    }
}

/// How long an installation and each of its steps takes when nothing disturbs it.
#[derive(Clone, Debug)]
pub struct Pace {
    /// The steps' stable names, in order.
    pub steps: Vec<String>,
    spans: Vec<Duration>,
    total: Duration,
}

impl Pace {
    /// As an installation that was not disturbed shows, with its receipt.
    ///
    /// # Panics
    /// When events or receipt are not what they should be.
    #[must_use]
    pub fn of(run: &Run, receipt: &Value) -> Self {
        let ends = run.events().into_iter().filter(|event| event["event"] == "step-finished");
        let spans: Vec<_> =
            ends.map(|event| Duration::from_millis(event["millis"].as_u64().unwrap())).collect();
        let steps = receipt["steps"].as_array().unwrap();
        let steps: Vec<_> = steps.iter().map(|step| step["id"].as_str().unwrap().to_owned()).collect();
        assert_eq!(spans.len(), steps.len(), "{receipt:#}\n{run}");
        Self { steps, spans, total: run.took }
    }

    /// Every boundary of steps, in order.
    #[must_use]
    pub fn boundaries(&self) -> Vec<Moment> {
        (1..=self.steps.len()).flat_map(|number| [Moment::Begin(number), Moment::End(number)]).collect()
    }

    /// A random moment: one half of them over the whole length, the other half such that each step has its share however short it is.
    pub fn draw(&self, dice: &mut Dice) -> Moment {
        match dice.within(0..2) {
            0 => Moment::Anywhere(dice.fraction()),
            _ => Moment::Within(1 + dice.within(0..self.steps.len()), dice.fraction()),
        }
    }

    /// Lets a run go on until this moment; returns whether it got there before it ended.
    ///
    /// # Panics
    /// When the run says something that is no event.
    pub fn await_moment(&self, moment: Moment, running: &mut Running) -> bool {
        let is = |event: &Value, kind: &str, number: usize| {
            event["event"] == kind && event["number"].as_u64() == Some(number as u64)
        };
        let mut until = Instant::now();
        match moment {
            Moment::Begin(number) => return running.says(|event| is(event, "step-started", number)),
            Moment::End(number) => return running.says(|event| is(event, "step-finished", number)),
            Moment::Within(number, part) => {
                if !running.says(|event| is(event, "step-started", number)) {
                    return false;
                }
                until = Instant::now() + self.spans[number - 1].mul_f64(part);
            }
            Moment::Anywhere(part) => until += self.total.mul_f64(part),
        }
        while Instant::now() < until && !running.is_over() {
            let left = until.saturating_duration_since(Instant::now());
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
        !running.is_over()
    }

    /// Where a run was when it ended, by the last thing that it said of a step.
    #[must_use]
    pub fn place(&self, run: &Run) -> String {
        // The last line may be broken off.
        let mut events = run.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let last = events.rfind(|event| event["number"].is_u64());
        let Some(event) = last else { return "before the first step".to_owned() };
        let number = usize::try_from(event["number"].as_u64().unwrap_or(1)).unwrap_or(1);
        let step = self.steps.get(number - 1).map_or("?", String::as_str);
        if event["event"] == "step-started" { step.to_owned() } else { "between two steps".to_owned() }
    }
}
