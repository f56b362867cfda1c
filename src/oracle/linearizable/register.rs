//! A register that holds a number.

use super::{Effect, Model};

/// A register that holds a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Register;

/// What a [`Register`] can be asked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operation {
    /// Tells the number.
    Read,
    /// Replaces the number.
    Write(u64),
    /// Replaces the number if it is `from`.
    Cas {
        /// What the number must be.
        from: u64,
        /// What it becomes then.
        to: u64,
    },
    /// Adds to the number, modulo 2^64, and tells the sum.
    Add(u64),
}

/// What a [`Register`] answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// To a read: the number. To an addition: the sum.
    Value(u64),
    /// To a write.
    Done,
    /// To a compare-and-swap: whether the number was as expected.
    Swapped(bool),
}

impl Model for Register {
    type State = u64;
    type Operation = Operation;
    type Answer = Answer;

    #[inline]
    fn apply(state: &mut u64, operation: &Operation) -> Answer {
        match *operation {
            Operation::Read => Answer::Value(*state),
            Operation::Write(value) => {
                *state = value;
                Answer::Done
            }
            Operation::Cas { from, to } => {
                let swapped = *state == from;
                if swapped {
                    *state = to;
                }
                Answer::Swapped(swapped)
            }
            Operation::Add(delta) => {
                *state = state.wrapping_add(delta);
                Answer::Value(*state)
            }
        }
    }

    #[inline]
    fn effect(operation: &Operation) -> Effect {
        match operation {
            Operation::Read => Effect::Read,
            Operation::Write(_) => Effect::Overwrite,
            Operation::Cas { .. } | Operation::Add(_) => Effect::Update,
        }
    }

    fn reveals(operation: &Operation, answer: Option<&Answer>) -> Option<u64> {
        match (*operation, answer) {
            (Operation::Write(value), _) => Some(value),
            (Operation::Read | Operation::Add(_), Some(Answer::Value(value))) => Some(*value),
            (Operation::Cas { to, .. }, Some(Answer::Swapped(true))) => Some(to),
            (Operation::Read | Operation::Add(_) | Operation::Cas { .. }, _) => None,
        }
    }
}
