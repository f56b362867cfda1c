//! How sure one can be after so many seeds.

use crate::run::curve::Curve;
use statrs::distribution::{Beta, ContinuousCDF};

/// With this confidence bounds are told.
pub const CONFIDENCE: f64 = 0.95;

/// Seeds fail with at most this probability, at a confidence of 95 %, if `failed` of `ran` independent ones have:
/// the upper bound of Clopper and Pearson (1934). After N clean seeds that is about 3/N, the rule of three.
pub fn failure_bound(failed: u64, ran: u64) -> f64 {
    if failed >= ran {
        return 1.0;
    }
    if failed == 0 {
        return 1.0 - (1.0 - CONFIDENCE).powf(1.0 / ran as f64);
    }
    Beta::new(failed as f64 + 1.0, (ran - failed) as f64).map_or(1.0, |beta| beta.inverse_cdf(CONFIDENCE))
}

/// The chance that the next seed shows an abstract state that none has shown (Good and Turing).
pub fn chance_of_new(curve: &Curve) -> f64 {
    let (singular, seeds) = curve.singular_seeds();
    if seeds == 0 { 1.0 } else { singular as f64 / seeds as f64 }
}

/// A small probability with two digits that mean something: `0.30 %`, `0.0031 %`.
pub fn percent(probability: f64) -> String {
    let percent = 100.0 * probability;
    if percent <= 0.0 {
        return "0 %".to_owned();
    }
    let places = (1.0 - percent.log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{percent:.places$} %")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the tables of Clopper and Pearson for one-sided 95 %.
    #[test]
    fn the_bound_is_that_of_clopper_and_pearson() {
        let near = |bound: f64, exact: f64| assert!((bound - exact).abs() < 5e-5, "{bound} is not {exact}");
        near(failure_bound(0, 10), 0.258_87);
        near(failure_bound(0, 1_000), 0.002_991);
        near(failure_bound(1, 10), 0.394_16);
        near(failure_bound(3, 100), 0.075_71);
        near(failure_bound(10, 10), 1.0);
    }

    #[test]
    fn a_probability_has_two_digits() {
        assert_eq!(
            [0.5, 0.0299, 0.00299, 0.000_030_1, 0.0, 1.0].map(percent),
            ["50 %", "3.0 %", "0.30 %", "0.0030 %", "0 %", "100 %"]
        );
    }
}
