//! A node's disk: records that are written, synced, and sometimes lost.
//!
//! A write is in the operating system's hands; only a sync makes it durable. One sync is under
//! way at a time and covers what was written before it began; who asks meanwhile gets another
//! one right after it (group commit). A crash keeps what was synced and, of the rest, a prefix.

use crate::kernel::chance::below;
use crate::kernel::chunks::Chunks;

/// The records of one node, oldest first.
#[derive(Clone, Debug)]
pub struct Disk<R> {
    records: Chunks<R>,
    synced: usize,
    /// How many records the sync that is under way will have made durable.
    syncing: Option<usize>,
    /// How many records somebody wants to be durable.
    wanted: usize,
}

impl<R> Disk<R> {
    /// An empty disk.
    pub const fn new() -> Disk<R> {
        Disk { records: Chunks::new(), synced: 0, syncing: None, wanted: 0 }
    }

    /// Everything written, oldest first.
    pub fn records(&self) -> &Chunks<R> {
        &self.records
    }

    /// How many of the records are durable.
    pub fn synced(&self) -> usize {
        self.synced
    }

    /// The durable records, oldest first.
    pub fn durable(&self) -> impl Iterator<Item = &R> {
        self.records.from(0).take(self.synced)
    }

    /// Whether everything written is durable.
    #[inline]
    pub fn is_clean(&self) -> bool {
        self.synced == self.records.len()
    }

    /// Adds a record, not yet durable.
    #[inline]
    pub fn write(&mut self, record: R) {
        self.records.push(record);
    }

    /// Makes everything durable at once: a disk without latency.
    #[inline]
    pub fn sync_at_once(&mut self) {
        self.synced = self.records.len();
    }

    /// Asks for everything written to become durable. Answers whether a sync begins now; if not,
    /// there is nothing to do, or one will follow the one that is under way.
    pub fn ask(&mut self) -> bool {
        self.wanted = self.records.len();
        self.begin()
    }

    /// Completes the sync that is under way. Answers whether the next one begins now.
    ///
    /// # Panics
    /// If none is under way.
    pub fn complete(&mut self) -> bool {
        self.synced = self.syncing.take().expect("a sync to complete");
        self.begin()
    }

    fn begin(&mut self) -> bool {
        if self.syncing.is_some() || self.wanted <= self.synced {
            return false;
        }
        self.syncing = Some(self.records.len());
        true
    }

    /// Loses power: of the records that are not durable a prefix survives, drawn by `word`.
    /// Answers how many were lost.
    pub fn crash(&mut self, word: u64) -> usize {
        let unsynced = self.records.len() - self.synced;
        let kept = below(word, unsynced as u64 + 1) as usize;
        self.records.truncate(self.synced + kept);
        *self =
            Disk { synced: self.records.len(), wanted: 0, syncing: None, records: std::mem::take(&mut self.records) };
        unsynced - kept
    }
}

impl<R> Default for Disk<R> {
    fn default() -> Disk<R> {
        Disk::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_during_a_sync_gets_another_one_after_it() {
        let mut disk = Disk::new();
        disk.write('a');
        assert!(disk.ask());
        disk.write('b');
        assert!(!disk.ask());
        disk.write('c');
        assert!(disk.complete());
        assert!(disk.durable().eq(&['a']));
        assert!(!disk.complete());
        assert!(disk.durable().eq(&['a', 'b', 'c']));
        assert!(!disk.ask());
    }

    #[test]
    fn a_crash_keeps_what_was_synced_and_a_prefix_of_the_rest() {
        for (word, kept) in [(0, "ab"), (u64::MAX / 2, "abc"), (u64::MAX, "abcd")] {
            let mut disk = Disk::new();
            "ab".chars().for_each(|record| disk.write(record));
            disk.sync_at_once();
            "cd".chars().for_each(|record| disk.write(record));
            assert_eq!(disk.crash(word), 4 - kept.len());
            assert_eq!(disk.records().from(0).collect::<String>(), kept);
            assert!(disk.is_clean());
        }
    }
}
