//! The keys of one database, and when they expire.

use super::reply::Bytes;
use super::value::Value;
use crate::kernel::map::Map;

/// What is known of a key.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// Unix time in milliseconds; none if the key lasts. A key is gone when this time has passed, not when it has come.
    pub(super) expires_ms: Option<i64>,
}

impl Entry {
    /// A key is there until its time has passed (db.c, `keyIsExpired`).
    pub(super) fn is_expired(&self, now_ms: i64) -> bool {
        self.expires_ms.is_some_and(|expires_ms| now_ms > expires_ms)
    }
}

/// One of the sixteen databases.
#[derive(Clone, PartialEq, Default, Debug)]
pub(super) struct Database {
    entries: Map<Bytes, Entry>,
    due: Map<(i64, Bytes), ()>,
}

impl Database {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    pub(super) fn value_mut(&mut self, key: &[u8]) -> Option<&mut Value> {
        self.entries.get_mut(key).map(|entry| &mut entry.value)
    }

    /// Puts a value without a time to live.
    pub(super) fn put(&mut self, key: &[u8], value: Value) {
        let old = self.entries.insert(key.to_vec(), Entry { value, expires_ms: None });
        self.forget(key, old.as_ref());
    }

    pub(super) fn remove(&mut self, key: &[u8]) -> Option<Entry> {
        let old = self.entries.remove(key);
        self.forget(key, old.as_ref());
        old
    }

    /// Says when a key expires, or that it lasts; nothing happens if it is not there.
    pub(super) fn expire(&mut self, key: &[u8], expires_ms: Option<i64>) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        let old = std::mem::replace(&mut entry.expires_ms, expires_ms);
        if let Some(old) = old {
            self.due.remove(&(old, key.to_vec()));
        }
        if let Some(expires_ms) = expires_ms {
            self.due.insert((expires_ms, key.to_vec()), ());
        }
    }

    /// The key that expires first, and when.
    pub(super) fn next(&self) -> Option<(i64, &Bytes)> {
        self.due.keys().next().map(|(expires_ms, key)| (*expires_ms, key))
    }

    /// In the order of the keys' bytes.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Bytes, &Entry)> {
        self.entries.iter()
    }

    fn forget(&mut self, key: &[u8], old: Option<&Entry>) {
        if let Some(expires_ms) = old.and_then(|entry| entry.expires_ms) {
            self.due.remove(&(expires_ms, key.to_vec()));
        }
    }
}
