//! What many seeds of one scenario came to together: counts, failures grouped by their signatures, goals, faults.
//!
//! A tally is folded from entries in the order of their seeds. Whether these come fresh from threads, from a
//! journal, or from the journals of several shards makes no difference.

use super::curve::Curve;
use super::entry::{Entry, Judged};
use super::outcome::{Expectation, Violated};
use super::signature::Signature;
use std::collections::BTreeMap;

/// Many seeds, counted.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Seeds that were played.
    pub ran: u64,
    /// Those in which nothing was wrong.
    pub passed: u64,
    /// Those in which a promise was broken, expected or not.
    pub failed: u64,
    /// Those without a verdict.
    pub inconclusive: u64,
    /// Seeds without a verdict, the first few: (seed, why).
    pub doubtful: Vec<(u64, String)>,
    /// Failures, by the names of their signatures.
    pub groups: BTreeMap<String, Group>,
    /// By goal: how many seeds have reached it, and how often altogether.
    pub goals: BTreeMap<String, (u64, u64)>,
    /// Seeds that passed without settling, since nobody could with the faults that were left.
    pub excused: u64,
    /// The first of them, and the proof.
    pub first_excuse: Option<(u64, String)>,
    /// By kind of fault.
    pub faults: BTreeMap<String, FaultTally>,
    /// All steps together.
    pub steps: u64,
    /// All events together.
    pub events: u64,
    /// All virtual time together, in nanoseconds.
    pub virtual_ns: u128,
    /// The abstract states.
    pub curve: Curve,
}

/// What became of the faults of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FaultTally {
    /// So many were planned.
    pub planned: u64,
    /// So many have begun.
    pub fired: u64,
    /// So many have changed something.
    pub changed: u64,
    /// So much was changed by all of them: messages, timers, records, nodes.
    pub effects: u64,
}

/// Failures of one signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Group {
    /// What they have in common.
    pub signature: Signature,
    /// How many there are.
    pub count: u64,
    /// The first ones, in order.
    pub seeds: Vec<u64>,
    /// The first one in full.
    pub first: Violated,
    /// The digest of that run.
    pub digest: String,
    /// At how many steps each failed, in no order.
    steps: Vec<u64>,
}

/// So many seeds of a group are listed.
pub const SEEDS: usize = 1_000;
/// So many seeds without a verdict are listed.
const DOUBTFUL: usize = 20;

impl Tally {
    /// Nothing yet. The goals are those that should be reached.
    pub fn new(goals: impl IntoIterator<Item = String>) -> Tally {
        Tally { goals: goals.into_iter().map(|goal| (goal, (0, 0))).collect(), ..Tally::default() }
    }

    /// Adds a seed, later than all before. Of its states only those stay that make a difference.
    pub fn add(&mut self, entry: &mut Entry) {
        self.ran += 1;
        match &entry.verdict {
            Judged::Pass => self.passed += 1,
            Judged::Violation(violated) => {
                self.failed += 1;
                self.fail(entry.seed, violated, &entry.digest);
            }
            Judged::Inconclusive(why) => {
                self.inconclusive += 1;
                if self.doubtful.len() < DOUBTFUL {
                    self.doubtful.push((entry.seed, why.clone()));
                }
            }
        }
        for (goal, count) in &entry.goals {
            let reached = self.goals.entry(goal.clone()).or_default();
            *reached = (reached.0 + 1, reached.1 + count);
        }
        if let Some(excuse) = &entry.excuse {
            self.excused += 1;
            self.first_excuse.get_or_insert_with(|| (entry.seed, excuse.clone()));
        }
        for (kind, (planned, fired, changed, effects)) in &entry.faults {
            let faults = self.faults.entry(kind.clone()).or_default();
            faults.planned += planned;
            faults.fired += fired;
            faults.changed += changed;
            faults.effects += effects;
        }
        self.steps += entry.steps;
        self.events += entry.events;
        self.virtual_ns += u128::from(entry.virtual_ns);
        entry.states = self.curve.add(entry.seed, &entry.states);
    }

    fn fail(&mut self, seed: u64, violated: &Violated, digest: &str) {
        let signature = Signature::of(violated);
        let fresh = || Group {
            signature: signature.clone(),
            count: 0,
            seeds: Vec::new(),
            first: violated.clone(),
            digest: digest.to_owned(),
            steps: Vec::new(),
        };
        let group = self.groups.entry(signature.name()).or_insert_with(fresh);
        group.count += 1;
        group.steps.push(violated.step);
        if group.seeds.len() < SEEDS {
            group.seeds.push(seed);
        }
    }

    /// Whether the seeds did what the scenario expects: nothing broke; or what should break broke in one seed at
    /// least, and nothing else in any. A seed without a verdict did not.
    pub fn meets(&self, expectation: &Expectation<'_>) -> bool {
        let broke = match expectation {
            Expectation::Holds => self.failed == 0,
            Expectation::Breaks(_) => self.failed > 0 && self.strange(expectation).next().is_none(),
        };
        broke && self.inconclusive == 0
    }

    /// The groups that nobody expects.
    pub fn strange<'a>(&'a self, expectation: &'a Expectation<'_>) -> impl Iterator<Item = (&'a str, &'a Group)> {
        let is_strange = move |group: &Group| match expectation {
            Expectation::Holds => true,
            Expectation::Breaks(names) => !names.contains(&group.signature.invariant),
        };
        self.groups.iter().filter(move |(_, group)| is_strange(group)).map(|(name, group)| (name.as_str(), group))
    }

    /// Goals that no seed has reached.
    pub fn unreached(&self) -> impl Iterator<Item = &str> {
        self.goals.iter().filter(|(_, reached)| reached.0 == 0).map(|(goal, _)| goal.as_str())
    }
}

impl Group {
    /// The first seed that failed so.
    pub fn first_seed(&self) -> u64 {
        self.seeds[0]
    }

    /// At which step half of the failures had come; of two in the middle the earlier one.
    pub fn median_step(&self) -> u64 {
        self.quantile(1, 2)
    }

    /// Between which steps four of five failures came.
    pub fn spread(&self) -> (u64, u64) {
        (self.quantile(1, 10), self.quantile(9, 10))
    }

    fn quantile(&self, part: usize, whole: usize) -> u64 {
        let mut steps = self.steps.clone();
        steps.sort_unstable();
        steps[(steps.len() - 1) * part / whole]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(seed: u64, broken: Option<(&str, u64)>) -> Entry {
        let mut entry = Entry::without_outcome(seed, String::new());
        entry.verdict = match broken {
            None => Judged::Pass,
            Some((invariant, step)) => Judged::Violation(Violated {
                invariant: invariant.to_owned(),
                time_ns: 0,
                step,
                during: "timer Tick".to_owned(),
                nodes: Vec::new(),
                message: format!("n{seed} is wrong"),
            }),
        };
        entry
    }

    fn tally(entries: impl IntoIterator<Item = Entry>) -> Tally {
        let mut tally = Tally::new(["a.goal".to_owned()]);
        entries.into_iter().for_each(|mut entry| tally.add(&mut entry));
        tally
    }

    #[test]
    fn failures_are_grouped_by_cause_not_by_seed() {
        let steps = [5, 90, 7, 6, 8];
        let tally = tally((0..).zip(steps).map(|(seed, step)| entry(seed * 10, Some(("x.safe", step)))));
        let [group] = tally.groups.values().collect::<Vec<_>>()[..] else { panic!("one group: {:?}", tally.groups) };
        assert_eq!((group.count, group.first_seed(), group.median_step(), group.spread()), (5, 0, 7, (5, 8)));
        assert_eq!(group.seeds, [0, 10, 20, 30, 40]);
    }

    #[test]
    fn an_expected_break_must_come_and_no_other() {
        let breaks = [String::from("x.safe")];
        let breaks = Expectation::Breaks(&breaks);
        let (quiet, broken) = (tally([entry(0, None)]), tally([entry(0, None), entry(1, Some(("x.safe", 3)))]));
        assert!(quiet.meets(&Expectation::Holds) && !quiet.meets(&breaks));
        assert!(!broken.meets(&Expectation::Holds) && broken.meets(&breaks));
        let strange = tally([entry(1, Some(("x.safe", 3))), entry(2, Some(("y.live", 3)))]);
        assert!(!strange.meets(&breaks));
        assert_eq!(strange.strange(&breaks).count(), 1);
        let mut doubtful = broken;
        doubtful.add(&mut Entry::without_outcome(2, "too slow".to_owned()));
        assert!(!doubtful.meets(&breaks));
    }
}
