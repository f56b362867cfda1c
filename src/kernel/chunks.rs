//! A list that grows without ever moving what it holds.
//!
//! A `Vec` that grows copies itself, and touches fresh memory twice for every byte it ends up with: in a long
//! run with many lists a page that is touched first is what costs most. Here a full chunk stays where it
//! is. The first one grows like a `Vec`, so that a short list is a small one.

use std::ops::Index;

/// How many items a chunk holds; a power of two, so that a place is found by its bits.
const CHUNK: usize = 256;

/// A list in chunks. It is indexed from 0, like a slice.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunks<T> {
    /// All but the last are full, none is empty.
    chunks: Vec<Vec<T>>,
    len: usize,
}

impl<T> Chunks<T> {
    /// An empty list, which has no memory yet.
    pub const fn new() -> Chunks<T> {
        Chunks { chunks: Vec::new(), len: 0 }
    }

    /// How many items there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds an item at the end.
    #[inline]
    pub fn push(&mut self, item: T) {
        if self.len.is_multiple_of(CHUNK) {
            self.chunks.push(if self.len == 0 { Vec::new() } else { Vec::with_capacity(CHUNK) });
        }
        self.chunks[self.len / CHUNK].push(item);
        self.len += 1;
    }

    /// The item at a place, if there is one.
    #[inline]
    pub fn get(&self, place: usize) -> Option<&T> {
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)
    }

    /// The last item.
    #[inline]
    pub fn last(&self) -> Option<&T> {
        self.get(self.len.checked_sub(1)?)
    }

    /// Removes everything from place `len` on, if there is so much.
    pub fn truncate(&mut self, len: usize) {
        if len >= self.len {
            return;
        }
        self.chunks.truncate(len.div_ceil(CHUNK));
        if !len.is_multiple_of(CHUNK) {
            self.chunks[len / CHUNK].truncate(len % CHUNK);
        }
        self.len = len;
    }

    /// Gives back the memory of items before a place, as far as whole chunks are there. Answers how many items are gone: every place is
    /// lower by so many now.
    pub fn forget_before(&mut self, place: usize) -> usize {
        let chunks = place.min(self.len) / CHUNK;
        self.chunks.drain(..chunks);
        self.len -= chunks * CHUNK;
        chunks * CHUNK
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.truncate(0);
    }

    /// The items from a place on, in order; none if the list is not so long.
    #[inline]
    pub fn from(&self, place: usize) -> impl Iterator<Item = &T> {
        let (first, rest) = match self.chunks.get(place / CHUNK..) {
            Some([first, rest @ ..]) => (first.get(place % CHUNK..).unwrap_or_default(), rest),
            Some([]) | None => (&[][..], &[][..]),
        };
        first.iter().chain(rest.iter().flatten())
    }

    /// How many items at the front fulfil a condition that holds up to some place and not after it.
    pub fn partition_point(&self, mut holds: impl FnMut(&T) -> bool) -> usize {
        let chunk = self.chunks.partition_point(|chunk| holds(&chunk[0])).saturating_sub(1);
        self.chunks.get(chunk).map_or(0, |items| chunk * CHUNK + items.partition_point(holds))
    }
}

impl<T> Default for Chunks<T> {
    fn default() -> Chunks<T> {
        Chunks::new()
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    #[inline]
    fn index(&self, place: usize) -> &T {
        &self.chunks[place / CHUNK][place % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The standard list is the twin: what is pushed and removed, is so in both.
    #[test]
    fn it_agrees_with_the_standard_list() {
        let (mut chunks, mut twin) = (Chunks::new(), Vec::new());
        for (grow, keep) in [(1, 9), (CHUNK, CHUNK - 1), (5, CHUNK), (3 * CHUNK, CHUNK + 7), (2 * CHUNK, CHUNK), (1, 0)]
        {
            for _ in 0..grow {
                chunks.push(twin.len());
                twin.push(twin.len());
            }
            for len in [twin.len(), keep] {
                chunks.truncate(len);
                twin.truncate(len);
                assert_eq!((chunks.len(), chunks.last()), (twin.len(), twin.last()));
                for place in [0, 1, CHUNK - 1, CHUNK, CHUNK + 6, len, len + CHUNK] {
                    assert_eq!(chunks.get(place), twin.get(place));
                    assert!(chunks.from(place).eq(twin.iter().skip(place)), "from {place} of {len}");
                    assert_eq!(chunks.partition_point(|item| *item < place), place.min(twin.len()));
                }
            }
        }
        assert!(chunks.is_empty());
    }

    #[test]
    fn whole_chunks_are_forgotten_and_the_rest_moves_up() {
        let mut chunks = Chunks::new();
        (0..3 * CHUNK + 5).for_each(|item| chunks.push(item));
        assert_eq!([chunks.forget_before(CHUNK - 1), chunks.forget_before(2 * CHUNK + 3)], [0, 2 * CHUNK]);
        assert_eq!((chunks.len(), chunks.get(0)), (CHUNK + 5, Some(&(2 * CHUNK))));
        chunks.push(3 * CHUNK + 5);
        assert!(chunks.from(0).copied().eq(2 * CHUNK..3 * CHUNK + 6));
        assert_eq!(chunks.forget_before(usize::MAX), CHUNK);
        chunks.clear();
        assert!(chunks.is_empty() && chunks.forget_before(9) == 0);
    }
}
