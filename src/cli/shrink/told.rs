//! What shrinking came to, for people and for programs.

use super::Report;
use crate::cli::arguments::Detail;
use crate::report::json::{FORMAT, object as json};
use crate::report::number::{count, counted, virtual_time, wall_time};
use crate::report::style::{BAD, BOLD, DIM, GOOD, UNSURE, styled};
use crate::run::shrink::{End, SEEDS, Size};
use crate::systems::System;
use serde::Serialize;

/// The last screen. Quiet, it is only the command.
pub(super) fn text<S: System>(report: &Report<'_, S>, detail: Detail) -> String {
    let Report { source, shrunk, command, .. } = report;
    if detail == Detail::Quiet && report.proof.as_ref().is_none_or(|(_, needless)| needless.is_empty()) {
        return format!("{command}\n");
    }
    let violated = shrunk.outcome.violation().expect("what is shrunk breaks something");
    let mut text = format!(
        "{}, seed {}: {}\n{}\n\n",
        source.plan.scenario,
        source.plan.seed,
        styled(BOLD, format_args!("{} is broken", violated.invariant)),
        violated.message,
    );
    let mut row = |title: &str, cells: [String; 6]| {
        let cells: String =
            cells.iter().zip(COLUMNS).map(|(cell, column)| format!("  {cell:>width$}", width = column.len())).collect();
        text += &format!("  {}{cells}\n", styled(DIM, format_args!("{title:7}")));
    };
    row("", COLUMNS.map(str::to_owned));
    row("before", cells(&report.before));
    row("after", cells(&report.after));
    let end = match (report.signal, shrunk.end) {
        (Some(_), _) => styled(UNSURE, "interrupted: the best so far"),
        (None, End::Minimal) => styled(GOOD, "nothing more can be left out"),
        (None, End::Spent) => styled(UNSURE, "the budget is spent: the best so far; raise --budget for more"),
        (None, End::Stopped) => styled(UNSURE, "the time is up: the best so far; raise --time for more"),
    };
    text += &format!("\n  {} plays in {}: {end}\n", count(shrunk.plays), wall_time(report.wall));
    if let Some((plays, needless)) = &report.proof {
        let without = (report.after.faults + report.after.operations) as u64;
        for found in needless {
            let what = format_args!("NOT MINIMAL: without {} it breaks the same with seed {}", found.what, found.seed);
            text += &format!("  {}\n", styled(BAD, what));
        }
        if needless.is_empty() && without == 0 {
            text += &format!("  {}: there is no fault and no operation to leave out\n", styled(GOOD, "verified"));
        } else if needless.is_empty() {
            text += &format!(
                "  {}: {}, each left out in turn, with the seed and the {SEEDS} smallest: {}, none breaks it\n",
                styled(GOOD, "verified"),
                counted(without, "fault or operation").replace("fault or operations", "faults and operations"),
                counted(*plays, "play"),
            );
        }
    }
    let name = |path: &std::path::Path| path.display().to_string();
    text += &format!("  written {} and {}\n", name(&report.file), name(&report.capsule));
    text + &format!("\n{}\n{}\n", styled(DIM, "to see it:"), styled(BOLD, command))
}

const COLUMNS: [&str; 6] = ["faults", "nodes", "clients", "operations", "events", "virtual time"];

fn cells(size: &Size) -> [String; 6] {
    [
        count(size.faults as u64),
        count(size.members as u64),
        count(size.clients as u64),
        count(size.operations as u64),
        count(size.events),
        virtual_time(size.virtual_ns),
    ]
}

/// `2 faults, 3 nodes, 1 client, 4 operations, 61 events`.
pub(super) fn size(size: &Size) -> String {
    let parts = [
        (size.faults as u64, "fault"),
        (size.members as u64, "node"),
        (size.clients as u64, "client"),
        (size.operations as u64, "operation"),
        (size.events, "event"),
    ];
    parts.map(|(number, noun)| counted(number, noun)).join(", ")
}

// The order of the fields is the order in the text, and part of the interface.
#[derive(Serialize)]
struct Object<'a> {
    format: &'static str,
    kind: &'static str,
    scenario: &'a str,
    seed: u64,
    invariant: &'a str,
    message: &'a str,
    before: Sizes,
    after: Sizes,
    shrunk_seed: u64,
    plays: u64,
    /// Nothing more can be left out.
    complete: bool,
    /// What `--verify` found; null if it was not asked.
    minimal: Option<bool>,
    needless: Vec<String>,
    file: String,
    capsule: String,
    command: &'a str,
    wall_s: u64,
}

#[derive(Serialize)]
struct Sizes {
    faults: usize,
    nodes: usize,
    clients: usize,
    operations: usize,
    events: u64,
    virtual_ns: u64,
}

impl From<&Size> for Sizes {
    fn from(size: &Size) -> Sizes {
        let Size { faults, members, clients, operations, events, virtual_ns } = *size;
        Sizes { faults, nodes: members, clients, operations, events, virtual_ns }
    }
}

/// One object, without the line's end.
pub(super) fn object<S: System>(report: &Report<'_, S>) -> String {
    let violated = report.shrunk.outcome.violation().expect("what is shrunk breaks something");
    let needless = report.proof.as_ref().map(|(_, needless)| needless);
    json(&Object {
        format: FORMAT,
        kind: "shrink",
        scenario: &report.source.plan.scenario,
        seed: report.source.plan.seed,
        invariant: &violated.invariant,
        message: &violated.message,
        before: Sizes::from(&report.before),
        after: Sizes::from(&report.after),
        shrunk_seed: report.shrunk.plan.seed,
        plays: report.shrunk.plays,
        complete: report.signal.is_none() && report.shrunk.end == End::Minimal,
        minimal: needless.map(Vec::is_empty),
        needless: needless.into_iter().flatten().map(|needless| needless.what.clone()).collect(),
        file: report.file.display().to_string(),
        capsule: report.capsule.display().to_string(),
        command: &report.command,
        wall_s: report.wall.as_secs(),
    })
}
