//! Where candidates are tried: with several seeds, on several threads, each once, within a budget.

use super::crew::until_one;
use super::weight::{Burden, Weight};
use super::{Size, Status, Subject};
use crate::environment::plan::Plan;
use crate::kernel::digest::Digest;
use crate::run::outcome::{Outcome, Violated};
use crate::run::signature::Signature;
use std::collections::BTreeSet;
use std::fmt::{Debug, Write};

/// What must break in a candidate, too.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    invariant: String,
    /// Panics all break the same invariant: there, the words count.
    words: Option<String>,
    /// Without the planted defects nothing breaks: that has to stay so, else something else is found.
    is_planted: bool,
}

impl Goal {
    /// What a plan has broken.
    pub(super) fn of<S: Clone>(plan: &Plan<S>, violated: &Violated, subject: &dyn Subject<S>) -> Goal {
        let is_panic = violated.invariant == "protocol.panic";
        let words = is_panic.then(|| Signature::of(violated).message);
        let mut goal = Goal { invariant: violated.invariant.clone(), words, is_planted: false };
        goal.is_planted = !plan.exhibits.is_empty() && !goal.is_reached(&subject.play(&sound(plan)));
        goal
    }

    /// Whether a plan that came to this outcome will do.
    pub(super) fn is_met<S: Clone>(&self, plan: &Plan<S>, outcome: &Outcome, subject: &dyn Subject<S>) -> bool {
        if !self.is_reached(outcome) {
            return false;
        }
        if !self.is_planted {
            return true;
        }
        // Whether something settles in time is a matter of luck where messages are slow: there, the sound system
        // has to do it again and again.
        let seeds = if plan.settle.is_some() { super::SEEDS } else { 0 };
        let sound = sound(plan);
        let breaks_too = |seed: u64| self.is_reached(&subject.play(&Plan { seed, ..sound.clone() }));
        !plan.exhibits.is_empty() && !seeds_of(plan.seed, seeds).any(breaks_too)
    }

    fn is_reached(&self, outcome: &Outcome) -> bool {
        outcome.violation().is_some_and(|violated| {
            violated.invariant == self.invariant
                && self.words.as_ref().is_none_or(|words| Signature::of(violated).message == *words)
        })
    }
}

/// The plan without its planted defects.
fn sound<S: Clone>(plan: &Plan<S>) -> Plan<S> {
    Plan { exhibits: Vec::new(), ..plan.clone() }
}

/// A plan that may be simpler.
#[derive(Clone, Debug)]
pub(super) struct Candidate<S> {
    pub(super) plan: Plan<S>,
    /// How many times its system was made simpler.
    pub(super) simplified: i64,
}

/// The simplest plan so far that breaks what must break.
#[derive(Clone, Debug)]
pub(super) struct Best<S> {
    pub(super) plan: Plan<S>,
    pub(super) outcome: Outcome,
    pub(super) simplified: i64,
    pub(super) weight: Weight,
}

impl<S: Clone> Best<S> {
    /// The same, but for what `change` does to the plan.
    pub(super) fn but(&self, change: impl FnOnce(&mut Plan<S>)) -> Candidate<S> {
        let mut plan = self.plan.clone();
        change(&mut plan);
        Candidate { plan, simplified: self.simplified }
    }
}

/// What came of one candidate.
struct Trial<S> {
    plays: u64,
    better: Option<Best<S>>,
}

/// The laboratory.
pub(super) struct Lab<'a, S> {
    pub(super) subject: &'a dyn Subject<S>,
    pub(super) goal: Goal,
    pub(super) hands: usize,
    /// How many more plays there may be.
    pub(super) budget: u64,
    pub(super) plays: u64,
    /// What is tried at the moment.
    pub(super) doing: &'static str,
    pub(super) onlooker: &'a mut dyn FnMut(&Status) -> bool,
    /// Fingerprints of what was tried in vain. What was too heavy once is too heavy for ever.
    in_vain: BTreeSet<u128>,
    /// Why nothing is tried any more.
    pub(super) end: Option<super::End>,
}

impl<'a, S: Clone + Debug + Send + Sync> Lab<'a, S> {
    pub(super) fn new(
        subject: &'a dyn Subject<S>,
        goal: Goal,
        options: super::Options,
        onlooker: &'a mut dyn FnMut(&Status) -> bool,
    ) -> Lab<'a, S> {
        Lab {
            subject,
            goal,
            hands: options.jobs.max(1),
            budget: options.plays,
            plays: 0,
            doing: "",
            onlooker,
            in_vain: BTreeSet::new(),
            end: None,
        }
    }

    pub(super) fn burden(&self, candidate: &Candidate<S>) -> Burden {
        burden(self.subject, &candidate.plan, candidate.simplified)
    }

    /// The first candidate that is simpler and breaks the same with one of so many seeds, and its place.
    pub(super) fn first(
        &mut self,
        best: &Best<S>,
        seeds: u64,
        candidates: Vec<Candidate<S>>,
    ) -> Option<(usize, Best<S>)> {
        if self.end.is_some() {
            return None;
        }
        let mut asked = BTreeSet::new();
        let mut hopeful: Vec<(usize, Candidate<S>, Burden, u128)> = Vec::new();
        for (place, candidate) in candidates.into_iter().enumerate() {
            let burden = self.burden(&candidate);
            let print = fingerprint(&candidate.plan, seeds);
            let may_be_lighter = burden <= best.weight.burden && self.subject.is_allowed(&candidate.plan);
            if may_be_lighter && !self.in_vain.contains(&print) && asked.insert(print) {
                hopeful.push((place, candidate, burden, print));
            }
        }
        // Each costs at least one play, so the budget reaches no further.
        hopeful.truncate(usize::try_from(self.budget).unwrap_or(usize::MAX));
        let (subject, goal, heaviest) = (self.subject, &self.goal, best.weight);
        let attempt = |(_, candidate, burden, _): &(usize, Candidate<S>, Burden, u128)| {
            let mut plays = 0;
            for seed in seeds_of(candidate.plan.seed, seeds) {
                plays += 1;
                let plan = Plan { seed, ..candidate.plan.clone() };
                let outcome = subject.play(&plan);
                let weight = Weight::of(&plan, *burden, &outcome);
                if weight < heaviest && goal.is_met(&plan, &outcome, subject) {
                    let simplified = candidate.simplified;
                    return Trial { plays, better: Some(Best { plan, outcome, simplified, weight }) };
                }
            }
            Trial { plays, better: None }
        };
        let status =
            Status { doing: self.doing, plays: self.plays, size: Size::of(&best.plan, &best.outcome, self.subject) };
        let onlooker = &mut *self.onlooker;
        let trials =
            until_one(self.hands, &hopeful, attempt, |trial| trial.better.is_some(), &mut || onlooker(&status));
        let Some(trials) = trials else {
            self.end = Some(super::End::Stopped);
            return None;
        };
        for (trial, (place, _, _, print)) in trials.into_iter().zip(&hopeful) {
            if trial.plays > self.budget {
                self.end = Some(super::End::Spent);
                return None;
            }
            self.budget -= trial.plays;
            self.plays += trial.plays;
            match trial.better {
                Some(better) => return Some((*place, better)),
                None => self.in_vain.insert(*print),
            };
        }
        if self.budget == 0 {
            self.end = Some(super::End::Spent);
        }
        None
    }

    /// The same plan with the seed below `seeds` that makes it lightest, if that is lighter.
    pub(super) fn lightest(&mut self, best: &Best<S>, seeds: u64) -> Option<Best<S>> {
        let own = Candidate { plan: best.plan.clone(), simplified: best.simplified };
        let (burden, print) = (self.burden(&own), fingerprint(&Plan { seed: 0, ..own.plan }, seeds));
        if self.end.is_some() || self.budget < seeds || !self.in_vain.insert(print) {
            return None;
        }
        let (subject, goal) = (self.subject, &self.goal);
        let attempt = |seed: &u64| {
            let plan = Plan { seed: *seed, ..best.plan.clone() };
            let outcome = subject.play(&plan);
            let weight = Weight::of(&plan, burden, &outcome);
            goal.is_met(&plan, &outcome, subject).then_some((weight, plan, outcome))
        };
        let status =
            Status { doing: self.doing, plays: self.plays, size: Size::of(&best.plan, &best.outcome, subject) };
        let onlooker = &mut *self.onlooker;
        let all: Vec<u64> = (0..seeds).collect();
        let Some(found) = until_one(self.hands, &all, attempt, |_| false, &mut || onlooker(&status)) else {
            self.end = Some(super::End::Stopped);
            return None;
        };
        self.budget -= seeds;
        self.plays += seeds;
        let (weight, plan, outcome) = found.into_iter().flatten().min_by_key(|(weight, ..)| *weight)?;
        (weight < best.weight).then_some(Best { plan, outcome, simplified: best.simplified, weight })
    }
}

/// The burden of a plan.
pub(super) fn burden<S>(subject: &dyn Subject<S>, plan: &Plan<S>, simplified: i64) -> Burden {
    Burden::of(plan, subject.members(&plan.system, &plan.workload).len(), simplified)
}

/// Which seeds are tried: the one at hand, which knows how to break it, and the smallest.
pub(super) fn seeds_of(own: u64, count: u64) -> impl Iterator<Item = u64> {
    std::iter::once(own).chain((0..count).filter(move |seed| *seed != own))
}

/// Stands for a plan and how many seeds were tried.
fn fingerprint<S: Debug>(plan: &Plan<S>, seeds: u64) -> u128 {
    struct Ink(Digest);
    impl Write for Ink {
        fn write_str(&mut self, text: &str) -> std::fmt::Result {
            for piece in text.as_bytes().chunks(8) {
                let mut word = [0; 8];
                word[..piece.len()].copy_from_slice(piece);
                self.0.pair(u64::from_le_bytes(word), piece.len() as u64);
            }
            Ok(())
        }
    }
    let mut ink = Ink(Digest::new());
    ink.0.word(seeds);
    write!(ink, "{plan:?}").expect("ink never runs out");
    ink.0.value()
}
