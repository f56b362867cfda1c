//! Histories to be judged: recorded ones with the verdicts and times of others, and those of a crowd at one object.

use flate2::read::GzDecoder;
use serde_json::Value;
use squall::kernel::rng::{Dice, Purpose};
use squall::oracle::history::{Action, Call, Outcome};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

/// A history that others have judged.
pub struct Recorded {
    pub name: String,
    pub initial: &'static str,
    pub calls: Vec<Call>,
    pub is_linearizable: bool,
    /// What Porcupine took for it, in milliseconds.
    pub porcupine: f64,
}

/// All that `verdicts.json` in the folder tells of.
pub fn recorded(folder: &Path) -> Vec<Recorded> {
    let text = fs::read_to_string(folder.join("verdicts.json")).expect("a folder with verdicts.json");
    let verdicts: Vec<Value> = serde_json::from_str(&text).expect("a list of verdicts");
    let one = |verdict: &Value| {
        let name = verdict["file"].as_str().expect("a file").to_owned();
        let is_register = verdict["model"] == "register";
        let mut bytes = fs::read(folder.join(&name)).expect("a history");
        if name.ends_with(".gz") {
            let packed = std::mem::take(&mut bytes);
            GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("gzip");
        }
        Recorded {
            calls: calls(&String::from_utf8(bytes).expect("text"), is_register),
            initial: if is_register { "null" } else { "" },
            is_linearizable: verdict["linearizable"].as_bool().expect("a verdict"),
            porcupine: verdict["porcupine_ms_median"].as_f64().expect("a time"),
            name,
        }
    };
    verdicts.iter().map(one).collect()
}

/// Of lines of JSON. A compare-and-swap that failed saw another value.
fn calls(text: &str, is_register: bool) -> Vec<Call> {
    let value = |value: &Value| match value.as_str().filter(|_| !is_register) {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    let (mut calls, mut open, mut objects) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
    for (position, line) in text.lines().enumerate() {
        let event: Value = serde_json::from_str(line).expect("JSON");
        let process = event["process"].as_i64().expect("a number");
        if process < 0 {
            continue;
        }
        let (f, kind) = (event["f"].as_str().expect("a word"), event["type"].as_str().expect("a word"));
        if kind == "invoke" {
            let next = objects.len();
            let object = *objects.entry(event["key"].to_string()).or_insert(next);
            let action = match f {
                "read" | "get" => Action::Read,
                "cas" => Action::Cas { from: value(&event["value"][0]), to: value(&event["value"][1]) },
                "append" => Action::Append(value(&event["value"])),
                _ => Action::Write(value(&event["value"])),
            };
            open.insert(process, calls.len());
            calls.push(Some(Call::single(object, action, Outcome::Unknown, position, None)));
            continue;
        }
        let Some(number) = open.remove(&process) else { continue };
        let call = calls[number].as_mut().expect("it is open");
        let outcome = match (kind, f) {
            ("ok", "read" | "get") => Outcome::Saw(value(&event["value"])),
            ("ok", _) => Outcome::Done,
            ("fail", "cas") => Outcome::Differed,
            ("fail", _) => {
                calls[number] = None;
                continue;
            }
            _ => continue,
        };
        (call.parts[0].outcome, call.returned) = (outcome, Some(position));
    }
    calls.into_iter().flatten().collect()
}

/// What a history is like, and how to make it.
pub type Crowd = (&'static str, Box<dyn Fn() -> Vec<Call>>);

/// Each is followed by a broken one of its kind.
pub fn crowds() -> Vec<Crowd> {
    const CALLS: usize = 10_000;
    let mut list: Vec<Crowd> = Vec::new();
    for (what, asked, unknown) in [
        ("register, new values", Asked::Fresh, 0),
        ("register, new values, 1 % unknown", Asked::Fresh, 1),
        ("register, five values", Asked::Few, 0),
        ("appends", Asked::Appends, 0),
        ("appends, 1 % unknown", Asked::Appends, 1),
        ("transactions on 100 keys", Asked::Transactions, 0),
    ] {
        list.push((what, Box::new(move || crowd(asked, CALLS, 50, unknown, 1))));
        list.push((what, Box::new(move || break_late(crowd(asked, CALLS, 50, unknown, 1)))));
    }
    for writes in [20, 100, 1_000] {
        list.push(("writes that never return", Box::new(move || hostile(writes, true))));
        list.push(("writes that never return", Box::new(move || hostile(writes, false))));
    }
    list
}

/// What the clients of a [`crowd`] ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Reads, writes of new values and compare-and-swaps from the present one.
    Fresh,
    /// Reads, writes and compare-and-swaps of five values.
    Few,
    /// Appends of new elements, and reads.
    Appends,
    /// Transactions that read and write three keys of a hundred.
    Transactions,
}

/// What `clients` who wait for nothing do at one object, `count` calls in all; of a hundred `unknown` never return.
pub fn crowd(asked: Asked, count: usize, clients: usize, unknown: u64, seed: u64) -> Vec<Call> {
    let mut dice = Dice::new(seed, Purpose::Faults, 0);
    let mut calls: Vec<Call> = Vec::new();
    let mut open: Vec<Option<(usize, bool)>> = vec![None; clients];
    let mut state: Vec<String> = vec![String::new(); 100];
    let mut position = 0;
    while calls.len() < count || open.iter().any(Option::is_some) {
        let client = dice.below(clients as u64) as usize;
        match open[client] {
            None if calls.len() >= count => {}
            None => {
                open[client] = Some((calls.len(), false));
                calls.push(ask(asked, &mut dice, calls.len(), &state[0], position));
                position += 1;
            }
            Some((number, false)) => {
                let is_lost = dice.below(100) < unknown;
                for part in &mut calls[number].parts {
                    let outcome = answer(&mut state[part.object], &part.action);
                    part.outcome = if is_lost { Outcome::Unknown } else { outcome };
                }
                open[client] = Some((number, true)).filter(|_| !is_lost);
            }
            Some((number, true)) => {
                calls[number].returned = Some(position);
                position += 1;
                open[client] = None;
            }
        }
    }
    calls
}

fn ask(asked: Asked, dice: &mut Dice, number: usize, state: &str, position: usize) -> Call {
    let read = dice.below(2) == 0;
    let mut call = Call::single(0, Action::Read, Outcome::Unknown, position, None);
    let new = match asked {
        Asked::Few => dice.below(5).to_string(),
        Asked::Fresh | Asked::Appends | Asked::Transactions => number.to_string(),
    };
    call.parts[0].action = match asked {
        Asked::Transactions => {
            let three = [0; 3].map(|_| dice.below(100) as usize);
            call.parts = vec![call.parts[0].clone(); 3];
            for (part, object) in call.parts.iter_mut().zip(three) {
                part.object = object;
                part.action = if dice.below(3) == 0 { Action::Write(new.clone()) } else { Action::Read };
            }
            return call;
        }
        _ if read => Action::Read,
        Asked::Appends => Action::Append(new + " "),
        Asked::Few if dice.below(3) == 0 => Action::Cas { from: dice.below(5).to_string(), to: new },
        Asked::Fresh if dice.below(3) == 0 => Action::Cas { from: state.to_owned(), to: new },
        Asked::Few | Asked::Fresh => Action::Write(new),
    };
    call
}

fn answer(state: &mut String, action: &Action) -> Outcome {
    match action {
        Action::Read => return Outcome::Saw(state.clone()),
        Action::Write(value) => state.clone_from(value),
        Action::Cas { from, .. } if state != from => return Outcome::Differed,
        Action::Cas { to, .. } => state.clone_from(to),
        Action::Append(text) => state.push_str(text),
    }
    Outcome::Done
}

/// Lets a read far behind see what an earlier one saw.
pub fn break_late(mut calls: Vec<Call>) -> Vec<Call> {
    let seen = |call: &Call| match &call.parts[..] {
        [part, ..] if matches!(part.outcome, Outcome::Saw(_)) && call.returned.is_some() => Some(part.outcome.clone()),
        _ => None,
    };
    let old = calls[calls.len() / 2..].iter().find_map(seen).expect("a read");
    let late = calls.len() * 9 / 10;
    let late = calls[late..].iter_mut().find(|call| seen(call).is_some()).expect("a read");
    late.parts[0].outcome = old;
    calls
}

/// Writes of different values by clients that never hear of them, and a reader that sees one after the other, and at last
/// one again: every order of the writes has to be considered.
pub fn hostile(count: usize, is_sound: bool) -> Vec<Call> {
    let mut calls: Vec<Call> = (0..count)
        .map(|number| Call::single(0, Action::Write(number.to_string()), Outcome::Unknown, number, None))
        .collect();
    for read in 0..=count {
        let seen = if read < count {
            read
        } else if is_sound {
            count - 1
        } else {
            0
        };
        let at = count + 2 * read;
        calls.push(Call::single(0, Action::Read, Outcome::Saw(seen.to_string()), at, Some(at + 1)));
    }
    calls
}
