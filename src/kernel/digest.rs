//! The fingerprint of a run: a streaming hash over every event.
//!
//! Two lanes of 64 bits, one folded by widening multiplication, one rotated and added: a few
//! nanoseconds an event. Words are absorbed in a fixed order and by value, so the digest is the
//! same on every platform.

use std::fmt;

/// 128 bits that stand for everything absorbed so far, in order.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Digest {
    left: u64,
    right: u64,
}

/// Content that can be absorbed into a [`Digest`]. It must cost O(1), or O(change): a message
/// with a thousand entries absorbs a hash that the entries carry, not the entries.
pub trait Digestible {
    /// Absorbs everything that distinguishes this value from others of its type.
    fn digest(&self, digest: &mut Digest);
}

/// For messages that are a number.
impl Digestible for u64 {
    #[inline]
    fn digest(&self, digest: &mut Digest) {
        digest.word(*self);
    }
}

// Odd, dense in ones and zeros, from the fractional digits of e and pi.
const LEFT: u64 = 0xb7e1_5162_8aed_2a6b;
const RIGHT: u64 = 0x243f_6a88_85a3_08d3;

impl Digest {
    /// Nothing absorbed yet.
    pub const fn new() -> Digest {
        Digest { left: LEFT, right: RIGHT }
    }

    /// Absorbs one word.
    #[inline]
    pub fn word(&mut self, word: u64) {
        self.pair(word, 0);
    }

    /// Absorbs two words at the price of one.
    #[inline]
    pub fn pair(&mut self, first: u64, second: u64) {
        let left = fold(self.left ^ first, RIGHT ^ second);
        // The other lane keeps what a product with zero would forget.
        self.right = (self.right.rotate_left(23) ^ first).wrapping_add(second.rotate_left(41)) ^ left;
        self.left = left;
    }

    /// The first lane, well mixed: enough to tell states apart.
    pub const fn low(self) -> u64 {
        fold(self.left ^ self.right.rotate_left(32), LEFT)
    }

    /// The digest as one number.
    pub const fn value(self) -> u128 {
        ((self.low() as u128) << 64) | fold(self.right, self.left ^ RIGHT) as u128
    }
}

impl Default for Digest {
    fn default() -> Digest {
        Digest::new()
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.value())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The two halves of a widening product, folded into one word: a strong cheap mixer.
#[inline]
pub const fn fold(a: u64, b: u64) -> u64 {
    let product = a as u128 * b as u128;
    product as u64 ^ (product >> 64) as u64
}

/// One word that stands for two in this order.
#[inline]
pub const fn mix(a: u64, b: u64) -> u64 {
    fold(fold(a ^ RIGHT, b ^ LEFT) ^ a, LEFT ^ b.rotate_left(32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_pinned() {
        let mut digest = Digest::new();
        assert_eq!(digest.to_string(), "51afd710309d897c6ddf4b4849747d2c");
        (0..10).for_each(|word| digest.word(word));
        digest.pair(3, 4);
        assert_eq!(digest.to_string(), "7d5463859fce2299645cb846ad7f0b7d");
    }

    #[test]
    fn order_and_every_bit_matter() {
        let of = |words: &[u64]| {
            let mut digest = Digest::new();
            words.iter().for_each(|word| digest.word(*word));
            digest.value()
        };
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        assert_ne!(of(&[0]), of(&[]));
        let base = of(&[0, 0, 0]);
        for bit in 0..64 {
            let changed = (base ^ of(&[1 << bit, 0, 0])).count_ones();
            assert!((30..=98).contains(&changed), "bit {bit} changed {changed} of 128 bits");
        }
    }
}
