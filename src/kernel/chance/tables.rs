//! Logarithms, powers of two and normal quantiles in integers: tables that the compiler computes,
//! from sums, products and square roots, and straight lines between their entries.

/// How many entries a table of logarithms or powers has from one power of two to the next.
const STEPS: usize = 256;
/// log2(1 + i / 256) in units of 2^-32.
const LOG2: [u64; STEPS + 1] = log2_table();
/// 2^(i / 256) in units of 2^-62.
const EXP2: [u64; STEPS + 1] = exp2_table();

/// log2 of a number in units of 2^-32. Off by less than 3 millionths.
///
/// # Panics
/// If the number is zero.
#[inline]
pub(super) const fn log2(number: u64) -> u64 {
    let exponent = number.ilog2();
    // The digits after the leading one, as a fraction of 2^63.
    let fraction = (number << (63 - exponent)) & (u64::MAX >> 1);
    let step = (fraction >> 55) as usize;
    let rest = (fraction >> 23) & 0xffff_ffff;
    let rise = LOG2[step + 1] - LOG2[step];
    ((exponent as u64) << 32) + LOG2[step] + ((rise * rest) >> 32)
}

/// 2^fraction in units of 2^-62, for a fraction in units of 2^-32 below 2^32: from 1 to 2. Off by
/// less than a millionth of it.
#[inline]
pub(super) const fn exp2(fraction: u64) -> u64 {
    let (step, rest) = ((fraction >> 24) as usize, fraction & 0xff_ffff);
    let rise = EXP2[step + 1] - EXP2[step];
    EXP2[step] + ((rise as u128 * rest as u128) >> 24) as u64
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

/// The root of two, its root, and so on: an exponent's binary digits say which of them to multiply.
const fn exp2_table() -> [u64; STEPS + 1] {
    let mut table = [1 << 62; STEPS + 1];
    let (mut root, mut digit) = (2_u128 << 62, STEPS);
    while digit > 1 {
        root = (root << 62).isqrt();
        digit /= 2;
        let mut step = 0;
        while step < STEPS {
            if step & digit != 0 {
                table[step] = ((table[step] as u128 * root) >> 62) as u64;
            }
            step += 1;
        }
    }
    table[STEPS] = 2 << 62;
    table
}

/// Beyond six standard deviations, one draw in 500 million, the tail is cut off.
const FARTHEST: u64 = 6 << 32;
/// How often a tail is halved until it is at the last of the quantiles: there it is 2^-30.
const HALVINGS: usize = 29;
/// How many quantiles there are from one halving to the next.
const FINE: usize = 32;
/// How many standard deviations from the mean a tail of 2^-30 begins, and so on up to one of 1/2, in units of 2^-32.
const QUANTILES: [u64; HALVINGS * FINE + 1] = quantile_table();

/// How many standard deviations from the mean the tail begins that has so many 2^64ths of a normal
/// distribution, in units of 2^-32: from 0 to 6. Off by less than a ten-thousandth of one.
///
/// # Panics
/// If the tail is more than half of the distribution.
#[inline]
pub(super) const fn quantile(tail: u64) -> u64 {
    let halvings = tail.leading_zeros() as usize;
    if halvings > HALVINGS {
        return FARTHEST;
    }
    // The digits after the leading one, as a fraction of 2^63.
    let fraction = (tail << halvings) & (u64::MAX >> 1);
    let place = (HALVINGS - halvings) * FINE + (fraction >> 58) as usize;
    let rest = (fraction >> 26) & 0xffff_ffff;
    let fall = QUANTILES[place] - QUANTILES[place + 1];
    let quantile = QUANTILES[place] - ((fall * rest) >> 32);
    if quantile > FARTHEST { FARTHEST } else { quantile }
}

/// How finely the bell curve is cut up: 256 slices a standard deviation, for eight of them.
const SLICES: usize = 8 * 256;

/// Walks out from the mean until what is left of the bell curve is as little as each entry says.
const fn quantile_table() -> [u64; HALVINGS * FINE + 1] {
    let tails = tails();
    let mut table = [0; HALVINGS * FINE + 1];
    let (mut place, mut slice) = (HALVINGS * FINE, 1);
    while place > 0 {
        place -= 1;
        let (halvings, step) = (HALVINGS - place / FINE, place % FINE);
        // The tail of this entry as a part of both tails together: (1 + step / FINE) / 2^(halvings + 1).
        let wanted = (2 * tails[0] * (FINE + step) as u128) >> (halvings + 1 + FINE.ilog2() as usize);
        while tails[slice] > wanted {
            slice += 1;
        }
        let (over, under) = (tails[slice - 1], tails[slice]);
        table[place] = ((slice as u64 - 1) << 24) + (((over - wanted) << 24) / (over - under)) as u64;
    }
    table
}

/// What is left of the bell curve beyond each slice, by the trapezoidal rule, to a scale of its own.
const fn tails() -> [u128; SLICES + 1] {
    // Each value of the curve is the one before it times a factor, and each factor the one before it
    // times a constant: exp(-(z + h)^2 / 2) = exp(-z^2 / 2) exp(-z h - h^2 / 2). The first factor,
    // exp(-2^-17), is the series 1 - 2^-17 + 2^-35 - 2^-51 / 6 in units of 2^-62.
    let first: u128 = (1 << 62) - (1 << 45) + (1 << 27) - (1 << 11) / 6;
    let constant = (first * first) >> 62;
    let mut heights = [1_u128 << 62; SLICES + 1];
    let (mut factor, mut slice) = (first, 1);
    while slice <= SLICES {
        heights[slice] = (heights[slice - 1] * factor) >> 62;
        factor = (factor * constant) >> 62;
        slice += 1;
    }
    let mut tails = [0; SLICES + 1];
    let mut slice = SLICES;
    while slice > 0 {
        slice -= 1;
        tails[slice] = tails[slice + 1] + heights[slice] + heights[slice + 1];
    }
    tails
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(scaled: u64) -> f64 {
        scaled as f64 / 2_f64.powi(32)
    }

    #[test]
    fn logarithms_and_powers_are_right_to_five_places() {
        for number in [1, 2, 3, 1_000_003, 1 << 40, u64::MAX / 7, u64::MAX] {
            let (ours, exact) = (unit(log2(number)), (number as f64).log2());
            assert!((ours - exact).abs() < 3e-6, "log2({number}) = {exact}, not {ours}");
        }
        for fraction in [0, 1, 0x1234_5678, 1 << 31, 0xffff_ffff] {
            let (ours, exact) = (exp2(fraction) as f64 / 2_f64.powi(62), unit(fraction).exp2());
            assert!((ours / exact - 1.0).abs() < 1e-6, "exp2({fraction}) = {exact}, not {ours}");
        }
    }

    /// Against the digits that tables of the normal distribution print.
    #[test]
    fn quantiles_are_those_of_the_books() {
        let printed = [
            (0.5, 0.0),
            (0.4, 0.253_347),
            (0.25, 0.674_490),
            (0.158_655_254, 1.0),
            (0.1, 1.281_552),
            (0.05, 1.644_854),
            (0.025, 1.959_964),
            (0.01, 2.326_348),
            (0.001, 3.090_232),
            (1e-4, 3.719_016),
            (1e-6, 4.753_424),
            (1e-8, 5.612_001),
            (1e-12, 6.0),
            (0.0, 6.0),
        ];
        for (tail, exact) in printed {
            let ours = unit(quantile((tail * 2_f64.powi(64)) as u64 - u64::from(tail == 0.5)));
            assert!((ours - exact).abs() < 1e-4, "{tail}: {ours} instead of {exact}");
        }
    }

    #[test]
    fn a_smaller_tail_never_begins_nearer() {
        let tails = (0..63).flat_map(|bit| (0..257).map(move |part| (1_u64 << bit) + ((1_u64 << bit) / 257) * part));
        let mut tails: Vec<u64> = tails.collect();
        tails.sort_unstable();
        assert!(tails.windows(2).all(|pair| quantile(pair[0]) >= quantile(pair[1])));
    }
}
