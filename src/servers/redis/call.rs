//! One command in progress: what it may see and change of the server, and what a replica hears of it.

use super::keyspace::{Database, Entry};
use super::reply::{Bytes, Failure, WRONG_TYPE};
use super::value::{Hash, List, Set, SortedSet, Value};
use super::{Origin, Redis};

/// One command in progress.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) server: &'a mut Redis,
    /// Unix time in milliseconds. It does not move while a command or a script is in progress.
    pub(super) now_ms: i64,
    pub(super) client: u64,
    pub(super) origin: Origin,
    /// The command's name in lower case, for complaints.
    pub(super) name: &'static str,
    /// What has changed since the command began; a command without changes is not replicated.
    pub(super) changes: usize,
    /// What is replicated instead of the command itself.
    pub(super) instead: Option<Vec<Vec<Bytes>>>,
}

macro_rules! typed {
    ($(#[$text:meta])* $read:ident, $write:ident, $variant:ident, $kind:ty) => {
        $(#[$text])*
        pub(super) fn $read(&mut self, key: &[u8]) -> Result<Option<&$kind>, Failure> {
            match self.value(key) {
                None => Ok(None),
                Some(Value::$variant(value)) => Ok(Some(value)),
                Some(_) => Err(WRONG_TYPE),
            }
        }

        /// The same, to be changed; an empty one is made if there is none. Follow with [`Call::settle`].
        pub(super) fn $write(&mut self, key: &[u8]) -> Result<&mut $kind, Failure> {
            if self.$read(key)?.is_none() {
                self.database_mut().put(key, Value::$variant(<$kind>::default()));
            }
            match self.database_mut().value_mut(key) {
                Some(Value::$variant(value)) => Ok(value),
                _ => unreachable!("it has just been looked at"),
            }
        }
    };
}

impl Call<'_> {
    pub(super) fn db(&self) -> usize {
        self.server.clients.get(&self.client).map_or(0, |client| client.db)
    }

    pub(super) fn database(&self) -> &Database {
        &self.server.databases[self.db()]
    }

    pub(super) fn database_mut(&mut self) -> &mut Database {
        let db = self.db();
        &mut self.server.databases[db]
    }

    /// A key that has not expired. One that has is removed on the way, by a primary.
    pub(super) fn entry(&mut self, key: &[u8]) -> Option<&Entry> {
        let (db, now_ms) = (self.db(), self.now_ms);
        if self.origin != Origin::Primary && self.database().get(key).is_some_and(|entry| entry.is_expired(now_ms)) {
            if self.server.is_primary() {
                self.server.remove_expired(db, key);
            }
            return None;
        }
        self.database().get(key)
    }

    pub(super) fn value(&mut self, key: &[u8]) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub(super) fn exists(&mut self, key: &[u8]) -> bool {
        self.entry(key).is_some()
    }

    typed!(
        /// The string at a key.
        ///
        /// # Errors
        /// If the key holds something else.
        text, text_mut, Text, Bytes
    );
    typed!(
        /// The sorted set at a key.
        ///
        /// # Errors
        /// If the key holds something else.
        sorted, sorted_mut, Sorted, SortedSet
    );
    typed!(
        /// The hash at a key.
        ///
        /// # Errors
        /// If the key holds something else.
        hash, hash_mut, Hash, Hash
    );
    typed!(
        /// The set at a key.
        ///
        /// # Errors
        /// If the key holds something else.
        set, set_mut, Set, Set
    );
    typed!(
        /// The list at a key.
        ///
        /// # Errors
        /// If the key holds something else.
        list, list_mut, List, List
    );

    /// Puts a value that lasts.
    pub(super) fn put(&mut self, key: &[u8], value: Value) {
        self.database_mut().put(key, value);
        self.changed(key);
    }

    /// Puts a value that lives as long as the one before it would have.
    pub(super) fn replace(&mut self, key: &[u8], value: Value) {
        let expires_ms = self.entry(key).and_then(|entry| entry.expires_ms);
        self.put(key, value);
        self.database_mut().expire(key, expires_ms);
    }

    /// Whether the key was there.
    pub(super) fn remove(&mut self, key: &[u8]) -> bool {
        if !self.exists(key) {
            return false;
        }
        self.database_mut().remove(key);
        self.changed(key);
        true
    }

    /// Notes that a key has changed: whoever watches it is told.
    pub(super) fn changed(&mut self, key: &[u8]) {
        self.changes += 1;
        let db = self.db();
        self.server.touch(db, key);
    }

    /// After a collection was asked for to be changed: notes whether it was, and removes it if it is empty.
    pub(super) fn settle(&mut self, key: &[u8], is_changed: bool) {
        if is_changed {
            self.changed(key);
        }
        if self.database().get(key).is_some_and(|entry| entry.value.is_empty()) {
            self.database_mut().remove(key);
        }
    }

    /// What a replica is sent instead of the command as it came.
    pub(super) fn send_instead(&mut self, words: &[&[u8]]) {
        let command = words.iter().map(|word| word.to_vec()).collect();
        self.instead.get_or_insert_default().push(command);
    }
}
