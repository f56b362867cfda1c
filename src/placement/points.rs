//! The points of a ring, in order, and a directory to find the first that is not below a position.

use super::measure::Space;

/// How many points stand behind one entry of the directory, on average, at least.
const POINTS_PER_ENTRY: usize = 4;

/// Points in the order of their positions. A search takes about as long however many there are: the directory says
/// where the points begin whose highest bits are those of the position.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Points {
    positions: Vec<u128>,
    nodes: Vec<u16>,
    /// How many points are below the entry's number, followed by zeros; one entry more at the end, with all.
    directory: Vec<u32>,
    /// A position without its lowest `shift` bits is the number of its entry.
    shift: u8,
}

impl Points {
    /// Points that are in order.
    ///
    /// # Panics
    /// If they are not, or if there are 2^32 of them or more.
    pub(super) fn new(space: Space, positions: Vec<u128>, nodes: Vec<u16>) -> Points {
        assert_eq!(positions.len(), nodes.len(), "each point has a node");
        assert!(positions.is_sorted(), "points are in order");
        assert!(positions.last().is_none_or(|last| *last <= space.last()), "points are in their space");
        let mut points = Points { positions, nodes, directory: Vec::new(), shift: 0 };
        points.index(space);
        points
    }

    /// Makes the directory anew.
    fn index(&mut self, space: Space) {
        let count = u32::try_from(self.len()).expect("fewer than 2^32 points");
        let entries_log = (self.len() / POINTS_PER_ENTRY).max(2).ilog2().min(u32::from(space.bits()));
        self.shift = space.bits() - entries_log as u8;
        self.directory.clear();
        for (place, position) in (0..count).zip(&self.positions) {
            let entry = (position >> self.shift) as usize;
            while self.directory.len() <= entry {
                self.directory.push(place);
            }
        }
        self.directory.resize((1 << entries_log) + 1, count);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// Where the points stand, in order.
    pub fn positions(&self) -> &[u128] {
        &self.positions
    }

    /// Whose they are.
    pub fn nodes(&self) -> &[u16] {
        &self.nodes
    }

    /// The place of the first point at this position or above it; their number, if there is none.
    #[inline]
    pub fn not_below(&self, position: u128) -> usize {
        self.first(position, |point| point < position)
    }

    /// The place of the first point above this position; their number, if there is none.
    #[inline]
    pub fn above(&self, position: u128) -> usize {
        self.first(position, |point| point <= position)
    }

    #[inline]
    fn first(&self, position: u128, is_before: impl Fn(u128) -> bool) -> usize {
        let entry = (position >> self.shift) as usize;
        let (from, upto) = (self.directory[entry] as usize, self.directory[entry + 1] as usize);
        from + self.positions[from..upto].partition_point(|point| is_before(*point))
    }

    /// Removes the points at these places, which ascend.
    pub(super) fn remove(&mut self, space: Space, places: &[usize]) {
        close(&mut self.positions, places);
        close(&mut self.nodes, places);
        self.index(space);
    }

    /// Puts points of a node before those that are at these places, which ascend as the positions do.
    pub(super) fn insert(&mut self, space: Space, node: u16, points: &[(usize, u128)]) {
        open(&mut self.positions, points.len(), points.iter().rev().copied());
        open(&mut self.nodes, points.len(), points.iter().rev().map(|point| (point.0, node)));
        self.index(space);
    }
}

/// Removes what is at these places, which ascend.
fn close<T: Copy>(list: &mut Vec<T>, places: &[usize]) {
    let Some(mut upto) = places.first().copied() else { return };
    let ends = places.iter().skip(1).copied().chain([list.len()]);
    for (place, end) in places.iter().zip(ends) {
        list.copy_within(place + 1..end, upto);
        upto += end - (place + 1);
    }
    list.truncate(upto);
}

/// Puts `count` things before those at their places; `things` has them from the last to the first. Each of the others
/// moves at most once.
fn open<T: Copy + Default>(list: &mut Vec<T>, count: usize, things: impl Iterator<Item = (usize, T)>) {
    let mut from = list.len();
    list.resize(from + count, T::default());
    let mut upto = list.len();
    for (place, thing) in things {
        upto -= from - place;
        list.copy_within(place..from, upto);
        upto -= 1;
        list[upto] = thing;
        from = place;
    }
    assert_eq!(upto, from, "as many things as were counted");
}

#[cfg(test)]
mod tests {
    use super::{Points, Space};

    #[test]
    fn the_directory_finds_what_a_search_of_all_finds() {
        for (bits, count) in [(1, 1), (2, 3), (4, 40), (10, 5), (10, 3_000), (128, 0), (128, 1), (128, 500)] {
            let space = Space::new(bits).expect("a space");
            let spread = |number: u128| space.position(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            let mut positions: Vec<u128> = (1..=count).map(spread).collect();
            positions.sort_unstable();
            let points = Points::new(space, positions.clone(), vec![0; positions.len()]);
            let near = |position: &u128| [position.saturating_sub(1), *position, space.last().min(position + 1)];
            for asked in positions.iter().flat_map(near).chain([0, space.last()]) {
                assert_eq!(points.not_below(asked), positions.partition_point(|point| *point < asked), "{bits}");
                assert_eq!(points.above(asked), positions.partition_point(|point| *point <= asked), "{bits}");
            }
        }
    }
}
