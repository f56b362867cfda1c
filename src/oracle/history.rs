//! Is a recorded history, known from its beginning to its end, explained by sequential objects?
//!
//! Objects are independent, so each is looked at by itself (Herlihy and Wing, "Linearizability" (1990), theorem 1:
//! locality). Its calls are played to the incremental [`Checker`], all answers foretold; what that cannot decide within
//! its budget, because more calls are open than it follows or too much is possible at once, is left to a search in depth.
//!
//! ```
//! use squall::oracle::history::{Action, Call, EFFORT, Outcome, check};
//! use squall::oracle::linearizable::Verdict;
//!
//! let call = |action, outcome, invoked, returned| Call { object: 0, action, outcome, invoked, returned: Some(returned) };
//! let calls = [
//!     call(Action::Write("1".to_owned()), Outcome::Done, 0, 1),
//!     call(Action::Read, Outcome::Saw("0".to_owned()), 2, 3),
//! ];
//! let finding = check(&calls, "0", EFFORT);
//! assert_eq!(finding.verdict, Verdict::NotLinearizable);
//! assert_eq!(finding.violation.map(|violation| violation.call), Some(1));
//! ```

mod object;
mod search;

use super::linearizable::{Checker, Verdict};
use object::{Numbered, OTHER, Object, numbered};
use search::{Found, search};
use std::collections::BTreeMap;

/// What a client asked for. Values are texts; two are the same if their texts are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Tells the value.
    Read,
    /// Replaces the value.
    Write(String),
    /// Replaces the value if it is `from`.
    Cas {
        /// What the value must be.
        from: String,
        /// What it becomes then.
        to: String,
    },
    /// Adds a text to the end of the value.
    Append(String),
}

/// What became of a call. One that is known not to have happened is no part of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It took effect; a compare-and-swap found what it expected.
    Done,
    /// A read saw this value.
    Saw(String),
    /// A compare-and-swap found another value than it expected.
    Differed,
    /// It takes effect at any time from its invocation on, or never.
    Unknown,
}

/// A call of a client, from its invocation to its return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Which object was called.
    pub object: usize,
    /// What was asked.
    pub action: Action,
    /// What became of it.
    pub outcome: Outcome,
    /// Position of the invocation in the history. All positions of a history differ.
    pub invoked: usize,
    /// Position of the return; `None` if the outcome is unknown.
    pub returned: Option<usize>,
}

/// What a check came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Of all objects together: the worst.
    pub verdict: Verdict,
    /// Where it broke first, if it did.
    pub violation: Option<Violation>,
    /// How many objects are undecided.
    pub undecided: usize,
}

/// The first return that no order explains, given what is known of the calls up to then.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// The call that returned, by its number.
    pub call: usize,
    /// Whether it is known to be the first; else an earlier one may be.
    pub is_first: bool,
    /// Values that the object may have had before, a few of them, each once; `None` stands for any that nobody saw.
    /// Empty if that is not known.
    pub before: Vec<Option<String>>,
}

/// A budget that decides what can be decided in about a second.
pub const EFFORT: u64 = 1 << 21;
/// A move of the search in depth costs as much as so many comparisons.
const MOVE: u64 = 16;
/// The effort of the first try.
const SHARE: u64 = 1 << 14;

/// Whether sequential objects explain the calls, each of which begins as `initial`. `effort` bounds the work for one object,
/// in comparisons of what may have happened, which take some nanoseconds, and with it the memory.
///
/// # Panics
/// If the effort is zero, or a call returns before it was invoked.
pub fn check(calls: &[Call], initial: &str, effort: u64) -> Finding {
    let mut objects: BTreeMap<usize, Vec<(usize, &Call)>> = BTreeMap::new();
    for (number, call) in calls.iter().enumerate() {
        assert!(call.returned.is_none_or(|at| at > call.invoked), "call {number} returned before it was invoked");
        objects.entry(call.object).or_default().push((number, call));
    }
    let mut broken = Vec::new();
    let mut undecided = 0;
    for calls in objects.into_values() {
        let object = numbered(&calls, initial, usize::MAX);
        match decide(&object, effort) {
            Known::Linearizable => {}
            Known::Undecided => undecided += 1,
            Known::Violation(at, found) => {
                let is_first = !object.is_farsighted;
                broken.push(Broken { calls, initial, effort, at, found: Violation { is_first, ..found } });
            }
        }
    }
    let verdict = match (broken.is_empty(), undecided) {
        (false, _) => Verdict::NotLinearizable,
        (true, 0) => Verdict::Linearizable,
        (true, _) => Verdict::Undecided,
    };
    let violation = first(broken).map(|first| Violation { is_first: first.is_first && undecided == 0, ..first });
    Finding { verdict, violation, undecided }
}

enum Known {
    Linearizable,
    /// With the position of the return.
    Violation(usize, Violation),
    Undecided,
}

/// An object whose calls are not explained.
struct Broken<'a> {
    calls: Vec<(usize, &'a Call)>,
    initial: &'a str,
    effort: u64,
    at: usize,
    /// What was found at that position, or is to come after it.
    found: Violation,
}

impl Broken<'_> {
    /// What is known of the history up to a position.
    fn upto(&self, at: usize) -> Known {
        decide(&numbered(&self.calls, self.initial, at + 1), self.effort)
    }

    /// The first violation, where the one found was seen coming: that of the shortest beginning which has one.
    fn settled(self) -> Broken<'static> {
        let positions = self.calls.iter().filter_map(|(number, call)| Some((call.returned?, *number)));
        let mut returns: Vec<(usize, usize)> = positions.filter(|(at, _)| *at >= self.at).collect();
        returns.sort_unstable();
        let mut settled =
            Broken { calls: Vec::new(), initial: "", effort: self.effort, at: self.at, found: self.found.clone() };
        settled.found.is_first = true;
        let (mut low, mut high, mut stride) = (0, returns.len(), 1);
        while low < high {
            // First in growing strides, for it is seldom far; once it is between two, halfway.
            let middle =
                if high == returns.len() { (low + stride - 1).min(high - 1) } else { usize::midpoint(low, high) };
            stride *= 2;
            let (at, call) = returns[middle];
            match self.upto(at) {
                Known::Linearizable => low = middle + 1,
                Known::Violation(_, found) => {
                    high = middle;
                    settled.at = at;
                    settled.found = Violation { call, before: found.before, ..settled.found };
                }
                Known::Undecided => {
                    settled.found.is_first = false;
                    low = middle + 1;
                }
            }
        }
        settled
    }
}

/// The first violation of all.
fn first(mut broken: Vec<Broken<'_>>) -> Option<Violation> {
    broken.sort_by_key(|broken| broken.at);
    let mut best: Option<Broken<'_>> = None;
    for broken in broken {
        // A violation is never before the place at which it was seen coming.
        let is_later = best.as_ref().is_some_and(|best| {
            best.at < broken.at || !broken.found.is_first && matches!(broken.upto(best.at), Known::Linearizable)
        });
        if is_later {
            continue;
        }
        let broken = if broken.found.is_first { broken } else { broken.settled() };
        best = match best {
            Some(best) if best.at < broken.at => Some(best),
            _ => Some(broken),
        };
    }
    best.map(|best| best.found)
}

/// Tries both ways in turns, each time with more effort: what is hard for one is often easy for the other.
fn decide(object: &Object, effort: u64) -> Known {
    let mut share = effort.min(SHARE);
    loop {
        if let known @ (Known::Linearizable | Known::Violation(..)) = follow(object, share) {
            return known;
        }
        match search(object, share.div_ceil(MOVE)) {
            Found::Order => return Known::Linearizable,
            Found::Nothing(step) => {
                let step = &object.steps[step];
                return Known::Violation(
                    step.returned,
                    Violation { call: step.call, is_first: true, before: Vec::new() },
                );
            }
            Found::TooMuch if share == effort => return Known::Undecided,
            Found::TooMuch => share = effort.min(share * 8),
        }
    }
}

/// Plays the history to the incremental checker.
fn follow(object: &Object, effort: u64) -> Known {
    let mut returns: Vec<(usize, usize)> = object
        .steps
        .iter()
        .enumerate()
        .filter(|(_, step)| step.answer.is_some())
        .map(|(number, step)| (step.returned, number))
        .collect();
    returns.sort_unstable();
    let mut checker = Checker::<Numbered>::with_budget(object.initial, effort);
    let mut ids = Vec::with_capacity(object.steps.len());
    for (at, number) in returns {
        while let Some(step) = object.steps.get(ids.len()).filter(|step| step.invoked < at) {
            let id = checker.invoke(step.operation.clone());
            match step.answer {
                Some(answer) => checker.foretell(id, answer, step.returned as u64),
                None => checker.unknown(id),
            }
            ids.push(id);
        }
        let step = &object.steps[number];
        let answer = step.answer.expect("only steps that returned are here");
        if let Err(violation) = checker.returned(ids[number], answer) {
            let text = |state: &u32| (*state != OTHER).then(|| object.texts[*state as usize].clone());
            let before = violation.states.iter().map(text).collect();
            return Known::Violation(at, Violation { call: step.call, is_first: true, before });
        }
        if checker.verdict() == Verdict::Undecided {
            return Known::Undecided;
        }
    }
    Known::Linearizable
}
