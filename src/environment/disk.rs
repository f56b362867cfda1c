//! A node's disk: records that are written, synced, and sometimes lost.
//!
//! A write is in the operating system's hands; only a sync makes it durable. One sync is under
//! way at a time and covers what was written before it began; who asks meanwhile gets another
//! one right after it (group commit). A disk can lie: what it has acknowledged need not be on the
//! platter. That shows when the power fails: see [`crash`] for what is left then, and [`damage`]
//! for what cannot be read any more.
//!
//! ```
//! use squall::environment::disk::{Disk, crash::Survival};
//!
//! let mut disk = Disk::new();
//! disk.write("term 1");
//! disk.sync_at_once(true);
//! disk.write("vote for n2");
//! // A lie: the disk says that the vote is durable, too.
//! disk.sync_at_once(false);
//! assert_eq!((disk.synced(), disk.solid()), (2, 1));
//! let lost = disk.crash(0, Survival::Nothing, false);
//! assert_eq!((lost.unsynced, lost.durable), (0, 1));
//! assert!(disk.records().eq(&["term 1"]));
//! ```

pub mod books;
mod checkpoint;
pub mod crash;
pub mod damage;
mod misread;

use crate::kernel::chunks::Chunks;
use books::Books;
use damage::Rare;
use std::num::NonZeroUsize;

/// The records of one node, oldest first. They are numbered from 0, and keep their numbers when earlier ones are forgotten.
#[derive(Clone, Debug)]
pub struct Disk<R> {
    /// What a reader gets: while the node is up everything written, after a crash what is readable.
    records: Chunks<R>,
    /// How many are not there any more, at the front.
    gone: usize,
    /// The number of the first one that is not forgotten.
    first: usize,
    /// The number of the newest checkpoint, or of the first record.
    checkpoint: usize,
    /// Up to which number the disk has acknowledged them.
    synced: usize,
    /// Up to which number they have reached the platter, each well or badly. Never beyond what is acknowledged.
    flushed: usize,
    /// Up to which number the sync that is under way will have made records durable: at least one, or none would have begun.
    syncing: Option<NonZeroUsize>,
    /// Up to which number somebody wants records to be durable.
    wanted: usize,
    /// What most disks never have.
    rare: Option<Box<Rare<R>>>,
    /// How many records were ever written.
    written: u64,
    /// What has become of those that are not there any more. Most disks lose none.
    ended: Option<Box<Books>>,
}

impl<R> Disk<R> {
    /// An empty disk.
    pub const fn new() -> Disk<R> {
        Disk {
            records: Chunks::new(),
            gone: 0,
            first: 0,
            checkpoint: 0,
            synced: 0,
            flushed: 0,
            syncing: None,
            wanted: 0,
            rare: None,
            written: 0,
            ended: None,
        }
    }

    /// Whether nothing was ever written to it: a boot need not read it.
    #[inline]
    pub fn is_blank(&self) -> bool {
        self.written == 0
    }

    /// Everything written that can be read and is not forgotten, oldest first.
    pub fn records(&self) -> impl Iterator<Item = &R> {
        self.from(self.first)
    }

    /// The record of this number, if it is there.
    #[inline]
    pub fn record(&self, number: usize) -> Option<&R> {
        if number < self.first { None } else { self.records.get(number - self.gone) }
    }

    /// The number of the first record that is not forgotten.
    #[inline]
    pub fn first(&self) -> usize {
        self.first
    }

    /// The number that the next record gets: how many were written and can be read, or are forgotten.
    #[inline]
    pub fn end(&self) -> usize {
        self.gone + self.records.len()
    }

    fn from(&self, number: usize) -> impl Iterator<Item = &R> {
        self.records.from(number - self.gone)
    }

    /// Up to which number the records are durable, if the disk tells the truth.
    pub fn synced(&self) -> usize {
        self.synced
    }

    /// How many records the disk has called durable that have not reached the platter.
    pub fn pretended(&self) -> usize {
        self.synced - self.flushed
    }

    /// Up to which number a boot will find the records whatever the next crash does. Only a disk that has
    /// lied, failed or rotted has fewer of them than it has acknowledged. That a checkpoint may stand for a bad one is left out.
    pub fn solid(&self) -> usize {
        let first_bad = self.rare.as_ref().and_then(|rare| rare.first_bad());
        first_bad.map_or(self.flushed, |bad| bad.min(self.flushed))
    }

    /// Up to which number the records are acknowledged and were not given up by a sync that failed: what
    /// whoever knows its disk's failures may count on.
    #[inline]
    pub fn sound(&self) -> usize {
        match &self.rare {
            None => self.synced,
            Some(rare) => rare.first_spoilt().map_or(self.synced, |first| first.min(self.synced)),
        }
    }

    /// The records that the disk calls durable, oldest first.
    pub fn durable(&self) -> impl Iterator<Item = &R> {
        self.records().take(self.synced - self.first)
    }

    /// Whether everything written is durable, if the disk tells the truth.
    #[inline]
    pub fn is_clean(&self) -> bool {
        self.synced == self.end()
    }

    /// Adds a record, not yet durable. It overwrites what lies damaged behind the readable records.
    #[inline]
    pub fn write(&mut self, record: R) {
        if self.rare.is_some() {
            self.cut();
        }
        self.written += 1;
        self.records.push(record);
    }

    /// Makes everything durable at once: a disk without latency. A dishonest one only says so.
    #[inline]
    pub fn sync_at_once(&mut self, honest: bool) {
        self.acknowledge(self.end(), honest);
    }

    /// Asks for everything written to become durable. Answers whether a sync begins now; if not,
    /// there is nothing to do, or one will follow the one that is under way.
    pub fn ask(&mut self) -> bool {
        self.wanted = self.end();
        self.begin()
    }

    /// Completes the sync that is under way. A dishonest one says that its records are durable, but they are in a
    /// cache of the disk's own, which the next honest sync empties. Answers whether the next one begins now.
    ///
    /// # Panics
    /// If none is under way.
    pub fn complete(&mut self, honest: bool) -> bool {
        let upto = self.syncing.take().expect("a sync to complete");
        self.acknowledge(upto.get(), honest);
        self.begin()
    }

    /// The sync that is under way fails, and none follows it. The operating system keeps its records in memory, marks
    /// them clean and does not write them again, so a later sync acknowledges them although they never reach the
    /// platter: the next crash shows. Source: Rebello et al., "Can Applications Recover from fsync Failures?",
    /// USENIX ATC 2020.
    ///
    /// # Panics
    /// If none is under way.
    pub fn fail(&mut self) {
        let upto = self.syncing.take().expect("a sync to fail");
        self.spoil(upto.get());
    }

    /// [`Disk::fail`] for a disk without latency: the sync of everything written fails at once.
    pub fn fail_at_once(&mut self) {
        self.spoil(self.end());
    }

    fn begin(&mut self) -> bool {
        if self.syncing.is_some() || self.wanted <= self.synced {
            return false;
        }
        self.syncing = NonZeroUsize::new(self.end());
        true
    }

    #[inline]
    fn acknowledge(&mut self, upto: usize, honest: bool) {
        self.synced = self.synced.max(upto);
        if honest {
            self.flushed = self.flushed.max(upto);
        }
        assert!(self.flushed <= self.synced, "{} flushed, {} acknowledged", self.flushed, self.synced);
    }

    fn spoil(&mut self, upto: usize) {
        // What an earlier sync has acknowledged is not the operating system's any more, and does not fail with this one.
        let failed = self.synced..upto;
        self.rare().spoil(failed);
        self.wanted = 0;
    }

    fn rare(&mut self) -> &mut Rare<R> {
        self.rare.get_or_insert_default()
    }

    fn ended(&mut self) -> &mut Books {
        self.ended.get_or_insert_default()
    }
}

impl<R> Default for Disk<R> {
    fn default() -> Disk<R> {
        Disk::new()
    }
}

#[cfg(test)]
mod tests;
