//! Lengths on a circle of hashes, exact.

use std::iter::Sum;
use std::ops::{Add, AddAssign};

/// A circle of `2^bits` positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Space {
    bits: u8,
}

impl Space {
    /// A circle of `2^bits` positions; `None` unless there are 1 to 128 bits.
    pub const fn new(bits: u8) -> Option<Space> {
        if bits == 0 || bits > 128 { None } else { Some(Space { bits }) }
    }

    /// How many bits a position has, 1 to 128.
    pub const fn bits(self) -> u8 {
        self.bits
    }

    /// The highest position.
    pub const fn last(self) -> u128 {
        u128::MAX >> (128 - self.bits)
    }

    /// The position of a hash of 128 bits: its highest bits.
    pub const fn position(self, hash: u128) -> u128 {
        hash >> (128 - self.bits)
    }

    /// How far it is from `start`, exclusive, clockwise to `end`, inclusive. From a position to itself it is all the
    /// way round.
    pub fn length(self, start: u128, end: u128) -> Measure {
        let parts = end.wrapping_sub(start) & self.last();
        Measure { rounds: u64::from(parts == 0), parts: parts << (128 - self.bits) }
    }
}

/// A length on a circle, or several together: so many times all the way round, and so many 2^-128 of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Measure {
    /// How often all the way round.
    pub rounds: u64,
    /// And then so many 2^-128.
    pub parts: u128,
}

impl Measure {
    /// Nothing.
    pub const ZERO: Measure = Measure { rounds: 0, parts: 0 };
    /// All the way round.
    pub const ROUND: Measure = Measure { rounds: 1, parts: 0 };

    /// What it is if all the way round is `whole`, rounded down.
    ///
    /// # Panics
    /// If that is above 2^128.
    pub fn scaled(self, whole: u64) -> u128 {
        let (high, low, whole) = (self.parts >> 64, self.parts & u128::from(u64::MAX), u128::from(whole));
        u128::from(self.rounds) * whole + ((high * whole + ((low * whole) >> 64)) >> 64)
    }

    /// How much it is more than another one; nothing, if it is not.
    #[must_use]
    pub fn beyond(self, other: Measure) -> Measure {
        if self <= other {
            return Measure::ZERO;
        }
        let (parts, borrowed) = self.parts.overflowing_sub(other.parts);
        Measure { rounds: self.rounds - other.rounds - u64::from(borrowed), parts }
    }

    /// So many times as much.
    ///
    /// # Panics
    /// If that is 2^64 rounds or more.
    #[must_use]
    pub fn times(self, count: u64) -> Measure {
        let (high, low, count) = (self.parts >> 64, self.parts & u128::from(u64::MAX), u128::from(count));
        let low = low * count;
        let high = high * count + (low >> 64);
        let rounds = u128::from(self.rounds) * count + (high >> 64);
        let parts = (high << 64) | (low & u128::from(u64::MAX));
        Measure { rounds: rounds.try_into().expect("fewer than 2^64 rounds"), parts }
    }
}

impl Add for Measure {
    type Output = Measure;

    fn add(self, other: Measure) -> Measure {
        let (parts, carried) = self.parts.overflowing_add(other.parts);
        Measure { rounds: self.rounds + other.rounds + u64::from(carried), parts }
    }
}

impl AddAssign for Measure {
    fn add_assign(&mut self, other: Measure) {
        *self = *self + other;
    }
}

impl Sum for Measure {
    fn sum<I: Iterator<Item = Measure>>(lengths: I) -> Measure {
        lengths.fold(Measure::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::{Measure, Space};

    #[test]
    fn lengths_are_exact_in_circles_of_all_sizes() {
        assert_eq!((Space::new(0), Space::new(129)), (None, None));
        for bits in 1..=128 {
            let space = Space::new(bits).expect("a space");
            let last = space.last();
            assert_eq!(space.length(last, last), Measure::ROUND);
            assert_eq!(space.length(0, last) + space.length(last, 0), Measure::ROUND, "{bits} bits");
            let half = space.length(0, last / 2 + 1);
            assert_eq!((half.scaled(1_000), half.scaled(1), half.scaled(u64::MAX)), (500, 0, u128::from(u64::MAX / 2)));
            assert_eq!((half.times(2), half.times(7).scaled(1_000)), (Measure::ROUND, 3_500));
            assert_eq!(half.beyond(half) + Measure::ROUND.beyond(half), half);
            assert_eq!((half + Measure::ROUND).beyond(Measure::ROUND), half);
            assert_eq!(half.beyond(Measure::ROUND), Measure::ZERO);
            assert_eq!(space.position(u128::MAX), last);
        }
    }
}
