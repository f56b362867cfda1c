//! The replicated log, in memory.

use crate::kernel::chunks::Chunks;
use crate::kernel::digest::{Digest, Digestible, mix};

/// A place in the log: how recent its entry is. Compared first by term, then by index: that is
/// what "at least as up-to-date" means (paper, section 5.4.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Position {
    /// The entry's term; 0 before the first entry.
    pub term: u64,
    /// The entry's index; the first entry has 1.
    pub index: u64,
}

/// What a log entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<C> {
    term: u64,
    hash: u64,
    command: Option<C>,
}

impl<C: Digestible> Entry<C> {
    /// An entry of this term; without a command it is the no-op at the start of a term.
    pub fn new(term: u64, command: Option<C>) -> Entry<C> {
        let mut digest = Digest::new();
        digest.word(term);
        if let Some(command) = &command {
            command.digest(&mut digest);
        }
        Entry { term, hash: digest.low(), command }
    }
}

impl<C> Entry<C> {
    /// The term in which a leader received it.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// The command for the state machine; `None` in a no-op.
    pub fn command(&self) -> Option<&C> {
        self.command.as_ref()
    }

    /// A word that stands for term and command.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

/// The entries, from index 1. Each carries a hash of itself and all before it: two logs agree up
/// to an index exactly if the chains there are equal, which makes Log Matching a comparison of
/// two words.
#[derive(Clone, Debug)]
pub struct Log<C> {
    slots: Chunks<Slot<C>>,
    /// Where the log ends, and the chain there: what is asked for most often, without a look into memory
    /// that may be cold.
    last: Position,
    chain: u64,
}

/// An entry, and beside it the chain up to it.
#[derive(Clone, Debug)]
struct Slot<C> {
    entry: Entry<C>,
    chain: u64,
}

/// The chain before the first entry.
pub const CHAIN_START: u64 = 0x5171_a110_0000_0001;

/// The chain after an entry with this hash.
pub const fn chain_on(chain: u64, hash: u64) -> u64 {
    mix(chain, hash)
}

impl<C: Clone> Log<C> {
    /// A log without entries.
    pub const fn new() -> Log<C> {
        Log { slots: Chunks::new(), last: Position { term: 0, index: 0 }, chain: CHAIN_START }
    }

    /// Index of the last entry; 0 if there is none.
    #[inline]
    pub fn last_index(&self) -> u64 {
        self.last.index
    }

    /// Where the log ends.
    #[inline]
    pub fn last(&self) -> Position {
        self.last
    }

    #[inline]
    fn slot(&self, index: u64) -> Option<&Slot<C>> {
        self.slots.get((index as usize).checked_sub(1)?)
    }

    /// The entry at an index, if the log has it.
    #[inline]
    pub fn entry(&self, index: u64) -> Option<&Entry<C>> {
        self.slot(index).map(|slot| &slot.entry)
    }

    /// The term at an index: 0 at index 0, where every log begins; `None` beyond the end.
    #[inline]
    pub fn term_at(&self, index: u64) -> Option<u64> {
        match index {
            _ if index == self.last.index => Some(self.last.term),
            0 => Some(0),
            _ => self.entry(index).map(Entry::term),
        }
    }

    /// A hash of all entries up to an index; `None` beyond the end.
    #[inline]
    pub fn chain_at(&self, index: u64) -> Option<u64> {
        match index {
            _ if index == self.last.index => Some(self.chain),
            0 => Some(CHAIN_START),
            _ => self.slot(index).map(|slot| slot.chain),
        }
    }

    /// A hash of all entries.
    #[inline]
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// Adds an entry at the end. Answers its index.
    pub fn append(&mut self, entry: Entry<C>) -> u64 {
        self.last = Position { term: entry.term, index: self.last.index + 1 };
        self.chain = chain_on(self.chain, entry.hash);
        self.slots.push(Slot { entry, chain: self.chain });
        self.last.index
    }

    /// Removes the entry at `index` and all after it.
    ///
    /// # Panics
    /// At index 0.
    pub fn truncate_from(&mut self, index: u64) {
        assert!(index > 0, "there is no entry at index 0 to remove");
        self.slots.truncate(index as usize - 1);
        let end = self.slots.last();
        let term = end.map_or(0, |slot| slot.entry.term);
        self.chain = end.map_or(CHAIN_START, |slot| slot.chain);
        self.last = Position { term, index: self.slots.len() as u64 };
    }

    /// The entries from `index` on, at most so many.
    ///
    /// # Panics
    /// At index 0.
    pub fn entries_from(&self, index: u64, count: usize) -> Vec<Entry<C>> {
        assert!(index > 0, "there is no entry at index 0");
        let count = count.min((self.last_index() + 1).saturating_sub(index) as usize) as u64;
        (index..index + count).map(|index| self.entry(index).expect("within the log").clone()).collect()
    }

    /// The last place at or before `index` whose term is at most `term`: where a log that has `term`
    /// at `index` could agree with this one. Logarithmic, for terms never fall along a log.
    pub fn last_not_after(&self, term: u64, index: u64) -> Position {
        let upto = index.min(self.last_index());
        let index = match self.entry(upto) {
            // Most often something before has only been overtaken: no search through cold memory.
            Some(entry) if entry.term > term => self.slots.partition_point(|slot| slot.entry.term <= term) as u64,
            Some(_) | None => upto,
        };
        Position { term: self.term_at(index).expect("within the log"), index }
    }
}

impl<C: Clone> Default for Log<C> {
    fn default() -> Log<C> {
        Log::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Digestible for u32 {
        fn digest(&self, digest: &mut Digest) {
            digest.word(u64::from(*self));
        }
    }

    fn log(terms: &[u64]) -> Log<u32> {
        let mut log = Log::new();
        terms.iter().for_each(|term| assert!(log.append(Entry::new(*term, Some(7))) > 0));
        log
    }

    #[test]
    fn up_to_date_is_lexicographic() {
        let at = |term, index| Position { term, index };
        assert!(at(2, 1) > at(1, 9) && at(2, 3) > at(2, 2) && at(1, 1) > at(0, 0));
    }

    #[test]
    fn chains_agree_exactly_on_the_common_prefix() {
        let (one, mut other) = (log(&[1, 1, 2]), log(&[1, 1, 3]));
        assert_eq!(one.chain_at(2), other.chain_at(2));
        assert_ne!(one.chain_at(3), other.chain_at(3));
        other.truncate_from(3);
        other.append(Entry::new(2, Some(7)));
        assert_eq!(one.chain_at(3), other.chain_at(3));
        assert_eq!(one.chain_at(4), None);
    }

    #[test]
    fn index_0_absent_and_present_are_three_answers() {
        let log = log(&[4]);
        assert_eq!([log.term_at(0), log.term_at(1), log.term_at(2)], [Some(0), Some(4), None]);
        assert_eq!(log.entries_from(2, 10), []);
    }

    #[test]
    fn the_search_for_agreement_skips_whole_terms() {
        let log = log(&[1, 1, 1, 5, 5, 5, 6, 6, 6]);
        assert_eq!(log.last_not_after(5, 9), Position { term: 5, index: 6 });
        assert_eq!(log.last_not_after(4, 9), Position { term: 1, index: 3 });
        assert_eq!(log.last_not_after(0, 9), Position { term: 0, index: 0 });
        assert_eq!(log.last_not_after(9, 2), Position { term: 1, index: 2 });
    }
}
