//! Many runs in two lines.

use super::number::{counted, rounded, virtual_time, wall_time};
use super::style::{BAD, DIM, GOOD, UNSURE, styled};
use crate::run::outcome::{Expectation, Outcome, Verdict};
use std::time::Duration;

/// What a number of runs came to.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Everything was as promised, and nobody expected otherwise.
    pub held: u64,
    /// Broke what was expected to break.
    pub broke: u64,
    /// Did not do what was expected.
    pub failed: u64,
    /// Came to no verdict.
    pub inconclusive: u64,
    /// Of how many runs in all.
    pub asked: u64,
    /// The sum of all events.
    pub events: u64,
    /// The sum of all virtual time.
    pub virtual_ns: u128,
}

impl Tally {
    /// Nothing yet, of so many.
    pub fn of(asked: u64) -> Tally {
        Tally { asked, ..Tally::default() }
    }

    /// Counts one more.
    pub fn add(&mut self, outcome: &Outcome, expectation: &Expectation<'_>) {
        let count = match &outcome.verdict {
            Verdict::Inconclusive(_) => &mut self.inconclusive,
            Verdict::Pass if outcome.meets(expectation) => &mut self.held,
            Verdict::Violation(_) if outcome.meets(expectation) => &mut self.broke,
            Verdict::Pass | Verdict::Violation(_) => &mut self.failed,
        };
        *count += 1;
        self.events += outcome.events;
        self.virtual_ns += u128::from(outcome.virtual_ns);
    }

    /// How many runs were counted.
    pub fn ran(&self) -> u64 {
        self.held + self.broke + self.failed + self.inconclusive
    }

    /// `3 scenarios: 2 held, 1 broke as expected`, and how long that took.
    pub fn summary(&self, wall: Duration) -> String {
        let parts: Vec<String> = [
            (self.failed, BAD, "FAILED"),
            (self.inconclusive, UNSURE, "inconclusive"),
            (self.held, GOOD, "held"),
            (self.broke, GOOD, "broke as expected"),
            (self.asked - self.ran(), UNSURE, "did not run"),
        ]
        .into_iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, style, what)| styled(style, format_args!("{number} {what}")))
        .collect();
        let virtual_ns = u64::try_from(self.virtual_ns).unwrap_or(u64::MAX);
        let ratio = self.virtual_ns / wall.as_nanos().max(1);
        let per_second = u128::from(self.events) * 1_000_000_000 / wall.as_nanos().max(1);
        let speed = format!(
            "{} of virtual time in {}, {} times faster than real time · {} events, {} a second",
            virtual_time(virtual_ns),
            wall_time(wall),
            rounded(ratio as u64),
            rounded(self.events),
            rounded(per_second as u64),
        );
        format!("{}: {}\n{}\n", counted(self.asked, "scenario"), parts.join(", "), styled(DIM, speed))
    }
}
