//! Invocations and completions to calls.

use super::entry::{Action, Entry, Kind as Stage};
use super::{CheckHistory, FailedCas, History, Kind, Mistake, Note};
use crate::oracle::history::{self, Call, Outcome};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The calls of all clients.
///
/// # Errors
/// If a completion has no invocation, or the two do not belong together, or a value is not what it must be.
pub(super) fn paired(entries: &[Entry], check: &CheckHistory) -> Result<History, Mistake> {
    let is_client = |entry: &&Entry| entry.client.is_some();
    let is_kv = |entry: &Entry| entry.action == Action::Append;
    let kind = check.model.unwrap_or(if entries.iter().any(is_kv) { Kind::Kv } else { Kind::Register });
    let reader = Reader { kind, is_keyed: entries.iter().filter(is_client).all(Entry::is_keyed), check };
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    let mut objects: BTreeMap<String, usize> = BTreeMap::new();
    let mut clients: BTreeSet<&str> = BTreeSet::new();
    let mut calls: Vec<(Option<Call>, Note)> = Vec::new();
    let mut failed_swaps = 0;
    for (position, entry) in entries.iter().enumerate() {
        let Some(client) = entry.client.as_deref() else { continue };
        if entry.kind == Stage::Invoke {
            clients.insert(client);
            let (key, action) = (reader.key(entry), reader.action(entry)?);
            let next = objects.len();
            let object = *objects.entry(key).or_insert(next);
            if let Some(earlier) = open.insert(client, calls.len()) {
                let message = format!("client {client} asks before its call of line {} is over", calls[earlier].1.from);
                let cure = "end each call with ok, fail or info; who goes on after it knows nothing is another client";
                return Err(Mistake::new(entry.line, message, cure));
            }
            let note = Note { client: client.to_owned(), from: entry.line, upto: None, index: None };
            calls.push((
                Some(Call { object, action, outcome: Outcome::Unknown, invoked: position, returned: None }),
                note,
            ));
            continue;
        }
        let Some(number) = open.remove(client) else {
            // Some logs tell so of clients that come and go.
            if entry.kind == Stage::Info {
                continue;
            }
            return Err(Mistake::new(
                entry.line,
                format!("client {client} has asked for nothing"),
                "begin each call with an event of type invoke",
            ));
        };
        let (call, note) = &mut calls[number];
        let asked = entries[call.as_ref().expect("it is open").invoked].action;
        if asked != entry.action {
            let message = format!("client {client} asked for something else in line {}", note.from);
            return Err(Mistake::new(entry.line, message, "give the completion the f of its invocation"));
        }
        note.upto = Some(entry.line);
        let outcome = match (entry.kind, asked) {
            (Stage::Ok, Action::Read) => Some(Outcome::Saw(reader.seen(entry)?)),
            (Stage::Ok, _) => Some(Outcome::Done),
            (Stage::Info, _) => Some(Outcome::Unknown),
            (Stage::Fail, Action::Cas) => {
                failed_swaps += 1;
                (check.failed_cas == FailedCas::OtherValue).then_some(Outcome::Differed)
            }
            (Stage::Fail, _) => None,
            (Stage::Invoke, _) => unreachable!("an invocation is no completion"),
        };
        match (call.as_mut(), outcome) {
            (Some(_), Some(Outcome::Unknown)) => {}
            (Some(call), Some(outcome)) => {
                (call.outcome, call.returned) = (outcome, Some(position));
                note.index = Some(entry.index);
            }
            (_, None) => *call = None,
            (None, Some(_)) => unreachable!("an open call is there"),
        }
    }
    let operations = calls.len();
    let (calls, notes) = calls.into_iter().filter_map(|(call, note)| Some((call?, note))).unzip();
    let mut keys = vec![String::new(); objects.len()];
    objects.into_iter().for_each(|(key, object)| keys[object] = key);
    Ok(History {
        kind,
        initial: reader.initial(),
        calls,
        notes,
        keys,
        clients: clients.len(),
        operations,
        failed_swaps,
    })
}

impl Entry {
    /// Whether the value may be a key and a value.
    fn is_keyed(&self) -> bool {
        let pair = |value: &Value| value.as_array().is_some_and(|pair| pair.len() == 2);
        let Some(Value::Array(values)) = self.value.as_ref().filter(|value| self.key.is_none() && pair(value)) else {
            return false;
        };
        self.action != Action::Cas || pair(&values[1])
    }
}

struct Reader<'a> {
    kind: Kind,
    /// Whether values are of the form `[key value]`.
    is_keyed: bool,
    check: &'a CheckHistory,
}

impl Reader<'_> {
    fn key(&self, entry: &Entry) -> String {
        let key = match entry.value.as_ref().filter(|_| self.is_keyed) {
            Some(Value::Array(values)) => values.first(),
            _ => entry.key.as_ref(),
        };
        match key {
            None => String::new(),
            Some(Value::String(key)) => key.clone(),
            Some(key) => key.to_string(),
        }
    }

    fn value<'b>(&self, entry: &'b Entry) -> Option<&'b Value> {
        match entry.value.as_ref() {
            Some(Value::Array(values)) if self.is_keyed => values.get(1),
            value => value,
        }
    }

    fn action(&self, entry: &Entry) -> Result<history::Action, Mistake> {
        let wrong = |message: &str, cure: &str| Err(Mistake::new(entry.line, message, cure));
        match (entry.action, self.value(entry)) {
            (Action::Read, _) => Ok(history::Action::Read),
            (Action::Write, Some(value)) => Ok(history::Action::Write(self.text(value))),
            (Action::Append, Some(_)) if self.kind == Kind::Register => {
                wrong("nothing is appended to a register", "say --model kv")
            }
            (Action::Append, Some(value)) => Ok(history::Action::Append(self.text(value))),
            (Action::Cas, Some(Value::Array(values))) if values.len() == 2 => {
                Ok(history::Action::Cas { from: self.text(&values[0]), to: self.text(&values[1]) })
            }
            (Action::Cas, _) => wrong("a compare-and-swap has two values", "write [from, to] as its value"),
            (Action::Write | Action::Append, None) => wrong("the event has no value", "say what was written"),
            (Action::Foreign, _) => unreachable!("only clients are asked"),
        }
    }

    fn seen(&self, entry: &Entry) -> Result<String, Mistake> {
        match self.value(entry) {
            Some(value) => Ok(self.text(value)),
            None => Err(Mistake::new(entry.line, "the event has no value", "say what was read, or null")),
        }
    }

    /// Of a register, JSON; of a kv, the text itself.
    fn text(&self, value: &Value) -> String {
        match (self.kind, value) {
            (Kind::Register, value) => value.to_string(),
            (Kind::Kv, Value::Null) => String::new(),
            (Kind::Kv, Value::String(text)) => text.clone(),
            (Kind::Kv, value) => value.to_string(),
        }
    }

    fn initial(&self) -> String {
        match (self.kind, self.check.initial.as_deref()) {
            (Kind::Kv, initial) => initial.unwrap_or_default().to_owned(),
            (Kind::Register, None | Some("nil")) => Value::Null.to_string(),
            (Kind::Register, Some(initial)) => match serde_json::from_str::<Value>(initial) {
                Ok(value) => value.to_string(),
                Err(_) => Value::from(initial).to_string(),
            },
        }
    }
}
