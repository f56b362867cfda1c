//! Fetching what a server comes to own.
//!
//! It asks those who own it now, and merges what a read quorum of them has, so that it misses no write that was
//! acknowledged before; every later one is put to it directly. A source answers in the epoch of the plan only, and from then on takes no
//! write of an earlier epoch: so none can be completed behind the back of whoever has fetched from a quorum. What has come
//! is kept with a mark of how far, so that a restart goes on where it was.

use super::cell::{Cell, Rank};
use super::epoch::{Epoch, Phase};
use super::message::{Body, Record};
use super::node::{Fact, Node, Timer};
use super::shelf::Shelf;
use super::topology::Team;
use crate::kernel::time::Span;
use crate::protocol::{Io, NodeId};
use std::ops::Range;

/// What is still to be fetched in this epoch.
#[derive(Clone, Debug, Default)]
pub struct Fetcher {
    /// The ranges that it comes to own, with those who own them now.
    gains: Vec<(Range<u32>, Team)>,
    /// The ranges that it was to own by the plan before, if that was given up for this one.
    given_up: Vec<Range<u32>>,
    /// Who of those is a source.
    sources: Vec<NodeId>,
    /// Whom to ask next.
    turn: usize,
    /// The plan for which it has everything.
    done: u64,
}

impl Fetcher {
    /// The epoch is another, or the server has started.
    pub fn begin(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        let topology = shelf.topology();
        let plan = topology.epoch().plan;
        let before = std::mem::take(&mut self.gains);
        if topology.epoch().phase == Phase::Copying {
            self.gains = topology.gains(shelf.me, shelf.identity());
            self.given_up = before.into_iter().map(|(range, _)| range).collect();
        }
        let rules = shelf.config.rules.change;
        if !(rules.is_for_this_plan)(shelf.store().fetched.plan, plan) && !self.gains.is_empty() {
            shelf.write(Record::Fetched { plan, source: shelf.me, upto: 0 }, io);
            let keys = self.gains.iter().map(|(range, _)| u64::from(range.end - range.start)).sum();
            io.note(Fact::FetchBegun { plan, keys });
        }
        let owns_already = !shelf.store().cells.is_empty() && !(rules.fetches_again)();
        if owns_already {
            self.gains.clear();
        }
        let mut sources: Vec<NodeId> = self.gains.iter().flat_map(|(_, team)| team.iter()).collect();
        sources.sort_unstable();
        sources.dedup();
        self.sources = sources;
        self.go_on(shelf, io);
    }

    /// The plan for which the server has everything that it comes to own.
    pub fn done(&self) -> u64 {
        self.done
    }

    /// It is time for the next batches.
    pub fn on_timer(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        self.go_on(shelf, io);
    }

    fn go_on(&mut self, shelf: &mut Shelf, io: &mut Io<'_, Node>) {
        if self.is_complete(shelf) {
            let plan = shelf.topology().epoch().plan;
            if self.done != plan {
                self.done = plan;
                // What was fetched for a plan that was given up goes when the ring has settled, if it is not needed then.
                let given_up = std::mem::take(&mut self.given_up);
                if (shelf.config.rules.change.cleans_up_late)() {
                    shelf.give_up(given_up, io);
                }
                // Whoever decides hears of it at once.
                io.arm(Timer::Beat, Span::ZERO);
            }
            return;
        }
        let open: Vec<NodeId> = self
            .sources
            .iter()
            .copied()
            .filter(|source| self.upto(*source, shelf) < shelf.config.keyspace.len())
            .collect();
        let count = open.len().min(shelf.config.limits.transfers);
        for step in 0..count {
            let source = open[(self.turn + step) % open.len()];
            shelf.ask(source, Body::Fetch { from: self.upto(source, shelf) }, io);
        }
        // Of those who do not answer, others are asked in turn.
        self.turn = if open.is_empty() { 0 } else { (self.turn + 1) % open.len() };
        io.arm(Timer::Fetch, shelf.config.pace.throttle);
    }

    fn upto(&self, source: NodeId, shelf: &Shelf) -> u32 {
        shelf.store().fetched.upto.get(&source).copied().unwrap_or(0)
    }

    /// Whether everything has come from as many of its owners as answer to a read.
    fn is_complete(&self, shelf: &Shelf) -> bool {
        let needed = (shelf.config.rules.change.sources)(shelf.config.read_quorum);
        self.gains.iter().all(|(range, team)| {
            let has = |node: &NodeId| self.upto(*node, shelf) >= range.end;
            team.iter().filter(has).count() >= needed
        })
    }

    /// A source has sent something.
    pub fn on_batch(
        &mut self,
        source: NodeId,
        from: u32,
        cells: Vec<(Rank, Cell)>,
        (upto, floor): (u32, u32),
        shelf: &mut Shelf,
        io: &mut Io<'_, Node>,
    ) {
        if !self.sources.contains(&source) || self.upto(source, shelf) != from || upto <= from {
            return;
        }
        for (rank, cell) in cells {
            if shelf.topology().holds(rank, shelf.me, shelf.identity()) {
                shelf.keep(rank, cell, io);
            }
        }
        if floor > shelf.store().floor {
            shelf.write(Record::Floor(floor), io);
        }
        let plan = shelf.topology().epoch().plan;
        shelf.write(Record::Fetched { plan, source, upto }, io);
        if self.is_complete(shelf) {
            self.go_on(shelf, io);
        }
    }
}

/// How many cells are looked at for one batch, in batches.
const LOOKS: usize = 16;

impl Shelf {
    /// Somebody fetches what it comes to own.
    pub fn on_fetch(&mut self, to: NodeId, from: u32, io: &mut Io<'_, Node>) {
        let topology = self.topology();
        let Some(member) = Epoch::find(topology.next().members(), to) else { return };
        if topology.epoch().phase != Phase::Copying || !topology.current().is_of(self.me, self.identity()) {
            return;
        }
        let had = topology.current().is_of(to, member.identity);
        let is_wanted = |rank: Rank| {
            let now = topology.current().team(rank);
            now.has(self.me) && topology.next().team(rank).has(to) && !(had && now.has(to))
        };
        let (keys, most) = (self.config.keyspace.len(), self.config.limits.batch);
        let (mut cells, mut upto) = (Vec::new(), keys);
        for (looked, (rank, cell)) in self.cells(from..keys).enumerate() {
            if cells.len() == most || looked == most * LOOKS {
                upto = rank.0;
                break;
            }
            if is_wanted(rank) {
                cells.push((rank, cell));
            }
        }
        let sent: Vec<Range<u32>> = cells.iter().map(|(rank, _)| rank.0..rank.0 + 1).collect();
        self.promise(to, Body::Batch { from, cells, upto, floor: self.store().floor }, io);
        if (self.config.rules.change.gives_up_when_sent)() {
            self.give_up(sent, io);
        }
    }
}
