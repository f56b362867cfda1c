//! Invocations and completions to calls.

use super::entry::{Action, Entry, Kind as Stage};
use super::values::{Asked, Reader};
use super::{CheckHistory, FailedCas, History, Mistake, Note};
use crate::oracle::history::{Call, Outcome, Part};
use std::collections::{BTreeMap, BTreeSet};

/// The calls of all clients.
///
/// # Errors
/// If a completion has no invocation, or the two do not belong together, or a value is not what it must be.
pub(super) fn paired(entries: &[Entry], check: &CheckHistory) -> Result<History, Mistake> {
    let reader = Reader::new(entries, check.model, check.initial.as_deref())?;
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    let mut objects: BTreeMap<String, usize> = BTreeMap::new();
    let mut clients: BTreeSet<&str> = BTreeSet::new();
    let mut calls: Vec<(Option<Call>, Note)> = Vec::new();
    let mut failed_swaps = 0;
    for (position, entry) in entries.iter().enumerate() {
        let Some(client) = entry.client.as_deref() else { continue };
        if entry.kind == Stage::Invoke {
            clients.insert(client);
            let asked = reader.asked(entry)?;
            let parts = asked.iter().map(|Asked { key, action }| {
                let next = objects.len();
                let object = *objects.entry(key.clone()).or_insert(next);
                Part { object, action: action.clone(), outcome: Outcome::Unknown }
            });
            let call = Call { parts: parts.collect(), invoked: position, returned: None };
            if let Some(earlier) = open.insert(client, Open { number: calls.len(), action: entry.action, asked }) {
                let line = calls[earlier.number].1.from;
                let message = format!("client {client} asks before its call of line {line} is over");
                let cure = "end each call with ok, fail or info; who goes on after it knows nothing is another client";
                return Err(Mistake::new(entry.line, message, cure));
            }
            let note =
                Note { client: client.to_owned(), from: entry.line, upto: None, invoked: entry.index, index: None };
            calls.push((Some(call), note));
            continue;
        }
        let Some(Open { number, action, asked }) = open.remove(client) else {
            // Some logs tell so of clients that come and go.
            if entry.kind == Stage::Info {
                continue;
            }
            return Err(Mistake::new(
                entry.line,
                format!("client {client} has asked for nothing, or its call is over"),
                "begin each call with one event of type invoke, and end it with one",
            ));
        };
        let (call, note) = &mut calls[number];
        if action != entry.action {
            let message = format!("client {client} asked for something else in line {}", note.from);
            return Err(Mistake::new(entry.line, message, "give the completion the f of its invocation"));
        }
        note.upto = Some(entry.line);
        let outcomes = match (entry.kind, action) {
            (Stage::Ok, _) => reader.outcomes(entry, &asked, note.from)?,
            (Stage::Info, _) => continue,
            (Stage::Fail, Action::Cas) => {
                failed_swaps += 1;
                if check.failed_cas == FailedCas::OtherValue { vec![Outcome::Differed] } else { Vec::new() }
            }
            (Stage::Fail, _) => Vec::new(),
            (Stage::Invoke, _) => unreachable!("an invocation is no completion"),
        };
        // What failed is no part of a history.
        call.take_if(|_| outcomes.is_empty());
        if let Some(call) = call {
            call.parts.iter_mut().zip(outcomes).for_each(|(part, outcome)| part.outcome = outcome);
            call.returned = Some(position);
            note.index = Some(entry.index);
        }
    }
    let operations = calls.len();
    let (calls, notes) = calls.into_iter().filter_map(|(call, note)| Some((call?, note))).unzip();
    let mut keys = vec![String::new(); objects.len()];
    objects.into_iter().for_each(|(key, object)| keys[object] = key);
    Ok(History {
        kind: reader.kind,
        initial: reader.initial,
        calls,
        notes,
        keys,
        clients: clients.len(),
        operations,
        failed_swaps,
    })
}

/// A call that is not over.
struct Open {
    number: usize,
    action: Action,
    asked: Vec<Asked>,
}
