//! What a run came to: plain data.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run, over.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// The scenario's name.
    pub scenario: String,
    /// The system's name, `"raft"`.
    pub system: String,
    /// The seed.
    pub seed: u64,
    /// The meaning of the seed.
    pub engine: u32,
    /// What it came to.
    pub verdict: Verdict,
    /// How many times a node was touched and the oracles asked.
    pub steps: u64,
    /// How many things happened: deliveries, losses, timers, syncs, facts, faults.
    pub events: u64,
    /// How long it was, in virtual nanoseconds.
    pub virtual_ns: u64,
    /// The fingerprint: 32 hexadecimal digits.
    pub digest: String,
    /// Things that should happen sometimes, and how often they did.
    pub goals: BTreeMap<String, u64>,
    /// How many faults of each kind have changed something: a message was really lost, a timer really late.
    pub faults: BTreeMap<String, u64>,
    /// How many faults of each kind the plan has.
    pub faults_planned: BTreeMap<String, u64>,
    /// How many faults of each kind have begun.
    pub faults_fired: BTreeMap<String, u64>,
    /// How much the faults of each kind have changed: messages, timers, records, nodes.
    pub fault_effects: BTreeMap<String, u64>,
    /// Why nobody could have settled with the faults that were left, if that is proved.
    pub excuse: Option<String>,
    /// Figures for the curious.
    pub stats: BTreeMap<String, u64>,
}

/// What a run came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Nothing was wrong.
    Pass,
    /// An invariant is broken.
    Violation(Violated),
    /// The run was given up before a verdict, for this reason.
    Inconclusive(String),
}

/// A broken invariant, with names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Violated {
    /// Which.
    pub invariant: String,
    /// When, in virtual nanoseconds.
    pub time_ns: u64,
    /// At which step.
    pub step: u64,
    /// What kind of step that was: `message AppendEntries`, `timer Election`, `crash`.
    pub during: String,
    /// Whom it concerns.
    pub nodes: Vec<String>,
    /// The facts that contradict each other, in a sentence.
    pub message: String,
}

/// What a scenario expects of its runs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expectation<'a> {
    /// Nothing is wrong.
    Holds,
    /// One of these invariants breaks.
    Breaks(&'a [String]),
}

impl Outcome {
    /// The broken invariant, if one is broken.
    pub fn violation(&self) -> Option<&Violated> {
        match &self.verdict {
            Verdict::Violation(violated) => Some(violated),
            Verdict::Pass | Verdict::Inconclusive(_) => None,
        }
    }

    /// Whether the run did what its scenario expects. An inconclusive one did not.
    pub fn meets(&self, expectation: &Expectation<'_>) -> bool {
        match (&self.verdict, expectation) {
            (Verdict::Pass, Expectation::Holds) => true,
            (Verdict::Violation(violated), Expectation::Breaks(names)) => names.contains(&violated.invariant),
            (Verdict::Pass, Expectation::Breaks(_))
            | (Verdict::Violation(_), Expectation::Holds)
            | (Verdict::Inconclusive(_), _) => false,
        }
    }
}
