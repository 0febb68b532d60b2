//! What was tried, how often, and what came of it: for people, and for `docs/reliability.md`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Mutex;

use super::chain::End;
use super::patient::Victim;

/// Counts, from several threads.
#[derive(Debug, Default)]
pub struct Table(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    /// By victim, whether at a boundary of steps, and name.
    kills: BTreeMap<(Victim, bool, String), usize>,
    undone: BTreeMap<String, usize>,
    places: BTreeMap<String, usize>,
    ends: BTreeMap<(End, String), usize>,
    others: Vec<(String, usize, String)>,
}

const BEGIN: &str = "<!-- torture:begin (written by make torture) -->\n";
const END: &str = "<!-- torture:end -->";

impl Table {
    /// Counts a kill.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    pub fn killed(&self, name: &str, victim: Victim, is_boundary: bool, place: &str) {
        let mut counts = self.0.lock().unwrap();
        *counts.kills.entry((victim, is_boundary, name.to_owned())).or_default() += 1;
        *counts.places.entry(place.to_owned()).or_default() += 1;
    }

    /// Counts an uninstallation that was killed.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    pub fn undo_killed(&self, name: &str) {
        *self.0.lock().unwrap().undone.entry(name.to_owned()).or_default() += 1;
    }

    /// Counts an installation that came to its end.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    pub fn ended(&self, name: &str, end: End) {
        *self.0.lock().unwrap().ends.entry((end, name.to_owned())).or_default() += 1;
    }

    /// Adds a line of its own.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    pub fn line(&self, what: &str, times: usize, outcome: &str) {
        self.0.lock().unwrap().others.push((what.to_owned(), times, outcome.to_owned()));
    }

    /// Kills at random moments so far.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    #[must_use]
    pub fn kills(&self, victim: Victim) -> usize {
        let counts = self.0.lock().unwrap();
        counts
            .kills
            .iter()
            .filter(|((killed, is_boundary, _), _)| *killed == victim && !is_boundary)
            .map(|(_, times)| times)
            .sum()
    }

    /// The table as Markdown.
    ///
    /// # Panics
    /// When another thread has panicked while it counted.
    #[must_use]
    pub fn render(&self) -> String {
        let counts = self.0.lock().unwrap();
        let mut text = "| tried | times | outcome |\n|---|---|---|\n".to_owned();
        let mut line = |what: &str, times: usize, outcome: &str| {
            let _ = writeln!(text, "| {what} | {times} | {outcome} |");
        };
        for ((victim, is_boundary, name), times) in &counts.kills {
            let what = match victim {
                Victim::Installer => "installer killed (SIGKILL)",
                Victim::Engine => "engine and its containerd killed (SIGKILL)",
                Victim::Power => "power cut, with everything lost that was not synced",
            };
            let outcome = "no half file, no secret changed or open to others; finished by the same command or taken back";
            let moment = if *is_boundary { "where a step begins or ends" } else { "at random moments" };
            line(&format!("{what} {moment}; {name}"), *times, outcome);
        }
        for (name, times) in &counts.undone {
            let outcome = "the same command, run again, ends it; then as before";
            line(
                &format!("`uninstall`, or `uninstall --purge`, killed (SIGKILL) at random moments; {name}"),
                *times,
                outcome,
            );
        }
        for ((end, name), times) in &counts.ends {
            let (what, outcome) = match end {
                End::Finish => (
                    "the same command after up to seven kills, then `uninstall --purge`",
                    "healthy; files, modes, containers, images, layers and leases as undisturbed; no layer that had arrived read again; then all as before",
                ),
                End::Uninstall => (
                    "`uninstall` after kills, then installed again",
                    "nothing left but data and answers; then healthy with the same secrets",
                ),
                End::Purge => (
                    "`uninstall --purge` after kills",
                    "everything that was there before as it was before, nothing else there",
                ),
            };
            line(&format!("{what}; {name}"), *times, outcome);
        }
        for (what, times, outcome) in &counts.others {
            line(what, *times, outcome);
        }
        text.push_str("\nWhere the kills fell:\n\n| step | kills |\n|---|---|\n");
        for (place, times) in &counts.places {
            let _ = writeln!(text, "| {place} | {times} |");
        }
        text
    }

    /// Puts the table into a document, between its markers.
    ///
    /// # Panics
    /// When the document has none, or cannot be written.
    pub fn write(&self, document: &Path) {
        let text = fs::read_to_string(document).unwrap();
        let (before, rest) = text.split_once(BEGIN).unwrap();
        let (_, after) = rest.split_once(END).unwrap();
        fs::write(document, format!("{before}{BEGIN}\n{}\n{END}{after}", self.render())).unwrap();
    }
}
