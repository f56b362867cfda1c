//! Integer samplers: a word of 64 random bits in, a draw out. No floats, a fixed number of
//! words a draw, golden-tested, so that a seed means the same for ever and on every platform.

use super::time::Span;
use std::fmt;

/// A probability as a ratio of integers, from 0 to 1 inclusive.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ratio {
    part: u64,
    whole: u64,
}

impl Ratio {
    /// Never.
    pub const ZERO: Ratio = Ratio { part: 0, whole: 1 };

    /// Always.
    pub const ONE: Ratio = Ratio { part: 1, whole: 1 };

    /// `part` in `whole`, reduced to lowest terms; `None` if that is no probability.
    pub const fn new(part: u64, whole: u64) -> Option<Ratio> {
        if whole == 0 || part > whole {
            return None;
        }
        let (mut divisor, mut rest) = (whole, part);
        while rest != 0 {
            (divisor, rest) = (rest, divisor % rest);
        }
        Some(Ratio { part: part / divisor, whole: whole / divisor })
    }

    /// The numerator.
    pub const fn part(self) -> u64 {
        self.part
    }

    /// The denominator. Never zero.
    pub const fn whole(self) -> u64 {
        self.whole
    }

    /// Whether this never happens.
    pub const fn is_zero(&self) -> bool {
        self.part == 0
    }

    /// Whether it happens this time.
    #[inline]
    pub const fn hits(self, word: u64) -> bool {
        below(word, self.whole) < self.part
    }

    /// The probability that it happens here or there, the two being independent; rounded down
    /// to a ratio of 2^-32.
    pub fn or(self, other: Ratio) -> Ratio {
        let scaled = |ratio: Ratio| ((u128::from(ratio.part) << 32) / u128::from(ratio.whole)) as u64;
        let (here, there) = (scaled(self), scaled(other));
        let both = ((u128::from(here) * u128::from(there)) >> 32) as u64;
        Ratio::new(here + there - both, 1 << 32).expect("a probability")
    }
}

impl fmt::Debug for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.part, self.whole)
    }
}

/// A number below `bound`, as good as uniform: the bias is below `bound` / 2^64. Zero if `bound` is zero.
#[inline]
pub const fn below(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}

/// A span from `min` to `max`, both included.
///
/// # Panics
/// If `min` is longer than `max`.
#[inline]
pub fn within(word: u64, min: Span, max: Span) -> Span {
    assert!(min <= max, "from {min} to {max} is no range");
    Span::ns(min.as_ns() + below(word, (max.as_ns() - min.as_ns()).saturating_add(1)))
}

/// An exponentially distributed span of the given mean. At most 45 times the mean.
#[inline]
pub fn exponential(word: u64, mean: Span) -> Span {
    Span::ns(((u128::from(mean.as_ns()) * u128::from(minus_ln(word))) >> 32) as u64)
}

/// How many entries the table of logarithms has between 1 and 2.
const STEPS: usize = 256;
/// log2(1 + i / 256) in units of 2^-32.
const LOG2: [u64; STEPS + 1] = log2_table();
/// ln(2) in units of 2^-32.
const LN_2: u64 = 2_977_044_472;

/// -ln(u) in units of 2^-32, for u = (word + 1) / 2^64. Off by less than 1/100,000 of a unit of ln.
#[inline]
fn minus_ln(word: u64) -> u64 {
    let Some(numerator) = word.checked_add(1) else { return 0 };
    let exponent = numerator.ilog2();
    // The digits after the leading one, as a fraction of 2^63.
    let fraction = (numerator << (63 - exponent)) & (u64::MAX >> 1);
    let step = (fraction >> 55) as usize;
    let rest = (fraction >> 23) & 0xffff_ffff;
    let rise = LOG2[step + 1] - LOG2[step];
    let log2 = (u64::from(exponent) << 32) + LOG2[step] + ((rise * rest) >> 32);
    (((u128::from((64_u64 << 32) - log2)) * LN_2 as u128) >> 32) as u64
}

/// Digit by digit: squaring a number doubles its logarithm, so whether the square reaches 2
/// is the next binary digit.
const fn log2_table() -> [u64; STEPS + 1] {
    let mut table = [0; STEPS + 1];
    let mut step = 0;
    while step < STEPS {
        let mut number = (1_u128 << 62) + ((step as u128) << 54);
        let mut digit = 0;
        while digit < 32 {
            number = (number * number) >> 62;
            table[step] <<= 1;
            if number >> 63 != 0 {
                number >>= 1;
                table[step] |= 1;
            }
            digit += 1;
        }
        step += 1;
    }
    table[STEPS] = 1 << 32;
    table
}

#[cfg(test)]
mod tests {
    use super::super::rng::{Dice, Purpose};
    use super::*;

    /// Floats are allowed here: they judge, they do not draw.
    #[test]
    fn the_logarithm_is_right_to_five_places() {
        for word in [0, 1, 2, 1 << 20, u64::MAX / 3, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
            let exact = -((word as f64 + 1.0) / 2_f64.powi(64)).ln();
            let ours = minus_ln(word) as f64 / 2_f64.powi(32);
            assert!((exact - ours).abs() < 1e-5, "{word}: {ours} instead of {exact}");
        }
    }

    #[test]
    fn the_samplers_are_pinned() {
        let mut dice = Dice::new(1, Purpose::Faults, 0);
        let (ms, sec) = (Span::ms(1), Span::secs(1));
        let drawn: Vec<u64> = (0..4)
            .flat_map(|_| {
                [below(dice.next(), 1_000), within(dice.next(), ms, sec).as_ns(), exponential(dice.next(), sec).as_ns()]
            })
            .collect();
        assert_eq!(drawn, GOLDEN_SAMPLES);
    }

    const GOLDEN_SAMPLES: [u64; 12] = [
        48,
        336_068_443,
        272_865_561,
        141,
        740_223_983,
        948_813_394,
        76,
        708_170_470,
        820_438_076,
        966,
        205_217_921,
        23_314_527,
    ];

    #[test]
    fn draws_have_the_mean_and_the_tail_they_should() {
        let mut dice = Dice::new(7, Purpose::Faults, 1);
        let count = 200_000_u64;
        let mean = Span::ms(5);
        let draws: Vec<u64> = (0..count).map(|_| exponential(dice.next(), mean).as_ns()).collect();
        let average = draws.iter().sum::<u64>() / count;
        // Five standard errors: 5 ms / sqrt(200,000) = 11.2 us each.
        assert!(average.abs_diff(5_000_000) < 56_000, "mean {average}");
        let beyond = draws.iter().filter(|draw| **draw > 15_000_000).count() as u64;
        // e^-3 of 200,000 is 9,957, give or take 97.
        assert!(beyond.abs_diff(9_957) < 490, "{beyond} beyond three means");
        let quarter = Ratio::new(1, 4).expect("a probability");
        let hits = (0..count).filter(|_| quarter.hits(dice.next())).count() as u64;
        assert!(hits.abs_diff(50_000) < 970, "{hits} of {count}");
        assert!((0..1_000).all(|_| Ratio::new(3, 3).expect("certainty").hits(dice.next())));
        assert!(!(0..1_000).any(|_| Ratio::ZERO.hits(dice.next())));
    }

    #[test]
    fn two_independent_chances_add_up() {
        let half = Ratio::new(1, 2).expect("a probability");
        let both = half.or(half);
        assert_eq!((both.part(), both.whole()), (3, 4));
        assert!(Ratio::ZERO.or(Ratio::ZERO).is_zero());
    }
}
