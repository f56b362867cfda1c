//! Integer samplers: a word of 64 random bits in, a draw out. No floats, a fixed number of
//! words a draw, golden-tested, so that a seed means the same for ever and on every platform.

mod tables;

use super::time::Span;
use std::cmp::Ordering;
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

/// By how likely they are.
impl Ord for Ratio {
    fn cmp(&self, other: &Ratio) -> Ordering {
        let crosswise = |one: &Ratio, other: &Ratio| u128::from(one.part) * u128::from(other.whole);
        crosswise(self, other).cmp(&crosswise(other, self))
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Ratio) -> Option<Ordering> {
        Some(self.cmp(other))
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

/// ln(2) in units of 2^-32.
const LN_2: u64 = 2_977_044_472;

/// -ln(u) in units of 2^-32, for u = (word + 1) / 2^64. Off by less than 1/100,000 of a unit of ln.
#[inline]
fn minus_ln(word: u64) -> u64 {
    let Some(numerator) = word.checked_add(1) else { return 0 };
    (((u128::from((64_u64 << 32) - tables::log2(numerator))) * u128::from(LN_2)) >> 32) as u64
}

/// The longest span that [`log_normal`] draws: 2^62 ns, 146 years.
pub const LONGEST: Span = Span::ns(1 << 62);

/// A span whose logarithm is normally distributed, given by its median and the span that one draw
/// in a hundred exceeds. At most what six standard deviations give, or [`LONGEST`]; the larger the word,
/// the longer the span. Where `p99` is below the median, always the median.
#[inline]
pub fn log_normal(word: u64, median: Span, p99: Span) -> Span {
    /// One through how far out the hundredth is that exceeds `p99`, in units of 2^-48.
    const PER_HUNDREDTH: u128 = (1 << 80) / tables::quantile(u64::MAX / 100) as u128;
    const ONE: u64 = 1 << 32;
    let (median, p99) = (median.as_ns().max(1), p99.as_ns().max(1));
    let spread = tables::log2(p99).saturating_sub(tables::log2(median));
    let quantile = tables::quantile(word.min(!word));
    // How often the median is doubled or halved, in units of 2^-32: below 2^40.
    let power = ((u128::from(spread) * u128::from(quantile) * PER_HUNDREDTH) >> 80) as u64;
    let times = |fraction: u64| u128::from(median) * u128::from(tables::exp2(fraction));
    let drawn = if word > u64::MAX / 2 {
        // More doublings than 62 are beyond the longest span, whatever the median.
        let shift = 62_u64.checked_sub(power / ONE);
        shift.map_or(u128::MAX, |shift| times(power % ONE) >> shift)
    } else {
        let halvings = power.div_ceil(ONE);
        times(halvings * ONE - power).checked_shr(62 + halvings as u32).unwrap_or(0)
    };
    Span::ns(drawn.min(u128::from(LONGEST.as_ns())) as u64)
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
    fn log_normal_draws_are_pinned() {
        let mut dice = Dice::new(2, Purpose::Faults, 0);
        let drawn: Vec<u64> = (0..8).map(|_| log_normal(dice.next(), Span::ms(2), Span::ms(40)).as_ns()).collect();
        assert_eq!(drawn, GOLDEN_LOG_NORMAL);
    }

    const GOLDEN_LOG_NORMAL: [u64; 8] = [5_396_735, 336_374, 829_250, 1_458_936, 673_210, 830_243, 367_222, 2_714_735];

    #[test]
    fn a_log_normal_span_has_its_median_its_hundredth_and_its_bounds() {
        let (median, p99) = (Span::ms(2), Span::ms(40));
        let at = |part: f64| log_normal((part * 2_f64.powi(64)) as u64, median, p99).as_ns() as f64 / 2e6;
        assert!((at(0.5) - 1.0).abs() < 1e-4, "{}", at(0.5));
        assert!((at(0.99) / 20.0 - 1.0).abs() < 1e-4, "{}", at(0.99));
        assert!((at(0.01) * 20.0 - 1.0).abs() < 1e-4, "{}", at(0.01));
        let six_sigma = 20_f64.powf(6.0 / 2.326_348);
        assert!((at(1.0) / six_sigma - 1.0).abs() < 1e-3, "{}", at(1.0));
        assert!((at(0.0) * six_sigma - 1.0).abs() < 1e-3, "{}", at(0.0));
        assert_eq!(log_normal(u64::MAX, median, median), median);
    }

    #[test]
    fn the_widest_log_normal_spans_do_not_overflow() {
        for (median, p99) in [(1, u64::MAX), (u64::MAX, u64::MAX), (1 << 62, u64::MAX), (0, 0), (7, 3), (0, 1 << 63)] {
            for word in [0, 1, u64::MAX / 2, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX] {
                assert!(log_normal(word, Span::ns(median), Span::ns(p99)) <= LONGEST);
            }
        }
    }

    #[test]
    fn ratios_are_ordered_by_how_likely_they_are() {
        let ratio = |part, whole| Ratio::new(part, whole).expect("a probability");
        assert!(Ratio::ZERO < ratio(1, u64::MAX) && ratio(1, 3) < ratio(1, 2) && ratio(2, 3) < Ratio::ONE);
        assert!(ratio(u64::MAX - 2, u64::MAX - 1) < ratio(u64::MAX - 1, u64::MAX));
    }

    #[test]
    fn two_independent_chances_add_up() {
        let half = Ratio::new(1, 2).expect("a probability");
        let both = half.or(half);
        assert_eq!((both.part(), both.whole()), (3, 4));
        assert!(Ratio::ZERO.or(Ratio::ZERO).is_zero());
    }
}
