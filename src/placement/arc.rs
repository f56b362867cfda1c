//! The arcs into which the points cut the circle: what belongs together, and to whom.

use super::measure::{Measure, Space};
use super::ring::Ring;

/// An arc of the circle: from `start`, exclusive, clockwise to `end`, inclusive. It ends at a point. Where there is only
/// one, the arc is the whole circle, and start and end are the same.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arc {
    /// Not itself on the arc, unless the arc is the whole circle.
    pub start: u128,
    /// The last position on the arc.
    pub end: u128,
    /// The place of the first point at the end.
    pub(super) place: usize,
}

impl Arc {
    /// Whether a position is on it.
    pub fn contains(&self, position: u128) -> bool {
        contains(self.start, self.end, position)
    }

    /// How long it is.
    pub fn length(&self, space: Space) -> Measure {
        space.length(self.start, self.end)
    }
}

/// Whether a position lies from `start`, exclusive, clockwise to `end`, inclusive. From a position to itself is the whole
/// circle.
pub fn contains(start: u128, end: u128, position: u128) -> bool {
    if start < end { start < position && position <= end } else { start < position || position <= end }
}

impl Ring {
    /// All arcs, in the order of their ends. Together they are the circle, and no position is on two of them.
    ///
    /// They are the ranges that members hand to each other; [`Ring::preference_of`] says whose they are.
    pub fn arcs(&self) -> impl Iterator<Item = Arc> + '_ {
        let positions = self.points().positions();
        let mut start = positions.last().copied().unwrap_or(0);
        let is_first_at_end = |place: &usize| *place == 0 || positions[place - 1] != positions[*place];
        (0..positions.len()).filter(is_first_at_end).map(move |place| {
            let end = positions[place];
            Arc { start: std::mem::replace(&mut start, end), end, place }
        })
    }

    /// The arc on which a position is; `None` if there are no points.
    pub fn arc_of(&self, position: u128) -> Option<Arc> {
        let positions = self.points().positions();
        let last = *positions.last()?;
        let place = self.points().not_below(position) % positions.len();
        let start = if place == 0 { last } else { positions[place - 1] };
        Some(Arc { start, end: positions[place], place })
    }

    /// To whom an arc of this ring belongs, as [`Ring::preference`] says it for a position.
    pub fn preference_of(&self, arc: &Arc, count: usize, list: &mut Vec<u16>) {
        self.walk(arc.place, count, list);
    }

    /// How much of the circle each member owns as the first of its list, in the order of their ids.
    pub fn loads(&self) -> Vec<(u16, Measure)> {
        self.loads_of(1)
    }

    /// How much of the circle each member holds, if there are `count` copies of everything.
    pub fn loads_of(&self, count: usize) -> Vec<(u16, Measure)> {
        let mut loads: Vec<(u16, Measure)> = self.members().iter().map(|member| (member.id, Measure::ZERO)).collect();
        let mut list = Vec::new();
        for arc in self.arcs() {
            self.preference_of(&arc, count, &mut list);
            for node in &list {
                let place = loads.binary_search_by_key(node, |load| load.0).expect("a point of a member");
                loads[place].1 += arc.length(self.space());
            }
        }
        loads
    }
}
