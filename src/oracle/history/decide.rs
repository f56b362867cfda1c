//! Whether some objects explain their calls, in whichever way finds out first.

use super::object::{Object, Plain, anywhere, several, single};
use super::uses::{Group, Start, Stretch};
use crate::oracle::linearizable::search::{self, search};
use crate::oracle::linearizable::{Checker, Model, Verdict};

/// To try an operation in depth costs as much as so many comparisons.
const MOVE: u64 = 4;
/// To remember a configuration costs as much as to try so many operations.
const WEIGHT: u64 = 8;
/// The effort to tell what was before a violation.
const LOOK: u64 = 1 << 17;
/// The effort of the first try.
const SHARE: u64 = 1 << 14;

/// What is known of a group of objects.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Judged {
    Linearizable,
    Broken(Found),
    Undecided,
}

/// A return that nothing explains.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Found {
    /// Its position.
    pub(super) at: usize,
    pub(super) call: usize,
    /// Whether it is only sure that a violation is to come, here or later.
    pub(super) is_foreseen: bool,
}

/// What some objects may have held, a few possibilities.
pub(super) type Held = Vec<Vec<(usize, Option<String>)>>;
/// What the checker says, and what the objects of a call that breaks it may have held before.
type Followed = (Judged, Held);

/// Judges what is known of a group before a position.
pub(super) fn judge(group: &Group<'_>, initial: &str, end: usize, effort: u64) -> Judged {
    if group.is_plain() {
        let stretch = Stretch { start: Start::At(initial), from: 0, end };
        decide(&single(group, &stretch), group, effort, follow)
    } else {
        decide(&several(group, initial, end), group, effort, follow)
    }
}

/// Judges what is known of a group between two positions, whatever it was at the first of them.
pub(super) fn judge_anywhere(group: &Group<'_>, from: usize, end: usize, effort: u64) -> Judged {
    if group.is_plain() {
        let stretch = Stretch { start: Start::Anywhere, from, end };
        decide(&single(group, &stretch), group, effort, follow)
    } else {
        // To look at a state that is not known changes what is known of it, so that the checker cannot follow.
        decide(&anywhere(group, from, end), group, effort, |_, _, _| (Judged::Undecided, Vec::new()))
    }
}

/// Tries both ways in turns, each time with more effort: what is hard for one is often easy for the other.
fn decide<M: Model>(
    object: &Object<M>,
    group: &Group<'_>,
    effort: u64,
    follow: impl Fn(&Object<M>, &Group<'_>, u64) -> Followed,
) -> Judged {
    let mut share = effort.min(SHARE);
    loop {
        // What is remembered has the state of every object in it.
        let weight = WEIGHT + group.objects.len() as u64;
        match search(&object.initials, &object.steps, share.div_ceil(MOVE), weight) {
            search::Found::Order => return Judged::Linearizable,
            search::Found::Nothing(step) => {
                let (call, at) = (object.calls[step], object.steps[step].returned);
                return Judged::Broken(Found { at, call, is_foreseen: object.is_farsighted });
            }
            search::Found::TooMuch => {}
        }
        if let judged @ (Judged::Linearizable | Judged::Broken(_)) = follow(object, group, share).0 {
            return judged;
        }
        if share == effort {
            return Judged::Undecided;
        }
        share = effort.min(share * 8);
    }
}

/// What the objects of a call may have held before its return, which is the first that nothing explains; nothing if that
/// is hard to tell.
pub(super) fn held_before(group: &Group<'_>, initial: &str, found: &Found) -> Held {
    let (judged, before) = if group.is_plain() {
        let stretch = Stretch { start: Start::At(initial), from: 0, end: found.at + 1 };
        follow(&single(group, &stretch), group, LOOK)
    } else {
        follow(&several(group, initial, found.at + 1), group, LOOK)
    };
    // What was possible before an earlier return, at which it was seen coming, says nothing here.
    match judged {
        Judged::Broken(Found { call, .. }) if call == found.call => before,
        Judged::Broken(_) | Judged::Linearizable | Judged::Undecided => Vec::new(),
    }
}

/// Plays the history to the incremental checker.
fn follow<M: Plain>(object: &Object<M>, group: &Group<'_>, effort: u64) -> Followed {
    let numbers = 0..object.steps.len();
    let mut returns: Vec<usize> = numbers.filter(|number| object.steps[*number].answer.is_some()).collect();
    returns.sort_unstable_by_key(|number| object.steps[*number].returned);
    let mut checker = Checker::<M>::among(object.initials.clone(), effort);
    let mut ids = Vec::with_capacity(object.steps.len());
    for number in returns {
        let now = &object.steps[number];
        while let Some(step) = object.steps.get(ids.len()).filter(|step| step.invoked < now.returned) {
            let id = checker.invoke(step.operation.clone());
            match &step.answer {
                Some(answer) => checker.foretell(id, answer.clone(), step.returned as u64),
                None => checker.unknown(id),
            }
            ids.push(id);
        }
        let answer = now.answer.clone().expect("only steps that returned are here");
        if let Err(violation) = checker.returned(ids[number], answer) {
            let objects = group.objects_of(object.calls[number]);
            let mut before: Vec<_> = violation.states.iter().map(|state| object.told(state, &objects)).collect();
            before.sort();
            before.dedup();
            let found = Found { at: now.returned, call: object.calls[number], is_foreseen: object.is_farsighted };
            return (Judged::Broken(found), before);
        }
        if checker.verdict() == Verdict::Undecided {
            return (Judged::Undecided, Vec::new());
        }
    }
    (Judged::Linearizable, Vec::new())
}
