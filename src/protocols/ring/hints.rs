//! Hints: what others have missed while they were away. They are left, passed on when members change, and delivered. Source:
//! Dynamo, section 4.6.
//!
//! A hint only makes replicas equal sooner: no promise rests on it, for it counts as no copy. So it may be dropped, and it
//! is when an epoch begins that forgets deletions, for it could bring back what was deleted.

use super::cell::{Cell, Rank, Version};
use super::message::{Body, Record, Ticket};
use super::node::{Fact, Node, Timer};
use super::shelf::Shelf;
use super::store::HintKey;
use super::topology::Topology;
use crate::protocol::{Io, NodeId};
use std::collections::BTreeMap;

/// The hints that are on their way.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    last: Ticket,
    /// Of which key and which version each is.
    sent: BTreeMap<Ticket, (HintKey, Version)>,
}

/// So many are sent at a time.
const AT_ONCE: usize = 16;

/// Marks the tickets of hints: those of requests begin below 2^56, and count on from there.
const MARK: Ticket = 1 << 60;

impl Hints {
    /// The server has started.
    pub fn boot(shelf: &Shelf, io: &mut Io<'_, Node>) -> Hints {
        io.arm(Timer::Hints, shelf.config.pace.hints);
        Hints { last: MARK | io.dice().next() >> 16, sent: BTreeMap::new() }
    }

    /// It is time to send some.
    pub fn on_timer(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        self.sent.clear();
        let hints: Vec<HintKey> = shelf.store().hints.keys().copied().collect();
        // Some for everybody: one who stays away must not keep the others waiting.
        let mut counts: BTreeMap<NodeId, usize> = BTreeMap::new();
        for key in hints {
            let Some((target, rank, cell)) = shelf.store().hints.get(&key).copied() else { continue };
            let is_owner = shelf.topology().writers().any(|placed| placed.team(rank).has(target));
            if !is_owner {
                shelf.write(Record::HintGone(key), io);
                continue;
            }
            let count = counts.entry(target).or_default();
            *count += 1;
            if *count <= AT_ONCE {
                self.last += 1;
                self.sent.insert(self.last, (key, cell.version));
                shelf.ask(target, Body::Put(self.last, rank, cell), io);
            }
        }
        io.arm(Timer::Hints, shelf.config.pace.hints);
    }

    /// Somebody has what was sent, if it was a hint. Another may have taken its place meanwhile, which is still to be delivered.
    pub fn on_kept(&mut self, from: NodeId, ticket: Ticket, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        if let Some((key, version)) = self.sent.remove(&ticket)
            && (shelf.config.rules.request.hint_goes)()
            && shelf.store().hints.get(&key).is_some_and(|(_, _, cell)| cell.version == version)
        {
            shelf.write(Record::HintGone(key), io);
            io.note(Fact::HintDelivered { target: from });
        }
    }

    /// The epoch is another. If it clears, hints have gone with it: see [`Store::fold`](super::store::Store::fold).
    pub fn on_epoch(&mut self) {
        self.sent.clear();
    }
}

impl Shelf {
    /// Keeps for a server what it has missed, if there is room.
    pub fn leave_hint(&mut self, target: NodeId, rank: Rank, cell: Cell, io: &mut Io<'_, Node>) {
        let rules = self.config.rules.request;
        let key = (rules.hint_key)(target, rank);
        let kept = self.store().hints.get(&key);
        let is_full = kept.is_none() && self.store().hints.len() >= (rules.hints)(self.config.limits.hints);
        let is_old =
            kept.is_some_and(|(other, at, kept)| *other == target && *at == rank && kept.version >= cell.version);
        if is_full || is_old {
            return;
        }
        io.note(Fact::HintLeft { target });
        let record = Record::Hint { key, target, rank, cell };
        if (rules.hint_is_kept)() {
            self.write(record, io);
        } else {
            self.remember(&record);
        }
    }

    /// Members are to change. Who comes to own a key may fetch it from owners who have missed what hints are kept about, or
    /// fill a new disk with it, so it is left those hints, too. O(hints).
    ///
    /// To be called before the epoch is written: who has lost in a crash what it passed on has lost the epoch, too, unless its
    /// disk reorders. Source: Scylla issue 19835, "Hints can be lost during topology change".
    pub(super) fn pass_hints_on(&mut self, plan: &Topology, io: &mut Io<'_, Node>) {
        if !(self.config.rules.request.hint_follows)() {
            return;
        }
        let missed: Vec<(Rank, Cell)> = self.store().hints.values().map(|(_, rank, cell)| (*rank, *cell)).collect();
        let (before, after) = (plan.current(), plan.next());
        for (rank, cell) in missed {
            let has_owned = |node: &NodeId| before.team(rank).has(*node) && plan.is_same_in(before, *node);
            let new: Vec<NodeId> = after.team(rank).iter().filter(|node| !has_owned(node)).collect();
            new.into_iter().for_each(|owner| self.leave_hint(owner, rank, cell, io));
        }
    }
}
