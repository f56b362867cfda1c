//! Integers as commands take them.

use super::reply::{Failure, NOT_INTEGER, NOT_POSITIVE};

/// A signed 64-bit integer (util.c, `string2ll`): nothing before or after it, no plus, no zero in front.
pub(super) fn strict(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_plain = match digits {
        [b'0'] => digits.len() == text.len(),
        [b'1'..=b'9', rest @ ..] => rest.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    is_plain.then(|| std::str::from_utf8(text).ok()?.parse().ok()).flatten()
}

/// The same, or the usual complaint.
pub(super) fn required(text: &[u8]) -> Result<i64, Failure> {
    strict(text).ok_or(NOT_INTEGER)
}

/// A count, or the complaint of `getPositiveLongFromObjectOrReply`.
pub(super) fn positive(text: &[u8]) -> Result<usize, Failure> {
    strict(text).and_then(|number| usize::try_from(number).ok()).ok_or(NOT_POSITIVE)
}

/// The ranks from `start` to before the end, of a list with so many elements, where both ends are included and -1 is the last.
pub(super) fn ranks(start: i64, stop: i64, count: usize) -> std::ops::Range<usize> {
    let length = i64::try_from(count).expect("a count that fits");
    let from_end = |index: i64| if index < 0 { index.saturating_add(length) } else { index };
    let (start, stop) = (from_end(start).max(0), from_end(stop).min(length - 1));
    if start > stop || start >= length {
        return 0..0;
    }
    let place = |index: i64| usize::try_from(index).expect("not negative");
    place(start)..place(stop) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_integers_are_taken() {
        for (text, number) in [
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("9223372036854775807", Some(i64::MAX)),
            ("-9223372036854775808", Some(i64::MIN)),
            ("9223372036854775808", None),
            ("01", None),
            ("-0", None),
            ("+1", None),
            (" 1", None),
            ("1 ", None),
            ("", None),
            ("-", None),
            ("1.0", None),
        ] {
            assert_eq!(strict(text.as_bytes()), number, "{text:?}");
        }
    }

    #[test]
    fn ranks_are_cut_to_what_there_is() {
        assert_eq!(ranks(0, -1, 3), 0..3);
        assert_eq!(ranks(-2, -1, 3), 1..3);
        assert_eq!(ranks(-100, 100, 3), 0..3);
        assert_eq!(ranks(2, 1, 3), 0..0);
        assert_eq!(ranks(3, 5, 3), 0..0);
        assert_eq!(ranks(0, -1, 0), 0..0);
        assert_eq!(ranks(i64::MIN, i64::MAX, 2), 0..2);
    }
}
