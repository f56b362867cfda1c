//! The operations that returned last, so that a violation can be told by what led to it.

use super::search::{Found, Step, search};
use super::window::{Slot, Window, bits};
use super::{Effect, Model};

/// How many are kept.
const KEPT: usize = 8;
/// Operations that a search for one window tries.
const BUDGET: u64 = 20_000;

/// The operations that returned last. Invocations and returns are counted together.
#[derive(Clone, Debug)]
pub(super) struct Recent<M: Model> {
    /// Of these, the oldest is overwritten by the next.
    kept: Vec<Step<M>>,
    oldest: usize,
    room: usize,
    clock: usize,
}

impl<M: Model> Recent<M> {
    pub(super) fn new() -> Recent<M> {
        Recent { room: KEPT, ..Recent::none() }
    }

    /// For those who do not ask for a window.
    pub(super) fn none() -> Recent<M> {
        Recent { kept: Vec::new(), oldest: 0, room: 0, clock: 0 }
    }

    /// Something is invoked, or returns: when.
    #[inline]
    pub(super) fn tick(&mut self) -> usize {
        self.clock += 1;
        self.clock
    }

    /// An operation returns; or it never does, and its effect has been seen for certain.
    #[inline]
    pub(super) fn add(&mut self, slot: &Slot<M>, answer: Option<&M::Answer>) {
        let returned = self.tick();
        if self.room == 0 {
            return;
        }
        let step = Step { operation: slot.operation.clone(), answer: answer.cloned(), invoked: slot.invoked, returned };
        if self.kept.len() < self.room {
            self.kept.push(step);
        } else {
            self.kept[self.oldest] = step;
            self.oldest = (self.oldest + 1) % self.room;
        }
    }

    /// The fewest of the latest that no order explains, whatever the state was before them.
    pub(super) fn window(&self, pending: &Window<M>) -> Vec<(M::Operation, M::Answer)> {
        let mut steps: Vec<Step<M>> = self.kept.clone();
        steps.extend(bits(pending.taken).map(|slot| &pending.slots[slot]).map(|slot| {
            let operation = slot.operation.clone();
            Step { operation, answer: None, invoked: slot.invoked, returned: usize::MAX }
        }));
        steps.sort_by_key(|step| step.invoked);
        // Before the oldest of those kept returned, others may have returned.
        let known = self.kept.get(self.oldest).filter(|_| self.kept.len() == self.room).map_or(0, |step| step.returned);
        let mut cuts: Vec<usize> = steps.iter().map(|step| step.invoked).filter(|at| *at >= known).collect();
        cuts.reverse();
        let Some(from) = cuts.into_iter().find(|from| is_broken(&steps, *from)) else { return Vec::new() };
        for place in 0..steps.len() {
            let answer = steps[place].answer.take();
            if answer.is_some() && !is_broken(&steps, from) {
                steps[place].answer = answer;
            }
        }
        let inside = steps.into_iter().filter(|step| step.invoked >= from && step.returned < usize::MAX);
        inside.filter_map(|step| Some((step.operation, step.answer?))).collect()
    }
}

/// Whether no order explains what was invoked and has returned from a moment on. What was invoked before and returned
/// later may have taken effect before, whatever it answered.
pub(super) fn is_broken<M: Model>(steps: &[Step<M>], from: usize) -> bool {
    let inside = steps.iter().filter(|step| step.returned >= from).map(|step| {
        let answer = step.answer.clone().filter(|_| step.invoked >= from);
        let operation = (step.operation.clone(), answer.clone());
        let returned = if answer.is_some() { step.returned } else { usize::MAX };
        Step { operation, answer: answer.map(|_| true), invoked: step.invoked, returned }
    });
    let inside: Vec<Step<Veiled<M>>> = inside.collect();
    matches!(search(&[None], &inside, BUDGET, 1), Found::Nothing(_))
}

/// An object whose state is not known, until an answer reveals it.
#[derive(Clone, Copy, Debug)]
struct Veiled<M>(std::marker::PhantomData<M>);

impl<M: Model> Model for Veiled<M> {
    type State = Option<M::State>;
    /// What is asked, and what must be answered, if that is known.
    type Operation = (M::Operation, Option<M::Answer>);
    /// Whether it can be answered.
    type Answer = bool;

    fn apply(state: &mut Option<M::State>, (operation, answer): &Self::Operation) -> bool {
        match state {
            Some(known) => {
                let given = M::apply(known, operation);
                answer.as_ref().is_none_or(|answer| *answer == given)
            }
            None => {
                *state = M::reveals(operation, answer.as_ref());
                true
            }
        }
    }

    fn effect((operation, _): &Self::Operation) -> Effect {
        M::effect(operation)
    }
}
