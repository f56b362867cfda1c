//! What a server keeps on its disk, folded: the keys, how far it is with fetching, hints, and the epochs it knows.

use super::cell::{Cell, Rank};
use super::epoch::{FOUNDER, Identity};
use super::message::Record;
use super::ranges::Ranges;
use super::topology::Topology;
use crate::protocol::{NodeId, Order};
use std::collections::BTreeMap;
use std::ops::Range;

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
    pub fn after(self, order: Order, (points, zone): (u32, u16)) -> Option<Wish> {
        match (self, order) {
            (Wish::Out, Order::Join) => Some(Wish::In { points, zone, instead_of: None }),
            (Wish::Out, Order::Replace(other)) => Some(Wish::In { points, zone, instead_of: Some(other) }),
            (Wish::In { points, zone, .. }, Order::Replace(other)) => {
                Some(Wish::In { points, zone, instead_of: Some(other) })
            }
            (Wish::In { .. }, Order::Join) => Some(self),
            (_, Order::Leave) => Some(Wish::Out),
            // Without points it would be a member who owns nothing.
            (Wish::In { zone, instead_of, .. }, Order::Reweigh(points)) if points > 0 => {
                Some(Wish::In { points, zone, instead_of })
            }
            (Wish::In { points, instead_of, .. }, Order::Rezone(zone)) => Some(Wish::In { points, zone, instead_of }),
            (Wish::In { .. } | Wish::Out, _) => None,
        }
    }
}

/// How far somebody is who fetches keys for a plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Fetched {
    /// The epoch in which the plan was made.
    pub plan: u64,
    /// By source, of which ranges everything has come from it.
    pub from: BTreeMap<NodeId, Ranges>,
}

/// What a hint is filed under: for whom it is, and what about.
pub type HintKey = (NodeId, Rank);

/// What a disk holds.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Which disk this is.
    pub identity: Identity,
    /// How often its server was started with it.
    pub starts: u32,
    /// What its server wants to be; nothing, if nobody has ever told it.
    pub wish: Option<Wish>,
    /// All epochs it knows, without gaps, from the second on.
    pub epochs: Vec<Topology>,
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
        self.epochs.last().map_or(1, |last| last.epoch().number)
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
            Record::Started => self.starts += 1,
            Record::Wish(wish) => self.wish = Some(*wish),
            // What must go with an epoch goes when its record is folded: a crash may come before whatever is written next.
            Record::Epoch(topology) => {
                if topology.epoch().clears {
                    self.hints.clear();
                }
                self.epochs.push(topology.clone());
            }
            Record::Cell(rank, cell) => {
                self.cells.insert(*rank, *cell);
            }
            Record::Forget(rank, version) => {
                self.floor = self.floor.max(version.counter);
                self.cells.remove(rank);
            }
            Record::Floor(floor) => self.floor = self.floor.max(*floor),
            Record::Purge(ranges) => ranges.iter().for_each(|range| self.purge(range)),
            Record::Planned { plan, keeps } => {
                self.fetched.plan = *plan;
                self.fetched.from.values_mut().for_each(|ranges| *ranges = ranges.within(keeps));
            }
            Record::Fetched { source, range } => {
                self.fetched.from.entry(*source).or_default().add(range.clone());
            }
            Record::Hint { key, target, rank, cell } => {
                self.hints.insert(*key, (*target, *rank, *cell));
            }
            Record::HintGone(key) => {
                self.hints.remove(key);
            }
            Record::Checkpoint(checkpoint) => self.clone_from(&checkpoint.store),
        }
    }

    /// What would be different if another disk were here, if anything would.
    pub fn difference(&self, other: &Store) -> Option<&'static str> {
        let Store { identity, starts, wish, epochs, floor, cells, fetched, hints } = self;
        let parts = [
            (*identity == other.identity, "which disk it is"),
            (*starts == other.starts, "how often its server was started"),
            (*wish == other.wish, "what its server wants to be"),
            (epochs.iter().map(Topology::epoch).eq(other.epochs.iter().map(Topology::epoch)), "the epochs"),
            (*floor == other.floor, "the highest counter of a deletion that was forgotten"),
            (*cells == other.cells, "the keys"),
            (*fetched == other.fetched, "what was fetched"),
            (*hints == other.hints, "the hints"),
        ];
        parts.into_iter().find(|(is_same, _)| !is_same).map(|(_, part)| part)
    }

    fn purge(&mut self, range: &Range<u32>) {
        let gone: Vec<Rank> = self.cells.range(Rank(range.start)..Rank(range.end)).map(|(rank, _)| *rank).collect();
        gone.iter().for_each(|rank| {
            self.cells.remove(rank);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocols::ring::cell::{OperationId, Version};
    use crate::protocols::ring::checkpoint::Checkpoint;
    use std::sync::Arc;

    fn cell(counter: u32, value: Option<u64>) -> Cell {
        Cell { version: Version { counter, by: OperationId { client: NodeId::new(9), serial: counter } }, value }
    }

    fn folded(records: &[Record]) -> Store {
        let mut store = Store::new();
        records.iter().for_each(|record| store.fold(record));
        store
    }

    fn put(rank: u32, counter: u32) -> Record {
        Record::Cell(Rank(rank), cell(counter, Some(u64::from(counter))))
    }

    #[test]
    fn of_a_key_the_last_record_counts_and_a_deletion_that_is_forgotten_leaves_its_counter() {
        let tombstone = cell(7, None);
        let mut records = vec![put(1, 3), put(2, 4), put(1, 5), Record::Cell(Rank(2), tombstone)];
        let store = folded(&records);
        assert_eq!((store.get(Rank(1)), store.get(Rank(2)), store.floor), (Some(cell(5, Some(5))), Some(tombstone), 0));
        records.extend([Record::Forget(Rank(2), tombstone.version), Record::Floor(6)]);
        let store = folded(&records);
        assert_eq!((store.get(Rank(2)), store.floor), (None, 7), "a lower floor takes nothing back");
    }

    #[test]
    fn what_is_given_up_is_gone_and_nothing_beside_it() {
        let mut records: Vec<Record> = (0..10).map(|rank| put(rank, 1)).collect();
        records.push(Record::Purge([0..2, 5..6, 9..20].into()));
        let left: Vec<u32> = folded(&records).cells.keys().map(|rank| rank.0).collect();
        assert_eq!(left, [2, 3, 4, 6, 7, 8]);
    }

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "a list of ranges it is")]
    fn for_another_plan_counts_what_it_keeps_of_what_was_fetched() {
        let fetched = |source, range| Record::Fetched { source: NodeId::new(source), range };
        let planned =
            |plan, keeps: &[Range<u32>]| Record::Planned { plan, keeps: Arc::new(keeps.iter().cloned().collect()) };
        let mut records = vec![planned(2, &[]), fetched(0, 0..5), fetched(1, 0..3), fetched(0, 5..8)];
        let from = |store: &Store, source| {
            let ranges = store.fetched.from.get(&NodeId::new(source)).into_iter().flat_map(Ranges::iter);
            ranges.cloned().collect::<Vec<Range<u32>>>()
        };
        let store = folded(&records);
        assert_eq!((store.fetched.plan, from(&store, 0), from(&store, 1)), (2, vec![0..8], vec![0..3]));
        records.push(planned(3, &[1..2, 4..6, 9..11]));
        let store = folded(&records);
        assert_eq!((store.fetched.plan, from(&store, 0), from(&store, 1)), (3, vec![1..2, 4..6], vec![1..2]));
        records.push(planned(4, &[]));
        assert!(folded(&records).fetched.from.values().all(Ranges::is_empty));
    }

    #[test]
    fn hints_stay_until_they_are_gone_and_another_disk_has_nothing() {
        let (target, rank) = (NodeId::new(2), Rank(4));
        let key = (target, rank);
        let hint = |counter| Record::Hint { key, target, rank, cell: cell(counter, None) };
        let mut records = vec![Record::Wish(Wish::Out), hint(1), hint(2)];
        assert_eq!(folded(&records).hints.into_values().collect::<Vec<_>>(), [(target, rank, cell(2, None))]);
        records.push(Record::HintGone(key));
        let store = folded(&records);
        assert!(store.hints.is_empty() && store.wish == Some(Wish::Out) && store.identity == FOUNDER);
        records.extend([put(1, 1), Record::Identity(77)]);
        let store = folded(&records);
        assert_eq!((store.identity, store.wish, store.cells.len(), store.epoch()), (77, None, 0, 1));
    }

    #[test]
    fn a_checkpoint_stands_for_all_before_it_and_every_part_of_it_counts() {
        let (target, rank) = (NodeId::new(2), Rank(4));
        let hint = Record::Hint { key: (target, rank), target, rank, cell: cell(1, None) };
        let fetched = Record::Fetched { source: target, range: 0..5 };
        let before = [put(1, 3), Record::Started, Record::Wish(Wish::Out), Record::Floor(6), fetched, hint];
        let store = folded(&before);
        let checkpoint = |store: &Store| Record::Checkpoint(Box::new(Checkpoint { store: store.clone(), raft: None }));
        assert_eq!(folded(&[put(9, 9), checkpoint(&store)]).difference(&store), None);
        let parts = [
            Store { identity: 7, ..store.clone() },
            Store { starts: 2, ..store.clone() },
            Store { wish: None, ..store.clone() },
            Store { floor: 5, ..store.clone() },
            Store { cells: BTreeMap::new(), ..store.clone() },
            Store { fetched: Fetched::default(), ..store.clone() },
            Store { hints: BTreeMap::new(), ..store.clone() },
        ];
        let found: Vec<&str> = parts.iter().filter_map(|other| store.difference(other)).collect();
        assert_eq!(found.len(), parts.len());
        assert!(found.iter().all(|part| found.iter().filter(|other| *other == part).count() == 1), "{found:?}");
    }

    #[test]
    fn an_order_changes_what_it_is_about_and_keeps_the_rest() {
        let member = |points, zone| Wish::In { points, zone, instead_of: None };
        let after = |wish: Wish, order| wish.after(order, (16, 1));
        assert_eq!(after(Wish::Out, Order::Join), Some(member(16, 1)));
        assert_eq!(after(member(4, 2), Order::Join), Some(member(4, 2)));
        assert_eq!(after(member(4, 2), Order::Reweigh(9)), Some(member(9, 2)));
        assert_eq!(after(member(4, 2), Order::Rezone(0)), Some(member(4, 0)));
        assert_eq!(after(member(4, 2), Order::Leave), Some(Wish::Out));
        let other = NodeId::new(3);
        let instead = Wish::In { points: 16, zone: 1, instead_of: Some(other) };
        assert_eq!(after(Wish::Out, Order::Replace(other)), Some(instead));
        assert_eq!((after(Wish::Out, Order::Reweigh(9)), after(Wish::Out, Order::Rezone(0))), (None, None));
        assert_eq!(after(member(4, 2), Order::Reweigh(0)), None);
        assert_eq!((after(instead, Order::Rebalance), after(instead, Order::TransferLeadership)), (None, None));
    }
}
