//! `squall report --perfetto`: a trace in time, for ui.perfetto.dev and chrome://tracing.
//!
//! Source: "Trace Event Format" (Google, 2016). Times are in microseconds, with the nanoseconds behind the point. A node is a thread; a
//! turn is an event of it, a message an arrow between two. Faults and the times in which nodes are down may overlap, as events of one thread must not: they
//! are asynchronous.

use super::json;
use super::told::Run;
use crate::run::story::What;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The process in the trace, and the thread of the faults.
const PROCESS: u32 = 1;
const FAULTS: usize = 0;
/// How long a turn is drawn, which has no length, unless its node has the next turn before: in nanoseconds.
const LENGTH: u64 = 10_000;

/// The trace, of all turns that are remembered.
pub fn perfetto(run: &Run<'_>) -> String {
    let mut trace = Trace {
        run,
        events: Vec::new(),
        arrows: 0,
        spans: 0,
        lengths: lengths(run),
        open: BTreeMap::new(),
        down: BTreeMap::new(),
    };
    trace.name("process_name", FAULTS, &format!("{}, seed {}", run.outcome.scenario, run.outcome.seed));
    trace.name("thread_name", FAULTS, "faults");
    for (node, name) in run.story.names.iter().enumerate() {
        trace.name("thread_name", node + 1, name);
    }
    (0..run.story.turns.len()).for_each(|place| trace.turn(place));
    trace.end();
    json::object(&json!({ "displayTimeUnit": "ms", "traceEvents": trace.events }))
}

struct Trace<'a> {
    run: &'a Run<'a>,
    events: Vec<Value>,
    arrows: u64,
    spans: u64,
    /// By turn, how long it is drawn.
    lengths: Vec<u64>,
    /// By number, the faults that have begun: since when, and in words.
    open: BTreeMap<usize, (u64, &'a str)>,
    /// Who is down, since when.
    down: BTreeMap<usize, u64>,
}

impl<'a> Trace<'a> {
    fn name(&mut self, what: &str, thread: usize, name: &str) {
        self.events.push(json!({ "ph": "M", "name": what, "pid": PROCESS, "tid": thread, "args": { "name": name } }));
    }

    /// Something that lasts, of this kind, on the track of this thread.
    fn span(&mut self, thread: usize, kind: &str, name: &str, (from, upto): (u64, u64)) {
        self.spans += 1;
        let id = self.spans;
        let end = |phase: &str, at: u64| json!({ "ph": phase, "name": name, "cat": kind, "id": id, "pid": PROCESS, "tid": thread, "ts": micros(at) });
        self.events.extend([end("b", from), end("e", upto)]);
    }

    fn turn(&mut self, place: usize) {
        let run = self.run;
        let turn = &run.story.turns[place];
        let at = turn.at.ns();
        for deed in &turn.deeds {
            match deed.what {
                What::Begins { fault } => drop(self.open.insert(fault, (at, &deed.words))),
                What::Ends { fault } => {
                    if let Some((since, words)) = self.open.remove(&fault) {
                        self.span(FAULTS, "fault", words, (since, at));
                    }
                }
                What::Dies => drop(turn.node.map(|node| self.down.insert(node, at))),
                What::Starts => {
                    if let Some((node, since)) = turn.node.and_then(|node| Some((node, self.down.remove(&node)?))) {
                        let down = format!("{} is down", run.story.names[node]);
                        self.span(node + 1, "down", &down, (since, at));
                    }
                }
                What::Gets { from, sent: Some(sent) } => {
                    if let Some((sender, node)) = run.story.place(sent).zip(turn.node) {
                        let name = deed.words.split(" {").next().unwrap_or_default().replace('(', " ");
                        self.arrow(&name, (from, run.story.turns[sender].at.ns()), (node, at));
                    }
                }
                _ => {}
            }
        }
        let Some(node) = turn.node else { return };
        let deeds: Vec<String> = turn.deeds.iter().map(|deed| run.deed(deed)).collect();
        self.events.push(json!({
            "ph": "X", "name": run.head(place), "pid": PROCESS, "tid": node + 1, "ts": micros(at), "dur": micros(self.lengths[place]),
            "args": { "step": turn.step, "what": deeds },
        }));
    }

    fn arrow(&mut self, name: &str, (from, sent): (usize, u64), (to, got): (usize, u64)) {
        self.arrows += 1;
        let id = self.arrows;
        let end = |phase: &str, node: usize, at: u64| json!({ "ph": phase, "bp": "e", "name": name, "cat": "message", "id": id, "pid": PROCESS, "tid": node + 1, "ts": micros(at) });
        self.events.extend([end("s", from, sent), end("f", to, got)]);
    }

    /// What is still on or down when the run is over, and what broke.
    fn end(&mut self) {
        let at = self.run.outcome.virtual_ns;
        for (since, words) in std::mem::take(&mut self.open).into_values() {
            self.span(FAULTS, "fault", words, (since, at));
        }
        for (node, since) in std::mem::take(&mut self.down) {
            let down = format!("{} is down", self.run.story.names[node]);
            self.span(node + 1, "down", &down, (since, at));
        }
        if let Some(violated) = self.run.outcome.violation() {
            let name = format!("{} is broken", violated.invariant);
            let at = micros(violated.time_ns);
            self.events.push(json!({
                "ph": "i", "s": "g", "name": name, "pid": PROCESS, "tid": FAULTS, "ts": at, "args": { "message": violated.message },
            }));
        }
    }
}

/// By turn, how long it may be drawn: events of one thread must not overlap.
fn lengths(run: &Run<'_>) -> Vec<u64> {
    let mut next: Vec<u64> = vec![u64::MAX; run.story.names.len()];
    let mut lengths: Vec<u64> = run
        .story
        .turns
        .iter()
        .rev()
        .map(|turn| match turn.node {
            None => 0,
            Some(node) => std::mem::replace(&mut next[node], turn.at.ns()).saturating_sub(turn.at.ns()).min(LENGTH),
        })
        .collect();
    lengths.reverse();
    lengths
}

/// Nanoseconds as microseconds.
fn micros(ns: u64) -> f64 {
    ns as f64 / 1e3
}
