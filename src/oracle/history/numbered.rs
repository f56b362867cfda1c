//! An object whose states are numbers.

use crate::oracle::linearizable::{Effect, Model};
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
pub(super) type Steps = Arc<[(u32, u32)]>;

/// A swap or an append.
#[derive(Clone, Debug)]
pub(super) struct Move {
    /// Moves of one class do the same.
    pub(super) class: u32,
    /// From where to where, sorted.
    pub(super) steps: Steps,
    /// Whether it makes [`OTHER`] of all other states, rather than nothing.
    pub(super) spoils: bool,
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
