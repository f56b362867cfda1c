//! What a server keeps on its disk, folded: the keys, how far it is with fetching, hints, and the epochs it knows.

use super::cell::{Cell, Rank};
use super::epoch::{Epoch, FOUNDER, Identity};
use super::message::Record;
use crate::protocol::{NodeId, Order};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// What a server wants to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// No member.
    Out,
    /// A member with so many points, in this zone.
    In {
        /// From 1.
        points: u32,
        /// What fails together.
        zone: u16,
        /// Whose place it takes, who is no member then.
        instead_of: Option<NodeId>,
    },
}

impl Wish {
    /// What a server wants after an order, if that is something about its place in the ring. `usual`: the points and the
    /// zone of somebody who is told nothing else.
    pub fn after(self, order: Order, usual: (u32, u16)) -> Option<Wish> {
        let (points, zone) = match self {
            Wish::In { points, zone, .. } => (points, zone),
            Wish::Out => usual,
        };
        match order {
            Order::Join => Some(Wish::In { points, zone, instead_of: None }),
            Order::Leave => Some(Wish::Out),
            Order::Replace(other) => Some(Wish::In { points, zone, instead_of: Some(other) }),
            Order::Reweigh(points) => Some(Wish::In { points, zone, instead_of: None }),
            Order::Rezone(zone) => Some(Wish::In { points, zone, instead_of: None }),
            Order::Rebalance | Order::TransferLeadership => None,
        }
    }
}

/// How far somebody is who fetches keys for a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fetched {
    /// The epoch in which the plan was made.
    pub plan: u64,
    /// By source, the first rank that has not come from it.
    pub upto: BTreeMap<NodeId, u32>,
}

/// What a hint is filed under: for whom it is, and what about.
pub type HintKey = (NodeId, Rank);

/// What a disk holds.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Which disk this is.
    pub identity: Identity,
    /// What its server wants to be; nothing, if nobody has ever told it.
    pub wish: Option<Wish>,
    /// All epochs it knows, without gaps, from the second on.
    pub epochs: Vec<Arc<Epoch>>,
    /// No deletion that was forgotten had a higher counter: a later write must.
    pub floor: u32,
    /// The values.
    pub cells: BTreeMap<Rank, Cell>,
    /// How far it is with fetching.
    pub fetched: Fetched,
    /// What others have missed.
    pub hints: BTreeMap<HintKey, (NodeId, Rank, Cell)>,
}

impl Store {
    /// The disk of somebody who is a member from the beginning.
    pub fn new() -> Store {
        Store { identity: FOUNDER, ..Store::default() }
    }

    /// The latest epoch that it knows.
    pub fn epoch(&self) -> u64 {
        self.epochs.last().map_or(1, |epoch| epoch.number)
    }

    /// What is kept of a key.
    #[inline]
    pub fn get(&self, rank: Rank) -> Option<Cell> {
        self.cells.get(&rank).copied()
    }

    /// Takes in a record.
    pub fn fold(&mut self, record: &Record) {
        match record {
            Record::Raft(_) => {}
            // What was there before is not this disk's.
            Record::Identity(identity) => *self = Store { identity: *identity, ..Store::default() },
            Record::Wish(wish) => self.wish = Some(*wish),
            Record::Epoch(epoch) => self.epochs.push(epoch.clone()),
            Record::Cell(rank, cell) => {
                self.cells.insert(*rank, *cell);
            }
            Record::Forget(rank, version) => {
                self.floor = self.floor.max(version.counter);
                self.cells.remove(rank);
            }
            Record::Floor(floor) => self.floor = self.floor.max(*floor),
            Record::Purge(ranges) => ranges.iter().for_each(|range| self.purge(range)),
            Record::Fetched { plan, source, upto } => {
                if self.fetched.plan != *plan {
                    self.fetched = Fetched { plan: *plan, upto: BTreeMap::new() };
                }
                self.fetched.upto.insert(*source, *upto);
            }
            Record::Hint { key, target, rank, cell } => {
                self.hints.insert(*key, (*target, *rank, *cell));
            }
            Record::HintGone(key) => {
                self.hints.remove(key);
            }
        }
    }

    fn purge(&mut self, range: &Range<u32>) {
        let gone: Vec<Rank> = self.cells.range(Rank(range.start)..Rank(range.end)).map(|(rank, _)| *rank).collect();
        gone.iter().for_each(|rank| {
            self.cells.remove(rank);
        });
    }
}
