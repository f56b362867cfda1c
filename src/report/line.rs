//! One run on one line, for people.

use super::audit;
use super::number::{count, counted, virtual_time, wall_time};
use super::style::{BAD, BOLD, DIM, GOOD, UNSURE, styled};
use crate::run::outcome::{Expectation, Outcome, Verdict};
use std::time::Duration;

/// `ok    raft/storm    30.0s in   4 ms    8,231 steps   2 partitions, 3 kills · 1,204 operations`.
/// `name_width`: how wide the column of names is. `columns`: how much room there is, if that is known.
pub fn line(
    outcome: &Outcome,
    expectation: &Expectation<'_>,
    wall: Duration,
    name_width: usize,
    columns: Option<usize>,
) -> String {
    let mark = match &outcome.verdict {
        Verdict::Inconclusive(_) => styled(UNSURE, "?   "),
        _ if outcome.meets(expectation) => styled(GOOD, "ok  "),
        _ => styled(BAD, "FAIL"),
    };
    let name = styled(BOLD, format_args!("{:name_width$}", outcome.scenario));
    let virtual_time = virtual_time(outcome.virtual_ns);
    let wall = styled(DIM, format_args!("in {:>6}", wall_time(wall)));
    let steps = count(outcome.steps);
    let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(name_width + BEFORE));
    format!("{mark}  {name}  {virtual_time:>7} {wall}  {steps:>9} steps   {}\n", remark(outcome, expectation, room))
}

/// How many columns stand before the remark, without the name.
const BEFORE: usize = 44;

/// What is worth saying of the run in a few words.
fn remark(outcome: &Outcome, expectation: &Expectation<'_>, room: usize) -> String {
    match (&outcome.verdict, expectation) {
        (Verdict::Inconclusive(why), _) => format!("inconclusive: {why}"),
        (Verdict::Violation(violated), _) if outcome.meets(expectation) => {
            format!("broke as expected: {}", violated.invariant)
        }
        (Verdict::Violation(violated), _) => styled(BAD, &violated.invariant),
        (Verdict::Pass, Expectation::Breaks(_)) => styled(BAD, "nothing broke, but it should have"),
        (Verdict::Pass, Expectation::Holds) if outcome.excuse.is_some() => {
            format!("could not settle, and nobody could: {}", outcome.excuse.as_deref().unwrap_or_default())
        }
        (Verdict::Pass, Expectation::Holds) => styled(DIM, what_happened(outcome, room)),
    }
}

/// `2 partitions, 3 kills · 1,204 operations`.
fn what_happened(outcome: &Outcome, room: usize) -> String {
    let faults = faults(outcome).unwrap_or_else(|| "no faults".to_owned());
    let operations = outcome.stats.get("operations_returned").map(|count| counted(*count, "operation"));
    let all = operations.map(|operations| format!("{faults} · {operations}"));
    all.filter(|all| all.chars().count() <= room).unwrap_or(faults)
}

/// How many faults of each kind hit something, `2 partitions, 3 kills`; `None` if none did.
pub fn faults(outcome: &Outcome) -> Option<String> {
    let kinds: Vec<String> = outcome.faults.iter().map(|(kind, hits)| fault(kind, *hits)).collect();
    (!kinds.is_empty()).then(|| kinds.join(", "))
}

fn fault(kind: &str, hits: u64) -> String {
    match kind {
        // Nouns that have no plural of their own.
        "loss" | "duplicate" | "corrupt" | "clock-drift" | "bit-rot" | "bandwidth" | "disk-full" | "disk-slow" => {
            format!("{} x {kind}", count(hits))
        }
        _ => counted(hits, kind),
    }
}

/// What `-v` adds below the line: goals, statistics.
pub fn details(outcome: &Outcome) -> String {
    let (reached, missed): (Vec<_>, Vec<_>) = outcome.goals.iter().partition(|(_, times)| **times > 0);
    let reached = reached.iter().map(|(goal, times)| format!("{goal} {}", count(**times)));
    let missed = missed.iter().map(|(goal, _)| (*goal).clone());
    let stats = outcome.stats.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), count(*value)));
    let events = [format!("events {}", count(outcome.events))];
    let mut text = String::new();
    section(&mut text, "reached", reached);
    section(&mut text, "not reached", missed);
    for (place, line) in audit::lines(&audit::of_run(outcome)).into_iter().enumerate() {
        let title = if place == 0 { "faults" } else { "" };
        text += &format!("      {} {line}\n", styled(DIM, format_args!("{title:11}")));
    }
    section(&mut text, "stats", events.into_iter().chain(stats));
    text += &format!("      {} {}\n", styled(DIM, format_args!("{:11}", "digest")), outcome.digest);
    text
}

fn section(text: &mut String, title: &str, items: impl Iterator<Item = String>) {
    const WIDTH: usize = 80;
    let mut title = title;
    let mut row = String::new();
    for item in items {
        if !row.is_empty() && row.len() + item.len() > WIDTH {
            *text += &format!("      {} {row}\n", styled(DIM, format_args!("{title:11}")));
            title = "";
            row.clear();
        }
        if !row.is_empty() {
            row += " · ";
        }
        row += &item;
    }
    if !row.is_empty() {
        *text += &format!("      {} {row}\n", styled(DIM, format_args!("{title:11}")));
    }
}
