//! `--format json` of `run`: one object a line, one line a run.

use crate::run::outcome::{Outcome, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The version of every object: a field's meaning never changes within it.
pub const FORMAT: &str = "squall/1";

// The order of the fields is the order in the text, and part of the interface.
#[derive(Serialize)]
struct Run<'a> {
    format: &'static str,
    scenario: &'a str,
    system: &'a str,
    seed: u64,
    engine: u32,
    verdict: &'static str,
    expected: bool,
    violation: Option<Violation<'a>>,
    steps: u64,
    events: u64,
    virtual_ns: u64,
    digest: &'a str,
    goals: &'a BTreeMap<String, u64>,
    faults: &'a BTreeMap<String, u64>,
    stats: Stats<'a>,
}

#[derive(Serialize)]
struct Violation<'a> {
    invariant: &'a str,
    time_ns: u64,
    step: u64,
    nodes: &'a [String],
    message: &'a str,
}

#[derive(Serialize)]
struct Stats<'a> {
    #[serde(flatten)]
    stats: &'a BTreeMap<String, u64>,
    wall_ns: u64,
}

/// One run, without the line's end. `expected`: it did what its scenario expects. `wall` goes to
/// `stats.wall_ns`, the only field in which the same run differs from time to time.
pub fn run(outcome: &Outcome, expected: bool, wall: Duration) -> String {
    let violation = outcome.violation().map(|violated| Violation {
        invariant: &violated.invariant,
        time_ns: violated.time_ns,
        step: violated.step,
        nodes: &violated.nodes,
        message: &violated.message,
    });
    object(&Run {
        format: FORMAT,
        scenario: &outcome.scenario,
        system: &outcome.system,
        seed: outcome.seed,
        engine: outcome.engine,
        verdict: match outcome.verdict {
            Verdict::Pass => "pass",
            Verdict::Violation(_) => "violation",
            Verdict::Inconclusive(_) => "inconclusive",
        },
        expected,
        violation,
        steps: outcome.steps,
        events: outcome.events,
        virtual_ns: outcome.virtual_ns,
        digest: &outcome.digest,
        goals: &outcome.goals,
        faults: &outcome.faults,
        stats: Stats { stats: &outcome.stats, wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX) },
    })
}

/// Any plain data as one line of JSON.
///
/// # Panics
/// With a bug of ours: if the data has a map whose keys are not text.
pub fn object(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain data can be written as JSON")
}
