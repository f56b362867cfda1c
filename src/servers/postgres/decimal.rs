//! Exact decimal numbers, for `numeric`. Thirty-eight digits have to do.

use std::cmp::Ordering;
use std::fmt;

/// A whole number of `10^-scale`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    digits: i128,
    scale: u32,
}

/// Most places behind the point that are kept.
const SCALE_MAX: u32 = 20;

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self { digits: value.into(), scale: 0 }
    }
}

impl Decimal {
    /// How many places stand behind the point.
    pub fn scale(&self) -> u32 {
        self.scale
    }

    /// `digits` times ten to the minus `scale`.
    pub(super) fn new(digits: i128, scale: u32) -> Self {
        Self { digits, scale }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let (text, exponent) = match text.split_once(['e', 'E']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, body) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, part) = body.split_once('.').unwrap_or((body, ""));
        let all: String = [whole, part].concat();
        if all.is_empty() || all.len() > 36 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut digits: i128 = all.parse().ok()?;
        let mut scale = i32::try_from(part.len()).ok()? - exponent;
        while scale < 0 {
            digits = digits.checked_mul(10)?;
            scale += 1;
        }
        Some(Self { digits: if negative { -digits } else { digits }, scale: u32::try_from(scale).ok()? })
    }

    fn rescaled(&self, scale: u32) -> Option<i128> {
        self.digits.checked_mul(10_i128.checked_pow(scale.checked_sub(self.scale)?)?)
    }

    fn aligned(&self, other: &Self) -> Option<(i128, i128, u32)> {
        let scale = self.scale.max(other.scale);
        Some((self.rescaled(scale)?, other.rescaled(scale)?, scale))
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        match self.aligned(other) {
            Some((left, right, _)) => left.cmp(&right),
            None => self.round(0).digits.cmp(&other.round(0).digits),
        }
    }

    pub(super) fn add(&self, other: &Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { digits: left.checked_add(right)?, scale })
    }

    pub(super) fn negated(&self) -> Self {
        Self { digits: -self.digits, scale: self.scale }
    }

    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        let digits = self.digits.checked_mul(other.digits)?;
        let product = Self { digits, scale: self.scale + other.scale };
        Some(if product.scale > SCALE_MAX { product.round(SCALE_MAX) } else { product })
    }

    /// The quotient with at least 16 significant digits (`select_div_scale` in numeric.c). None: by zero.
    pub(super) fn over(&self, other: &Self) -> Option<Self> {
        if other.digits == 0 {
            return None;
        }
        let ((weight, first), (weight_other, first_other)) = (self.weight(), other.weight());
        let mut quotient = weight - weight_other;
        if first <= first_other {
            quotient -= 1;
        }
        let least = u32::try_from((16 - quotient * 4).max(0)).unwrap_or(0);
        let scale = least.max(self.scale).max(other.scale).min(SCALE_MAX);
        let up = 10_i128.checked_pow(scale + other.scale)?;
        let down = other.digits.checked_mul(10_i128.checked_pow(self.scale)?)?;
        Some(Self { digits: divided(self.digits.checked_mul(up)?, down), scale })
    }

    pub(super) fn remainder(&self, other: &Self) -> Option<Self> {
        let (left, right, scale) = self.aligned(other)?;
        Some(Self { digits: left.checked_rem(right)?, scale })
    }

    /// Weight and value of the first digit to the base 10,000.
    fn weight(&self) -> (i32, i128) {
        let mut number = self.digits.unsigned_abs();
        let pad = (4 - self.scale % 4) % 4;
        number = number.saturating_mul(10_u128.pow(pad));
        let mut weight = -i32::try_from((self.scale + pad) / 4).unwrap_or(0);
        while number >= 10_000 {
            number /= 10_000;
            weight += 1;
        }
        (weight, i128::try_from(number).unwrap_or(0))
    }

    /// Rounded to so many places, halves away from zero.
    pub fn round(&self, scale: u32) -> Self {
        if self.scale <= scale {
            let digits = self.rescaled(scale).unwrap_or(self.digits);
            return Self { digits, scale };
        }
        Self { digits: divided(self.digits, 10_i128.pow(self.scale - scale)), scale }
    }

    /// The greatest whole number that is not above.
    pub(super) fn floor(&self) -> Self {
        Self { digits: self.digits.div_euclid(10_i128.pow(self.scale)), scale: 0 }
    }

    /// Without what stands behind the point.
    pub fn trunc(&self) -> Self {
        Self { digits: self.digits / 10_i128.pow(self.scale), scale: 0 }
    }

    /// As an integer, when it is one that fits.
    pub fn whole(&self) -> Option<i64> {
        (self.scale == 0).then(|| i64::try_from(self.digits).ok()).flatten()
    }
}

/// Division that rounds halves away from zero.
fn divided(number: i128, by: i128) -> i128 {
    let (quotient, rest) = (number / by, number % by);
    if rest.unsigned_abs() * 2 < by.unsigned_abs() {
        return quotient;
    }
    quotient + if (number < 0) == (by < 0) { 1 } else { -1 }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.digits.unsigned_abs().to_string();
        let scale = self.scale as usize;
        let padded = if digits.len() <= scale { format!("{digits:0>width$}", width = scale + 1) } else { digits };
        let (whole, part) = padded.split_at(padded.len() - scale);
        let sign = if self.digits < 0 { "-" } else { "" };
        match part {
            "" => write!(formatter, "{sign}{whole}"),
            _ => write!(formatter, "{sign}{whole}.{part}"),
        }
    }
}
