//! Sums over ranges of keys, kept up to date, so that two replicas can tell in few words whether they hold the same.
//!
//! A tree over all keys with a sum at each node, as Merkle's; but the sums commute, so that the sum of any range is made of
//! the sums of few nodes, and ranges need not lie as the tree does. Source: Merkle, "A Digital Signature Based on a
//! Conventional Encryption Function", CRYPTO 1987; Meyer, "Range-Based Set Reconciliation", 2022.

use super::cell::Rank;
use std::ops::Range;

/// So many keys share a leaf.
pub const LEAF: u32 = 16;

/// Sums over what is kept.
#[derive(Clone, Debug)]
pub struct Merkle {
    /// A power of two.
    leaves: usize,
    /// The node at place i is over those at 2i and 2i + 1; the root is at 1.
    sums: Vec<u64>,
}

impl Merkle {
    /// Over so many keys, of which none is kept yet.
    pub fn new(keys: u32) -> Merkle {
        let leaves = (keys.div_ceil(LEAF) as usize).next_power_of_two();
        Merkle { leaves, sums: vec![0; 2 * leaves] }
    }

    /// What is kept of a key has changed by this much: the hash of the new cell less that of the old one. O(log n).
    pub fn change(&mut self, rank: Rank, by: u64) {
        let mut place = self.leaves + (rank.0 / LEAF) as usize;
        while place > 0 {
            self.sums[place] = self.sums[place].wrapping_add(by);
            place /= 2;
        }
    }

    /// The sum over whole leaves, by their places from 0. O(log n).
    pub fn sum(&self, leaves: Range<u32>) -> u64 {
        let (mut low, mut high) = (self.leaves + leaves.start as usize, self.leaves + leaves.end as usize);
        let mut sum = 0u64;
        while low < high {
            if low % 2 == 1 {
                sum = sum.wrapping_add(self.sums[low]);
                low += 1;
            }
            if high % 2 == 1 {
                high -= 1;
                sum = sum.wrapping_add(self.sums[high]);
            }
            (low, high) = (low / 2, high / 2);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_leaves_are_those_of_what_was_changed_in_them() {
        for keys in [1, 16, 17, 100, 1000] {
            let mut merkle = Merkle::new(keys);
            (0..keys).for_each(|rank| merkle.change(Rank(rank), 1 << (rank % 40)));
            let leaves = keys.div_ceil(LEAF);
            for low in 0..=leaves {
                for high in low..=leaves {
                    let inside: u64 = (low * LEAF..(high * LEAF).min(keys)).map(|rank| 1u64 << (rank % 40)).sum();
                    assert_eq!(merkle.sum(low..high), inside, "{low}..{high} of {keys}");
                }
            }
        }
    }
}
