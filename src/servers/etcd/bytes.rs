//! Keys and values: strings of bytes that cost nothing to clone, and the ranges between two of them.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Bound, Deref};
use std::sync::Arc;

/// A string of bytes: a key or a value. It is shared by its clones, and ordered as bytes are.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(Arc<[u8]>);

impl Bytes {
    /// The string without bytes.
    pub fn empty() -> Bytes {
        Bytes(Arc::from([]))
    }
}

impl Default for Bytes {
    fn default() -> Bytes {
        Bytes::empty()
    }
}

impl Deref for Bytes {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Bytes {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Bytes {
        Bytes(Arc::from(bytes))
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Bytes {
        Bytes(Arc::from(bytes))
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Bytes {
        Bytes::from(text.as_bytes())
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Bytes {
        Bytes::from(text.into_bytes())
    }
}

/// As text; what is no UTF-8 is replaced.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// The first and the last key of a range, as an ordered map takes them.
pub type Bounds<'a> = (Bound<&'a [u8]>, Bound<&'a [u8]>);

/// Which keys a request speaks of: `key` and `range_end` of the API.
///
/// Without an end it is one key. The end itself is outside. The end `"\0"` is beyond every key. A range whose
/// end is not beyond its start has no keys.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct KeyRange {
    /// The first key.
    pub key: Bytes,
    /// The first key that is beyond, if it is a range; empty means that it is none.
    pub end: Bytes,
}

impl KeyRange {
    /// One key.
    pub fn one(key: impl Into<Bytes>) -> KeyRange {
        KeyRange { key: key.into(), end: Bytes::empty() }
    }

    /// All keys that begin with `prefix`; all keys if it is empty. Source: `clientv3.WithPrefix`.
    pub fn prefix(prefix: impl Into<Bytes>) -> KeyRange {
        let prefix = prefix.into();
        if prefix.is_empty() {
            return KeyRange::from_key("\0");
        }
        let end = match prefix.iter().rposition(|byte| *byte < 0xff) {
            Some(last) => {
                let mut end = prefix[..=last].to_vec();
                end[last] += 1;
                Bytes::from(end)
            }
            None => Bytes::from("\0"),
        };
        KeyRange { key: prefix, end }
    }

    /// This key and all that come after it.
    pub fn from_key(key: impl Into<Bytes>) -> KeyRange {
        KeyRange { key: key.into(), end: Bytes::from("\0") }
    }

    /// From `key` up to `end`, without the end.
    pub fn between(key: impl Into<Bytes>, end: impl Into<Bytes>) -> KeyRange {
        KeyRange { key: key.into(), end: end.into() }
    }

    /// Whether this is one key.
    pub fn is_one(&self) -> bool {
        self.end.is_empty()
    }

    /// Whether the range has no end.
    pub fn is_endless(&self) -> bool {
        *self.end == [0]
    }

    /// Whether `key` is one of them.
    pub fn contains(&self, key: &[u8]) -> bool {
        if self.is_one() { *self.key == *key } else { *self.key <= *key && (self.is_endless() || *key < *self.end) }
    }

    /// The same as bounds of an ordered map; nothing if no key can be within.
    pub fn bounds(&self) -> Option<Bounds<'_>> {
        let start = Bound::Included(&*self.key);
        if self.is_one() {
            return Some((start, Bound::Included(&*self.key)));
        }
        if self.is_endless() {
            return Some((start, Bound::Unbounded));
        }
        (self.key < self.end).then_some((start, Bound::Excluded(&*self.end)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_its_last_byte_that_can_grow_has_grown() {
        assert_eq!(KeyRange::prefix("lock/"), KeyRange::between("lock/", "lock0"));
        assert_eq!(KeyRange::prefix(vec![b'a', 0xff]), KeyRange::between(vec![b'a', 0xff], "b"));
        assert!(KeyRange::prefix(vec![0xff]).is_endless());
        assert_eq!(KeyRange::prefix(""), KeyRange::from_key("\0"));
    }

    #[test]
    fn bounds_say_the_same_as_contains() {
        let keys = ["", "\0", "a", "a\0", "b", "ba", "c"];
        let ranges = [
            KeyRange::one("b"),
            KeyRange::between("a", "b"),
            KeyRange::between("b", "a"),
            KeyRange::between("b", "b"),
            KeyRange::from_key("b"),
            KeyRange::prefix("b"),
        ];
        for range in &ranges {
            for key in keys {
                use std::ops::RangeBounds;
                let within = range.bounds().is_some_and(|bounds| bounds.contains(key.as_bytes()));
                assert_eq!(within, range.contains(key.as_bytes()), "{key:?} in {range:?}");
            }
        }
    }
}
