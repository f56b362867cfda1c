//! Sets of ranks, as ranges.

use std::ops::Range;

/// Ranges in order, which neither touch nor overlap; none is empty.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ranges(Vec<Range<u32>>);

impl Ranges {
    /// Nothing.
    pub const NONE: Ranges = Ranges(Vec::new());

    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = &Range<u32>> {
        self.0.iter()
    }

    /// How many ranks there are.
    pub fn len(&self) -> u64 {
        self.0.iter().map(|range| u64::from(range.end - range.start)).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts these in.
    pub fn add(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        let from = self.0.partition_point(|other| other.end < range.start);
        let upto = self.0.partition_point(|other| other.start <= range.end);
        let touched = &self.0[from..upto];
        let start = touched.first().map_or(range.start, |first| first.start.min(range.start));
        let end = touched.last().map_or(range.end, |last| last.end.max(range.end));
        self.0.splice(from..upto, std::iter::once(start..end));
    }

    /// Whether all of these are in it.
    pub fn has(&self, range: &Range<u32>) -> bool {
        range.is_empty() || self.gap(range.clone()).is_none()
    }

    /// The first ranks of these, in a row, that are not in it.
    pub fn gap(&self, range: Range<u32>) -> Option<Range<u32>> {
        let place = self.0.partition_point(|other| other.end <= range.start);
        let (mut start, mut rest) = (range.start, self.0[place..].iter());
        let mut next = rest.next();
        if let Some(first) = next.filter(|first| first.start <= start) {
            start = first.end;
            next = rest.next();
        }
        let end = next.map_or(range.end, |next| next.start.min(range.end));
        (start < end).then_some(start..end)
    }

    /// Those that are in the other one, too.
    #[must_use]
    pub fn within(&self, other: &Ranges) -> Ranges {
        let mut both = Ranges::NONE;
        for range in &self.0 {
            let from = other.0.partition_point(|other| other.end <= range.start);
            let upto = other.0.partition_point(|other| other.start < range.end);
            other.0[from..upto]
                .iter()
                .for_each(|other| both.add(other.start.max(range.start)..other.end.min(range.end)));
        }
        both
    }
}

impl FromIterator<Range<u32>> for Ranges {
    fn from_iter<I: IntoIterator<Item = Range<u32>>>(ranges: I) -> Ranges {
        let mut all = Ranges::NONE;
        ranges.into_iter().for_each(|range| all.add(range));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(ranges: &Ranges) -> u32 {
        ranges.iter().flat_map(Clone::clone).fold(0, |bits, rank| bits | 1 << rank)
    }

    /// Some sets of ranks below 12, and ranges to ask about.
    fn some() -> Vec<Ranges> {
        let word = |seed: u32| seed.wrapping_mul(0x9e37_79b9) >> 20;
        let ranges = |word: u32| (0..12).filter(|rank| word >> rank & 1 == 1).map(|rank| rank..rank + 1).collect();
        (0..200).map(word).map(ranges).collect()
    }

    #[test]
    fn a_set_of_ranges_is_what_a_set_of_ranks_is() {
        for set in some() {
            assert!(set.iter().zip(set.iter().skip(1)).all(|(one, other)| one.end < other.start), "{set:?}");
            assert_eq!((set.len(), set.is_empty()), (u64::from(bits(&set).count_ones()), bits(&set) == 0));
            for (start, end) in (0..12).flat_map(|start| (start..13).map(move |end| (start, end))) {
                let asked = (start..end).fold(0, |bits, rank| bits | 1 << rank);
                let mut more = set.clone();
                more.add(start..end);
                assert_eq!(bits(&more), bits(&set) | asked, "{set:?} and {start}..{end}");
                assert_eq!(set.has(&(start..end)), bits(&set) & asked == asked, "{set:?} has {start}..{end}");
                let first = (start..end).find(|rank| bits(&set) >> rank & 1 == 0);
                let row =
                    first.map(|first| first..(first..end).find(|rank| bits(&set) >> rank & 1 == 1).unwrap_or(end));
                assert_eq!(set.gap(start..end), row, "{set:?} in {start}..{end}");
            }
        }
        for (one, other) in some().iter().zip(some().iter().skip(7)) {
            assert_eq!(bits(&one.within(other)), bits(one) & bits(other), "{one:?} within {other:?}");
        }
    }
}
