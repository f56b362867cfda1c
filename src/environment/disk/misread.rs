//! What somebody reads who does not look at checksums.

use super::Disk;

impl<R> Disk<R> {
    /// A boot has taken these for the first records that lie behind the readable ones, damaged or not. From now on
    /// they are what the disk holds; what lies behind them is gone.
    pub fn misread(&mut self, taken: Vec<R>) {
        // The damaged ones have been counted as lost: what was made of them is as good as written anew. The sound ones
        // are given up first, and so written anew, too.
        self.cut();
        self.written += taken.len() as u64;
        taken.into_iter().for_each(|record| self.records.push(record));
        let end = self.end();
        (self.synced, self.flushed) = (end, end);
    }
}
