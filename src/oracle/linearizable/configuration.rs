//! One way in which everything up to now can be explained, and when another makes it superfluous.

use super::window::{Mask, Window, bit, bits};
use super::{Effect, Model};

/// One way in which everything up to now can be explained.
#[derive(Clone, Debug)]
pub(super) struct Configuration<M: Model> {
    pub(super) state: M::State,
    /// Pending operations that have taken effect.
    pub(super) linearized: Mask,
    /// Pending overwrites that have not, but could have, right before the latest overwrite,
    /// which hid them. Whoever could have been hidden earlier could be so then.
    pub(super) hidden: Mask,
    /// Pending reads that could have seen the hidden.
    pub(super) bystanders: Mask,
    /// By slot. For an update that has taken effect: the answer that it gave. For a read: the
    /// answers it could have given on the way here, the present state's not among them.
    pub(super) notes: Vec<(usize, M::Answer)>,
}

impl<M: Model> Configuration<M> {
    /// The operation takes effect now and leads to `state`.
    #[inline]
    pub(super) fn take_effect(&mut self, slot: usize, state: M::State, window: &Window<M>) {
        if state != self.state {
            for read in bits(window.reads) {
                let answer = M::apply(&mut self.state, &window.slots[read].operation);
                self.note(read, answer, window);
            }
            self.state = state;
        }
        self.linearized |= bit(slot);
        if M::effect(&window.slots[slot].operation) == Effect::Overwrite {
            self.hidden = window.overwrites;
            self.bystanders = window.reads;
        }
        self.hidden &= !self.linearized;
    }

    /// A hidden operation did take effect, where it can be.
    pub(super) fn was_hidden(&mut self, slot: usize, window: &Window<M>) {
        assert!(self.hidden & bit(slot) != 0, "slot {slot} could not have been hidden");
        self.hidden &= !bit(slot);
        self.linearized |= bit(slot);
        for read in bits(self.bystanders & window.reads) {
            let answer = window.seen(slot, read, &self.state);
            self.note(read, answer, window);
        }
    }

    /// Whether another out of `choice` would do the same as `slot` does here, and answer the same, but returns sooner:
    /// where this one could take effect later, that one need not.
    #[inline]
    pub(super) fn has_more_urgent(&self, slot: usize, choice: Mask, given: &M::Answer, window: &Window<M>) -> bool {
        // One that may count as hidden anyway is not spent in place of one that may not.
        let spared = if self.hidden & bit(slot) == 0 { self.hidden } else { 0 };
        bits(choice & !self.linearized & !spared)
            .any(|other| window.is_more_urgent(other, slot) && window.may_answer(other, given))
    }

    /// The operation is over.
    #[inline]
    pub(super) fn forget(&mut self, slot: usize) {
        self.linearized &= !bit(slot);
        self.hidden &= !bit(slot);
        self.bystanders &= !bit(slot);
        if !self.notes.is_empty() {
            self.notes.retain(|(noted, _)| *noted != slot);
        }
    }

    pub(super) fn note(&mut self, slot: usize, answer: M::Answer, window: &Window<M>) {
        if window.may_answer(slot, &answer) && !self.noted(slot, &answer) {
            self.notes.push((slot, answer));
        }
    }

    #[inline]
    pub(super) fn noted(&self, slot: usize, answer: &M::Answer) -> bool {
        self.notes.iter().any(|(noted, possible)| *noted == slot && possible == answer)
    }

    /// Whether everything that can follow upon `other` can follow upon this.
    ///
    /// What `other` has used up and this has not must be no burden: it never returns, or can
    /// be said to have been hidden.
    #[inline]
    pub(super) fn covers(&self, other: &Configuration<M>, window: &Window<M>) -> bool {
        let used = other.linearized & !self.linearized;
        // An operation of unknown outcome matters among the hidden only if somebody could have seen it.
        let unseen = if other.bystanders == 0 { window.unknown } else { 0 };
        self.linearized & !other.linearized == 0
            && used & !self.hidden & !window.unknown == 0
            && other.hidden & !self.hidden & !unseen == 0
            && (other.hidden == 0 || other.bystanders & !self.bystanders == 0)
            && self.state == other.state
            && other.notes.iter().all(|(slot, answer)| {
                let seen = |hidden| window.seen(hidden, *slot, &self.state) == *answer;
                self.noted(*slot, answer)
                    || self.bystanders & window.reads & bit(*slot) != 0 && bits(used & self.hidden).any(seen)
            })
    }
}

/// Adds a configuration unless another covers it, and drops those that it covers.
pub(super) fn admit<M: Model>(
    list: &mut Vec<Configuration<M>>,
    new: Configuration<M>,
    window: &Window<M>,
    credit: &mut u64,
) {
    if !is_covered(list, &new, window, credit) {
        list.retain(|old| !new.covers(old, window));
        list.push(new);
    }
}

pub(super) fn is_covered<M: Model>(
    list: &[Configuration<M>],
    new: &Configuration<M>,
    window: &Window<M>,
    credit: &mut u64,
) -> bool {
    *credit = credit.saturating_sub(list.len() as u64);
    list.iter().any(|old| old.covers(new, window))
}
