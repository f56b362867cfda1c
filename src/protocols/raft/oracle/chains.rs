//! What the oracle remembers of logs: the chain at every index, once, and how each list of entries differs.
//!
//! All disks, and what is committed, hold nearly the same entries. Of each only that is kept in which it
//! differs from what was seen first: memory grows with the number of entries, not of their copies.

use crate::kernel::chunks::Chunks;
use crate::protocols::raft::log::{CHAIN_START, chain_on};
use std::collections::BTreeMap;

/// Every entry that was ever in a log: one chain for an index and a term.
#[derive(Clone, Debug, Default)]
pub(super) struct LogMatching {
    /// By index from 1, the first that was seen there: (term, chain).
    first: Chunks<(u64, u64)>,
    /// Those of other terms at the same index.
    others: BTreeMap<(u64, u64), u64>,
}

impl LogMatching {
    #[inline]
    pub(super) fn chain_of(&self, index: u64, term: u64) -> Option<u64> {
        match self.first.get(index as usize - 1) {
            Some((first, chain)) if *first == term => Some(*chain),
            Some(_) => self.others.get(&(index, term)).copied(),
            None => None,
        }
    }

    #[inline]
    pub(super) fn insert(&mut self, index: u64, term: u64, chain: u64) {
        if index as usize == self.first.len() + 1 {
            self.first.push((term, chain));
        } else {
            self.others.insert((index, term), chain);
        }
    }

    /// The chain that was seen first at an index.
    #[inline]
    fn first_at(&self, index: u64) -> Option<u64> {
        self.first.get(index as usize - 1).map(|(_, chain)| *chain)
    }
}

/// The chains of a list of entries, by index from 1. What was seen first at an index never changes, so
/// to keep what differs is to keep everything.
#[derive(Clone, Debug)]
pub(super) struct Chains {
    last: u64,
    /// The chain at the last index.
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

    /// The chain at an index; `None` beyond the end.
    #[inline]
    pub(super) fn at(&self, index: u64, matching: &LogMatching) -> Option<u64> {
        match index {
            _ if index >= self.last => (index == self.last).then_some(self.end),
            0 => Some(CHAIN_START),
            _ => match self.differing.last() {
                Some((newest, _)) if *newest >= index => self.search(index, matching),
                Some(_) | None => matching.first_at(index),
            },
        }
    }

    #[cold]
    fn search(&self, index: u64, matching: &LogMatching) -> Option<u64> {
        match self.differing.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(place) => Some(self.differing[place].1),
            Err(_) => matching.first_at(index),
        }
    }

    /// The same up to an index within it.
    pub(super) fn upto(&self, last: u64, matching: &LogMatching) -> Chains {
        let mut chains = self.clone();
        chains.truncate_from(last + 1, matching);
        chains
    }

    /// Adds an entry with this hash.
    #[inline]
    pub(super) fn append(&mut self, hash: u64, matching: &LogMatching) {
        self.push(chain_on(self.end, hash), matching);
    }

    /// Adds an entry with this chain.
    #[inline]
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
}
