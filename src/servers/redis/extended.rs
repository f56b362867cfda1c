//! The long doubles of INCRBYFLOAT: 64 bits of mantissa, as x86 has them, in integers.

use super::reply::Bytes;

/// A number: the mantissa times a power of two. The mantissa's first bit is set, unless the number is zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extended {
    is_negative: bool,
    mantissa: u64,
    exponent: i32,
}

/// The nearest mantissa of 64 bits to a number of 128, ties to even; `sticky` says that it is a little more.
fn rounded(is_negative: bool, number: u128, exponent: i32, sticky: bool) -> Extended {
    let excess = 64 - i32::try_from(number.leading_zeros()).expect("at most 128");
    if number == 0 {
        return Extended { is_negative, mantissa: 0, exponent: 0 };
    }
    if excess <= 0 {
        let mantissa = u64::try_from(number << -excess).expect("64 bits");
        return Extended { is_negative, mantissa, exponent: exponent + excess };
    }
    let (whole, rest) = (number >> excess, number & ((1 << excess) - 1));
    let half = 1_u128 << (excess - 1);
    let is_up = rest > half || rest == half && (sticky || whole & 1 == 1);
    match u64::try_from(whole + u128::from(is_up)) {
        Ok(mantissa) => Extended { is_negative, mantissa, exponent: exponent + excess },
        // All ones have become one more bit.
        Err(_) => Extended { is_negative, mantissa: 1 << 63, exponent: exponent + excess + 1 },
    }
}

impl Extended {
    /// Reads digits with a point and an exponent. None for what is no number, and for what takes more than 128 bits on the way.
    pub(super) fn read(text: &[u8]) -> Option<Extended> {
        let is_negative = text.first() == Some(&b'-');
        let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
        let (mut digits, mut power, mut is_fraction, mut count) = (0_u128, 0_i32, false, 0);
        let mut rest = unsigned;
        while let Some((byte, after)) = rest.split_first() {
            match byte {
                b'0'..=b'9' => {
                    digits = digits.checked_mul(10)?.checked_add(u128::from(byte - b'0'))?;
                    power -= i32::from(is_fraction);
                    count += 1;
                }
                b'.' if !is_fraction => is_fraction = true,
                b'e' | b'E' if count > 0 => {
                    let exponent = std::str::from_utf8(after).ok()?;
                    let is_plain = exponent.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
                    power += is_plain.then(|| exponent.parse::<i32>().ok()).flatten()?;
                    rest = &[];
                    break;
                }
                _ => return None,
            }
            rest = after;
        }
        if count == 0 || !rest.is_empty() {
            return None;
        }
        while power < 0 && digits.is_multiple_of(10) && digits > 0 {
            digits /= 10;
            power += 1;
        }
        if power >= 0 {
            let factor = 10_u128.checked_pow(power.unsigned_abs())?;
            return Some(rounded(is_negative, digits.checked_mul(factor)?, 0, false));
        }
        let divisor = 10_u128.checked_pow(power.unsigned_abs()).filter(|divisor| *divisor < 1 << 60)?;
        let shift = digits.leading_zeros();
        let shifted = digits.checked_shl(shift).unwrap_or(0);
        let exponent = -i32::try_from(shift).expect("at most 128");
        Some(rounded(is_negative, shifted / divisor, exponent, shifted % divisor != 0))
    }

    /// The nearest to the exact sum.
    pub(super) fn plus(self, other: Extended) -> Extended {
        if self.mantissa == 0 || other.mantissa == 0 {
            return if self.mantissa == 0 { other } else { self };
        }
        let (large, small) = if (self.exponent, self.mantissa) >= (other.exponent, other.mantissa) {
            (self, other)
        } else {
            (other, self)
        };
        // Room for a carry above, and for what is shifted out below.
        let distance = u32::try_from(large.exponent - small.exponent).expect("not negative");
        let high = u128::from(large.mantissa) << 62;
        let low = u128::from(small.mantissa) << 62;
        let shifted = low.checked_shr(distance).unwrap_or(0);
        let sticky = distance > 0 && (distance >= 128 || shifted << distance != low);
        let exponent = large.exponent - 62;
        if large.is_negative == small.is_negative {
            return rounded(large.is_negative, high + shifted, exponent, sticky);
        }
        let difference = high - shifted - u128::from(sticky);
        rounded(large.is_negative && difference != 0, difference, exponent, sticky)
    }

    /// With at most 17 digits behind the point and no zeros at the end (util.c, `ld2string`). None for what takes more than 128
    /// bits on the way.
    pub(super) fn text(self) -> Option<Bytes> {
        const SCALE: u128 = 100_000_000_000_000_000;
        let scaled = if self.exponent >= 0 {
            u128::from(self.mantissa).checked_shl(self.exponent.unsigned_abs())?.checked_mul(SCALE)?
        } else {
            let exact = u128::from(self.mantissa).checked_mul(SCALE)?;
            let shift = self.exponent.unsigned_abs();
            let whole = exact.checked_shr(shift).unwrap_or(0);
            let rest = exact - whole.checked_shl(shift).unwrap_or(0);
            let half = 1_u128.checked_shl(shift - 1).unwrap_or(u128::MAX);
            whole + u128::from(rest > half || rest == half && whole & 1 == 1)
        };
        let text = format!("{}.{:017}", scaled / SCALE, scaled % SCALE);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        let sign = if self.is_negative && text != "0" { "-" } else { "" };
        Some(format!("{sign}{text}").into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_real_server() {
        for (one, other, sum) in [
            ("0", "10.5", "10.5"),
            ("10.5", "0.1", "10.6"),
            ("10.6", "1000", "1010.59999999999999998"),
            ("1010.59999999999999998", "5.0e3", "6010.60000000000000009"),
            ("1.5", "-1.5", "0"),
            ("-0.1", "0.3", "0.2"),
            ("9007199254740993", "1", "9007199254740994"),
            ("3", "-7.25", "-4.25"),
        ] {
            let number = |text: &str| Extended::read(text.as_bytes()).expect("a number");
            let text = number(one).plus(number(other)).text().expect("a text");
            assert_eq!(String::from_utf8(text).expect("ascii"), sum, "{one} + {other}");
        }
        for wrong in ["", "abc", "1.2.3", "1e", ".", " 1", "1 ", "nan", "--1", "1e--2"] {
            assert_eq!(Extended::read(wrong.as_bytes()), None, "{wrong:?}");
        }
    }
}
