//! Delivering hints: what others have missed while they were away. Source: Dynamo, section 4.6.
//!
//! A hint only makes replicas equal sooner: no promise rests on it, for it counts as no copy. So it may be dropped, and it
//! is when an epoch begins that forgets deletions, for it could bring back what was deleted.

use super::cell::Version;
use super::message::{Body, Record, Ticket};
use super::node::{Fact, Node, Timer};
use super::shelf::Shelf;
use super::store::HintKey;
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
