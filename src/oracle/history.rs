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
const MOVE: u64 = 2;

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
    let mut violations: Vec<Violation> = Vec::new();
    let mut undecided = 0;
    for calls in objects.values() {
        match check_object(calls, initial, effort) {
            Known::Linearizable => {}
            Known::Undecided => undecided += 1,
            Known::Violation(violation) => violations.push(violation),
        }
    }
    let verdict = match (violations.is_empty(), undecided) {
        (false, _) => Verdict::NotLinearizable,
        (true, 0) => Verdict::Linearizable,
        (true, _) => Verdict::Undecided,
    };
    let all_are_first = violations.iter().all(|violation| violation.is_first) && undecided == 0;
    let first = violations.into_iter().min_by_key(|violation| calls[violation.call].returned);
    let violation = first.map(|first| Violation { is_first: all_are_first, ..first });
    Finding { verdict, violation, undecided }
}

enum Known {
    Linearizable,
    Violation(Violation),
    Undecided,
}

fn check_object(calls: &[(usize, &Call)], initial: &str, effort: u64) -> Known {
    let object = numbered(calls, initial, usize::MAX);
    let known = decide(&object, effort);
    match known {
        Known::Violation(violation) if object.is_farsighted => Known::Violation(first(calls, initial, effort, violation)),
        known => known,
    }
}

/// The first violation, where the one found was seen coming: the shortest beginning of the history that has one.
fn first(calls: &[(usize, &Call)], initial: &str, effort: u64, found: Violation) -> Violation {
    let mut returns: Vec<(usize, usize)> =
        calls.iter().filter_map(|(number, call)| Some((call.returned?, *number))).collect();
    returns.sort_unstable();
    let mut is_first = true;
    let mut before = found.before;
    let place = returns.partition_point(|(at, _)| match decide(&numbered(calls, initial, at + 1), effort) {
        Known::Linearizable => true,
        Known::Violation(violation) => {
            before = violation.before;
            false
        }
        Known::Undecided => {
            is_first = false;
            true
        }
    });
    match returns.get(place) {
        Some((_, call)) => Violation { call: *call, is_first, before },
        None => Violation { call: found.call, is_first: false, before },
    }
}

fn decide(object: &Object, effort: u64) -> Known {
    match follow(object, effort) {
        Known::Undecided => match search(object, effort / MOVE) {
            Found::Order => Known::Linearizable,
            Found::TooMuch => Known::Undecided,
            Found::Nothing(step) => {
                Known::Violation(Violation { call: object.steps[step].call, is_first: true, before: Vec::new() })
            }
        },
        known => known,
    }
}

/// Plays the history to the incremental checker.
fn follow(object: &Object, effort: u64) -> Known {
    let mut returns: Vec<(usize, usize)> =
        object.steps.iter().enumerate().filter(|(_, step)| step.answer.is_some()).map(|(number, step)| (step.returned, number)).collect();
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
            return Known::Violation(Violation { call: step.call, is_first: true, before });
        }
        if checker.verdict() == Verdict::Undecided {
            return Known::Undecided;
        }
    }
    Known::Linearizable
}
