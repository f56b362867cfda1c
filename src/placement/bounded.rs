//! Consistent hashing with bounded loads: no node takes more than its share and a bit. Source: Mirrokni, Thorup and
//! Zadimoghaddam, "Consistent Hashing with Bounded Loads", SODA 2018 (arXiv 1608.01350, 2016).

use super::ring::Ring;

/// By how much a node may have more than its share: so many parts of a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Epsilon {
    /// The numerator.
    pub part: u32,
    /// The denominator, not zero.
    pub whole: u32,
}

/// Keys that are placed one after the other. A key belongs to the first node clockwise that is not full.
#[derive(Clone, Debug)]
pub struct Bounded {
    ring: Ring,
    /// How many keys each node may still take, by its id.
    room: Vec<u64>,
    /// Where the search goes on from a point: at itself, or at one that may have room. Points between have none.
    onwards: Vec<u32>,
}

impl Bounded {
    /// Room for so many keys. A node of which the weight is the part w of all weights takes
    /// ceil((1 + epsilon) * keys * w) of them: without weights ceil((1 + epsilon) * keys / nodes). `weights` are those of
    /// nodes with points, by their ids.
    ///
    /// # Panics
    /// If epsilon divides by zero.
    pub fn new(ring: Ring, weights: &[u32], keys: u64, epsilon: Epsilon) -> Bounded {
        let Epsilon { part, whole } = epsilon;
        assert!(whole > 0, "an epsilon is a part of something");
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let room = |weight: &u32| {
            // A weight is at most the total, so the first quotient is at most `keys`, and nothing overflows.
            let divisor = total.max(1) * u128::from(whole);
            let (share, factor) = (u128::from(keys) * u128::from(*weight), u128::from(part) + u128::from(whole));
            let (quotient, rest) = (share / divisor, share % divisor);
            u64::try_from(quotient * factor + (rest * factor).div_ceil(divisor)).unwrap_or(u64::MAX)
        };
        let onwards = (0..ring.points().len() as u32).collect();
        Bounded { room: weights.iter().map(room).collect(), ring, onwards }
    }

    /// The node that takes the next key; a key that comes again is another one. `None` if there are no points.
    ///
    /// # Panics
    /// If more keys come than there is room for.
    pub fn place(&mut self, key: &[u8]) -> Option<u16> {
        let first = self.ring.first(self.ring.position(key))?;
        let mut place = first;
        for _ in 0..=self.onwards.len() {
            let node = self.ring.points().nodes()[place];
            if self.room[usize::from(node)] > 0 {
                self.room[usize::from(node)] -= 1;
                self.shorten(first, place);
                return Some(node);
            }
            let next = self.onwards[place] as usize;
            place = if next == place { (place + 1) % self.onwards.len() } else { next };
        }
        panic!("more keys than there is room for");
    }

    /// How many keys a node may still take.
    pub fn room(&self, node: u16) -> u64 {
        self.room[usize::from(node)]
    }

    /// A search that has gone from one point to another goes there at once the next time.
    fn shorten(&mut self, from: usize, to: usize) {
        let mut place = from;
        while place != to {
            let next = self.onwards[place] as usize;
            self.onwards[place] = to as u32;
            place = if next == place { (place + 1) % self.onwards.len() } else { next };
        }
    }
}
