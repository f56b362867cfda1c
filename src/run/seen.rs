//! A set of words that are hashes already: the abstract states that a run or a sweep has seen.

/// Words with something kept beside each. Open addressing with linear probing; nothing is ever removed, and
/// the order in which words are handed out is that of their values.
#[derive(Clone, Debug)]
pub struct Seen<V> {
    slots: Vec<Option<(u64, V)>>,
    count: usize,
}

impl<V: Copy> Seen<V> {
    /// Nothing yet.
    pub const fn new() -> Seen<V> {
        Seen { slots: Vec::new(), count: 0 }
    }

    /// How many different words there are.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// What is kept beside a word; `first`, if the word is new.
    #[inline]
    pub fn entry(&mut self, word: u64, first: V) -> (&mut V, bool) {
        if 4 * (self.count + 1) > 3 * self.slots.len() {
            self.grow();
        }
        let place = self.place(word);
        let is_new = self.slots[place].is_none();
        self.count += usize::from(is_new);
        let (_, value) = self.slots[place].get_or_insert((word, first));
        (value, is_new)
    }

    /// All words with what is kept beside them, in order of the words.
    pub fn sorted(&self) -> Vec<(u64, V)> {
        let mut all: Vec<(u64, V)> = self.slots.iter().flatten().copied().collect();
        all.sort_unstable_by_key(|(word, _)| *word);
        all
    }

    /// Where the word is, or where it would be.
    #[inline]
    fn place(&self, word: u64) -> usize {
        let mask = self.slots.len() - 1;
        // The words are hashes, but their lowest bits need not be the best.
        let mut place = (word ^ (word >> 32)) as usize & mask;
        while self.slots[place].is_some_and(|(other, _)| other != word) {
            place = (place + 1) & mask;
        }
        place
    }

    fn grow(&mut self) {
        let larger = vec![None; (2 * self.slots.len()).max(16)];
        for slot in std::mem::replace(&mut self.slots, larger).into_iter().flatten() {
            let place = self.place(slot.0);
            self.slots[place] = Some(slot);
        }
    }
}

impl<V: Copy> Default for Seen<V> {
    fn default() -> Seen<V> {
        Seen::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn it_agrees_with_an_ordered_map() {
        let (mut seen, mut twin) = (Seen::new(), BTreeMap::new());
        for turn in 0..10_000_u64 {
            let word = (turn * turn).wrapping_mul(0x9e37_79b9_7f4a_7c15) % 3_001;
            let (count, is_new) = seen.entry(word, 0_u32);
            *count += 1;
            assert_eq!(is_new, !twin.contains_key(&word));
            *twin.entry(word).or_insert(0) += 1;
        }
        assert_eq!(seen.len(), twin.len());
        assert_eq!(seen.sorted(), twin.into_iter().collect::<Vec<_>>());
    }
}
