//! From a plan that breaks something to a simpler plan that breaks the same: fewer faults, nodes, clients and
//! operations, calmer surroundings, rounder numbers.
//!
//! Passes propose candidates, each simpler in one respect. The first in order that still breaks the same invariant,
//! with the seed at hand or one of the smallest, is the next plan; when no pass finds anything more, the plan is
//! minimal in the sense that no single fault and no single operation can be left out. Candidates are tried on
//! several threads, and what comes of them is the same with any number of these.
//!
//! Nothing here knows a protocol: all that must be known is asked of a [`Subject`].

mod crew;
mod lab;
mod passes;
mod thin;
mod weight;

use crate::environment::plan::{Plan, PlannedOperation, Workload};
use crate::kernel::time::Time;
use crate::run::outcome::Outcome;
use lab::{Best, Goal, Lab, burden, seeds_of};
use passes::Pass;
use std::fmt::Debug;
use thin::thin;
use weight::Weight;

/// What shrinking must know of a system.
pub trait Subject<S>: Sync {
    /// Plays a plan.
    fn play(&self, plan: &Plan<S>) -> Outcome;
    /// The operations that clients begin when the plan is played, in order.
    fn operations(&self, plan: &Plan<S>) -> Vec<PlannedOperation>;
    /// The names of the nodes that faults can hit, with this workload.
    fn members(&self, system: &S, workload: &Workload) -> Vec<String>;
    /// The roles that faults can aim at.
    fn roles(&self, system: &S) -> Vec<String>;
    /// The system made simpler in one respect, in as many ways as there are.
    fn simpler(&self, system: &S) -> Vec<S>;
    /// Whether this can be a plan at all.
    fn is_allowed(&self, plan: &Plan<S>) -> bool;
}

/// How much may be spent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How many threads try candidates.
    pub jobs: usize,
    /// How many plays of candidates there may be. Plays of the sound system, to see that a planted defect is still the
    /// cause, come on top.
    pub plays: u64,
}

/// How far it is.
#[derive(Clone, Debug)]
pub struct Status {
    /// What is tried at the moment, in words.
    pub doing: &'static str,
    /// How many plays there were.
    pub plays: u64,
    /// How large the smallest plan so far is.
    pub size: Size,
}

/// How large a plan and its run are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Faults.
    pub faults: usize,
    /// Nodes that faults can hit.
    pub members: usize,
    /// Clients.
    pub clients: usize,
    /// Operations that are spelled out, or that have ended.
    pub operations: usize,
    /// Events until the violation.
    pub events: u64,
    /// Virtual time until the violation.
    pub virtual_ns: u64,
}

impl Size {
    fn of<S>(plan: &Plan<S>, outcome: &Outcome, subject: &dyn Subject<S>) -> Size {
        let ended = outcome.stats.iter().filter(|(name, _)| name.starts_with("operations_"));
        let drawn = || ended.map(|(_, count)| *count as usize).sum();
        Size {
            faults: plan.faults.len(),
            members: subject.members(&plan.system, &plan.workload).len(),
            clients: usize::from(plan.workload.clients),
            operations: plan.workload.operations.as_ref().map_or_else(drawn, Vec::len),
            events: outcome.events,
            virtual_ns: outcome.virtual_ns,
        }
    }

    /// The size of a plan whose operations need not be spelled out: they are counted.
    pub fn counted<S>(plan: &Plan<S>, outcome: &Outcome, subject: &dyn Subject<S>) -> Size {
        Size { operations: subject.operations(plan).len(), ..Size::of(plan, outcome, subject) }
    }
}

/// Why it came to an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Nothing can be made simpler.
    Minimal,
    /// The budget is spent.
    Spent,
    /// It was asked to stop.
    Stopped,
}

/// The simplest plan that was found.
#[derive(Clone, Debug)]
pub struct Shrunk<S> {
    /// The plan.
    pub plan: Plan<S>,
    /// What it comes to: a violation of the same invariant.
    pub outcome: Outcome,
    /// How many plays it took.
    pub plays: u64,
    /// Why it is no simpler.
    pub end: End,
}

/// So many of the smallest seeds are tried, beside the one at hand, before something is called needed.
pub const SEEDS: u64 = 8;

/// So many, where only the looks of a plan or its length are at stake.
const MANY_SEEDS: u64 = 64;

/// So many at the end, for the shortest run.
const ALL_SEEDS: u64 = 2_000;

/// Shrinks a plan that breaks something. `onlooker` is told how far it is, often, and answers whether to go on.
///
/// The result is a function of the plan, the subject and the budget of plays, unless the onlooker stops it.
///
/// # Panics
/// If the outcome is no violation.
pub fn shrink<S: Clone + Debug + Send + Sync>(
    plan: &Plan<S>,
    outcome: &Outcome,
    subject: &dyn Subject<S>,
    options: Options,
    onlooker: &mut dyn FnMut(&Status) -> bool,
) -> Shrunk<S> {
    let goal = Goal::of(plan, outcome.violation().expect("only what breaks something can be shrunk"), subject);
    let mut lab = Lab::new(subject, goal, options, onlooker);
    let weight = Weight::of(plan, burden(subject, plan, 0), outcome);
    let mut best = Best { plan: plan.clone(), outcome: outcome.clone(), simplified: 0, weight };
    loop {
        let before = best.weight;
        best = round(&mut lab, best);
        if best.weight == before || lab.end.is_some() {
            let Best { plan, outcome, .. } = best;
            return Shrunk { plan, outcome, plays: lab.plays, end: lab.end.unwrap_or(End::Minimal) };
        }
    }
}

/// Every pass, each until it finds nothing more.
fn round<S: Clone + Debug + Send + Sync>(lab: &mut Lab<'_, S>, mut best: Best<S>) -> Best<S> {
    for pass in [passes::CUT, passes::CALM, passes::WORKLOAD] {
        best = exhaust(lab, best, pass);
    }
    lab.doing = "operations";
    let operations = |plan: &Plan<S>| plan.workload.operations.as_ref().map_or(0, Vec::len);
    best = thin(lab, best, operations, |plan, piece| {
        plan.workload.operations.as_mut().expect("they are spelled out").drain(piece);
    });
    lab.doing = "faults";
    best = thin(lab, best, |plan| plan.faults.len(), |plan, piece| drop(plan.faults.drain(piece)));
    for pass in [passes::CUT, passes::WEATHER, passes::CAST, passes::CLIENTS, passes::SYSTEM, passes::SURROUNDINGS] {
        best = exhaust(lab, best, pass);
    }
    for pass in [passes::OPERATIONS, passes::FAULTS, passes::CUT, passes::GAPS, passes::ROUND] {
        best = exhaust(lab, best, pass);
    }
    lab.doing = "seeds";
    while let Some(better) = lab.lightest(&best, ALL_SEEDS) {
        best = better;
    }
    exhaust(lab, best, passes::CUT)
}

fn exhaust<S: Clone + Debug + Send + Sync>(lab: &mut Lab<'_, S>, mut best: Best<S>, pass: Pass) -> Best<S> {
    lab.doing = pass.doing;
    while lab.end.is_none() {
        let candidates = pass.propose(&best, lab.subject);
        match lab.first(&best, pass.seeds, candidates) {
            Some((_, better)) => best = better,
            None => break,
        }
    }
    best
}

/// What can be left out although the plan was called minimal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Needless {
    /// The fault or the operation, in words.
    pub what: String,
    /// The seed with which the plan breaks the same without it.
    pub seed: u64,
}

/// Leaves out every fault and every operation in turn, and tries the plan's seed and the [`SEEDS`] smallest. Answers
/// how many plays that took and what was needless.
///
/// # Panics
/// If the outcome is no violation.
pub fn needless<S: Clone>(plan: &Plan<S>, outcome: &Outcome, subject: &dyn Subject<S>) -> (u64, Vec<Needless>) {
    let goal = Goal::of(plan, outcome.violation().expect("only what breaks something can be minimal"), subject);
    let mut without: Vec<(String, Plan<S>)> = Vec::new();
    for (place, fault) in plan.faults.iter().enumerate() {
        let mut less = plan.clone();
        less.faults.remove(place);
        without.push((fault.to_string(), less));
    }
    for (place, planned) in plan.workload.operations.iter().flatten().enumerate() {
        let mut less = plan.clone();
        less.workload.operations.as_mut().expect("they are spelled out").remove(place);
        without.push((format!("{} of {} at {}", planned.invoke, planned.client, planned.at.since(Time::ZERO)), less));
    }
    let (mut plays, mut found) = (0, Vec::new());
    for (what, less) in without.into_iter().filter(|(_, less)| subject.is_allowed(less)) {
        let breaks = |seed: &u64| {
            plays += 1;
            let less = Plan { seed: *seed, ..less.clone() };
            goal.is_met(&less, &subject.play(&less), subject)
        };
        found.extend(seeds_of(plan.seed, SEEDS).find(breaks).map(|seed| Needless { what, seed }));
    }
    (plays, found)
}

#[cfg(test)]
mod tests;
