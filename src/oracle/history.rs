//! Is a recorded history, known from its beginning to its end, explained by sequential objects?
//!
//! Objects are independent, so each is looked at by itself (Herlihy and Wing, "Linearizability" (1990), theorem 1:
//! locality). Where calls use several objects at one instant, those are one object; what is never used together with them
//! stays apart. The calls are played to the incremental [`Checker`](super::linearizable::Checker), all answers foretold; what
//! that cannot decide within its budget, because more calls are open than it follows or too much is possible at once, is
//! left to a search in depth.
//!
//! ```
//! use squall::oracle::history::{Action, Call, EFFORT, Outcome, check};
//! use squall::oracle::linearizable::Verdict;
//!
//! let calls = [
//!     Call::single(0, Action::Write("1".to_owned()), Outcome::Done, 0, Some(1)),
//!     Call::single(0, Action::Read, Outcome::Saw("0".to_owned()), 2, Some(3)),
//! ];
//! let finding = check(&calls, "0", EFFORT);
//! assert_eq!(finding.verdict, Verdict::NotLinearizable);
//! assert_eq!(finding.violation.map(|violation| violation.call), Some(1));
//! ```

mod decide;
mod excerpt;
mod horizon;
mod joined;
mod key;
mod numbered;
mod object;
mod table;
mod uses;

use super::linearizable::Verdict;
use decide::{Found, Judged, held_before, judge};
pub use excerpt::Excerpt;
use excerpt::excerpt;
use uses::{Group, groups};

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

/// What became of that. A call that is known not to have happened is no part of a history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It took effect; a compare-and-swap found what it expected.
    Done,
    /// A read saw this value.
    Saw(String),
    /// A compare-and-swap found another value than it expected.
    Differed,
    /// Nobody knows: the call takes effect at any time from its invocation on, or never.
    Unknown,
}

/// What a call does to one object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// Which object.
    pub object: usize,
    /// What was asked.
    pub action: Action,
    /// What became of it.
    pub outcome: Outcome,
}

/// A call of a client, from its invocation to its return.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What it does, all of it at one instant, one after the other. If the outcome of one is unknown, so is that of all.
    pub parts: Vec<Part>,
    /// Position of the invocation in the history. All positions of a history differ.
    pub invoked: usize,
    /// Position of the return; `None` if the outcome is unknown.
    pub returned: Option<usize>,
}

impl Call {
    /// A call that does one thing.
    pub fn single(object: usize, action: Action, outcome: Outcome, invoked: usize, returned: Option<usize>) -> Call {
        Call { parts: vec![Part { object, action, outcome }], invoked, returned }
    }

    /// Whether it uses this object.
    pub fn uses(&self, object: usize) -> bool {
        self.parts.iter().any(|part| part.object == object)
    }
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
    /// What the objects of the call may have held before, a few possibilities, each once; `None` stands for any value that
    /// nobody saw. Empty if that is not known.
    pub before: Vec<Vec<(usize, Option<String>)>>,
    /// The shortest stretch that shows it by itself, if that was found.
    pub excerpt: Option<Excerpt>,
}

/// A budget that decides what can be decided in about a second.
pub const EFFORT: u64 = 1 << 25;

/// Whether sequential objects explain the calls, each of which begins as `initial`. `effort` bounds the work for one object,
/// or for some that are used together, in comparisons of what may have happened, which take some nanoseconds, and with it
/// the memory.
///
/// # Panics
/// If the effort is zero, or a call returns before it was invoked.
pub fn check(calls: &[Call], initial: &str, effort: u64) -> Finding {
    for (number, call) in calls.iter().enumerate() {
        assert!(call.returned.is_none_or(|at| at > call.invoked), "call {number} returned before it was invoked");
    }
    let mut broken = Vec::new();
    let mut undecided = 0;
    for group in groups(calls) {
        match judge(&group, initial, usize::MAX, effort) {
            Judged::Linearizable => {}
            Judged::Undecided => undecided += group.objects.len(),
            Judged::Broken(found) => broken.push(Broken { group, initial, effort, found }),
        }
    }
    let verdict = match (broken.is_empty(), undecided) {
        (false, _) => Verdict::NotLinearizable,
        (true, 0) => Verdict::Linearizable,
        (true, _) => Verdict::Undecided,
    };
    let violation = first(broken).map(|Broken { group, initial, effort, found }| Violation {
        call: found.call,
        is_first: !found.is_foreseen && undecided == 0,
        excerpt: excerpt(&group, initial, &found, effort),
        before: held_before(&group, initial, &found),
    });
    Finding { verdict, violation, undecided }
}

/// Objects whose calls are not explained.
struct Broken<'a> {
    group: Group<'a>,
    initial: &'a str,
    effort: u64,
    /// What was found, at its place or before.
    found: Found,
}

impl Broken<'_> {
    /// What is known of the history up to a position.
    fn upto(&self, at: usize) -> Judged {
        judge(&self.group, self.initial, at + 1, self.effort)
    }

    /// The first violation, where the one found was seen coming: that of the shortest beginning which has one.
    fn settle(&mut self) {
        let positions = self.group.calls.iter().filter_map(|(number, call)| Some((call.returned?, *number)));
        let mut returns: Vec<(usize, usize)> = positions.filter(|(at, _)| *at >= self.found.at).collect();
        returns.sort_unstable();
        self.found.is_foreseen = false;
        let (mut low, mut high, mut stride) = (0, returns.len(), 1);
        while low < high {
            // First in growing strides, for it is seldom far; once it is between two, halfway.
            let middle =
                if high == returns.len() { (low + stride - 1).min(high - 1) } else { usize::midpoint(low, high) };
            stride *= 2;
            let (at, call) = returns[middle];
            match self.upto(at) {
                Judged::Linearizable => low = middle + 1,
                Judged::Broken(_) => {
                    high = middle;
                    self.found = Found { at, call, is_foreseen: self.found.is_foreseen };
                }
                Judged::Undecided => {
                    self.found.is_foreseen = true;
                    low = middle + 1;
                }
            }
        }
    }
}

/// The first violation of all.
fn first(mut broken: Vec<Broken<'_>>) -> Option<Broken<'_>> {
    broken.sort_by_key(|broken| broken.found.at);
    let mut best: Option<Broken<'_>> = None;
    for mut broken in broken {
        // A violation is never before the place at which it was seen coming.
        let is_later = best.as_ref().is_some_and(|best| {
            best.found.at < broken.found.at
                || broken.found.is_foreseen && matches!(broken.upto(best.found.at), Judged::Linearizable)
        });
        if is_later {
            continue;
        }
        if broken.found.is_foreseen {
            broken.settle();
        }
        best = match best {
            Some(best) if best.found.at < broken.found.at => Some(best),
            _ => Some(broken),
        };
    }
    best
}
