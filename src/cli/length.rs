//! A length of real time on the command line, written as those of scenarios are.

use crate::kernel::time::Span;
use crate::scenario::text;
use std::str::FromStr;
use std::time::Duration;

/// So long: `30s`, `10m`, `1m 30s`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Length(pub(super) Duration);

impl FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Length, String> {
        let quoted = format!("{:?}", text);
        let span: Span =
            text::options().from_str(&quoted).map_err(|_| "write for example 30s, 10m or 1h".to_owned())?;
        match span {
            Span::ZERO => Err("write more than zero, for example 30s".to_owned()),
            span => Ok(Length(Duration::from_nanos(span.as_ns()))),
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
        assert!(read("30").unwrap_err().contains("30s") && read("0").unwrap_err().contains("more than zero"));
        assert!(read("\"").is_err() && read("-5s").is_err() && read("").is_err());
    }
}
