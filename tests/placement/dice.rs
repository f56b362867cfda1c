//! Numbers for tests: always the same ones.

use squall::placement::ring::{Member, Ring, Settings};

/// Numbers that look random (SplitMix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn shuffled<T>(&mut self, mut things: Vec<T>) -> Vec<T> {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
        things
    }
}

/// A ring of `node1`, `node2` and so on, their ids from 0.
pub(crate) fn ring(settings: Settings, nodes: u16, points: u32) -> Ring {
    let members = (0..nodes).map(|id| Member::new(id, format!("node{}", id + 1), points)).collect();
    Ring::new(settings, members).expect("a ring")
}
