//! The operations that are pending, and sets of them.

use super::{Effect, Model, OperationId};

/// One bit for each operation that may be pending.
pub(super) type Mask = u128;

/// How many operations may be pending.
pub(super) const SLOTS: usize = Mask::BITS as usize;
/// The low bits of an id are its slot.
const SLOT_BITS: u32 = SLOTS.ilog2();

/// The operations that are pending, each in a slot.
#[derive(Clone, Debug)]
pub(super) struct Window<M: Model> {
    pub(super) slots: Vec<Slot<M>>,
    pub(super) taken: Mask,
    /// Of the taken: those that leave the state alone.
    pub(super) reads: Mask,
    /// Of the taken: those that replace the state.
    pub(super) overwrites: Mask,
    /// Of the taken: those that will not return.
    pub(super) unknown: Mask,
    invoked: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Slot<M: Model> {
    pub(super) id: OperationId,
    pub(super) operation: M::Operation,
    /// When it was invoked, as [`Recent`](super::recent::Recent) counts.
    pub(super) invoked: usize,
    pub(super) foretold: Option<M::Answer>,
    /// If an answer is foretold: less than for all that return later.
    pub(super) at: u64,
}

impl<M: Model> Window<M> {
    pub(super) fn new() -> Window<M> {
        Window { slots: Vec::new(), taken: 0, reads: 0, overwrites: 0, unknown: 0, invoked: 0 }
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.taken == Mask::MAX
    }

    #[inline]
    pub(super) fn add(&mut self, operation: M::Operation, invoked: usize) -> OperationId {
        let slot = self.taken.trailing_ones() as usize;
        assert!(slot < SLOTS, "all {SLOTS} slots are taken");
        // Numbers are not used again, so that an id of an operation that is over is noticed.
        let id = OperationId((self.invoked << SLOT_BITS) | slot as u64);
        self.invoked += 1;
        self.taken |= bit(slot);
        match M::effect(&operation) {
            Effect::Read => self.reads |= bit(slot),
            Effect::Overwrite => self.overwrites |= bit(slot),
            Effect::Update => {}
        }
        match self.slots.get_mut(slot) {
            Some(free) => *free = Slot { id, operation, invoked, foretold: None, at: u64::MAX },
            None => self.slots.push(Slot { id, operation, invoked, foretold: None, at: u64::MAX }),
        }
        id
    }

    /// Where the operation is, which must be pending.
    #[inline]
    pub(super) fn slot(&self, id: OperationId) -> usize {
        let slot = id.0 as usize % SLOTS;
        let pending = self.taken & !self.unknown & bit(slot) != 0 && self.slots[slot].id == id;
        assert!(pending, "operation {} is not pending", id.0 >> SLOT_BITS);
        slot
    }

    /// The operation is no longer pending. It can be looked up until the next one is added.
    #[inline]
    pub(super) fn remove(&mut self, id: OperationId) -> usize {
        let slot = self.slot(id);
        self.release(slot);
        slot
    }

    #[inline]
    pub(super) fn release(&mut self, slot: usize) {
        self.taken &= !bit(slot);
        self.reads &= !bit(slot);
        self.overwrites &= !bit(slot);
        self.unknown &= !bit(slot);
    }

    #[inline]
    pub(super) fn may_answer(&self, slot: usize, answer: &M::Answer) -> bool {
        self.slots[slot].foretold.as_ref().is_none_or(|foretold| foretold == answer)
    }

    /// Whether two pending operations do the same, and the first is known to return sooner. One that never returns does
    /// so last.
    #[inline]
    pub(super) fn is_more_urgent(&self, one: usize, other: usize) -> bool {
        let is_known = |slot: usize| self.slots[slot].foretold.is_some() || self.unknown & bit(slot) != 0;
        let (left, right) = (&self.slots[one], &self.slots[other]);
        (left.at, left.id.0) < (right.at, right.id.0)
            && is_known(one)
            && is_known(other)
            && left.operation == right.operation
    }

    #[inline]
    pub(super) fn outcome(&self, slot: usize, state: &M::State) -> (M::State, M::Answer) {
        let mut state = state.clone();
        let answer = M::apply(&mut state, &self.slots[slot].operation);
        (state, answer)
    }

    /// What a read sees of an overwrite, for which any state will do.
    #[inline]
    pub(super) fn seen(&self, overwrite: usize, read: usize, state: &M::State) -> M::Answer {
        let (state, _) = self.outcome(overwrite, state);
        self.outcome(read, &state).1
    }
}

#[inline]
pub(super) fn bit(slot: usize) -> Mask {
    1 << slot
}

/// The slots in a mask, lowest first.
#[inline]
pub(super) fn bits(mut mask: Mask) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = mask.trailing_zeros() as usize;
        mask &= mask.wrapping_sub(1);
        (slot < SLOTS).then_some(slot)
    })
}
