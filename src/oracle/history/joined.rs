//! Several objects that are used at one instant, as one: what is known of each, in numbers.
//!
//! What an operation must answer is part of it, so that it answers only whether it did.

use super::numbered::{Answer, Numbered, Operation};
use crate::oracle::linearizable::{Effect, Model};
use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

/// What is known of the state of one object.
pub(super) trait Knowledge: Clone + Ord + Debug {
    /// Lets an operation take effect. Answers whether the object can have answered so; `None` is no matter what.
    fn take(&mut self, operation: &Operation, answer: Option<&Answer>) -> bool;
}

/// It is known.
impl Knowledge for u32 {
    fn take(&mut self, operation: &Operation, answer: Option<&Answer>) -> bool {
        let given = Numbered::apply(self, operation);
        answer.is_none_or(|answer| *answer == given)
    }
}

/// It is one of these, sorted; none if the past cannot have been.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Possible(Vec<u32>);

impl Possible {
    /// Any of the first `count` states.
    pub(super) fn any(count: u32) -> Possible {
        Possible((0..count).collect())
    }
}

impl Knowledge for Possible {
    /// What the operation makes of each state that answers so. Whoever began in one of the others did not begin there.
    fn take(&mut self, operation: &Operation, answer: Option<&Answer>) -> bool {
        self.0.retain_mut(|state| state.take(operation, answer));
        self.0.sort_unstable();
        self.0.dedup();
        !self.0.is_empty()
    }
}

/// Several objects, of each of which something is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Joined<K>(PhantomData<K>);

/// What is done to some of them, in this order.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Deeds {
    deeds: Arc<[(usize, Operation, Option<Answer>)]>,
    effect: Effect,
}

impl Deeds {
    /// With the place of each object and what it must answer.
    pub(super) fn new(deeds: Vec<(usize, Operation, Option<Answer>)>) -> Deeds {
        let reads = |(_, operation, _): &(usize, Operation, Option<Answer>)| {
            matches!(operation, Operation::Read | Operation::Differs(_))
        };
        let effect = if deeds.iter().all(reads) { Effect::Read } else { Effect::Update };
        Deeds { deeds: deeds.into(), effect }
    }

    /// Whether several things are done, one of which could have given another answer, and one changes an object.
    pub(super) fn is_mixed(&self) -> bool {
        let can_differ = |operation: &Operation| match operation {
            Operation::Read | Operation::Differs(_) => true,
            Operation::Write(_) => false,
            Operation::Move(step) => !step.spoils,
        };
        self.deeds.len() > 1
            && self.effect != Effect::Read
            && self.deeds.iter().any(|(_, operation, _)| can_differ(operation))
    }
}

impl<K: Knowledge> Model for Joined<K> {
    type State = Vec<K>;
    type Operation = Deeds;
    /// Whether all answers were as they must be.
    type Answer = bool;

    fn apply(state: &mut Vec<K>, operation: &Deeds) -> bool {
        operation.deeds.iter().fold(true, |fits, (place, operation, answer)| {
            let here = state[*place].take(operation, answer.as_ref());
            fits && here
        })
    }

    /// To read narrows down what is known, if it is not known: that is then more than a read.
    fn effect(operation: &Deeds) -> Effect {
        operation.effect
    }
}
