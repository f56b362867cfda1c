//! A length of real time on the command line: `90s`, `10m`, `1h 30m`.

use crate::environment::text::parse_span;
use crate::kernel::time::Span;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A length of time, longer than zero.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Length(pub(super) Duration);

/// As it can be read again.
impl fmt::Display for Length {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = u64::try_from(self.0.as_nanos()).expect("it was read as a span");
        Span::ns(ns).fmt(out)
    }
}

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Length, String> {
        match parse_span(text) {
            Ok(span) if span.as_ns() > 0 => Ok(Length(Duration::from_nanos(span.as_ns()))),
            Ok(_) => Err("no time at all is too short; write for example 10m".to_owned()),
            Err(why) => Err(format!("{why}; write for example 90s or 10m")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_read_as_in_scenarios_or_refused_with_a_cure() {
        let read = |text: &str| text.parse().map(|Length(length)| length.as_millis());
        assert_eq!(read("30s"), Ok(30_000));
        assert_eq!(read("1m 30s"), Ok(90_000));
        assert_eq!(
            "1m 30s".parse::<Length>().expect("a length").to_string().parse(),
            Ok(Length(Duration::from_secs(90)))
        );
        assert!(read("30").unwrap_err().contains("90s") && read("0").unwrap_err().contains("too short"));
        assert!(read("\"").is_err() && read("-5s").is_err() && read("").is_err());
    }
}
