//! What many seeds of one scenario came to: a few lines for people, an object for programs.

use super::audit;
use super::chance::{CONFIDENCE, chance_of_new, failure_bound, percent};
use super::failure::{self, FaultLine};
use super::json;
use super::number::{count, counted, rounded, wall_time};
use super::style::{BAD, BOLD, DIM, GOOD, UNSURE, styled};
use crate::run::outcome::Expectation;
use crate::run::tally::{FaultTally, Group, Tally};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;

/// A sweep of one scenario, with all that a report says of it.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a> {
    /// The scenario's name.
    pub scenario: &'a str,
    /// What it expects.
    pub expectation: &'a Expectation<'a>,
    /// The first seed that was asked for.
    pub from: u64,
    /// The seed after the last one that was asked for.
    pub to: u64,
    /// Whether all of them have been played.
    pub is_complete: bool,
    /// Whether there are more seeds, in other shards or yet to be played: what has not broken may break in them.
    pub is_part: bool,
    /// What they came to.
    pub tally: &'a Tally,
    /// What stored runs beside the scenario came to.
    pub regressions: &'a [Regression],
}

/// A stored run that was played before the seeds.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Regression {
    /// Its file.
    pub capsule: String,
    /// What it came to.
    pub state: RegressionState,
    /// Which invariant it is about.
    pub invariant: String,
    /// What to say about that.
    pub remark: String,
}

/// What became of a stored run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegressionState {
    /// It breaks what it broke.
    Breaks,
    /// It breaks nothing any more.
    Passes,
    /// It breaks something else.
    Differs,
    /// It says nothing any more: it was made by another engine, or its system has changed.
    Stale,
}

impl Sweep<'_> {
    /// Whether everything is as the scenario expects, the stored runs included.
    pub fn is_expected(&self) -> bool {
        self.tally.meets(self.expectation) && self.regressions.iter().all(|regression| self.tolerates(regression))
    }

    /// Whether all that is missing is what should break, and it may still break in seeds that are not among these.
    pub fn is_undecided(&self) -> bool {
        let is_missing = matches!(self.expectation, Expectation::Breaks(_)) && self.tally.failed == 0;
        let is_fine =
            self.tally.inconclusive == 0 && self.regressions.iter().all(|regression| self.tolerates(regression));
        self.is_part && is_missing && is_fine
    }

    /// Whether the scenario has nothing against what became of a stored run.
    pub fn tolerates(&self, regression: &Regression) -> bool {
        match (regression.state, self.expectation) {
            (RegressionState::Passes | RegressionState::Stale, _) => true,
            (RegressionState::Breaks, Expectation::Breaks(names)) => names.contains(&regression.invariant),
            (RegressionState::Breaks, Expectation::Holds) | (RegressionState::Differs, _) => false,
        }
    }
}

// The order of the fields is the order in the text, and part of the interface.
#[derive(Serialize)]
struct Object<'a> {
    format: &'static str,
    kind: &'static str,
    scenario: &'a str,
    from: u64,
    to: u64,
    ran: u64,
    passed: u64,
    failed: u64,
    inconclusive: u64,
    excused: u64,
    expected: bool,
    groups: Vec<GroupObject<'a>>,
    goals: BTreeMap<&'a str, u64>,
    goals_unreached: Vec<&'a str>,
    faults: BTreeMap<&'a str, FaultObject>,
    steps: u64,
    events: u64,
    virtual_ns: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    wall_s: Option<f64>,
    complete: bool,
    failure_bound: Bound,
    states: States,
    inconclusive_seeds: &'a [(u64, String)],
    regressions: &'a [Regression],
}

#[derive(Serialize)]
struct GroupObject<'a> {
    signature: &'a str,
    invariant: &'a str,
    count: u64,
    first_seed: u64,
    seeds: &'a [u64],
    median_step: u64,
    steps_10_to_90: (u64, u64),
    during: &'a str,
    message: &'a str,
}

#[derive(Serialize)]
struct FaultObject {
    planned: u64,
    fired: u64,
    changed: u64,
    effects: u64,
}

#[derive(Serialize)]
struct Bound {
    confidence: f64,
    upper: f64,
}

#[derive(Serialize)]
struct States {
    seen: u64,
    chance_of_new: f64,
    curve: Vec<(u64, u64)>,
}

/// One line of JSON. `kind` is `sweep` or `merge`. Without `wall` there is nothing in it that differs from time
/// to time.
pub fn object(kind: &'static str, sweep: &Sweep<'_>, wall: Option<Duration>) -> String {
    let tally = sweep.tally;
    json::object(&Object {
        format: json::FORMAT,
        kind,
        scenario: sweep.scenario,
        from: sweep.from,
        to: sweep.to,
        ran: tally.ran,
        passed: tally.passed,
        failed: tally.failed,
        inconclusive: tally.inconclusive,
        excused: tally.excused,
        expected: sweep.is_expected(),
        groups: tally
            .groups
            .iter()
            .map(|(name, group)| GroupObject {
                signature: name,
                invariant: &group.signature.invariant,
                count: group.count,
                first_seed: group.first_seed(),
                seeds: &group.seeds,
                median_step: group.median_step(),
                steps_10_to_90: group.spread(),
                during: &group.signature.during,
                message: &group.signature.message,
            })
            .collect(),
        goals: tally.goals.iter().map(|(goal, reached)| (goal.as_str(), reached.1)).collect(),
        goals_unreached: tally.unreached().collect(),
        faults: tally
            .faults
            .iter()
            .map(|(kind, faults)| {
                let FaultTally { planned, fired, changed, effects } = *faults;
                (kind.as_str(), FaultObject { planned, fired, changed, effects })
            })
            .collect(),
        steps: tally.steps,
        events: tally.events,
        virtual_ns: u64::try_from(tally.virtual_ns).unwrap_or(u64::MAX),
        wall_s: wall.map(|wall| (wall.as_secs_f64() * 1_000.0).round() / 1_000.0),
        complete: sweep.is_complete,
        failure_bound: Bound { confidence: CONFIDENCE, upper: failure_bound(tally.failed, tally.ran) },
        states: States {
            seen: tally.curve.states(),
            chance_of_new: chance_of_new(&tally.curve),
            curve: tally.curve.points(),
        },
        inconclusive_seeds: &tally.doubtful,
        regressions: sweep.regressions,
    })
}

/// What a report asks for, since it knows neither files nor systems.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "it holds functions")]
pub struct Asked<'a> {
    /// How to see a seed of a signature again; one without a verdict has an empty signature.
    pub commands: &'a dyn Fn(&str, u64) -> Vec<String>,
    /// The sentence of an invariant.
    pub promise: &'a dyn Fn(&str) -> Option<&'static str>,
    /// The faults in the plan of a seed, if they can be known.
    pub faults: &'a dyn Fn(u64) -> Option<Vec<FaultLine>>,
}

/// The lines of one scenario. `width`: how wide the column of names is.
pub fn lines(sweep: &Sweep<'_>, wall: Option<Duration>, width: usize, is_verbose: bool, asked: Asked<'_>) -> String {
    let tally = sweep.tally;
    let mark = match (sweep.is_expected(), tally.inconclusive) {
        _ if tally.ran == 0 => styled(UNSURE, "?   "),
        (true, _) => styled(GOOD, "ok  "),
        (false, _) if sweep.is_undecided() => styled(UNSURE, "?   "),
        (false, 1..) if tally.failed == 0 => styled(UNSURE, "?   "),
        (false, _) => styled(BAD, "FAIL"),
    };
    let name = styled(BOLD, format_args!("{:width$}", sweep.scenario));
    let speed = wall.map_or(String::new(), |wall| {
        let rate = (tally.ran as f64 / wall.as_secs_f64().max(1e-6)) as u64;
        styled(DIM, format_args!(" in {:>6}, {:>5} a second", wall_time(wall), rounded(rate)))
    });
    let seeds = if tally.ran == 1 { "seed " } else { "seeds" };
    let mut text = format!("{mark}  {name}  {:>9} {seeds}{speed}   {}\n", count(tally.ran), remark(sweep));
    for (name, group) in &tally.groups {
        text += &told(name, group);
        if is_verbose || !sweep.is_expected() {
            text += &told_in_full(name, group, asked);
        }
    }
    if let (Expectation::Breaks(names), 0, false, 1..) = (sweep.expectation, tally.failed, sweep.is_part, tally.ran) {
        text += &row("", &format!("expected to break: {}", names.join(" or ")));
        (asked.commands)("", sweep.from).iter().for_each(|command| text += &row("", &styled(BOLD, command)));
    }
    for (seed, why) in tally.doubtful.iter().take(3) {
        text += &row("unsure", &format!("seed {seed}: {why}"));
        (asked.commands)("", *seed).iter().for_each(|command| text += &row("", &styled(BOLD, command)));
    }
    if let Some((seed, why)) = &tally.first_excuse {
        let seeds = counted(tally.excused, "seed");
        text += &row("stuck", &format!("{seeds} could not settle, and nobody could; seed {seed}: {why}"));
    }
    for regression in sweep.regressions {
        text += &row("stored", &format!("{}: {}", regression.capsule, regression.remark));
    }
    if is_verbose {
        text += &details(tally);
    }
    text
}

fn remark(sweep: &Sweep<'_>) -> String {
    let tally = sweep.tally;
    let bound = || styled(DIM, format_args!("fewer than {} of seeds fail", percent(failure_bound(0, tally.ran))));
    match (sweep.expectation, tally.failed, tally.inconclusive) {
        _ if tally.ran == 0 => styled(UNSURE, "no seed was played"),
        (_, _, doubtful @ 1..) => format!("{} failed, {} without a verdict", count(tally.failed), count(doubtful)),
        (Expectation::Holds, 0, 0) => format!("all held · {}", bound()),
        (Expectation::Holds, failed, 0) => styled(BAD, format_args!("{} failed", count(failed))),
        (Expectation::Breaks(_), 0, 0) if sweep.is_part => styled(UNSURE, "nothing broke so far"),
        (Expectation::Breaks(_), 0, 0) => styled(BAD, "nothing broke, but it should have"),
        (Expectation::Breaks(_), failed, 0) => {
            match tally.strange(sweep.expectation).map(|(_, group)| group.count).sum() {
                0_u64 => format!("{} broke as expected", count(failed)),
                strange => styled(BAD, format_args!("{} broke otherwise than expected", count(strange))),
            }
        }
    }
}

/// One group of failures.
fn told(name: &str, group: &Group) -> String {
    let (early, late) = group.spread();
    let steps = match group.count {
        1 => format!("step {}", count(group.median_step())),
        _ => format!("median step {} ({} to {})", count(group.median_step()), count(early), count(late)),
    };
    let seeds = counted(group.count, "seed");
    row("broke", &format!("{name}  {seeds}, first {}, {steps}", group.first_seed()))
}

/// The first failure of a group, and how to see it again.
fn told_in_full(name: &str, group: &Group, asked: Asked<'_>) -> String {
    let seed = group.first_seed();
    let (promise, faults) = ((asked.promise)(&group.signature.invariant), (asked.faults)(seed));
    let first = failure::first(&group.first, &group.digest, promise, faults.as_deref());
    let mut text: String = first.lines().map(|line| format!("    {line}\n")).collect();
    (asked.commands)(name, seed).iter().for_each(|command| text += &row("", &styled(BOLD, command)));
    text
}

fn details(tally: &Tally) -> String {
    let mut text = String::new();
    for (goal, (seeds, times)) in tally.goals.iter().filter(|(_, reached)| reached.0 > 0) {
        text += &row("goal", &format!("{goal}: in {}, {} times", counted(*seeds, "seed"), count(*times)));
    }
    for goal in tally.unreached() {
        text += &row("goal", &styled(UNSURE, format_args!("{goal}: never")));
    }
    for line in audit::lines(&tally.faults) {
        text += &row("fault", &line);
    }
    let (curve, states) = (&tally.curve, count(tally.curve.states()));
    text += &row(
        "states",
        &format!("{states} different; the next seed shows a new one with {}", percent(chance_of_new(curve))),
    );
    let mut before = 0;
    for (seeds, seen) in curve.points().into_iter().take(12) {
        text += &row(
            "",
            &styled(
                DIM,
                format_args!("after {:>9} seeds {:>7}, {} new", count(seeds), count(seen), count(seen - before)),
            ),
        );
        before = seen;
    }
    text
}

fn row(title: &str, content: &str) -> String {
    format!("      {} {content}\n", styled(DIM, format_args!("{title:7}")))
}
