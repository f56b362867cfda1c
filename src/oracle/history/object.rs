//! What a recorded history says of one object, in numbers: its states, and what each call does to them.
//!
//! Only what somebody looks at is worth a number. All values that no read has answered and no compare-and-swap has
//! asked for are one state, [`OTHER`]. A text that appends have made of others is a state if it is the beginning of
//! a text that somebody has seen: whatever else it is can never be seen again before somebody writes over it.

use super::{Action, Call, Outcome};
use crate::oracle::linearizable::{Effect, Model};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Every value that nobody has seen or asked for.
pub(super) const OTHER: u32 = 0;

/// An object whose states are numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbered;

/// What it is asked.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    /// Tells the state.
    Read,
    /// Tells whether the state is another: a compare-and-swap that is known to have changed nothing.
    Differs(u32),
    /// Replaces the state.
    Write(u32),
    /// Goes from some states to others, depending on the state.
    Move(Move),
}

/// From where to where, sorted.
type Steps = Arc<[(u32, u32)]>;

/// A swap or an append.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// Moves of one class do the same.
    class: u32,
    /// From where to where, sorted.
    steps: Steps,
    /// Whether it makes [`OTHER`] of all other states, rather than nothing.
    spoils: bool,
}

impl PartialEq for Operation {
    fn eq(&self, other: &Operation) -> bool {
        match (self, other) {
            (Operation::Read, Operation::Read) => true,
            (Operation::Differs(left), Operation::Differs(right))
            | (Operation::Write(left), Operation::Write(right)) => left == right,
            (Operation::Move(left), Operation::Move(right)) => left.class == right.class && left.spoils == right.spoils,
            (Operation::Read | Operation::Differs(_) | Operation::Write(_) | Operation::Move(_), _) => false,
        }
    }
}

/// What it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Answer {
    /// To a read: the state.
    Holds(u32),
    /// To the question whether it is another.
    Differs(bool),
    /// To a write.
    Written,
    /// To a move: whether there was a way.
    Moved(bool),
}

impl Model for Numbered {
    type State = u32;
    type Operation = Operation;
    type Answer = Answer;

    #[inline]
    fn apply(state: &mut u32, operation: &Operation) -> Answer {
        match operation {
            Operation::Read => Answer::Holds(*state),
            Operation::Differs(from) => Answer::Differs(state != from),
            Operation::Write(to) => {
                *state = *to;
                Answer::Written
            }
            Operation::Move(Move { steps, spoils, .. }) => match steps.binary_search_by_key(state, |step| step.0) {
                Ok(found) => {
                    *state = steps[found].1;
                    Answer::Moved(true)
                }
                Err(_) => {
                    *state = if *spoils { OTHER } else { *state };
                    Answer::Moved(*spoils)
                }
            },
        }
    }

    #[inline]
    fn effect(operation: &Operation) -> Effect {
        match operation {
            Operation::Read | Operation::Differs(_) => Effect::Read,
            Operation::Write(_) => Effect::Overwrite,
            Operation::Move(_) => Effect::Update,
        }
    }
}

/// A call in numbers.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Which call it is, as the caller counts.
    pub(super) call: usize,
    pub(super) operation: Operation,
    /// What it answered; `None` if it may have happened or not.
    pub(super) answer: Option<Answer>,
    /// Positions in the history; one that never returned does so last.
    pub(super) invoked: usize,
    pub(super) returned: usize,
}

/// One object and what was asked of it, in the order of the invocations.
#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) initial: u32,
    pub(super) steps: Vec<Step>,
    /// What the states are, by number; the first is [`OTHER`].
    pub(super) texts: Vec<String>,
    /// Whether a state that cannot be explained later is known to be one at once: a violation is then found before the
    /// event that makes it one.
    pub(super) is_farsighted: bool,
}

/// Puts calls of one object into numbers, those alone that were invoked before `end`. What returned later is then not
/// known to have happened.
pub(super) fn numbered(calls: &[(usize, &Call)], initial: &str, end: usize) -> Object {
    let returned = |call: &Call| call.returned.filter(|at| *at < end && call.outcome != Outcome::Unknown);
    let known: Vec<(usize, &Call)> = calls.iter().copied().filter(|(_, call)| call.invoked < end).collect();
    let mut table = Table::of(&known, end, initial);
    let horizon = Horizon::of(&known, end);
    let mut is_farsighted = false;
    let mut differs = known.iter().any(|(_, call)| call.outcome == Outcome::Differed && returned(call).is_some());
    let spoil_unseen = differs;
    differs |= table.has_appends();
    let mut steps = Vec::with_capacity(known.len());
    for (number, call) in known {
        let ends = returned(call);
        let (operation, answer) = match (&call.action, &call.outcome) {
            (Action::Read, Outcome::Saw(text)) => (Operation::Read, Answer::Holds(table.seen(text))),
            (Action::Read, Outcome::Done | Outcome::Differed | Outcome::Unknown) => continue,
            // Before it has returned nobody knows that it has changed nothing.
            (Action::Cas { from, .. }, Outcome::Differed) if ends.is_some() => {
                is_farsighted = true;
                (Operation::Differs(table.seen(from)), Answer::Differs(true))
            }
            (Action::Cas { from, to }, _) if from == to && ends.is_some() => {
                (Operation::Read, Answer::Holds(table.seen(from)))
            }
            (Action::Write(text), _) => (Operation::Write(table.state(text)), Answer::Written),
            (Action::Cas { from, to }, _) => {
                let (from, to) = (table.seen(from), table.state(to));
                (Operation::Move(table.swap(from, to)), Answer::Moved(true))
            }
            (Action::Append(text), _) if text.is_empty() => continue,
            (Action::Append(_), _) if !horizon.is_observed_after(call.invoked) => continue,
            (Action::Append(text), _) => {
                // One that may not have happened has only those to tell of its spoiling who look for another value.
                let spoils = ends.map_or(spoil_unseen, |returned| horizon.is_escape(call.invoked, returned));
                is_farsighted |= ends.is_some() && !spoils;
                (Operation::Move(table.append(text, spoils)), Answer::Moved(true))
            }
        };
        // What may or may not have happened, and what nobody could have noticed, did not happen.
        let is_idle = match &operation {
            Operation::Read | Operation::Differs(_) => true,
            Operation::Write(to) => *to == OTHER && !differs,
            Operation::Move(step) => {
                !step.spoils && step.steps.iter().all(|(from, to)| from == to || *to == OTHER && !differs)
            }
        };
        if ends.is_none() && is_idle {
            continue;
        }
        let answer = ends.map(|_| answer);
        steps.push(Step {
            call: number,
            operation,
            answer,
            invoked: call.invoked,
            returned: ends.unwrap_or(usize::MAX),
        });
    }
    steps.sort_by_key(|step| step.invoked);
    Object { initial: table.state(initial), steps, texts: table.texts(), is_farsighted }
}

/// When objects are looked at and written over.
struct Horizon {
    /// Invocations of calls that tell what the state was, in order, each with the earliest return of it and those behind it.
    observed: Vec<(usize, usize)>,
    last_observed: usize,
    /// Invocations of writes, in order, each with the latest return of it and those before it.
    written: Vec<(usize, usize)>,
}

impl Horizon {
    fn of(calls: &[(usize, &Call)], end: usize) -> Horizon {
        let (mut observed, mut written, mut last_observed) = (Vec::new(), Vec::new(), 0);
        for (_, call) in calls {
            let returned = call.returned.filter(|at| *at < end);
            if !matches!(call.action, Action::Write(_) | Action::Append(_)) {
                last_observed = last_observed.max(returned.unwrap_or(0));
            }
            match (&call.action, returned) {
                // Any state that nobody sees is another than expected.
                _ if call.outcome == Outcome::Differed => {}
                (Action::Read | Action::Cas { .. }, Some(returned)) => observed.push((call.invoked, returned)),
                (Action::Write(_), returned) => written.push((call.invoked, returned.unwrap_or(usize::MAX))),
                (Action::Read | Action::Cas { .. }, None) | (Action::Append(_), _) => {}
            }
        }
        observed.sort_unstable();
        written.sort_unstable();
        let mut earliest = usize::MAX;
        for (_, returned) in observed.iter_mut().rev() {
            earliest = earliest.min(*returned);
            *returned = earliest;
        }
        let mut latest = 0;
        for (_, returned) in &mut written {
            latest = latest.max(*returned);
            *returned = latest;
        }
        Horizon { observed, last_observed, written }
    }

    fn is_observed_after(&self, at: usize) -> bool {
        self.last_observed > at
    }

    /// Whether a call between these positions may leave a state that is never seen: nobody looks afterwards, or somebody
    /// may write over it before.
    fn is_escape(&self, invoked: usize, returned: usize) -> bool {
        let Some((_, observed)) = self.observed.get(self.observed.partition_point(|(at, _)| *at < returned)) else {
            return true;
        };
        let before = self.written.partition_point(|(at, _)| at < observed);
        before > 0 && self.written[before - 1].1 > invoked
    }
}

/// The states that somebody could see, and the moves between them.
struct Table<'a> {
    states: BTreeMap<&'a [u8], u32>,
    /// By text, the class and its steps.
    appends: BTreeMap<&'a [u8], (u32, Steps)>,
    swaps: BTreeMap<(u32, u32), u32>,
}

impl<'a> Table<'a> {
    fn of(calls: &[(usize, &'a Call)], end: usize, initial: &'a str) -> Table<'a> {
        let mut seen: BTreeSet<&[u8]> = BTreeSet::new();
        let mut appended: BTreeSet<&[u8]> = BTreeSet::new();
        // Where a history of appends begins.
        let mut begun: Vec<&[u8]> = vec![initial.as_bytes()];
        for (_, call) in calls {
            match (&call.action, &call.outcome) {
                (Action::Read, Outcome::Saw(text)) if call.returned.is_some_and(|at| at < end) => {
                    seen.insert(text.as_bytes());
                }
                (Action::Read, _) => {}
                (Action::Cas { from, to }, _) => {
                    seen.insert(from.as_bytes());
                    begun.push(to.as_bytes());
                }
                (Action::Write(text), _) => begun.push(text.as_bytes()),
                (Action::Append(text), _) => {
                    appended.insert(text.as_bytes());
                }
            }
        }
        appended.remove(&b""[..]);
        let mut states: BTreeMap<&[u8], u32> = (1..).zip(&seen).map(|(number, text)| (*text, number)).collect();
        let mut appends: BTreeMap<&[u8], Vec<(u32, u32)>> = appended.iter().map(|text| (*text, Vec::new())).collect();
        if !appended.is_empty() {
            walk(&seen.into_iter().collect::<Vec<_>>(), begun, &mut states, &mut appends);
        }
        let classes = (0..).zip(appends).map(|(class, (text, mut steps))| {
            steps.sort_unstable();
            (text, (class, steps.into()))
        });
        Table { appends: classes.collect(), swaps: BTreeMap::new(), states }
    }

    fn has_appends(&self) -> bool {
        !self.appends.is_empty()
    }

    fn state(&self, text: &str) -> u32 {
        self.states.get(text.as_bytes()).copied().unwrap_or(OTHER)
    }

    /// The state that somebody has told of.
    fn seen(&self, text: &str) -> u32 {
        // A read whose return is not known yet is not asked.
        self.states.get(text.as_bytes()).copied().unwrap_or(u32::MAX)
    }

    fn swap(&mut self, from: u32, to: u32) -> Move {
        let next = (self.appends.len() + self.swaps.len()) as u32;
        let class = *self.swaps.entry((from, to)).or_insert(next);
        Move { class, steps: [(from, to)].into(), spoils: false }
    }

    fn append(&self, text: &str, spoils: bool) -> Move {
        let (class, steps) = &self.appends[text.as_bytes()];
        Move { class: *class, steps: steps.clone(), spoils }
    }

    fn texts(&self) -> Vec<String> {
        let mut texts = vec![String::new(); self.states.len() + 1];
        for (text, number) in &self.states {
            texts[*number as usize] = String::from_utf8_lossy(text).into_owned();
        }
        texts
    }
}

/// Follows every way in which appends make beginnings of what was `seen` out of others. `seen` is sorted.
fn walk<'a>(
    seen: &[&'a [u8]],
    begun: Vec<&'a [u8]>,
    states: &mut BTreeMap<&'a [u8], u32>,
    appends: &mut BTreeMap<&'a [u8], Vec<(u32, u32)>>,
) {
    let lengths: BTreeSet<usize> = appends.keys().map(|text| text.len()).collect();
    // A text that was seen is a place to go on from only if somebody could have made it; that does not matter here.
    let mut open: Vec<&[u8]> = seen.to_vec();
    for text in begun {
        let is_beginning =
            seen.get(seen.partition_point(|seen| *seen < text)).is_some_and(|seen| seen.starts_with(text));
        let number = states.len() as u32 + 1;
        if is_beginning && !states.contains_key(text) {
            states.insert(text, number);
            open.push(text);
        }
    }
    while let Some(text) = open.pop() {
        let from = states[text];
        let start = seen.partition_point(|seen| *seen < text);
        let count = seen[start..].partition_point(|seen| seen.starts_with(text));
        let longer = &seen[start..start + count];
        for length in &lengths {
            let end = text.len() + length;
            let mut next = 0;
            while let Some(whole) = longer.get(next) {
                let Some(there) = whole.get(..end) else {
                    next += 1;
                    continue;
                };
                if let Some(steps) = appends.get_mut(&there[text.len()..]) {
                    let number = states.len() as u32 + 1;
                    let to = *states.entry(there).or_insert(number);
                    if to == number {
                        open.push(there);
                    }
                    steps.push((from, to));
                }
                next += longer[next..].partition_point(|seen| seen.starts_with(there));
            }
        }
    }
}
