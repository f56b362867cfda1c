//! The keys with their history: every change has a revision, and what was can be read until it is compacted.

use super::bytes::{Bytes, KeyRange};
use super::error::Error;
use super::request::KeyValue;
use std::collections::BTreeMap;

/// The place of a change: the revision of its transaction, and its number among the changes of it, from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Revision {
    /// The revision that clients are told.
    pub main: i64,
    /// Which change of the transaction.
    pub sub: i64,
}

/// A change of one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// What was done.
    pub kind: EventKind,
    /// The key as it is now; if it was removed, only the key and the revision of the removal.
    pub kv: KeyValue,
}

/// What can be done to a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EventKind {
    /// It was set.
    Put,
    /// It was removed.
    Delete,
}

/// A key at one of its revisions; without a value if it was removed there.
#[derive(Clone, PartialEq, Debug)]
struct Version {
    at: Revision,
    kv: Option<KeyValue>,
}

/// A key-value store with many versions of each key.
///
/// A read or a change costs O(log n) for n keys, and O(log v) for a key of v versions. All versions are kept until
/// [`compact`](Store::compact) drops those that nobody may ask for any more. Source: package `mvcc` of etcd 3.4.
#[derive(Clone, PartialEq, Debug)]
pub struct Store {
    current: i64,
    compacted: i64,
    keys: BTreeMap<Bytes, Vec<Version>>,
    /// Which key a change was of, for all versions that are kept.
    log: BTreeMap<Revision, Bytes>,
}

impl Default for Store {
    fn default() -> Store {
        Store::new()
    }
}

impl Store {
    /// A store without keys. Its revision is 1, so that the first change has 2.
    pub fn new() -> Store {
        Store { current: 1, compacted: -1, keys: BTreeMap::new(), log: BTreeMap::new() }
    }

    /// The revision of the newest change.
    pub fn revision(&self) -> i64 {
        self.current
    }

    /// The revision of the last compaction: nothing older can be read. -1 if there was none.
    pub fn compacted(&self) -> i64 {
        self.compacted
    }

    /// How many versions are kept, removals among them.
    pub fn versions(&self) -> usize {
        self.log.len()
    }

    /// The key as it is now.
    pub fn get(&self, key: &[u8]) -> Option<&KeyValue> {
        self.keys.get(key)?.last()?.kv.as_ref()
    }

    /// The key as it was at this revision.
    ///
    /// # Errors
    ///
    /// [`Error::Compacted`] or [`Error::FutureRevision`].
    pub fn get_at(&self, key: &[u8], revision: i64) -> Result<Option<&KeyValue>, Error> {
        self.readable(revision, self.current)?;
        Ok(self.keys.get(key).and_then(|versions| version_at(versions, revision)))
    }

    /// The keys of the range that are there now, in their order.
    pub fn iter(&self, keys: &KeyRange) -> impl Iterator<Item = &KeyValue> {
        self.iter_at(keys, i64::MAX)
    }

    /// The keys of the range that were there at a revision, in their order.
    pub(super) fn iter_at(&self, keys: &KeyRange, revision: i64) -> impl Iterator<Item = &KeyValue> {
        let within = keys.bounds().map(|bounds| self.keys.range::<[u8], _>(bounds));
        within.into_iter().flatten().filter_map(move |(_, versions)| version_at(versions, revision))
    }

    /// Whether a revision can be read when the newest is `current`.
    pub(super) fn readable(&self, revision: i64, current: i64) -> Result<(), Error> {
        if revision > current {
            return Err(Error::FutureRevision);
        }
        if revision < self.compacted { Err(Error::Compacted) } else { Ok(()) }
    }

    /// Forgets what only a read before `revision` would see: versions that were replaced by then, and keys that were
    /// removed by then. Costs O(log n) for each version up to it. Answers with the newest revision.
    ///
    /// # Errors
    ///
    /// [`Error::Compacted`] if that is done already, [`Error::FutureRevision`] if it is yet to come.
    pub fn compact(&mut self, revision: i64) -> Result<i64, Error> {
        if revision <= self.compacted {
            return Err(Error::Compacted);
        }
        if revision > self.current {
            return Err(Error::FutureRevision);
        }
        self.compacted = revision;
        let later = self.log.split_off(&Revision { main: revision + 1, sub: 0 });
        let until = std::mem::replace(&mut self.log, later);
        for (at, key) in until {
            if self.compact_key(&key, at, revision) {
                self.log.insert(at, key);
            }
        }
        Ok(self.current)
    }

    /// Drops the versions of a key before the newest one that a read at `revision` sees, once `at` is that one.
    /// Says whether the version `at` is kept.
    fn compact_key(&mut self, key: &Bytes, at: Revision, revision: i64) -> bool {
        let versions = self.keys.get_mut(key).expect("a change is of a key");
        let newest = versions.partition_point(|version| version.at.main <= revision) - 1;
        if versions[newest].at != at {
            return false;
        }
        let kept = versions[newest].kv.is_some();
        versions.drain(..newest + usize::from(!kept));
        if versions.is_empty() {
            self.keys.remove(key);
        }
        kept
    }

    /// Adds a change. The revision of the store stays, until [`advance`](Store::advance).
    pub(super) fn record(&mut self, at: Revision, event: &Event) {
        assert_eq!(at.main, self.current + 1, "a change belongs to the revision that comes next");
        let key = &event.kv.key;
        let kv = match event.kind {
            EventKind::Put => Some(event.kv.clone()),
            EventKind::Delete => None,
        };
        let before = self.log.insert(at, key.clone());
        assert!(before.is_none(), "two changes at {at:?}");
        self.keys.entry(key.clone()).or_default().push(Version { at, kv });
    }

    /// Makes the changes of the next revision the newest ones.
    pub(super) fn advance(&mut self) {
        self.current += 1;
    }

    /// All changes of these keys from `revision` on that are still kept, in their order.
    pub fn events_since(&self, keys: &KeyRange, revision: i64) -> Vec<Event> {
        let from = Revision { main: revision, sub: 0 };
        if keys.is_one() {
            let Some(versions) = self.keys.get(&keys.key) else { return Vec::new() };
            let first = versions.partition_point(|version| version.at < from);
            return versions[first..].iter().map(|version| event(&keys.key, version)).collect();
        }
        let changes = self.log.range(from..).filter(|(_, key)| keys.contains(key));
        changes.map(|(at, key)| event(key, self.version(key, *at))).collect()
    }

    fn version(&self, key: &Bytes, at: Revision) -> &Version {
        let versions = &self.keys[key];
        let place = versions.partition_point(|version| version.at < at);
        assert_eq!(versions[place].at, at, "the log names a version that is not kept");
        &versions[place]
    }
}

fn version_at(versions: &[Version], revision: i64) -> Option<&KeyValue> {
    let upto = versions.partition_point(|version| version.at.main <= revision);
    versions[..upto].last()?.kv.as_ref()
}

fn event(key: &Bytes, version: &Version) -> Event {
    match &version.kv {
        Some(kv) => Event { kind: EventKind::Put, kv: kv.clone() },
        None => Event::removal(key.clone(), version.at.main),
    }
}

impl Event {
    /// That a key was removed at a revision.
    pub(super) fn removal(key: Bytes, revision: i64) -> Event {
        Event { kind: EventKind::Delete, kv: KeyValue { key, modified: revision, ..KeyValue::default() } }
    }
}
