//! A record that stands for all before it.
//!
//! A journal that only grows is one that nobody has. Real servers begin a new file with all that they still need, and delete the
//! old ones when the new one is durable. Here a single record is that beginning: it is torn or whole, as a file that
//! is renamed is there or not.

use super::Disk;
use std::collections::BTreeSet;

impl<R> Disk<R> {
    /// [`Disk::write`], and the record stands for all before it: a boot that can read it reads from it on, and it does not matter
    /// what has become of the others, unless a later checkpoint was written and is lost. They are forgotten when they are in
    /// nobody's way: at the next checkpoint, or when the power fails. So whoever looks at the disk after each step misses none.
    pub fn write_checkpoint(&mut self, record: R) {
        self.forget();
        self.write(record);
        self.checkpoint = self.end() - 1;
    }

    /// Forgets what lies before the newest checkpoint, if that has reached the platter well.
    pub(super) fn forget(&mut self) {
        let is_bad = self.rare.as_ref().is_some_and(|rare| rare.is_bad(self.checkpoint));
        if self.checkpoint == self.first || self.checkpoint >= self.flushed || is_bad {
            return;
        }
        self.ended().forgotten += (self.checkpoint - self.first) as u64;
        self.first = self.checkpoint;
        self.gone += self.records.forget_before(self.first - self.gone);
        if let Some(rare) = &mut self.rare {
            rare.forget_before(self.first);
        }
    }

    /// After a crash that leaves the records up to `end`, some of them damaged: what lies before a checkpoint that can
    /// be read need not be read, damaged or not. A checkpoint that is not there is none.
    pub(super) fn begin_at_checkpoint(&mut self, end: usize, damaged: &mut BTreeSet<usize>) {
        if self.checkpoint >= end || damaged.contains(&self.checkpoint) {
            self.checkpoint = self.first;
        }
        *damaged = damaged.split_off(&self.checkpoint);
    }
}
