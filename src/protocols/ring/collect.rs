//! Forgetting deletions.
//!
//! The mark of a deletion, its tombstone, must be kept until nothing older can come back: no owner has it, and no message
//! on its way brings it. The first owner of a key asks the others whether they have the very tombstone; when all do, it
//! tells them so. It is forgotten when the next epoch begins, if that is one that clears: messages of the one before are
//! refused from then on, hints are dropped, and writes that are under way are given up. Later writes get a higher version
//! all the same: owners remember the highest counter that they have forgotten. Where another epoch comes in between, all is asked anew.
//!
//! Who has missed that is told later, when it offers the deletion to somebody who has forgotten it.
//!
//! What happens without: a value that was deleted rises again when somebody who was away brings it back (CASSANDRA-6503).

use super::cell::{Rank, Version};
use super::epoch::Phase;
use super::message::{Body, Ticket};
use super::node::{Node, Timer};
use super::shelf::{Adopted, Shelf};
use crate::protocol::{Io, NodeId};
use std::collections::BTreeMap;

/// How many deletions a server asks about at a time.
const AT_ONCE: usize = 256;

/// Which deletions all owners know of, in this epoch.
#[derive(Clone, Debug, Default)]
pub struct Collector {
    last: Ticket,
    /// By key of which this server is the first owner, who has confirmed which deletion.
    confirmed: BTreeMap<Rank, (Version, Vec<NodeId>)>,
    /// What can be forgotten when an epoch begins that clears.
    known: BTreeMap<Rank, Version>,
    /// The last key that was asked about.
    asked: Rank,
}

impl Collector {
    /// How many can be forgotten.
    pub fn known(&self) -> u32 {
        self.known.len() as u32
    }

    /// It is time to ask.
    pub fn on_timer(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        let Some(every) = shelf.config.pace.collect else { return };
        io.arm(Timer::Collect, every);
        if shelf.topology().epoch().phase != Phase::Settled {
            return;
        }
        let mut questions: BTreeMap<NodeId, Vec<(Rank, Version)>> = BTreeMap::new();
        for (rank, version) in self.open(shelf) {
            self.asked = rank;
            self.confirmed.insert(rank, (version, Vec::new()));
            for node in shelf.topology().current().team(rank).iter() {
                questions.entry(node).or_default().push((rank, version));
            }
        }
        self.last += 1;
        for (node, keys) in questions {
            shelf.ask(node, Body::Confirm(self.last, keys), io);
        }
        if (shelf.config.rules.replica.may_forget)(false) {
            let old: Vec<Rank> = shelf.tombstones().iter().copied().collect();
            old.into_iter().for_each(|rank| shelf.forget(rank, io));
        }
    }

    /// The next deletions of keys of which this server is the first owner, and of which not all are known to know.
    fn open(&self, shelf: &Shelf) -> Vec<(Rank, Version)> {
        let (all, after) = (shelf.tombstones(), Rank(self.asked.0 + 1));
        let is_open = |rank: &&Rank| {
            let first = shelf.topology().current().team(**rank).iter().next();
            first == Some(shelf.me) && !self.known.contains_key(rank)
        };
        let in_turn = all.range(after..).chain(all.range(..after)).filter(is_open);
        let version = |rank: &Rank| shelf.store().get(*rank).map(|cell| (*rank, cell.version));
        in_turn.filter_map(version).take(AT_ONCE).collect()
    }

    /// An owner is asked.
    pub fn on_confirm(
        from: NodeId,
        ticket: Ticket,
        mut keys: Vec<(Rank, Version)>,
        shelf: &Shelf,
        io: &mut Io<'_, Node>,
    ) {
        let confirms = shelf.config.rules.replica.confirms;
        keys.retain(|(rank, version)| {
            confirms(*version, shelf.store().get(*rank).as_ref())
                && shelf.topology().holds(*rank, shelf.me, shelf.identity())
        });
        shelf.promise(from, Body::Confirmed(ticket, keys), io);
    }

    /// An owner answers.
    pub fn on_confirmed(&mut self, from: NodeId, keys: Vec<(Rank, Version)>, shelf: &Shelf, io: &mut Io<'_, Node>) {
        let mut complete: BTreeMap<NodeId, Vec<(Rank, Version)>> = BTreeMap::new();
        for (rank, version) in keys {
            let Some((asked, nodes)) = self.confirmed.get_mut(&rank) else { continue };
            if *asked != version || nodes.contains(&from) {
                continue;
            }
            nodes.push(from);
            let team = shelf.topology().current().team(rank);
            if team.iter().all(|node| nodes.contains(&node)) {
                self.confirmed.remove(&rank);
                team.iter().for_each(|node| complete.entry(node).or_default().push((rank, version)));
            }
        }
        for (node, keys) in complete {
            shelf.ask(node, Body::Known(keys), io);
        }
    }

    /// All owners know of these.
    pub fn on_known(&mut self, keys: Vec<(Rank, Version)>) {
        self.known.extend(keys);
    }

    /// The epoch is another. `was_next` says whether it follows the one in which all was asked.
    pub fn on_epoch(&mut self, adopted: Adopted, was_next: bool, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        self.confirmed.clear();
        let known = std::mem::take(&mut self.known);
        if !adopted.clears || !was_next {
            return;
        }
        for (rank, version) in known {
            let is_same = shelf.store().get(rank).is_some_and(|cell| cell.version == version && cell.is_tombstone());
            if is_same && (shelf.config.rules.replica.may_forget)(true) {
                shelf.forget(rank, io);
            }
        }
    }
}

impl Shelf {
    /// Somebody has forgotten these: all owners had had them before, so they can go here, too.
    pub fn on_gone(&mut self, keys: Vec<(Rank, Version)>, io: &mut Io<'_, Node>) {
        for (rank, version) in keys {
            if self.store().get(rank).is_some_and(|cell| cell.version == version && cell.is_tombstone()) {
                self.forget(rank, io);
            }
        }
    }
}
