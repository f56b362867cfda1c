//! How long something takes: the distributions of latencies.

use super::text::SpanRange;
use crate::kernel::chance::{Ratio, exponential, log_normal, within};
use crate::kernel::digest::mix;
use crate::kernel::time::Span;
use serde::{Deserialize, Serialize};

/// A distribution of spans. One random word makes one draw.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Distribution {
    /// Always the same.
    Const(Span),
    /// Anything from `min` to `max`, both included, equally likely.
    Uniform {
        /// The shortest.
        min: Span,
        /// The longest.
        max: Span,
    },
    /// `min` and an exponential rest, `mean` altogether. The tail reaches 45 times the rest's mean.
    Exp {
        /// The shortest.
        min: Span,
        /// The mean of the whole, at least `min`.
        mean: Span,
    },
    /// As real networks are: its logarithm is normal, half of the draws are above the median and one in
    /// a hundred is above `p99`. The tail ends six standard deviations out, at `median` times
    /// (`p99` / `median`)^2.58.
    LogNormal {
        /// The middle, more than zero.
        median: Span,
        /// What one in a hundred exceeds, at least `median`.
        p99: Span,
    },
    /// Mostly fast, and slow with probability `p`: a queue somewhere, a retransmission.
    Bimodal {
        /// The usual case, uniform in the range.
        fast: SpanRange,
        /// The slow case, uniform in the range.
        slow: SpanRange,
        /// How often it is slow.
        p: Ratio,
    },
}

impl Distribution {
    /// No time at all.
    pub const ZERO: Distribution = Distribution::Const(Span::ZERO);

    /// A draw.
    #[inline(always)]
    pub fn sample(&self, word: u64) -> Span {
        match *self {
            Distribution::Const(span) => span,
            Distribution::Uniform { min, max } => within(word, min, max),
            Distribution::Exp { .. } | Distribution::LogNormal { .. } | Distribution::Bimodal { .. } => {
                self.sample_curved(word)
            }
        }
    }

    #[inline(never)]
    fn sample_curved(&self, word: u64) -> Span {
        match *self {
            Distribution::Const(_) | Distribution::Uniform { .. } => unreachable!("sampled in line"),
            Distribution::Exp { min, mean } => min + exponential(word, mean - min),
            Distribution::LogNormal { median, p99 } => log_normal(word, median, p99),
            Distribution::Bimodal { fast, slow, p } => {
                if p.hits(word) {
                    slow.draw(mix(word, 1))
                } else {
                    fast.draw(mix(word, 2))
                }
            }
        }
    }

    /// The shortest span that can be drawn.
    pub fn least(&self) -> Span {
        match *self {
            Distribution::Const(span) => span,
            Distribution::Uniform { min, .. } | Distribution::Exp { min, .. } => min,
            Distribution::LogNormal { .. } => self.sample(0),
            Distribution::Bimodal { fast, slow, .. } => fast.min.min(slow.min),
        }
    }

    /// Whether every draw is zero.
    pub fn is_zero(&self) -> bool {
        *self == Distribution::ZERO
    }

    /// Whether the numbers make sense together.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it.
    pub fn validate(&self) -> Result<(), String> {
        match *self {
            Distribution::Uniform { min, max } if min > max => {
                Err(format!("Uniform from {min} to {max} runs backwards; swap min and max"))
            }
            Distribution::Exp { min, mean } if min > mean => {
                Err(format!("Exp has a mean of {mean} below its minimum of {min}; raise mean or lower min"))
            }
            Distribution::LogNormal { median: Span::ZERO, .. } => {
                Err("LogNormal has a median of 0s, from which it cannot grow; raise median, or write Const".to_owned())
            }
            Distribution::LogNormal { median, p99 } if median > p99 => {
                Err(format!("LogNormal has a p99 of {p99} below its median of {median}; raise p99 or lower median"))
            }
            Distribution::Const(_)
            | Distribution::Uniform { .. }
            | Distribution::Exp { .. }
            | Distribution::LogNormal { .. }
            | Distribution::Bimodal { .. } => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::rng::{Dice, Purpose};

    #[test]
    fn every_distribution_stays_in_its_range_and_has_its_mean() {
        let range = |min, max| SpanRange { min: Span::ms(min), max: Span::ms(max) };
        let cases = [
            (Distribution::Const(Span::ms(3)), 3_000_000, 3_000_000, 3_000_000),
            (Distribution::Uniform { min: Span::ms(1), max: Span::ms(9) }, 5_000_000, 1_000_000, 9_000_000),
            (Distribution::Exp { min: Span::ms(1), mean: Span::ms(5) }, 5_000_000, 1_000_000, 181_000_000),
            // exp(sigma^2 / 2) times the median, for a sigma of ln(10) / 2.3263 = 0.98978.
            (Distribution::LogNormal { median: Span::ms(2), p99: Span::ms(20) }, 3_264_300, 5_200, 768_000_000),
            (
                Distribution::Bimodal {
                    fast: range(1, 3),
                    slow: range(100, 300),
                    p: Ratio::new(1, 10).expect("a probability"),
                },
                21_800_000,
                1_000_000,
                300_000_000,
            ),
        ];
        let mut dice = Dice::new(3, Purpose::Network, 0);
        for (distribution, mean, least, most) in cases {
            assert_eq!(distribution.validate(), Ok(()));
            let draws: Vec<u64> = (0..100_000).map(|_| distribution.sample(dice.next()).as_ns()).collect();
            let average = draws.iter().sum::<u64>() / 100_000;
            assert!(average.abs_diff(mean) <= mean / 50, "{distribution:?}: mean {average}");
            assert!(distribution.least().as_ns() >= least, "{distribution:?}");
            assert!(draws.iter().all(|draw| (least..=most).contains(draw)), "{distribution:?}");
        }
    }

    #[test]
    fn bounds_may_be_equal_and_leave_one_span() {
        let (span, range) = (Span::ms(7), SpanRange { min: Span::ms(7), max: Span::ms(7) });
        let half = Ratio::new(1, 2).expect("a probability");
        let alike = [
            Distribution::Uniform { min: span, max: span },
            Distribution::Exp { min: span, mean: span },
            Distribution::LogNormal { median: span, p99: span },
            Distribution::Bimodal { fast: range, slow: range, p: half },
        ];
        for distribution in alike {
            assert_eq!((distribution.validate(), distribution.least()), (Ok(()), span));
            for word in [0, 1, u64::MAX / 3, u64::MAX - 1, u64::MAX] {
                assert_eq!(distribution.sample(word), span, "{distribution:?} of {word}");
            }
        }
    }

    #[test]
    fn a_log_normal_that_makes_no_sense_says_how_to_mend_it() {
        let says = |median, p99| Distribution::LogNormal { median, p99 }.validate().expect_err("nonsense");
        assert!(says(Span::ZERO, Span::ms(1)).ends_with("; raise median, or write Const"));
        assert!(says(Span::ms(2), Span::ms(1)).ends_with("; raise p99 or lower median"));
    }
}
