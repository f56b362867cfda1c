//! What the oracle remembers of logs: the chain at every index, once, and how each list of entries differs.
//!
//! All disks, and what is committed, hold nearly the same entries. Of each only that is kept in which it
//! differs from what was seen first: memory grows with the number of entries, not of their copies. And what every
//! server has compacted away is forgotten: in a run whose logs are compacted it does not grow at all.

use crate::kernel::chunks::Chunks;
use crate::protocols::raft::log::{CHAIN_START, chain_on};
use std::collections::BTreeMap;

/// What stands for the chain at an index that is forgotten, of any list: there all are taken for the same.
pub(super) const FORGOTTEN: u64 = 0;

/// Every entry that was ever in a log, and is not forgotten: one chain for an index and a term.
#[derive(Clone, Debug)]
pub(super) struct LogMatching {
    /// The least index of which something is remembered: 1 at first.
    start: u64,
    /// By index from there, the first that was seen there: (term, chain).
    first: Chunks<(u64, u64)>,
    /// Those of other terms at the same index.
    others: BTreeMap<(u64, u64), u64>,
}

impl Default for LogMatching {
    fn default() -> LogMatching {
        LogMatching { start: 1, first: Chunks::new(), others: BTreeMap::new() }
    }
}

impl LogMatching {
    /// Up to which index everything is forgotten.
    #[inline]
    pub(super) fn forgotten(&self) -> u64 {
        self.start - 1
    }

    /// Forgets what is before an index, as far as whole chunks are there.
    pub(super) fn forget_before(&mut self, index: u64) {
        self.start += self.first.forget_before(index.saturating_sub(self.start) as usize) as u64;
        self.others = self.others.split_off(&(self.start, 0));
    }

    /// The chain of the entry with this index, which is not forgotten, and this term.
    #[inline]
    pub(super) fn chain_of(&self, index: u64, term: u64) -> Option<u64> {
        match self.first.get((index - self.start) as usize) {
            Some((first, chain)) if *first == term => Some(*chain),
            Some(_) => self.others.get(&(index, term)).copied(),
            None => None,
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, index: u64, term: u64, chain: u64) {
        if index == self.start + self.first.len() as u64 {
            self.first.push((term, chain));
        } else {
            self.others.insert((index, term), chain);
        }
    }

    /// The chain that was seen first at an index.
    #[inline]
    fn first_at(&self, index: u64) -> Option<u64> {
        match index.checked_sub(self.start) {
            Some(place) => self.first.get(place as usize).map(|(_, chain)| *chain),
            None => Some(FORGOTTEN),
        }
    }
}

/// The chains of a list of entries, by index from 1. What was seen first at an index never changes, so
/// to keep what differs is to keep everything.
#[derive(Clone, Debug)]
pub(super) struct Chains {
    last: u64,
    /// The chain at the last index; [`FORGOTTEN`] if entries were removed down to where nobody remembers.
    end: u64,
    /// Where another chain was seen first, or none yet: (index, chain), in order.
    differing: Vec<(u64, u64)>,
}

impl Default for Chains {
    fn default() -> Chains {
        Chains { last: 0, end: CHAIN_START, differing: Vec::new() }
    }
}

impl Chains {
    /// Index of the last entry.
    #[inline]
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether this is the last index, with this chain, as far as that is remembered.
    pub(super) fn ends_with(&self, last: u64, chain: u64) -> bool {
        last == self.last && (chain == self.end || self.end == FORGOTTEN)
    }

    /// The chain at an index; `None` beyond the end.
    #[inline]
    pub(super) fn at(&self, index: u64, matching: &LogMatching) -> Option<u64> {
        match index {
            _ if index < matching.start => self.long_ago(index),
            _ if index >= self.last => (index == self.last).then_some(self.end),
            _ => match self.differing.last() {
                Some((newest, _)) if *newest >= index => self.search(index, matching),
                Some(_) | None => matching.first_at(index),
            },
        }
    }

    /// The same where nothing is remembered.
    #[cold]
    fn long_ago(&self, index: u64) -> Option<u64> {
        match index {
            _ if index > self.last => None,
            0 => Some(CHAIN_START),
            _ => Some(FORGOTTEN),
        }
    }

    #[cold]
    fn search(&self, index: u64, matching: &LogMatching) -> Option<u64> {
        match self.differing.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(place) => Some(self.differing[place].1),
            Err(_) => matching.first_at(index),
        }
    }

    /// The same up to an index within it, where the chain is this.
    pub(super) fn upto(&self, last: u64, end: u64) -> Chains {
        let shared = self.differing.partition_point(|(index, _)| *index <= last);
        Chains { last, end, differing: self.differing[..shared].to_vec() }
    }

    /// Adds an entry with this hash.
    #[inline]
    pub(super) fn append(&mut self, hash: u64, matching: &LogMatching) {
        let chain = match self.end {
            FORGOTTEN => matching.first_at(self.last + 1).unwrap_or(FORGOTTEN),
            end => chain_on(end, hash),
        };
        self.push(chain, matching);
    }

    /// Adds an entry with this chain.
    #[inline(always)]
    pub(super) fn push(&mut self, chain: u64, matching: &LogMatching) {
        // The leader's disk may have an entry before anybody has looked at its log.
        if self.differing.last().is_some_and(|(index, chain)| matching.first_at(*index) == Some(*chain)) {
            self.differing.pop();
        }
        (self.last, self.end) = (self.last + 1, chain);
        if matching.first_at(self.last) != Some(chain) {
            self.differing.push((self.last, chain));
        }
    }

    /// Forgets what differs where everything is forgotten.
    pub(super) fn forget(&mut self, matching: &LogMatching) {
        self.differing.retain(|(index, _)| *index >= matching.start);
    }

    /// Removes the entry at `index` and all after it.
    pub(super) fn truncate_from(&mut self, index: u64, matching: &LogMatching) {
        if index > self.last {
            return;
        }
        self.end = self.at(index - 1, matching).expect("before the end");
        self.last = index - 1;
        while self.differing.pop_if(|(differing, _)| *differing >= index).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole list is the twin. Other lists get in first at some indexes, now before and now after.
    #[test]
    fn what_differs_and_what_was_first_are_the_whole_list() {
        let mut state = 3_u64;
        let mut draw = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        for _ in 0..200 {
            let (mut matching, mut chains, mut twin) = (LogMatching::default(), Chains::default(), vec![CHAIN_START]);
            for _ in 0..100 {
                let next = matching.first.len() as u64 + 1;
                match draw(8) {
                    0 => matching.insert(next, draw(5), draw(5)),
                    1 => {
                        let from = 1 + draw(chains.last() + 1);
                        chains.truncate_from(from, &matching);
                        twin.truncate(from as usize);
                    }
                    _ => {
                        let hash = draw(3);
                        chains.append(hash, &matching);
                        twin.push(chain_on(*twin.last().expect("the start"), hash));
                        if draw(2) == 0 && next < twin.len() as u64 {
                            matching.insert(next, 1, twin[next as usize]);
                        }
                    }
                }
                assert_eq!(chains.last(), twin.len() as u64 - 1);
                for index in 0..=twin.len() as u64 {
                    assert_eq!(chains.at(index, &matching), twin.get(index as usize).copied(), "at {index}");
                }
            }
        }
    }

    /// Two lists part at index 500 and another entry was first at some indexes: what is forgotten is the same in both,
    /// what is not is as it was, and both grow on.
    #[test]
    fn what_is_forgotten_is_the_same_in_all_lists() {
        let (mut matching, mut lists) = (LogMatching::default(), [Chains::default(), Chains::default()]);
        for index in 1..=1_000 {
            matching.insert(index, 1, if index % 3 == 0 { 7 } else { index });
            lists.iter_mut().zip(1..).for_each(|(list, which)| {
                list.push(if index < 500 { index } else { which * index }, &matching);
            });
        }
        matching.insert(30, 2, 30);
        let before = lists.clone().map(|list| (0..=1_001).map(|index| list.at(index, &matching)).collect::<Vec<_>>());
        matching.forget_before(600);
        assert_eq!((matching.forgotten(), matching.others.len()), (512, 0));
        for (list, before) in lists.iter_mut().zip(before) {
            list.forget(&matching);
            assert!(list.differing.iter().all(|(index, _)| *index > 512));
            let expected = |index: usize| if (1..=512).contains(&index) { Some(FORGOTTEN) } else { before[index] };
            assert!((0..=1_001).all(|index| list.at(index as u64, &matching) == expected(index)));
            assert_eq!([1, 2].map(|term| matching.chain_of(601, term)), [Some(601), None]);
        }
        matching.insert(1_001, 1, 9);
        assert_eq!(matching.chain_of(1_001, 1), Some(9));
        // Cut back to where nobody remembers, a list takes what it gets for what the others have.
        lists[1].truncate_from(513, &matching);
        assert!(lists[1].ends_with(512, 3));
        lists[1].append(4, &matching);
        assert_eq!(lists[1].at(513, &matching), Some(7));
    }
}
