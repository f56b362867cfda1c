//! `--format json` of `run`: one object a line, one line a run.

use crate::run::outcome::{Outcome, Verdict, Violated};
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
    faults_planned: &'a BTreeMap<String, u64>,
    faults_fired: &'a BTreeMap<String, u64>,
    fault_effects: &'a BTreeMap<String, u64>,
    excuse: Option<&'a str>,
    stats: Stats<'a>,
}

#[derive(Serialize)]
pub(super) struct Violation<'a> {
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

/// What is said of a run that was stored and played again.
#[derive(Clone, Debug, Serialize)]
pub struct Replayed<'a> {
    /// The capsule.
    pub file: &'a str,
    /// It came to the same, bit for bit.
    pub reproduced: bool,
    /// The first event, counted from 1, that may not be the same, if that is known.
    pub parted_at: Option<u64>,
    /// In what it differs, in words.
    pub remark: &'a str,
}

#[derive(Serialize)]
struct Replay<'a> {
    #[serde(flatten)]
    run: Run<'a>,
    kind: &'static str,
    #[serde(flatten)]
    replayed: &'a Replayed<'a>,
}

/// A stored run that was played again, without the line's end: the fields of [`run`] and some more.
/// `expected`: the invariant broke that had been broken.
pub fn replay(outcome: &Outcome, expected: bool, wall: Duration, replayed: &Replayed<'_>) -> String {
    object(&Replay { run: run_object(outcome, expected, wall), kind: "replay", replayed })
}

#[derive(Serialize)]
struct Stale<'a> {
    format: &'static str,
    verdict: &'static str,
    expected: bool,
    violation: (),
    kind: &'static str,
    #[serde(flatten)]
    replayed: Replayed<'a>,
}

/// A stored run that this program cannot play, without the line's end: what is known of it.
pub fn stale(file: &str, remark: &str) -> String {
    object(&Stale {
        format: FORMAT,
        verdict: "inconclusive",
        expected: false,
        violation: (),
        kind: "replay",
        replayed: Replayed { file, reproduced: false, parted_at: None, remark },
    })
}

/// One run, without the line's end. `expected`: it did what its scenario expects. `wall` goes to
/// `stats.wall_ns`, the only field in which the same run differs from time to time.
pub fn run(outcome: &Outcome, expected: bool, wall: Duration) -> String {
    object(&run_object(outcome, expected, wall))
}

/// `pass`, `violation` or `inconclusive`.
pub(super) fn verdict(outcome: &Outcome) -> &'static str {
    match outcome.verdict {
        Verdict::Pass => "pass",
        Verdict::Violation(_) => "violation",
        Verdict::Inconclusive(_) => "inconclusive",
    }
}

pub(super) fn violation(violated: &Violated) -> Violation<'_> {
    Violation {
        invariant: &violated.invariant,
        time_ns: violated.time_ns,
        step: violated.step,
        nodes: &violated.nodes,
        message: &violated.message,
    }
}

fn run_object(outcome: &Outcome, expected: bool, wall: Duration) -> Run<'_> {
    let violation = outcome.violation().map(violation);
    Run {
        format: FORMAT,
        scenario: &outcome.scenario,
        system: &outcome.system,
        seed: outcome.seed,
        engine: outcome.engine,
        verdict: verdict(outcome),
        expected,
        violation,
        steps: outcome.steps,
        events: outcome.events,
        virtual_ns: outcome.virtual_ns,
        digest: &outcome.digest,
        goals: &outcome.goals,
        faults: &outcome.faults,
        faults_planned: &outcome.faults_planned,
        faults_fired: &outcome.faults_fired,
        fault_effects: &outcome.fault_effects,
        excuse: outcome.excuse.as_deref(),
        stats: Stats { stats: &outcome.stats, wall_ns: u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX) },
    }
}

/// Any plain data as one line of JSON.
///
/// # Panics
/// With a bug of ours: if the data has a map whose keys are not text.
pub fn object(data: &impl Serialize) -> String {
    serde_json::to_string(data).expect("plain data can be written as JSON")
}
