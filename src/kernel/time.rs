//! Virtual time: instants and spans in whole nanoseconds.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// An instant: nanoseconds since the run (or a node's clock) began. `u64` reaches 584 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of time in nanoseconds. Never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Time {
    /// The beginning of the run.
    pub const ZERO: Time = Time(0);
    /// Later than everything that happens.
    pub const NEVER: Time = Time(u64::MAX);

    /// The instant `ns` nanoseconds after the beginning.
    pub const fn from_ns(ns: u64) -> Time {
        Time(ns)
    }

    /// Nanoseconds since the beginning.
    pub const fn ns(self) -> u64 {
        self.0
    }

    /// The span from `earlier` to this instant; zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// `ns` nanoseconds.
    pub const fn ns(ns: u64) -> Span {
        Span(ns)
    }

    /// Whether this is no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// `us` microseconds.
    pub const fn us(us: u64) -> Span {
        Span(us * 1_000)
    }

    /// `ms` milliseconds.
    pub const fn ms(ms: u64) -> Span {
        Span(ms * 1_000_000)
    }

    /// `secs` seconds.
    pub const fn secs(secs: u64) -> Span {
        Span(secs * 1_000_000_000)
    }

    /// The number of nanoseconds.
    pub const fn as_ns(self) -> u64 {
        self.0
    }

    /// `count` times this span.
    pub const fn times(self, count: u64) -> Span {
        Span(self.0 * count)
    }
}

impl Add<Span> for Time {
    type Output = Time;
    fn add(self, span: Span) -> Time {
        Time(self.0 + span.0)
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        self.0 += span.0;
    }
}

impl Add for Span {
    type Output = Span;
    fn add(self, other: Span) -> Span {
        Span(self.0 + other.0)
    }
}

impl Sub for Span {
    type Output = Span;
    fn sub(self, other: Span) -> Span {
        Span(self.0 - other.0)
    }
}

/// Written with the largest unit that keeps it exact in at most three places, else in
/// nanoseconds; `"1.5s"`, `"150ms"`. What is written can be read back by the scenario loader.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let (unit, per) = match ns {
            0 => return f.write_str("0s"),
            _ if ns.is_multiple_of(3_600_000_000_000) => ("h", 3_600_000_000_000),
            _ if ns.is_multiple_of(60_000_000_000) => ("m", 60_000_000_000),
            _ if ns.is_multiple_of(1_000_000) && ns >= 1_000_000_000 => ("s", 1_000_000_000),
            _ if ns.is_multiple_of(1_000) && ns >= 1_000_000 => ("ms", 1_000_000),
            _ if (1_000..1_000_000).contains(&ns) => ("us", 1_000),
            _ => ("ns", 1),
        };
        write_decimal(f, ns / per, ns % per, per)?;
        f.write_str(unit)
    }
}

fn write_decimal(f: &mut fmt::Formatter<'_>, whole: u64, rest: u64, per: u64) -> fmt::Result {
    write!(f, "{whole}")?;
    if rest == 0 {
        return Ok(());
    }
    let places = per.ilog10() as usize;
    let digits = format!("{rest:0places$}");
    write!(f, ".{}", digits.trim_end_matches('0'))
}

/// Seconds with as many places as it takes: `12.402s`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_decimal(f, self.0 / 1_000_000_000, self.0 % 1_000_000_000, 1_000_000_000)?;
        f.write_str("s")
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_with_the_unit_a_reader_would_choose() {
        let written = [
            (Span::ZERO, "0s"),
            (Span::ns(7), "7ns"),
            (Span::us(15), "15us"),
            (Span::ns(1_500), "1.5us"),
            (Span::ms(150), "150ms"),
            (Span::us(2_500), "2.5ms"),
            (Span::ms(1_500), "1.5s"),
            (Span::secs(30), "30s"),
            (Span::secs(90), "90s"),
            (Span::secs(120), "2m"),
            (Span::secs(36_000), "10h"),
            (Span::ns(1_000_000_001), "1000000001ns"),
        ];
        for (span, text) in written {
            assert_eq!(span.to_string(), text);
        }
        assert_eq!(Time::from_ns(12_402_000_000).to_string(), "12.402s");
    }
}
