//! A failing run, stored: its whole plan, what broke, and marks along the way, so that it can be played again
//! on another day and by another program.

use super::outcome::{Outcome, Violated};
use super::watch::{Closeness, Told, Watch};
use crate::environment::plan::{FORMAT, Plan};
use crate::kernel::time::Time;
use serde::{Deserialize, Serialize};

/// A run that broke something.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capsule<S> {
    /// The version of the text form, [`FORMAT`].
    pub squall: u32,
    /// What broke.
    pub broke: Broke,
    /// The digest of the run: 32 hexadecimal digits.
    pub digest: String,
    /// Marks along the run.
    pub trail: Trail,
    /// The plan, with the engine that gives its seed its meaning.
    pub plan: Plan<S>,
}

/// The violation of a stored run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Broke {
    /// Which invariant.
    pub invariant: String,
    /// When, in true time.
    pub at: Time,
    /// At which step.
    pub step: u64,
    /// What kind of step that was.
    pub during: String,
    /// Whom it concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// The facts that contradict each other.
    pub message: String,
}

impl From<&Violated> for Broke {
    fn from(violated: &Violated) -> Broke {
        Broke {
            invariant: violated.invariant.clone(),
            at: Time::from_ns(violated.time_ns),
            step: violated.step,
            during: violated.during.clone(),
            nodes: violated.nodes.clone(),
            message: violated.message.clone(),
        }
    }
}

impl From<&Broke> for Violated {
    fn from(broke: &Broke) -> Violated {
        Violated {
            invariant: broke.invariant.clone(),
            time_ns: broke.at.ns(),
            step: broke.step,
            during: broke.during.clone(),
            nodes: broke.nodes.clone(),
            message: broke.message.clone(),
        }
    }
}

impl<S: Clone> Capsule<S> {
    /// The capsule of a run, if it broke something.
    pub fn of(plan: &Plan<S>, outcome: &Outcome, trail: Trail) -> Option<Capsule<S>> {
        let broke = Broke::from(outcome.violation()?);
        Some(Capsule { squall: FORMAT, broke, digest: outcome.digest.clone(), trail, plan: plan.clone() })
    }
}

/// Eight bits of the digest after every so many events. Two runs that part at some event have other digests from
/// there on, so the first mark that differs tells where that was.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trail {
    /// How many events the run had.
    pub events: u64,
    /// After how many events there is a mark: a power of two.
    pub every: u64,
    /// The marks, two hexadecimal digits each.
    pub marks: String,
}

/// The most marks of a trail: beyond, every second one is left out.
const MARKS: usize = 4_096;

impl Trail {
    /// The trail of a run without events.
    pub const fn new() -> Trail {
        Trail { events: 0, every: 1, marks: String::new() }
    }

    fn add(&mut self, digest: u128) {
        self.events += 1;
        if !self.events.is_multiple_of(self.every) {
            return;
        }
        self.marks += &format!("{:02x}", digest as u8);
        if self.marks.len() >= 4 * MARKS {
            self.thin_out();
        }
    }

    /// Keeps every second mark.
    fn thin_out(&mut self) {
        self.every *= 2;
        self.marks = self.pairs().skip(1).step_by(2).collect();
    }

    fn pairs(&self) -> impl Iterator<Item = &str> {
        (0..self.marks.len() / 2).map_while(|place| self.marks.get(2 * place..2 * place + 2))
    }

    /// The events, counted from 1, among which is the first that is not the same in both runs; `None` if no mark
    /// differs and both are equally long. An event differs unseen in one of 256 cases, and shows in the next.
    pub fn parting(&self, other: &Trail) -> Option<(u64, u64)> {
        let (mut one, mut two) = (self.clone(), other.clone());
        while one.every < two.every {
            one.thin_out();
        }
        while two.every < one.every {
            two.thin_out();
        }
        let every = one.every;
        let common = one.pairs().zip(two.pairs()).take_while(|(left, right)| left == right).count() as u64;
        let shorter = one.events.min(two.events);
        let (from, upto) = (common * every + 1, ((common + 1) * every).min(shorter + 1));
        (one.events != two.events || from <= shorter && common < shorter / every).then_some((from, upto))
    }
}

impl Default for Trail {
    fn default() -> Trail {
        Trail::new()
    }
}

/// Leaves a trail.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    /// The marks so far.
    pub trail: Trail,
}

impl Watch for Recorder {
    fn closeness(&self) -> Closeness {
        Closeness::Digests
    }

    fn events(&mut self, events: Vec<Told>) {
        events.iter().for_each(|event| self.trail.add(event.digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trail of so many events, which are others from `parts_at` on.
    fn trail(events: u64, parts_at: u64) -> Trail {
        let mut trail = Trail::new();
        for event in 1..=events {
            let salt = u128::from(event >= parts_at);
            trail.add(u128::from(event).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7 ^ salt);
        }
        trail
    }

    #[test]
    fn the_first_event_that_differs_is_found_exactly_in_short_runs_and_nearly_in_long_ones() {
        assert_eq!(trail(100, 200).parting(&trail(100, 200)), None);
        assert_eq!(trail(100, 200).parting(&trail(100, 57)), Some((57, 57)));
        assert_eq!(trail(100, 200).parting(&trail(90, 200)), Some((91, 91)));
        let (from, upto) = trail(100_000, 200_000).parting(&trail(50_000, 31_415)).expect("they differ");
        assert!(from <= 31_415 && 31_415 <= upto && upto - from < 64, "{from} to {upto}");
        assert!(trail(1_000_000, 0).marks.len() <= 4 * MARKS);
    }
}
