//! What differs between two rings: which arcs change hands, from whom to whom.

use super::measure::Measure;
use super::ring::Ring;

/// An arc that other members hold than before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Where it begins, exclusive.
    pub start: u128,
    /// Where it ends, inclusive, clockwise. If that is the start: the whole circle.
    pub end: u128,
    /// Who held it, the owner first. Empty if that ring had no points.
    pub from: Vec<u16>,
    /// Who holds it now.
    pub to: Vec<u16>,
    /// How long it is.
    pub length: Measure,
}

impl Change {
    /// Who holds it now and did not before: each of them is sent a copy.
    pub fn gains(&self) -> impl Iterator<Item = u16> + '_ {
        self.to.iter().copied().filter(|node| !self.from.contains(node))
    }

    /// Who held it and does not any more.
    pub fn loses(&self) -> impl Iterator<Item = u16> + '_ {
        self.from.iter().copied().filter(|node| !self.to.contains(node))
    }
}

/// All arcs whose preference lists differ between two rings, in the order of their ends.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Movement {
    /// The arcs. Neighbours that change from the same to the same are one, except across position 0.
    pub changes: Vec<Change>,
}

impl Movement {
    /// What differs, if there are `count` copies of everything. Cost: a walk for each arc of both rings.
    ///
    /// # Panics
    /// If the rings are in different spaces.
    pub fn between(old: &Ring, new: &Ring, count: usize) -> Movement {
        assert_eq!(old.space(), new.space(), "rings in the same space are compared");
        let mut ends = [old.points().positions(), new.points().positions()].concat();
        ends.sort();
        ends.dedup();
        let mut changes: Vec<Change> = Vec::new();
        let Some(mut start) = ends.last().copied() else { return Movement { changes } };
        let (mut from, mut to) = (Vec::new(), Vec::new());
        for end in ends {
            // No point of either ring is between, so all of it belongs to whom its end belongs to.
            holders(old, end, count, &mut from);
            holders(new, end, count, &mut to);
            let length = old.space().length(start, end);
            match changes.last_mut().filter(|last| last.end == start && last.from == from && last.to == to) {
                Some(last) => (last.end, last.length) = (end, last.length + length),
                None if from != to => {
                    changes.push(Change { start, end, from: from.clone(), to: to.clone(), length });
                }
                None => {}
            }
            start = end;
        }
        Movement { changes }
    }

    /// How much has to be sent, all copies together: a round is as much as there is of one copy.
    pub fn copied(&self) -> Measure {
        self.changes.iter().map(|change| change.length.times(change.gains().count() as u64)).sum()
    }

    /// How much of the circle has another owner, the first of its list, than before.
    pub fn moved(&self) -> Measure {
        let is_moved = |change: &&Change| change.from.first() != change.to.first();
        self.changes.iter().filter(is_moved).map(|change| change.length).sum()
    }
}

/// Who holds a position, as its arc says.
fn holders(ring: &Ring, position: u128, count: usize, list: &mut Vec<u16>) {
    list.clear();
    if let Some(arc) = ring.arc_of(position) {
        ring.preference_of(&arc, count, list);
    }
}
