//! `squall report --history`: what clients did and learnt, an event a line, as `squall check-history` reads it and checkers of
//! histories do that know Jepsen's form.
//!
//! Source: jepsen.history, "Operations": a client that does not know what became of its call goes on as another process.

use super::json;
use crate::environment::plan::{Completion, Operation};
use crate::run::watch::Call;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What clients did: when in virtual nanoseconds, who, and what.
pub type Events = Vec<(u64, String, Call)>;

/// A history, and what is not in it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct History {
    /// An event a line.
    pub text: String,
    /// The keys that are left out: something was added to them, and nobody knows whether; the form has no word for that.
    pub left_out: BTreeSet<u32>,
}

#[derive(Serialize)]
struct Event {
    index: usize,
    time: u64,
    process: usize,
    #[serde(rename = "type")]
    kind: &'static str,
    f: &'static str,
    key: u32,
    value: Value,
}

/// What is written, read, or compared and set.
#[derive(Clone, Copy, Serialize)]
#[serde(untagged)]
enum Value {
    Nothing,
    One(u64),
    Pair([u64; 2]),
}

/// The history of these events. An addition of which the sum is known is a compare-and-swap that has succeeded.
pub fn history(events: &Events) -> History {
    let ends = ends(events);
    let unknown_sum = |place: usize| match (&events[place].2, ends.get(&place)) {
        (Call::Begins(Operation::Add { key, .. }), None | Some((_, Completion::Unknown))) => Some(*key),
        _ => None,
    };
    let left_out: BTreeSet<u32> = (0..events.len()).filter_map(unknown_sum).collect();
    let mut processes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut lines: Vec<(usize, Event)> = Vec::new();
    let clients: BTreeSet<&str> = events.iter().map(|(_, client, _)| client.as_str()).collect();
    for (place, (time, client, call)) in events.iter().enumerate() {
        let Call::Begins(operation) = call else { continue };
        let end = ends.get(&place).copied();
        let next = processes.len();
        let process = processes.entry(client).or_insert(next);
        let (f, asked, learnt, kind) = told(*operation, end.map(|(_, completion)| completion));
        let event =
            |time: u64, kind, value| Event { index: 0, time, process: *process, kind, f, key: operation.key(), value };
        if !left_out.contains(&operation.key()) {
            lines.push((place, event(*time, "invoke", asked)));
            if let Some((place, _)) = end {
                lines.push((place, event(events[place].0, kind, learnt)));
            }
        }
        if kind == "info" {
            *process += clients.len();
        }
    }
    lines.sort_by_key(|(place, _)| *place);
    let line = |(index, (_, event)): (usize, (usize, Event))| json::object(&Event { index, ..event }) + "\n";
    History { text: lines.into_iter().enumerate().map(line).collect(), left_out }
}

/// By the place where an operation begins: where it ends, and how. A client has one at a time.
fn ends(events: &Events) -> BTreeMap<usize, (usize, Completion)> {
    let (mut open, mut ends) = (BTreeMap::new(), BTreeMap::new());
    for (place, (_, client, call)) in events.iter().enumerate() {
        match call {
            Call::Begins(_) => drop(open.insert(client, place)),
            Call::Ends(completion) => {
                if let Some(begun) = open.remove(client) {
                    ends.insert(begun, (place, *completion));
                }
            }
        }
    }
    ends
}

/// What was asked for, with which value, what came back, and how it ended.
fn told(operation: Operation, end: Option<Completion>) -> (&'static str, Value, Value, &'static str) {
    let kind = match end {
        Some(Completion::Value(_) | Completion::Done | Completion::Swapped(true)) => "ok",
        Some(Completion::Swapped(false) | Completion::Failed) => "fail",
        Some(Completion::Unknown) | None => "info",
    };
    match (operation, end) {
        (Operation::Read { .. }, Some(Completion::Value(value))) => ("read", Value::Nothing, Value::One(value), kind),
        (Operation::Read { .. }, _) => ("read", Value::Nothing, Value::Nothing, kind),
        (Operation::Write { value, .. }, _) => ("write", Value::One(value), Value::One(value), kind),
        (Operation::Cas { from, to, .. }, _) => ("cas", Value::Pair([from, to]), Value::Pair([from, to]), kind),
        (Operation::Add { delta, .. }, Some(Completion::Value(sum))) => {
            let both = Value::Pair([sum.wrapping_sub(delta), sum]);
            ("cas", both, both, kind)
        }
        (Operation::Add { delta, .. }, _) => ("add", Value::One(delta), Value::One(delta), kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_makes_another_process_and_an_unknown_sum_leaves_its_key_out() {
        let call = |time: u64, client: &str, call| (time, client.to_owned(), call);
        let events = vec![
            call(1, "c1", Call::Begins(Operation::Write { key: 1, value: 7 })),
            call(2, "c2", Call::Begins(Operation::Add { key: 1, delta: 3 })),
            call(3, "c1", Call::Ends(Completion::Unknown)),
            call(4, "c2", Call::Ends(Completion::Value(10))),
            call(5, "c1", Call::Begins(Operation::Add { key: 2, delta: 1 })),
            call(6, "c2", Call::Begins(Operation::Read { key: 1 })),
            call(7, "c2", Call::Ends(Completion::Value(10))),
        ];
        let History { text, left_out } = history(&events);
        assert_eq!(left_out, BTreeSet::from([2]));
        let expected = [
            r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"write","key":1,"value":7}"#,
            r#"{"index":1,"time":2,"process":1,"type":"invoke","f":"cas","key":1,"value":[7,10]}"#,
            r#"{"index":2,"time":3,"process":0,"type":"info","f":"write","key":1,"value":7}"#,
            r#"{"index":3,"time":4,"process":1,"type":"ok","f":"cas","key":1,"value":[7,10]}"#,
            r#"{"index":4,"time":6,"process":1,"type":"invoke","f":"read","key":1,"value":null}"#,
            r#"{"index":5,"time":7,"process":1,"type":"ok","f":"read","key":1,"value":10}"#,
        ];
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }
}
