//! Anti-entropy: two owners compare sums over what they share, go into the ranges where these differ, and give each other
//! what is newer. Source: Dynamo, section 4.7; Demers et al., "Epidemic Algorithms for Replicated Database Maintenance",
//! PODC 1987.

use super::cell::{Cell, Rank, Version};
use super::merkle::LEAF;
use super::message::Body;
use super::node::{Fact, Node, Timer};
use super::shelf::Shelf;
use crate::protocol::{Io, NodeId};
use std::collections::BTreeMap;
use std::ops::Range;

/// A range that differs is cut into so many.
const PARTS: u32 = 8;

impl Shelf {
    /// It is time to compare with somebody.
    pub fn on_anti_entropy(&mut self, io: &mut Io<'_, Node>) {
        let Some(every) = self.config.pace.anti_entropy else { return };
        io.arm(Timer::AntiEntropy, every);
        let Some(peer) = self.next_peer() else { return };
        let all = 0..self.config.keyspace.len();
        let sum = self.sum_shared(peer, all.clone());
        self.promise(peer, Body::Compare(vec![(all, sum)]), io);
    }

    /// What is in a range of that which is shared with somebody.
    fn shared_in(&self, peer: NodeId, range: Range<u32>) -> impl Iterator<Item = Range<u32>> + '_ {
        let shared = self.shared().binary_search_by_key(&peer, |(peer, _)| *peer);
        let ranges = shared.map_or(&[][..], |place| &self.shared()[place].1);
        let first = ranges.partition_point(|own| own.end <= range.start);
        ranges[first..]
            .iter()
            .map(move |own| own.start.max(range.start)..own.end.min(range.end))
            .take_while(|own| !own.is_empty())
    }

    fn sum_shared(&self, peer: NodeId, range: Range<u32>) -> u64 {
        self.shared_in(peer, range).fold(0u64, |sum, own| sum.wrapping_add(self.sum(own)))
    }

    fn cells_shared(&self, peer: NodeId, range: Range<u32>) -> Vec<(Rank, Cell)> {
        self.shared_in(peer, range).flat_map(|own| self.cells(own)).collect()
    }

    /// Somebody tells its sums.
    pub fn on_compare(&mut self, peer: NodeId, sums: Vec<(Range<u32>, u64)>, io: &mut Io<'_, Node>) {
        let mut deeper = Vec::new();
        let sums = if (self.config.rules.replica.compares)() { sums } else { Vec::new() };
        for (range, sum) in sums {
            if self.sum_shared(peer, range.clone()) == sum {
                continue;
            }
            let len = range.end.saturating_sub(range.start);
            if len <= LEAF {
                let cells = self.cells_shared(peer, range.clone());
                self.promise(peer, Body::Contents { range, cells, asks: true }, io);
                continue;
            }
            let part = len.div_ceil(PARTS);
            let parts =
                (0..PARTS).map(|place| range.start + place * part..(range.start + (place + 1) * part).min(range.end));
            deeper
                .extend(parts.filter(|part| !part.is_empty()).map(|part| (part.clone(), self.sum_shared(peer, part))));
        }
        if !deeper.is_empty() {
            self.promise(peer, Body::Compare(deeper), io);
        }
    }

    /// Somebody tells what it has.
    pub fn on_contents(
        &mut self,
        peer: NodeId,
        range: Range<u32>,
        cells: Vec<(Rank, Cell)>,
        asks: bool,
        io: &mut Io<'_, Node>,
    ) {
        // Who has missed that a deletion can be forgotten would bring it to all others again.
        let gone: Vec<(Rank, Version)> = cells
            .iter()
            .filter(|(rank, cell)| self.has_forgotten(*rank, cell))
            .map(|(rank, cell)| (*rank, cell.version))
            .collect();
        for (rank, cell) in &cells {
            if self.has_forgotten(*rank, cell) {
                continue;
            }
            let is_news = cell.is_newer_than(self.store().get(*rank).as_ref());
            if is_news && self.topology().holds(*rank, self.me, self.identity()) {
                io.note(Fact::Mended { rank: *rank });
                self.keep(*rank, *cell, io);
            }
        }
        if !gone.is_empty() {
            self.promise(peer, Body::Gone(gone), io);
        }
        if asks {
            let theirs: BTreeMap<Rank, Cell> = cells.into_iter().collect();
            let mut newer = self.cells_shared(peer, range.clone());
            newer.retain(|(rank, cell)| cell.is_newer_than(theirs.get(rank)));
            if !newer.is_empty() {
                self.promise(peer, Body::Contents { range, cells: newer, asks: false }, io);
            }
        }
    }
}
