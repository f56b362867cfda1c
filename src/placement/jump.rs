//! Jump consistent hash: numbered buckets, no table. Source: Lamping and Veach, "A Fast, Minimal Memory, Consistent Hash
//! Algorithm", 2014, figure 1.

/// The bucket of a key, below `buckets`. One bucket more takes keys from all others and moves no other key; only the
/// last bucket can go.
///
/// The published code computes in doubles; this is the same to the last bit, in integers.
///
/// # Panics
/// If there are no buckets.
pub fn bucket(mut key: u64, buckets: u32) -> u32 {
    assert!(buckets > 0, "a key needs a bucket");
    let (mut bucket, mut next) = (0, 0);
    while next < u64::from(buckets) {
        bucket = next;
        key = key.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        next = jump(bucket + 1, (key >> 33) + 1);
    }
    bucket as u32
}

/// `count * (2^31 / divisor)`, cut to an integer: quotient and product as doubles round them, each to 53 bits, the nearest,
/// of two the even. `count` is at most 2^32, `divisor` at most 2^31.
fn jump(count: u64, divisor: u64) -> u64 {
    // The quotient lies from 2^log to below 2^(log + 1).
    let log = 31 - divisor.next_power_of_two().ilog2();
    let scale = 52 - log;
    let quotient = divided(1 << (31 + scale), u128::from(divisor));
    let product = quotient * u128::from(count);
    let excess = (u128::BITS - product.leading_zeros()).saturating_sub(53);
    ((divided(product, 1 << excess) << excess) >> scale) as u64
}

/// The integer nearest to a quotient, of two the even.
fn divided(dividend: u128, divisor: u128) -> u128 {
    let (quotient, rest) = (dividend / divisor, dividend % divisor);
    let is_up = (2 * rest, quotient % 2) > (divisor, 0);
    quotient + u128::from(is_up)
}

#[cfg(test)]
mod tests {
    use super::{bucket, jump};

    /// Also where a quotient is rounded down and the exact product is an integer: 49 * (1 / 49) is below 1 in doubles.
    #[test]
    fn a_jump_is_what_doubles_make_of_it() {
        let double = |count: u64, divisor: u64| (count as f64 * ((1_u64 << 31) as f64 / divisor as f64)) as u64;
        let odd = (1..2_000_u64).flat_map(|odd| (0..20).map(move |shift| odd << shift));
        let mut is_exact = true;
        for divisor in odd.chain([1 << 31, (1 << 31) - 1]).filter(|divisor| *divisor <= 1 << 31) {
            for count in [1, 2, 3, 49, 98, 1_000, divisor, 3 * divisor, (1 << 32) - 1].map(|count| count.min(1 << 32)) {
                assert_eq!(jump(count, divisor), double(count, divisor), "{count} * (2^31 / {divisor})");
                is_exact &= jump(count, divisor) == (count << 31) / divisor;
            }
        }
        assert!(!is_exact, "no case was rounded");
    }

    #[test]
    fn keys_go_where_others_have_them() {
        let known = [(1, 1, 0), (42, 57, 43), (0xdead_10cc, 1, 0), (0xdead_10cc, 666, 361), (256, 1_024, 520)];
        for (key, buckets, expected) in known {
            assert_eq!(bucket(key, buckets), expected, "{key} of {buckets}");
        }
    }

    #[test]
    fn only_the_new_bucket_gains() {
        for key in (0..10_000_u64).map(|key| key.wrapping_mul(0x9e37_79b9_7f4a_7c15)) {
            for buckets in 1..40 {
                let (before, after) = (bucket(key, buckets), bucket(key, buckets + 1));
                assert!(after == before || after == buckets, "{key}: {before} of {buckets}, {after} of one more");
            }
        }
        assert!(bucket(u64::MAX, u32::MAX) < u32::MAX);
    }
}
