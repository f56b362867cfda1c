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
        assert!(positions.is_sorted(), "points are in order");
        Points::sorted(space, positions, nodes)
    }

    /// Points that are known to be in order, since they were merged from such.
    fn sorted(space: Space, positions: Vec<u128>, nodes: Vec<u16>) -> Points {
        assert_eq!(positions.len(), nodes.len(), "each point has a node");
        let count = u32::try_from(positions.len()).expect("fewer than 2^32 points");
        assert!(positions.last().is_none_or(|last| *last <= space.last()), "points are in their space");
        let entries_log = (positions.len() / POINTS_PER_ENTRY).max(2).ilog2().min(u32::from(space.bits())) as u8;
        let shift = space.bits() - entries_log;
        let mut directory = Vec::with_capacity((1 << entries_log) + 1);
        for (place, position) in (0..count).zip(&positions) {
            let entry = (position >> shift) as usize;
            while directory.len() <= entry {
                directory.push(place);
            }
        }
        directory.resize((1 << entries_log) + 1, count);
        Points { positions, nodes, directory, shift }
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

    /// These points without those of a node.
    pub(super) fn without(&self, space: Space, node: u16) -> Points {
        let mut merged = Merged::with_capacity(self.len());
        let mut from = 0;
        for upto in (0..self.len()).filter(|place| self.nodes[*place] == node) {
            merged.copy(self, from, upto);
            from = upto + 1;
        }
        merged.copy(self, from, self.len());
        Points::sorted(space, merged.positions, merged.nodes)
    }

    /// These points and others of a node, in order. `range` says for each of them which of these points, that stand
    /// at the same position, come before it, and which come after it; what is between goes.
    pub(super) fn with(
        &self,
        space: Space,
        node: u16,
        others: &[u128],
        range: impl Fn(&Points, u128) -> (usize, usize),
    ) -> Points {
        let mut merged = Merged::with_capacity(self.len() + others.len());
        let mut from = 0;
        for other in others {
            let (upto, after) = range(self, *other);
            merged.copy(self, from, upto);
            merged.positions.push(*other);
            merged.nodes.push(node);
            from = after;
        }
        merged.copy(self, from, self.len());
        Points::sorted(space, merged.positions, merged.nodes)
    }
}

/// Points in the making.
struct Merged {
    positions: Vec<u128>,
    nodes: Vec<u16>,
}

impl Merged {
    fn with_capacity(count: usize) -> Merged {
        Merged { positions: Vec::with_capacity(count), nodes: Vec::with_capacity(count) }
    }

    fn copy(&mut self, points: &Points, from: usize, upto: usize) {
        self.positions.extend_from_slice(&points.positions[from..upto]);
        self.nodes.extend_from_slice(&points.nodes[from..upto]);
    }
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
