//! Where every record went that was ever written to a disk.

use super::Disk;

/// Counts of records. Each that was written is in exactly one of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Books {
    /// Ever written.
    pub written: u64,
    /// On the disk and sound: in memory while the node is up, on the platter else.
    pub kept: u64,
    /// Lost in a crash, not acknowledged before: gone, or damaged.
    pub lost_unsynced: u64,
    /// Lost although acknowledged: gone, or damaged.
    pub lost_durable: u64,
    /// Sound, but behind a damaged one, and so overwritten.
    pub cut: u64,
    /// Gone with the whole disk.
    pub wiped: u64,
    /// Not needed any more, for a checkpoint stands for it.
    pub forgotten: u64,
}

impl Books {
    /// Whether every record is accounted for, once.
    pub fn balance(&self) -> bool {
        let ended = self.lost_unsynced + self.lost_durable + self.cut + self.wiped + self.forgotten;
        self.written == self.kept + ended
    }
}

impl<R> Disk<R> {
    /// What has become of every record. A record that rots, or that a failed sync leaves behind, counts as kept until
    /// a boot or a crash finds out. Costs nothing unless records are damaged.
    pub fn books(&self) -> Books {
        let ended = self.ended.as_deref().copied().unwrap_or_default();
        Books { written: self.written, kept: self.kept() as u64, ..ended }
    }

    /// How many records are there and sound, also behind damaged ones.
    pub(super) fn kept(&self) -> usize {
        self.end() - self.first + self.rare.as_ref().map_or(0, |rare| rare.sound_behind())
    }
}
