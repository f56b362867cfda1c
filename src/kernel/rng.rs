//! Dice keyed by (seed, purpose, entity), so that a draw more in one place does not re-roll
//! everything else, and failing seeds survive unrelated changes of code.
//!
//! Two kinds. [`Dice`] are a stream of ChaCha8, for whoever draws an unknown number of times:
//! a node, the drawer of plans. [`Table`] gives the word at a place, for decisions that have a
//! natural number: the fate of the k-th message on a link hangs on k and on nothing else.

use super::digest::fold;
use rand_chacha::{ChaCha8Core, ChaCha8Rng};
use rand_core::block::Generator;
use rand_core::{Rng, SeedableRng, TryRng};
use std::convert::Infallible;

/// What a draw is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Purpose {
    /// A node's own dice.
    Node = 1,
    /// The fate of messages: latency, loss, duplication.
    Network = 2,
    /// How long syncs take and what a crash leaves.
    Disk = 3,
    /// The faults of a plan: when, whom, how long.
    Faults = 4,
    /// The clocks of a plan, and what monotonic ones show when nodes start.
    Clocks = 5,
}

/// How many words of a new stream come out of the block it shares with its neighbours.
const FIRST: usize = 8;

/// A block of a stream, in words.
type Block = [u64; FIRST];

/// A stream of random words. Implements the generator trait of the rand crate.
///
/// Starting a stream of ChaCha8 costs as much as four hops of a message, and most nodes of a
/// short run draw a handful of words. So the first eight words of entity e are block e + 1 of one
/// stream for the whole purpose; only who draws more gets a stream of its own.
#[derive(Clone, Debug)]
pub struct Dice {
    first: Block,
    seed: u64,
    entity: u64,
    stream: Option<Box<ChaCha8Rng>>,
    purpose: Purpose,
    drawn: u8,
}

impl Dice {
    /// The dice of one entity.
    pub fn new(seed: u64, purpose: Purpose, entity: u64) -> Dice {
        Dice::flock(seed, purpose, entity..entity + 1).next().expect("one")
    }

    /// The dice of many entities, at a fraction of the price.
    pub fn flock(seed: u64, purpose: Purpose, entities: std::ops::Range<u64>) -> impl Iterator<Item = Dice> {
        let mut shared = ChaCha8Rng::from_seed(key(seed, purpose, u64::MAX));
        shared.set_word_pos(16 * (u128::from(entities.start) + 1));
        entities
            .map(move |entity| Dice::beginning_with(std::array::from_fn(|_| shared.next_u64()), seed, purpose, entity))
    }

    fn beginning_with(first: Block, seed: u64, purpose: Purpose, entity: u64) -> Dice {
        Dice { first, seed, entity, stream: None, purpose, drawn: 0 }
    }

    /// The next 64 bits.
    #[inline]
    #[expect(clippy::should_implement_trait, reason = "endless, so it is no iterator")]
    pub fn next(&mut self) -> u64 {
        match &mut self.stream {
            Some(stream) => stream.next_u64(),
            None => self.next_of_first(),
        }
    }

    #[cold]
    fn next_of_first(&mut self) -> u64 {
        if let Some(word) = self.first.get(usize::from(self.drawn)) {
            self.drawn += 1;
            return *word;
        }
        let key = key(self.seed, self.purpose, self.entity);
        self.stream.insert(Box::new(ChaCha8Rng::from_seed(key))).next_u64()
    }

    /// A number below `bound`; zero if `bound` is zero.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        super::chance::below(self.next(), bound)
    }

    /// A random order of `0..count`, of which the first `taken` are returned.
    pub fn choose(&mut self, count: usize, taken: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..count).collect();
        for place in 0..taken.min(count) {
            order.swap(place, place + self.below((count - place) as u64) as usize);
        }
        order.truncate(taken);
        order
    }
}

/// A user's protocol may use the rand crate's distributions on a node's dice.
impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.next() as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The blocks of a stream from its beginning on, without the detour of single words.
struct Blocks {
    core: ChaCha8Core,
    /// The core makes four at a time.
    drawn: [u32; 64],
    taken: usize,
}

impl Blocks {
    fn new(key: [u8; 32]) -> Blocks {
        Blocks { core: ChaCha8Core::from_seed(key), drawn: [0; 64], taken: 64 }
    }

    fn next(&mut self) -> Block {
        if self.taken == self.drawn.len() {
            self.core.generate(&mut self.drawn);
            self.taken = 0;
        }
        let words = &self.drawn[self.taken..][..2 * FIRST];
        self.taken += 2 * FIRST;
        std::array::from_fn(|place| u64::from(words[2 * place]) | u64::from(words[2 * place + 1]) << 32)
    }
}

fn key(seed: u64, purpose: Purpose, entity: u64) -> [u8; 32] {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&(purpose as u64).to_le_bytes());
    key[16..24].copy_from_slice(&entity.to_le_bytes());
    key[24..].copy_from_slice(b"squall/1");
    key
}

/// Random words at numbered places, so that a million links need no state each. Place n is the
/// n-th output of a Weyl sequence with a ChaCha8 key, mixed by one widening product, as in wyrand.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    stride: u64,
    keys: [u64; 2],
}

impl Table {
    /// The table of a seed.
    pub fn new(seed: u64) -> Table {
        Table::with_nodes(seed, 0).0
    }

    /// The table and the dice of `count` nodes, at the price of the dice.
    pub fn with_nodes(seed: u64, count: u64) -> (Table, impl Iterator<Item = Dice>) {
        let mut blocks = Blocks::new(key(seed, Purpose::Node, u64::MAX));
        // Block 0; nodes begin at block 1. Only an odd stride visits every place.
        let [stride, one, other, ..] = blocks.next();
        let dice = (0..count).map(move |node| Dice::beginning_with(blocks.next(), seed, Purpose::Node, node));
        (Table { stride: stride | 1, keys: [one, other] }, dice)
    }

    /// The word at (purpose, row, column). Rows and columns are below 2^32.
    #[inline]
    pub fn word(&self, purpose: Purpose, row: u64, column: u64) -> u64 {
        let place = (row << 32 | column).wrapping_mul(self.stride);
        let state = place.wrapping_add(self.keys[0].rotate_left(8 * purpose as u32));
        fold(state, state ^ self.keys[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dice_are_pinned() {
        let mut dice = Dice::new(42, Purpose::Node, 3);
        let drawn: Vec<u64> = (0..10).map(|_| dice.next()).collect();
        assert_eq!(drawn, GOLDEN_DICE);
        let table = Table::new(42);
        let word = |row, column| table.word(Purpose::Network, row, column);
        assert_eq!([word(0, 0), word(1, 0), word(0, 1)], GOLDEN_TABLE);
    }

    const GOLDEN_DICE: [u64; 10] = [
        17_159_135_139_048_049_947,
        1_879_278_537_314_754_442,
        7_384_178_705_304_592_015,
        1_086_194_015_636_204_912,
        5_718_820_002_255_888_248,
        7_806_713_997_465_174_946,
        7_821_122_008_878_213_729,
        10_249_265_610_871_784_634,
        7_250_010_102_671_206_836,
        8_746_323_415_031_459_158,
    ];
    const GOLDEN_TABLE: [u64; 3] = [6_837_773_820_404_537_168, 4_908_641_475_115_809_733, 1_136_949_122_663_419_100];

    #[test]
    fn a_flock_is_its_members() {
        let (_, nodes) = Table::with_nodes(9, 10);
        assert!(nodes.zip(Dice::flock(9, Purpose::Node, 0..10)).all(|(mut one, mut other)| one.next() == other.next()));
        for (entity, mut dice) in Dice::flock(9, Purpose::Node, 0..10).enumerate() {
            let mut alone = Dice::new(9, Purpose::Node, entity as u64);
            assert!((0..20).all(|_| dice.next() == alone.next()));
        }
    }

    /// Pairs of neighbouring places differ in half of their bits, and every bit of a word is fair.
    #[test]
    fn the_table_has_no_pattern_that_counting_finds() {
        let table = Table::new(5);
        let word = |row, column| table.word(Purpose::Network, row, column);
        let (mut ones, mut flips) = ([0_u32; 64], 0);
        for row in 0..64 {
            for column in 0..1_024 {
                let here = word(row, column);
                (0..64).for_each(|bit| ones[bit] += (here >> bit) as u32 & 1);
                flips += (here ^ word(row, column + 1)).count_ones();
                flips += (here ^ word(row + 1, column)).count_ones();
            }
        }
        // 65,536 throws: 128 a standard deviation; six of them.
        assert!(ones.iter().all(|count| count.abs_diff(32_768) < 768), "{ones:?}");
        // 8,388,608 bits compared: 1,448 a standard deviation.
        assert!(flips.abs_diff(4_194_304) < 8_700, "{flips}");
        let mut buckets = [0_u32; 256];
        (0..65_536).for_each(|column| buckets[(word(3, column) >> 56) as usize] += 1);
        let chi: f64 = buckets.iter().map(|count| (f64::from(*count) - 256.0).powi(2) / 256.0).sum();
        assert!((150.0..380.0).contains(&chi), "chi-square {chi} with 255 degrees of freedom");
    }

    #[test]
    fn rands_own_distributions_work_on_a_nodes_dice() {
        use rand::RngExt;
        let mut dice = Dice::new(1, Purpose::Node, 0);
        assert!((0..100).all(|_| (10..20).contains(&dice.random_range(10..20))));
    }
}
