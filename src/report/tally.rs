//! Many runs in two lines.

use super::number::{counted, rounded, virtual_time, wall_time};
use super::style::{BAD, DIM, GOOD, UNSURE, styled};
use super::sweep::Sweep;
use crate::run::outcome::{Expectation, Outcome, Verdict};
use anstyle::Style;
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
        let parts = parts(&[
            (self.failed, BAD, "FAILED"),
            (self.inconclusive, UNSURE, "inconclusive"),
            (self.held, GOOD, "held"),
            (self.broke, GOOD, "broke as expected"),
            (self.asked - self.ran(), UNSURE, "did not run"),
        ]);
        let virtual_time = virtual_time(u64::try_from(self.virtual_ns).unwrap_or(u64::MAX));
        let speed = speed(self.virtual_ns, self.events, wall);
        let speed = format!("{virtual_time} of virtual time in {}, {speed}", wall_time(wall));
        format!("{}: {}\n{}\n", counted(self.asked, "scenario"), parts, styled(DIM, speed))
    }
}

/// What the sweeps of several scenarios came to.
#[derive(Clone, Debug, Default)]
pub struct Sweeps {
    /// Scenarios in which everything was as promised, and nobody expected otherwise.
    held: u64,
    /// Scenarios that broke what was expected to break.
    broke: u64,
    /// Scenarios that did not do what was expected.
    failed: u64,
    /// Scenarios with seeds that came to no verdict.
    inconclusive: u64,
    /// Scenarios in which what should break may still break in other seeds.
    undecided: u64,
    /// Scenarios of which no seed was played.
    idle: u64,
    seeds: u64,
    events: u64,
    virtual_ns: u128,
}

impl Sweeps {
    /// Counts one scenario more.
    pub fn add(&mut self, sweep: &Sweep<'_>) {
        let count = match (sweep.is_expected(), sweep.expectation) {
            _ if sweep.tally.ran == 0 => &mut self.idle,
            _ if sweep.is_undecided() => &mut self.undecided,
            (true, Expectation::Holds) => &mut self.held,
            (true, Expectation::Breaks(_)) => &mut self.broke,
            (false, _) if sweep.tally.inconclusive > 0 => &mut self.inconclusive,
            (false, _) => &mut self.failed,
        };
        *count += 1;
        self.seeds += sweep.tally.ran;
        self.events += sweep.tally.events;
        self.virtual_ns += sweep.tally.virtual_ns;
    }

    /// Counts so many scenarios whose turn has not come.
    pub fn leave_out(&mut self, scenarios: u64) {
        self.idle += scenarios;
    }

    /// Counts those that were counted elsewhere.
    pub fn join(&mut self, other: &Sweeps) {
        self.held += other.held;
        self.broke += other.broke;
        self.failed += other.failed;
        self.inconclusive += other.inconclusive;
        self.undecided += other.undecided;
        self.idle += other.idle;
        self.seeds += other.seeds;
        self.events += other.events;
        self.virtual_ns += other.virtual_ns;
    }

    /// `3 scenarios: 2 held, 1 FAILED`, and how long that took.
    pub fn summary(&self, wall: Duration) -> String {
        let parts = parts(&[
            (self.failed, BAD, "FAILED"),
            (self.inconclusive, UNSURE, "inconclusive"),
            (self.held, GOOD, "held"),
            (self.broke, GOOD, "broke as expected"),
            (self.undecided, UNSURE, "undecided"),
            (self.idle, UNSURE, "not played"),
        ]);
        let done = self.held + self.broke + self.failed + self.inconclusive;
        let scenarios = counted(done + self.undecided + self.idle, "scenario");
        let speed = format!(
            "{} in {} · {}",
            counted(self.seeds, "seed"),
            wall_time(wall),
            speed(self.virtual_ns, self.events, wall)
        );
        format!("{scenarios}: {parts}\n{}\n", styled(DIM, speed))
    }
}

fn parts(counts: &[(u64, Style, &str)]) -> String {
    let there = counts.iter().filter(|(number, ..)| *number > 0);
    there.map(|(number, style, what)| styled(*style, format_args!("{number} {what}"))).collect::<Vec<_>>().join(", ")
}

/// How many times faster than real time, and how many events.
fn speed(virtual_ns: u128, events: u64, wall: Duration) -> String {
    let ratio = virtual_ns / wall.as_nanos().max(1);
    let per_second = u128::from(events) * 1_000_000_000 / wall.as_nanos().max(1);
    format!(
        "{} times faster than real time · {} events, {} a second",
        rounded(ratio as u64),
        rounded(events),
        rounded(per_second as u64),
    )
}
