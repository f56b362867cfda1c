//! What a sweep keeps of one seed: a line of its journal.

use super::outcome::{Outcome, Verdict, Violated};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One seed of a sweep.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The seed.
    pub seed: u64,
    /// What it came to.
    pub verdict: Judged,
    /// The digest of the run; empty if it did not end.
    pub digest: String,
    /// How many steps it had.
    pub steps: u64,
    /// How many events.
    pub events: u64,
    /// How long it was, in virtual nanoseconds.
    pub virtual_ns: u64,
    /// Goals that were reached, and how often.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub goals: BTreeMap<String, u64>,
    /// By kind: how many faults were planned, have begun, have changed something, and how much they have changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub faults: BTreeMap<String, (u64, u64, u64, u64)>,
    /// Why nobody could have settled with the faults that were left, if that is proved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excuse: Option<String>,
    /// The abstract states that at most one earlier seed has shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<u64>,
}

/// What one seed came to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Judged {
    /// Nothing was wrong.
    Pass,
    /// A promise is broken.
    Violation(Violated),
    /// There is no verdict, for this reason.
    Inconclusive(String),
}

impl Entry {
    /// The entry of a run, with all its states.
    pub fn of(outcome: Outcome, states: Vec<u64>) -> Entry {
        let mut faults: BTreeMap<String, (u64, u64, u64, u64)> = BTreeMap::new();
        let Outcome { faults_planned, faults_fired, faults: changed, fault_effects, mut goals, .. } = outcome;
        faults_planned.into_iter().for_each(|(kind, count)| faults.entry(kind).or_default().0 = count);
        faults_fired.into_iter().for_each(|(kind, count)| faults.entry(kind).or_default().1 = count);
        changed.into_iter().for_each(|(kind, count)| faults.entry(kind).or_default().2 = count);
        fault_effects.into_iter().for_each(|(kind, count)| faults.entry(kind).or_default().3 = count);
        goals.retain(|_, count| *count > 0);
        Entry {
            seed: outcome.seed,
            verdict: match outcome.verdict {
                Verdict::Pass => Judged::Pass,
                Verdict::Violation(violated) => Judged::Violation(violated),
                Verdict::Inconclusive(why) => Judged::Inconclusive(why),
            },
            digest: outcome.digest,
            steps: outcome.steps,
            events: outcome.events,
            virtual_ns: outcome.virtual_ns,
            goals,
            faults,
            excuse: outcome.excuse,
            states,
        }
    }

    /// The entry of a seed that has no outcome.
    pub fn without_outcome(seed: u64, why: String) -> Entry {
        Entry {
            seed,
            verdict: Judged::Inconclusive(why),
            digest: String::new(),
            steps: 0,
            events: 0,
            virtual_ns: 0,
            goals: BTreeMap::new(),
            faults: BTreeMap::new(),
            excuse: None,
            states: Vec::new(),
        }
    }
}
