//! A stored run that was played again: whether it came to the same, bit for bit, and if not, in what it differs.

use super::capsule::{Broke, Capsule, Trail};
use super::outcome::{Outcome, Verdict};
use super::watch::{Closeness, Told, Watch};

/// How a run that was played again compares with the stored one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// What it came to.
    pub likeness: Likeness,
    /// The events, counted from 1, among which is the first that is not the same; `None` if no mark tells.
    pub parted: Option<(u64, u64)>,
}

/// What a run that was played again came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Likeness {
    /// The same verdict and the same digest.
    Exact,
    /// The same events, of which something else is said.
    SameEvents,
    /// The same invariant is broken, by another run.
    SameInvariant,
    /// Another invariant is broken.
    OtherInvariant,
    /// Nothing is broken any more.
    NothingBroken,
    /// The run was given up before a verdict.
    NoVerdict,
}

impl Comparison {
    /// Compares a stored run with what it came to now.
    pub fn of<S>(capsule: &Capsule<S>, outcome: &Outcome, trail: &Trail) -> Comparison {
        let is_same_run = outcome.digest == capsule.digest;
        let likeness = match &outcome.verdict {
            Verdict::Violation(violated) if is_same_run && Broke::from(violated) == capsule.broke => Likeness::Exact,
            _ if is_same_run => Likeness::SameEvents,
            Verdict::Violation(violated) if violated.invariant == capsule.broke.invariant => Likeness::SameInvariant,
            Verdict::Violation(_) => Likeness::OtherInvariant,
            Verdict::Pass => Likeness::NothingBroken,
            Verdict::Inconclusive(_) => Likeness::NoVerdict,
        };
        let parted = if is_same_run { None } else { capsule.trail.parting(trail) };
        Comparison { likeness, parted }
    }

    /// Whether the run is the stored one, bit for bit.
    pub fn is_exact(self) -> bool {
        self.likeness == Likeness::Exact
    }
}

/// Keeps some events of a run in words, and lets it end after them.
#[derive(Clone, Debug)]
pub struct Excerpt {
    from: u64,
    upto: u64,
    heard: u64,
    /// The events with their numbers, counted from 1.
    pub events: Vec<(u64, Told)>,
}

impl Excerpt {
    /// The events from here to there, both included.
    pub fn new(from: u64, upto: u64) -> Excerpt {
        Excerpt { from, upto, heard: 0, events: Vec::new() }
    }
}

impl Watch for Excerpt {
    fn closeness(&self) -> Closeness {
        Closeness::Words
    }

    fn goes_on(&mut self) -> bool {
        self.heard < self.upto
    }

    fn events(&mut self, events: Vec<Told>) {
        for event in events {
            self.heard += 1;
            if (self.from..=self.upto).contains(&self.heard) {
                self.events.push((self.heard, event));
            }
        }
    }
}
