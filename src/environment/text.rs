//! How spans, instants, probabilities and rates are written in files, and read back exactly.

use crate::kernel::chance::Ratio;
use crate::kernel::time::{Span, Time};
use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};
use std::fmt;

/// An inclusive range of spans. Written `"5ms"` for one value, `("1ms", "5ms")` for a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SpanRange {
    /// The shortest.
    pub min: Span,
    /// The longest; never shorter than `min`.
    pub max: Span,
}

impl SpanRange {
    /// Just this span.
    pub const fn exactly(span: Span) -> SpanRange {
        SpanRange { min: span, max: span }
    }

    /// A span from this range.
    pub fn draw(self, word: u64) -> Span {
        crate::kernel::chance::within(word, self.min, self.max)
    }
}

/// So many happenings in so long: `"20/s"`, `"3/min"`, `"1/250ms"`. Never zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u64,
    /// In how long; longer than zero.
    pub per: Span,
}

impl Rate {
    /// The mean time from one happening to the next.
    pub const fn interval(self) -> Span {
        Span::ns(self.per.as_ns() / self.count)
    }
}

/// An amount of data. Written `"64KB"`, `"1.5MiB"` or `"200B"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Bytes(pub u64);

/// So much data a second, never zero. Written `"100KB/s"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByteRate(pub u64);

/// How far something is ahead, in nanoseconds; behind, if negative. Written `"50ms"` or `"-50ms"`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Offset(pub i64);

const UNITS: [(&str, u64); 7] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// No span that anybody writes is longer: sums and multiples of a few of them must stay below the 584 years that a clock can count.
const LONGEST: Span = Span::secs(10 * 365 * 24 * 60 * 60);

/// Reads `"150ms"`, `"1.5s"`, `"2m 30s"` or `"0"`, up to ten years.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_span(text: &str) -> Result<Span, String> {
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Span::ZERO);
    }
    if rest.is_empty() {
        return Err(format!("span {text:?} is empty; write for example \"150ms\""));
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        if number.is_empty() {
            return Err(format!("span {text:?} has no number before {rest:?}; write for example \"150ms\""));
        }
        let tail = tail.trim_start();
        let letters = tail.find(|c: char| !c.is_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(letters);
        if unit.is_empty() {
            return Err(format!("span {text:?} has no unit; write \"{number}ms\" or \"{number}s\""));
        }
        let Some(&(_, per)) = UNITS.iter().find(|(name, _)| *name == unit) else {
            return Err(format!("span {text:?} has an unknown unit {unit:?}; use ns, us, ms, s, m or h"));
        };
        let too_long = || format!("span {text:?} is longer than ten years; write less");
        let part = decimal(number, per).map_err(|misfit| match misfit {
            Misfit::Large => too_long(),
            Misfit::Fine => {
                format!("span {text:?} is no whole number of nanoseconds; write for example \"1500ns\" or \"1.5us\"")
            }
        })?;
        total = total.checked_add(part).filter(|total| *total <= LONGEST.as_ns()).ok_or_else(too_long)?;
        rest = next.trim_start();
    }
    Ok(Span::ns(total))
}

/// Why a number of units is none of the smallest ones.
enum Misfit {
    Large,
    Fine,
}

/// `number` times `per`, if that is a whole number that fits.
fn decimal(number: &str, per: u64) -> Result<u64, Misfit> {
    let number = number.replace('_', "");
    let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
    let whole = if whole.is_empty() { Ok(0) } else { whole.parse::<u64>() };
    let whole = whole.ok().and_then(|whole| whole.checked_mul(per)).ok_or(Misfit::Large)?;
    if fraction.is_empty() {
        return Ok(whole);
    }
    let scale = 10_u128.checked_pow(fraction.len() as u32).ok_or(Misfit::Fine)?;
    let scaled = fraction.parse::<u128>().ok().and_then(|fraction| fraction.checked_mul(u128::from(per)));
    match scaled.ok_or(Misfit::Fine)? {
        scaled if scaled % scale == 0 => whole.checked_add((scaled / scale) as u64).ok_or(Misfit::Large),
        _ => Err(Misfit::Fine),
    }
}

/// Reads `"2.5%"`, `"1/40"` or `"0.025"`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_ratio(text: &str) -> Result<Ratio, String> {
    let trimmed = text.trim();
    let malformed = || format!("probability {text:?} is not one; write \"2.5%\", \"1/40\" or 0.025");
    let ratio = if let Some((part, whole)) = trimmed.split_once('/') {
        let part = part.trim().parse().map_err(|_| malformed())?;
        let whole: u64 = whole.trim().parse().map_err(|_| malformed())?;
        if whole == 0 {
            return Err(format!("probability {text:?} divides by zero"));
        }
        Ratio::new(part, whole)
    } else {
        let (number, percent) = match trimmed.strip_suffix('%') {
            Some(number) => (number.trim(), 100),
            None => (trimmed, 1),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.len() > 12 && fraction.bytes().all(|b| b.is_ascii_digit()) {
            return Err(format!(
                "probability {text:?} has more than 12 decimals; write fewer, or a fraction such as \"1/3\""
            ));
        }
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(malformed());
        }
        let scale = 10_u64.pow(fraction.len() as u32);
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| malformed())? };
        let fraction: u64 = if fraction.is_empty() { 0 } else { fraction.parse().map_err(|_| malformed())? };
        whole.checked_mul(scale).and_then(|whole| Ratio::new(whole.checked_add(fraction)?, scale * percent))
    };
    ratio.ok_or_else(|| format!("probability {text:?} is more than 1; write \"2.5%\", \"1/40\" or 0.025"))
}

/// Reads `"20/s"`, `"3/min"` or `"1/250ms"`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_rate(text: &str) -> Result<Rate, String> {
    let malformed = || format!("rate {text:?} is not one; write for example \"20/s\" or \"3/min\"");
    let (count, per) = text.split_once('/').ok_or_else(malformed)?;
    let count: u64 = count.trim().parse().map_err(|_| malformed())?;
    let per = per.trim();
    let per = match per.starts_with(|c: char| c.is_ascii_digit()) {
        true => parse_span(per)?,
        false => parse_span(&format!("1{per}")).map_err(|_| malformed())?,
    };
    if count == 0 || per == Span::ZERO || per.as_ns() < count {
        return Err(format!("rate {text:?} must be more than zero and at most one a nanosecond"));
    }
    Ok(Rate { count, per })
}

/// Reads `"50ms"` or `"-50ms"`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_offset(text: &str) -> Result<Offset, String> {
    let trimmed = text.trim();
    let (sign, span) = match trimmed.strip_prefix('-') {
        Some(rest) => (-1, parse_span(rest)?),
        None => (1, parse_span(trimmed)?),
    };
    Ok(Offset(sign * i64::try_from(span.as_ns()).expect("ten years are less than 292")))
}

const SIZES: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
];

/// Reads `"64KB"`, `"1.5MiB"` or `"200B"`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_bytes(text: &str) -> Result<Bytes, String> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '_').unwrap_or(trimmed.len());
    let (number, unit) = (&trimmed[..digits], trimmed[digits..].trim());
    if number.is_empty() || unit.is_empty() {
        let number = if number.is_empty() { "64" } else { number };
        return Err(format!("size {text:?} is not one; write for example \"{number}KB\""));
    }
    let Some((_, per)) = SIZES.iter().find(|(name, _)| *name == unit) else {
        return Err(format!("size {text:?} has an unknown unit {unit:?}; use B, KB, MB, GB, KiB, MiB or GiB"));
    };
    decimal(number, *per).map(Bytes).map_err(|misfit| match misfit {
        Misfit::Large => format!("size {text:?} is more than anybody can count; write less than 2^64 bytes"),
        Misfit::Fine => format!("size {text:?} is no whole number of bytes; write for example \"1500B\" or \"1.5KB\""),
    })
}

/// Reads `"100KB/s"`.
///
/// # Errors
/// A sentence that says what is wrong and how to write it.
pub fn parse_byte_rate(text: &str) -> Result<ByteRate, String> {
    let Some(size) = text.trim().strip_suffix("/s") else {
        return Err(format!("data rate {text:?} is not one; write for example \"100KB/s\""));
    };
    match parse_bytes(size)? {
        Bytes(0) => Err(format!("data rate {text:?} carries nothing; use a Partition")),
        Bytes(rate) => Ok(ByteRate(rate)),
    }
}

/// Implements `Serialize` by `Display` and `Deserialize` from a string by a parser; a bare
/// number gets the given answer.
macro_rules! as_text {
    ($type:ty, $what:literal, $parse:expr, $bare:expr) => {
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                struct Reader;
                impl Visitor<'_> for Reader {
                    type Value = $type;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($what)
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        $parse(text).map_err(E::custom)
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                        $bare(&number.to_string()).map_err(E::custom)
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        $bare(&number.to_string()).map_err(E::custom)
                    }
                    fn visit_f64<E: de::Error>(self, number: f64) -> Result<$type, E> {
                        $bare(&number.to_string()).map_err(E::custom)
                    }
                }
                deserializer.deserialize_any(Reader)
            }
        }
    };
}

fn bare_span(number: &str) -> Result<Span, String> {
    match number {
        "0" => Ok(Span::ZERO),
        _ => Err(format!("span {number} has no unit; add a unit: \"{number}ms\" or \"{number}s\"")),
    }
}

fn bare_bytes(number: &str) -> Result<Bytes, String> {
    match number {
        "0" => Ok(Bytes(0)),
        _ => Err(format!("size {number} has no unit; add a unit: \"{number}B\" or \"{number}KB\"")),
    }
}

fn bare_byte_rate(number: &str) -> Result<ByteRate, String> {
    Err(format!("data rate {number} has no unit; add a unit: \"{number}KB/s\""))
}

fn bare_rate(number: &str) -> Result<Rate, String> {
    Err(format!("rate {number} has no unit; add a unit: \"{number}/s\""))
}

as_text!(Span, "a span such as \"150ms\"", parse_span, bare_span);
as_text!(Offset, "a span such as \"50ms\" or \"-50ms\"", parse_offset, |number: &str| bare_span(number)
    .map(|_| Offset(0)));
as_text!(Ratio, "a probability such as \"2.5%\", \"1/40\" or 0.025", parse_ratio, parse_ratio);
as_text!(Bytes, "a size such as \"64KB\"", parse_bytes, bare_bytes);
as_text!(ByteRate, "a data rate such as \"100KB/s\"", parse_byte_rate, bare_byte_rate);
as_text!(Rate, "a rate such as \"20/s\"", parse_rate, bare_rate);
as_text!(
    Time,
    "an instant such as \"12.5s\"",
    |text: &str| parse_span(text).map(|span| Time::ZERO + span),
    |number: &str| bare_span(number).map(|span| Time::ZERO + span)
);

/// A decimal if that is exact, else a fraction.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millionths = u128::from(self.part()) * 100_000_000;
        if millionths.is_multiple_of(u128::from(self.whole())) {
            let percent = millionths / u128::from(self.whole());
            let text = format!("{}.{:06}", percent / 1_000_000, percent % 1_000_000);
            return write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'));
        }
        write!(f, "{}/{}", self.part(), self.whole())
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.0 < 0 { "-" } else { "" }, Span::ns(self.0.unsigned_abs()))
    }
}

/// In the largest unit that leaves a whole number.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |(_, per): &&(&str, u64)| self.0 > 0 && self.0.is_multiple_of(*per);
        let (unit, per) = SIZES.iter().rfind(fits).unwrap_or(&SIZES[0]);
        write!(f, "{}{unit}", self.0 / per)
    }
}

impl fmt::Display for ByteRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", Bytes(self.0))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = self.per.to_string();
        match per.strip_prefix('1') {
            Some(unit) if unit.chars().all(char::is_alphabetic) => write!(f, "{}/{unit}", self.count),
            _ => write!(f, "{}/{per}", self.count),
        }
    }
}

impl Serialize for SpanRange {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.min == self.max { self.min.serialize(serializer) } else { (self.min, self.max).serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for SpanRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SpanRange, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = SpanRange;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a span such as \"5ms\" or a range such as (\"1ms\", \"5ms\")")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<SpanRange, E> {
                parse_span(text).map(SpanRange::exactly).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<SpanRange, E> {
                bare_span(&number.to_string()).map(SpanRange::exactly).map_err(E::custom)
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<SpanRange, E> {
                bare_span(&number.to_string()).map(SpanRange::exactly).map_err(E::custom)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut seq: A) -> Result<SpanRange, A::Error> {
                let two = "a range has two ends: (\"1ms\", \"5ms\")";
                let min = seq.next_element::<Span>()?.ok_or_else(|| de::Error::custom(two))?;
                let max = seq.next_element::<Span>()?.ok_or_else(|| de::Error::custom(two))?;
                if min > max {
                    return Err(de::Error::custom(format!(
                        "range from {min} to {max} runs backwards; write (\"{max}\", \"{min}\")"
                    )));
                }
                Ok(SpanRange { min, max })
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_exactly_or_refused_with_a_cure() {
        let read = |text: &str| parse_span(text).map(Span::as_ns);
        assert_eq!(read("150ms"), Ok(150_000_000));
        assert_eq!(read("1.5s"), Ok(1_500_000_000));
        assert_eq!(read("2m 30s"), Ok(150_000_000_000));
        assert_eq!(read("0"), Ok(0));
        assert_eq!(read("0.000000001s"), Ok(1));
        assert!(read("10").unwrap_err().contains("\"10ms\""));
        assert!(read("0.5ns").unwrap_err().contains("whole number"));
        assert!(read("10 parsec").unwrap_err().contains("unknown unit"));
        assert!(read("600y").is_err() && read("-1s").is_err() && read("").is_err() && read("ms").is_err());
        assert!(read("6000000h").unwrap_err().contains("ten years"));
    }

    #[test]
    fn what_is_written_reads_back() {
        for span in [Span::ZERO, Span::ns(1), Span::us(2_500), Span::ns(1_000_000_001), Span::secs(90)] {
            assert_eq!(parse_span(&span.to_string()), Ok(span));
        }
        for text in ["50ms", "-1.5s", "0s"] {
            assert_eq!(parse_offset(text).expect(text).to_string(), text);
        }
        assert!(parse_offset("-50").unwrap_err().contains("no unit") && parse_offset("-300000000m").is_err());
        for text in ["200B", "64KB", "3MiB", "0B", "1GB"] {
            assert_eq!(parse_bytes(text).expect(text).to_string(), text);
        }
        assert_eq!(parse_bytes("1.5KB").map(|size| size.0), Ok(1_500));
        assert!(parse_bytes("64").unwrap_err().contains("64KB") && parse_bytes("1 parsec").is_err());
        assert_eq!(parse_byte_rate("100KB/s").expect("a rate").to_string(), "100KB/s");
        assert!(parse_byte_rate("0B/s").is_err() && parse_byte_rate("5KB").is_err());
        for text in ["2.5%", "0%", "100%", "1/3", "0.0001%"] {
            assert_eq!(parse_ratio(text).expect(text).to_string(), text);
        }
        for text in ["20/s", "3/250ms", "1/ms"] {
            assert_eq!(parse_rate(text).expect(text).to_string(), text);
        }
    }

    #[test]
    fn probabilities_are_kept_as_ratios() {
        let read = |text: &str| parse_ratio(text).map(|ratio| (ratio.part(), ratio.whole()));
        assert_eq!(read("2.5%"), Ok((1, 40)));
        assert_eq!(read("0.025"), Ok((1, 40)));
        assert_eq!(read("1/40"), Ok((1, 40)));
        assert!(read("1.5").unwrap_err().contains("more than 1"));
        assert!(read("150%").is_err() && read("1/0").is_err() && read("x").is_err() && read("-0.1").is_err());
    }
}
