//! What a server has, and whose it is: its disk as it sees it, and the epoch it is in.

use super::cell::{Cell, Rank, Version};
use super::config::Config;
use super::epoch::{Epoch, FOUNDER, Identity, Member, Phase};
use super::merkle::{LEAF, Merkle};
use super::message::{Body, Message, Record};
use super::node::{Fact, Node};
use super::store::{Store, Wish};
use super::topology::Topology;
use crate::protocol::{Damage, Found, Io, NodeId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A server's keys.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// What all nodes are told.
    pub config: Arc<Config>,
    /// Whose it is.
    pub me: NodeId,
    store: Store,
    topology: Topology,
    merkle: Merkle,
    tombstones: BTreeSet<Rank>,
    /// The deletions that it has forgotten since it started, of keys of which it has heard nothing since.
    forgotten: BTreeMap<Rank, Version>,
    /// By those with whom keys are shared in this epoch.
    shared: Vec<(NodeId, Vec<Range<u32>>)>,
    /// With how many of them it has compared what they share.
    compared: usize,
    /// How many records it has written, or found on its disk when it started.
    written: u64,
}

/// What has come with new epochs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adopted {
    /// One of them clears.
    pub clears: bool,
}

impl Shelf {
    /// Takes what a disk holds.
    pub fn boot(config: &Arc<Config>, disk: &Found<'_, Record>, io: &mut Io<'_, Node>) -> Shelf {
        let me = io.me();
        let mut store = Store::new();
        let is_lost = matches!(disk.damage, Some(Damage::Rotten { .. } | Damage::Replaced));
        if !is_lost {
            disk.records.iter().for_each(|record| store.fold(record));
        }
        let is_new = disk.records.is_empty() && Epoch::find(&config.first.members, me).is_none();
        let drawn = 1 + io.dice().below(u64::MAX - 1);
        let identity = if is_lost || is_new {
            drawn
        } else if disk.records.is_empty() {
            FOUNDER
        } else {
            (config.rules.change.identity)(store.identity, drawn)
        };
        if store.identity != identity {
            io.write(Record::Identity(identity));
            // Nothing that it says must leave before.
            io.sync();
            store.fold(&Record::Identity(identity));
        }
        io.write(Record::Started);
        store.fold(&Record::Started);
        let written = disk.records.len() as u64;
        let mut merkle = Merkle::new(config.keyspace.len());
        store.cells.iter().for_each(|(rank, cell)| merkle.change(*rank, cell.hash_at(*rank)));
        let tombstones = store.cells.iter().filter(|(_, cell)| cell.is_tombstone()).map(|(rank, _)| *rank).collect();
        let topology = store.epochs.last().cloned().unwrap_or_else(|| Topology::first(config));
        let (config, forgotten) = (config.clone(), BTreeMap::new());
        let (shared, compared) = (topology.shared_with(me), 0);
        let mut shelf = Shelf { config, me, store, topology, merkle, tombstones, forgotten, shared, compared, written };
        shelf.compared = io.dice().below(1 << 16) as usize;
        // A crash may have come after an epoch was written, and before what follows from it: what is strange was not given up, and
        // whose place this server has taken it would keep out for ever.
        shelf.purge(io);
        shelf.settle(io);
        shelf
    }

    /// What its disk holds, when all that was written is durable.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whose keys are in its epoch.
    pub fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The epoch that it is in.
    #[inline]
    pub fn epoch(&self) -> u64 {
        self.topology.epoch().number
    }

    /// Which disk it has.
    pub fn identity(&self) -> Identity {
        self.store.identity
    }

    /// What its server wants to be: what it is in the beginning, if it was told nothing else. A new disk knows nothing of
    /// that; then it is what it is by the latest epoch that it knows.
    pub fn wish(&self) -> Wish {
        self.wish_if_told(self.store.wish)
    }

    /// What its server wants to be, if this is what it was told.
    pub fn wish_if_told(&self, told: Option<Wish>) -> Wish {
        let asks_epoch = self.identity() != FOUNDER && (self.config.rules.change.new_disk_asks_epoch)();
        let latest = if asks_epoch { self.topology.epoch() } else { &self.config.first };
        let as_member = |member: &Member| Wish::In { points: member.points, zone: member.zone, instead_of: None };
        told.unwrap_or_else(|| Epoch::find(&latest.next, self.me).map_or(Wish::Out, as_member))
    }

    /// The ring has settled: what this server is by now it wants to stay, and whose place it has taken is gone.
    pub fn settle(&mut self, io: &mut Io<'_, Node>) {
        let epoch = self.topology.epoch();
        if epoch.phase != Phase::Settled || !self.topology.current().is_of(self.me, self.identity()) {
            return;
        }
        let (known, wish) = (self.store.wish, self.wish());
        let is_done = |other: NodeId| Epoch::find(&epoch.members, other).is_none();
        match (known, wish) {
            (_, Wish::In { points, zone, instead_of: Some(other) }) if is_done(other) => {
                self.write(Record::Wish(Wish::In { points, zone, instead_of: None }), io);
            }
            (None, Wish::In { .. }) if self.identity() != FOUNDER => self.write(Record::Wish(wish), io),
            _ => {}
        }
    }

    /// Those of what it keeps that mark deletions.
    pub fn tombstones(&self) -> &BTreeSet<Rank> {
        &self.tombstones
    }

    /// Those with whom it shares keys in this epoch, and which.
    pub fn shared(&self) -> &[(NodeId, Vec<Range<u32>>)] {
        &self.shared
    }

    /// With whom to compare next: with each of them in turn.
    pub fn next_peer(&mut self) -> Option<NodeId> {
        self.compared += 1;
        let place = self.compared.checked_rem(self.shared.len())?;
        Some(self.shared[place].0)
    }

    /// Writes a record.
    pub fn write(&mut self, record: Record, io: &mut Io<'_, Node>) {
        self.store.fold(&record);
        self.written += 1;
        io.write(record);
    }

    /// How many records it has written, or found on its disk when it started.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Takes in a record without writing it.
    pub fn remember(&mut self, record: &Record) {
        self.store.fold(record);
    }

    /// Keeps a cell, if it is news.
    pub fn keep(&mut self, rank: Rank, cell: Cell, io: &mut Io<'_, Node>) {
        let kept = self.store.get(rank);
        if !(self.config.rules.replica.is_kept)(&cell, kept.as_ref()) {
            return;
        }
        self.forgotten.remove(&rank);
        let before = kept.map_or(0, |kept| kept.hash_at(rank));
        self.merkle.change(rank, cell.hash_at(rank).wrapping_sub(before));
        if cell.is_tombstone() {
            self.tombstones.insert(rank);
        } else {
            self.tombstones.remove(&rank);
        }
        self.write(Record::Cell(rank, cell), io);
    }

    /// Forgets a deletion.
    pub fn forget(&mut self, rank: Rank, io: &mut Io<'_, Node>) {
        if let Some(Cell { version, .. }) = self.store.get(rank) {
            self.lose(rank);
            self.forgotten.insert(rank, version);
            self.write(Record::Forget(rank, version), io);
            io.note(Fact::Forgot { rank });
        }
    }

    /// Whether this is a deletion that it has forgotten, and nothing has come since.
    pub fn has_forgotten(&self, rank: Rank, cell: &Cell) -> bool {
        cell.is_tombstone() && self.forgotten.get(&rank) == Some(&cell.version)
    }

    fn lose(&mut self, rank: Rank) {
        if let Some(cell) = self.store.get(rank) {
            self.merkle.change(rank, 0u64.wrapping_sub(cell.hash_at(rank)));
            self.tombstones.remove(&rank);
        }
    }

    /// What it keeps in a range.
    pub fn cells(&self, range: Range<u32>) -> impl Iterator<Item = (Rank, Cell)> + '_ {
        self.store.cells.range(Rank(range.start)..Rank(range.end)).map(|(rank, cell)| (*rank, *cell))
    }

    /// The sum over what it keeps in a range. O(log n).
    pub fn sum(&self, range: Range<u32>) -> u64 {
        let by_hand =
            |range: Range<u32>| self.cells(range).fold(0u64, |sum, (rank, cell)| sum.wrapping_add(cell.hash_at(rank)));
        let leaves = range.start.div_ceil(LEAF)..range.end / LEAF;
        if leaves.is_empty() {
            return by_hand(range);
        }
        by_hand(range.start..leaves.start * LEAF)
            .wrapping_add(self.merkle.sum(leaves.clone()))
            .wrapping_add(by_hand(leaves.end * LEAF..range.end))
    }

    /// Takes in epochs, of those that follow on its own.
    pub fn adopt(&mut self, news: &[Topology], io: &mut Io<'_, Node>) -> Option<Adopted> {
        let mut adopted = None;
        for topology in news {
            let epoch = topology.epoch();
            if !(self.config.rules.change.is_next)(epoch.number, self.epoch()) {
                continue;
            }
            let outlives = epoch.clears && !(self.config.rules.request.hint_is_cleared)();
            let hints = if outlives { self.store.hints.clone() } else { BTreeMap::new() };
            if epoch.plan == epoch.number {
                self.pass_hints_on(topology, io);
            }
            self.write(Record::Epoch(topology.clone()), io);
            for (key, (target, rank, cell)) in hints {
                self.write(Record::Hint { key, target, rank, cell }, io);
            }
            let ring_follows = self.config.rules.change.ring_follows;
            let after = if ring_follows() { topology.clone() } else { self.topology.renamed(epoch) };
            let before = std::mem::replace(&mut self.topology, after);
            self.follow_plan(&before, io);
            self.shared = self.topology.shared_with(self.me);
            self.purge(io);
            let clears = adopted.is_some_and(|adopted: Adopted| adopted.clears) || epoch.clears;
            adopted = Some(Adopted { clears });
        }
        adopted
    }

    /// Gives up what it owns no more.
    fn purge(&mut self, io: &mut Io<'_, Node>) {
        if self.topology.epoch().phase == Phase::Settled && (self.config.rules.change.purges)() {
            let strange = self.topology.strange_to(self.me, self.identity());
            self.give_up(strange, io);
        }
    }

    /// Gives up what it has in these ranges.
    pub fn give_up(&mut self, ranges: Vec<Range<u32>>, io: &mut Io<'_, Node>) {
        let full: Vec<Range<u32>> =
            ranges.into_iter().filter(|range| self.cells(range.clone()).next().is_some()).collect();
        if full.is_empty() {
            return;
        }
        let gone: Vec<Rank> = full.iter().flat_map(|range| self.cells(range.clone())).map(|(rank, _)| rank).collect();
        gone.into_iter().for_each(|rank| self.lose(rank));
        self.write(Record::Purge(full.into()), io);
    }

    /// Asks another server something about keys. It promises nothing.
    pub fn ask(&self, to: NodeId, body: Body, io: &mut Io<'_, Node>) {
        io.send(to, Message::Store { epoch: self.epoch(), body });
    }

    /// Tells another server something that a crash must not make untrue.
    pub fn promise(&self, to: NodeId, body: Body, io: &mut Io<'_, Node>) {
        if (self.config.rules.replica.waits_for_disk)() {
            io.sync();
        }
        self.ask(to, body, io);
    }
}
