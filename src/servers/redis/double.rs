//! The doubles of scores and scripts, read and written as the server's C library does.

use super::reply::Bytes;
use std::cmp::Ordering;

/// A number of the server's own type. No NaN stands in a sorted set, so scores have a total order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Double(pub(super) f64);

impl PartialEq for Double {
    fn eq(&self, other: &Double) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Double {}

impl PartialOrd for Double {
    fn partial_cmp(&self, other: &Double) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Double {
    /// As numbers, so that -0 is 0; NaN, which only scripts have, after all others.
    fn cmp(&self, other: &Double) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or_else(|| self.0.is_nan().cmp(&other.0.is_nan()))
    }
}

impl Double {
    pub(super) const ZERO: Double = Double(0.0);
    pub(super) const INFINITE: Double = Double(f64::INFINITY);
    pub(super) const PI: Double = Double(std::f64::consts::PI);

    /// The nearest double to an integer.
    pub(super) fn from_int(int: i64) -> Double {
        Double(int as f64)
    }

    /// Cut towards zero, as C casts; beyond the range, the least integer, as x86 does.
    pub(super) fn to_int(self) -> i64 {
        // 2^63 is a double, the largest i64 is none.
        if self.0 >= -9_223_372_036_854_775_808.0 && self.0 < 9_223_372_036_854_775_808.0 {
            self.0 as i64
        } else {
            i64::MIN
        }
    }

    pub(super) fn plus(self, other: Double) -> Double {
        Double(self.0 + other.0)
    }

    pub(super) fn negated(self) -> Double {
        Double(-self.0)
    }

    pub(super) fn times(self, other: Double) -> Double {
        Double(self.0 * other.0)
    }

    pub(super) fn over(self, other: Double) -> Double {
        Double(self.0 / other.0)
    }

    /// What is left, with the sign of the divisor (Lua 5.1, `luai_nummod`).
    pub(super) fn modulo(self, other: Double) -> Double {
        Double(self.0 - (self.0 / other.0).floor() * other.0)
    }

    /// A power, where it is defined by products or a root, so that it is the same on every machine; else none.
    pub(super) fn power(self, exponent: Double) -> Option<Double> {
        if exponent.0 == 0.5 {
            return Some(Double(self.0.sqrt()));
        }
        if exponent.0.fract() != 0.0 || exponent.0.abs() > 2000.0 {
            return None;
        }
        let (mut product, mut square, mut left) = (1.0, self.0, exponent.0.abs() as u32);
        while left > 0 {
            if left % 2 == 1 {
                product *= square;
            }
            square *= square;
            left /= 2;
        }
        Some(Double(if exponent.0 < 0.0 { 1.0 / product } else { product }))
    }

    pub(super) fn floor(self) -> Double {
        Double(self.0.floor())
    }

    pub(super) fn ceiling(self) -> Double {
        Double(self.0.ceil())
    }

    pub(super) fn root(self) -> Double {
        Double(self.0.sqrt())
    }

    /// With so many digits behind the point, as C's `%.3f`.
    pub(super) fn fixed(self, places: usize) -> String {
        if self.0.is_finite() { format!("{:.places$}", self.0) } else { general(self.0, 6) }
    }

    /// With so many digits, as C's `%.14g`.
    pub(super) fn digits(self, digits: usize) -> String {
        general(self.0, digits.max(1))
    }

    pub(super) fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    /// A score as commands take it (util.c, `string2d`): no space, no rest, no overflow, no NaN.
    pub(super) fn score(text: &[u8]) -> Option<Double> {
        let (number, rest) = strtod(text)?;
        let starts_with_space = text.first().is_some_and(u8::is_ascii_whitespace);
        (rest == 0 && !starts_with_space && !number.is_out_of_range && !number.value.is_nan())
            .then_some(Double(number.value))
    }

    /// An end of a range of scores (t_zset.c, `zslParseRange`): a space may stand before it, nothing at all is zero, and what is too
    /// large is infinite.
    pub(super) fn bound(text: &[u8]) -> Option<Double> {
        match strtod(text) {
            Some((number, 0)) => (!number.value.is_nan()).then_some(Double(number.value)),
            Some(_) => None,
            None => text.is_empty().then_some(Double::ZERO),
        }
    }

    /// As a script reads a number (Lua 5.1, `luaO_str2d`): spaces may stand around it.
    pub(super) fn scripted(text: &[u8]) -> Option<Double> {
        strtod(text.trim_ascii_end()).and_then(|(number, rest)| (rest == 0).then_some(Double(number.value)))
    }

    /// The format `%.17g`, which Redis 7.0 has for scores.
    pub(super) fn text(self) -> Bytes {
        general(self.0, 17).into_bytes()
    }

    /// The format `%.14g`, which Lua has for all numbers.
    pub(super) fn short_text(self) -> String {
        general(self.0, 14)
    }
}

struct Number {
    value: f64,
    /// Whether C's `errno` would say ERANGE, and the result be infinite or zero.
    is_out_of_range: bool,
}

/// Reads a number at the start of a text as C's `strtod` does, and says how many bytes are left.
fn strtod(text: &[u8]) -> Option<(Number, usize)> {
    let start = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b)?;
    let unsigned =
        text[start..].strip_prefix(b"-").or_else(|| text[start..].strip_prefix(b"+")).unwrap_or(&text[start..]);
    let is_negative = text[start] == b'-';
    let lower = unsigned.to_ascii_lowercase();
    let (value, length, is_out_of_range) = if lower.starts_with(b"infinity") {
        (f64::INFINITY, 8, false)
    } else if lower.starts_with(b"inf") {
        (f64::INFINITY, 3, false)
    } else if lower.starts_with(b"nan") {
        (f64::NAN, 3, false)
    } else if let Some(hexadecimal) = lower.strip_prefix(b"0x").and_then(hexadecimal) {
        hexadecimal
    } else {
        decimal(&lower)?
    };
    let value = if is_negative { -value } else { value };
    Some((Number { value, is_out_of_range }, unsigned.len() - length))
}

/// Digits with a point and an exponent: the value, the length, and whether it left the range.
fn decimal(text: &[u8]) -> Option<(f64, usize, bool)> {
    let digits = |from: usize| text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(0);
    let mut length = whole;
    if text.get(whole) == Some(&b'.') {
        let fraction = digits(whole + 1);
        if whole + fraction == 0 {
            return None;
        }
        length += 1 + fraction;
    }
    if length == 0 {
        return None;
    }
    let mantissa = length;
    if text.get(length) == Some(&b'e') {
        let sign = usize::from(matches!(text.get(length + 1), Some(b'+' | b'-')));
        let exponent = if length + 1 + sign <= text.len() { digits(length + 1 + sign) } else { 0 };
        if exponent > 0 {
            length += 1 + sign + exponent;
        }
    }
    let value: f64 = std::str::from_utf8(&text[..length]).ok()?.parse().ok()?;
    let is_zero = text[..mantissa].iter().all(|byte| matches!(byte, b'0' | b'.'));
    Some((value, length, value.is_infinite() || (value == 0.0 && !is_zero)))
}

/// What follows `0x`: digits, a point, an exponent of two. The length is that with `0x`.
fn hexadecimal(text: &[u8]) -> Option<(f64, usize, bool)> {
    let (mut value, mut length, mut digits, mut scale) = (0.0_f64, 0, 0, None);
    for byte in text {
        match (char::from(*byte).to_digit(16), scale) {
            (Some(digit), None) => value = value * 16.0 + f64::from(digit),
            (Some(digit), Some(place)) => {
                value += f64::from(digit) * place;
                scale = Some(place / 16.0);
            }
            (None, None) if *byte == b'.' => scale = Some(1.0 / 16.0),
            (None, _) => break,
        }
        length += 1;
        digits += usize::from(*byte != b'.');
    }
    if digits == 0 {
        return None;
    }
    if text.get(length) == Some(&b'p') {
        let rest = &text[length + 1..];
        let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let count = rest[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count > 0 {
            let power: i32 = std::str::from_utf8(&rest[..sign + count]).ok()?.parse().unwrap_or(i32::MAX);
            value *= f64::powi(2.0, power.clamp(-2000, 2000));
            length += 1 + sign + count;
        }
    }
    Some((value, length + 2, value.is_infinite()))
}

/// C's `%.<precision>g`.
fn general(value: f64, precision: usize) -> String {
    if value.is_nan() {
        return if value.is_sign_negative() { "-nan" } else { "nan" }.to_owned();
    }
    if value.is_infinite() {
        return if value < 0.0 { "-inf" } else { "inf" }.to_owned();
    }
    let scientific = format!("{value:.*e}", precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').expect("an exponent");
    let exponent: i32 = exponent.parse().expect("a number");
    if exponent < -4 || exponent >= precision as i32 {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{}e{sign}{:02}", trimmed(mantissa), exponent.abs());
    }
    let places = usize::try_from(precision as i32 - 1 - exponent).expect("not negative");
    trimmed(&format!("{value:.places$}")).to_owned()
}

/// Without zeros at the end of a fraction.
fn trimmed(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_those_of_seventeen_digits() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (1.5, "1.5"),
            (3.0, "3"),
            (-0.0, "-0"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (f64::INFINITY, "inf"),
            (2.0_f64.powi(-25), "2.9802322387695312e-08"),
        ] {
            assert_eq!(String::from_utf8(Double(value).text()).expect("ascii"), text);
        }
        assert_eq!(Double(0.1).short_text(), "0.1");
        assert_eq!(Double(1e15).short_text(), "1e+15");
    }

    #[test]
    fn scores_are_read_strictly_and_bounds_leniently() {
        for (text, score, bound) in [
            ("1", Some(1.0), Some(1.0)),
            ("-inf", Some(f64::NEG_INFINITY), Some(f64::NEG_INFINITY)),
            ("0x10", Some(16.0), Some(16.0)),
            ("1e3", Some(1000.0), Some(1000.0)),
            (".5", Some(0.5), Some(0.5)),
            ("5.", Some(5.0), Some(5.0)),
            (" 5", None, Some(5.0)),
            ("5 ", None, None),
            ("", None, Some(0.0)),
            ("nan", None, None),
            ("1e400", None, Some(f64::INFINITY)),
            ("1e-400", None, Some(0.0)),
            ("1e", None, None),
            ("x", None, None),
            (".", None, None),
        ] {
            assert_eq!(Double::score(text.as_bytes()), score.map(Double), "score {text:?}");
            assert_eq!(Double::bound(text.as_bytes()), bound.map(Double), "bound {text:?}");
        }
    }
}
