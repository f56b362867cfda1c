//! The replicated log, in memory.

use super::membership::Configuration;
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

/// What a log entry is for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content<C> {
    /// Nothing: it stands at the start of a term.
    Nothing,
    /// A command for the state machine.
    Command(C),
    /// Who belongs to the cluster from here on.
    Configuration(Box<Configuration>),
}

/// One place of the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<C> {
    term: u64,
    hash: u64,
    content: Content<C>,
}

impl<C: Digestible> Entry<C> {
    /// An entry of this term; without a command it is the no-op at the start of a term.
    pub fn new(term: u64, command: Option<C>) -> Entry<C> {
        let mut digest = Digest::new();
        digest.word(term);
        if let Some(command) = &command {
            command.digest(&mut digest);
        }
        Entry { term, hash: digest.low(), content: command.map_or(Content::Nothing, Content::Command) }
    }

    /// The same of another term.
    #[must_use]
    pub fn in_term(self, term: u64) -> Entry<C> {
        match self.content {
            Content::Nothing => Entry::new(term, None),
            Content::Command(command) => Entry::new(term, Some(command)),
            Content::Configuration(configuration) => Entry::change(term, *configuration),
        }
    }
}

impl<C> Entry<C> {
    /// An entry of this term that says who belongs to the cluster.
    pub fn change(term: u64, configuration: Configuration) -> Entry<C> {
        let mut digest = Digest::new();
        digest.word(term);
        configuration.digest(&mut digest);
        Entry { term, hash: digest.low(), content: Content::Configuration(Box::new(configuration)) }
    }

    /// The term in which a leader received it.
    pub fn term(&self) -> u64 {
        self.term
    }

    /// The command for the state machine, if it is one.
    pub fn command(&self) -> Option<&C> {
        match &self.content {
            Content::Command(command) => Some(command),
            Content::Nothing | Content::Configuration(_) => None,
        }
    }

    /// Who belongs to the cluster from here on, if it says so.
    pub fn configuration(&self) -> Option<Configuration> {
        match &self.content {
            Content::Configuration(configuration) => Some(**configuration),
            Content::Nothing | Content::Command(_) => None,
        }
    }

    /// A word that stands for term and content.
    pub fn hash(&self) -> u64 {
        self.hash
    }
}

/// The entries, from index 1, without those before some index that a snapshot stands for. Each carries a hash of itself
/// and all before it: two logs agree up to an index exactly if the chains there are equal, which makes Log Matching a
/// comparison of two words.
#[derive(Clone, Debug)]
pub struct Log<C> {
    slots: Chunks<Slot<C>>,
    /// The index of the first slot. Some slots at the front may be compacted away without being gone.
    first: u64,
    /// The last entry that is compacted away, and the chain there.
    base: Position,
    base_chain: u64,
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

/// Before the first entry.
const START: Position = Position { term: 0, index: 0 };

impl<C: Clone> Log<C> {
    /// A log without entries.
    pub const fn new() -> Log<C> {
        let slots = Chunks::new();
        Log { slots, first: 1, base: START, base_chain: CHAIN_START, last: START, chain: CHAIN_START }
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

    /// The last entry that is compacted away: only later ones are there.
    #[inline]
    pub fn base(&self) -> Position {
        self.base
    }

    /// A hash of all that is compacted away.
    #[inline]
    pub fn base_chain(&self) -> u64 {
        self.base_chain
    }

    #[inline]
    fn slot(&self, index: u64) -> Option<&Slot<C>> {
        if index > self.base.index { self.slots.get((index - self.first) as usize) } else { None }
    }

    /// The entry at an index, if the log has it.
    #[inline]
    pub fn entry(&self, index: u64) -> Option<&Entry<C>> {
        self.slot(index).map(|slot| &slot.entry)
    }

    /// The term at an index: 0 at index 0, where every log begins; `None` beyond the end and before what is compacted
    /// away last.
    #[inline]
    pub fn term_at(&self, index: u64) -> Option<u64> {
        match index {
            _ if index == self.last.index => Some(self.last.term),
            _ if index == self.base.index => Some(self.base.term),
            _ => self.entry(index).map(Entry::term),
        }
    }

    /// A hash of all entries up to an index; `None` beyond the end and before what is compacted away last.
    #[inline]
    pub fn chain_at(&self, index: u64) -> Option<u64> {
        match index {
            _ if index == self.last.index => Some(self.chain),
            _ if index == self.base.index => Some(self.base_chain),
            _ => self.slot(index).map(|slot| slot.chain),
        }
    }

    /// A hash of all entries.
    #[inline]
    pub fn chain(&self) -> u64 {
        self.chain
    }

    /// Adds an entry at the end. Answers its index.
    #[inline]
    pub fn append(&mut self, entry: Entry<C>) -> u64 {
        self.last = Position { term: entry.term, index: self.last.index + 1 };
        self.chain = chain_on(self.chain, entry.hash);
        self.slots.push(Slot { entry, chain: self.chain });
        self.last.index
    }

    /// Removes the entry at `index` and all after it.
    ///
    /// # Panics
    /// If it is compacted away, or at index 0.
    pub fn truncate_from(&mut self, index: u64) {
        assert!(index > self.base.index, "the log begins after {}, it cannot end before {index}", self.base.index);
        if index > self.last.index {
            return;
        }
        self.slots.truncate((index - self.first) as usize);
        (self.last, self.chain) = match self.slots.last() {
            Some(slot) if index - 1 > self.base.index => {
                (Position { term: slot.entry.term, index: index - 1 }, slot.chain)
            }
            Some(_) | None => (self.base, self.base_chain),
        };
    }

    /// Compacts away all entries up to this one, which the log has. Amortised O(1) an entry.
    ///
    /// # Panics
    /// If the log does not reach so far.
    pub fn compact(&mut self, upto: u64) {
        if upto <= self.base.index {
            return;
        }
        let (term, chain) = (self.term_at(upto), self.chain_at(upto));
        self.base = Position { term: term.expect("within the log"), index: upto };
        self.base_chain = chain.expect("within the log");
        self.first += self.slots.forget_before((upto + 1 - self.first) as usize) as u64;
    }

    /// Becomes a log of which everything is compacted away up to here, and that has no more.
    pub fn reset(&mut self, last: Position, chain: u64) {
        self.slots.clear();
        (self.first, self.base, self.base_chain) = (last.index + 1, last, chain);
        (self.last, self.chain) = (last, chain);
    }

    /// The entries from `index` on, at most so many; none if that one is compacted away.
    pub fn entries_from(&self, index: u64, count: usize) -> Vec<Entry<C>> {
        if index <= self.base.index || index > self.last.index {
            return Vec::new();
        }
        let (place, rest) = ((index - self.first) as usize, (self.last.index + 1 - index) as usize);
        (place..place + count.min(rest)).map(|place| self.slots[place].entry.clone()).collect()
    }

    /// The last place at or before `index` whose term is at most `term`: where a log that has `term`
    /// at `index` could agree with this one. If it would lie before what is compacted away last, the index before that one, of
    /// term 0: nobody can tell. Logarithmic, for terms never fall along a log.
    pub fn last_not_after(&self, term: u64, index: u64) -> Position {
        let upto = index.min(self.last_index());
        let index = match self.term_at(upto) {
            // Most often something before has only been overtaken: no search through cold memory.
            Some(here) if here > term => {
                self.first - 1 + self.slots.partition_point(|slot| slot.entry.term <= term) as u64
            }
            Some(_) | None => upto,
        };
        match self.term_at(index) {
            Some(here) if here <= term => Position { term: here, index },
            Some(_) | None => Position { term: 0, index: index.min(self.base.index.saturating_sub(1)) },
        }
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

    /// The log that keeps everything is the twin.
    #[test]
    fn what_is_not_compacted_away_is_as_before() {
        let terms: Vec<u64> = (0..1000).map(|index| 1 + index / 7).collect();
        let (whole, mut short) = (log(&terms), log(&terms));
        for upto in [1, 255, 256, 257, 600, 600, 999] {
            short.compact(upto);
            assert_eq!((short.base().index, Some(short.base_chain())), (upto, whole.chain_at(upto)));
            assert_eq!(short.last(), whole.last());
            for index in [upto - 1, upto, upto + 1, 700, 1000, 1001] {
                let kept = index > upto;
                assert_eq!(short.entry(index), whole.entry(index).filter(|_| kept), "{index} after {upto}");
                let there = index >= upto;
                assert_eq!(short.chain_at(index), whole.chain_at(index).filter(|_| there));
                assert_eq!(short.term_at(index), whole.term_at(index).filter(|_| there));
            }
            let (found, known) = (short.last_not_after(130, 950), whole.last_not_after(130, 950));
            assert_eq!(found, if known.index >= upto { known } else { Position { term: 0, index: 950.min(upto - 1) } });
        }
        short.truncate_from(1000);
        assert_eq!((short.last(), short.entries_from(999, 9)), (short.base(), Vec::new()));
        short.append(Entry::new(200, Some(7)));
        assert_eq!((short.last_index(), short.entries_from(1000, 9).len()), (1000, 1));
    }

    #[test]
    fn a_log_that_was_reset_goes_on_from_there() {
        let mut log = log(&[1, 1, 2]);
        log.reset(Position { term: 5, index: 9 }, 77);
        assert_eq!((log.last_index(), log.term_at(9), log.chain_at(9), log.term_at(3)), (9, Some(5), Some(77), None));
        log.append(Entry::new(6, None));
        log.compact(10);
        assert_eq!((log.base(), log.chain()), (log.last(), log.base_chain()));
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
