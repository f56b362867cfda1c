//! Who is told of which changes.
//!
//! Source: `mvcc/watchable_store.go` and `etcdserver/api/v3rpc/watch.go` of etcd 3.4.

use super::bytes::{Bytes, KeyRange};
use super::ranges::Ranges;
use super::request::KeyValue;
use super::store::{Event, EventKind, Store};
use std::collections::{BTreeMap, BTreeSet};

/// A wish to be told of changes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Watch {
    /// Of these keys. An empty key is `"\0"`.
    pub keys: KeyRange,
    /// From this revision on, also if it is past; 0 for those to come.
    pub start: i64,
    /// With the key as it was before each change.
    pub prev_kv: bool,
    /// Not of puts.
    pub no_put: bool,
    /// Not of removals.
    pub no_delete: bool,
}

/// What a watcher is sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Told {
    /// It watches from now on.
    Created {
        /// The newest revision.
        revision: i64,
    },
    /// It does not watch, or no longer.
    Canceled {
        /// Why, if it was not asked for.
        reason: &'static str,
        /// The first revision that it could have watched, if its own was compacted; else 0.
        compact_revision: i64,
    },
    /// Something has changed. All changes of one revision come together, rising revisions one after the other.
    Changed(Vec<Change>),
}

/// A change, as a watcher is told of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// What was done, and the key as it is now.
    pub event: Event,
    /// The key as it was, if the watcher wants it and it can still be read.
    pub prev_kv: Option<KeyValue>,
}

/// All watchers of a member, each with a number of its owner's choosing.
///
/// Who watches a single key costs O(log n) to find, and so does who watches a range, whatever others watch.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Watchers {
    watches: BTreeMap<i64, Watch>,
    by_key: BTreeMap<Bytes, BTreeSet<i64>>,
    by_range: Ranges,
}

impl Watchers {
    /// Nobody.
    pub fn new() -> Watchers {
        Watchers::default()
    }

    /// All watchers by their numbers, each with the first revision that it has not been told of.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &Watch)> {
        self.watches.iter().map(|(id, watch)| (*id, watch))
    }

    /// Begins to watch, and says what the watcher is sent at once: that it watches, and past changes if it asks for
    /// them. The server sends at most 1,000 past revisions at a time; here they come together.
    pub fn watch(&mut self, store: &Store, id: i64, mut watch: Watch) -> Vec<Told> {
        let refused = |reason| vec![Told::Canceled { reason, compact_revision: 0 }];
        if self.watches.contains_key(&id) {
            return refused("mvcc: duplicate watch ID provided on the WatchStream");
        }
        if watch.keys.key.is_empty() {
            watch.keys.key = Bytes::from("\0");
        }
        if !watch.keys.is_one() && watch.keys.bounds().is_none() {
            return refused("mvcc: watcher range is empty");
        }
        let mut told = vec![Told::Created { revision: store.revision() }];
        let next = store.revision() + 1;
        if watch.start != 0 && watch.start < next {
            if watch.start < store.compacted() {
                let reason = "etcdserver: mvcc: required revision has been compacted";
                told.push(Told::Canceled { reason, compact_revision: store.compacted() });
                return told;
            }
            let past = wanted(store, &watch, store.events_since(&watch.keys, watch.start));
            told.extend(past.map(Told::Changed));
            watch.start = next;
        }
        watch.start = watch.start.max(next);
        if watch.keys.is_one() {
            self.by_key.entry(watch.keys.key.clone()).or_default().insert(id);
        } else {
            self.by_range.insert(&watch.keys, id);
        }
        self.watches.insert(id, watch);
        told
    }

    /// Stops to watch; says whether there was such a watcher.
    pub fn cancel(&mut self, id: i64) -> bool {
        let Some(watch) = self.watches.remove(&id) else { return false };
        if !watch.keys.is_one() {
            self.by_range.remove(&watch.keys, id);
            return true;
        }
        let watching = self.by_key.get_mut(&watch.keys.key).expect("a watcher of a key is found by it");
        watching.remove(&id);
        if watching.is_empty() {
            self.by_key.remove(&watch.keys.key);
        }
        true
    }

    /// The store is another one now, which goes on from a later revision. What each is told of what it has missed, or that it watches no
    /// longer, since that was compacted; by the watchers' numbers. O(watchers). Source: `watchableStore.Restore`.
    pub fn restore(&mut self, store: &Store) -> Vec<(i64, Told)> {
        let mut told = Vec::new();
        for (id, watch) in std::mem::take(self).watches {
            let late = self.watch(store, id, watch).into_iter();
            told.extend(late.filter(|told| !matches!(told, Told::Created { .. })).map(|told| (id, told)));
        }
        told
    }

    /// What everybody is told of changes that were just made in `store`, all at one revision: by the watchers'
    /// numbers, in the order in which they were made.
    pub fn notify(&mut self, store: &Store, events: &[Event]) -> Vec<(i64, Vec<Change>)> {
        let mut told: BTreeMap<i64, Vec<Event>> = BTreeMap::new();
        for event in events {
            let mut found = self.by_key.get(&event.kv.key).cloned().unwrap_or_default();
            self.by_range.watching(&event.kv.key, &mut found);
            for id in found {
                if event.kv.modified >= self.watches[&id].start {
                    told.entry(id).or_default().push(event.clone());
                }
            }
        }
        let mut sent = Vec::new();
        for (id, events) in told {
            let watch = self.watches.get_mut(&id).expect("it was found among them");
            watch.start = store.revision() + 1;
            sent.extend(wanted(store, watch, events).map(|changes| (id, changes)));
        }
        sent
    }
}

/// The changes that a watcher wants to hear of, if there are any.
fn wanted(store: &Store, watch: &Watch, events: Vec<Event>) -> Option<Vec<Change>> {
    let filtered = events.into_iter().filter(|event| match event.kind {
        EventKind::Put => !watch.no_put,
        EventKind::Delete => !watch.no_delete,
    });
    let changes: Vec<Change> = filtered
        .map(|event| {
            let before = watch.prev_kv.then(|| store.get_at(&event.kv.key, event.kv.modified - 1));
            // Where the revision before is compacted, the server says nothing.
            let prev_kv = before.and_then(Result::ok).flatten().cloned();
            Change { event, prev_kv }
        })
        .collect();
    (!changes.is_empty()).then_some(changes)
}

#[cfg(test)]
mod tests {
    use super::super::lessor::Settings;
    use super::super::request::Put;
    use super::super::state::{Command, State};
    use super::*;
    use crate::kernel::time::Time;

    fn put(state: &mut State, key: &str) {
        let put = Put { key: Bytes::from(key), value: Bytes::from("x"), ..Put::default() };
        state.apply(Time::ZERO, &Command::Put(put)).expect("a put is never refused");
    }

    /// A store goes on elsewhere: who has missed a change is told, who has missed none watches on, and who would have to be told of
    /// revisions that are compacted watches no longer.
    #[test]
    fn another_store_tells_what_was_missed() {
        let mut state = State::new(Settings::default());
        put(&mut state, "a");
        let mut watchers = Watchers::new();
        for (id, key) in [(1, "a"), (2, "b")] {
            watchers.watch(&state.store, id, Watch { keys: KeyRange::one(Bytes::from(key)), ..Watch::default() });
        }
        put(&mut state, "a");
        let told = watchers.restore(&state.store);
        let [(1, Told::Changed(changes))] = told.as_slice() else { panic!("{told:?}") };
        assert_eq!(changes.iter().map(|change| change.event.kv.modified).collect::<Vec<_>>(), [3]);
        assert_eq!(watchers.iter().map(|(id, watch)| (id, watch.start)).collect::<Vec<_>>(), [(1, 4), (2, 4)]);
        assert_eq!(watchers.restore(&state.store), []);
        (0..3).for_each(|_| put(&mut state, "c"));
        state.store.compact(5).expect("it is past");
        let told = watchers.restore(&state.store);
        assert!(told.iter().all(|(_, told)| matches!(told, Told::Canceled { compact_revision: 5, .. })), "{told:?}");
        assert_eq!((told.len(), watchers.iter().count()), (2, 0));
    }
}
