//! A seed as somebody writes it: on the command line, in a variable.

use std::ops::Range;
use std::str::FromStr;

/// A seed: `42`, `0x2a`, or a git commit of 40 hexadecimal digits.
///
/// A commit is folded to 64 bits: its first 16 digits, the next 16 and the last 8 (as the upper
/// half), combined by exclusive or.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seed(pub u64);

impl FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Seed, String> {
        let digits = text.replace('_', "");
        if text.len() == 40 && text.chars().all(|digit| digit.is_ascii_hexdigit()) {
            let word = |digits: &str| u64::from_str_radix(digits, 16).expect("hexadecimal digits");
            return Ok(Seed(word(&text[..16]) ^ word(&text[16..32]) ^ word(&text[32..]) << 32));
        }
        let (digits, radix, largest) = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
            Some(digits) => (digits, 16, format!("0x{:x}", u64::MAX)),
            None => (digits.as_str(), 10, u64::MAX.to_string()),
        };
        if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
            return Err("write 42, 0x2a, or a git commit of 40 digits".to_owned());
        }
        // Only digits are left, so only their number can be too much.
        u64::from_str_radix(digits, radix).map(Seed).map_err(|_| format!("the largest seed is {largest}"))
    }
}

/// A range of seeds: `0..1000`, without the last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seeds(pub Range<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Seeds, String> {
        let example = "write for example 0..1000, which is the seeds from 0 to 999";
        let (from, to) = text.split_once("..").ok_or(example)?;
        if to.starts_with('=') {
            return Err(example.to_owned());
        }
        let seed = |text: &str| text.parse::<Seed>().map_err(|why| format!("{why}; {example}"));
        let (from, to) = (seed(from)?.0, seed(to)?.0);
        if from >= to {
            return Err(format!("there is no seed from {from} to before {to}; {example}"));
        }
        Ok(Seeds(from..to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_read_in_three_ways_or_refused_with_a_cure() {
        let read = |text: &str| text.parse().map(|Seed(seed)| seed);
        assert_eq!(read("42"), Ok(42));
        assert_eq!(read("0x2A"), Ok(42));
        assert_eq!(read("1_000"), Ok(1_000));
        assert_eq!(read("18446744073709551615"), Ok(u64::MAX));
        assert_eq!(read("0000000000000001000000000000000200000004"), Ok(3 | 4 << 32));
        assert!(read("18446744073709551616").unwrap_err().contains("largest seed is 18446744073709551615"));
        assert!(read("0x10000000000000000").unwrap_err().contains("0xffffffffffffffff"));
        for wrong in ["", "-1", "abc", "0x", "1.5", "c0ffee", "+1"] {
            assert!(read(wrong).unwrap_err().contains("write 42"), "{wrong}");
        }
    }

    #[test]
    fn a_range_of_seeds_has_a_beginning_and_an_end() {
        let read = |text: &str| text.parse().map(|Seeds(seeds)| seeds);
        assert_eq!(read("0..1_000"), Ok(0..1_000));
        assert_eq!(read("0x10..0x20"), Ok(16..32));
        for (wrong, says) in
            [("5", "0..1000"), ("5..", "write 42"), ("5..5", "no seed"), ("9..1", "no seed"), ("0..=5", "0..1000")]
        {
            assert!(read(wrong).unwrap_err().contains(says), "{wrong}: {:?}", read(wrong));
        }
    }
}
